//! Loading a registry: checked by itself, against the one before, and against what is in the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost::Message;
use tonghop_core::registry::{Problem, Registry};
use tonghop_proto::{record, registry as pb, registry_draft};
use tonghop_runtime::trace;
use tonghop_runtime::{Failure, FailureKind, Finding};
use tonghop_store::{Appended, EntryKind, NewEntry, Receipt, content_digest};
use uuid::Uuid;

use crate::registry_tables;
use crate::service::{Ingestion, check_key};
use crate::writer::failure;

/// What a load changes, or would.
#[derive(Debug)]
pub struct Loaded {
    /// The receipt; none for a dry run.
    pub receipt: Option<Receipt>,
    /// Whether it was there before.
    pub replayed: bool,
    /// A line each, for people.
    pub changes: Vec<String>,
}

const MEDIA_TYPE: &str = "application/x-protobuf;messageType=tonghop.registry.v1.Registry";
/// Entries of the ledger looked at in one go.
const PAGE: u64 = 200;
/// Figures named that would lose their place.
const MOST_NAMED: usize = 100;

impl Ingestion {
    /// Loads a registry. Submissions wait meanwhile.
    ///
    /// # Errors
    /// Everything wrong with it, figures that it would leave without a unit among them; nothing is changed then.
    pub async fn load_registry(&self, request: pb::LoadRegistryRequest) -> Result<Loaded, Failure> {
        check_key("idempotency_key", &request.idempotency_key)?;
        check_key("source", &request.source)?;
        let mut held = self.registry.write().await;
        let before = held.clone();
        let tables: BTreeMap<String, Vec<u8>> = request.tables.into_iter().collect();
        let built = tokio::task::spawn_blocking(move || {
            let wire = registry_tables::read(&tables)?;
            let document = wire.encode_to_vec();
            let draft = registry_draft::draft(wire).map_err(findings)?;
            let registry = Registry::build(draft, before.as_deref()).map_err(findings)?;
            let changes = changes(before.as_deref(), &registry);
            Ok::<_, Vec<Finding>>((document, registry, changes, before))
        });
        let built = built.await.map_err(Failure::internal)?;
        let (document, registry, changes, before) = built.map_err(refused)?;
        let registry = Arc::new(registry);
        if let Some(before) = &before
            && !before.keeps_figures_in_place(&registry)
        {
            self.check_figures(before, &registry).await?;
        }
        if request.dry_run {
            return Ok(Loaded { receipt: None, replayed: false, changes });
        }
        let digest = content_digest(MEDIA_TYPE, &document);
        let appended = self
            .writer
            .append(NewEntry {
                id: Uuid::now_v7(),
                kind: EntryKind::Registry,
                source: request.source,
                idempotency_key: request.idempotency_key,
                content_digest: digest,
                media_type: MEDIA_TYPE.to_owned(),
                record: document.clone(),
                document,
                figures: 0,
                received_at: (self.now)(),
                note: request.note,
                trace_parent: trace::parent(),
            })
            .await?;
        match appended {
            Appended::New(receipt) => {
                *held = Some(registry);
                Ok(Loaded { receipt: Some(receipt), replayed: false, changes })
            }
            Appended::Replayed(receipt) => {
                Ok(Loaded { receipt: Some(receipt), replayed: true, changes: vec![] })
            }
            Appended::Conflict(known) => Err(Failure::new(
                FailureKind::KeyConflict,
                format!(
                    "the key {:?} was used at position {} with another registry",
                    known.idempotency_key, known.position
                ),
            )),
        }
    }

    /// Every figure in the ledger must keep a unit and mean what it meant.
    async fn check_figures(&self, before: &Registry, next: &Registry) -> Result<(), Failure> {
        let mut findings = Vec::new();
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut position = 0;
        loop {
            let entries = self.ledger.read_after(position, PAGE, 32 << 20).await.map_err(failure)?;
            let Some(last) = entries.last() else { break };
            position = last.receipt.position;
            for entry in entries.iter().filter(|e| e.receipt.kind == EntryKind::Submission) {
                let known = record::decode(before, &entry.record).map_err(Failure::internal)?;
                used.extend(known.into_iter().map(|f| f.figure.indicator));
                if let Err(error) = record::decode(next, &entry.record)
                    && findings.len() < MOST_NAMED
                {
                    findings.push(Finding {
                        code: "figures_lose_their_unit".into(),
                        path: format!("ledger position {}", entry.receipt.position),
                        got: error.to_string(),
                        expected: "a unit in force for every figure that is in".into(),
                        hint: "keep the unit in force for its period, or withdraw the figures first".into(),
                        ..Finding::default()
                    });
                }
            }
        }
        for code in used {
            let (Some(was), Some(is)) = (before.indicator(&code), next.indicator(&code)) else { continue };
            let same = was.decimals == is.decimals
                && was.kind == is.kind
                && was.dimensions == is.dimensions
                && was.overlap == is.overlap
                && was.calendar == is.calendar;
            if !same {
                findings.push(Finding {
                    code: "indicator_changes_meaning".into(),
                    path: format!("indicators.csv {code}"),
                    got: "other decimals, kind, dimensions, reporter_overlap or calendar".into(),
                    expected: "the same as before: figures are in".into(),
                    hint: "give the new meaning a new code, and end the validity of this one".into(),
                    ..Finding::default()
                });
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(refused(findings)) }
    }
}

fn findings(problems: Vec<Problem>) -> Vec<Finding> {
    problems
        .into_iter()
        .map(|p| Finding {
            code: "registry_problem".into(),
            path: format!("{}.csv {}", p.table, p.key),
            got: p.key,
            expected: p.message,
            hint: "put the table right and load again".into(),
            ..Finding::default()
        })
        .collect()
}

fn refused(findings: Vec<Finding>) -> Failure {
    Failure::new(
        FailureKind::Unprocessable,
        format!("{} things are wrong with this registry; nothing was changed", findings.len()),
    )
    .with_findings(findings)
}

/// What is different, a line each.
fn changes(before: Option<&Registry>, next: &Registry) -> Vec<String> {
    let mut out = Vec::new();
    let mut count = |what: &str, before: BTreeMap<String, String>, next: BTreeMap<String, String>| {
        let added = next.keys().filter(|k| !before.contains_key(*k)).count();
        let gone = before.keys().filter(|k| !next.contains_key(*k)).count();
        let changed = next.iter().filter(|(k, v)| before.get(*k).is_some_and(|b| b != *v)).count();
        if added + gone + changed > 0 {
            out.push(format!("{what}: {added} new, {changed} changed, {gone} gone"));
        }
    };
    let units = |r: &Registry| {
        r.units()
            .iter()
            .map(|u| (u.key(), format!("{:?}", (u.level, &u.stages, u.parent.map(|p| r.unit(p).key())))))
            .collect()
    };
    let successions = |r: &Registry| {
        let key = |s: &tonghop_core::unit::Succession| {
            format!("{} {}>{}", s.day, r.unit(s.from).key(), r.unit(s.to).key())
        };
        r.successions().iter().map(|s| (key(s), s.share.to_string())).collect()
    };
    let none = BTreeMap::new;
    count("units", before.map_or_else(none, units), units(next));
    count("successions", before.map_or_else(none, successions), successions(next));
    let calendars = |r: &Registry| r.calendars().iter().map(|c| (c.code.clone(), format!("{c:?}"))).collect();
    count("calendars", before.map_or_else(none, calendars), calendars(next));
    let dimensions =
        |r: &Registry| r.dimensions().iter().map(|d| (d.code.clone(), format!("{d:?}"))).collect();
    count("dimensions", before.map_or_else(none, dimensions), dimensions(next));
    let indicators =
        |r: &Registry| r.indicators().iter().map(|i| (i.code.clone(), format!("{i:?}"))).collect();
    count("indicators", before.map_or_else(none, indicators), indicators(next));
    let programmes =
        |r: &Registry| r.programmes().iter().map(|p| (p.code.clone(), format!("{p:?}"))).collect();
    count("programmes", before.map_or_else(none, programmes), programmes(next));
    if before.is_some_and(|b| !b.keeps_figures_in_place(next)) {
        out.push(
            "every total is made anew from the ledger, since units, maps or indicators changed".to_owned(),
        );
    }
    out
}
