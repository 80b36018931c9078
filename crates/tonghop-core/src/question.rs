//! A question about totals, and its answer.

mod answer;
mod inputs;
mod plan;
mod ratio;

pub use answer::{Prepared, answer, sum_of_sides, total_of_sum};
pub use inputs::{of_flow as flow_inputs, of_stock as stock_inputs};
pub use plan::{Asked, OnMap, Plan, Side, frequency_in_vietnamese, frequency_name, plan, plan_for_any};
pub use ratio::{Excess, excesses};

use jiff::civil::Date;

use crate::dimension::Breakdown;
use crate::period::Period;
use crate::quantity::{Pair, Sum};
use crate::unit::UnitId;

/// One rectangle: a unit and a period, of one indicator and breakdown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// The unit, in force on the period's last day; restated, on the map it is restated to.
    pub unit: UnitId,
    /// Code or short code of the indicator.
    pub indicator: String,
    /// What is asked for; dimensions left out are totalled over.
    pub breakdown: Breakdown,
    /// The period, in the indicator's calendar.
    pub period: Period,
    /// Restated to the map of this day; as reported, where there is none.
    pub map: Option<Date>,
}

/// Where a headline is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The figure of a unit at the collection level.
    Reported,
    /// The figure that a unit above it declared for its whole territory.
    Declared,
    /// Complete parts.
    Computed,
    /// Parts that do not cover all, or cover with cells that have no value.
    Partial,
}

impl Basis {
    /// The code used on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Basis::Reported => "reported",
            Basis::Declared => "declared",
            Basis::Computed => "computed",
            Basis::Partial => "partial",
        }
    }
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing was reported.
    Missing,
    /// What was reported says that there is no value.
    NotAvailable,
    /// Values were given below that do not add up.
    NotAggregable,
    /// A ratio whose denominator is zero.
    Undefined,
}

impl Reason {
    /// The code used on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Missing => "missing",
            Reason::NotAvailable => "not_available",
            Reason::NotAggregable => "not_aggregable",
            Reason::Undefined => "undefined",
        }
    }
}

/// The answer to a [`Question`]: the headline and all that it rests on. Values are in units of the indicator's
/// last decimal. `reported ≤ covered ≤ expected`, and `unavailable ≤ covered`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// The headline.
    pub value: Option<Sum>,
    /// Why there is none, where there is none.
    pub reason: Option<Reason>,
    /// What the headline is taken from.
    pub basis: Option<Basis>,
    /// What the parts come to.
    pub parts: Option<Sum>,
    /// What was given for the whole.
    pub whole: Option<Sum>,
    /// Whole less parts, where both are there.
    pub difference: Option<i128>,
    /// Of a ratio: what the headline was divided from, where it was.
    pub pair: Option<Pair>,
    /// Cells for which an own figure of the cell's unit is there.
    pub reported: u64,
    /// Cells that the headline speaks for.
    pub covered: u64,
    /// Cells there are.
    pub expected: u64,
    /// Covered cells without a value.
    pub unavailable: u64,
    /// Of a stock: the oldest and the newest date in the headline.
    pub dates: Option<(Date, Date)>,
    /// Whether a share of a divided unit is in the headline: shares are estimates.
    pub estimated: bool,
    /// Of a stock: whether figures of units as they were before the map changed inside the period are in the headline.
    pub carried: bool,
}

/// Why a question is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such indicator.
    #[error("unknown indicator {0:?}")]
    UnknownIndicator(String),
    /// The indicator has no such dimension.
    #[error("{indicator} is not broken down by {dimension:?}; it has {has}")]
    NotItsDimension {
        /// The indicator.
        indicator: String,
        /// What was asked for.
        dimension: String,
        /// What it has.
        has: String,
    },
    /// The dimension has no such member.
    #[error("{dimension:?} has no member {member:?}")]
    UnknownMember {
        /// The dimension.
        dimension: String,
        /// What was asked for.
        member: String,
    },
    /// Sides overlap and have no common total.
    #[error(
        "the sides that report {indicator} count the same things, so they have no common total: ask for one \
         of them, reporter={sides}"
    )]
    OverlappingReporters {
        /// The indicator whose sides overlap.
        indicator: String,
        /// The sides there are.
        sides: String,
    },
    /// A ratio of something that several sides report apart, with no side named.
    #[error(
        "{indicator} is a ratio of {component}, which several sides report apart: ask for one of them, \
         reporter={sides}"
    )]
    RatioAcrossReporters {
        /// The ratio.
        indicator: String,
        /// Its component.
        component: String,
        /// The sides there are.
        sides: String,
    },
    /// The indicator has no such periods.
    #[error(
        "{indicator} is collected by {frequency} in the calendar {calendar}: it has no total for {period}"
    )]
    WrongGrain {
        /// The indicator.
        indicator: String,
        /// Its frequency.
        frequency: &'static str,
        /// Its calendar.
        calendar: String,
        /// What was asked for.
        period: Period,
    },
    /// The unit is not in force on the period's last day, or on the day of the map that it is restated to.
    #[error("the unit is not in force on {day}")]
    NotInForce {
        /// The day.
        day: Date,
    },
    /// No unit of its level is in force any more.
    #[error("the map of {day} has no units of the level {level}, so nothing is restated to them")]
    LevelGone {
        /// The level.
        level: String,
        /// The day of the map.
        day: Date,
    },
    /// The map is older than the period.
    #[error("the map of {map} is older than the period, which ends on {last}: nothing is restated backwards")]
    MapTooOld {
        /// The day of the map.
        map: Date,
        /// The period's last day.
        last: Date,
    },
    /// Nothing below the collection level has figures.
    #[error("{indicator} is collected by units of the level {level}: nothing below has a total")]
    BelowCollection {
        /// The indicator.
        indicator: String,
        /// Its collection level.
        level: String,
    },
}
