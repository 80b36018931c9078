//! Writers and readers that go on while something fails.
//!
//! What they send is SYNTHETIC: one commune's tips, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tonghop_proto::query::GetTotalsRequest;
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonic::transport::Channel;

/// How long one push is repeated at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(200);

/// A push that was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its idempotency key.
    pub key: String,
    /// The receipt.
    pub receipt: Value,
    /// How often it was sent before the answer came.
    pub repeated: usize,
}

impl Answered {
    /// Where it is in the ledger.
    pub fn position(&self) -> i64 {
        self.receipt["position"].as_i64().unwrap_or_else(|| panic!("no position: {}", self.receipt))
    }
}

/// A client that trusts nobody's proxy and keeps no connection to who may have gone.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build().expect("a client")
}

/// A submission of one SYNTHETIC figure.
pub fn document(source: &str, value: usize) -> String {
    json!({"source": source, "note": "SYNTHETIC", "figures": [{
        "unit": "01864", "indicator": "tg02", "period": "2024-M05", "scope": "own",
        "value": value.to_string(), "breakdown": {"reporter": "cong-an"},
    }]})
    .to_string()
}

/// Pushes, and again with the same key until it is answered. Nothing but "not now, try again" may come before that.
pub async fn push(http: &reqwest::Client, base: &str, source: &str, key: &str, value: usize) -> Answered {
    let begun = Instant::now();
    let mut repeated = 0;
    loop {
        let push = http.post(format!("{base}/v1/submissions")).header("Idempotency-Key", key);
        let push = push.header("Content-Type", "application/json").body(document(source, value));
        let met = match push.send().await {
            Err(error) => error.to_string(),
            Ok(response) => {
                let status = response.status().as_u16();
                let retry = response.headers().contains_key("retry-after");
                match (status, response.bytes().await) {
                    (200 | 201, Ok(body)) => {
                        let receipt = serde_json::from_slice(&body).expect("a receipt");
                        return Answered { key: key.to_owned(), receipt, repeated };
                    }
                    (502..=504, _) if retry => status.to_string(),
                    // The answer broke off.
                    (200 | 201, Err(error)) => error.to_string(),
                    (_, body) => panic!("{source} {key}: {status}, retry-after: {retry}, {body:?}"),
                }
            }
        };
        assert!(begun.elapsed() < PATIENCE, "{source} {key} is not answered: {met}");
        repeated += 1;
        tokio::time::sleep(AGAIN).await;
    }
}

/// Work that goes on in the background until it is told to end.
#[derive(Debug)]
pub struct Going<T> {
    end: Arc<AtomicBool>,
    task: JoinHandle<T>,
}

impl<T: Send + 'static> Going<T> {
    fn start<Work: Future<Output = T> + Send + 'static>(
        work: impl FnOnce(Arc<AtomicBool>) -> Work,
    ) -> Going<T> {
        let end = Arc::new(AtomicBool::new(false));
        Going { task: tokio::spawn(work(Arc::clone(&end))), end }
    }

    /// Ends it, after what it is doing; what it did.
    pub async fn end(self) -> T {
        self.end.store(true, Ordering::Relaxed);
        self.task.await.expect("it went well")
    }
}

/// Pushes one after the other, each with a key of its own, until told to end.
pub fn pushing(base: String, source: &'static str) -> Going<Vec<Answered>> {
    Going::start(|end| async move {
        let http = client();
        let mut all = vec![];
        while !end.load(Ordering::Relaxed) {
            let n = all.len();
            all.push(push(&http, &base, source, &format!("{source}-{n}"), n).await);
        }
        all
    })
}

/// What a reader saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Answers.
    pub answers: usize,
    /// What was not an answer: "not now, try again" or worse.
    pub failures: Vec<String>,
    /// The position of the last answer; none before was greater.
    pub position: i64,
    /// For how many seconds the oldest answer was not confirmed to be complete.
    pub stalest: i64,
}

impl Seen {
    fn answer(&mut self, position: i64, stale: i64) {
        assert!(position >= self.position, "as_of went back from {} to {position}", self.position);
        (self.position, self.stalest) = (position, self.stalest.max(stale));
        self.answers += 1;
    }
}

/// Asks for the nation's total over REST until told to end.
pub fn reading(base: String) -> Going<Seen> {
    Going::start(|end| async move {
        let http = client();
        let mut seen = Seen::default();
        while !end.load(Ordering::Relaxed) {
            let url = format!("{base}/v1/totals?indicator=tg02&unit=VN&period=2024-M05");
            match http.get(url).send().await {
                Err(error) => seen.failures.push(error.to_string()),
                Ok(response) if response.status() != 200 => {
                    let (status, body) = (response.status(), response.text().await.unwrap_or_default());
                    seen.failures.push(format!("{status} {body}"));
                }
                Ok(response) => match response.bytes().await {
                    Err(error) => seen.failures.push(error.to_string()),
                    Ok(body) => {
                        let answer: Value = serde_json::from_slice(&body).expect("an answer");
                        let as_of = &answer["as_of"];
                        let stale = as_of["stale_seconds"].as_i64().unwrap_or(0);
                        seen.answer(as_of["position"].as_i64().expect("a position"), stale);
                    }
                },
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        seen
    })
}

/// Asks for the nation's total over gRPC until told to end.
pub fn reading_grpc(channel: Channel) -> Going<Seen> {
    Going::start(|end| async move {
        let mut query = QueryServiceClient::new(channel);
        let mut seen = Seen::default();
        while !end.load(Ordering::Relaxed) {
            let request = GetTotalsRequest {
                indicator: "tg02".into(),
                unit: "VN".into(),
                period: "2024-M05".into(),
                ..GetTotalsRequest::default()
            };
            match query.get_totals(request).await {
                Err(status) => seen.failures.push(status.to_string()),
                Ok(answer) => {
                    let as_of = answer.into_inner().as_of.expect("as of when");
                    seen.answer(as_of.position, as_of.stale_seconds.unwrap_or(0));
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        seen
    })
}
