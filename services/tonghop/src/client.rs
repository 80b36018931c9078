//! Speaking to the services.

use std::time::Duration;

use tonghop_proto::access::access_service_client::AccessServiceClient;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{GetStatusRequest, WatchRequest};
use tonghop_proto::ingestion::ingestion_service_client::IngestionServiceClient;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_proto::ingestion::report_service_client::ReportServiceClient;
use tonghop_proto::ingestion::{ActOnReportsRequest, ActOnReportsResponse, SubmitRequest, SubmitResponse};
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_proto::query::{AsOf, FigureRevision, GetTotalsRequest, ListFiguresRequest, Total};
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonghop_proto::registry::{
    DiffMapsRequest, DiffMapsResponse, Dimension, Indicator, ListDimensionsRequest, ListIndicatorsRequest,
    ListUnitsRequest, LoadRegistryRequest, LoadRegistryResponse, Unit,
};
use tonghop_runtime::trace::{TracedChannel, channel_of_holder, traced_channel};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::arguments::ServerArguments;
use crate::trouble::{Trouble, chain};

/// The largest message in either direction.
const LARGEST: usize = 64 << 20;
/// How long to wait before each further attempt at what the services could not do just now.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];
/// While rolling up makes no headway, how often to ask whether it stands still for good.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// All services behind one channel.
#[derive(Clone, Debug)]
pub struct Client {
    channel: TracedChannel,
}

/// Calls once more, after a pause, what was answered with "not now". Every call made through this is safe to
/// repeat: it only reads, or carries an idempotency key.
async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, Trouble>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    for pause in PAUSES {
        match call().await {
            Ok(response) => return Ok(response.into_inner()),
            Err(status) if status.code() == Code::Unavailable => tokio::time::sleep(pause).await,
            Err(status) => return Err(status.into()),
        }
    }
    Ok(call().await?.into_inner())
}

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $client:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(&self) -> $client<TracedChannel> {
            $client::new(self.channel.clone())
                .max_decoding_message_size(LARGEST)
                .max_encoding_message_size(LARGEST)
        })*
    };
}

impl Client {
    /// Connects to an address, to be answered in the language that is spoken.
    ///
    /// # Errors
    /// Where it is no address, or nobody answers there.
    pub async fn connect(server: &ServerArguments) -> Result<Client, Trouble> {
        let (url, key) = (server.url.as_str(), server.key.read()?);
        let mut endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_| Trouble::refused(format!("{url:?} is not an address as http://127.0.0.1:8080")))?
            .connect_timeout(Duration::from_secs(5));
        if url.starts_with("https:") {
            let unusable =
                |error: &dyn std::error::Error| Trouble::refused(format!("TLS to {url}: {}", chain(error)));
            let config = server.tls.client().config().map_err(|error| unusable(error.as_ref()))?;
            endpoint = endpoint.tls_config(config).map_err(|error| unusable(&error))?;
        }
        let channel = endpoint.connect().await.map_err(|error| {
            let why = chain(&error);
            Trouble::refused(format!("nobody answers at {url} ({why}): start the services with tonghop up"))
        })?;
        Client::over(channel, key.as_deref())
    }

    /// Over a channel that is there, as the holder of a key.
    ///
    /// # Errors
    /// Where the key has characters that cannot be sent.
    pub fn over(channel: Channel, key: Option<&str>) -> Result<Client, Trouble> {
        let channel = match key {
            Some(key) => channel_of_holder(channel, key)
                .map_err(|_| Trouble::refused("the key has characters that no key has"))?,
            None => traced_channel(channel),
        };
        Ok(Client { channel })
    }

    /// The channel.
    pub fn channel(&self) -> TracedChannel {
        self.channel.clone()
    }

    clients! {
        /// Taking submissions.
        ingestion: IngestionServiceClient;
        /// What becomes of units' reports.
        reports: ReportServiceClient;
        /// The ledger.
        ledger: LedgerServiceClient;
        /// Rolling up.
        aggregation: AggregationServiceClient;
        /// Keys, and what was done by whom.
        access: AccessServiceClient;
        /// Answering questions.
        query: QueryServiceClient;
        /// Units, indicators and what goes with them.
        registry: RegistryServiceClient;
    }

    /// Pushes a submission.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn submit(&self, request: SubmitRequest) -> Result<SubmitResponse, Trouble> {
        let client = self.ingestion();
        patiently(|| {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.submit(request).await }
        })
        .await
    }

    /// Does one thing with many reports.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn act_on_reports(
        &self,
        request: ActOnReportsRequest,
    ) -> Result<ActOnReportsResponse, Trouble> {
        let client = self.reports();
        patiently(|| {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.act_on_reports(request).await }
        })
        .await
    }

    /// Loads a registry.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn load_registry(&self, request: LoadRegistryRequest) -> Result<LoadRegistryResponse, Trouble> {
        Ok(self.registry().load_registry(request).await?.into_inner())
    }

    /// Totals, all pages of them, and as of when they are.
    ///
    /// # Errors
    /// Where the question has no answer.
    pub async fn totals(&self, question: GetTotalsRequest) -> Result<(Option<AsOf>, Vec<Total>), Trouble> {
        let client = self.query();
        let (mut request, mut as_of, mut totals) = (question, None, vec![]);
        loop {
            let page = patiently(|| {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.get_totals(request).await }
            })
            .await?;
            as_of = as_of.or(page.as_of);
            totals.extend(page.totals);
            if page.next_page_token.is_empty() {
                return Ok((as_of, totals));
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Figures as they were reported, all pages of them.
    ///
    /// # Errors
    /// Where the question has no answer.
    pub async fn figures(&self, question: ListFiguresRequest) -> Result<Vec<FigureRevision>, Trouble> {
        let client = self.query();
        let (mut request, mut figures) = (question, vec![]);
        loop {
            let page = patiently(|| {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.list_figures(request).await }
            })
            .await?;
            figures.extend(page.figures);
            if page.next_page_token.is_empty() {
                return Ok(figures);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The units of a day's map, as they were on that day; or only those directly below one.
    ///
    /// # Errors
    /// Where the request is refused.
    pub async fn units(&self, date: &str, parent_code: &str) -> Result<Vec<Unit>, Trouble> {
        let mut request = ListUnitsRequest {
            date: date.to_owned(),
            parent_code: parent_code.to_owned(),
            ..ListUnitsRequest::default()
        };
        let mut units = vec![];
        loop {
            let page = self.registry().list_units(request.clone()).await?.into_inner();
            units.extend(page.units);
            if page.next_page_token.is_empty() {
                return Ok(units);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The units that carry a code on a day.
    ///
    /// # Errors
    /// Where the request is refused.
    pub async fn units_of_code(&self, date: &str, code: &str) -> Result<Vec<Unit>, Trouble> {
        let (date, code) = (date.to_owned(), code.to_owned());
        let request = ListUnitsRequest { date, code, ..ListUnitsRequest::default() };
        Ok(self.registry().list_units(request).await?.into_inner().units)
    }

    /// What is different between two maps, all pages of it as one.
    ///
    /// # Errors
    /// Where the request is refused.
    pub async fn map_diff(&self, request: DiffMapsRequest) -> Result<DiffMapsResponse, Trouble> {
        let client = self.registry();
        let (mut request, mut whole) = (request, None::<DiffMapsResponse>);
        loop {
            let page = patiently(|| {
                let (mut client, request) = (client.clone(), request.clone());
                async move { client.diff_maps(request).await }
            })
            .await?;
            request.page_token.clone_from(&page.next_page_token);
            match &mut whole {
                Some(whole) => whole.units.extend(page.units),
                None => whole = Some(page),
            }
            if let Some(whole) = whole.take_if(|_| request.page_token.is_empty()) {
                return Ok(DiffMapsResponse { next_page_token: String::new(), ..whole });
            }
        }
    }

    /// All indicators.
    ///
    /// # Errors
    /// Where the request is refused.
    pub async fn indicators(&self) -> Result<Vec<Indicator>, Trouble> {
        let mut request = ListIndicatorsRequest::default();
        let mut indicators = vec![];
        loop {
            let page = self.registry().list_indicators(request.clone()).await?.into_inner();
            indicators.extend(page.indicators);
            if page.next_page_token.is_empty() {
                return Ok(indicators);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// All dimensions.
    ///
    /// # Errors
    /// Where the request is refused.
    pub async fn dimensions(&self) -> Result<Vec<Dimension>, Trouble> {
        let response = self.registry().list_dimensions(ListDimensionsRequest {}).await?;
        Ok(response.into_inner().dimensions)
    }

    /// Waits until everything up to a position of the ledger is in the totals; `reached` hears of every move.
    ///
    /// # Errors
    /// Where rolling up has stopped.
    pub async fn rolled_up(&self, position: i64, mut reached: impl FnMut(i64)) -> Result<(), Trouble> {
        let mut moves = self.aggregation().watch(WatchRequest {}).await?.into_inner();
        loop {
            match tokio::time::timeout(HEARTBEAT, moves.message()).await {
                // A watcher that fell behind watches again.
                Ok(Err(status)) if status.code() == Code::DataLoss => {
                    moves = self.aggregation().watch(WatchRequest {}).await?.into_inner();
                }
                Ok(moved) => {
                    let Some(moved) = moved? else {
                        return Err(Trouble::refused("the services stopped before the totals were complete"));
                    };
                    reached(moved.position);
                    if moved.position >= position {
                        return Ok(());
                    }
                }
                Err(_) => {
                    let status = self.aggregation().get_status(GetStatusRequest {}).await?.into_inner();
                    if !status.halted.is_empty() {
                        let reason = format!("rolling up stands still: {}", status.halted);
                        return Err(Trouble::refused(reason));
                    }
                    if status.position >= position {
                        return Ok(());
                    }
                }
            }
        }
    }
}
