//! Settled readings of the page that random worlds seldom come to.

mod common;

use common::Example;
use tonghop_core::figure::Scope;
use tonghop_core::indicator::Precedence;
use tonghop_core::question::Basis;

/// Reading 2: of sets of spans that cover as many years the fewest spans, then the earliest.
#[test]
fn of_spans_that_cover_as_many_years_the_fewest_stand() {
    let mut example = Example::new(Precedence::DeclaredFirst);
    example.report("c1", Scope::Own, "2019..2020", 1);
    example.report("c1", Scope::Own, "2021..2022", 2);
    example.report("c1", Scope::Own, "2019..2022", 40);
    example.says("c1", "2019..2023", (40, Basis::Partial, None, (48, 48, 60)));
    // Two years and three make five.
    example.report("c1", Scope::Own, "2021..2023", 7);
    example.says("c1", "2019..2023", (8, Basis::Computed, None, (60, 60, 60)));
    // So do three and two; of two spans each the earlier set stands.
    example.report("c1", Scope::Own, "2019..2021", 100);
    example.report("c1", Scope::Own, "2022..2023", 300);
    example.says("c1", "2019..2023", (8, Basis::Computed, None, (60, 60, 60)));
}

/// §3: nothing is added twice, and a longer figure never stands where parts cover all.
#[test]
fn a_year_beside_its_months_is_left_aside() {
    let mut example = Example::new(Precedence::BottomUp);
    for month in 1..=12 {
        example.report("c1", Scope::Own, &format!("2024-M{month:02}"), 1);
    }
    example.report("c1", Scope::Own, "2024", 100);
    example.says("c1", "2024", (12, Basis::Computed, Some(88), (12, 12, 12)));
    example.says("C", "2024", (12, Basis::Computed, None, (12, 12, 12)));
}

/// §3: nine months and the fourth quarter stand for a year where they cover more than two half-years.
#[test]
fn nine_months_count_towards_the_year() {
    let mut example = Example::new(Precedence::BottomUp);
    example.report("c1", Scope::Own, "2024-9M", 9);
    example.report("c1", Scope::Own, "2024-Q4", 3);
    example.report("c1", Scope::Own, "2024-H1", 5);
    example.says("C", "2024", (12, Basis::Computed, None, (12, 12, 12)));
    example.says("C", "2024-H1", (5, Basis::Computed, None, (6, 6, 6)));
}
