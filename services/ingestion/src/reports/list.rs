//! Which reports there are, and what became of them.

use tonghop_access::{Caller, Role};
use tonghop_core::regime::State;
use tonghop_core::registry::Registry;
use tonghop_proto::ingestion as pb;
use tonghop_reports::{Closing, Event, Stated};
use tonghop_runtime::{Failure, FailureKind, Text};

use super::asked::{regime_and_period, unit};
use super::wrong;
use crate::finding::{Code, one_of};
use crate::in_force::none_loaded;
use crate::registry_grpc::page;
use crate::service::Ingestion;

const STATES: [&str; 5] = ["open", "returned", "submitted", "approved", "published"];

impl Ingestion {
    /// Lists the reports of a period, in the order of the tree. Whoever has any role for a unit sees those below it.
    ///
    /// # Errors
    /// What is wrong with the request; that the caller has nothing to do with the unit.
    pub async fn list_reports(
        &self,
        caller: &Caller,
        request: &pb::ListReportsRequest,
    ) -> Result<pb::ListReportsResponse, Failure> {
        if !Role::ALL.iter().any(|role| caller.has(*role)) {
            return Err(caller.lacks(Role::ReadInternal));
        }
        let rules = self.known.rules(&self.ledger).await?;
        caller.still(&rules.keys, (self.now)())?;
        let registry = rules.in_force().ok_or_else(none_loaded)?.registry;
        let (regime, period) = regime_and_period(&registry, &request.regime, &request.period)?;
        let day = regime.calendar.last_day(period);
        let below = match request.unit.as_str() {
            "" => registry.nation(),
            code => unit(&registry, caller, Role::ReadInternal, code, day, "unit")?,
        };
        if !caller.grant().covers(&registry, below, day) {
            return Err(caller.out_of_reach(Role::ReadInternal));
        }
        if !request.state.is_empty() && !STATES.contains(&request.state.as_str()) {
            let hint = Text::of("bỏ trống để lấy tất cả", "leave it out for all");
            let (kind, code) = (FailureKind::NotUnderstood, Code::UnknownState);
            return Err(wrong(kind, code, "state", &request.state, one_of(&STATES), hint));
        }
        let mut found = vec![];
        for unit in regime.reporters(&registry, below, day) {
            let code = &registry.unit(unit).code;
            let events = rules.reports.history(&regime.code, period, code, i64::MAX);
            let state = events.last().map_or("open", |last| last.stated.code());
            if request.state.is_empty() || state == request.state {
                found.push((unit, events));
            }
        }
        let count = found.len() as u64;
        let (rows, next_page_token) = page(found, &request.page_token, request.page_size)?;
        let reports = rows.into_iter().map(|(unit, events)| {
            let known = registry.unit(unit);
            let course = regime.course(&registry, unit, period);
            let state = events.last().and_then(|last| last.stated.state(&registry)).unwrap_or_default();
            let name = known.stage(day).map_or_else(|| known.name().to_owned(), |stage| stage.name.clone());
            let history = if request.history { events } else { &[] };
            pb::Report {
                unit: known.code.clone(),
                name,
                level: registry.level_code(known.level).to_owned(),
                awaits: awaits(&registry, state.awaits(&course)),
                history: history.iter().map(event).collect(),
                ..report(state, events.last())
            }
        });
        let reports = reports.collect();
        let closings = rules.reports.closings(&regime.code, period).iter().rev().map(closing).collect();
        Ok(pb::ListReportsResponse { position: rules.position, reports, next_page_token, count, closings })
    }
}

fn awaits(registry: &Registry, level: Option<tonghop_core::unit::Level>) -> String {
    level.map(|level| registry.level_code(level).to_owned()).unwrap_or_default()
}

fn report(state: State, last: Option<&Event>) -> pb::Report {
    let Some(last) = last else {
        return pb::Report { state: state.code().to_owned(), ..pb::Report::default() };
    };
    pb::Report {
        state: last.stated.code().to_owned(),
        approved_by: last.stated.level().to_owned(),
        since: last.at.to_string(),
        position: last.position,
        by: last.by.to_string(),
        reason: last.reason.to_string(),
        ..pb::Report::default()
    }
}

fn event(event: &Event) -> pb::ReportEvent {
    let stated: &Stated = &event.stated;
    pb::ReportEvent {
        state: stated.code().to_owned(),
        approved_by: stated.level().to_owned(),
        at: event.at.to_string(),
        position: event.position,
        by: event.by.to_string(),
        reason: event.reason.to_string(),
    }
}

fn closing(closing: &Closing) -> pb::Closing {
    pb::Closing {
        unit: closing.unit.clone(),
        state: if closing.closes { "closed" } else { "opened" }.to_owned(),
        at: closing.at.to_string(),
        position: closing.position,
        by: closing.by.to_string(),
        reason: closing.reason.to_string(),
        until: closing.until.map(|until| until.to_string()).unwrap_or_default(),
    }
}
