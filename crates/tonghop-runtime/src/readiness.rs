//! Whether a process is alive, apart from whether it can do its work now.
//!
//! `/healthz` says that the process runs: who gets no answer there may start it again. `/readyz` says that it can
//! do its work: whoever spreads requests over replicas asks this one, and leaves out who is not ready. A process
//! that is told to stop is not ready at once, and goes on answering until those who ask have seen it.
//! `grpc.health.v1` says the same as `/readyz`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::stop::Stop;

/// Between two looks at what the process needs.
const EVERY: Duration = Duration::from_secs(1);
/// How long a look may take before it counts as a failure.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    /// What is in the way.
    Hindered(String),
    Draining,
}

/// Whether a process can do its work, as it last looked.
#[derive(Clone, Debug)]
pub struct Readiness {
    state: Arc<watch::Sender<State>>,
    services: &'static [&'static str],
}

impl Readiness {
    /// Of a process that has not looked yet, and that answers for these gRPC services.
    pub fn of(services: &'static [&'static str]) -> Readiness {
        Readiness { state: Arc::new(watch::Sender::new(State::Starting)), services }
    }

    /// `/healthz` and `/readyz`.
    pub(crate) fn routes(&self) -> Router {
        let this = self.clone();
        Router::new()
            .route("/healthz", get(|| async { (StatusCode::OK, "ok\n") }))
            .route("/readyz", get(move || async move { this.answer() }))
    }

    /// Looks every second, for as long as the process runs. `probe` does a small piece of the process's work, and
    /// says what is in the way.
    pub async fn watch<Looked>(&self, probe: impl Fn() -> Looked, stop: Stop)
    where
        Looked: Future<Output = Result<(), String>>,
    {
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.told() => return,
                _ = every.tick() => {}
            }
            self.set(match tokio::time::timeout(PATIENCE, probe()).await {
                Ok(Ok(())) => State::Ready,
                Ok(Err(why)) => State::Hindered(why),
                Err(_) => State::Hindered(format!("no answer within {} s", PATIENCE.as_secs())),
            });
        }
    }

    /// Keeps `grpc.health.v1` at what `/readyz` says.
    pub(crate) async fn report(self, reporter: HealthReporter) {
        let mut states = self.state.subscribe();
        loop {
            let status = match *states.borrow_and_update() {
                State::Ready => ServingStatus::Serving,
                State::Starting | State::Hindered(_) | State::Draining => ServingStatus::NotServing,
            };
            for service in self.services {
                reporter.set_service_status(*service, status).await;
            }
            // This handle keeps the sender, so waiting ends with the runtime only.
            if states.changed().await.is_err() {
                return;
            }
        }
    }

    /// From now on it is not ready, whatever is found.
    pub fn drain(&self) {
        self.state.send_replace(State::Draining);
    }

    fn set(&self, found: State) {
        self.state.send_if_modified(|state| {
            if *state == State::Draining || *state == found {
                return false;
            }
            match &found {
                State::Hindered(why) => tracing::warn!(%why, "not ready"),
                _ => tracing::info!("ready"),
            }
            *state = found;
            true
        });
    }

    fn answer(&self) -> Response {
        let (status, text) = match &*self.state.borrow() {
            State::Ready => return (StatusCode::OK, "ready\n").into_response(),
            State::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n".to_owned()),
            State::Hindered(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
            State::Draining => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
        };
        (status, [(header::RETRY_AFTER, HeaderValue::from_static("1"))], text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;
    use crate::stop::Stopper;

    async fn get(readiness: &Readiness, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = readiness.routes().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1000).await.expect("a body");
        (status, String::from_utf8(bytes.to_vec()).expect("text"))
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_ready_while_its_work_can_be_done_and_never_again_once_it_stops() {
        let readiness = Readiness::of(&[]);
        let stopper = Stopper::new();
        assert_eq!(get(&readiness, "/readyz").await, (503, "starting\n".to_owned()));
        let away = Arc::new(watch::Sender::new(true));
        let (watched, stop, probed) = (readiness.clone(), stopper.stop(), Arc::clone(&away));
        let watching = tokio::spawn(async move {
            let probe =
                || async { if *probed.borrow() { Err("the database is away".to_owned()) } else { Ok(()) } };
            watched.watch(probe, stop).await;
        });
        tokio::time::sleep(EVERY).await;
        assert_eq!(get(&readiness, "/readyz").await, (503, "not ready: the database is away\n".to_owned()));
        assert_eq!(get(&readiness, "/healthz").await.0, 200);
        away.send_replace(false);
        tokio::time::sleep(EVERY * 2).await;
        assert_eq!(get(&readiness, "/readyz").await, (200, "ready\n".to_owned()));
        readiness.drain();
        tokio::time::sleep(EVERY * 2).await;
        assert_eq!(get(&readiness, "/readyz").await, (503, "stopping\n".to_owned()));
        assert_eq!(get(&readiness, "/healthz").await.0, 200);
        stopper.tell();
        watching.await.expect("it ends");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_does_not_come_back_is_a_hindrance() {
        let (readiness, stopper) = (Readiness::of(&[]), Stopper::new());
        let (watched, stop) = (readiness.clone(), stopper.stop());
        let _watching = tokio::spawn(async move { watched.watch(std::future::pending, stop).await });
        tokio::time::sleep(PATIENCE * 2).await;
        assert_eq!(get(&readiness, "/readyz").await, (503, "not ready: no answer within 3 s\n".to_owned()));
    }
}
