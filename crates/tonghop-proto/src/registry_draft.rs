//! A registry on the wire, and as the core's draft.

use std::fmt::Display;

use jiff::civil::Date;
use prost::Message;
use tonghop_core::calendar::Calendar;
use tonghop_core::dimension::{Dimension, DimensionKind, Member};
use tonghop_core::indicator::{Aggregable, Precedence, ReporterOverlap};
use tonghop_core::period::Frequency;
use tonghop_core::registry::{
    Draft, IndicatorRow, LevelName, Problem, Programme, Registry, SuccessionRow, UnitRow,
};

use crate::registry as pb;

struct Problems(Vec<Problem>);

impl Problems {
    fn take<T>(&mut self, table: &'static str, key: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|message| self.0.push(Problem { table, key: key.to_owned(), message })).ok()
    }
}

fn day(text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("{text:?} is not a day as 2025-07-01"))
}

fn one_of<T: Copy>(what: &str, text: &str, known: &[(&str, T)]) -> Result<T, String> {
    known.iter().find(|(code, _)| *code == text).map(|(_, value)| *value).ok_or_else(|| {
        let codes: Vec<_> = known.iter().map(|(code, _)| *code).collect();
        format!("{what} {text:?} is not one of {}", codes.join(", "))
    })
}

fn small<T: TryFrom<u32>>(what: impl Display, number: u32) -> Result<T, String> {
    T::try_from(number).map_err(|_| format!("{what} {number} is too large"))
}

/// Frequencies by code.
pub const FREQUENCIES: [(&str, Frequency); 5] = [
    ("event", Frequency::Event),
    ("month", Frequency::Month),
    ("quarter", Frequency::Quarter),
    ("half", Frequency::Half),
    ("year", Frequency::Year),
];
/// Reporter overlaps by code.
pub const OVERLAPS: [(&str, ReporterOverlap); 3] = [
    ("single", ReporterOverlap::Single),
    ("disjoint", ReporterOverlap::Disjoint),
    ("overlapping", ReporterOverlap::Overlapping),
];
/// Precedences by code.
pub const PRECEDENCES: [(&str, Precedence); 3] = [
    ("bottom_up", Precedence::BottomUp),
    ("declared_first", Precedence::DeclaredFirst),
    ("computed_only", Precedence::ComputedOnly),
];
/// What adds up over units, by code.
pub const AGGREGABLES: [(&str, Aggregable); 4] = [
    ("sum", Aggregable::Sum),
    ("ratio", Aggregable::Ratio),
    ("distinct", Aggregable::Distinct),
    ("none", Aggregable::None),
];

/// Reads a registry into the core's draft.
///
/// # Errors
/// Every cell that cannot be read. Whether what was read fits together is for
/// [`Registry::build`](tonghop_core::registry::Registry::build) to say.
pub fn draft(from: pb::Registry) -> Result<Draft, Vec<Problem>> {
    let mut problems = Problems(Vec::new());
    let levels = from.levels.into_iter().map(|l| LevelName { code: l.code, name_vi: l.name_vi });
    let mut draft = Draft { levels: levels.collect(), ..Draft::default() };
    for unit in from.units {
        let valid_from = problems.take("units", &unit.code, day(&unit.valid_from));
        let valid_to = problems.take("units", &unit.code, day(&unit.valid_to));
        let (Some(valid_from), Some(valid_to)) = (valid_from, valid_to) else { continue };
        draft.units.push(UnitRow {
            code: unit.code,
            level: unit.level,
            name: unit.name,
            kind: unit.kind,
            parent: Some(unit.parent_code).filter(|p| !p.is_empty()),
            valid_from,
            valid_to,
        });
    }
    for link in from.successions {
        let key = format!("{}>{}", link.from_code, link.to_code);
        let read = day(&link.date).and_then(|d| d.ok_or_else(|| "the date is empty".to_owned()));
        let Some(day) = problems.take("successions", &key, read) else { continue };
        draft.successions.push(SuccessionRow {
            day,
            from: link.from_code,
            to: link.to_code,
            share: link.share_millionths,
            basis: link.basis,
        });
    }
    for calendar in from.calendars {
        let month = problems.take("calendars", &calendar.code, small("month", calendar.year_start_month));
        let start_day = problems.take("calendars", &calendar.code, small("day", calendar.year_start_day));
        let (Some(start_month), Some(start_day)) = (month, start_day) else { continue };
        draft.calendars.push(Calendar {
            code: calendar.code,
            name_vi: calendar.name_vi,
            start_month,
            start_day,
            year_only: calendar.year_only,
        });
    }
    for dimension in from.dimensions {
        let kinds = [("partition", DimensionKind::Partition), ("overlapping", DimensionKind::Overlapping)];
        let kind = one_of("kind", &dimension.kind, &kinds);
        let Some(kind) = problems.take("dimensions", &dimension.code, kind) else { continue };
        let member = |m: pb::Member| Member { code: m.code, name_vi: m.name_vi, name_en: m.name_en };
        draft.dimensions.push(Dimension {
            code: dimension.code,
            name_vi: dimension.name_vi,
            name_en: dimension.name_en,
            kind,
            members: dimension.members.into_iter().map(member).collect(),
        });
    }
    for row in from.indicators {
        if let Some(indicator) = indicator(&mut problems, row) {
            draft.indicators.push(indicator);
        }
    }
    draft.programmes = from
        .programmes
        .into_iter()
        .map(|p| Programme { code: p.code, title_vi: p.title_vi, title_en: p.title_en })
        .collect();
    if problems.0.is_empty() { Ok(draft) } else { Err(problems.0) }
}

fn indicator(problems: &mut Problems, row: pb::Indicator) -> Option<IndicatorRow> {
    let code = row.code.clone();
    let table = "indicators";
    let frequency = problems.take(table, &code, one_of("frequency", &row.frequency, &FREQUENCIES));
    let overlap = problems.take(table, &code, one_of("reporter_overlap", &row.reporter_overlap, &OVERLAPS));
    let precedence = problems.take(table, &code, one_of("precedence", &row.precedence, &PRECEDENCES));
    let aggregable = problems.take(table, &code, one_of("aggregable", &row.aggregable, &AGGREGABLES));
    let decimals = problems.take(table, &code, small("decimals", row.decimals));
    let valid_from = problems.take(table, &code, day(&row.valid_from));
    let valid_to = problems.take(table, &code, day(&row.valid_to));
    Some(IndicatorRow {
        code: row.code,
        name_vi: row.name_vi,
        name_en: row.name_en,
        unit_vi: row.unit_vi,
        unit_en: row.unit_en,
        decimals: decimals?,
        kind: row.kind,
        numerator: row.numerator,
        denominator: row.denominator,
        numerator_is_part: row.numerator_is_part,
        collection_level: row.collection_level,
        frequency: frequency?,
        calendar: row.calendar,
        overlap: overlap?,
        reporters: row.reporters,
        dimensions: row.dimensions,
        precedence: precedence?,
        programmes: row.programmes,
        valid_from: valid_from?,
        valid_to: valid_to?,
        core: row.core,
        aggregable: aggregable?,
        from_map: row.from_map,
    })
}

/// A registry entry of the ledger that makes no sense: it is damaged, or another version wrote it.
#[derive(Debug, thiserror::Error)]
#[error("a registry entry of the ledger makes no sense: {0}")]
pub struct RegistryError(String);

/// Reads a registry as the ledger keeps it.
///
/// # Errors
/// Where the record is not what an accepted load wrote.
pub fn read(record: &[u8]) -> Result<Registry, RegistryError> {
    let wire = pb::Registry::decode(record).map_err(|e| RegistryError(e.to_string()))?;
    let first = |problems: Vec<Problem>| {
        let all = problems.iter().take(5).map(|p| format!("{} {}: {}", p.table, p.key, p.message));
        RegistryError(all.collect::<Vec<_>>().join("; "))
    };
    Registry::build(draft(wire).map_err(first)?, None).map_err(first)
}
