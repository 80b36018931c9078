//! The service on the wire.

use std::pin::Pin;
use std::sync::Arc;

use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonghop_proto::query as pb;
use tonghop_proto::query::query_service_server::{QueryService, QueryServiceServer};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use crate::Query;

/// The gRPC face of [`Query`].
#[derive(Clone, Debug)]
pub struct QueryGrpc(pub Arc<Query>);

impl QueryGrpc {
    /// As a service to be routed to.
    pub fn into_service(self) -> QueryServiceServer<QueryGrpc> {
        QueryServiceServer::new(self)
    }
}

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl QueryService for QueryGrpc {
    async fn get_totals(
        &self,
        request: Request<pb::GetTotalsRequest>,
    ) -> Result<Response<pb::GetTotalsResponse>, Status> {
        Ok(Response::new(self.0.totals(request.get_ref()).await?))
    }

    type StreamTotalsStream = Messages<pb::StreamTotalsResponse>;

    async fn stream_totals(
        &self,
        request: Request<pb::StreamTotalsRequest>,
    ) -> Result<Response<Self::StreamTotalsStream>, Status> {
        let mut asked = request.into_inner().totals.unwrap_or_default();
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        let query = Arc::clone(&self.0);
        // The first page is answered before the stream begins, so that a wrong question fails as a whole.
        let mut page = query.totals(&asked).await?;
        let streaming = async move {
            loop {
                for total in std::mem::take(&mut page.totals) {
                    let message = pb::StreamTotalsResponse { as_of: page.as_of.clone(), total: Some(total) };
                    if sender.send(Ok(message)).await.is_err() {
                        return;
                    }
                }
                if page.next_page_token.is_empty() {
                    return;
                }
                asked.page_token = std::mem::take(&mut page.next_page_token);
                page = match query.totals(&asked).await {
                    Ok(next) => next,
                    Err(failure) => {
                        let _ = sender.send(Err(failure.into())).await;
                        return;
                    }
                };
            }
        };
        tokio::spawn(streaming.in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn explain(
        &self,
        request: Request<pb::ExplainRequest>,
    ) -> Result<Response<pb::ExplainResponse>, Status> {
        Ok(Response::new(self.0.explain(request.get_ref()).await?))
    }

    async fn list_figures(
        &self,
        request: Request<pb::ListFiguresRequest>,
    ) -> Result<Response<pb::ListFiguresResponse>, Status> {
        Ok(Response::new(self.0.list_figures(request.get_ref()).await?))
    }

    async fn get_coverage(
        &self,
        request: Request<pb::GetCoverageRequest>,
    ) -> Result<Response<pb::GetCoverageResponse>, Status> {
        Ok(Response::new(self.0.coverage(request.get_ref()).await?))
    }

    type WatchStream = Messages<pb::WatchResponse>;

    async fn watch(&self, _: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let changes = self.0.changes().await?.map(|change| change.map_err(Status::from));
        Ok(Response::new(Box::pin(changes)))
    }
}
