//! The service on the wire.

use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use prost::Message;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonghop_access::{Caller, Role, of_request};
use tonghop_proto::aggregation::aggregation_service_server::{AggregationService, AggregationServiceServer};
use tonghop_proto::aggregation::{
    GetEffectRequest, GetEffectResponse, GetStandingRequest, GetStandingResponse, GetStatusRequest,
    GetStatusResponse, RebuildRequest, RebuildResponse, VerifyRequest, VerifyResponse, WatchRequest,
    WatchResponse,
};
use tonghop_proto::ingestion::Effect;
use tonghop_runtime::{Failure, FailureKind, Language, Text};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use crate::{Aggregation, AggregationError, Moved};

/// The gRPC face of [`Aggregation`].
#[derive(Clone, Debug)]
pub struct AggregationGrpc(pub Arc<Aggregation>);

impl AggregationGrpc {
    /// As a service to be routed to.
    pub fn into_service(self) -> AggregationServiceServer<AggregationGrpc> {
        AggregationServiceServer::new(self)
    }
}

fn failure(error: AggregationError) -> Failure {
    match error {
        AggregationError::Store(e) if e.is_transient() => {
            let detail = Text::of(
                "cơ sở dữ liệu số tổng hợp không trả lời; hãy thử lại",
                "the totals' database does not answer; try again",
            );
            Failure::unavailable(detail, e)
        }
        AggregationError::Ledger(e) => {
            let detail =
                Text::of("sổ cái không trả lời; hãy thử lại", "the ledger does not answer; try again");
            Failure::unavailable(detail, e)
        }
        other => Failure::internal(other),
    }
}

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Whether somebody may know which series there are that are not public, and why rolling up stands still.
fn sees_all(caller: &Caller) -> bool {
    caller.is_service() || caller.has(Role::Administer)
}

fn watched(moved: &Moved, all: bool) -> WatchResponse {
    WatchResponse {
        position: moved.reached.position,
        time: moved.reached.time.map(|t| t.to_string()).unwrap_or_default(),
        // To others how far it is: some series are not theirs to know of.
        changed: if all { moved.series.clone() } else { vec![] },
    }
}

#[tonic::async_trait]
impl AggregationService for AggregationGrpc {
    type WatchStream = Messages<WatchResponse>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let caller = of_request(request.extensions())?;
        caller.require_identity()?;
        let all = sees_all(&caller);
        let mut moves = self.0.moved.subscribe();
        let now = self.0.reached.borrow().clone();
        let first = watched(&Moved { reached: now, series: vec![] }, all);
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        let stop = self.0.stop.clone();
        let watching = async move {
            let mut next = Some(first);
            loop {
                if let Some(message) = next.take()
                    && sender.send(Ok(message)).await.is_err()
                {
                    return;
                }
                let moved = tokio::select! {
                    () = sender.closed() => return,
                    () = stop.told() => {
                        let _ = sender.send(Err(Failure::stopping().into())).await;
                        return;
                    }
                    moved = moves.recv() => moved,
                };
                next = match moved {
                    Ok(moved) => Some(watched(&moved, all)),
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                        let _ = sender.send(Err(Status::data_loss("fell behind: watch again"))).await;
                        return;
                    }
                };
            }
        };
        tokio::spawn(watching.in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let caller = of_request(request.extensions())?;
        caller.require_identity()?;
        let all = sees_all(&caller);
        let status = async {
            let snapshot = self.0.tiles.snapshot().await?;
            let counts = snapshot.counts().await?;
            let checkpoint = snapshot.checkpoint();
            Ok::<_, AggregationError>(GetStatusResponse {
                position: checkpoint.position,
                time: checkpoint.time.map(|t| t.to_string()).unwrap_or_default(),
                tiles: counts.tiles as i64,
                summaries: counts.summaries as i64,
                halted: match self.0.halted() {
                    Some(_) if !all => "the operator's log says why".to_owned(),
                    why => why.unwrap_or_default(),
                },
            })
        };
        Ok(Response::new(status.await.map_err(failure)?))
    }

    async fn get_standing(
        &self,
        request: Request<GetStandingRequest>,
    ) -> Result<Response<GetStandingResponse>, Status> {
        of_request(request.extensions())?.require_service()?;
        let (standing, promised) = self.0.tiles.promised().await.map_err(|e| failure(e.into()))?;
        let told = |time: Option<Timestamp>| time.map(|t| t.to_string()).unwrap_or_default();
        Ok(Response::new(GetStandingResponse {
            position: standing.position,
            ledger_digest: standing.ledger_digest.to_vec(),
            time: told(standing.time),
            registry_position: standing.registry_position.unwrap_or(0),
            epoch: standing.epoch,
            confirmed_at: told(standing.confirmed_at),
            promised_micros: u32::try_from(promised.as_micros()).unwrap_or(u32::MAX),
        }))
    }

    async fn get_effect(
        &self,
        request: Request<GetEffectRequest>,
    ) -> Result<Response<GetEffectResponse>, Status> {
        of_request(request.extensions())?.require_service()?;
        let position = request.into_inner().position;
        let effect = async { self.0.tiles.snapshot().await?.effect(position).await };
        let effect = effect.await.map_err(|e| failure(e.into()))?;
        let Some(effect) = effect else { return Ok(Response::new(GetEffectResponse::default())) };
        let stored = GetEffectResponse::decode(effect.findings.as_slice()).map_err(Failure::internal)?;
        Ok(Response::new(GetEffectResponse {
            rolled_up: true,
            effect: Some(Effect {
                new: effect.new,
                revised: effect.revised,
                unchanged: effect.unchanged,
                withdrawn: effect.withdrawn,
            }),
            findings: stored.findings,
        }))
    }

    async fn rebuild(&self, request: Request<RebuildRequest>) -> Result<Response<RebuildResponse>, Status> {
        of_request(request.extensions())?.require(Role::Administer)?;
        if !self.0.is_active() {
            let detail = Text::of(
                "bản sao này đang chờ: hãy hỏi bản sao đang hoạt động, nơi /active trả lời 200",
                "this replica stands by: ask the active one, whose /active says 200",
            );
            return Err(Failure::new(FailureKind::Unavailable, detail).into());
        }
        let (done, rebuilt) = tokio::sync::oneshot::channel();
        let asked = self.0.rebuilds.0.try_send(done);
        asked.map_err(|_| {
            let detail = Text::of("đã có một lần lập lại đang chờ", "a rebuild is waited for already");
            Failure::new(FailureKind::Unavailable, detail)
        })?;
        let stopped = |_| {
            let detail =
                Text::of("việc lập lại chưa xong; hãy thử lại", "the rebuild was not finished; try again");
            Failure::new(FailureKind::Unavailable, detail)
        };
        Ok(Response::new(RebuildResponse { position: rebuilt.await.map_err(stopped)? }))
    }

    type VerifyStream = Messages<VerifyResponse>;

    async fn verify(&self, request: Request<VerifyRequest>) -> Result<Response<Self::VerifyStream>, Status> {
        of_request(request.extensions())?.require(Role::Administer)?;
        let (sender, receiver) = tokio::sync::mpsc::channel(16);
        let this = Arc::clone(&self.0);
        let verifying = async move {
            let progress = |position| {
                // A slow reader misses steps, never the end.
                let _ = sender.try_send(Ok(VerifyResponse { position, ..VerifyResponse::default() }));
            };
            let last = match this.verify(progress).await {
                Ok(found) => Ok(VerifyResponse {
                    position: found.position,
                    done: true,
                    tiles: found.tiles,
                    summaries: found.summaries,
                    differences: found.differences,
                }),
                Err(error) => Err(failure(error).into()),
            };
            let _ = sender.send(last).await;
        };
        tokio::spawn(Language::spoken().speaking(verifying).in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver).map(|m| m))))
    }
}
