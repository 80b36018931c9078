//! What is asked, in a request's query. What is left out is empty, zero or false.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// What a question about totals names.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Totals {
    /// Codes, or the parts of codes before the first hyphen, separated by commas. Left out with `by=indicators` or a
    /// programme: all core indicators, or those of the programme.
    #[param(example = "tg01")]
    pub indicator: String,
    /// Code of a unit on the map of the period's last day, or on that of `map`; `VN` is the nation.
    #[param(required, example = "VN")]
    pub unit: String,
    /// `2024-M03`, `2024-Q1`, `2024-H1`, `2024-9M`, `2024`, `2013..2023`, or a day.
    #[param(required, example = "2013..2023")]
    pub period: String,
    /// `dimension=member|…`; dimensions left out are totalled over.
    pub breakdown: String,
    /// What the question is spread over, separated by commas, the slowest first: `indicators`, `children`, `units`,
    /// `periods`, `breakdown`.
    #[param(example = "children")]
    pub by: String,
    /// Of `by=breakdown`: which dimension.
    pub dimension: String,
    /// `reported`, or a day to whose map totals are restated.
    pub map: String,
    /// Whose indicators, where none is named.
    pub programme: String,
    /// Of `by=units`: the level of the units.
    pub level: String,
    /// Of `by=periods`: as many periods of the length of the one asked for, which is the last.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub last: u32,
    /// `previous`, `last_year`, or both: each total is compared with the same of that period.
    pub compare: String,
    /// `nation`: how much of the nation's total each is.
    pub share: String,
    /// Which place each has among the units of its level below the same unit.
    pub rank: bool,
    /// As of this position of the ledger; 0: now.
    pub as_of: i64,
    /// `all`, or `approved`: of approved figures only.
    pub figures: String,
    /// As of the position of this frozen review.
    pub review: String,
    /// Wait, at most 30 s, until everything up to this position is in.
    pub at_least: i64,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64, example = 10)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// What a question about one total names.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct OneTotal {
    /// Code, or the part of it before the first hyphen.
    #[param(required, example = "tg01")]
    pub indicator: String,
    /// Code of a unit on the map of the period's last day, or on that of `map`; `VN` is the nation.
    #[param(required, example = "06")]
    pub unit: String,
    /// As of `/v1/totals`.
    #[param(required, example = "2013..2023")]
    pub period: String,
    /// `dimension=member|…`; dimensions left out are totalled over.
    pub breakdown: String,
    /// `reported`, or a day to whose map the total is restated.
    pub map: String,
    /// As of this position of the ledger; 0: now.
    pub as_of: i64,
    /// `all`, or `approved`: of approved figures only.
    pub figures: String,
    /// As of the position of this frozen review.
    pub review: String,
    /// Wait, at most 30 s, until everything up to this position is in.
    pub at_least: i64,
}

/// What a question about figures names.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Figures {
    /// Code, or the part of it before the first hyphen.
    #[param(required, example = "tg01")]
    pub indicator: String,
    /// Code of a unit on the map of the period's last day.
    #[param(required, example = "06")]
    pub unit: String,
    /// Figures of this period and of those within it.
    #[param(required, example = "2013..2023")]
    pub period: String,
    /// Only figures with these members: `dimension=member|…`.
    pub breakdown: String,
    /// Also those of units below.
    pub below: bool,
    /// Only revisions up to this position of the ledger; 0: all.
    pub as_of: i64,
    /// Only revisions up to the position of this frozen review.
    pub review: String,
    /// Wait, at most 30 s, until everything up to this position is in.
    pub at_least: i64,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// What a question about a total and its parts names.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Tree {
    /// Code, or the part of it before the first hyphen.
    #[param(required, example = "tg01")]
    pub indicator: String,
    /// Code of a unit on the map of the period's last day, or on that of `map`; `VN` is the nation.
    #[param(required, example = "VN")]
    pub unit: String,
    /// As of `/v1/totals`.
    #[param(required, example = "2013..2023")]
    pub period: String,
    /// `dimension=member|…`; dimensions left out are totalled over.
    pub breakdown: String,
    /// `reported`, or a day to whose map the total is restated.
    pub map: String,
    /// As of this position of the ledger; 0: now.
    pub as_of: i64,
    /// As of the position of this frozen review.
    pub review: String,
    /// Wait, at most 30 s, until everything up to this position is in.
    pub at_least: i64,
    /// How many levels of parts, at most 8; 0: 3.
    #[param(value_type = u64, maximum = 4_294_967_295_u64, example = 2)]
    pub depth: u32,
    /// How many parts of one node, at most 200; 0: 20.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub limit: u32,
    /// The `more` of a node, which opens it again with the parts that come next.
    pub cursor: String,
}

/// A page of reviews.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Reviews {
    /// Wait, at most 30 s, until everything up to this position is in.
    pub at_least: i64,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// Which changes are watched.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Watch {
    /// Only of these indicators, separated by commas.
    pub indicator: String,
    /// Only of this unit and those below it.
    pub unit: String,
    /// What changed after this position; left out: from now on. `Last-Event-ID` goes before it.
    #[param(nullable = false)]
    pub from: Option<i64>,
}

/// The language of headings, names and notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

/// What a file of totals is of: as of `/v1/totals`, all pages of it.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TotalsFile {
    /// As of `/v1/totals`.
    #[param(example = "tg01")]
    pub indicator: String,
    /// As of `/v1/totals`.
    #[param(required, example = "VN")]
    pub unit: String,
    /// As of `/v1/totals`.
    #[param(required, example = "2013..2023")]
    pub period: String,
    /// As of `/v1/totals`.
    pub breakdown: String,
    /// As of `/v1/totals`.
    #[param(example = "children")]
    pub by: String,
    /// As of `/v1/totals`.
    pub dimension: String,
    /// As of `/v1/totals`.
    pub map: String,
    /// As of `/v1/totals`.
    pub programme: String,
    /// As of `/v1/totals`.
    pub level: String,
    /// As of `/v1/totals`.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub last: u32,
    /// As of `/v1/totals`.
    pub compare: String,
    /// As of `/v1/totals`.
    pub share: String,
    /// As of `/v1/totals`.
    pub rank: bool,
    /// As of `/v1/totals`.
    pub as_of: i64,
    /// As of `/v1/totals`.
    pub figures: String,
    /// As of `/v1/totals`.
    pub review: String,
    /// As of `/v1/totals`.
    pub at_least: i64,
    /// Of headings, names and notes.
    #[param(inline)]
    pub lang: Lang,
    /// CSV begins with a byte order mark, by which Excel knows UTF-8.
    pub bom: bool,
}

/// What a file of figures is of: as of `/v1/figures`, all pages of it, of several indicators.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FiguresFile {
    /// Codes, separated by commas; left out: the indicators of the programme, else all core ones.
    #[param(example = "tg01,ll03")]
    pub indicator: String,
    /// Whose indicators, where none is named.
    pub programme: String,
    /// As of `/v1/figures`.
    #[param(required, example = "06")]
    pub unit: String,
    /// As of `/v1/figures`.
    #[param(required, example = "2013..2023")]
    pub period: String,
    /// As of `/v1/figures`.
    pub breakdown: String,
    /// As of `/v1/figures`.
    #[param(example = true)]
    pub below: bool,
    /// As of `/v1/figures`.
    pub as_of: i64,
    /// As of `/v1/figures`.
    pub review: String,
    /// As of `/v1/figures`.
    pub at_least: i64,
    /// Of headings, names and notes.
    #[param(inline)]
    pub lang: Lang,
    /// CSV begins with a byte order mark, by which Excel knows UTF-8.
    pub bom: bool,
}

/// What goes with a submission, beside its document.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Submission {
    /// Check everything, keep nothing.
    pub dry_run: bool,
    /// The reporting system, for CSV and XLSX; JSON names it in the document.
    pub source: String,
    /// A note, for CSV and XLSX.
    pub note: String,
    /// How numbers are written: `vi` (37.853 and 2,2) or `en` (37,853 and 2.2); left out, they are plain decimals.
    #[param(example = "vi")]
    pub locale: String,
}

/// Which units are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Units {
    /// On the map of this day; left out: of every time.
    #[param(example = "2025-07-01")]
    pub date: String,
    /// Only of this level: nation, province, district, commune.
    #[param(example = "province")]
    pub level: String,
    /// Only those directly below this unit.
    pub parent: String,
    /// Only those with this code.
    pub code: String,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64, example = 5)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// Which unit's history.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct History {
    /// The unit that has the code on this day.
    #[param(example = "2025-06-30")]
    pub date: String,
}

/// Which maps are compared.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MapDiff {
    /// A day of the one map.
    #[param(required, example = "2025-06-30")]
    pub from: String,
    /// A day of the other.
    #[param(required, example = "2025-07-01")]
    pub to: String,
    /// Only units of this level.
    pub level: String,
    /// Only what became of this unit.
    #[param(example = "24")]
    pub unit: String,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// A page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64, example = 5)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// What a question about reports names.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Reports {
    /// Code of a regime.
    #[param(required, example = "ctph07-thang")]
    pub regime: String,
    /// A period of the regime.
    #[param(required, example = "2025-M10")]
    pub period: String,
    /// The unit and those below it, on the map of the period's last day; left out: the nation.
    #[param(example = "19")]
    pub unit: String,
    /// Only those in this state: `open`, `returned`, `submitted`, `approved`, `published`.
    pub state: String,
    /// Also all that happened to each.
    pub history: bool,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64, example = 10)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// What a question about who owes reports names.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Compliance {
    /// Code of a regime.
    #[param(required, example = "ctph07-thang")]
    pub regime: String,
    /// A period of the regime.
    #[param(required, example = "2025-M10")]
    pub period: String,
    /// The unit and those below it, on the map of the period's last day; left out: the nation.
    #[param(example = "19")]
    pub unit: String,
    /// Whose part is meant: the level that reports (also where it is left out), or one that approves.
    pub level: String,
    /// Only these: `due`, `late`, `returned`, `submitted`, `approved`, `published`; of a level that approves `due`,
    /// `late`, `waiting`, `done`.
    pub state: String,
    /// Wait, at most 30 s, until everything up to this position is in.
    pub at_least: i64,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64, example = 10)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// Which keys.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Keys {
    /// Only those of this source.
    pub source: String,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}

/// How a key is revoked.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Revocation {
    /// Why.
    pub note: String,
}

/// Which entries of the audit log.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Audit {
    /// Only these: `submission`, `registry`, `review`, `access` or `report`.
    pub kind: String,
    /// Only what one actor did: `key:ID`, `administrator`, …
    pub actor: String,
    /// How many on a page; 0: as many as there may be.
    #[param(value_type = u64, maximum = 4_294_967_295_u64)]
    pub limit: u32,
    /// The `next` of the page before.
    pub cursor: String,
}
