//! Reports and what became of them as JSON.

use serde_json::{Value, json};

use super::{as_of, some, unit};
use crate::ingestion::{Closing, ListReportsResponse, Report, ReportCount, ReportEvent};
use crate::query::{Compliance, GetComplianceResponse};

/// Where an act led, and with how many.
pub fn count(count: &ReportCount) -> Value {
    json!({"state": count.state, "level": some(&count.level), "units": count.units})
}

/// A page of reports.
pub fn reports(answer: &ListReportsResponse) -> Value {
    json!({
        "position": answer.position,
        "reports": answer.reports.iter().map(report).collect::<Vec<_>>(),
        "closings": answer.closings.iter().map(closing).collect::<Vec<_>>(),
        "count": answer.count,
        "next": some(&answer.next_page_token),
    })
}

fn report(report: &Report) -> Value {
    let mut out = json!({
        "unit": {"code": report.unit, "name": report.name, "level": report.level},
        "state": report.state,
        "approved_by": some(&report.approved_by),
        "awaits": some(&report.awaits),
        "since": some(&report.since),
        "position": Some(report.position).filter(|position| *position > 0),
        "by": some(&report.by),
        "reason": some(&report.reason),
    });
    if !report.history.is_empty() {
        out["history"] = report.history.iter().map(event).collect();
    }
    out
}

fn event(event: &ReportEvent) -> Value {
    json!({
        "state": event.state, "approved_by": some(&event.approved_by), "at": event.at,
        "position": event.position, "by": some(&event.by), "reason": some(&event.reason),
    })
}

fn closing(closing: &Closing) -> Value {
    json!({
        "unit": closing.unit, "state": closing.state, "at": closing.at, "position": closing.position,
        "by": some(&closing.by), "reason": some(&closing.reason), "until": some(&closing.until),
    })
}

/// Who owes what.
pub fn compliance(answer: &GetComplianceResponse) -> Value {
    let counts = answer.counts.iter().map(|c| (c.state.clone(), Value::from(c.units)));
    json!({
        "as_of": as_of(answer.as_of.as_ref()),
        "on": answer.on,
        "due": some(&answer.due),
        "counts": Value::Object(counts.collect()),
        "units": answer.units.iter().map(owed).collect::<Vec<_>>(),
        "count": answer.count,
        "next": some(&answer.next_page_token),
    })
}

/// What one unit owes.
pub fn owed(owed: &Compliance) -> Value {
    let mut out = json!({
        "unit": unit(owed.unit.as_ref()),
        "state": owed.state,
        "days_late": owed.days_late,
        "awaits": some(&owed.awaits),
        "due": some(&owed.due),
        "since": some(&owed.since),
        "by": some(&owed.by),
        "reason": some(&owed.reason),
    });
    if owed.reports > 0 {
        out["reports"] = Value::from(owed.reports);
        out["waiting"] = Value::from(owed.waiting);
        out["approved"] = Value::from(owed.approved);
    } else {
        out["indicators_reported"] = Value::from(owed.indicators_reported);
        out["indicators"] = Value::from(owed.indicators);
    }
    out
}
