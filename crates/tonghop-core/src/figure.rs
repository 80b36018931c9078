//! Figures (số liệu): what a unit reported, and where it belongs.

use std::collections::BTreeMap;

use crate::dimension::{Breakdown, DimensionKind, REPORTER};
use crate::indicator::{Indicator, ReporterOverlap};
use crate::period::Period;
use crate::quantity::Qualifier;
use crate::registry::Registry;
use crate::unit::UnitId;

/// For what a unit reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Its own activity.
    Own,
    /// Its whole territory, its subordinates included.
    Territory,
}

impl Scope {
    /// The code used on the wire and in files.
    pub fn code(self) -> &'static str {
        match self {
            Scope::Own => "own",
            Scope::Territory => "territory",
        }
    }

    /// Reads a code; `None` for any other text.
    pub fn from_code(code: &str) -> Option<Scope> {
        [Scope::Own, Scope::Territory].into_iter().find(|s| s.code() == code)
    }
}

/// What a figure says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Statement {
    /// A value, in units of the indicator's last decimal.
    Value(i64, Qualifier),
    /// No value, with the reason. It counts as reported.
    NotAvailable(String),
    /// The key goes back to missing.
    Withdrawn,
}

/// One reported figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The unit, as the map of the period's last day has it.
    pub unit: UnitId,
    /// Code of the indicator.
    pub indicator: String,
    /// The reporter, a member of every partition, and of overlapping dimensions those it is for.
    pub breakdown: Breakdown,
    /// The period, in the indicator's calendar.
    pub period: Period,
    /// The scope.
    pub scope: Scope,
    /// What it says.
    pub statement: Statement,
}

/// What figures are kept under: those of one series add up with one another over its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Series {
    /// Code of the indicator.
    pub indicator: String,
    /// Members of overlapping dimensions, and the reporter where sides are kept apart.
    pub tags: Breakdown,
}

impl std::fmt::Display for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.tags.is_empty() { "" } else { "|" };
        write!(f, "{}{separator}{}", self.indicator, self.tags)
    }
}

impl Series {
    /// Reads what `Display` writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Series> {
        let (indicator, tags) = text.split_once('|').unwrap_or((text, ""));
        Some(Series { indicator: indicator.to_owned(), tags: Breakdown::parse(tags).ok()? })
    }
}

/// A place within a series: one member of each partition, and who reported where that is an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Leaf {
    /// A member of each partition. With unit, scope, period and series this is the figure's key.
    pub members: Breakdown,
    /// The reporter, where it is an attribute of the figure and no part of its key.
    pub reporter: Option<String>,
}

/// Splits a figure's breakdown into the series it is kept under and its place within.
pub fn place(registry: &Registry, indicator: &Indicator, breakdown: &Breakdown) -> (Series, Leaf) {
    let is_tag = |dimension: &str| match dimension {
        REPORTER => indicator.overlap != ReporterOverlap::Single,
        other => registry.dimension(other).is_some_and(|d| d.kind == DimensionKind::Overlapping),
    };
    let reporter = match indicator.overlap {
        ReporterOverlap::Single => breakdown.member(REPORTER).map(str::to_owned),
        ReporterOverlap::Disjoint | ReporterOverlap::Overlapping => None,
    };
    (
        Series { indicator: indicator.code.clone(), tags: breakdown.only(is_tag) },
        Leaf { members: breakdown.only(|d| d != REPORTER && !is_tag(d)), reporter },
    )
}

/// What a current figure says: as a [`Statement`], but never withdrawn, and without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stated {
    /// A value in units of the last decimal.
    Value(i64, Qualifier),
    /// No value.
    NotAvailable,
}

/// A current figure within a series and period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The unit.
    pub unit: UnitId,
    /// The scope.
    pub scope: Scope,
    /// Which of the [leaves](SeriesFigures::leaves).
    pub leaf: u32,
    /// What it says.
    pub stated: Stated,
}

/// The current figures of one series, by period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesFigures {
    /// The places that rows refer to.
    pub leaves: Vec<Leaf>,
    /// Rows of each period.
    pub periods: BTreeMap<Period, Vec<Row>>,
}

impl SeriesFigures {
    /// The number of a place, which is added if it is new.
    pub fn leaf(&mut self, leaf: &Leaf) -> u32 {
        match self.leaves.iter().position(|l| l == leaf) {
            Some(i) => i as u32,
            None => {
                self.leaves.push(leaf.clone());
                (self.leaves.len() - 1) as u32
            }
        }
    }

    /// Adds a current figure.
    pub fn push(&mut self, period: Period, unit: UnitId, scope: Scope, leaf: &Leaf, stated: Stated) {
        let leaf = self.leaf(leaf);
        self.periods.entry(period).or_default().push(Row { unit, scope, leaf, stated });
    }
}

/// Current figures, as of one position of the ledger, of as many series as a question needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// By series.
    pub series: BTreeMap<Series, SeriesFigures>,
}

type Key = (Series, Period, UnitId, Scope, Breakdown);

/// Figures with their revisions resolved, the later one standing for its key: the state that a sequence of
/// submissions leads to.
#[derive(Clone, Debug, Default)]
pub struct Book {
    current: BTreeMap<Key, (Leaf, Stated)>,
}

impl Book {
    /// Takes a figure: it revises the one of the same key, or withdraws it.
    ///
    /// # Panics
    /// If the registry does not know the figure's indicator.
    pub fn take(&mut self, registry: &Registry, figure: &Figure) {
        let indicator =
            registry.indicator(&figure.indicator).expect("figures are checked before they are taken");
        let (series, leaf) = place(registry, indicator, &figure.breakdown);
        let key = (series, figure.period, figure.unit, figure.scope, leaf.members.clone());
        match &figure.statement {
            Statement::Value(value, q) => self.current.insert(key, (leaf, Stated::Value(*value, *q))),
            Statement::NotAvailable(_) => self.current.insert(key, (leaf, Stated::NotAvailable)),
            Statement::Withdrawn => self.current.remove(&key),
        };
    }

    /// The current figures.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        for ((series, period, unit, scope, _), (leaf, stated)) in &self.current {
            figures.series.entry(series.clone()).or_default().push(*period, *unit, *scope, leaf, *stated);
        }
        figures
    }
}
