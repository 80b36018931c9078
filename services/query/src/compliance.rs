//! Who owes a report, by when, and what became of it: what an operator sends reminders from.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use tonghop_access::{Caller, Role};
use tonghop_core::Date;
use tonghop_core::calendar::day_number;
use tonghop_core::dimension::Breakdown;
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::period::Period;
use tonghop_core::question::{frequency_in_vietnamese, frequency_name};
use tonghop_core::regime::{Regime, State};
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::{Level, UnitId};
use tonghop_proto::query as pb;
use tonghop_reports::{Event, Reports};
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::TileSelect;
use tonghop_tiles::Said;

use crate::cursor::{self, Cursor};
use crate::moment::When;
use crate::read::read_tile;
use crate::{Query, View, ask, store_failure, view};

/// Days are those of Việt Nam.
const HOURS: i8 = 7;
/// Series whose tiles are read at once.
const SERIES_AT_ONCE: usize = 100;
/// What a unit that reports can be in, and one that approves.
const OF_REPORTS: [&str; 6] = ["due", "late", "returned", "submitted", "approved", "published"];
const OF_APPROVALS: [&str; 4] = ["due", "late", "waiting", "done"];

/// What is asked: whose part in which reports, and on which day.
struct Asked {
    regime: Arc<Regime>,
    period: Period,
    /// The period's last day.
    day: Date,
    below: UnitId,
    /// Whose part.
    level: Level,
    /// The day on which days are counted.
    on: Date,
}

impl Query {
    /// Says what every unit owes. `now` says which day it is.
    ///
    /// # Errors
    /// What is wrong with the request; that the caller has nothing to do with the unit.
    pub async fn compliance(
        &self,
        caller: &Caller,
        request: &pb::GetComplianceRequest,
        now: Timestamp,
    ) -> Result<pb::GetComplianceResponse, Failure> {
        if !Role::ALL.iter().any(|role| caller.has(*role)) {
            return Err(caller.lacks(Role::ReadInternal));
        }
        let words = [&request.regime, &request.period, &request.unit, &request.level, &request.state];
        let cursor = Cursor::read(&request.page_token, &words.map(String::as_str))?;
        let when = When { at_least: request.at_least, pinned: cursor.pinned, ..When::default() };
        let view = self.view(caller, when).await?;
        let on = now.to_zoned(TimeZone::fixed(offset(HOURS))).date();
        let asked = Asked::read(&view.registry, caller, request, on)?;
        let reports = view.reports.up_to(&view.snapshot).await?;
        let reported = asked.level == asked.regime.level;
        let states: &[&str] = if reported { &OF_REPORTS } else { &OF_APPROVALS };
        known_state(&request.state, states)?;
        let all = match reported {
            true => asked.of_reports(&view.registry, &reports, view.position()),
            false => asked.of_approvals(&view.registry, &reports, view.position()),
        };
        let mut counts: BTreeMap<&str, u64> = states.iter().map(|state| (*state, 0)).collect();
        for (_, owed) in &all {
            if let Some(count) = counts.get_mut(owed.state.as_str()) {
                *count += 1;
            }
        }
        let wanted =
            |(_, owed): &(UnitId, pb::Compliance)| request.state.is_empty() || owed.state == request.state;
        let mut rows: Vec<(UnitId, pb::Compliance)> = all.into_iter().filter(wanted).collect();
        let count = rows.len();
        let end = count.min(cursor.start.saturating_add(cursor::size(request.page_size)));
        rows = rows.drain(cursor.start.min(end)..end).collect();
        if reported {
            view.count_indicators(&asked, &mut rows).await?;
        }
        let count_of =
            |state: &&str| pb::ComplianceCount { state: (*state).to_owned(), units: counts[*state] };
        Ok(pb::GetComplianceResponse {
            as_of: Some(view.as_of()),
            on: on.to_string(),
            due: asked.due(asked.level).map(|day| day.to_string()).unwrap_or_default(),
            counts: states.iter().map(count_of).collect(),
            units: rows.into_iter().map(|(_, owed)| owed).collect(),
            next_page_token: cursor.next(view.position(), end, count),
            count: count as u64,
        })
    }
}

impl Asked {
    fn read(
        registry: &Registry,
        caller: &Caller,
        request: &pb::GetComplianceRequest,
        on: Date,
    ) -> Result<Asked, Failure> {
        let (regime, period) = regime_and_period(registry, &request.regime, &request.period)?;
        let day = regime.calendar.last_day(period);
        let below = match request.unit.as_str() {
            "" => registry.nation(),
            code => unit(registry, caller, code, day)?,
        };
        if !caller.grant().covers(registry, below, day) {
            return Err(caller.out_of_reach(Role::ReadInternal));
        }
        let level = match request.level.as_str() {
            "" => regime.level,
            code => ask::level(registry, code)?,
        };
        if level != regime.level && !regime.approvals.contains(&level) {
            let part = std::iter::once(&regime.level).chain(&regime.approvals);
            let part: Vec<&str> = part.map(|level| registry.level_code(*level)).collect();
            return Err(ask::finding(
                FailureKind::Unprocessable,
                "no_part_in_regime",
                "level",
                &request.level,
                Text::of(format!("một trong: {}", part.join(", ")), format!("one of {}", part.join(", "))),
                Text::of(
                    "chỉ cấp báo cáo và các cấp duyệt theo chế độ này mới có phần việc",
                    "only who reports and who approves under the regime owes anything",
                ),
            ));
        }
        Ok(Asked { regime, period, day, below, level, on })
    }

    fn due(&self, level: Level) -> Option<Date> {
        self.regime.due(level, self.period)
    }

    /// Days after a day; before it they are negative.
    fn days_after(&self, due: Date) -> i32 {
        day_number(self.on) - day_number(due)
    }

    /// Every unit that reports, with what became of its report.
    fn of_reports(
        &self,
        registry: &Registry,
        reports: &Reports,
        up_to: i64,
    ) -> Vec<(UnitId, pb::Compliance)> {
        let units = self.regime.reporters(registry, self.below, self.day).into_iter();
        let row = |unit: UnitId| {
            let known = registry.unit(unit);
            let last = reports.history(&self.regime.code, self.period, &known.code, up_to).last();
            let state = state(registry, last);
            let awaited = match state {
                State::Open | State::Returned => Some(known.level),
                _ => state.awaits(&self.regime.course(registry, unit, self.period)),
            };
            // Of an island district it is the deadline of those that report.
            let part = |level: Level| if level == known.level { self.regime.level } else { level };
            let due = awaited.and_then(|level| self.due(part(level)));
            let shown = match state {
                State::Open if due.is_some_and(|due| self.days_after(due) > 0) => "late",
                State::Open => "due",
                other => other.code(),
            };
            let owed = pb::Compliance {
                unit: Some(view::unit_ref(registry, unit, self.day)),
                state: shown.to_owned(),
                days_late: due.map(|due| self.days_after(due)),
                awaits: awaited.map(|level| registry.level_code(level).to_owned()).unwrap_or_default(),
                due: due.map(|due| due.to_string()).unwrap_or_default(),
                ..said(last)
            };
            (unit, owed)
        };
        units.map(row).collect()
    }

    /// Every unit that approves, with how many reports wait for it.
    fn of_approvals(
        &self,
        registry: &Registry,
        reports: &Reports,
        up_to: i64,
    ) -> Vec<(UnitId, pb::Compliance)> {
        let due = self.due(self.level);
        let row = |unit: UnitId| {
            let (mut all, mut waiting, mut approved) = (0, 0, 0);
            for reporter in self.regime.reporters(registry, unit, self.day) {
                let course = self.regime.course(registry, reporter, self.period);
                if !course.steps.contains(&self.level) {
                    continue;
                }
                let code = &registry.unit(reporter).code;
                let last = reports.history(&self.regime.code, self.period, code, up_to).last();
                let state = state(registry, last);
                all += 1;
                waiting += u32::from(state.awaits(&course) == Some(self.level));
                approved += u32::from(match state {
                    State::Published => true,
                    State::Approved(by) => by <= self.level,
                    State::Open | State::Returned | State::Submitted => false,
                });
            }
            let is_late = due.is_some_and(|due| self.days_after(due) > 0);
            let state = match (waiting, approved == all) {
                (0, true) => "done",
                (0, false) => "waiting",
                _ if is_late => "late",
                _ => "due",
            };
            let owed = pb::Compliance {
                unit: Some(view::unit_ref(registry, unit, self.day)),
                state: state.to_owned(),
                days_late: due.filter(|_| waiting > 0).map(|due| self.days_after(due)),
                awaits: if waiting > 0 { registry.level_code(self.level).to_owned() } else { String::new() },
                due: due.map(|due| due.to_string()).unwrap_or_default(),
                reports: all,
                waiting,
                approved,
                ..pb::Compliance::default()
            };
            (unit, owed)
        };
        // Who has nobody below that reports to them owes nothing.
        of_level(registry, self.below, self.level, self.day)
            .into_iter()
            .map(row)
            .filter(|(_, o)| o.reports > 0)
            .collect()
    }
}

fn state(registry: &Registry, last: Option<&Event>) -> State {
    last.and_then(|event| event.stated.state(registry)).unwrap_or_default()
}

/// Since when it is so, who did it and why.
fn said(last: Option<&Event>) -> pb::Compliance {
    last.map_or_else(pb::Compliance::default, |event| pb::Compliance {
        since: event.at.to_string(),
        by: event.by.to_string(),
        reason: event.reason.to_string(),
        ..pb::Compliance::default()
    })
}

/// Units of a level at or below a unit, in the order of the tree.
fn of_level(registry: &Registry, below: UnitId, level: Level, day: Date) -> Vec<UnitId> {
    let map = registry.map_on(day);
    let (mut out, mut stack) = (vec![], vec![below]);
    while let Some(unit) = stack.pop() {
        match registry.unit(unit).level.cmp(&level) {
            std::cmp::Ordering::Equal => out.push(unit),
            std::cmp::Ordering::Less => stack.extend(map.children(unit).iter().rev()),
            std::cmp::Ordering::Greater => {}
        }
    }
    out
}

impl View {
    /// Says of each unit of how many indicators of the regime it has figures in the period, of how many it could.
    async fn count_indicators(
        &self,
        asked: &Asked,
        rows: &mut [(UnitId, pb::Compliance)],
    ) -> Result<(), Failure> {
        let registry = &self.registry;
        let reported = |indicator: &&Arc<Indicator>| {
            let is_reported = !matches!(indicator.kind, Kind::Ratio(_)) && indicator.in_force(asked.period);
            is_reported && self.sight.has_any(indicator)
        };
        let named = asked.regime.indicators.iter().filter_map(|code| registry.indicator(code));
        let indicators: Vec<&Arc<Indicator>> = named.filter(reported).collect();
        let units: HashSet<UnitId> = rows.iter().map(|(unit, _)| *unit).collect();
        let keepers: BTreeSet<String> =
            units.iter().map(|unit| registry.unit(registry.keeper(*unit, asked.day)).key()).collect();
        let (first, last) = asked.regime.calendar.days(asked.period);
        let (mut by_series, limit) = (HashMap::new(), self.moment.limit());
        for (at, indicator) in indicators.iter().enumerate() {
            let all = self.series_of(indicator, &Breakdown::default());
            by_series.extend(all.into_iter().map(|series| (series, at)));
        }
        let mut found: HashSet<(UnitId, usize)> = HashSet::new();
        let all: Vec<String> = by_series.keys().cloned().collect();
        for series in all.chunks(SERIES_AT_ONCE).filter(|_| !units.is_empty()) {
            let select = TileSelect::Within {
                series: series.to_vec(),
                keepers: (!self.moment.is_moved()).then(|| keepers.iter().cloned().collect()),
                ends: vec![(day_number(first), day_number(last))],
            };
            for tile in self.snapshot.tiles(select).await.map_err(store_failure)? {
                let (_, period, body) = read_tile(&tile)?;
                let Some(at) = by_series.get(&tile.key.series) else { continue };
                if indicators[*at].calendar.first_day(period) < first {
                    continue;
                }
                let day = indicators[*at].calendar.last_day(period);
                let is_seen = self.sight.figures_of(indicators[*at]);
                for entry in body.entries() {
                    let Some(unit) = self.moment.unit(registry, entry.unit, day) else { continue };
                    let stands = entry.as_of(limit).is_some_and(|revision| revision.said != Said::Withdrawn);
                    if stands && units.contains(&unit) && is_seen(unit, day) {
                        found.insert((unit, *at));
                    }
                }
            }
        }
        for (unit, owed) in rows {
            let level = registry.unit(*unit).level;
            let could = |indicator: &&&Arc<Indicator>| level <= indicator.collection_level;
            owed.indicators = u32::try_from(indicators.iter().filter(could).count()).unwrap_or(u32::MAX);
            let has = (0..indicators.len()).filter(|at| found.contains(&(*unit, *at)));
            owed.indicators_reported = u32::try_from(has.count()).unwrap_or(u32::MAX);
        }
        Ok(())
    }
}

fn known_state(state: &str, states: &[&str]) -> Result<(), Failure> {
    if state.is_empty() || states.contains(&state) {
        return Ok(());
    }
    ask::bounded("state", state)?;
    let known = states.join(", ");
    let expected = Text::of(format!("một trong: {known}"), format!("one of {known}"));
    let hint = Text::of("bỏ trống để lấy tất cả", "leave it out for all");
    Err(ask::finding(FailureKind::NotUnderstood, "unknown_state", "state", state, expected, hint))
}

fn regime_and_period(
    registry: &Registry,
    code: &str,
    period: &str,
) -> Result<(Arc<Regime>, Period), Failure> {
    ask::bounded("regime", code)?;
    let Some(regime) = registry.regime(code) else {
        let expected = Text::of("mã của một chế độ báo cáo", "the code of a reporting regime");
        let hint = ask::listed("/v1/regimes");
        return Err(ask::finding(FailureKind::NotFound, "unknown_regime", "regime", code, expected, hint));
    };
    let read = ask::period(period)?;
    if !regime.takes(read) || !regime.in_force(read) {
        let (vi, en) = (frequency_in_vietnamese(regime.frequency), frequency_name(regime.frequency));
        let code = &regime.code;
        return Err(ask::finding(
            FailureKind::Unprocessable,
            "not_a_period_of_regime",
            "period",
            period,
            Text::of(
                format!("một {vi} trong thời gian hiệu lực của {code}"),
                format!("a {en} in which the regime {code} is in force"),
            ),
            Text::of(
                "GET /v1/regimes cho biết kỳ báo cáo và thời gian hiệu lực",
                "GET /v1/regimes says how often it is reported, and from when to when",
            ),
        ));
    }
    Ok((Arc::clone(regime), read))
}

/// A unit by its code on a day. Of codes that the caller's grant does not reach none is told apart from another.
fn unit(registry: &Registry, caller: &Caller, code: &str, day: Date) -> Result<UnitId, Failure> {
    ask::bounded("unit", code)?;
    let found = caller.grant().within(registry, registry.unit_on(code, day), day);
    match found.ok_or_else(|| caller.out_of_reach(Role::ReadInternal))? {
        UnitLookup::Found(unit) => Ok(unit),
        UnitLookup::OtherTime(ids) => {
            let expected = Text::of(
                format!("đơn vị có hiệu lực vào ngày {day}, ngày cuối kỳ"),
                format!("a unit in force on {day}, the period's last day"),
            );
            let hint = ask::text(registry.code_at_other_times(&ids, day));
            Err(ask::finding(FailureKind::Unprocessable, "unit_not_in_force", "unit", code, expected, hint))
        }
        UnitLookup::Unknown => {
            let hint = ask::listed("/v1/units");
            Err(ask::finding(FailureKind::NotFound, "unknown_unit", "unit", code, ask::code_of_unit(), hint))
        }
    }
}
