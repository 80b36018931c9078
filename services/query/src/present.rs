//! Which state of the totals is the present one, as cheaply as that can be known.
//!
//! | who knows | at what cost |
//! |---|---|
//! | this process, where it writes the totals itself | none |
//! | aggregation, which promises for some milliseconds that it commits nothing | a call now and then, while somebody asks |
//! | the database | a small read, shared by all who ask meanwhile |
//!
//! Each tells the state at some moment after the question came, so that what is answered never goes back, neither here
//! nor from one replica to the next.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{GetStandingRequest, GetStandingResponse};
use tonghop_store::Checkpoint;

use crate::{Query, stale_seconds};

/// How many questions may wait for one look at the state; more are answered, or refused, as others are.
const MOST_LOOKING: usize = 1024;
/// How long aggregation has to answer.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long it is not asked again where it promised nothing: a write is under way.
const SOON: Duration = Duration::from_millis(5);
/// How long it is not asked again where it did not answer.
const LATER: Duration = Duration::from_millis(200);

tokio::task_local! {
    /// The state that a question is to be answered from without a transaction, by whoever looks afterwards whether it
    /// still is the present one.
    pub(crate) static PLAINLY_OF: Checkpoint;
}

/// What this replica knows of it between two questions.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// Whether aggregation's stream is there.
    heard: AtomicBool,
    /// Questions that wait to know.
    looking: AtomicUsize,
    promise: Mutex<Promise>,
    /// Held by whoever asks aggregation for all.
    asking: tokio::sync::Mutex<()>,
}

/// What aggregation said last.
#[derive(Debug, Default)]
enum Promise {
    /// Nothing yet.
    #[default]
    None,
    /// That this is the state at least until then.
    Until(Instant, Checkpoint),
    /// Nothing, and until then it is not asked again.
    NotBefore(Instant),
}

/// One of those who wait to know; there are not too many.
struct Looking<'a>(&'a AtomicUsize);

impl Looking<'_> {
    fn begin(all: &AtomicUsize) -> Option<Looking<'_>> {
        let looking = Looking(all);
        (all.fetch_add(1, Ordering::SeqCst) < MOST_LOOKING).then_some(looking)
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Present {
    /// Whether aggregation's stream is there.
    pub(crate) fn hear(&self, heard: bool) {
        self.heard.store(heard, Ordering::SeqCst);
    }

    fn promised(&self) -> Option<Checkpoint> {
        match &*self.promise() {
            Promise::Until(until, checkpoint) if Instant::now() < *until => Some(checkpoint.clone()),
            _ => None,
        }
    }

    /// Whether it is worth asking aggregation.
    fn may_ask(&self) -> bool {
        !matches!(&*self.promise(), Promise::NotBefore(then) if Instant::now() < *then)
    }

    fn promise(&self) -> MutexGuard<'_, Promise> {
        self.promise.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Query {
    /// The state that the tiles are in at some moment after the call, if answers of it can be kept: where aggregation
    /// is heard, and the totals are confirmed to be complete.
    pub(crate) async fn present(&self) -> Option<Checkpoint> {
        if !self.present.heard.load(Ordering::SeqCst) {
            return None;
        }
        let checkpoint = match self.tiles.standing_known().or_else(|| self.present.promised()) {
            Some(known) => known,
            None => {
                let _looking = Looking::begin(&self.present.looking)?;
                match self.ask_for_promise().await {
                    Some(promised) => promised,
                    None => self.tiles.standing().await.ok()?,
                }
            }
        };
        let stale = stale_seconds(checkpoint.confirmed_at, (self.now)());
        stale.is_none().then_some(checkpoint)
    }

    /// What aggregation promises; one asks for all.
    async fn ask_for_promise(&self) -> Option<Checkpoint> {
        let present = &self.present;
        if self.tiles.is_written_here() || !present.may_ask() {
            return None;
        }
        let _asking = present.asking.lock().await;
        if let Some(promised) = present.promised() {
            return Some(promised);
        }
        if !present.may_ask() {
            return None;
        }
        let mut client = AggregationServiceClient::new(self.aggregation.clone());
        // From before the call, so that it has run out here before it does there.
        let asked = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, client.get_standing(GetStandingRequest {})).await;
        let said = answer.ok().and_then(Result::ok).map(tonic::Response::into_inner);
        let promise = match said.map(read) {
            Some(Some((checkpoint, promised))) if !promised.is_zero() => {
                Promise::Until(asked + promised, checkpoint)
            }
            Some(Some(_)) => Promise::NotBefore(Instant::now() + SOON),
            Some(None) | None => Promise::NotBefore(Instant::now() + LATER),
        };
        *present.promise() = promise;
        present.promised()
    }
}

fn read(said: GetStandingResponse) -> Option<(Checkpoint, Duration)> {
    let time = |text: &str| match text {
        "" => Some(None),
        text => text.parse::<Timestamp>().ok().map(Some),
    };
    let checkpoint = Checkpoint {
        position: said.position,
        ledger_digest: said.ledger_digest.try_into().ok()?,
        time: time(&said.time)?,
        registry_position: Some(said.registry_position).filter(|position| *position > 0),
        epoch: said.epoch,
        confirmed_at: time(&said.confirmed_at)?,
    };
    Some((checkpoint, Duration::from_micros(said.promised_micros.into())))
}
