//! Aggregation: tails the ledger, and keeps tiles and totals up to it.
//!
//! | module | idea |
//! |---|---|
//! | `engine` | ledger entries into tiles and totals; the same for a batch and for a rebuild |
//! | `prepared` | a submission taken apart: which figures go to which tile |
//! | `series` | series by number |
//! | `shelf`, `held_summary` | tiles and summaries held in memory while figures are put into them |
//! | `summarise` | from tiles to the cells of provinces and of the nation |
//! | `plain` | the cells of a province whose figures are plain |
//! | `whole_findings` | what only the whole can show |
//! | `implausible` | what rules of plausibility say of figures beside all others |
//! | `follow` | the loop: tail, batch, one transaction, tell the watchers |
//! | `beside` | entries that change no total: reviews, and who may do what |
//! | `rebuild` | everything again from the ledger: to replace, or to compare |
//! | `keys` | the keys there are, as this replica learns them |
//! | `grpc` | the service |
//! | `rest` | which replica is active |
//! | `behind`, `cores` | threads that give way to whoever waits, and work on many things at once |
//! | `metrics`, `watched` | what is measured, and the spans of a batch |

mod behind;
mod beside;
mod cores;
mod engine;
mod follow;
mod grpc;
mod held_summary;
mod implausible;
mod keys;
mod metrics;
mod plain;
mod prepared;
mod rebuild;
mod rest;
mod series;
mod shelf;
mod summarise;
mod watched;
mod whole_findings;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tonghop_runtime::Stop;
use tonghop_runtime::trace::TracedChannel;
use tonghop_store::{Lease, StoreError, Tiles};

use behind::Behind;
use metrics::Measures;

pub use follow::Settings;
pub use grpc::AggregationGrpc;
pub use rest::routes;
pub use summarise::summarised;

/// Why rolling up does not go on.
#[derive(Debug, thiserror::Error)]
pub enum AggregationError {
    /// The database.
    #[error("the tiles' database")]
    Store(#[from] StoreError),
    /// The ledger service.
    #[error("the ledger service")]
    Ledger(#[source] Box<tonic::Status>),
    /// Something stored makes no sense.
    #[error("{row}: {what}")]
    Damaged {
        /// Which row.
        row: String,
        /// What about it.
        what: String,
    },
    /// A computation was cut off by shutdown, or panicked.
    #[error("a computation did not finish: {0}")]
    Cut(String),
}

impl From<tonic::Status> for AggregationError {
    fn from(status: tonic::Status) -> Self {
        AggregationError::Ledger(Box::new(status))
    }
}

/// Up to where totals are complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The ledger position.
    pub position: i64,
    /// When the entry at that position was received.
    pub time: Option<Timestamp>,
}

/// What moved the totals on.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Up to where.
    pub reached: Reached,
    /// Series whose totals changed.
    pub series: Vec<String>,
}

/// Where to say that a rebuild is done, and up to which position.
type Rebuilt = oneshot::Sender<i64>;

/// The service's state, shared by its loop and its API.
#[derive(Debug)]
pub struct Aggregation {
    tiles: Tiles,
    ledger: TracedChannel,
    measures: Measures,
    settings: Settings,
    reached: watch::Sender<Reached>,
    moved: broadcast::Sender<Arc<Moved>>,
    halted: Mutex<Option<String>>,
    /// The lease last taken or renewed.
    held: Mutex<Option<Lease>>,
    /// Until when everything that was accepted is known to be in.
    confirmed: Mutex<Option<Timestamp>>,
    rebuilds: (mpsc::Sender<Rebuilt>, tokio::sync::Mutex<mpsc::Receiver<Rebuilt>>),
    /// Where batches are worked out.
    behind: Behind,
    /// When streams end.
    stop: Stop,
}

impl Aggregation {
    /// Over a database of tiles and the ledger service behind a channel.
    pub fn new(tiles: Tiles, ledger: TracedChannel, settings: Settings, stop: Stop) -> Arc<Aggregation> {
        let (ask, asked) = mpsc::channel(1);
        Arc::new(Aggregation {
            tiles,
            ledger,
            measures: Measures::default(),
            settings,
            reached: watch::Sender::new(Reached::default()),
            moved: broadcast::Sender::new(1024),
            halted: Mutex::new(None),
            held: Mutex::new(None),
            confirmed: Mutex::new(None),
            rebuilds: (ask, tokio::sync::Mutex::new(asked)),
            behind: Behind::start(),
            stop,
        })
    }

    /// Whether it can do its work.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn probe(&self) -> Result<(), String> {
        if let Some(why) = self.halted() {
            tracing::debug!(%why, "halted");
            return Err("rolling up is halted: the log says why".to_owned());
        }
        match self.tiles.snapshot().await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the tiles do not answer");
                Err("the totals' database does not answer".to_owned())
            }
        }
    }

    fn set_halted(&self, why: Option<String>) {
        self.measures.halted(why.is_some());
        *self.halted.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn halted(&self) -> Option<String> {
        self.halted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
