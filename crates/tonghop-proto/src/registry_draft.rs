//! A registry on the wire, and as the core's draft.

use std::fmt::Display;

use jiff::civil::Date;
use prost::Message;
use tonghop_core::calendar::Calendar;
use tonghop_core::dimension::{Dimension, DimensionKind, Member};
use tonghop_core::indicator::{Aggregable, Precedence, ReporterOverlap, Sensitivity};
use tonghop_core::period::Frequency;
use tonghop_core::plausibility::Severity;
use tonghop_core::registry::{
    Act, ChangeRow, Draft, IndicatorRow, LevelName, Problem, Programme, Reform, RegimeRow, Registry, RuleRow,
    SuccessionRow, UnitRow,
};
use tonghop_core::words::Words;

use crate::registry as pb;

struct Problems(Vec<Problem>);

impl Problems {
    fn take<T>(&mut self, table: &'static str, key: &str, read: Result<T, Words>) -> Option<T> {
        read.map_err(|message| self.0.push(Problem { table, key: key.to_owned(), message })).ok()
    }
}

fn day(text: &str) -> Result<Option<Date>, Words> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        Words::of(
            format!("{text:?} không phải là một ngày như 2025-07-01"),
            format!("{text:?} is not a day as 2025-07-01"),
        )
    })
}

fn one_of<T: Copy>(what: &str, text: &str, known: &[(&str, T)]) -> Result<T, Words> {
    known.iter().find(|(code, _)| *code == text).map(|(_, value)| *value).ok_or_else(|| {
        let codes: Vec<_> = known.iter().map(|(code, _)| *code).collect();
        let codes = codes.join(", ");
        Words::of(
            format!("{what} {text:?} không thuộc {codes}"),
            format!("{what} {text:?} is not one of {codes}"),
        )
    })
}

fn small<T: TryFrom<u32>>(what: impl Display, number: u32) -> Result<T, Words> {
    T::try_from(number)
        .map_err(|_| Words::of(format!("{what} {number} quá lớn"), format!("{what} {number} is too large")))
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
/// Sensitivities by code.
pub const SENSITIVITIES: [(&str, Sensitivity); 2] =
    [("public", Sensitivity::Public), ("internal", Sensitivity::Internal)];

/// Reads a registry into the core's draft.
///
/// # Errors
/// Every cell that cannot be read. Whether what was read fits together is for
/// [`Registry::build`](tonghop_core::registry::Registry::build) to say.
pub fn draft(from: pb::Registry) -> Result<Draft, Vec<Problem>> {
    let mut problems = Problems(Vec::new());
    let mut draft = tables(&mut problems, from.levels, from.units, from.successions);
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
    for row in from.plausibility {
        let severity = one_of("severity", &row.severity, &Severity::BY_CODE);
        let Some(severity) = problems.take("plausibility", &row.code, severity) else { continue };
        draft.plausibility.push(RuleRow { code: row.code, expression: row.expression, severity });
    }
    draft.regimes = from.regimes.into_iter().filter_map(|row| regime(&mut problems, row)).collect();
    if problems.0.is_empty() { Ok(draft) } else { Err(problems.0) }
}

/// The tables of the map.
fn tables(
    problems: &mut Problems,
    levels: Vec<pb::Level>,
    units: Vec<pb::Unit>,
    successions: Vec<pb::Succession>,
) -> Draft {
    let mut draft = Draft { levels: level_names(levels), ..Draft::default() };
    for unit in units {
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
    draft.successions = successions.into_iter().filter_map(|link| succession(problems, link)).collect();
    draft
}

fn level_names(levels: Vec<pb::Level>) -> Vec<LevelName> {
    levels.into_iter().map(|l| LevelName { code: l.code, name_vi: l.name_vi }).collect()
}

fn needed_day(text: &str) -> Result<Date, Words> {
    day(text).and_then(|d| d.ok_or_else(|| Words::of("ngày bị bỏ trống", "the date is empty")))
}

fn succession(problems: &mut Problems, link: pb::Succession) -> Option<SuccessionRow> {
    let key = format!("{}>{}", link.from_code, link.to_code);
    let day = problems.take("successions", &key, needed_day(&link.date))?;
    let (from, to) = (link.from_code, link.to_code);
    Some(SuccessionRow { day, from, to, share: link.share_millionths, basis: link.basis })
}

fn reform(from: pb::Reform) -> Result<Reform, Vec<Problem>> {
    let mut problems = Problems(Vec::new());
    let change = |problems: &mut Problems, row: pb::Change| {
        let day = problems.take("changes", &row.code, needed_day(&row.date));
        let act = problems.take("changes", &row.code, one_of("change", &row.change, &Act::BY_CODE));
        let (day, act) = (day?, act?);
        let (code, level, name) = (row.code, row.level, row.name);
        Some(ChangeRow { day, act, code, level, name, kind: row.kind, parent: row.parent_code })
    };
    let reform = Reform {
        levels: level_names(from.levels),
        changes: from.changes.into_iter().filter_map(|row| change(&mut problems, row)).collect(),
        successions: from.successions.into_iter().filter_map(|s| succession(&mut problems, s)).collect(),
    };
    if problems.0.is_empty() { Ok(reform) } else { Err(problems.0) }
}

/// Puts a reform on a registry, both on the wire. What is given back are successions of later days that no
/// longer have a unit to lead away from, and are left out.
///
/// # Errors
/// Every row that cannot be read, or put on the registry's tables.
pub fn put_on(registry: &mut pb::Registry, from: pb::Reform) -> Result<Vec<pb::Succession>, Vec<Problem>> {
    let reform = reform(from)?;
    let mut problems = Problems(Vec::new());
    let (levels, units) = (std::mem::take(&mut registry.levels), std::mem::take(&mut registry.units));
    let mut map = tables(&mut problems, levels, units, std::mem::take(&mut registry.successions));
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    let dropped = reform.put_on(&mut map)?;
    let text = |day: Option<Date>| day.map(|d| d.to_string()).unwrap_or_default();
    registry.levels =
        map.levels.into_iter().map(|l| pb::Level { code: l.code, name_vi: l.name_vi }).collect();
    let unit = |row: UnitRow| pb::Unit {
        code: row.code,
        level: row.level,
        name: row.name,
        kind: row.kind,
        parent_code: row.parent.unwrap_or_default(),
        valid_from: text(row.valid_from),
        valid_to: text(row.valid_to),
    };
    registry.units = map.units.into_iter().map(unit).collect();
    let link = |row: SuccessionRow| pb::Succession {
        date: row.day.to_string(),
        from_code: row.from,
        to_code: row.to,
        share_millionths: row.share,
        basis: row.basis,
    };
    registry.successions = map.successions.into_iter().map(link).collect();
    Ok(dropped.into_iter().map(link).collect())
}

fn indicator(problems: &mut Problems, row: pb::Indicator) -> Option<IndicatorRow> {
    let code = row.code.clone();
    let table = "indicators";
    let frequency = problems.take(table, &code, one_of("frequency", &row.frequency, &FREQUENCIES));
    let overlap = problems.take(table, &code, one_of("reporter_overlap", &row.reporter_overlap, &OVERLAPS));
    let precedence = problems.take(table, &code, one_of("precedence", &row.precedence, &PRECEDENCES));
    let aggregable = problems.take(table, &code, one_of("aggregable", &row.aggregable, &AGGREGABLES));
    let sensitivity = match row.sensitivity.as_str() {
        // What was written before there was a difference.
        "" => Some(Sensitivity::Public),
        named => problems.take(table, &code, one_of("sensitivity", named, &SENSITIVITIES)),
    };
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
        sensitivity: sensitivity?,
    })
}

fn regime(problems: &mut Problems, row: pb::Regime) -> Option<RegimeRow> {
    let table = "regimes";
    let frequency = problems.take(table, &row.code, one_of("frequency", &row.frequency, &FREQUENCIES));
    let valid_from = problems.take(table, &row.code, day(&row.valid_from));
    let valid_to = problems.take(table, &row.code, day(&row.valid_to));
    let mut deadlines = Vec::with_capacity(row.deadlines.len());
    for deadline in row.deadlines {
        let days = problems.take(table, &row.code, small("the deadline", deadline.days))?;
        deadlines.push((deadline.level, days));
    }
    Some(RegimeRow {
        code: row.code,
        name_vi: row.name_vi,
        name_en: row.name_en,
        programme: row.programme,
        indicators: row.indicators,
        level: row.level,
        frequency: frequency?,
        calendar: row.calendar,
        valid_from: valid_from?,
        valid_to: valid_to?,
        approvals: row.approvals,
        deadlines,
        source: row.source,
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
