//! The loop: tail the ledger, take what waits, write one transaction, tell the watchers.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tonghop_proto::ingestion::TailRequest;
use tonghop_proto::ingestion::TailResponse;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_store::{Effect, Entry, EntryKind, Lease, Receipt, Review, Rule, StoreError, TileBatch};

use tracing::Instrument;

use crate::beside::{named as named_effect, review_of, rule_of};
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

/// The longest rest after a batch: whoever looks at totals while others push waits that much longer at most.
const LONGEST_REST: Duration = Duration::from_millis(50);
/// Between the end of following and its next beginning.
const AGAIN: Duration = Duration::from_millis(50);
/// Between two attempts of a standby at the lease.
const STANDBY: Duration = Duration::from_millis(200);
/// The longest time between two renewals of the lease.
const RENEWAL: Duration = Duration::from_secs(1);
/// How long the ledger may be silent, which sends a heartbeat every second, before it is called again.
const SILENCE: Duration = Duration::from_secs(8);
/// The largest message of the tail: one submission's record.
pub(crate) const LARGEST_RECORD: usize = 256 << 20;

/// What comes from the ledger.
#[derive(Debug)]
enum Tailed {
    Entry(Box<Entry>),
    /// At this time there was nothing after what came before.
    CaughtUp(Timestamp),
}

impl Aggregation {
    /// Runs until it is told to stop, then gives the lease back. Troubles that pass are waited out; a ledger or a
    /// database that makes no sense halts the roll-up and says so, in the log and in the status.
    pub async fn run(self: Arc<Self>) {
        tokio::select! {
            () = self.stop.told() => {}
            () = self.follow_on() => {}
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lease) = held
            && let Err(error) = self.tiles.release_lease(&lease).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the lease has to run out");
        }
    }

    /// Whether this process rolls up, as far as it knows: one that was stopped for a while may have lost the lease
    /// and not know it, but cannot write.
    pub fn is_active(&self) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.is_some_and(|lease| (self.settings.now)() < lease.until)
    }

    /// Follows again whenever that ends.
    async fn follow_on(self: &Arc<Self>) {
        loop {
            let wait = match self.follow().await {
                Ok(wait) => wait,
                Err(AggregationError::Damaged { row, what }) => {
                    tracing::error!(%row, %what, "rolling up is halted: stored data makes no sense");
                    self.set_halted(Some(format!("{row}: {what}")));
                    Duration::from_secs(30)
                }
                Err(AggregationError::Store(error @ StoreError::Fenced { .. })) => {
                    self.measures.fenced();
                    tracing::warn!(%error, "another process is active now; this one stands by");
                    self.hold(None);
                    STANDBY
                }
                Err(error) => {
                    self.measures.interrupted();
                    tracing::warn!(error = &error as &dyn std::error::Error, "rolling up pauses");
                    Duration::from_millis(300)
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes the lease, if it is free, and follows the ledger for as long as it is held and nothing goes wrong; says
    /// how long to wait then.
    async fn follow(self: &Arc<Self>) -> Result<Duration, AggregationError> {
        let Settings { holder, lease: ttl, now, .. } = &self.settings;
        let Some(lease) = self.tiles.acquire_lease(holder, *ttl, now()).await? else {
            return self.stand_by().await;
        };
        tracing::info!(epoch = lease.epoch, "active");
        self.hold(Some(lease));
        // What was known long ago, when this process was active before, is not said again.
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // In a task of its own, so that no work, however long it computes, lets the lease run out.
        let mut keeping = JoinSet::new();
        keeping.spawn(Arc::clone(self).keep(lease));
        tokio::select! {
            Some(lost) = keeping.join_next() => Err(lost.unwrap_or_else(|e| AggregationError::Cut(e.to_string()))),
            ended = self.roll_on(&lease) => ended,
        }
    }

    /// Renews the lease, and says with it up to when the totals are known to be complete, until the lease is lost.
    async fn keep(self: Arc<Self>, lease: Lease) -> AggregationError {
        let Settings { lease: ttl, now, .. } = self.settings;
        let mut renewals = tokio::time::interval((ttl / 3).min(RENEWAL));
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            renewals.tick().await;
            let confirmed = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
            match self.tiles.renew_lease(&lease, ttl, now(), confirmed).await {
                Ok(renewed) => self.hold(Some(renewed)),
                // Whoever writes meanwhile finds out by itself; the database may be back before the lease is out.
                Err(error) if error.is_transient() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the lease is not renewed");
                }
                Err(error) => return error.into(),
            }
        }
    }

    /// Follows the ledger from the checkpoint on.
    async fn roll_on(self: &Arc<Self>, lease: &Lease) -> Result<Duration, AggregationError> {
        let snapshot = self.tiles.snapshot().await?;
        let checkpoint = snapshot.checkpoint().clone();
        let engine = match snapshot.registry().await? {
            Some((_, record)) => Some(Engine::new(Arc::new(read_registry(&record)?))),
            None => None,
        };
        drop(snapshot);
        self.announce(checkpoint.position, checkpoint.time, vec![]);
        self.set_halted(None);
        let (position, writing) = (checkpoint.position, Writing::default());
        let mut rolling = Rolling { engine, position, writing, caught_up_at: None };
        let ended = self.roll(lease, &mut rolling).await;
        // However it ended: what is being written was worked out, and need not be again.
        rolling.writing.end().await?;
        ended
    }

    /// Takes what the ledger has after what the engine holds, and what is asked for, until the tail ends.
    async fn roll(
        self: &Arc<Self>,
        lease: &Lease,
        rolling: &mut Rolling,
    ) -> Result<Duration, AggregationError> {
        let mut rebuilds = self.rebuilds.1.lock().await;
        let mut waiting = self.tail(rolling.position);
        let mut rested = Instant::now();
        loop {
            let first = tokio::select! {
                Some(done) = rebuilds.recv() => {
                    self.written_out(rolling).await?;
                    self.replace_all(lease, rolling.position).await?;
                    // Who asked may have gone.
                    let _ = done.send(rolling.position);
                    return Ok(AGAIN);
                }
                ended = rolling.writing.ended() => {
                    ended?;
                    self.confirm(rolling);
                    continue;
                }
                first = waiting.recv() => first,
            };
            let Some(first) = first else { return Ok(AGAIN) };
            tokio::time::sleep_until(rested).await;
            let begun = Instant::now();
            let Batch { entries, caught_up_at } = self.batch_from(first?, &mut waiting)?;
            self.roll_up(lease, rolling, entries).await?;
            rested = Instant::now() + rest_after(begun.elapsed());
            rolling.caught_up_at = caught_up_at.or(rolling.caught_up_at);
            if rolling.writing.is_idle() {
                self.confirm(rolling);
            }
        }
    }

    /// Waits until everything that was worked out is written.
    async fn written_out(&self, rolling: &mut Rolling) -> Result<(), AggregationError> {
        rolling.writing.end().await?;
        self.confirm(rolling);
        Ok(())
    }

    /// Everything that was worked out is written: what the ledger had at the last word that there was no more, too.
    fn confirm(&self, rolling: &mut Rolling) {
        if let Some(at) = rolling.caught_up_at.take() {
            *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        }
    }

    /// What waits, within the bounds of a batch. That there was no more at some time ends none: the ledger says so after
    /// every burst, and by the time that it is heard more may wait.
    fn batch_from(
        &self,
        first: Tailed,
        waiting: &mut mpsc::Receiver<Result<Tailed, AggregationError>>,
    ) -> Result<Batch, AggregationError> {
        let mut batch = Batch { entries: vec![], caught_up_at: None };
        let (mut bytes, mut next) = (0, Some(first));
        while let Some(tailed) = next {
            match tailed {
                Tailed::CaughtUp(at) => batch.caught_up_at = Some(at),
                Tailed::Entry(entry) => {
                    bytes += entry.record.len();
                    batch.entries.push(*entry);
                }
            }
            if batch.entries.len() >= self.settings.batch_entries || bytes >= self.settings.batch_bytes {
                break;
            }
            next = waiting.try_recv().ok().transpose()?;
        }
        Ok(batch)
    }

    fn hold(&self, lease: Option<Lease>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = lease;
    }

    /// Another process is active: who watches this one is told how far that one is.
    async fn stand_by(&self) -> Result<Duration, AggregationError> {
        self.hold(None);
        let snapshot = self.tiles.snapshot().await?;
        let checkpoint = snapshot.checkpoint();
        if checkpoint.position > self.reached.borrow().position {
            self.announce(checkpoint.position, checkpoint.time, vec![]);
        }
        Ok(STANDBY)
    }

    /// Reads the ledger's tail into a bounded queue.
    fn tail(&self, after: i64) -> mpsc::Receiver<Result<Tailed, AggregationError>> {
        let (sender, receiver) = mpsc::channel(self.settings.batch_entries.max(1));
        let channel = self.ledger.clone();
        tokio::spawn(async move {
            let mut client = LedgerServiceClient::new(channel).max_decoding_message_size(LARGEST_RECORD);
            let request = TailRequest { after_position: after, until_head: false, heartbeats: true };
            let silent = || tonic::Status::unavailable("the ledger is silent");
            let called = tokio::time::timeout(SILENCE, client.tail(request)).await;
            let mut stream = match called.unwrap_or_else(|_| Err(silent())) {
                Ok(response) => response.into_inner(),
                Err(status) => {
                    let _ = sender.send(Err(status.into())).await;
                    return;
                }
            };
            loop {
                let message = tokio::select! {
                    () = sender.closed() => return,
                    message = tokio::time::timeout(SILENCE, stream.message()) => message,
                };
                let next = match message.unwrap_or_else(|_| Err(silent())) {
                    Ok(Some(message)) => tailed(message),
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

    /// What waits, as one batch that can be seen from outside.
    async fn roll_up(
        self: &Arc<Self>,
        lease: &Lease,
        rolling: &mut Rolling,
        entries: Vec<Entry>,
    ) -> Result<(), AggregationError> {
        if entries.is_empty() {
            return Ok(());
        }
        let watched = Watched::begin(&entries);
        let span = watched.span();
        if entries.iter().any(|e| e.receipt.kind == EntryKind::Registry) {
            let done = self.with_registries(lease, rolling, entries).instrument(span).await;
            watched.end(done.is_ok(), &self.measures);
            return done;
        }
        match self.work_out(rolling, entries).instrument(span.clone()).await {
            Ok(worked_out) => {
                // The batch before is written meanwhile; now it has to be.
                self.written_out(rolling).await?;
                let (this, lease) = (Arc::clone(self), *lease);
                let write = async move {
                    let written = this.write(&lease, worked_out, None).instrument(span).await;
                    watched.end(written.is_ok(), &this.measures);
                    written
                };
                rolling.writing.begin(write);
                Ok(())
            }
            Err(error) => {
                watched.end(false, &self.measures);
                Err(error)
            }
        }
    }

    /// Works out what anything but registries changes. What the engine holds is ahead of the database until that is
    /// written.
    async fn work_out(
        &self,
        rolling: &mut Rolling,
        entries: Vec<Entry>,
    ) -> Result<WorkedOut, AggregationError> {
        let expected = rolling.position;
        let damaged = |what: &str| AggregationError::Damaged {
            row: format!("ledger position {}", expected + 1),
            what: what.into(),
        };
        let last = entries.last().map(|e| e.receipt.clone()).ok_or_else(|| damaged("nothing"))?;
        let reviews: Vec<Review> = entries.iter().filter_map(review_of).collect::<Result<_, _>>()?;
        let rules: Vec<Rule> = entries.iter().filter_map(rule_of).collect();
        let (entries, named): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|e| e.receipt.kind == EntryKind::Submission);
        let named: Vec<Effect> = named.iter().map(named_effect).collect();
        let Some(mut working) = rolling.engine.take() else {
            if !entries.is_empty() {
                return Err(damaged("a submission before any registry"));
            }
            // Keys may be given before there is a registry.
            rolling.position = last.position;
            let changes = Changes { effects: named, ..Changes::default() };
            return Ok(WorkedOut { expected, last, changes, reviews, rules });
        };
        let prepare = move || {
            let prepared = working.prepare(entries);
            (working, prepared)
        };
        let (mut working, prepared) = self.behind.done(prepare).await?;
        let prepared = prepared?;
        let needs = working.needs(&prepared);
        if working.lacks(&needs) {
            // What is not held, no batch has touched that is not written yet.
            let snapshot = self.tiles.snapshot().await?;
            working.fetch(&snapshot, &needs).await?;
        }
        let put = move || {
            let changes = working.put(&prepared);
            (working, changes)
        };
        let (working, mut changes) = self.behind.done(put).await?;
        changes.effects.extend(named);
        rolling.engine = Some(working);
        rolling.position = last.position;
        Ok(WorkedOut { expected, last, changes, reviews, rules })
    }

    /// A batch with registries in it: each begins a new engine.
    async fn with_registries(
        self: &Arc<Self>,
        lease: &Lease,
        rolling: &mut Rolling,
        entries: Vec<Entry>,
    ) -> Result<(), AggregationError> {
        self.written_out(rolling).await?;
        let mut run: Vec<Entry> = Vec::new();
        for entry in entries {
            if entry.receipt.kind != EntryKind::Registry {
                run.push(entry);
                continue;
            }
            self.written(lease, rolling, std::mem::take(&mut run)).await?;
            let before = rolling.engine.as_ref().map(|e| Arc::clone(e.registry()));
            let registry = Arc::new(read_registry(&entry.record)?);
            let moves = before.is_some_and(|b| !b.keeps_figures_in_place(&registry));
            if moves {
                self.replace_all_with(lease, rolling.position, Arc::clone(&registry), &entry).await?;
            } else {
                let effect = effect_of(&entry.receipt, Default::default(), vec![]);
                let changes = Changes { effects: vec![effect], ..Changes::default() };
                let record = (entry.receipt.position, entry.record.clone());
                let (expected, last) = (rolling.position, entry.receipt.clone());
                let (reviews, rules) = (vec![], vec![]);
                let worked_out = WorkedOut { expected, last, changes, reviews, rules };
                self.write(lease, worked_out, Some(record)).await?;
            }
            rolling.position = entry.receipt.position;
            rolling.engine = Some(Engine::new(registry));
        }
        self.written(lease, rolling, run).await
    }

    /// Submissions only, worked out and written.
    async fn written(
        &self,
        lease: &Lease,
        rolling: &mut Rolling,
        entries: Vec<Entry>,
    ) -> Result<(), AggregationError> {
        if entries.is_empty() {
            return Ok(());
        }
        let worked_out = self.work_out(rolling, entries).await?;
        Ok(self.write(lease, worked_out, None).await?)
    }

    async fn write(
        &self,
        lease: &Lease,
        WorkedOut { expected, last, changes, reviews, rules }: WorkedOut,
        registry: Option<(i64, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        let batch = TileBatch {
            expected_position: expected,
            position: last.position,
            ledger_digest: last.digest,
            time: last.received_at,
            epoch: lease.epoch,
            tiles: changes.tiles,
            summaries: changes.summaries,
            effects: changes.effects,
            registry,
            registries_before: vec![],
            reviews,
            rules,
            replaces_all: false,
        };
        self.tiles.write_and_renew(batch, self.settings.lease, self.settings.now).await?;
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

/// How long to rest after a batch that took some time.
///
/// What comes in a burst is acknowledged meanwhile with nobody beside it, and then goes in together: what a batch costs
/// for the nation's totals does not depend on how many pushes are in it. What comes alone finds everybody rested.
fn rest_after(took: Duration) -> Duration {
    took.min(LONGEST_REST)
}

/// Rolling up under way: while one batch is written, the next is worked out.
struct Rolling {
    /// None before the first registry, and after a failure.
    engine: Option<Engine>,
    /// Up to where the engine holds everything.
    position: i64,
    writing: Writing,
    /// When the ledger had nothing more than what was worked out or is being written.
    caught_up_at: Option<Timestamp>,
}

/// What a batch changes, to be written.
struct WorkedOut {
    expected: i64,
    last: Receipt,
    changes: Changes,
    reviews: Vec<Review>,
    rules: Vec<Rule>,
}

/// The batch that is being written; dropped, it is given up, and written whole or not at all.
#[derive(Default)]
struct Writing(JoinSet<Result<(), StoreError>>);

impl Writing {
    fn begin(&mut self, write: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        self.0.spawn(write);
    }

    /// Waits until nothing is being written.
    async fn end(&mut self) -> Result<(), AggregationError> {
        while let Some(ended) = self.0.join_next().await {
            ended.map_err(|e| AggregationError::Cut(e.to_string()))??;
        }
        Ok(())
    }

    /// Whether nothing is being written.
    fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until a batch is written; for ever where none is being written.
    async fn ended(&mut self) -> Result<(), AggregationError> {
        match self.0.join_next().await {
            Some(ended) => Ok(ended.map_err(|e| AggregationError::Cut(e.to_string()))??),
            None => std::future::pending().await,
        }
    }
}

/// What waits, as far as it fits.
struct Batch {
    entries: Vec<Entry>,
    caught_up_at: Option<Timestamp>,
}

/// A message of the tail.
fn tailed(message: TailResponse) -> Result<Tailed, AggregationError> {
    if message.receipt.is_some() {
        return Ok(Tailed::Entry(Box::new(entry(message)?)));
    }
    let at = message.caught_up_at.parse();
    let damaged = |_| AggregationError::Damaged {
        row: "a heartbeat of the ledger".into(),
        what: format!("{:?} is not a time", message.caught_up_at),
    };
    Ok(Tailed::CaughtUp(at.map_err(damaged)?))
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
        "review" => EntryKind::Review,
        "access" => EntryKind::Access,
        "report" => EntryKind::Report,
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
            actor: receipt.actor,
            media_type: String::new(),
        },
        document: vec![],
        record: message.record,
        trace_parent: message.trace_parent,
    })
}
