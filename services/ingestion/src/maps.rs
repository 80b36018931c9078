//! Units and maps asked for: who is on the map of a day, what is different between two days, and what one unit
//! was and became. A code means nothing without a day, so every question has one.

use jiff::tz::{TimeZone, offset};
use tonghop_core::Date;
use tonghop_core::registry::{Change, LevelCounts, Part, Registry, Share, UnitChange, UnitLookup};
use tonghop_core::unit::{Level, Stage, Unit, UnitId};
use tonghop_proto::registry as pb;
use tonghop_runtime::{Failure, FailureKind, Got, Text};

use crate::check::unit::{code_of_unit, in_force_on};
use crate::finding::{Code, Spot, finding, one_of, text};
use crate::registry_grpc::page;
use crate::service::Ingestion;

/// The longest code that is looked up.
const LONGEST_CODE: usize = 64;
/// How many other units of a code a history names.
const MOST_SAME_CODE: usize = 100;

fn wrong(
    kind: FailureKind,
    code: Code,
    path: &str,
    got: impl Into<Got>,
    expected: Text,
    hint: Text,
) -> Failure {
    Failure::of(kind, finding(code, Spot::path(path), got, expected, hint))
}

fn day(path: &str, text: &str) -> Result<Date, Failure> {
    text.parse().ok().filter(|_| text.len() == 10).ok_or_else(|| {
        let expected = Text::of("một ngày, ví dụ 2025-07-01", "a day, as 2025-07-01");
        let hint = Text::of("ghi ngày theo dạng năm-tháng-ngày", "write the day as year-month-day");
        wrong(FailureKind::NotUnderstood, Code::MalformedDate, path, text, expected, hint)
    })
}

fn level(registry: &Registry, text: &str) -> Result<Option<Level>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let known: Vec<&str> = registry.levels().iter().map(|l| l.code.as_str()).collect();
    let at = known.iter().position(|code| *code == text);
    at.and_then(|at| u8::try_from(at).ok()).map(|at| Some(Level(at))).ok_or_else(|| {
        let hint = Text::of("bỏ trống để lấy mọi cấp", "leave it out for all levels");
        wrong(FailureKind::NotFound, Code::UnknownLevel, "level", text, one_of(&known), hint)
    })
}

/// The unit that carries a code on a day.
fn unit_on(registry: &Registry, path: &str, code: &str, day: Date) -> Result<UnitId, Failure> {
    match known(registry, path, code, day)? {
        UnitLookup::Found(unit) => Ok(unit),
        UnitLookup::OtherTime(units) => Err(not_in_force(registry, path, code, day, &units)),
        UnitLookup::Unknown => Err(unknown_unit(path, code)),
    }
}

fn known(registry: &Registry, path: &str, code: &str, day: Date) -> Result<UnitLookup, Failure> {
    if code.len() > LONGEST_CODE {
        let expected =
            Text::of(format!("nhiều nhất {LONGEST_CODE} byte"), format!("at most {LONGEST_CODE} bytes"));
        let hint = Text::of("chỉ ghi mã", "write the code alone");
        return Err(wrong(FailureKind::NotUnderstood, Code::TextTooLong, path, code, expected, hint));
    }
    Ok(registry.unit_on(code, day))
}

fn not_in_force(registry: &Registry, path: &str, code: &str, day: Date, units: &[UnitId]) -> Failure {
    let told = text(registry.code_at_other_times(units, day));
    wrong(FailureKind::Unprocessable, Code::UnitNotInForce, path, code, in_force_on(day), told)
}

fn unknown_unit(path: &str, code: &str) -> Failure {
    let hint =
        Text::of("GET /v1/units liệt kê các đơn vị của một ngày", "GET /v1/units lists the units of a day");
    wrong(FailureKind::NotFound, Code::UnknownUnit, path, code, code_of_unit(), hint)
}

fn date(day: Date) -> String {
    if day == Date::MIN || day == Date::MAX { String::new() } else { day.to_string() }
}

fn as_stage(registry: &Registry, unit: &Unit, stage: &Stage) -> pb::Unit {
    pb::Unit {
        code: unit.code.clone(),
        level: registry.level_code(unit.level).to_owned(),
        name: stage.name.clone(),
        kind: stage.kind.clone(),
        parent_code: unit.parent.map(|p| registry.unit(p).code.clone()).unwrap_or_default(),
        valid_from: date(stage.from),
        valid_to: date(stage.to),
    }
}

/// A unit as it was on a day of its life.
pub(crate) fn as_on(registry: &Registry, unit: UnitId, day: Date) -> pb::Unit {
    let unit = registry.unit(unit);
    let stage = unit.stage(day).or(unit.stages.last());
    stage.map(|stage| as_stage(registry, unit, stage)).unwrap_or_default()
}

fn share(share: Option<Share>) -> String {
    share.map(|s| s.to_string()).unwrap_or_default()
}

/// A change between two days on the wire.
pub(crate) fn unit_change(registry: &Registry, change: &UnitChange, from: Date, to: Date) -> pb::UnitChange {
    let (own, other) = if change.change == Change::Began { (to, from) } else { (from, to) };
    let stayed = matches!(change.change, Change::Renamed | Change::Redrawn);
    let parts = |parts: &[Part], day: Date| {
        let part = |part: &Part| pb::UnitPart {
            unit: Some(as_on(registry, part.unit, day)),
            share: share(part.share),
            ..pb::UnitPart::default()
        };
        parts.iter().map(part).collect()
    };
    pb::UnitChange {
        change: change.change.code().to_owned(),
        unit: Some(as_on(registry, change.unit, own)),
        now: stayed.then(|| as_on(registry, change.unit, to)),
        became: parts(&change.became, to),
        made_of: parts(&change.made_of, from),
        same_code: change.same_code.map(|u| as_on(registry, u, other)),
    }
}

/// Counts of a level on the wire.
pub(crate) fn level_change(registry: &Registry, level: Level, counts: &LevelCounts) -> pb::LevelChange {
    pb::LevelChange {
        level: registry.level_code(level).to_owned(),
        before: counts.before,
        after: counts.after,
        unchanged: counts.unchanged,
        renamed: counts.of(Change::Renamed),
        redrawn: counts.of(Change::Redrawn),
        went_on: counts.of(Change::WentOn),
        ended: counts.of(Change::Ended),
        began: counts.of(Change::Began),
        divided: counts.divided,
        codes_reused: counts.codes_reused,
    }
}

impl Ingestion {
    /// The day that it is in Việt Nam.
    fn today(&self) -> Date {
        (self.now)().to_zoned(TimeZone::fixed(offset(7))).date()
    }

    fn day_or_today(&self, path: &str, text: &str) -> Result<Date, Failure> {
        if text.is_empty() { Ok(self.today()) } else { day(path, text) }
    }

    /// Units on the map of a day as they were then, in order of level and code: all of them, those of a level,
    /// those directly below a unit; or every stage of every unit that ever carried a code.
    ///
    /// # Errors
    /// What is wrong with the request; a code of another time is refused with the one that is meant.
    pub async fn list_units(&self, request: &pb::ListUnitsRequest) -> Result<pb::ListUnitsResponse, Failure> {
        let registry = self.registry().await?;
        let day = self.day_or_today("date", &request.date)?;
        let level = level(&registry, &request.level)?;
        let parent = match request.parent_code.as_str() {
            "" => None,
            code => Some(unit_on(&registry, "parent", code, day)?),
        };
        let at_any_time = request.date.is_empty() && !request.code.is_empty();
        let wanted = match request.code.as_str() {
            "" => None,
            code if at_any_time => match known(&registry, "code", code, day)? {
                UnitLookup::Unknown => return Err(unknown_unit("code", code)),
                _ => None,
            },
            code => Some(unit_on(&registry, "code", code, day)?),
        };
        let all: Vec<(&Unit, &Stage)> = registry
            .units()
            .iter()
            .filter(|u| wanted.is_none_or(|wanted| u.id == wanted))
            .filter(|u| level.is_none_or(|level| u.level == level))
            .filter(|u| parent.is_none_or(|parent| u.parent == Some(parent)))
            .filter(|u| !at_any_time || u.code == request.code)
            .flat_map(|u| u.stages.iter().map(move |s| (u, s)))
            .filter(|(_, s)| at_any_time || (s.from <= day && day < s.to))
            .collect();
        let (units, next_page_token) = page(all, &request.page_token, request.page_size)?;
        let units = units.into_iter().map(|(unit, stage)| as_stage(&registry, unit, stage)).collect();
        Ok(pb::ListUnitsResponse { units, next_page_token })
    }

    /// What is different between the maps of two days.
    ///
    /// # Errors
    /// What is wrong with the request; a code that is no unit's on either day is refused with the one meant.
    pub async fn diff_maps(&self, request: &pb::DiffMapsRequest) -> Result<pb::DiffMapsResponse, Failure> {
        let registry = self.registry().await?;
        if request.from.is_empty() {
            let expected = Text::of("một ngày, ví dụ 2025-06-30", "a day, as 2025-06-30");
            let hint = Text::of("nêu ngày sớm hơn", "give the earlier day");
            let (kind, got) = (FailureKind::NotUnderstood, Got::nothing());
            return Err(wrong(kind, Code::MissingField, "from", got, expected, hint));
        }
        let from = day("from", &request.from)?;
        let to = self.day_or_today("to", &request.to)?;
        if to < from {
            let (kind, code) = (FailureKind::Unprocessable, Code::DatesOutOfOrder);
            let expected =
                Text::of(format!("một ngày không trước {from}"), format!("a day that is not before {from}"));
            let hint = Text::of(
                "ngày sớm hơn ghi ở from, ngày muộn hơn ghi ở to",
                "give the earlier day as from and the later as to",
            );
            return Err(wrong(kind, code, "to", to.to_string(), expected, hint));
        }
        let level = level(&registry, &request.level)?;
        if !request.code.is_empty() {
            match (known(&registry, "unit", &request.code, from)?, registry.unit_on(&request.code, to)) {
                (UnitLookup::Unknown, _) => return Err(unknown_unit("unit", &request.code)),
                (UnitLookup::OtherTime(units), UnitLookup::OtherTime(_)) => {
                    return Err(not_in_force(&registry, "unit", &request.code, to, &units));
                }
                _ => {}
            }
        }
        let diff = registry.map_diff(from, to);
        let unit = |change: &UnitChange| registry.unit(change.unit);
        let asked = |c: &UnitChange| {
            level.is_none_or(|level| unit(c).level == level)
                && (request.code.is_empty() || unit(c).code == request.code)
        };
        let changes = diff.changes.into_iter().filter(asked).collect();
        let (changes, next_page_token) = page(changes, &request.page_token, request.page_size)?;
        Ok(pb::DiffMapsResponse {
            from: from.to_string(),
            to: to.to_string(),
            levels: diff.levels.iter().map(|(level, c)| level_change(&registry, *level, c)).collect(),
            units: changes.iter().map(|c| unit_change(&registry, c, from, to)).collect(),
            next_page_token,
        })
    }

    /// What a unit was called, what it was made of and what became of it, and who else carried its code.
    ///
    /// # Errors
    /// Where the code is no unit's on the day, with the one that is meant.
    pub async fn unit_history(
        &self,
        request: &pb::GetUnitHistoryRequest,
    ) -> Result<pb::GetUnitHistoryResponse, Failure> {
        let registry = self.registry().await?;
        let day = self.day_or_today("date", &request.date)?;
        let id = unit_on(&registry, "code", &request.code, day)?;
        let unit = registry.unit(id);
        let part = |unit: UnitId, on: Date, link: &tonghop_core::unit::Succession| pb::UnitPart {
            unit: Some(as_on(&registry, unit, on)),
            share: Share::of_millionths(link.share).to_string(),
            date: link.day.to_string(),
            basis: link.basis.clone(),
        };
        let the_day_before = |day: Date| day.yesterday().unwrap_or(day);
        let others = registry.units().iter().filter(|u| u.code == unit.code && u.id != id);
        Ok(pb::GetUnitHistoryResponse {
            unit: Some(as_on(&registry, id, day)),
            stages: unit.stages.iter().map(|s| as_stage(&registry, unit, s)).collect(),
            made_of: registry.predecessors(id).map(|s| part(s.from, the_day_before(s.day), s)).collect(),
            became: registry.successors(id).map(|s| part(s.to, s.day, s)).collect(),
            same_code: others
                .flat_map(|u| u.stages.iter().map(|s| as_stage(&registry, u, s)))
                .take(MOST_SAME_CODE)
                .collect(),
        })
    }
}
