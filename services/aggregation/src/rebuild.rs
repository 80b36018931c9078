//! Everything again from the ledger: to replace what is stored, or to compare with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tonghop_core::registry::Registry;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_proto::ingestion::{GetRegistryLoadRequest, TailRequest, TailResponse};
use tonghop_store::{
    Effect, Entry, EntryKind, Lease, Receipt, Review, Rule, Summary, Tile, TileBatch, TileKey, TileSelect,
};
use tonic::Streaming;

use crate::beside::{named, review_of, rule_of};
use crate::engine::{Engine, effect_of, read_registry};
use crate::follow::{LARGEST_RECORD, entry};
use crate::{Aggregation, AggregationError, behind};

/// All that a ledger up to some position comes to.
#[derive(Debug, Default)]
struct Whole {
    tiles: BTreeMap<TileKey, Tile>,
    summaries: BTreeMap<(String, i32, String), Summary>,
    effects: Vec<Effect>,
    registry: Option<(i64, Vec<u8>)>,
    /// Registries that another has replaced.
    registries_before: Vec<(i64, Vec<u8>)>,
    reviews: Vec<Review>,
    rules: Vec<Rule>,
    last: Option<Receipt>,
}

/// Entries rolled up between two looks at the clock.
const ENTRIES_AT_ONCE: usize = 256;
/// Rules read at once.
const RULES_AT_ONCE: u64 = 500;

/// Batches that are read and wait to be rolled up.
const BATCHES_WAITING: usize = 2;

/// A whole in the making.
struct Making {
    whole: Whole,
    engine: Engine,
    registry_position: i64,
}

impl Making {
    fn of(registry: Arc<Registry>, registry_position: i64, record: Vec<u8>) -> Making {
        let whole = Whole { registry: Some((registry_position, record)), ..Whole::default() };
        Making { whole, engine: Engine::from_nothing(registry), registry_position }
    }

    /// Takes what comes next in the ledger.
    fn take(&mut self, entries: Vec<Entry>) -> Result<(), AggregationError> {
        let Making { whole, engine, registry_position } = self;
        let mut submissions = Vec::with_capacity(entries.len());
        for entry in entries {
            whole.last = Some(entry.receipt.clone());
            match entry.receipt.kind {
                EntryKind::Registry => {
                    whole.effects.push(effect_of(&entry.receipt, Default::default(), vec![]));
                    if entry.receipt.position != *registry_position {
                        whole.registries_before.push((entry.receipt.position, entry.record));
                    }
                }
                EntryKind::Review | EntryKind::Access | EntryKind::Report => {
                    whole.effects.push(named(&entry));
                    whole.reviews.extend(review_of(&entry).transpose()?);
                    whole.rules.extend(rule_of(&entry));
                }
                EntryKind::Submission => submissions.push(entry),
            }
        }
        let prepared = engine.prepare(submissions)?;
        whole.effects.extend(engine.take_in(&prepared));
        Ok(())
    }

    fn done(self) -> Whole {
        let Making { mut whole, mut engine, .. } = self;
        let changes = engine.work_out();
        whole.tiles = changes.tiles.into_iter().map(|t| (t.key.clone(), t)).collect();
        let key = |s: &Summary| (s.series.clone(), s.end_day, s.period.clone());
        whole.summaries = changes.summaries.into_iter().map(|s| (key(&s), s)).collect();
        whole.effects.sort_by_key(|e| e.position);
        whole
    }
}

impl Aggregation {
    /// Rolls up the ledger up to a position from nothing. What was read is rolled up while more is read.
    ///
    /// Every figure is placed by the registry in force at that position, as the incremental path leaves it.
    async fn whole(
        &self,
        up_to: i64,
        registry: Option<(Arc<Registry>, i64, Vec<u8>)>,
        mut progress: impl FnMut(i64),
    ) -> Result<Whole, AggregationError> {
        let registry = match registry {
            Some(known) => Some(known),
            None => self.registry_up_to(up_to).await?,
        };
        let Some((registry, registry_position, record)) = registry else { return Ok(Whole::default()) };
        let (sender, mut batches) = mpsc::channel::<Vec<Entry>>(BATCHES_WAITING);
        let making = behind::alone(move || {
            let mut making = Making::of(registry, registry_position, record);
            while let Some(batch) = batches.blocking_recv() {
                making.take(batch)?;
            }
            Ok(making.done())
        });
        let reading = async move {
            let mut stream = self.entries_after_none().await?;
            let mut batch = Vec::new();
            while let Some(message) = stream.message().await? {
                let entry = entry(message)?;
                if entry.receipt.position > up_to {
                    break;
                }
                progress(entry.receipt.position);
                batch.push(entry);
                // Where nobody takes it any more, the other side says why.
                if batch.len() >= ENTRIES_AT_ONCE && sender.send(std::mem::take(&mut batch)).await.is_err() {
                    break;
                }
            }
            let _ = sender.send(batch).await;
            Ok(())
        };
        let (made, read): (_, Result<(), AggregationError>) = tokio::join!(making, reading);
        read?;
        made?
    }

    /// The registry in force at a position, as the ledger says.
    async fn registry_up_to(
        &self,
        up_to_position: i64,
    ) -> Result<Option<(Arc<Registry>, i64, Vec<u8>)>, AggregationError> {
        let mut client =
            LedgerServiceClient::new(self.ledger.clone()).max_decoding_message_size(LARGEST_RECORD);
        let load = client.get_registry_load(GetRegistryLoadRequest { up_to_position }).await?.into_inner();
        if load.position == 0 {
            return Ok(None);
        }
        Ok(Some((Arc::new(read_registry(&load.record)?), load.position, load.record)))
    }

    async fn entries_after_none(&self) -> Result<Streaming<TailResponse>, AggregationError> {
        let mut client =
            LedgerServiceClient::new(self.ledger.clone()).max_decoding_message_size(LARGEST_RECORD);
        let request = TailRequest { after_position: 0, until_head: true, heartbeats: false };
        Ok(client.tail(request).await?.into_inner())
    }

    /// Throws away what is stored and writes it anew, in one transaction: readers see the one or the other.
    pub(crate) async fn replace_all(&self, lease: &Lease, position: i64) -> Result<(), AggregationError> {
        let whole = self.whole(position, None, |_| ()).await?;
        self.replace_with(lease, position, whole).await
    }

    /// The same under a new registry, whose entry comes next after `position`.
    pub(crate) async fn replace_all_with(
        &self,
        lease: &Lease,
        position: i64,
        registry: Arc<Registry>,
        entry: &Entry,
    ) -> Result<(), AggregationError> {
        let next = entry.receipt.position;
        let whole = self.whole(next, Some((registry, next, entry.record.clone())), |_| ()).await?;
        self.replace_with(lease, position, whole).await
    }

    async fn replace_with(&self, lease: &Lease, expected: i64, whole: Whole) -> Result<(), AggregationError> {
        let Some(last) = whole.last else { return Ok(()) };
        let series = whole
            .summaries
            .keys()
            .map(|(series, ..)| series.clone())
            .collect::<std::collections::BTreeSet<_>>();
        let batch = TileBatch {
            expected_position: expected,
            position: last.position,
            ledger_digest: last.digest,
            time: last.received_at,
            epoch: lease.epoch,
            tiles: whole.tiles.into_values().collect(),
            summaries: whole.summaries.into_values().collect(),
            effects: whole.effects,
            registry: whole.registry,
            registries_before: whole.registries_before,
            reviews: whole.reviews,
            rules: whole.rules,
            replaces_all: true,
        };
        self.tiles.write_and_renew(batch, self.settings.lease, self.settings.now).await?;
        self.announce(last.position, Some(last.received_at), series.into_iter().collect());
        Ok(())
    }

    /// Recomputes everything up to the checkpoint and compares it with what is stored.
    ///
    /// # Errors
    /// Where ledger or tiles cannot be read.
    pub(crate) async fn verify(&self, progress: impl FnMut(i64)) -> Result<Comparison, AggregationError> {
        let snapshot = self.tiles.snapshot().await?;
        let position = snapshot.checkpoint().position;
        let mut whole = self.whole(position, None, progress).await?;
        let mut comparison = Comparison { position, ..Comparison::default() };
        if whole.last.as_ref().is_some_and(|l| l.digest != snapshot.checkpoint().ledger_digest) {
            comparison.differ("the ledger's digest is not the one that the totals were made from".into());
        }
        let mut after = None;
        let mut all_series = std::collections::BTreeSet::new();
        loop {
            let page = snapshot.tiles(TileSelect::Page { after: after.take(), limit: 500 }).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for tile in page {
                comparison.tiles += 1;
                all_series.insert(tile.key.series.clone());
                let place = || format!("tile {} {} {}", tile.key.keeper, tile.key.series, tile.key.period);
                match whole.tiles.remove(&tile.key) {
                    Some(expected) if expected.body == tile.body => {}
                    Some(_) => comparison.differ(format!("{}: stored differs from recomputed", place())),
                    None => comparison.differ(format!("{}: stored, but not in the ledger", place())),
                }
            }
        }
        for key in whole.tiles.keys() {
            comparison.differ(format!(
                "tile {} {} {}: in the ledger, not stored",
                key.keeper, key.series, key.period
            ));
        }
        let all_series: Vec<String> = all_series.into_iter().collect();
        for series in all_series.chunks(50) {
            for summary in snapshot.summaries(series, i32::MIN, i32::MAX).await? {
                comparison.summaries += 1;
                let key = (summary.series.clone(), summary.end_day, summary.period.clone());
                match whole.summaries.remove(&key) {
                    Some(expected) if expected.body == summary.body => {}
                    Some(_) => comparison.differ(format!(
                        "total {} {}: stored differs from recomputed",
                        summary.series, summary.period
                    )),
                    None => comparison.differ(format!(
                        "total {} {}: stored, but not in the ledger",
                        summary.series, summary.period
                    )),
                }
            }
        }
        for (series, _, period) in whole.summaries.keys() {
            comparison.differ(format!("total {series} {period}: in the ledger, not stored"));
        }
        let mut registries = whole.registries_before;
        registries.extend(whole.registry);
        if snapshot.registries().await? != registries {
            comparison.differ("the registries kept are not those of the ledger".into());
        }
        whole.reviews.sort_by(|a, b| a.name.cmp(&b.name));
        let mut stored = snapshot.all_reviews().await?;
        stored.sort_by(|a, b| a.name.cmp(&b.name));
        if stored != whole.reviews {
            comparison.differ("the reviews kept are not those of the ledger".into());
        }
        let mut rules = Vec::new();
        loop {
            let after = rules.last().map_or(0, |rule: &Rule| rule.position);
            let page = snapshot.rules_after(after, RULES_AT_ONCE).await?;
            if page.is_empty() {
                break;
            }
            rules.extend(page);
        }
        if rules != whole.rules {
            comparison.differ("the rules kept are not those of the ledger".into());
        }
        for expected in &whole.effects {
            let stored = snapshot.effect(expected.position).await?;
            // What was found was found by the registry of then; the rest must come out the same.
            let stored = stored.map(|e| Effect { findings: expected.findings.clone(), ..e });
            if stored.as_ref() != Some(expected) {
                comparison.differ(format!(
                    "effect of position {}: stored differs from recomputed",
                    expected.position
                ));
            }
        }
        Ok(comparison)
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    /// Up to which position.
    pub(crate) position: i64,
    /// Tiles compared.
    pub(crate) tiles: i64,
    /// Summaries compared.
    pub(crate) summaries: i64,
    /// The first hundred differences.
    pub(crate) differences: Vec<String>,
}

impl Comparison {
    fn differ(&mut self, what: String) {
        if self.differences.len() < 100 {
            self.differences.push(what);
        }
    }
}
