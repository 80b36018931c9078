//! Indicators (chỉ tiêu): what is counted, and by which rules it adds up.

use std::sync::Arc;

use jiff::civil::Date;

use crate::calendar::Calendar;
use crate::period::{Frequency, Grain, Period};
use crate::unit::Level;

/// What kind of number an indicator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Phát sinh trong kỳ: adds up over time.
    Flow,
    /// Số hiện có: the last value stands.
    Stock,
    /// A numerator over a denominator.
    Ratio(RatioOf),
}

/// What a ratio is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatioOf {
    /// Codes of the indicators whose sum is above the line.
    pub numerator: Vec<String>,
    /// Codes of the indicators whose sum is below it.
    pub denominator: Vec<String>,
    /// Whether what is above is a part of what is below, so that it cannot be larger.
    pub numerator_is_part: bool,
    /// Whether the components are stocks; otherwise they are flows. A ratio never mixes them.
    pub of_stocks: bool,
}

/// Whether several sides may report one thing, and what that means for its total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReporterOverlap {
    /// The reporter is an attribute of the figure and no part of its key.
    Single,
    /// Each side reports its own; the total is the sum over the sides.
    Disjoint,
    /// The sides count the same things; they stand side by side and have no common total.
    Overlapping,
}

/// What the headline of a total is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precedence {
    /// Complete parts first, then the declared whole.
    BottomUp,
    /// The declared whole first.
    DeclaredFirst,
    /// Declared wholes above the collection level are kept and shown, never used.
    ComputedOnly,
}

/// What adds up over units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregable {
    /// Sums.
    Sum,
    /// A ratio, taken of sums.
    Ratio,
    /// A number of types: does not add up.
    Distinct,
    /// One thing that spans many units: does not add up over units; over time it adds within its unit.
    None,
}

impl Aggregable {
    /// Whether values of units add up to the value of the unit above them.
    pub fn over_units(self) -> bool {
        matches!(self, Aggregable::Sum | Aggregable::Ratio)
    }
}

/// Who may read an indicator's figures and totals. That there is such an indicator, anybody may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitivity {
    /// Anybody.
    Public,
    /// Those who may read what is internal.
    Internal,
}

/// An indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// Its code: a short code, a hyphen, English words.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name.
    pub name_en: String,
    /// Vietnamese unit of measure.
    pub unit_vi: String,
    /// English unit of measure.
    pub unit_en: String,
    /// Decimals of its values.
    pub decimals: u8,
    /// Flow, stock or ratio.
    pub kind: Kind,
    /// The lowest level of unit that produces it.
    pub collection_level: Level,
    /// How often it is collected.
    pub frequency: Frequency,
    /// The calendar its periods are read in.
    pub calendar: Arc<Calendar>,
    /// Whether several sides may report it.
    pub overlap: ReporterOverlap,
    /// The sides that may.
    pub reporters: Vec<String>,
    /// Its breakdown dimensions, sorted.
    pub dimensions: Vec<String>,
    /// What its headline is taken from.
    pub precedence: Precedence,
    /// Programmes under which it may be reported.
    pub programmes: Vec<String>,
    /// First day of validity.
    pub valid_from: Date,
    /// First day that is no longer in it.
    pub valid_to: Date,
    /// Whether it is one of the core indicators.
    pub core: bool,
    /// What adds up over units.
    pub aggregable: Aggregable,
    /// Whether the map itself gives it: 1 for every unit in force. Then nobody reports it.
    pub from_map: bool,
    /// Who may read its figures and totals, as its own row says: [`Registry::is_internal`] also looks at what a ratio
    /// is made of.
    ///
    /// [`Registry::is_internal`]: crate::registry::Registry::is_internal
    pub sensitivity: Sensitivity,
}

impl Indicator {
    /// The part of the code before the first hyphen; unique by itself.
    pub fn short_code(&self) -> &str {
        self.code.split('-').next().unwrap_or(&self.code)
    }

    /// Whether values are percentages, so that a ratio is shown as 100 · N/D.
    pub fn is_percent(&self) -> bool {
        self.unit_en == "percent"
    }

    /// Whether it has a dimension.
    pub fn has_dimension(&self, dimension: &str) -> bool {
        self.dimensions.iter().any(|d| d == dimension)
    }

    /// Whether the indicator is in force for a period: the period's last day is within its validity.
    pub fn in_force(&self, period: Period) -> bool {
        let last = self.calendar.last_day(period);
        self.valid_from <= last && last < self.valid_to
    }

    /// Whether the last value stands (a stock, or a ratio of stocks) instead of adding up over time.
    pub fn is_stock(&self) -> bool {
        match &self.kind {
            Kind::Flow => false,
            Kind::Stock => true,
            Kind::Ratio(ratio) => ratio.of_stocks,
        }
    }

    /// Whether a figure or a question may have a period of this grain: no shorter than the collection period,
    /// within what the calendar defines; a day only for stocks.
    pub fn takes(&self, grain: Grain) -> bool {
        match grain {
            Grain::Instant => self.is_stock(),
            Grain::Year | Grain::Span => true,
            shorter => !self.calendar.year_only && shorter >= self.frequency.shortest_grain(),
        }
    }
}
