//! Sending spans to a collector (OTLP over gRPC), where one is named.

use std::time::Duration;

use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use super::said;
use crate::process::Trouble;

/// How long what waits may take to be sent when the process ends.
const LAST: Duration = Duration::from_secs(3);
/// Where OpenTelemetry's own variables name a collector.
const STANDARD: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// What makes spans, and sends them if that was asked for.
#[derive(Debug)]
pub(super) struct Exporting {
    provider: SdkTracerProvider,
    sends: bool,
}

impl Exporting {
    /// To `endpoint`; where it is not given, to where the standard variables say; else nowhere.
    ///
    /// The exporter connects when it has something to send, in the background, and again whenever that is needed.
    /// What cannot be sent is dropped: a queue of bounded length is all that an absent collector can take up.
    pub(super) fn start(service: &'static str, endpoint: Option<String>) -> Result<Exporting, Trouble> {
        let standard = STANDARD.iter().any(|variable| said(variable).is_some());
        let resource = || {
            let resource = Resource::builder();
            match said("OTEL_SERVICE_NAME") {
                // It has read the name already.
                Some(_) => resource.build(),
                None => resource.with_service_name(service).build(),
            }
        };
        if endpoint.is_none() && !standard {
            // Who asks with a trace that is kept elsewhere has it carried on; nothing else is recorded.
            let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
            let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
            return Ok(Exporting { provider, sends: false });
        }
        let named = endpoint.clone();
        let exporter = match endpoint {
            Some(endpoint) => SpanExporter::builder().with_tonic().with_endpoint(endpoint).build(),
            None => SpanExporter::builder().with_tonic().build(),
        };
        let exporter = exporter.map_err(|error| {
            let variable = if named.is_some() { "TONGHOP_OTLP_ENDPOINT" } else { STANDARD[0] };
            format!("{variable}: {error}: name a collector's gRPC address, as http://127.0.0.1:4317")
        })?;
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        Ok(Exporting { provider, sends: true })
    }

    pub(super) fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// Whether there is a collector to send to.
    pub(super) fn sends(&self) -> bool {
        self.sends
    }

    pub(super) async fn end(self) {
        if !self.sends {
            return;
        }
        // It blocks, and the runtime has to go on, which does the sending.
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST));
        match tokio::time::timeout(LAST, ended).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last spans were not sent"),
            Ok(Err(error)) => tracing::warn!(%error, "the last spans were not sent"),
            Err(_) => tracing::warn!("the last spans were not sent in time"),
        }
    }
}
