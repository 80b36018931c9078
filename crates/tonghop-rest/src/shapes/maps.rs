//! Units, maps, and what became of units.

use serde::Serialize;
use utoipa::ToSchema;

use super::Decimal;

/// A stage of a unit's life.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its level.
    pub level: String,
    /// What kind of unit of its level.
    pub kind: String,
    /// The code of the unit it lies in.
    #[schema(required)]
    pub parent: Option<String>,
    /// The first day.
    #[schema(required, format = Date)]
    pub valid_from: Option<String>,
    /// The first day that is no longer in it.
    #[schema(required, format = Date)]
    pub valid_to: Option<String>,
}

/// A page of units.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// The page.
    pub units: Vec<Unit>,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A unit that another was made of, or became a part of.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Which.
    #[schema(required)]
    pub unit: Option<Unit>,
    /// How much of it.
    #[schema(required)]
    pub share: Option<Decimal>,
    /// On which day.
    #[schema(format = Date)]
    pub date: Option<String>,
    /// How the share is known.
    pub basis: Option<String>,
}

/// What a unit was and became.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The unit on the day asked for.
    #[schema(required)]
    pub unit: Option<Unit>,
    /// All its stages.
    pub stages: Vec<Unit>,
    /// What it was made of.
    pub made_of: Vec<Part>,
    /// What it became.
    pub became: Vec<Part>,
    /// Who else carried its code.
    pub same_code: Vec<Unit>,
}

/// How many units of a level changed how.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The level.
    pub level: String,
    /// Units before.
    pub before: u64,
    /// Units after.
    pub after: u64,
    /// The same on both.
    pub unchanged: u64,
    /// Under another name alone.
    pub renamed: u64,
    /// With another territory.
    pub redrawn: u64,
    /// As another unit of the same territory.
    pub went_on: u64,
    /// No longer there.
    pub ended: u64,
    /// New.
    pub began: u64,
    /// Gone on as several.
    pub divided: u64,
    /// Whose code another unit carries now.
    pub codes_reused: u64,
}

/// What became of a unit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitChange {
    /// `renamed`, `redrawn`, `went_on`, `ended`, `began`.
    pub change: String,
    /// Which.
    #[schema(required)]
    pub unit: Option<Unit>,
    /// How it is called now.
    pub now: Option<Unit>,
    /// What it became.
    pub became: Option<Vec<Part>>,
    /// What it was made of.
    pub made_of: Option<Vec<Part>>,
    /// Who carries its code now, or did before.
    pub same_code: Option<Unit>,
}

/// What is different between two maps.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MapDiff {
    /// A day of the one.
    #[schema(format = Date)]
    pub from: String,
    /// A day of the other.
    #[schema(format = Date)]
    pub to: String,
    /// Counts by level.
    pub levels: Vec<Level>,
    /// A page of the units that changed.
    pub units: Vec<UnitChange>,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}
