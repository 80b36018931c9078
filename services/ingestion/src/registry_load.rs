//! Loading a registry: checked by itself, against the one before, and against what is in the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost::Message;
use tonghop_core::registry::{Problem, Registry};
use tonghop_proto::{record, registry as pb, registry_draft};
use tonghop_runtime::trace;
use tonghop_runtime::{Failure, FailureKind, Finding};
use tonghop_store::{Appended, EntryKind, NewEntry, Premise, Receipt, content_digest};
use uuid::Uuid;

use crate::in_force::InForce;
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

/// How often a load is tried again because something came in between.
const MOST_TRIES: usize = 20;

impl Ingestion {
    /// Loads a registry: it holds for everything after it. Submissions that were checked under the one before, here
    /// or by another replica, are checked again.
    ///
    /// # Errors
    /// Everything wrong with it, figures that it would leave without a unit among them; nothing is changed then.
    pub async fn load_registry(&self, request: pb::LoadRegistryRequest) -> Result<Loaded, Failure> {
        check_key("idempotency_key", &request.idempotency_key)?;
        check_key("source", &request.source)?;
        let tables: Arc<BTreeMap<String, Vec<u8>>> = Arc::new(request.tables.into_iter().collect());
        for _ in 0..MOST_TRIES {
            let before = self.known.now(&self.ledger).await?;
            let (given, under) = (Arc::clone(&tables), before.as_ref().map(|b| Arc::clone(&b.registry)));
            let built = tokio::task::spawn_blocking(move || build(&given, under.as_deref()));
            let built = built.await.map_err(Failure::internal)?;
            let Built { document, registry, changes } = built.map_err(refused)?;
            let mut premise = Premise::Registry(before.as_ref().map_or(0, |b| b.position));
            if let Some(before) = &before
                && !before.registry.keeps_figures_in_place(&registry)
            {
                premise = Premise::Head(self.check_figures(&before.registry, &registry).await?);
            }
            if request.dry_run {
                return Ok(Loaded { receipt: None, replayed: false, changes });
            }
            let entry = NewEntry {
                id: Uuid::now_v7(),
                kind: EntryKind::Registry,
                source: request.source.clone(),
                idempotency_key: request.idempotency_key.clone(),
                content_digest: content_digest(MEDIA_TYPE, &document),
                media_type: MEDIA_TYPE.to_owned(),
                record: document.clone(),
                document,
                figures: 0,
                received_at: (self.now)(),
                note: request.note.clone(),
                premise,
                trace_parent: trace::parent(),
            };
            match self.writer.append(entry).await? {
                Appended::New(receipt) => {
                    let registry = Arc::new(registry);
                    self.known.learn(InForce { position: receipt.position, registry });
                    return Ok(Loaded { receipt: Some(receipt), replayed: false, changes });
                }
                Appended::Replayed(receipt) => {
                    return Ok(Loaded { receipt: Some(receipt), replayed: true, changes: vec![] });
                }
                Appended::Conflict(known) => {
                    let (key, position) = (known.idempotency_key, known.position);
                    let detail =
                        format!("the key {key:?} was used at position {position} with another registry");
                    return Err(Failure::new(FailureKind::KeyConflict, detail));
                }
                // A registry, or figures that this one has not been held against.
                Appended::Outdated => {}
            }
        }
        Err(Failure::new(
            FailureKind::Unavailable,
            "figures come in faster than a registry can be held against them; try again when less is pushed",
        ))
    }

    /// Every figure in the ledger must keep a unit and mean what it meant. Says up to which position it has looked.
    async fn check_figures(&self, before: &Registry, next: &Registry) -> Result<i64, Failure> {
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
        if findings.is_empty() { Ok(position) } else { Err(refused(findings)) }
    }
}

/// A registry that holds together, with what it changes.
struct Built {
    document: Vec<u8>,
    registry: Registry,
    changes: Vec<String>,
}

fn build(tables: &BTreeMap<String, Vec<u8>>, before: Option<&Registry>) -> Result<Built, Vec<Finding>> {
    let wire = registry_tables::read(tables)?;
    let document = wire.encode_to_vec();
    let draft = registry_draft::draft(wire).map_err(findings)?;
    let registry = Registry::build(draft, before).map_err(findings)?;
    let changes = changes(before, &registry);
    Ok(Built { document, registry, changes })
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
