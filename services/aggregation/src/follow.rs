//! The loop: tail the ledger, take what waits, write one transaction, tell the watchers.

use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tonghop_proto::ingestion::TailRequest;
use tonghop_proto::ingestion::TailResponse;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_store::{Entry, EntryKind, Lease, Receipt, StoreError, TileBatch};

use tracing::Instrument;

use crate::engine::{Changes, Engine, effect_of, read_registry};
use crate::watched::Watched;
use crate::{Aggregation, AggregationError, Moved, Reached};

/// How the loop runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names this process among those that may hold the lease.
    pub holder: String,
    /// How long the lease lasts without being renewed.
    pub lease: Duration,
    /// Entries in one batch at most.
    pub batch_entries: usize,
    /// Bytes of records in one batch at most, save that one entry always fits.
    pub batch_bytes: usize,
    /// Where the time comes from.
    pub now: fn() -> Timestamp,
}

/// Between the end of following and its next beginning.
const AGAIN: Duration = Duration::from_millis(50);
/// Between two attempts of a standby at the lease.
const STANDBY: Duration = Duration::from_millis(200);
/// The largest message of the tail: one submission's record.
const LARGEST_RECORD: usize = 256 << 20;

impl Aggregation {
    /// Runs until `shutdown` resolves, then gives the lease back. Troubles that pass are waited out; a ledger or a
    /// database that makes no sense halts the roll-up and says so, in the log and in the status.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => {}
            () = self.follow_on() => {}
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lease) = held
            && let Err(error) = self.tiles.release_lease(&lease).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the lease has to run out");
        }
    }

    /// Follows again whenever that ends.
    async fn follow_on(&self) {
        loop {
            let followed = self.follow().await;
            self.measures.not_active();
            let wait = match followed {
                Ok(wait) => wait,
                Err(AggregationError::Damaged { row, what }) => {
                    tracing::error!(%row, %what, "rolling up is halted: stored data makes no sense");
                    self.set_halted(Some(format!("{row}: {what}")));
                    Duration::from_secs(30)
                }
                Err(error) => {
                    self.measures.broke_off(&error);
                    tracing::warn!(error = &error as &dyn std::error::Error, "rolling up pauses");
                    Duration::from_millis(300)
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Follows the ledger from the checkpoint on, for as long as nothing goes wrong; says how long to wait then.
    async fn follow(&self) -> Result<Duration, AggregationError> {
        let now = self.settings.now;
        let Some(lease) = self.tiles.acquire_lease(&self.settings.holder, self.settings.lease, now()).await?
        else {
            return self.stand_by().await;
        };
        self.hold(lease);
        let snapshot = self.tiles.snapshot().await?;
        let checkpoint = snapshot.checkpoint().clone();
        let mut engine = match snapshot.registry().await? {
            Some((_, record)) => Some(Engine::new(Arc::new(read_registry(&record)?))),
            None => None,
        };
        drop(snapshot);
        self.announce(checkpoint.position, checkpoint.time, vec![]);
        self.set_halted(None);
        let mut position = checkpoint.position;
        let mut lease = lease;
        let mut rebuilds = self.rebuilds.1.lock().await;
        let mut waiting = self.tail(position);
        let mut renew = tokio::time::interval(self.settings.lease / 3);
        loop {
            let first = tokio::select! {
                _ = renew.tick() => {
                    lease = self.tiles.renew_lease(&lease, self.settings.lease, now()).await?;
                    self.hold(lease);
                    continue;
                }
                Some(done) = rebuilds.recv() => {
                    self.replace_all(&lease, position).await?;
                    // Who asked may have gone.
                    let _ = done.send(position);
                    return Ok(AGAIN);
                }
                first = waiting.recv() => first,
            };
            let Some(first) = first else { return Ok(AGAIN) };
            let mut entries = vec![first?];
            let mut bytes = entries[0].record.len();
            while entries.len() < self.settings.batch_entries && bytes < self.settings.batch_bytes {
                match waiting.try_recv() {
                    Ok(next) => {
                        let next = next?;
                        bytes += next.record.len();
                        entries.push(next);
                    }
                    Err(_) => break,
                }
            }
            let watched = Watched::begin(&entries);
            let span = watched.span();
            let done = if entries.iter().any(|e| e.receipt.kind == EntryKind::Registry) {
                self.with_registries(&lease, &mut engine, entries, position).instrument(span).await
            } else {
                self.batch(&lease, &mut engine, entries, position).instrument(span).await
            };
            watched.end(done.is_ok(), &self.measures);
            position = done?;
        }
    }

    fn hold(&self, lease: Lease) {
        self.measures.active(&lease);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
    }

    /// Another process is active: who watches this one is told how far that one is.
    async fn stand_by(&self) -> Result<Duration, AggregationError> {
        let snapshot = self.tiles.snapshot().await?;
        let checkpoint = snapshot.checkpoint();
        if checkpoint.position > self.reached.borrow().position {
            self.announce(checkpoint.position, checkpoint.time, vec![]);
        }
        Ok(STANDBY)
    }

    /// Reads the ledger's tail into a bounded queue.
    fn tail(&self, after: i64) -> mpsc::Receiver<Result<Entry, AggregationError>> {
        let (sender, receiver) = mpsc::channel(self.settings.batch_entries.max(1));
        let channel = self.ledger.clone();
        tokio::spawn(async move {
            let mut client = LedgerServiceClient::new(channel).max_decoding_message_size(LARGEST_RECORD);
            let request = TailRequest { after_position: after, until_head: false };
            let mut stream = match client.tail(request).await {
                Ok(response) => response.into_inner(),
                Err(status) => {
                    let _ = sender.send(Err(status.into())).await;
                    return;
                }
            };
            loop {
                let message = tokio::select! {
                    () = sender.closed() => return,
                    message = stream.message() => message,
                };
                let next = match message {
                    Ok(Some(message)) => entry(message),
                    Ok(None) => return,
                    Err(status) => Err(status.into()),
                };
                let failed = next.is_err();
                if sender.send(next).await.is_err() || failed {
                    return;
                }
            }
        });
        receiver
    }

    /// Submissions only.
    async fn batch(
        &self,
        lease: &Lease,
        engine: &mut Option<Engine>,
        entries: Vec<Entry>,
        expected: i64,
    ) -> Result<i64, AggregationError> {
        let Some(last) = entries.last().map(|e| e.receipt.clone()) else { return Ok(expected) };
        let Some(mut working) = engine.take() else {
            return Err(AggregationError::Damaged {
                row: format!("ledger position {}", last.position),
                what: "a submission before any registry".into(),
            });
        };
        let prepared = working.prepare(entries)?;
        {
            let snapshot = self.tiles.snapshot().await?;
            working.fetch(&snapshot, &prepared).await?;
        }
        let (working, changes) = tokio::task::spawn_blocking(move || {
            let changes = working.put(&prepared);
            (working, changes)
        })
        .await
        .map_err(|e| AggregationError::Cut(e.to_string()))?;
        self.write(lease, expected, &last, changes?, None).await?;
        *engine = Some(working);
        Ok(last.position)
    }

    /// A batch with registries in it: each begins a new engine.
    async fn with_registries(
        &self,
        lease: &Lease,
        engine: &mut Option<Engine>,
        entries: Vec<Entry>,
        mut position: i64,
    ) -> Result<i64, AggregationError> {
        let mut run: Vec<Entry> = Vec::new();
        for entry in entries {
            if entry.receipt.kind == EntryKind::Submission {
                run.push(entry);
                continue;
            }
            position = self.batch(lease, engine, std::mem::take(&mut run), position).await?;
            let before = engine.as_ref().map(|e| Arc::clone(e.registry()));
            let registry = Arc::new(read_registry(&entry.record)?);
            let moves = before.is_some_and(|b| !b.keeps_figures_in_place(&registry));
            if moves {
                self.replace_all_with(lease, position, Arc::clone(&registry), &entry).await?;
            } else {
                let effect = effect_of(&entry.receipt, Default::default(), vec![]);
                let changes = Changes { effects: vec![effect], ..Changes::default() };
                let record = (entry.receipt.position, entry.record.clone());
                self.write(lease, position, &entry.receipt, changes, Some(record)).await?;
            }
            position = entry.receipt.position;
            *engine = Some(Engine::new(registry));
        }
        self.batch(lease, engine, run, position).await
    }

    async fn write(
        &self,
        lease: &Lease,
        expected: i64,
        last: &Receipt,
        changes: Changes,
        registry: Option<(i64, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        self.tiles
            .write(TileBatch {
                expected_position: expected,
                position: last.position,
                ledger_digest: last.digest,
                time: last.received_at,
                epoch: lease.epoch,
                tiles: changes.tiles,
                summaries: changes.summaries,
                effects: changes.effects,
                registry,
                replaces_all: false,
            })
            .await?;
        self.announce(last.position, Some(last.received_at), changes.series.into_iter().collect());
        Ok(())
    }

    /// Tells the watchers.
    pub(crate) fn announce(&self, position: i64, time: Option<Timestamp>, series: Vec<String>) {
        let reached = Reached { position, time };
        self.reached.send_replace(reached.clone());
        // No watcher is no trouble.
        let _ = self.moved.send(Arc::new(Moved { reached, series }));
    }
}

/// An entry of the tail.
pub(crate) fn entry(message: TailResponse) -> Result<Entry, AggregationError> {
    let receipt = message.receipt.unwrap_or_default();
    let damaged = |what: &str| AggregationError::Damaged {
        row: format!("ledger position {}", receipt.position),
        what: what.to_owned(),
    };
    let kind = match receipt.kind.as_str() {
        "submission" => EntryKind::Submission,
        "registry" => EntryKind::Registry,
        _ => return Err(damaged("an unknown kind of entry")),
    };
    let mut digest = [0u8; 32];
    let hex = receipt.digest.as_bytes();
    if hex.len() != 64 || !hex.is_ascii() {
        return Err(damaged("not a digest"));
    }
    for (byte, pair) in digest.iter_mut().zip(receipt.digest.as_bytes().chunks(2)) {
        let text = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(text, 16).map_err(|_| damaged("not a digest"))?;
    }
    Ok(Entry {
        receipt: Receipt {
            position: receipt.position,
            id: receipt.id.parse().map_err(|_| damaged("not an id"))?,
            kind,
            received_at: receipt.received_at.parse().map_err(|_| damaged("not a time"))?,
            source: receipt.source,
            idempotency_key: receipt.idempotency_key,
            content_digest: [0; 32],
            digest,
            previous: [0; 32],
            figures: receipt.figures,
            note: receipt.note,
            media_type: String::new(),
        },
        document: vec![],
        record: message.record,
        trace_parent: message.trace_parent,
    })
}
