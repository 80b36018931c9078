//! Regimes, reports and what became of them, and who owes what.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{AsOf, Text, UnitRef};

/// By when a level has done its part.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// The level.
    pub level: String,
    /// Days after the period's last day.
    pub days: u32,
}

/// A reporting regime.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// The indicators it is about.
    pub indicators: Vec<String>,
    /// The level of the units that report.
    pub level: String,
    /// `month`, `quarter`, `half`, `year`.
    pub frequency: String,
    /// The calendar of its periods.
    pub calendar: String,
    /// The first day of its validity.
    #[schema(required, format = Date)]
    pub valid_from: Option<String>,
    /// The first day that is no longer in it.
    #[schema(required, format = Date)]
    pub valid_to: Option<String>,
    /// The levels that approve, one after the other.
    pub approvals: Vec<String>,
    /// By when each level has done its part.
    pub deadlines: Vec<Deadline>,
    /// Where it is laid down.
    pub source: String,
}

/// All regimes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Regimes {
    /// All of them.
    pub regimes: Vec<Regime>,
}

/// What can be done with reports, and with a period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// A unit hands its report in.
    Submit,
    /// A level above approves it.
    Approve,
    /// It is given back, with a reason.
    Return,
    /// It is opened again.
    Reopen,
    /// Figures of the period are taken no more.
    Close,
    /// They are taken again.
    Open,
}

/// What is to be done: with the units themselves, or with all that report below one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToDo {
    /// What.
    pub act: Act,
    /// Code of a regime.
    pub regime: String,
    /// A period of the regime.
    pub period: String,
    /// Codes of units on the map of the period's last day, at most 10,000; of `close` and `open` each with all below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// In place of units: all that report below this one, itself included.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub below: String,
    /// Of `approve`: in the name of which level; left out: of whichever is next.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub level: String,
    /// For people; nothing is returned without one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Of `open`: until when figures are taken; left out: for good.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
}

/// Where an act led, and with how many.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportCount {
    /// The state.
    pub state: String,
    /// Of `approved`: the level that did last.
    #[schema(required)]
    pub level: Option<String>,
    /// How many units.
    pub units: u32,
}

/// What was done.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The id of the ledger's entry that says so.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its position.
    pub position: i64,
    /// The ledger's chain digest at the position, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
    /// Where it led, and with how many.
    pub states: Vec<ReportCount>,
}

/// Something that happened to a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportEvent {
    /// What became of it.
    pub state: String,
    /// Of `approved`: the level that did last.
    #[schema(required)]
    pub approved_by: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// The position of the entry that says so.
    pub position: i64,
    /// Who did it; null where nobody had to say.
    #[schema(required)]
    pub by: Option<String>,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
}

/// What a unit reports for a period under a regime.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The unit.
    pub unit: UnitRef,
    /// `open`, `returned`, `submitted`, `approved`, `published`.
    pub state: String,
    /// Of `approved`: the level that did last.
    #[schema(required)]
    pub approved_by: Option<String>,
    /// The level that approves next.
    #[schema(required)]
    pub awaits: Option<String>,
    /// Since when it is so; null where nothing was ever done.
    #[schema(required, format = DateTime)]
    pub since: Option<String>,
    /// The position of the entry that says so.
    #[schema(required)]
    pub position: Option<i64>,
    /// Who did it; null where nobody had to say.
    #[schema(required)]
    pub by: Option<String>,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
    /// All that happened to it, where that is asked for.
    pub history: Option<Vec<ReportEvent>>,
}

/// A word on whether figures of a unit and all below it are taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Code of the unit.
    pub unit: String,
    /// `closed` or `opened`.
    pub state: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// The position of the entry that says so.
    pub position: i64,
    /// Who said it; null where nobody had to say.
    #[schema(required)]
    pub by: Option<String>,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
    /// Of `opened`: until when; null where for good.
    #[schema(required, format = DateTime)]
    pub until: Option<String>,
}

/// A page of reports.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    /// Up to which entry of the ledger this includes everything that was done with reports.
    pub position: i64,
    /// The page.
    pub reports: Vec<Report>,
    /// Which subtrees are closed for figures, or opened again, the last word first.
    pub closings: Vec<Closing>,
    /// How many reports all pages have.
    pub count: u64,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// What a unit owes, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Owed {
    /// The unit.
    pub unit: UnitRef,
    /// Of one that reports: `due`, `late`, `returned`, `submitted`, `approved`, `published`. Of one that approves: `due` or
    /// `late` (some wait for it), `waiting` (for units below it), `done`.
    pub state: String,
    /// Days after the day by which it is due, before it negative; null where nothing is owed or laid down.
    #[schema(required)]
    pub days_late: Option<i32>,
    /// The level that has to do something next.
    #[schema(required)]
    pub awaits: Option<String>,
    /// By when it has.
    #[schema(required, format = Date)]
    pub due: Option<String>,
    /// Since when it is so; null where nothing was ever done.
    #[schema(required, format = DateTime)]
    pub since: Option<String>,
    /// Who did it.
    #[schema(required)]
    pub by: Option<String>,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
    /// Of one that reports: how many indicators it has figures of.
    pub indicators_reported: Option<u32>,
    /// Of one that reports: how many it could have.
    pub indicators: Option<u32>,
    /// Of one that approves: how many reports there are below it.
    pub reports: Option<u32>,
    /// Of one that approves: how many wait for it.
    pub waiting: Option<u32>,
    /// Of one that approves: how many have its approval.
    pub approved: Option<u32>,
}

/// A page of what units owe.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compliance {
    /// As of when.
    pub as_of: AsOf,
    /// The day on which days are counted.
    #[schema(format = Date)]
    pub on: String,
    /// By when the level has done its part.
    #[schema(required, format = Date)]
    pub due: Option<String>,
    /// How many units there are of each state, whichever were asked for.
    pub counts: BTreeMap<String, u64>,
    /// The page.
    pub units: Vec<Owed>,
    /// How many units all pages have.
    pub count: u64,
    /// The `cursor` of the next page.
    #[schema(required)]
    pub next: Option<String>,
}
