//! Indicators, dimensions and programmes.

use serde::Serialize;
use utoipa::ToSchema;

use super::Text;

/// An indicator.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// What is counted.
    pub unit_of_measure: Text,
    /// Decimals of its values.
    pub decimals: u32,
    /// `flow`, `stock` or `ratio`.
    pub kind: String,
    /// Of a ratio: the indicators summed above the line.
    pub numerator: Vec<String>,
    /// Of a ratio: those below it.
    pub denominator: Vec<String>,
    /// Whether the numerator is a part of the denominator.
    pub numerator_is_part: bool,
    /// The lowest level of unit that produces it.
    pub collection_level: String,
    /// How often it is collected.
    pub frequency: String,
    /// The calendar its periods are read in.
    pub calendar: String,
    /// Whether several sides may report it: `single`, `disjoint`, `overlapping`.
    pub reporter_overlap: String,
    /// The sides that may.
    pub reporters: Vec<String>,
    /// Its breakdown dimensions.
    pub dimensions: Vec<String>,
    /// What its headline is taken from.
    pub precedence: String,
    /// Programmes under which it may be reported.
    pub programmes: Vec<String>,
    /// What adds up over units.
    pub aggregable: String,
    /// The first day of its validity.
    #[schema(required, format = Date)]
    pub valid_from: Option<String>,
    /// The first day that is no longer in it.
    #[schema(required, format = Date)]
    pub valid_to: Option<String>,
    /// Whether it is one of the core indicators.
    pub core: bool,
    /// Whether the map itself gives it.
    pub from_map: bool,
    /// Who may read its figures and totals: `public` anybody, `internal` whose key has the role `read_internal`. A ratio
    /// with an internal part is internal, whatever this says.
    pub sensitivity: String,
}

/// A page of indicators.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicators {
    /// The page.
    pub indicators: Vec<Indicator>,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A member of a dimension.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Text,
}

/// A dimension.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// `partition` or `overlapping`.
    pub kind: String,
    /// Its members.
    pub members: Vec<Member>,
}

/// All dimensions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimensions {
    /// All of them.
    pub dimensions: Vec<Dimension>,
}

/// A programme.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Its code.
    pub code: String,
    /// Its title.
    pub title: Text,
}

/// All programmes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Programmes {
    /// All of them.
    pub programmes: Vec<Programme>,
}
