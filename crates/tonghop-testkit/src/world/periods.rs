//! The few periods that figures and questions of a world are about.

use tonghop_core::indicator::Indicator;
use tonghop_core::period::{Grain, Period};

use super::pick;

/// Spans are there twice, since there are most ways for them to overlap.
const GRAINS: [Grain; 8] = [
    Grain::Year,
    Grain::Half,
    Grain::Quarter,
    Grain::Month,
    Grain::NineMonths,
    Grain::Span,
    Grain::Span,
    Grain::Instant,
];
const FIRST: i16 = 2021;

/// A period of an indicator: first a grain it takes, then one of these in the world's years.
pub(super) fn taken(indicator: &Indicator, years: i16, grain: usize, which: usize) -> Option<Period> {
    let grains: Vec<Grain> =
        GRAINS.into_iter().filter(|g| indicator.takes(*g) && (years > 1 || *g != Grain::Span)).collect();
    pick(&of_grain(indicator, years, *pick(&grains, grain)?), which).copied()
}

/// All periods of the world's years that an indicator takes.
pub(super) fn all_taken(indicator: &Indicator, years: i16) -> Vec<Period> {
    let grains = GRAINS.into_iter().filter(|g| indicator.takes(*g));
    grains.flat_map(|grain| of_grain(indicator, years, grain)).collect()
}

/// Any period at all, taken or not.
pub(super) fn any(indicator: &Indicator, years: i16, grain: usize, which: usize) -> Option<Period> {
    pick(&of_grain(indicator, years, *pick(&GRAINS, grain)?), which).copied()
}

fn of_grain(indicator: &Indicator, years: i16, grain: Grain) -> Vec<Period> {
    // 2022 first: that is when maps change.
    let mut all: Vec<i16> = (FIRST..FIRST + years).collect();
    all.sort_by_key(|y| *y != FIRST + 1);
    let in_years = |of: &dyn Fn(i16) -> Vec<Period>| all.iter().flat_map(|y| of(*y)).collect::<Vec<_>>();
    match grain {
        Grain::Month => in_years(&|y| (1..=12).map(|m| Period::Month(y, m)).collect()),
        Grain::Quarter => in_years(&|y| (1..=4).map(|q| Period::Quarter(y, q)).collect()),
        Grain::Half => in_years(&|y| (1..=2).map(|h| Period::Half(y, h)).collect()),
        Grain::NineMonths => in_years(&|y| vec![Period::NineMonths(y)]),
        Grain::Year => in_years(&|y| vec![Period::Year(y)]),
        Grain::Span => {
            let last = FIRST + years - 1;
            let from = (FIRST..last).flat_map(|a| (a + 1..=last).map(move |b| Period::Span(a, b)));
            from.collect()
        }
        // Days that matter: ends of periods, and the days beside them.
        Grain::Instant => in_years(&|y| {
            let ends = [Period::Year(y), Period::Half(y, 1), Period::Month(y, 8)];
            let days = ends.iter().flat_map(|p| {
                let (first, last) = indicator.calendar.days(*p);
                [last, first, last.yesterday().unwrap_or(last), last.tomorrow().unwrap_or(last)]
            });
            days.map(Period::Instant).collect()
        }),
    }
}
