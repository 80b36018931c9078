//! The services as they are spoken to, wherever they run: REST at a base URL, gRPC over a channel.
//!
//! The words of REST are in [`rest`](crate::rest).

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use tonghop_proto::access::access_service_client::AccessServiceClient;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{
    GetStatusRequest, RebuildRequest, VerifyRequest, VerifyResponse, WatchRequest,
};
use tonghop_proto::ingestion::ingestion_service_client::IngestionServiceClient;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_proto::ingestion::report_service_client::ReportServiceClient;
use tonghop_proto::ingestion::{GetHeadRequest, GetHeadResponse, VerifyChainRequest};
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonghop_proto::registry::{LoadRegistryRequest, LoadRegistryResponse};
use tonghop_runtime::trace::{TracedChannel, channel_of_holder, traced_channel};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::server::Tables;

/// How long the roll-up may take to reach a position.
const PATIENCE: Duration = Duration::from_secs(60);

/// All services behind one address.
#[derive(Clone, Debug)]
pub struct Api {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    channel: Channel,
    /// The same, as whoever asks.
    held: TracedChannel,
}

impl Api {
    /// At a base URL over HTTP, and over a channel.
    pub fn new(base: String, channel: Channel) -> Api {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let held = traced_channel(channel.clone());
        Api { http, base, channel, held }
    }

    /// The same services, asked by the holder of a key.
    ///
    /// # Panics
    /// Where the key cannot be sent.
    pub fn holding(&self, key: &str) -> Api {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        let http = reqwest::Client::builder().no_proxy().default_headers(headers).build().expect("a client");
        let held = channel_of_holder(self.channel.clone(), key).expect("a key");
        Api { http, held, ..self.clone() }
    }

    /// At a base URL, for REST and gRPC both; connects when it is first used, and again whenever that is needed.
    ///
    /// # Panics
    /// Where the URL is none.
    pub fn at(base: String) -> Api {
        let endpoint = Endpoint::from_shared(base.clone()).expect("a URL");
        Api::new(base, endpoint.connect_timeout(Duration::from_secs(5)).connect_lazy())
    }

    /// The base URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// To all services, as whoever asks.
    pub fn held(&self) -> TracedChannel {
        self.held.clone()
    }

    /// To all services, as nobody in particular.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Submissions over gRPC.
    pub fn ingestion(&self) -> IngestionServiceClient<TracedChannel> {
        IngestionServiceClient::new(self.held())
    }

    /// Reports over gRPC.
    pub fn reports(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.channel())
    }

    /// The ledger.
    pub fn ledger(&self) -> LedgerServiceClient<TracedChannel> {
        LedgerServiceClient::new(self.held())
    }

    /// The registry.
    pub fn registry(&self) -> RegistryServiceClient<TracedChannel> {
        RegistryServiceClient::new(self.held())
    }

    /// The roll-up.
    pub fn aggregation(&self) -> AggregationServiceClient<TracedChannel> {
        AggregationServiceClient::new(self.held())
    }

    /// Keys, and what was done by whom.
    pub fn access(&self) -> AccessServiceClient<TracedChannel> {
        AccessServiceClient::new(self.held())
    }

    /// Answers.
    pub fn query(&self) -> QueryServiceClient<TracedChannel> {
        QueryServiceClient::new(self.held())
    }

    /// Loads a registry, or asks what that would change.
    ///
    /// # Errors
    /// As the service answers.
    pub async fn load(
        &self,
        key: &str,
        tables: Tables,
        dry_run: bool,
    ) -> Result<LoadRegistryResponse, Status> {
        let request = LoadRegistryRequest {
            source: "test".to_owned(),
            idempotency_key: key.to_owned(),
            note: String::new(),
            tables,
            dry_run,
        };
        Ok(self.registry().load_registry(request).await?.into_inner())
    }

    /// The ledger's last position and digest.
    pub async fn head(&self) -> GetHeadResponse {
        self.ledger().get_head(GetHeadRequest::default()).await.expect("the head").into_inner()
    }

    /// Waits until everything up to a position is rolled up.
    pub async fn wait(&self, position: i64) {
        let reached = tokio::time::timeout(PATIENCE, async {
            let stream = self.aggregation().watch(WatchRequest {}).await;
            let mut stream = stream.expect("the roll-up's progress").into_inner();
            loop {
                match stream.message().await {
                    Ok(Some(message)) if message.position >= position => return,
                    Ok(Some(_)) => {}
                    ended => panic!("the roll-up's progress ended: {ended:?}"),
                }
            }
        });
        if reached.await.is_err() {
            let status = self.aggregation().get_status(GetStatusRequest {}).await;
            panic!("position {position} is not rolled up: {status:?}");
        }
    }

    /// Makes all totals anew from the ledger.
    pub async fn rebuild(&self) {
        self.aggregation().rebuild(RebuildRequest {}).await.expect("a rebuild");
    }

    /// Recomputes every tile and total from the ledger; the last message of that.
    pub async fn verify(&self) -> VerifyResponse {
        let mut stream = self.aggregation().verify(VerifyRequest {}).await.expect("verified").into_inner();
        let mut last = VerifyResponse::default();
        while let Some(message) = stream.message().await.expect("verified") {
            last = message;
        }
        last
    }

    /// That the ledger's chain holds, and that every total is what the ledger makes it.
    pub async fn assert_clean(&self) {
        let head = self.head().await;
        let chain = self.ledger().verify_chain(VerifyChainRequest {}).await.expect("walked").into_inner();
        assert_eq!(
            (chain.entries, chain.digest.as_str(), chain.broken.as_str()),
            (head.position, head.digest.as_str(), "")
        );
        self.wait(head.position).await;
        let verified = self.verify().await;
        assert_eq!((verified.done, verified.position), (true, head.position));
        assert!(verified.differences.is_empty(), "{:#?}", verified.differences);
    }
}
