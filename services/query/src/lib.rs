//! Query: answers what totals are, what they rest on, and who has reported. It writes nothing.
//!
//! | module | idea |
//! |---|---|
//! | `read` | tiles and summaries into answers, from one snapshot |
//! | `ask` | from the words of a request to questions |
//! | `totals`, `explain`, `figures` | the operations, the same for both transports |
//! | `view` | answers as they are shown |
//! | `grpc`, `rest` | the two transports |
//! | `metrics` | what is counted |

mod ask;
mod explain;
mod figures;
mod grpc;
mod metrics;
mod read;
mod rest;
mod totals;
mod view;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tonghop_core::registry::Registry;
use tonghop_proto::aggregation::WatchRequest;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::query::AsOf;
use tonghop_runtime::trace::{TracedChannel, traced_channel};
use tonghop_runtime::{Failure, FailureKind};
use tonghop_store::{Snapshot, StoreError, Tiles};
use tonic::transport::Channel;

use metrics::Measures;

pub use grpc::QueryGrpc;
pub use rest::routes;

/// How long a reader may wait for a position.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The service's state.
#[derive(Debug)]
pub struct Query {
    tiles: Tiles,
    aggregation: TracedChannel,
    measures: Measures,
    reached: watch::Sender<i64>,
    registry: Mutex<Option<(i64, Arc<Registry>)>>,
}

/// One consistent view of everything, as of one position.
struct View {
    snapshot: Snapshot,
    registry: Arc<Registry>,
}

impl Query {
    /// Over the tiles' database, and the aggregation service that says when they move.
    pub fn new(tiles: Tiles, aggregation: Channel) -> Arc<Query> {
        Arc::new(Query {
            tiles,
            aggregation: traced_channel(aggregation),
            measures: Measures::default(),
            reached: watch::Sender::new(0),
            registry: Mutex::new(None),
        })
    }

    /// Listens to aggregation until `shutdown` resolves.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                ended = self.listen() => {
                    if let Err(status) = ended {
                        tracing::warn!(%status, "the stream of changes ended");
                    }
                }
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }

    async fn listen(&self) -> Result<(), tonic::Status> {
        let mut client = AggregationServiceClient::new(self.aggregation.clone());
        let mut stream = client.watch(WatchRequest {}).await?.into_inner();
        let _heard = self.measures.heard();
        while let Some(message) = stream.message().await? {
            self.measures.position.set(message.position);
            self.reached.send_replace(message.position);
        }
        Ok(())
    }

    /// A view that includes everything up to `at_least`, for which it waits, within bounds.
    async fn view(&self, at_least: i64) -> Result<View, Failure> {
        let mut snapshot = self.tiles.snapshot().await.map_err(store_failure)?;
        if snapshot.checkpoint().position < at_least {
            drop(snapshot);
            self.measures.waits.inc();
            let mut reached = self.reached.subscribe();
            let waited = tokio::time::timeout(LONGEST_WAIT, reached.wait_for(|p| *p >= at_least)).await;
            let arrived = matches!(waited, Ok(Ok(_)));
            drop(waited);
            if !arrived {
                self.measures.timeouts.inc();
                return Err(Failure::new(
                    FailureKind::Unavailable,
                    format!("position {at_least} is not rolled up yet; ask again"),
                ));
            }
            snapshot = self.tiles.snapshot().await.map_err(store_failure)?;
        }
        let registry = self.registry(&snapshot).await?;
        self.measures.views.inc();
        Ok(View { snapshot, registry })
    }

    async fn registry(&self, snapshot: &Snapshot) -> Result<Arc<Registry>, Failure> {
        let Some(position) = snapshot.checkpoint().registry_position else {
            return Err(Failure::new(
                FailureKind::Unavailable,
                "no registry is loaded yet: load one with `tonghop registry load`",
            ));
        };
        let known = self.registry.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, registry)) = known.filter(|(at, _)| *at == position) {
            return Ok(registry);
        }
        let stored = snapshot.registry().await.map_err(store_failure)?;
        let Some((_, record)) = stored else {
            return Err(Failure::internal(format!("the registry of position {position} is not stored")));
        };
        let registry = Arc::new(tonghop_proto::registry_draft::read(&record).map_err(Failure::internal)?);
        *self.registry.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((position, Arc::clone(&registry)));
        Ok(registry)
    }
}

impl View {
    fn as_of(&self) -> AsOf {
        let checkpoint = self.snapshot.checkpoint();
        AsOf {
            position: checkpoint.position,
            time: checkpoint.time.map(|t| t.to_string()).unwrap_or_default(),
        }
    }
}

/// A database failure as a caller sees it.
fn store_failure(error: StoreError) -> Failure {
    if error.is_transient() {
        Failure::unavailable("the totals' database does not answer; ask again", error)
    } else {
        Failure::internal(error)
    }
}

/// Aggregation does not say what changes.
fn not_now(status: tonic::Status) -> Failure {
    Failure::unavailable("the stream of changes is not there now; try again", status)
}
