//! Who was refused: counted, and logged by what a key is known by, never by what is sent.

use axum::response::Response;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tonic::{Code, Status};

use crate::Caller;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
    transport: &'static str,
}

const UNAUTHENTICATED: &str = "unauthenticated";
const FORBIDDEN: &str = "forbidden";

/// How many were refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusals(Family<Refusal, Counter>);

impl Default for Refusals {
    fn default() -> Refusals {
        let refusals = Family::<Refusal, Counter>::default();
        for reason in [UNAUTHENTICATED, FORBIDDEN] {
            for transport in ["rest", "grpc"] {
                // There from the beginning, so that the first of its kind shows as a change.
                drop(refusals.get_or_create(&Refusal { reason, transport }));
            }
        }
        Refusals(refusals)
    }
}

impl Refusals {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "access_refusals",
            "Requests refused because of who sent them: unauthenticated or forbidden",
            self.0.clone(),
        );
    }

    /// Notes an answer, if it is a refusal.
    pub(crate) fn note(&self, caller: Option<&Caller>, path: &str, grpc: bool, answer: &Response) {
        let reason = match answer.status() {
            StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
            StatusCode::FORBIDDEN => FORBIDDEN,
            _ if grpc => match Status::from_header_map(answer.headers()).map(|status| status.code()) {
                Some(Code::Unauthenticated) => UNAUTHENTICATED,
                Some(Code::PermissionDenied) => FORBIDDEN,
                _ => return,
            },
            _ => return,
        };
        let transport = if grpc { "grpc" } else { "rest" };
        self.0.get_or_create(&Refusal { reason, transport }).inc();
        let actor = caller.map_or_else(|| "not known".to_owned(), Caller::named);
        tracing::warn!(%actor, reason, transport, path, "refused");
    }
}
