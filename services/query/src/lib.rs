//! Query: answers what totals are, what they rest on, and who has reported. It writes nothing.
//!
//! | module | idea |
//! |---|---|
//! | `approved` | which figures are approved |
//! | `compliance` | who owes a report, by when, and what became of it |
//! | `moment` | as of when a question is answered, and by which registry |
//! | `sight` | what a caller may see |
//! | `keys` | the keys there are, as this replica learns them |
//! | `read` | tiles and summaries into answers, from one snapshot |
//! | `ask` | from the words of a request to what they mean |
//! | `question` | what a question asks, without a figure |
//! | `pivot` | every total that a request asks for, in order |
//! | `beside` | what is asked for beside each total: change, share, place |
//! | `territory` | what a unit's territory was through time |
//! | `given` | what was given where it does not add up |
//! | `cursor` | where a page starts |
//! | `totals`, `explain`, `figures`, `reviews` | the operations, the same for both transports |
//! | `view` | answers as they are shown |
//! | `tree` | a total opened into its parts, and these in their turn |
//! | `changes` | what changes, as it changes |
//! | `grpc`, `rest` | the two transports |
//! | `dashboard` | the same answers as pages for people |
//! | `export` | totals and figures as files, streamed |
//! | `openapi` | what REST takes and answers, for programs and people |
//! | `tag` | tags of answers |
//! | `kept` | answers that are given again while they are still the answer |
//! | `present` | which state of the totals is the present one |
//! | `metrics` | what is counted |

mod approved;
mod ask;
mod beside;
mod changes;
mod compliance;
mod cursor;
mod dashboard;
mod explain;
mod export;
mod figures;
mod given;
mod grpc;
mod kept;
mod keys;
mod metrics;
mod moment;
mod openapi;
mod pivot;
mod present;
pub mod question;
mod read;
mod rest;
mod reviews;
mod sight;
mod tag;
mod territory;
mod totals;
mod tree;
mod view;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tonghop_access::{Authority, Caller};
use tonghop_core::registry::Registry;
use tonghop_proto::aggregation::WatchRequest;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::query::AsOf;
use tonghop_runtime::trace::TracedChannel;
use tonghop_runtime::{Failure, FailureKind, Stop, Text};
use tonghop_store::{Snapshot, StoreError, Tiles};

use metrics::Measures;
use moment::{Moment, Moments, When};
use sight::Sight;

pub use grpc::QueryGrpc;
pub use kept::keep_answers;
pub use rest::routes;

/// How long a reader may wait for a position.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How often a waiting reader looks at the database by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How soon it looks again, where aggregation has said that the position is there.
const LOOK_SOON: Duration = Duration::from_millis(5);
/// How often the database is looked at for those who listen, whatever aggregation says.
const LOOK_FOR_ITSELF: Duration = Duration::from_secs(2);
/// Totals are confirmed to be complete every second; only answers older than this say how old they are.
const FRESH: Duration = Duration::from_secs(5);

/// The service's state.
#[derive(Debug)]
pub struct Query {
    tiles: Tiles,
    aggregation: TracedChannel,
    measures: Measures,
    reached: watch::Sender<i64>,
    /// Those read last, by the position they were loaded at.
    registries: Mutex<Vec<(i64, Arc<Registry>)>>,
    /// Held by whoever reads one.
    reading_registry: tokio::sync::Mutex<()>,
    kept: kept::Answers,
    reports: Arc<approved::Known>,
    present: present::Present,
    /// Whom this process lets in.
    authority: Arc<Authority>,
    /// Whether the keys there are have been read.
    learnt: AtomicBool,
    now: fn() -> Timestamp,
    /// When streams end.
    stop: Stop,
    /// Places among the files that are written at once.
    files: Arc<Semaphore>,
}

/// One consistent view of everything, as of one position.
struct View {
    snapshot: Snapshot,
    /// The registry of the moment.
    registry: Arc<Registry>,
    /// What whoever asks may see.
    sight: Sight,
    moment: Arc<Moment>,
    /// Whether approved figures alone are asked.
    approved_only: bool,
    reports: Arc<approved::Known>,
    measures: Measures,
    /// For how long nobody has confirmed that nothing newer was accepted, where that is remarkable.
    stale_seconds: Option<i64>,
}

impl Query {
    /// Over the tiles' database, and the aggregation service that says when they move. What keys there are, it tells the
    /// authority as it reads it.
    pub fn new(
        tiles: Tiles,
        aggregation: TracedChannel,
        authority: &Arc<Authority>,
        now: fn() -> Timestamp,
        stop: Stop,
    ) -> Arc<Query> {
        let (authority, learnt) = (Arc::clone(authority), AtomicBool::new(false));
        let (reached, registries) = (watch::Sender::new(0), Mutex::default());
        let measures = Measures::default();
        let files = Arc::new(Semaphore::new(export::FILES_AT_ONCE));
        let (kept, present) = Default::default();
        Arc::new(Query {
            tiles,
            aggregation,
            measures,
            reached,
            registries,
            reading_registry: Default::default(),
            kept,
            reports: Arc::default(),
            present,
            authority,
            learnt,
            now,
            stop,
            files,
        })
    }

    /// The time, as this process was given it.
    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Whether it can do its work.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn probe(&self) -> Result<(), String> {
        match self.tiles.snapshot().await {
            Ok(_) if self.knows_keys() => Ok(()),
            Ok(_) => Err("which keys there are has not been read yet".to_owned()),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the tiles do not answer");
                Err("the totals' database does not answer".to_owned())
            }
        }
    }

    /// Follows how far the totals are, until it is told to stop.
    pub async fn run(self: Arc<Self>) {
        tokio::select! {
            () = self.stop.told() => {}
            () = self.listen_on() => {}
            () = self.look_on() => {}
            () = self.learn_on() => {}
        }
    }

    /// Listens to aggregation, and again whenever that ends.
    async fn listen_on(&self) {
        loop {
            let ended = self.listen().await;
            self.present.hear(false);
            self.kept.clear();
            self.reports.clear();
            if let Err(status) = ended {
                tracing::warn!(%status, "the stream of changes ended");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn listen(&self) -> Result<(), tonic::Status> {
        let mut client = AggregationServiceClient::new(self.aggregation.clone());
        let mut stream = client.watch(WatchRequest {}).await?.into_inner();
        let _heard = self.measures.heard();
        let mut last = i64::MAX;
        while let Some(message) = stream.message().await? {
            self.reach(message.position);
            if message.position <= last {
                // Not the next position: it may be the same one made anew, or another ledger's.
                self.kept.clear();
                self.reports.clear();
            }
            last = message.position;
            self.present.hear(true);
        }
        Ok(())
    }

    /// Looks at the database by itself, now and then: whoever listens is told a little late where aggregation does
    /// not get through, and what every question needs is read before there is one.
    async fn look_on(&self) {
        loop {
            match self.tiles.snapshot().await {
                Ok(snapshot) => {
                    self.reach(snapshot.checkpoint().position);
                    self.be_ready(&snapshot).await;
                }
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the tiles do not answer");
                }
            }
            tokio::time::sleep(LOOK_FOR_ITSELF).await;
        }
    }

    /// Reads the registry in force, so that nobody's question has to wait for it.
    async fn be_ready(&self, snapshot: &Snapshot) {
        let Some(position) = snapshot.checkpoint().registry_position else { return };
        if let Err(failure) = self.registry_of(snapshot, position).await {
            tracing::debug!(%failure, "the registry is not read");
        }
    }

    /// Everything up to a position is there. A replica of aggregation that stands by may be a little behind the one
    /// that was listened to before.
    fn reach(&self, position: i64) {
        self.reached.send_if_modified(|reached| {
            let moved = position > *reached;
            *reached = position.max(*reached);
            self.measures.position.set(*reached);
            moved
        });
    }

    /// A view as of when it is asked for; what is not there yet is waited for, within bounds. Aggregation says when
    /// it is there; where that word does not come through, the database is looked at.
    ///
    /// Everything that answers begins here, and what answers piece by piece comes here for each: so whoever lost their
    /// key meanwhile gets nothing more.
    async fn view(&self, caller: &Caller, when: When<'_>) -> Result<View, Failure> {
        caller.still(&self.authority.keys(), (self.now)())?;
        let at_least = when.needs()?;
        let plainly = present::PLAINLY_OF.try_with(Clone::clone).ok();
        let mut snapshot = match plainly.filter(|checkpoint| checkpoint.position >= at_least) {
            Some(checkpoint) => self.tiles.snapshot_of(checkpoint),
            None => self.tiles.snapshot().await.map_err(store_failure)?,
        };
        let deadline = Instant::now() + LONGEST_WAIT;
        let mut reached = self.reached.subscribe();
        if snapshot.checkpoint().position < at_least {
            self.measures.waits.inc();
        }
        while snapshot.checkpoint().position < at_least {
            drop(snapshot);
            if Instant::now() >= deadline {
                self.measures.timeouts.inc();
                let detail = Text::of(
                    format!("vị trí {at_least} chưa được tổng hợp; hãy hỏi lại"),
                    format!("position {at_least} is not rolled up yet; ask again"),
                );
                return Err(Failure::new(FailureKind::Unavailable, detail));
            }
            // A word that came before the database shows it is not waited for again.
            if *reached.borrow() >= at_least {
                tokio::time::sleep(LOOK_SOON).await;
            } else {
                // Too late or in time, the database decides.
                let _ = tokio::time::timeout(LOOK_AGAIN, reached.wait_for(|p| *p >= at_least)).await;
            }
            snapshot = self.tiles.snapshot().await.map_err(store_failure)?;
        }
        let Moments { moment, registry, present } = self.moment(&snapshot, when).await?;
        let sight = Sight::new(caller, &registry, present);
        // Nothing newer belongs into what is of the past.
        let is_past = moment.past().is_some() || !moment.review().is_empty();
        let confirmed = snapshot.checkpoint().confirmed_at.filter(|_| !is_past);
        let stale_seconds = stale_seconds(confirmed, (self.now)());
        self.measures.views.inc();
        let (moment, measures) = (Arc::new(moment), self.measures.clone());
        let (reports, approved_only) = (Arc::clone(&self.reports), when.approved_only);
        Ok(View { snapshot, registry, sight, moment, approved_only, reports, measures, stale_seconds })
    }
}

impl View {
    /// The position that it is as of.
    fn position(&self) -> i64 {
        self.moment.past().map_or(self.snapshot.checkpoint().position, |(position, _)| position)
    }

    fn as_of(&self) -> AsOf {
        let checkpoint = self.snapshot.checkpoint();
        let (position, time) = self.moment.past().unwrap_or((checkpoint.position, checkpoint.time));
        AsOf {
            position,
            time: time.map(|t| t.to_string()).unwrap_or_default(),
            stale_seconds: self.stale_seconds,
            review: self.moment.review().to_owned(),
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.measures.statements.inc_by(self.snapshot.statements());
    }
}

/// For how long what was last `confirmed` to be complete has not been confirmed again, if that is longer than
/// usual.
fn stale_seconds(confirmed: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    let age = now.duration_since(confirmed?);
    (age.unsigned_abs() > FRESH && age.is_positive()).then(|| age.as_secs())
}

/// A database failure as a caller sees it.
fn store_failure(error: StoreError) -> Failure {
    if error.is_transient() {
        let detail = Text::of(
            "cơ sở dữ liệu số tổng hợp không trả lời; hãy hỏi lại",
            "the totals' database does not answer; ask again",
        );
        Failure::unavailable(detail, error)
    } else {
        Failure::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_was_not_confirmed_for_a_while_says_so() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        assert_eq!(stale_seconds(None, at(1000)), None, "nobody has ever confirmed anything");
        assert_eq!(stale_seconds(Some(at(995)), at(1000)), None);
        assert_eq!(stale_seconds(Some(at(994)), at(1000)), Some(6));
        assert_eq!(stale_seconds(Some(at(1100)), at(1000)), None, "the clocks differ");
    }
}
