//! A registry as it is given, before it is checked.

use jiff::civil::Date;

use super::{LevelName, Programme};
use crate::calendar::Calendar;
use crate::dimension::Dimension;
use crate::indicator::{Aggregable, Precedence, ReporterOverlap, Sensitivity};
use crate::period::Frequency;
use crate::plausibility::Severity;
use crate::words::Words;

/// One stage of a unit's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRow {
    /// Code of the statistics office.
    pub code: String,
    /// Code of the level.
    pub level: String,
    /// Name with its kind.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Code of the unit it lies in on the first day of the row; `None` for the nation.
    pub parent: Option<String>,
    /// First day; `None` where it always was.
    pub valid_from: Option<Date>,
    /// First day no longer in it; `None` where it still is.
    pub valid_to: Option<Date>,
}

/// A link between a unit that went and one that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessionRow {
    /// The day.
    pub day: Date,
    /// Code the day before.
    pub from: String,
    /// Code on the day.
    pub to: String,
    /// Share in millionths.
    pub share: u32,
    /// How the share is known.
    pub basis: String,
}

/// An indicator as given; see [`Indicator`](crate::indicator::Indicator).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorRow {
    /// Code.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name.
    pub name_en: String,
    /// Vietnamese unit of measure.
    pub unit_vi: String,
    /// English unit of measure.
    pub unit_en: String,
    /// Decimals.
    pub decimals: u8,
    /// `flow`, `stock` or `ratio`.
    pub kind: String,
    /// Codes above the line of a ratio.
    pub numerator: Vec<String>,
    /// Codes below it.
    pub denominator: Vec<String>,
    /// Whether what is above is a part of what is below.
    pub numerator_is_part: bool,
    /// Code of the collection level.
    pub collection_level: String,
    /// Frequency.
    pub frequency: Frequency,
    /// Code of the calendar.
    pub calendar: String,
    /// Reporter overlap.
    pub overlap: ReporterOverlap,
    /// Sides that may report.
    pub reporters: Vec<String>,
    /// Dimensions.
    pub dimensions: Vec<String>,
    /// Precedence.
    pub precedence: Precedence,
    /// Programmes.
    pub programmes: Vec<String>,
    /// First day of validity.
    pub valid_from: Option<Date>,
    /// First day after it.
    pub valid_to: Option<Date>,
    /// Whether it is a core indicator.
    pub core: bool,
    /// What adds up over units.
    pub aggregable: Aggregable,
    /// Whether the map gives it.
    pub from_map: bool,
    /// Who may read its figures and totals.
    pub sensitivity: Sensitivity,
}

/// A rule of plausibility as given; see [`Rule`](crate::plausibility::Rule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// Code.
    pub code: String,
    /// What it says.
    pub expression: String,
    /// What follows where it does not hold.
    pub severity: Severity,
}

/// A reporting regime as given; see [`Regime`](crate::regime::Regime).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegimeRow {
    /// Code.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name.
    pub name_en: String,
    /// The programme whose indicators it is about, as far as they are of its calendar and collected often enough;
    /// empty where they are named.
    pub programme: String,
    /// The indicators it is about, beside those of the programme.
    pub indicators: Vec<String>,
    /// Code of the level of the units that report.
    pub level: String,
    /// How often.
    pub frequency: Frequency,
    /// Code of the calendar.
    pub calendar: String,
    /// First day of validity.
    pub valid_from: Option<Date>,
    /// First day after it.
    pub valid_to: Option<Date>,
    /// Codes of the levels that approve, in order.
    pub approvals: Vec<String>,
    /// By code of the level, days after the period's last day.
    pub deadlines: Vec<(String, u16)>,
    /// Where this is laid down.
    pub source: String,
}

/// Everything a registry is built from.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Levels, the nation first.
    pub levels: Vec<LevelName>,
    /// Units, a row a stage.
    pub units: Vec<UnitRow>,
    /// Successions.
    pub successions: Vec<SuccessionRow>,
    /// Calendars.
    pub calendars: Vec<Calendar>,
    /// Dimensions.
    pub dimensions: Vec<Dimension>,
    /// Indicators.
    pub indicators: Vec<IndicatorRow>,
    /// Programmes.
    pub programmes: Vec<Programme>,
    /// Rules of plausibility.
    pub plausibility: Vec<RuleRow>,
    /// Reporting regimes.
    pub regimes: Vec<RegimeRow>,
}

/// Something wrong with a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which table.
    pub table: &'static str,
    /// Which row, by its key.
    pub key: String,
    /// What is wrong, and what was expected.
    pub message: Words,
}
