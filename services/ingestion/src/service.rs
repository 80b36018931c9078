//! The operations, the same for both transports.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;
use tonghop_core::registry::Registry;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{GetEffectRequest, GetEffectResponse};
use tonghop_proto::record::document::{rewrite, rewrites};
use tonghop_runtime::trace::{TracedChannel, traced_channel};
use tonghop_runtime::{Failure, FailureKind, Finding, Got, Stop, Text};
use tonghop_store::{Document, Ledger, Receipt, Rewrite};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::in_force::{Known, none_loaded};
use crate::metrics::Measures;
use crate::reports;
use crate::reviews;
use crate::submission::Limits;
use crate::writer::{Writer, failure};

/// The media type under which a gRPC submission's figures are kept.
pub const WIRE: &str = "application/x-protobuf;messageType=tonghop.ingestion.v1.SubmitRequest";
/// JSON.
pub const JSON: &str = "application/json";
/// CSV.
pub const CSV: &str = "text/csv";

/// The longest idempotency key and source.
pub(crate) const LONGEST_KEY: usize = 200;
/// How long aggregation has to say what a submission changed.
const EFFECT: Duration = Duration::from_secs(3);

/// The service's state.
#[derive(Debug)]
pub struct Ingestion {
    pub(crate) ledger: Ledger,
    pub(crate) writer: Writer,
    /// Highest position known to be there.
    pub(crate) head: Arc<watch::Sender<i64>>,
    /// What figures are checked against.
    pub(crate) known: Known,
    aggregation: Option<TracedChannel>,
    pub(crate) measures: Measures,
    pub(crate) limits: Limits,
    pub(crate) now: fn() -> Timestamp,
    /// When streams end.
    pub(crate) stop: Stop,
}

/// A submission as it arrived.
#[derive(Debug)]
pub struct Arrived {
    /// Its idempotency key.
    pub key: String,
    /// The reporting system, where the document does not name it.
    pub source: String,
    /// A note, where the document has none.
    pub note: String,
    /// What it was sent as.
    pub media_type: String,
    /// Byte for byte.
    pub document: Bytes,
    /// Whether that is a message as it came over gRPC, where the same message may be written in several ways: kept is
    /// the usual one.
    pub as_message: bool,
    /// Give findings, store nothing.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug)]
pub struct Taken {
    /// The receipt; none for a dry run.
    pub receipt: Option<Receipt>,
    /// Whether it was there before.
    pub replayed: bool,
    /// How many figures.
    pub figures: u32,
    /// What is remarkable, and accepted.
    pub warnings: Vec<Finding>,
}

impl Ingestion {
    /// Over a ledger. `aggregation` is asked what a submission changed.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub async fn open(
        ledger: Ledger,
        aggregation: Option<Channel>,
        limits: Limits,
        now: fn() -> Timestamp,
        stop: Stop,
    ) -> Result<Arc<Ingestion>, Failure> {
        let known = Known::default();
        known.now(&ledger).await?;
        let position = ledger.head().await.map_err(failure)?.map_or(0, |h| h.position);
        let head = Arc::new(watch::Sender::new(position));
        // Documents are kept as what they are written again from.
        let ledger = ledger.rewriting(Rewrite {
            write: |of| rewrite(of.skeleton, of.record).map_err(|e| e.to_string()),
            gives: |of, document| rewrites(of.skeleton, of.record, document).map_err(|e| e.to_string()),
        });
        let (measures, aggregation) = (Measures::default(), aggregation.map(traced_channel));
        let writer = Writer::start(ledger.clone(), Arc::clone(&head), measures.clone());
        Ok(Arc::new(Ingestion { ledger, writer, head, known, aggregation, measures, limits, now, stop }))
    }

    /// Whether it can do its work.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn probe(&self) -> Result<(), String> {
        match self.ledger.head().await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the ledger does not answer");
                Err("the ledger's database does not answer".to_owned())
            }
        }
    }

    /// The registry in force.
    ///
    /// # Errors
    /// Where none is loaded, or the ledger cannot be read.
    pub async fn registry(&self) -> Result<Arc<Registry>, Failure> {
        Ok(self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?.registry)
    }

    /// A submission's receipt, and what it changed where it is rolled up.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub async fn submission(&self, id: &str) -> Result<(Receipt, GetEffectResponse), Failure> {
        let receipt = self.receipt(id).await?;
        let effect = match &self.aggregation {
            Some(channel) => {
                let mut client = AggregationServiceClient::new(channel.clone());
                let request = GetEffectRequest { position: receipt.position };
                // The receipt stands whether or not aggregation answers.
                match tokio::time::timeout(EFFECT, client.get_effect(request)).await {
                    Ok(Ok(effect)) => effect.into_inner(),
                    Ok(Err(status)) => {
                        tracing::warn!(%status, "aggregation does not say what a submission changed");
                        GetEffectResponse::default()
                    }
                    Err(_) => {
                        tracing::warn!("aggregation does not say in time what a submission changed");
                        GetEffectResponse::default()
                    }
                }
            }
            None => GetEffectResponse::default(),
        };
        Ok((receipt, effect))
    }

    /// What was accepted, byte for byte.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub async fn document(&self, id: &str) -> Result<Document, Failure> {
        let receipt = self.receipt(id).await?;
        let document = self.ledger.document(receipt.id).await.map_err(failure)?;
        document.ok_or_else(|| not_found(id))
    }

    async fn receipt(&self, id: &str) -> Result<Receipt, Failure> {
        let parsed: Uuid = id.parse().map_err(|_| not_found(id))?;
        let receipt = self.ledger.receipt_by_id(parsed).await.map_err(failure)?;
        receipt.ok_or_else(|| not_found(id))
    }
}

pub(crate) fn check_key(name: &str, key: &str) -> Result<(), Failure> {
    let got = if key.is_empty() {
        Got::nothing().into()
    } else if key.len() > LONGEST_KEY {
        Text::same(format!("{} byte", key.len()))
    } else if key.chars().any(char::is_control) {
        Text::of("ký tự điều khiển", "control characters")
    } else if key == reviews::SOURCE {
        Text::of(
            format!("{key:?}, tên dành cho việc chốt số liệu"),
            format!("{key:?}, under which reviews are frozen"),
        )
    } else if key == reports::SOURCE {
        Text::of(
            format!("{key:?}, tên dành cho việc gửi và duyệt báo cáo"),
            format!("{key:?}, under which reports are handed in and approved"),
        )
    } else {
        return Ok(());
    };
    let finding = Finding {
        code: "malformed_key".into(),
        path: name.into(),
        got,
        expected: Text::of(
            format!("từ 1 đến {LONGEST_KEY} byte văn bản thường"),
            format!("1 to {LONGEST_KEY} bytes of plain text"),
        ),
        hint: Text::of(
            "đặt cho mỗi báo cáo một khóa riêng, và dùng lại khóa đó khi gửi lại chính báo cáo ấy",
            "name each submission once, and repeat the name when you repeat the submission",
        ),
        ..Finding::default()
    };
    let detail = Text::of(format!("cần có {name}"), format!("{name} is needed"));
    Err(Failure::new(FailureKind::NotUnderstood, detail).with_findings(vec![finding]))
}

/// A document larger than the limit.
pub(crate) fn too_large(limits: &Limits) -> Failure {
    let most = limits.max_bytes;
    let detail = Text::of(
        format!("một báo cáo có nhiều nhất {most} byte: hãy gửi từng phần, mỗi phần một khóa riêng"),
        format!("a submission has at most {most} bytes: send it in parts, each with its own key"),
    );
    Failure::new(FailureKind::TooLarge, detail)
}

fn not_found(id: &str) -> Failure {
    let detail = Text::of(format!("không có báo cáo {id:?}"), format!("no submission {id:?}"));
    Failure::new(FailureKind::NotFound, detail)
}
