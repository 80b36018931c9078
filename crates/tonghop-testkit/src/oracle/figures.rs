//! The figures a question is answered from: the current ones (§2), of the breakdown asked for (§5), for one unit,
//! scope and period (§3).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use tonghop_core::Date;
use tonghop_core::dimension::{Breakdown, DimensionKind, REPORTER};
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::indicator::{Indicator, ReporterOverlap};
use tonghop_core::period::Period;
use tonghop_core::quantity::Sum;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

use super::state::{Given, State};

/// What a roll-up is made of.
pub(super) trait Reports<A> {
    /// What was given for a unit, scope and period: of a flow at exactly that period, of a stock the latest within days.
    fn given(&self, unit: UnitId, scope: Scope, period: Period, days: (Date, Date)) -> Given<A>;

    /// The spans of years for which a unit has a value, of either scope.
    fn spans(&self, unit: UnitId) -> BTreeSet<(i16, i16)>;
}

/// Whether a unit is one that the indicator is collected at, on a day's map: of the collection level, or above it
/// with no child that could report (reading 9).
pub(super) fn collects(registry: &Registry, indicator: &Indicator, unit: UnitId, day: Date) -> bool {
    let level = registry.unit(unit).level;
    registry.unit(unit).in_force(day)
        && (level == indicator.collection_level
            || level < indicator.collection_level
                && !registry
                    .map_on(day)
                    .children(unit)
                    .iter()
                    .any(|child| registry.unit(*child).level <= indicator.collection_level))
}

/// A figure that stands, with its key's members of partitions.
pub(super) struct Current<'a> {
    pub(super) figure: &'a Figure,
    members: Breakdown,
}

/// §2: a later figure of the same key revises the earlier one, a withdrawal takes the key back to missing.
fn current<'a>(registry: &Registry, figures: &'a [Figure], indicator: &Indicator) -> Vec<&'a Figure> {
    let mut standing: BTreeMap<(UnitId, Period, Scope, Breakdown), &Figure> = BTreeMap::new();
    for figure in figures {
        if registry.indicator(&figure.indicator).is_none_or(|i| i.code != indicator.code) {
            continue;
        }
        // §5: of a `single` reporter the reporter is no part of the key.
        let attribute = |d: &str| d == REPORTER && indicator.overlap == ReporterOverlap::Single;
        let key = (figure.unit, figure.period, figure.scope, figure.breakdown.only(|d| !attribute(d)));
        if figure.statement == Statement::Withdrawn {
            standing.remove(&key);
        } else {
            standing.insert(key, figure);
        }
    }
    standing.into_values().collect()
}

/// §5: whether a figure is of the breakdown asked for (readings 13 and 14).
fn answers(registry: &Registry, figure: &Figure, indicator: &Indicator, asked: &Breakdown) -> bool {
    indicator.dimensions.iter().all(|dimension| {
        let (has, wants) = (figure.breakdown.member(dimension), asked.member(dimension));
        if dimension != REPORTER && overlapping(registry, dimension) {
            has == wants
        } else {
            wants.is_none() || has == wants
        }
    })
}

fn overlapping(registry: &Registry, dimension: &str) -> bool {
    registry.dimension(dimension).is_some_and(|d| d.kind == DimensionKind::Overlapping)
}

/// The current figures of one indicator and breakdown.
pub(super) struct Sheet<'a> {
    registry: &'a Registry,
    indicator: &'a Indicator,
    asked: Breakdown,
    pub(super) rows: Vec<Current<'a>>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(
        registry: &'a Registry,
        figures: &'a [Figure],
        indicator: &'a Indicator,
        asked: &Breakdown,
    ) -> Sheet<'a> {
        let rows = current(registry, figures, indicator)
            .into_iter()
            .filter(|figure| answers(registry, figure, indicator, asked))
            .map(|figure| {
                let partition = |d: &str| d != REPORTER && !overlapping(registry, d);
                Current { figure, members: figure.breakdown.only(partition) }
            })
            .collect();
        Sheet { registry, indicator, asked: asked.clone(), rows }
    }

    /// At exactly a period: the sum of the members reported there (reading 13).
    pub(super) fn exactly(&self, unit: UnitId, scope: Scope, period: Period) -> Given<Sum> {
        self.rows
            .iter()
            .filter(|row| (row.figure.unit, row.figure.scope, row.figure.period) == (unit, scope, period))
            .fold(Given::default(), |sum, row| sum.plus(Given { state: stated(row.figure), dates: None }))
    }

    /// Within days: the latest of each member, summed (reading 12).
    fn latest(&self, unit: UnitId, scope: Scope, (first, last): (Date, Date)) -> Given<Sum> {
        let mut by_member: BTreeMap<&Breakdown, Vec<&Figure>> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| (row.figure.unit, row.figure.scope) == (unit, scope)) {
            let day = self.last_day(row.figure);
            if first <= day && day <= last {
                by_member.entry(&row.members).or_default().push(row.figure);
            }
        }
        by_member.into_values().fold(Given::default(), |sum, figures| sum.plus(self.latest_of(&figures)))
    }

    fn latest_of(&self, figures: &[&Figure]) -> Given<Sum> {
        let latest_value = figures
            .iter()
            .filter(|f| matches!(f.statement, Statement::Value(..)))
            .max_by_key(|f| (self.last_day(f), Reverse(length(f.period))));
        match latest_value {
            Some(figure) => {
                let day = self.last_day(figure);
                Given { state: stated(figure), dates: Some((day, day)) }
            }
            None => Given { state: State::NotAvailable, dates: None },
        }
    }

    /// The last day of a figure's period, which is read in the indicator's own calendar (§4).
    fn last_day(&self, figure: &Figure) -> Date {
        self.indicator.calendar.last_day(figure.period)
    }

    /// Reading 18: 1 for each unit that collects on the last day, of the kind asked for.
    fn counted_on_map(&self, unit: UnitId, scope: Scope, day: Date) -> Given<Sum> {
        let of_kind = self
            .asked
            .member("unit-type")
            .is_none_or(|kind| self.registry.unit(unit).stage(day).is_some_and(|stage| stage.kind == kind));
        if scope == Scope::Own && of_kind && collects(self.registry, self.indicator, unit, day) {
            let one = 10i64.pow(u32::from(self.indicator.decimals));
            let state = State::Value(Sum::of(one, Default::default()));
            Given { state, dates: Some((day, day)) }
        } else {
            Given::default()
        }
    }
}

impl Reports<Sum> for Sheet<'_> {
    fn given(&self, unit: UnitId, scope: Scope, period: Period, days: (Date, Date)) -> Given<Sum> {
        if self.indicator.from_map {
            self.counted_on_map(unit, scope, days.1)
        } else if self.indicator.is_stock() {
            self.latest(unit, scope, days)
        } else {
            self.exactly(unit, scope, period)
        }
    }

    fn spans(&self, unit: UnitId) -> BTreeSet<(i16, i16)> {
        self.rows
            .iter()
            .filter(|row| row.figure.unit == unit && matches!(row.figure.statement, Statement::Value(..)))
            .filter_map(|row| match row.figure.period {
                Period::Span(from, to) => Some((from, to)),
                _ => None,
            })
            .collect()
    }
}

/// Length of a period in months; an instant has none.
fn length(period: Period) -> i32 {
    period.months().map_or(0, |(first, last)| last - first + 1)
}

/// What a current figure says.
pub(super) fn stated(figure: &Figure) -> State<Sum> {
    match &figure.statement {
        Statement::Value(value, qualifier) => State::Value(Sum::of(*value, *qualifier)),
        Statement::NotAvailable(_) => State::NotAvailable,
        Statement::Withdrawn => State::Missing,
    }
}
