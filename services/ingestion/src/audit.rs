//! What was done, by whom, the last first: the ledger's entries, which its chain covers.

use prost::Message;
use tonghop_access::{Caller, Role};
use tonghop_proto::access as pb;
use tonghop_proto::ledger::access_record::Change;
use tonghop_proto::ledger::{AccessRecord, Grant, KeyIssued};
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::{EntryKind, Recorded};

use crate::grpc::{hex, kind_word, time};
use crate::service::Ingestion;
use crate::writer::failure;

/// Entries on one page at most, and where nothing is asked.
const LARGEST_PAGE: u32 = 200;
/// The longest actor that is looked for.
const LONGEST_ACTOR: usize = 500;
const KINDS: [EntryKind; 5] =
    [EntryKind::Submission, EntryKind::Registry, EntryKind::Review, EntryKind::Access, EntryKind::Report];

impl Ingestion {
    /// What was done, the last first.
    ///
    /// # Errors
    /// Where the caller does not administer, or what is wrong with the request.
    pub async fn list_audit(
        &self,
        caller: &Caller,
        request: &pb::ListAuditRequest,
    ) -> Result<pb::ListAuditResponse, Failure> {
        caller.require(Role::Administer)?;
        let kind = match request.kind.as_str() {
            "" => None,
            word => Some(KINDS.into_iter().find(|kind| kind_word(*kind) == word).ok_or_else(|| {
                let all = KINDS.map(kind_word).join(", ");
                not_understood(
                    format!("kind là một trong: {all}"),
                    format!("kind is one of {all}, or left out"),
                )
            })?),
        };
        if request.actor.len() > LONGEST_ACTOR {
            return Err(not_understood(
                format!("actor dài nhất {LONGEST_ACTOR} byte"),
                format!("actor has at most {LONGEST_ACTOR} bytes"),
            ));
        }
        let actor = Some(request.actor.as_str()).filter(|actor| !actor.is_empty());
        let before = match request.page_token.as_str() {
            "" => i64::MAX,
            token => token.parse().map_err(|_| {
                not_understood(
                    "cursor không phải của một trang trước".to_owned(),
                    "cursor is not the `next` of a page before".to_owned(),
                )
            })?,
        };
        let size = if request.page_size == 0 { LARGEST_PAGE } else { request.page_size.min(LARGEST_PAGE) };
        let found = self.ledger.latest_before(before, kind, actor, u64::from(size) + 1).await;
        let mut found = found.map_err(failure)?;
        let more = found.len() > size as usize;
        found.truncate(size as usize);
        let last = found.last().map_or(0, |entry| entry.receipt.position);
        Ok(pb::ListAuditResponse {
            entries: found.into_iter().map(shown).collect(),
            next_page_token: if more { last.to_string() } else { String::new() },
        })
    }
}

fn not_understood(vi: String, en: String) -> Failure {
    Failure::new(FailureKind::NotUnderstood, Text::of(vi, en))
}

fn shown(entry: Recorded) -> pb::AuditEntry {
    let what = what(&entry);
    let receipt = entry.receipt;
    pb::AuditEntry {
        position: receipt.position,
        time: time(receipt.received_at),
        kind: kind_word(receipt.kind).to_owned(),
        what,
        id: receipt.id.to_string(),
        digest: hex(&receipt.digest),
        actor: receipt.actor,
        source: receipt.source,
        idempotency_key: receipt.idempotency_key,
        note: receipt.note,
    }
}

/// What was done, in words.
fn what(entry: &Recorded) -> String {
    let receipt = &entry.receipt;
    match receipt.kind {
        EntryKind::Submission => format!("{} figures taken from {}", receipt.figures, receipt.source),
        EntryKind::Registry => "a registry loaded".to_owned(),
        EntryKind::Review => format!("the review {} frozen", receipt.idempotency_key),
        EntryKind::Report => "what became of reports".to_owned(),
        EntryKind::Access => {
            match AccessRecord::decode(entry.record.as_slice()).ok().and_then(|r| r.change) {
                Some(Change::Issued(issued)) => given(&issued),
                Some(Change::Revoked(revoked)) => format!("the key {} revoked", revoked.key),
                None => "a change of access that this program does not know".to_owned(),
            }
        }
    }
}

fn given(issued: &KeyIssued) -> String {
    let Grant { roles, units, sides } = issued.grant.clone().unwrap_or_default();
    let list = |all: &[String], none: &str| if all.is_empty() { none.to_owned() } else { all.join(", ") };
    let mut text = format!("the key {} given to {}: {}", issued.key, issued.source, list(&roles, "no role"));
    if !units.is_empty() {
        text.push_str(&format!("; for {}, {}", list(&units, ""), list(&sides, "all sides")));
    }
    text.push_str(&format!("; until {}", issued.expires_at));
    if !issued.replaces.is_empty() {
        text.push_str(&format!(
            "; in the place of {}, which ends at {}",
            issued.replaces, issued.overlap_until
        ));
    }
    text
}
