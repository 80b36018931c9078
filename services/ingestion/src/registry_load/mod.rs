//! Loading a registry, whole or a reform of it: checked by itself, against the one before, and against what is
//! in the ledger. The ledger keeps what was sent, and beside it the whole registry that this makes.

mod figures;
mod preview;

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use tonghop_access::{Caller, Role};
use tonghop_core::registry::{Problem, Registry};
use tonghop_proto::{record, registry as pb, registry_draft};
use tonghop_runtime::trace;
use tonghop_runtime::{Failure, FailureKind, Finding, Text};
use tonghop_store::{Appended, Content, EntryKind, NewEntry, Premise, Receipt};
use uuid::Uuid;

use crate::finding::{Findings, Spot};
use crate::in_force::{InForce, none_loaded};
use crate::registry_tables::{self, Given};
use crate::service::{Ingestion, check_key};
use crate::writer::failure;

/// What a load changes, or would.
#[derive(Debug)]
pub struct Loaded {
    /// The receipt; none for a dry run.
    pub receipt: Option<Receipt>,
    /// Whether it was there before.
    pub replayed: bool,
    /// What is different in every table, a line each, for people.
    pub changes: Vec<Text>,
    /// What is different on the map, by day.
    pub map: Vec<pb::MapChange>,
}

const WHOLE: &str = "application/x-protobuf;messageType=tonghop.registry.v1.Registry";
const REFORM: &str = "application/x-protobuf;messageType=tonghop.registry.v1.Reform";
/// Entries of the ledger looked at in one go, and their bytes.
const PAGE: u64 = 200;
const PAGE_BYTES: usize = 32 << 20;

/// How often a load is tried again because something came in between.
const MOST_TRIES: usize = 20;

/// What was sent, as the ledger keeps it, and what it loads.
struct Sent {
    content: Content,
    load: Load,
    /// What was left out of a whole registry.
    left_out: Vec<pb::Succession>,
}

enum Load {
    Whole(pb::Registry),
    Reform(pb::Reform),
}

/// A registry that holds together, with what it changes.
struct Built {
    /// The whole registry as the ledger keeps it.
    record: Vec<u8>,
    registry: Registry,
    changes: Vec<Text>,
    map: Vec<pb::MapChange>,
}

impl Ingestion {
    /// Loads a registry, or a reform of the one in force: it holds for everything after it. Submissions that were
    /// checked under the one before, here or by another replica, are checked again.
    ///
    /// # Errors
    /// Everything wrong with it, figures that it would leave without a unit among them; nothing is changed then.
    pub async fn load_registry(
        &self,
        caller: &Caller,
        request: pb::LoadRegistryRequest,
    ) -> Result<Loaded, Failure> {
        caller.require(Role::Administer)?;
        check_key("idempotency_key", &request.idempotency_key)?;
        check_key("source", &request.source)?;
        let tables: BTreeMap<String, Vec<u8>> = request.tables.into_iter().collect();
        let sent = Arc::new(blocking(move || sent(&tables)).await?.map_err(refused)?);
        // What was taken before may not fit on what has come since, so a repetition is found first.
        let known = self.ledger.receipt_by_key(&request.source, &request.idempotency_key).await;
        if let Some(known) = known.map_err(failure)? {
            return replayed(known, sent.content.digest());
        }
        for _ in 0..MOST_TRIES {
            let rules = self.known.rules(&self.ledger).await?;
            caller.still(&rules.keys, (self.now)())?;
            let before = rules.in_force();
            let base = match &sent.load {
                Load::Whole(wire) => wire.clone(),
                Load::Reform(_) => match self.tables_of(before.as_ref()).await? {
                    Some(base) => base,
                    None => continue,
                },
            };
            let (load, under) = (Arc::clone(&sent), before.as_ref().map(|b| Arc::clone(&b.registry)));
            let built = blocking(move || build(&load, base, under.as_deref())).await?;
            let Built { record, registry, changes, map } = built.map_err(refused)?;
            let mut premise = Premise::Rules(rules.position);
            if let Some(before) = &before
                && !before.registry.keeps_figures_in_place(&registry)
            {
                premise = Premise::Head(self.check_figures(&before.registry, &registry).await?);
            }
            if request.dry_run {
                return Ok(Loaded { receipt: None, replayed: false, changes, map });
            }
            let entry = NewEntry {
                id: Uuid::now_v7(),
                kind: EntryKind::Registry,
                source: request.source.clone(),
                idempotency_key: request.idempotency_key.clone(),
                content: sent.content.clone(),
                skeleton: None,
                record: record.into(),
                figures: 0,
                received_at: (self.now)(),
                note: request.note.clone(),
                actor: caller.actor(),
                premise,
                trace_parent: trace::parent(),
            };
            let ledger = self.ledger.clone();
            let prepared = blocking(move || ledger.prepare(entry)).await?.map_err(failure)?;
            match self.writer.append(prepared).await? {
                Appended::New(receipt) => {
                    return Ok(Loaded { receipt: Some(receipt), replayed: false, changes, map });
                }
                Appended::Replayed(known) | Appended::Conflict(known) => {
                    return replayed(known, sent.content.digest());
                }
                // A registry, or figures that this one has not been held against.
                Appended::Outdated => {}
            }
        }
        let detail = Text::of(
            "số liệu gửi về nhanh hơn mức có thể đối chiếu với danh mục; hãy thử lại khi ít báo cáo hơn",
            "figures come in faster than a registry can be held against them; try again when less is pushed",
        );
        Err(Failure::new(FailureKind::Unavailable, detail))
    }

    /// The tables of the registry in force, on which a reform is put; nothing where another one came in between.
    async fn tables_of(&self, in_force: Option<&InForce>) -> Result<Option<pb::Registry>, Failure> {
        let in_force = in_force.ok_or_else(none_loaded)?;
        let entry = self.ledger.latest_registry().await.map_err(failure)?.ok_or_else(none_loaded)?;
        if entry.receipt.position != in_force.position {
            return Ok(None);
        }
        pb::Registry::decode(entry.record.as_slice()).map(Some).map_err(Failure::internal)
    }

    /// Every figure in the ledger must keep a unit and mean what it meant. Says up to which position it has looked.
    async fn check_figures(&self, before: &Registry, next: &Registry) -> Result<i64, Failure> {
        let mut kept = figures::Kept::new(before, next);
        let mut position = 0;
        loop {
            let entries = self.ledger.records_after(position, PAGE, PAGE_BYTES).await.map_err(failure)?;
            let Some(last) = entries.last() else { break };
            position = last.receipt.position;
            for entry in entries.iter().filter(|e| e.receipt.kind == EntryKind::Submission) {
                let figures = record::decode(before, &entry.record).map_err(Failure::internal)?;
                figures.iter().for_each(|figure| kept.look(entry.receipt.position, figure));
            }
        }
        let findings = kept.findings();
        if findings.is_empty() { Ok(position) } else { Err(refused(findings)) }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
}

/// Reads what was sent; changes that come with a whole registry are put on it.
fn sent(tables: &BTreeMap<String, Vec<u8>>) -> Result<Sent, Vec<Finding>> {
    let (media_type, document, load, left_out) = match registry_tables::read(tables)? {
        Given::Whole(mut wire, reform) => {
            let put_on = |reform| registry_draft::put_on(&mut wire, reform).map_err(findings);
            let left_out = reform.map_or(Ok(vec![]), put_on)?;
            (WHOLE, wire.encode_to_vec(), Load::Whole(*wire), left_out)
        }
        Given::Reform(reform) => (REFORM, reform.encode_to_vec(), Load::Reform(reform), vec![]),
    };
    Ok(Sent { content: Content::new(media_type, document), load, left_out })
}

/// The registry that was sent, or `base` with the reform put on it.
fn build(sent: &Sent, base: pb::Registry, before: Option<&Registry>) -> Result<Built, Vec<Finding>> {
    let (mut wire, mut left_out) = (base, sent.left_out.clone());
    if let Load::Reform(reform) = &sent.load {
        left_out = registry_draft::put_on(&mut wire, reform.clone()).map_err(findings)?;
    }
    let record = wire.encode_to_vec();
    let draft = registry_draft::draft(wire).map_err(findings)?;
    let registry = Registry::build(draft, before).map_err(findings)?;
    let mut changes = preview::table_changes(before, &registry);
    changes.extend(left_out.into_iter().map(|s| {
        let (from, to, date) = (s.from_code, s.to_code, s.date);
        Text::of(
            format!("bỏ ra: kế tục {from}>{to} ngày {date}, khi {from} không còn nữa"),
            format!("left out: the succession {from}>{to} of {date}, when {from} is no longer there"),
        )
    }));
    let map = preview::map_changes(before, &registry);
    Ok(Built { record, registry, changes, map })
}

fn replayed(known: Receipt, digest: &[u8; 32]) -> Result<Loaded, Failure> {
    if known.content_digest == *digest {
        return Ok(Loaded { receipt: Some(known), replayed: true, changes: vec![], map: vec![] });
    }
    let (key, position) = (&known.idempotency_key, known.position);
    let detail = Text::of(
        format!("khóa {key:?} đã dùng ở vị trí {position} với danh mục khác"),
        format!("the key {key:?} was used at position {position} with another registry"),
    );
    Err(Failure::new(FailureKind::KeyConflict, detail))
}

fn findings(problems: Vec<Problem>) -> Vec<Finding> {
    let mut findings = Findings::default();
    for problem in problems {
        findings.add(|| Finding {
            code: "registry_problem".into(),
            path: Spot::path(format!("{}.csv {}", problem.table, problem.key)).path,
            got: Text::of(
                format!("{}: {}", problem.key, problem.message.vi),
                format!("{}: {}", problem.key, problem.message.en),
            ),
            expected: Text::of("các bảng khớp với nhau", "tables that hold together"),
            hint: Text::of("sửa bảng rồi nạp lại", "put the table right and load again"),
            ..Finding::default()
        });
    }
    findings.into_vec()
}

fn refused(findings: Vec<Finding>) -> Failure {
    let detail = match findings.len() {
        1 => Text::of(
            "danh mục này có một lỗi; không thay đổi gì",
            "one thing is wrong with this registry; nothing was changed",
        ),
        many => Text::of(
            format!("danh mục này có {many} lỗi; không thay đổi gì"),
            format!("{many} things are wrong with this registry; nothing was changed"),
        ),
    };
    Failure::new(FailureKind::Unprocessable, detail).with_findings(findings)
}
