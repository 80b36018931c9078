//! What changes, as it changes.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonghop_proto::aggregation::WatchRequest;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind};
use tracing::Instrument;

use crate::Query;

/// Changes that may wait for a slow reader.
const QUEUE: usize = 64;

impl Query {
    /// What changed and up to which position, from now on. The stream ends with a failure where aggregation or this
    /// replica goes away: whoever watches calls again, and asks for what it missed.
    ///
    /// # Errors
    /// Where aggregation cannot be watched now.
    pub(crate) async fn changes(
        self: &Arc<Self>,
    ) -> Result<ReceiverStream<Result<pb::WatchResponse, Failure>>, Failure> {
        let mut client = AggregationServiceClient::new(self.aggregation.clone());
        let away = |status| Failure::unavailable("the stream of changes is not there now; try again", status);
        let mut moved = client.watch(WatchRequest {}).await.map_err(away)?.into_inner();
        let (sender, receiver) = mpsc::channel(QUEUE);
        let this = Arc::clone(self);
        let watching = async move {
            loop {
                let next = tokio::select! {
                    () = sender.closed() => return,
                    () = this.stop.told() => {
                        let detail = "this replica is stopping: watch again";
                        Err(Failure::new(FailureKind::Unavailable, detail))
                    }
                    message = moved.message() => match message {
                        Ok(Some(message)) => Ok(pb::WatchResponse {
                            as_of: Some(pb::AsOf {
                                position: message.position,
                                time: message.time,
                                ..pb::AsOf::default()
                            }),
                            changed: message.changed,
                        }),
                        Ok(None) => return,
                        Err(status) => Err(away(status)),
                    },
                };
                let ended = next.is_err();
                if sender.send(next).await.is_err() || ended {
                    return;
                }
            }
        };
        tokio::spawn(watching.in_current_span());
        Ok(ReceiverStream::new(receiver))
    }
}
