//! What is done with units' reports, and which there are: the operations, the same for both transports.
//!
//! | module | idea |
//! |---|---|
//! | `asked` | a request's words, understood |
//! | `moves` | where an act leads each report |
//! | `periods` | periods closed for figures, and opened again |
//! | `list` | which reports there are |

mod asked;
mod list;
mod moves;
mod periods;

use std::sync::Arc;

use prost::Message;
use serde_json::json;
use tonghop_access::Caller;
use tonghop_proto::ingestion as pb;
use tonghop_proto::ledger::ReportRecord;
use tonghop_runtime::{Failure, FailureKind, Finding, Got, Text, trace};
use tonghop_store::{Appended, Content, EntryKind, NewEntry, Premise, Receipt};
use uuid::Uuid;

use crate::finding::{Code, Findings, Spot, finding};
use crate::in_force::{Rules, none_loaded};
use crate::service::{Ingestion, JSON, check_key};
use crate::writer::failure;
use asked::{Act, Asked};

/// Under which reports are in the ledger. No system pushes figures under it.
pub(crate) const SOURCE: &str = "tonghop-reports";
/// Units named in one request.
const MOST_UNITS: usize = 10_000;
/// The longest reason, in bytes.
const LONGEST_REASON: usize = 1000;
/// How often an act is tried again because something came in between.
const MOST_TRIES: usize = 20;

/// What was done with reports.
#[derive(Debug)]
pub struct Acted {
    /// Of the entry that says so.
    pub receipt: Receipt,
    /// Whether it was done before.
    pub replayed: bool,
    /// Where it led, and with how many units.
    pub states: Vec<pb::ReportCount>,
}

impl Ingestion {
    /// Does one thing with many reports, or with a period: all of it or nothing.
    ///
    /// # Errors
    /// What is wrong with the request; every unit with which it cannot be done, and why; that the caller may not.
    pub async fn act_on_reports(
        &self,
        caller: &Caller,
        request: &pb::ActOnReportsRequest,
    ) -> Result<Acted, Failure> {
        check_key("Idempotency-Key", &request.idempotency_key)?;
        let act = Act::read(request)?;
        act.someone(caller)?;
        let content = Content::new(JSON, document(request));
        let key = key(caller, &request.idempotency_key);
        let known = self.ledger.receipt_by_key(SOURCE, &key).await.map_err(failure)?;
        if let Some(known) = known {
            return self.done_before(known, content.digest()).await;
        }
        let request = Arc::new(request.clone());
        for _ in 0..MOST_TRIES {
            let rules = self.known.rules(&self.ledger).await?;
            caller.still(&rules.keys, (self.now)())?;
            let (under, premise) = (rules.clone(), Premise::Rules(rules.position));
            let (by, asked, now) = (caller.clone(), Arc::clone(&request), (self.now)());
            let record = tokio::task::spawn_blocking(move || record(&under, &by, &asked, now));
            let record = match record.await.map_err(Failure::internal)? {
                Ok(record) => record,
                Err(refusal) => {
                    // What stands in the way may be this very act, done meanwhile through another replica.
                    let known = self.ledger.receipt_by_key(SOURCE, &key).await.map_err(failure)?;
                    return match known {
                        Some(known) => self.done_before(known, content.digest()).await,
                        None => Err(refusal),
                    };
                }
            };
            let states = counts(&record);
            let entry = NewEntry {
                id: Uuid::now_v7(),
                kind: EntryKind::Report,
                source: SOURCE.to_owned(),
                idempotency_key: key.clone(),
                content: content.clone(),
                skeleton: None,
                record: record.encode_to_vec().into(),
                figures: 0,
                received_at: now,
                note: String::new(),
                actor: caller.actor(),
                premise,
                trace_parent: trace::parent(),
            };
            let prepared = self.ledger.prepare(entry).map_err(failure)?;
            match self.writer.append(prepared).await? {
                Appended::New(receipt) => return Ok(Acted { receipt, replayed: false, states }),
                Appended::Replayed(known) | Appended::Conflict(known) => {
                    return self.done_before(known, content.digest()).await;
                }
                // Somebody did something in between, with the same reports perhaps.
                Appended::Outdated => {}
            }
        }
        Err(Failure::new(
            FailureKind::Unavailable,
            Text::of(
                "có quá nhiều thay đổi cùng lúc; hãy gửi lại với cùng khóa",
                "too much is being done with reports at once; try again with the same key",
            ),
        ))
    }

    /// What a key was used for before, where that is the same.
    async fn done_before(&self, known: Receipt, digest: &[u8; 32]) -> Result<Acted, Failure> {
        if known.content_digest != *digest {
            return Err(Failure::new(
                FailureKind::KeyConflict,
                Text::of(
                    format!(
                        "khóa này đã được dùng cho việc khác tại vị trí {}: hãy dùng khóa mới",
                        known.position
                    ),
                    format!(
                        "the key was used for something else at position {}: use a new one",
                        known.position
                    ),
                ),
            ));
        }
        let entry = self.ledger.entry(known.position).await.map_err(failure)?;
        let entry = entry.ok_or_else(|| Failure::internal(format!("no entry at {}", known.position)))?;
        let record = ReportRecord::decode(entry.record.as_slice()).map_err(Failure::internal)?;
        Ok(Acted { receipt: known, replayed: true, states: counts(&record) })
    }
}

/// Keys of one caller are no business of another's.
fn key(caller: &Caller, key: &str) -> String {
    match caller.actor() {
        actor if actor.is_empty() => key.to_owned(),
        actor => format!("{actor} {key}"),
    }
}

/// A request as the ledger keeps it, its key aside.
fn document(request: &pb::ActOnReportsRequest) -> String {
    let pb::ActOnReportsRequest {
        idempotency_key: _,
        act,
        regime,
        period,
        units,
        below,
        level,
        reason,
        until,
    } = request;
    json!({
        "act": act, "regime": regime, "period": period, "units": units, "below": below, "level": level,
        "reason": reason, "until": until,
    })
    .to_string()
}

/// What an act comes to, under what is in force.
fn record(
    rules: &Rules,
    caller: &Caller,
    request: &pb::ActOnReportsRequest,
    now: jiff::Timestamp,
) -> Result<ReportRecord, Failure> {
    let in_force = rules.in_force().ok_or_else(none_loaded)?;
    let asked = Asked::read(&in_force.registry, caller, request, now)?;
    let groups = match asked.act {
        Act::OfReports(_) => moves::groups(&asked, caller, &rules.reports)?,
        Act::Close | Act::Open => periods::groups(&asked, caller, &rules.reports, now)?,
    };
    Ok(ReportRecord {
        act: request.act.clone(),
        regime: asked.regime.code.clone(),
        period: asked.period.to_string(),
        groups,
        reason: request.reason.clone(),
        until: asked.until.map(|until| until.to_string()).unwrap_or_default(),
    })
}

fn counts(record: &ReportRecord) -> Vec<pb::ReportCount> {
    let count = |group: &tonghop_proto::ledger::ReportGroup| pb::ReportCount {
        state: group.state.clone(),
        level: group.level.clone(),
        units: u32::try_from(group.units.len()).unwrap_or(u32::MAX),
    };
    record.groups.iter().map(count).collect()
}

/// A failure with one finding.
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

fn refused(kind: FailureKind, findings: Vec<Finding>) -> Failure {
    let detail = match findings.as_slice() {
        [one] => one.said(&one.path),
        many => Text::of(
            format!("không thể thực hiện với {} đơn vị; không có gì thay đổi", many.len()),
            format!("this cannot be done with {} units; nothing was changed", many.len()),
        ),
    };
    Failure::new(kind, detail).with_findings(findings)
}

/// What stands in the way of each unit, as one failure.
fn all_refused(findings: Findings, may_not: bool) -> Failure {
    let kind = if may_not { FailureKind::Forbidden } else { FailureKind::Unprocessable };
    refused(kind, findings.into_vec())
}
