//! Totals, and what they rest on.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Decimal, Revision, Text};

/// Up to which entry of the ledger an answer includes everything, and nothing after.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// The position of the entry; 0 when there is nothing yet.
    #[schema(minimum = 0)]
    pub position: i64,
    /// When it was received.
    #[schema(required, format = DateTime)]
    pub time: Option<String>,
    /// For how many seconds nobody has confirmed that nothing newer was accepted, where that is remarkable.
    pub stale_seconds: Option<i64>,
    /// The frozen review that was asked for.
    pub review: Option<String>,
}

/// A unit, named as on a day.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitRef {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its level.
    pub level: String,
}

/// A total.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Of which unit.
    pub unit: UnitRef,
    /// Of which indicator.
    pub indicator: String,
    /// Of which members, by dimension.
    pub breakdown: BTreeMap<String, String>,
    /// Of which period.
    pub period: String,
    /// `reported`, or the day to whose map it is restated.
    pub map: String,
    /// The first day of the map that the unit is of, where that did not always stand.
    #[schema(format = Date)]
    pub map_from: Option<String>,
    /// Of a point in a series: the territory is not that of the point before.
    pub r#break: Option<bool>,
    /// A share of a divided unit is in the value.
    pub estimated: Option<bool>,
    /// Of a stock: figures of units of before a change of map inside the period still stand in it.
    pub carried: Option<bool>,
    /// The value; null where there is none, and then `reason` or `refused` says why.
    #[schema(required)]
    pub value: Option<Decimal>,
    /// Why there is no value: `missing`, `not_available`, `not_aggregable`, `undefined`.
    pub reason: Option<String>,
    /// Why this question, one of many, has no answer.
    pub refused: Option<String>,
    /// `exact`, `at_least`, `at_most`, `about`.
    #[schema(required)]
    pub qualifier: Option<String>,
    /// The sum of the exact parts.
    #[schema(required)]
    pub exact_part: Option<Decimal>,
    /// What the value is taken from: `reported`, `declared`, `computed`, `partial`.
    #[schema(required)]
    pub basis: Option<String>,
    /// The sum of the parts.
    #[schema(required)]
    pub parts: Option<Decimal>,
    /// What was declared for the whole.
    #[schema(required)]
    pub whole: Option<Decimal>,
    /// The whole less the parts.
    #[schema(required)]
    pub difference: Option<Decimal>,
    /// Cells whose own unit reported.
    pub reported: u64,
    /// Cells in the value.
    pub covered: u64,
    /// Cells there should be.
    pub expected: u64,
    /// Covered cells without a value.
    pub unavailable: u64,
    /// Cells that a total of approved figures only covers, where a regime has the indicator approved.
    pub approved: Option<u64>,
    /// Of a stock: the oldest date in it.
    #[schema(format = Date)]
    pub oldest: Option<String>,
    /// Of a stock: the newest date in it.
    #[schema(format = Date)]
    pub newest: Option<String>,
    /// Of a ratio.
    pub numerator: Option<Decimal>,
    /// Of a ratio.
    pub denominator: Option<Decimal>,
    /// What was given, where it does not add up.
    pub given: Option<Vec<Given>>,
    /// Beside the same of earlier periods, by what it is compared with.
    pub compared: Option<BTreeMap<String, Compared>>,
    /// How much of the nation's it is.
    pub share: Option<Share>,
    /// Which place it has among its peers.
    pub rank: Option<Rank>,
    /// What is counted.
    pub unit_of_measure: Text,
}

/// A figure that was given and is not added.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Of which unit.
    pub unit: UnitRef,
    /// Of which period.
    pub period: String,
    /// `own` or `territory`.
    pub scope: String,
    /// Of which members.
    pub breakdown: BTreeMap<String, String>,
    /// Its value.
    pub value: Decimal,
    /// Its qualifier.
    pub qualifier: String,
}

/// A total beside the same of an earlier period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// The earlier period.
    #[schema(required)]
    pub period: Option<String>,
    /// Its value.
    #[schema(required)]
    pub value: Option<Decimal>,
    /// Its qualifier.
    #[schema(required)]
    pub qualifier: Option<String>,
    /// The value less the earlier one.
    #[schema(required)]
    pub difference: Option<Decimal>,
    /// The same in percent of the earlier one, with two decimals.
    #[schema(required)]
    pub change_percent: Option<Decimal>,
    /// Why the two cannot be compared.
    pub not_comparable: Option<String>,
}

/// How much of the nation's total a total is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// In percent, with two decimals.
    #[schema(required)]
    pub percent: Option<Decimal>,
    /// The nation's value.
    #[schema(required)]
    pub of: Option<Decimal>,
    /// Why there is no share.
    pub not_comparable: Option<String>,
}

/// Which place a total has among those of its peers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    /// 1 for the largest; equal values have equal places.
    #[schema(required)]
    pub place: Option<u32>,
    /// How many of the peers have a value.
    pub of: u32,
    /// How many peers there are.
    pub peers: u32,
}

/// A page of totals.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// As of when.
    pub as_of: AsOf,
    /// The page.
    pub totals: Vec<Total>,
    /// How many all pages have together.
    pub count: u64,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A file of totals.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotalsFile {
    /// As of when.
    pub as_of: AsOf,
    /// The parameters that were asked with.
    pub asked: BTreeMap<String, String>,
    /// How many follow.
    pub rows: u64,
    /// Whether made-up figures may be among them.
    pub synthetic: bool,
    /// What is said of them.
    pub note: Option<String>,
    /// All of them.
    pub totals: Vec<Total>,
}

/// A total opened into its parts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// As of when.
    pub as_of: AsOf,
    /// The total.
    pub total: Total,
    /// Which parts were chosen: `units` or `time`.
    pub along: String,
    /// Children over the same period.
    pub children: Vec<Total>,
    /// The unit itself over the periods that tile this one.
    pub tiles: Vec<Total>,
    /// Figures of the unit, with their submissions.
    pub figures: Vec<Revision>,
    /// What was set aside, and why.
    pub set_aside: Vec<String>,
    /// What a restated total is put together from.
    pub origins: Vec<Origin>,
}

/// A unit that a restated total is put together from.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// How much of it went on as the unit asked for; 1 for all.
    pub share: Decimal,
    /// Its total as reported.
    pub total: Total,
}

/// Who has reported.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// As of when.
    pub as_of: AsOf,
    /// The unit's total.
    pub total: Total,
    /// Those of the units below.
    pub children: Vec<Total>,
    /// What a restated total is put together from.
    pub origins: Vec<Origin>,
}

/// A total opened into its parts, and these in their turn.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// As of when.
    pub as_of: AsOf,
    /// The total asked for.
    pub root: Node,
}

/// A total, and what it was taken from.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub struct Node {
    /// The total.
    pub total: Total,
    /// What the value was taken from: `whole`, `units`, `time`, `sides`, `origins`, or nothing.
    pub used: String,
    /// The unit's own activity, where it was added to the children.
    pub own: Option<Decimal>,
    /// Of an origin: how much of it went on as the unit above in this tree.
    pub share: Option<Decimal>,
    /// What was left aside, and why.
    pub set_aside: Vec<String>,
    /// Figures of the unit, with their submissions.
    pub figures: Vec<Revision>,
    /// Those with something in them first.
    pub parts: Vec<Node>,
    /// How many parts there are, those that are not here included.
    pub parts_count: u32,
    /// The `cursor` that opens this node again with the parts that come next.
    #[schema(required)]
    pub more: Option<String>,
}

/// A name for a position of the ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The name.
    pub name: String,
    /// The position.
    pub position: i64,
    /// A note.
    pub note: String,
    /// When it was frozen.
    #[schema(format = DateTime)]
    pub frozen_at: String,
}

/// A page of reviews, by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// As of when.
    pub as_of: AsOf,
    /// The page.
    pub reviews: Vec<Review>,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// What is to be frozen.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToFreeze {
    /// A name, given once; at most 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Everything up to this position; 0 or left out: everything there is.
    #[serde(skip_serializing_if = "is_none")]
    pub position: i64,
    /// A note.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

fn is_none(position: &i64) -> bool {
    *position == 0
}

/// What was frozen.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrozenReview {
    /// The name.
    pub name: String,
    /// The position it stands for.
    pub position: i64,
    /// The note.
    pub note: String,
}

/// The receipt of a review.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// The review.
    pub review: FrozenReview,
    /// The id of its entry.
    #[schema(format = "uuid")]
    pub id: String,
    /// The position of its entry.
    pub position: i64,
    /// The ledger's chain digest at that position, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
}
