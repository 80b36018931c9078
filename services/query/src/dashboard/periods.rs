//! Periods near a period: before, after, within, and those to choose from.

use tonghop_core::period::{FIRST_YEAR, Frequency, LAST_YEAR, Period};

/// The period of the same grain, so many further.
pub(super) fn shifted(period: Period, by: i16) -> Option<Period> {
    let year = |y: i16| (FIRST_YEAR..=LAST_YEAR).contains(&y).then_some(y);
    let within = |y: i16, at: i8, a_year: i16| -> Option<(i16, i8)> {
        let count = i32::from(y) * i32::from(a_year) + i32::from(at) - 1 + i32::from(by);
        let y = year(i16::try_from(count.div_euclid(i32::from(a_year))).ok()?)?;
        let at = i8::try_from(count.rem_euclid(i32::from(a_year)) + 1).ok()?;
        Some((y, at))
    };
    match period {
        Period::Instant(_) => None,
        Period::Month(y, m) => within(y, m, 12).map(|(y, m)| Period::Month(y, m)),
        Period::Quarter(y, q) => within(y, q, 4).map(|(y, q)| Period::Quarter(y, q)),
        Period::Half(y, h) => within(y, h, 2).map(|(y, h)| Period::Half(y, h)),
        Period::NineMonths(y) => year(y.checked_add(by)?).map(Period::NineMonths),
        Period::Year(y) => year(y.checked_add(by)?).map(Period::Year),
        Period::Span(from, to) => {
            let by = by.checked_mul(to - from + 1)?;
            Some(Period::Span(year(from.checked_add(by)?)?, year(to.checked_add(by)?)?))
        }
    }
}

/// The same period of the year before; none for what is not shorter than a year.
pub(super) fn a_year_before(period: Period) -> Option<Period> {
    match period {
        Period::Month(..) => shifted(period, -12),
        Period::Quarter(..) => shifted(period, -4),
        Period::Half(..) => shifted(period, -2),
        Period::Instant(_) | Period::NineMonths(_) | Period::Year(_) | Period::Span(..) => None,
    }
}

/// The last periods of the same grain up to this one, as many as a sparkline shows; a span and a day stand alone.
pub(super) fn leading_to(period: Period) -> Vec<Period> {
    let many = match period {
        Period::Month(..) => 13,
        Period::Quarter(..) => 9,
        Period::Half(..) => 7,
        Period::NineMonths(_) | Period::Year(_) => 8,
        Period::Instant(_) | Period::Span(..) => 1,
    };
    (1 - many..=0).filter_map(|by| shifted(period, by)).collect()
}

/// The year that a period lies in; of a span the last.
pub(super) fn year_of(period: Period) -> i16 {
    match period {
        Period::Instant(day) => day.year(),
        Period::Month(y, _)
        | Period::Quarter(y, _)
        | Period::Half(y, _)
        | Period::NineMonths(y)
        | Period::Year(y)
        | Period::Span(_, y) => y,
    }
}

/// The longer period whose parts a chart shows beside the one asked for: the year, or ten years where the parts
/// of a year would be the year itself. A span stands for itself.
pub(super) fn around(period: Period, frequency: Frequency) -> Period {
    match period {
        Period::Span(..) => period,
        _ if frequency == Frequency::Year => ten_years(period),
        _ => Period::Year(year_of(period)),
    }
}

/// The ten years up to the one of a period.
pub(super) fn ten_years(period: Period) -> Period {
    let last = year_of(period);
    Period::Span((last - 9).max(FIRST_YEAR), last)
}

/// The periods within a year, from shortest to longest.
pub(super) fn of_year(year: i16) -> Vec<Period> {
    let months = (1..=12).map(|m| Period::Month(year, m));
    let quarters = (1..=4).map(|q| Period::Quarter(year, q));
    let halves = (1..=2).map(|h| Period::Half(year, h));
    months.chain(quarters).chain(halves).chain([Period::NineMonths(year)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Period {
        Period::parse(text).expect("a period")
    }

    #[test]
    fn neighbours_are_of_the_same_grain() {
        for (period, before, after) in [
            ("2024-M01", "2023-M12", "2024-M02"),
            ("2024-Q4", "2024-Q3", "2025-Q1"),
            ("2024-H1", "2023-H2", "2024-H2"),
            ("2024-9M", "2023-9M", "2025-9M"),
            ("2024", "2023", "2025"),
            ("2013..2015", "2010..2012", "2016..2018"),
        ] {
            assert_eq!((shifted(p(period), -1), shifted(p(period), 1)), (Some(p(before)), Some(p(after))));
        }
        assert_eq!(shifted(p("2023-05-25"), -1), None);
        assert_eq!(shifted(p("1945-M01"), -1), None);
        assert_eq!(shifted(p("2199"), 1), None);
        assert_eq!(a_year_before(p("2024-M02")), Some(p("2023-M02")));
    }

    #[test]
    fn a_sparkline_ends_with_its_period() {
        let leading = leading_to(p("2024-M02"));
        assert_eq!((leading.len(), leading[0], leading[12]), (13, p("2023-M02"), p("2024-M02")));
        assert_eq!(leading_to(p("2013..2023")), [p("2013..2023")]);
    }
}
