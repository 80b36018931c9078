//! What is counted and measured, for Prometheus: `GET /metrics`, on the port of the service.
//!
//! Each process has one [`Metrics`]. A service makes its own counters and registers them there; what has to be
//! looked up is looked up when Prometheus asks. Labels take few values, known beforehand: never a unit, an
//! indicator, a source or a key.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::Failure;
use crate::trace::Asked;

/// How long looking up may take, all of it: what does not answer keeps the value it had.
const LONGEST_LOOK: Duration = Duration::from_secs(3);
/// Bounds of durations, in seconds: from an answer out of memory to one that is not waited for any more.
const DURATIONS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Bounds of how many go together.
const COUNTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// A histogram of durations in seconds.
pub fn durations() -> Histogram {
    Histogram::new(DURATIONS)
}

/// A histogram of how many go together.
pub fn counts() -> Histogram {
    Histogram::new(COUNTS)
}

/// A gauge of seconds.
pub type Seconds = Gauge<f64, AtomicU64>;

/// Something looked up before values are given out.
type Look = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A process's metrics.
pub struct Metrics {
    registry: Mutex<Registry>,
    looks: Mutex<Vec<Look>>,
    requests: Requests,
    pools: Pools,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// For a process of one version of the program.
    pub fn new(version: &'static str) -> Arc<Metrics> {
        let mut registry = Registry::with_prefix("tonghop");
        let requests = Requests::registered(&mut registry);
        let pools = Pools::registered(&mut registry);
        registry.register("build", "The program that runs", Info::new(vec![("version", version)]));
        let metrics =
            Arc::new(Metrics { registry: Mutex::new(registry), looks: Mutex::default(), requests, pools });
        crate::process_use::register(&metrics);
        metrics
    }

    /// Registers what a service counts. Names get the prefix `tonghop_`; a counter's gets `_total`.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Where answers are counted that are given in front of what counts all others.
    pub fn operated(&self, operation: &str, transport: &'static str) -> Operated {
        let of = |status: &str| {
            let (operation, status) = (operation.to_owned(), status.to_owned());
            self.requests.answered.get_or_create(&Answer { operation, transport, status }).clone()
        };
        let (good, known) = match transport {
            "grpc" => (of("Ok"), None),
            _ => (of("200"), Some(of("304"))),
        };
        let took = Operation { operation: operation.to_owned(), transport };
        let took = self.requests.took.get_or_create(&took).clone();
        Operated { operation: operation.to_owned(), transport, good, known, took }
    }

    /// Looks something up whenever values are asked for, before they are given.
    pub fn before_each_scrape<Looking>(&self, look: impl Fn() -> Looking + Send + Sync + 'static)
    where
        Looking: Future<Output = ()> + Send + 'static,
    {
        let look: Look = Arc::new(move || Box::pin(look()));
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).push(look);
    }

    /// Shows the use of a pool of connections: how many it may open, and, when asked, how many are open and how many
    /// of them nobody uses.
    pub fn pool(
        &self,
        database: &'static str,
        role: &'static str,
        most: u32,
        open_and_idle: impl Fn() -> (u32, u32) + Send + Sync + 'static,
    ) {
        let pools = self.pools.clone();
        self.before_each_scrape(move || {
            let (pool, (open, idle)) = (Pool { database, role }, open_and_idle());
            pools.open.get_or_create(&pool).set(open.into());
            pools.idle.get_or_create(&pool).set(idle.into());
            pools.most.get_or_create(&pool).set(most.into());
            std::future::ready(())
        });
    }

    /// Where Prometheus asks.
    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new().route("/metrics", get(scrape)).with_state(Arc::clone(self))
    }

    /// Everything, as text.
    ///
    /// # Errors
    /// Where a registered metric cannot be written.
    pub async fn text(&self) -> Result<String, Failure> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let looking: Vec<_> = looks.iter().map(|look| tokio::spawn(look())).collect();
        let all = async {
            for look in looking {
                if let Err(error) = look.await {
                    tracing::error!(%error, "a value for the metrics was not found out");
                }
            }
        };
        if tokio::time::timeout(LONGEST_LOOK, all).await.is_err() {
            tracing::warn!("some values of the metrics are old: what they are looked up in does not answer");
        }
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_text::encode(&mut text, &registry).map_err(Failure::internal)?;
        Ok(text)
    }
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Result<Response, Failure> {
    let text = metrics.text().await?;
    Ok(([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response())
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    operation: String,
    transport: &'static str,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: String,
    transport: &'static str,
}

#[derive(Clone)]
struct Requests {
    answered: Family<Answer, Counter>,
    took: Family<Operation, Histogram, fn() -> Histogram>,
    under_way: Gauge,
}

impl Requests {
    fn registered(registry: &mut Registry) -> Requests {
        let requests = Requests {
            answered: Family::default(),
            took: Family::new_with_constructor(durations),
            under_way: Gauge::default(),
        };
        registry.register(
            "requests",
            "Requests by how they ended: HTTP status, gRPC code, or cancelled by the caller; a stream counts when it begins",
            requests.answered.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "Time until the answer, or until a stream begins",
            requests.took.clone(),
        );
        registry.register(
            "requests_under_way",
            "Requests that are being answered; a stream counts until it begins",
            requests.under_way.clone(),
        );
        requests
    }
}

/// Counts good answers of one operation, at no more cost than that of counting.
#[derive(Clone, Debug)]
pub struct Operated {
    operation: String,
    transport: &'static str,
    good: Counter,
    /// Of REST: who asked had the answer already.
    known: Option<Counter>,
    took: Histogram,
}

impl Operated {
    /// Counts one, which took so long and ended with this HTTP status.
    pub fn note(&self, status: StatusCode, took: Duration) {
        match &self.known {
            Some(known) if status == StatusCode::NOT_MODIFIED => known.inc(),
            _ => self.good.inc(),
        };
        self.took.observe(took.as_secs_f64());
    }

    /// As metrics and spans name it.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// `grpc` or `rest`.
    pub fn transport(&self) -> &'static str {
        self.transport
    }
}

/// A request being answered; counted when it ends, however it ends.
struct UnderWay<'a> {
    requests: &'a Requests,
    begun: Instant,
    asked: Option<Asked>,
    status: String,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.requests.under_way.dec();
        let Some(Asked { operation, transport }) = self.asked.take() else { return };
        let took = self.begun.elapsed().as_secs_f64();
        let of = Operation { operation: operation.clone(), transport };
        self.requests.took.get_or_create(&of).observe(took);
        let status = std::mem::take(&mut self.status);
        self.requests.answered.get_or_create(&Answer { operation, transport, status }).inc();
    }
}

/// Answers a request, and counts it.
pub(crate) async fn counted(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let requests = &metrics.requests;
    requests.under_way.inc();
    let asked = Asked::of(&request);
    let begun = Instant::now();
    let (cancelled, status) = (Some(asked.unanswered()), "cancelled".to_owned());
    let mut under_way = UnderWay { requests, begun, asked: cancelled, status };
    let response = next.run(request).await;
    under_way.status = asked.status(&response);
    under_way.asked = Some(asked.answered(&response));
    response
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    database: &'static str,
    role: &'static str,
}

#[derive(Clone, Default)]
struct Pools {
    open: Family<Pool, Gauge>,
    idle: Family<Pool, Gauge>,
    most: Family<Pool, Gauge>,
}

impl Pools {
    fn registered(registry: &mut Registry) -> Pools {
        let pools = Pools::default();
        let of = |registry: &mut Registry, name: &str, help: &str, family: &Family<Pool, Gauge>| {
            registry.register(format!("database_connections_{name}"), help, family.clone());
        };
        of(registry, "open", "Open connections to a database", &pools.open);
        of(registry, "idle", "Open connections that nobody uses", &pools.idle);
        of(registry, "max", "Connections that may be open", &pools.most);
        pools
    }
}
