//! Loading a registry, whole or a reform of it: checked by itself, against the one before, and against what is
//! in the ledger. The ledger keeps what was sent, and beside it the whole registry that this makes.

mod figures;
mod preview;

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use tonghop_core::registry::{Problem, Registry};
use tonghop_proto::{record, registry as pb, registry_draft};
use tonghop_runtime::{Failure, FailureKind, Finding};
use tonghop_store::{Appended, EntryKind, NewEntry, Receipt, content_digest};
use uuid::Uuid;

use crate::finding::{Findings, Spot};
use crate::registry_tables::{self, Given};
use crate::service::{Ingestion, check_key, no_registry};
use crate::writer::failure;

/// What a load changes, or would.
#[derive(Debug)]
pub struct Loaded {
    /// The receipt; none for a dry run.
    pub receipt: Option<Receipt>,
    /// Whether it was there before.
    pub replayed: bool,
    /// What is different in every table, a line each, for people.
    pub changes: Vec<String>,
    /// What is different on the map, by day.
    pub map: Vec<pb::MapChange>,
}

const WHOLE: &str = "application/x-protobuf;messageType=tonghop.registry.v1.Registry";
const REFORM: &str = "application/x-protobuf;messageType=tonghop.registry.v1.Reform";
/// Entries of the ledger looked at in one go, and their bytes.
const PAGE: u64 = 200;
const PAGE_BYTES: usize = 32 << 20;

/// A load that was read.
struct Read {
    media_type: &'static str,
    /// What was sent.
    document: Vec<u8>,
    /// The registry that it makes.
    wire: pb::Registry,
    /// What was left out of it, in words.
    left_out: Vec<String>,
}

impl Ingestion {
    /// Loads a registry, or a reform. Submissions wait meanwhile.
    ///
    /// # Errors
    /// Everything wrong with it, figures that it would leave without a unit among them; nothing is changed then.
    pub async fn load_registry(&self, request: pb::LoadRegistryRequest) -> Result<Loaded, Failure> {
        check_key("idempotency_key", &request.idempotency_key)?;
        check_key("source", &request.source)?;
        let mut held = self.registry.write().await;
        let before = held.clone();
        let tables: BTreeMap<String, Vec<u8>> = request.tables.into_iter().collect();
        let given = blocking(move || registry_tables::read(&tables)).await?.map_err(refused)?;
        let (base, digest) = match &given {
            Given::Whole(..) => (None, None),
            Given::Reform(reform) => {
                let digest = content_digest(REFORM, &reform.encode_to_vec());
                // Put on a second time it would not fit, so what is there already is found before.
                if let Some(loaded) =
                    self.loaded_before(&request.source, &request.idempotency_key, &digest).await?
                {
                    return Ok(loaded);
                }
                (Some(self.registry_in_force().await?), Some(digest))
            }
        };
        let built = blocking(move || {
            let read = put_together(given, base)?;
            let draft = registry_draft::draft(read.wire.clone()).map_err(findings)?;
            let registry = Registry::build(draft, before.as_deref()).map_err(findings)?;
            let map = preview::map_changes(before.as_deref(), &registry);
            let mut changes = preview::table_changes(before.as_deref(), &registry);
            changes.extend(read.left_out.iter().cloned());
            Ok((read, registry, before, changes, map))
        });
        let (read, registry, before, changes, map) = built.await?.map_err(refused)?;
        let digest = digest.unwrap_or_else(|| content_digest(read.media_type, &read.document));
        let registry = Arc::new(registry);
        if let Some(before) = &before
            && !before.keeps_figures_in_place(&registry)
        {
            self.check_figures(before, &registry).await?;
        }
        if request.dry_run {
            return Ok(Loaded { receipt: None, replayed: false, changes, map });
        }
        let appended = self
            .writer
            .append(NewEntry {
                id: Uuid::now_v7(),
                kind: EntryKind::Registry,
                source: request.source,
                idempotency_key: request.idempotency_key,
                content_digest: digest,
                media_type: read.media_type.to_owned(),
                record: read.wire.encode_to_vec(),
                document: read.document,
                figures: 0,
                received_at: (self.now)(),
                note: request.note,
            })
            .await?;
        match appended {
            Appended::New(receipt) => {
                *held = Some(registry);
                Ok(Loaded { receipt: Some(receipt), replayed: false, changes, map })
            }
            Appended::Replayed(known) | Appended::Conflict(known) => replayed(known, &digest),
        }
    }

    /// A load of the same key, where there is one.
    async fn loaded_before(
        &self,
        source: &str,
        key: &str,
        digest: &[u8; 32],
    ) -> Result<Option<Loaded>, Failure> {
        let known = self.ledger.receipt_by_key(source, key).await.map_err(failure)?;
        known.map(|known| replayed(known, digest)).transpose()
    }

    /// The registry that a reform is put on.
    async fn registry_in_force(&self) -> Result<pb::Registry, Failure> {
        let entry = self.ledger.latest_registry().await.map_err(failure)?.ok_or_else(no_registry)?;
        pb::Registry::decode(entry.record.as_slice()).map_err(Failure::internal)
    }

    /// Every figure in the ledger must keep a unit and mean what it meant.
    async fn check_figures(&self, before: &Registry, next: &Registry) -> Result<(), Failure> {
        let mut kept = figures::Kept::new(before, next);
        let mut position = 0;
        loop {
            let entries = self.ledger.read_after(position, PAGE, PAGE_BYTES).await.map_err(failure)?;
            let Some(last) = entries.last() else { break };
            position = last.receipt.position;
            for entry in entries.iter().filter(|e| e.receipt.kind == EntryKind::Submission) {
                let figures = record::decode(before, &entry.record).map_err(Failure::internal)?;
                figures.iter().for_each(|figure| kept.look(entry.receipt.position, figure));
            }
        }
        let findings = kept.findings();
        if findings.is_empty() { Ok(()) } else { Err(refused(findings)) }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
}

/// What was sent, and the registry that it makes.
fn put_together(given: Given, base: Option<pb::Registry>) -> Result<Read, Vec<Finding>> {
    let left_out = |links: Vec<pb::Succession>| {
        let words = |s: pb::Succession| {
            format!(
                "left out: the succession {}>{} of {}, when {0} is no longer there",
                s.from_code, s.to_code, s.date
            )
        };
        links.into_iter().map(words).collect()
    };
    match given {
        Given::Whole(mut wire, reform) => {
            let dropped = match reform {
                Some(reform) => registry_draft::put_on(&mut wire, reform).map_err(findings)?,
                None => vec![],
            };
            let (document, left_out) = (wire.encode_to_vec(), left_out(dropped));
            Ok(Read { media_type: WHOLE, document, wire: *wire, left_out })
        }
        Given::Reform(reform) => {
            let (document, mut wire) = (reform.encode_to_vec(), base.unwrap_or_default());
            let left_out = left_out(registry_draft::put_on(&mut wire, reform).map_err(findings)?);
            Ok(Read { media_type: REFORM, document, wire, left_out })
        }
    }
}

fn replayed(known: Receipt, digest: &[u8; 32]) -> Result<Loaded, Failure> {
    if known.content_digest == *digest {
        return Ok(Loaded { receipt: Some(known), replayed: true, changes: vec![], map: vec![] });
    }
    Err(Failure::new(
        FailureKind::KeyConflict,
        format!(
            "the key {:?} was used at position {} with another registry",
            known.idempotency_key, known.position
        ),
    ))
}

fn findings(problems: Vec<Problem>) -> Vec<Finding> {
    let mut findings = Findings::default();
    for problem in problems {
        findings.add(|| Finding {
            code: "registry_problem".into(),
            path: Spot::path(format!("{}.csv {}", problem.table, problem.key)).path,
            got: format!("{}: {}", problem.key, problem.message),
            expected: "tables that hold together".into(),
            hint: "put the table right and load again".into(),
            ..Finding::default()
        });
    }
    findings.into_vec()
}

fn refused(findings: Vec<Finding>) -> Failure {
    let detail = match findings.len() {
        1 => "one thing is wrong with this registry; nothing was changed".to_owned(),
        many => format!("{many} things are wrong with this registry; nothing was changed"),
    };
    Failure::new(FailureKind::Unprocessable, detail).with_findings(findings)
}
