//! From the words of a request to questions.

use std::sync::Arc;

use tonghop_core::Date;
use tonghop_core::dimension::Breakdown;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::{Frequency, Period};
use tonghop_core::question::Refusal;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::{Level, UnitId};
use tonghop_runtime::{Failure, FailureKind, Finding};

use crate::sight::Sight;

/// The longest text taken for a code, period or breakdown.
const LONGEST_TEXT: usize = 512;

/// Refuses a text that is too long to be what it should be.
pub(crate) fn bounded(name: &str, text: &str) -> Result<(), Failure> {
    if text.len() > LONGEST_TEXT {
        return Err(finding(
            FailureKind::NotUnderstood,
            "text_too_long",
            name,
            &format!("{} bytes", text.len()),
            &format!("at most {LONGEST_TEXT}"),
            "shorten it",
        ));
    }
    Ok(())
}

/// A failure with one finding.
pub(crate) fn finding(
    kind: FailureKind,
    code: &str,
    path: &str,
    got: &str,
    expected: &str,
    hint: &str,
) -> Failure {
    let detail = format!("{path}: got {got:?}, expected {expected}");
    Failure::new(kind, detail).with_findings(vec![Finding {
        code: code.into(),
        path: path.into(),
        got: got.into(),
        expected: expected.into(),
        hint: hint.into(),
        ..Finding::default()
    }])
}

/// Reads a period.
pub(crate) fn period(text: &str) -> Result<Period, Failure> {
    bounded("period", text)?;
    if text.is_empty() {
        return Err(required("period"));
    }
    Period::parse(text).map_err(|e| {
        finding(
            FailureKind::NotUnderstood,
            "malformed_period",
            "period",
            text,
            "a period as 2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023 or 2023-05-25",
            &e.to_string(),
        )
    })
}

/// Reads a breakdown.
pub(crate) fn breakdown(text: &str) -> Result<Breakdown, Failure> {
    bounded("breakdown", text)?;
    Breakdown::parse(text).map_err(|part| {
        finding(
            FailureKind::NotUnderstood,
            "malformed_breakdown",
            "breakdown",
            &part,
            "dimension=member pairs separated by |, each dimension once",
            "write it as reporter=cong-an|topic=online-fraud",
        )
    })
}

/// The words of a list, separated by commas; none where nothing stands.
pub(crate) fn list<'a>(name: &str, text: &'a str, most: usize) -> Result<Vec<&'a str>, Failure> {
    if text.is_empty() {
        return Ok(vec![]);
    }
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    if words.len() > most {
        return Err(finding(
            FailureKind::NotUnderstood,
            "too_many",
            name,
            &format!("{} of them", words.len()),
            &format!("at most {most}, separated by commas"),
            "ask in several requests",
        ));
    }
    if let Some(empty) = words.iter().position(|word| word.is_empty()) {
        return Err(finding(
            FailureKind::NotUnderstood,
            "empty_word",
            name,
            text,
            "words separated by single commas",
            &format!("nothing stands at place {}", empty + 1),
        ));
    }
    Ok(words)
}

/// The level of a code.
pub(crate) fn level(registry: &Registry, code: &str) -> Result<Level, Failure> {
    bounded("level", code)?;
    if code.is_empty() {
        return Err(required("level"));
    }
    let at = registry.levels().iter().position(|level| level.code == code);
    at.and_then(|at| u8::try_from(at).ok()).map(Level).ok_or_else(|| {
        let known: Vec<&str> = registry.levels().iter().map(|level| level.code.as_str()).collect();
        finding(
            FailureKind::NotFound,
            "unknown_level",
            "level",
            code,
            &known.join(", "),
            "give the code of a level",
        )
    })
}

fn required(name: &str) -> Failure {
    finding(
        FailureKind::NotUnderstood,
        "missing_parameter",
        name,
        "nothing",
        "a value",
        "give this parameter",
    )
}

/// The indicator of a code, of which whoever asks may see something.
pub(crate) fn indicator(sight: &Sight, code: &str) -> Result<Arc<Indicator>, Failure> {
    let indicator = known_indicator(sight.registry(), code)?;
    sight.may_name(&indicator)?;
    Ok(indicator)
}

/// The indicator of a code, as the catalogue has it: what was reported of it may be for others.
pub(crate) fn known_indicator(registry: &Registry, code: &str) -> Result<Arc<Indicator>, Failure> {
    bounded("indicator", code)?;
    if code.is_empty() {
        return Err(required("indicator"));
    }
    registry.indicator(code).cloned().ok_or_else(|| {
        finding(
            FailureKind::NotFound,
            "unknown_indicator",
            "indicator",
            code,
            "the code of an indicator, or its part before the first hyphen",
            "GET /v1/indicators lists them",
        )
    })
}

/// The unit that a code means for a period of an indicator.
pub(crate) fn unit(
    registry: &Registry,
    indicator: &Indicator,
    code: &str,
    period: Period,
    map: Option<Date>,
) -> Result<UnitId, Failure> {
    bounded("unit", code)?;
    if code.is_empty() {
        return Err(required("unit"));
    }
    let day = map.unwrap_or_else(|| indicator.calendar.last_day(period));
    match registry.unit_on(code, day) {
        UnitLookup::Found(unit) => Ok(unit),
        UnitLookup::OtherTime(ids) => {
            if let Some(level) = map.and_then(|day| level_gone(registry, &ids, day)) {
                return Err(refused(&Refusal::LevelGone { level, day }));
            }
            Err(finding(
                FailureKind::Unprocessable,
                "unit_not_in_force",
                "unit",
                code,
                &match map {
                    None => format!("a unit in force on {day}, the last day of {period}"),
                    Some(_) => format!("a unit in force on {day}, the day of the map asked for"),
                },
                &registry.code_at_other_times(&ids, day),
            ))
        }
        UnitLookup::Unknown => Err(finding(
            FailureKind::NotFound,
            "unknown_unit",
            "unit",
            code,
            "the code of a unit; VN is the nation",
            "GET /v1/units lists them",
        )),
    }
}

/// The level of units none of whose level is in force on a day.
fn level_gone(registry: &Registry, ids: &[UnitId], day: Date) -> Option<String> {
    let levels: Vec<_> = ids.iter().map(|id| registry.unit(*id).level).collect();
    let is_there = |level: Level| registry.units().iter().any(|u| u.level == level && u.in_force(day));
    let gone = levels.iter().all(|level| !is_there(*level));
    levels.first().filter(|_| gone).map(|level| registry.level_code(*level).to_owned())
}

/// The day to whose map totals are restated; none where they are as reported.
pub(crate) fn map(text: &str) -> Result<Option<Date>, Failure> {
    bounded("map", text)?;
    match text {
        "" | "reported" => Ok(None),
        day => day.parse().map(Some).map_err(|_| {
            finding(
                FailureKind::NotUnderstood,
                "malformed_map",
                "map",
                day,
                "reported, or a day as 2025-07-01",
                "reported puts each figure where the map of its own period puts its unit; a day restates to its map",
            )
        }),
    }
}

/// A refusal of the core as a failure.
pub(crate) fn refused(refusal: &Refusal) -> Failure {
    let kind = match refusal {
        Refusal::UnknownIndicator(_) => FailureKind::NotFound,
        _ => FailureKind::Unprocessable,
    };
    let expected = refusal.to_string();
    let (code, path, got, hint) = match refusal {
        Refusal::UnknownIndicator(code) => {
            ("unknown_indicator", "indicator", code.clone(), "GET /v1/indicators lists them".to_owned())
        }
        Refusal::NotItsDimension { dimension, .. } => (
            "not_its_dimension",
            "breakdown",
            dimension.clone(),
            "leave it out, or ask for one of the indicator's own".to_owned(),
        ),
        Refusal::UnknownMember { dimension, member } => (
            "unknown_member",
            "breakdown",
            member.clone(),
            format!("GET /v1/dimensions lists the members of {dimension}"),
        ),
        Refusal::OverlappingReporters { .. } => (
            "overlapping_reporters",
            "breakdown",
            "no reporter".to_owned(),
            "name one side, or ask by=breakdown&dimension=reporter for each side by itself".to_owned(),
        ),
        Refusal::RatioAcrossReporters { .. } => (
            "ratio_across_reporters",
            "breakdown",
            "no reporter".to_owned(),
            "name one side, so that both numbers of the ratio are that side's".to_owned(),
        ),
        Refusal::WrongGrain { period, .. } => (
            "wrong_grain",
            "period",
            period.to_string(),
            "ask for a period no shorter than the collection period; for a day only of a stock".to_owned(),
        ),
        Refusal::NotInForce { day } => (
            "unit_not_in_force",
            "unit",
            format!("a unit not in force on {day}"),
            "ask for the unit that carries the territory on that day".to_owned(),
        ),
        Refusal::LevelGone { level, day } => (
            "not_on_this_map",
            "unit",
            format!("a unit of the level {level}"),
            format!("on the map of {day} ask for the unit that its territory lies in, or ask as reported"),
        ),
        Refusal::MapTooOld { map, last } => (
            "map_older_than_period",
            "map",
            map.to_string(),
            format!("ask for the map of {last} or of a later day, or as reported"),
        ),
        Refusal::BelowCollection { level, .. } => (
            "below_collection_level",
            "unit",
            "a unit below the collection level".to_owned(),
            format!("ask for a unit of the level {level}, or above it"),
        ),
    };
    Failure::new(kind, expected.clone()).with_findings(vec![Finding {
        code: code.into(),
        path: path.into(),
        got,
        expected: expected.into(),
        hint: hint.into(),
        ..Finding::default()
    }])
}

/// As many periods of one length as are asked for, the last of which is given: fewer where there is no earlier one.
pub(crate) fn periods_up_to(last: Period, many: u32) -> Vec<Period> {
    let mut out: Vec<Period> =
        std::iter::successors(Some(last), |period| period.previous()).take(many as usize).collect();
    out.reverse();
    out
}

/// The periods that a longer one is shown by: the years of a span, else its collection periods (months for
/// what is collected by event).
pub(crate) fn periods_within(indicator: &Indicator, period: Period) -> Vec<Period> {
    match period {
        Period::Span(from, to) => (from..=to).map(Period::Year).collect(),
        other => {
            let frequency = match indicator.frequency {
                Frequency::Event => Frequency::Month,
                frequency => frequency,
            };
            other.collection_periods(frequency)
        }
    }
}
