//! The service on the wire.

use std::pin::Pin;
use std::sync::Arc;

use tokio_stream::{Stream, StreamExt};
use tonghop_access::of_request;
use tonghop_proto::query as pb;
use tonghop_proto::query::query_service_server::{QueryService, QueryServiceServer};
use tonghop_runtime::{Failure, Language};
use tonic::{Request, Response, Status};

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

/// How a stream ends, in the language of its request, which is answered by then.
fn in_language(language: Language, failure: Failure) -> Status {
    language.saying(|| failure.into())
}

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl QueryService for QueryGrpc {
    async fn get_totals(
        &self,
        request: Request<pb::GetTotalsRequest>,
    ) -> Result<Response<pb::GetTotalsResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(Response::new(self.0.totals(&caller, request.get_ref()).await?))
    }

    type StreamTotalsStream = Messages<pb::StreamTotalsResponse>;

    async fn stream_totals(
        &self,
        request: Request<pb::StreamTotalsRequest>,
    ) -> Result<Response<Self::StreamTotalsStream>, Status> {
        let caller = of_request(request.extensions())?;
        let asked = request.into_inner().totals.unwrap_or_default();
        let language = Language::spoken();
        let totals = self.0.totals_on(caller, asked).await?;
        let totals = totals.map(move |total| total.map_err(|failure| in_language(language, failure)));
        Ok(Response::new(Box::pin(totals)))
    }

    async fn explain(
        &self,
        request: Request<pb::ExplainRequest>,
    ) -> Result<Response<pb::ExplainResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(Response::new(self.0.explain(&caller, request.get_ref()).await?))
    }

    async fn explain_tree(
        &self,
        request: Request<pb::ExplainTreeRequest>,
    ) -> Result<Response<pb::ExplainTreeResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(Response::new(self.0.explain_tree(&caller, request.get_ref()).await?))
    }

    async fn list_figures(
        &self,
        request: Request<pb::ListFiguresRequest>,
    ) -> Result<Response<pb::ListFiguresResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(Response::new(self.0.list_figures(&caller, request.get_ref()).await?))
    }

    async fn get_coverage(
        &self,
        request: Request<pb::GetCoverageRequest>,
    ) -> Result<Response<pb::GetCoverageResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(Response::new(self.0.coverage(&caller, request.get_ref()).await?))
    }

    async fn get_compliance(
        &self,
        request: Request<pb::GetComplianceRequest>,
    ) -> Result<Response<pb::GetComplianceResponse>, Status> {
        let caller = tonghop_access::of_request(request.extensions())?;
        Ok(Response::new(self.0.compliance(&caller, request.get_ref(), self.0.now()).await?))
    }

    async fn list_reviews(
        &self,
        request: Request<pb::ListReviewsRequest>,
    ) -> Result<Response<pb::ListReviewsResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(Response::new(self.0.reviews(&caller, request.get_ref()).await?))
    }

    type WatchStream = Messages<pb::WatchResponse>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let caller = of_request(request.extensions())?;
        let language = Language::spoken();
        let changes = self.0.changes(caller, request.into_inner()).await?;
        let changes = changes.map(move |change| change.map_err(|failure| in_language(language, failure)));
        Ok(Response::new(Box::pin(changes)))
    }
}
