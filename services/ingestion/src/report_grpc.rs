//! Reports on the wire.

use tonghop_access::of_request;
use tonghop_proto::ingestion as pb;
use tonghop_proto::ingestion::report_service_server::{ReportService, ReportServiceServer};
use tonic::{Request, Response, Status};

use crate::grpc::{IngestionGrpc, receipt};

impl IngestionGrpc {
    /// Reports, as a service to be routed to.
    pub fn reports(&self) -> ReportServiceServer<IngestionGrpc> {
        ReportServiceServer::new(self.clone())
    }
}

#[tonic::async_trait]
impl ReportService for IngestionGrpc {
    async fn act_on_reports(
        &self,
        request: Request<pb::ActOnReportsRequest>,
    ) -> Result<Response<pb::ActOnReportsResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let acted = self.0.act_on_reports(&caller, request.get_ref()).await?;
        Ok(Response::new(pb::ActOnReportsResponse {
            receipt: Some(receipt(&acted.receipt)),
            replayed: acted.replayed,
            states: acted.states,
        }))
    }

    async fn list_reports(
        &self,
        request: Request<pb::ListReportsRequest>,
    ) -> Result<Response<pb::ListReportsResponse>, Status> {
        let caller = of_request(request.extensions())?;
        Ok(Response::new(self.0.list_reports(&caller, request.get_ref()).await?))
    }
}
