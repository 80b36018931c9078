//! The operations, the same for both transports.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tonghop_access::{Authority, Caller, Role};
use tonghop_core::registry::Registry;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{GetEffectRequest, GetEffectResponse};
use tonghop_proto::record::document::{rewrite, rewrites};
use tonghop_runtime::trace::TracedChannel;
use tonghop_runtime::{Failure, FailureKind, Finding, Got, Stop, Text};
use tonghop_store::{Document, EntryKind, Ledger, Receipt, Rewrite};
use uuid::Uuid;

use crate::fair::Admission;
use crate::in_force::{Known, none_loaded};
use crate::metrics::Measures;
use crate::streams::Streams;
use crate::submission::Limits;
use crate::writer::{Writer, failure};
use crate::{keys, reports, reviews};

/// The media type under which a gRPC submission's figures are kept.
pub const WIRE: &str = "application/x-protobuf;messageType=tonghop.ingestion.v1.SubmitRequest";
/// JSON.
pub const JSON: &str = "application/json";
/// CSV.
pub const CSV: &str = "text/csv";
/// An Office Open XML workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The longest idempotency key and source.
pub(crate) const LONGEST_KEY: usize = 200;
/// How long aggregation has to say what a submission changed.
const EFFECT: Duration = Duration::from_secs(3);
/// How often it is looked whether others are in force: what another replica has revoked is taken back here by then.
const LOOK: Duration = Duration::from_millis(500);

/// What a process gives to the service.
#[derive(Clone, Debug)]
pub struct Given {
    /// Bounds of what is taken.
    pub limits: Limits,
    /// Who may come in; it learns of the keys that are given and revoked.
    pub authority: Arc<Authority>,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// Bytes that nobody can know, of which keys are made.
    pub random: fn() -> Result<[u8; 56], String>,
    /// When streams end.
    pub stop: Stop,
}

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
    pub(crate) admission: Arc<Admission>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) random: fn() -> Result<[u8; 56], String>,
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
    /// What it was sent as; its parameter `locale` says how its numbers are written.
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
        aggregation: Option<TracedChannel>,
        given: Given,
    ) -> Result<Arc<Ingestion>, Failure> {
        let Given { limits, authority, now, random, stop } = given;
        let known = Known::new(authority);
        known.now(&ledger).await?;
        let position = ledger.head().await.map_err(failure)?.map_or(0, |h| h.position);
        let head = Arc::new(watch::Sender::new(position));
        // Documents are kept as what they are written again from.
        let ledger = ledger.rewriting(Rewrite {
            write: |of| rewrite(of.skeleton, of.record).map_err(|e| e.to_string()),
            gives: |of, document| rewrites(of.skeleton, of.record, document).map_err(|e| e.to_string()),
        });
        let measures = Measures::default();
        let writer = Writer::start(ledger.clone(), Arc::clone(&head), measures.clone());
        let threads = tokio::runtime::Handle::current().metrics().num_workers();
        let admission = Arc::new(Admission::new(limits.traffic, threads));
        Ok(Arc::new(Ingestion {
            ledger,
            writer,
            head,
            known,
            aggregation,
            measures,
            limits,
            admission,
            streams: Arc::new(Streams::new(limits.traffic.body_bytes / 4)),
            now,
            random,
            stop,
        }))
    }

    /// Looks, until it is told to stop, whether others are in force than this process knows.
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.stop.told() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(error) = self.known.rules(&self.ledger).await {
                tracing::debug!(%error, "what is in force could not be looked up");
            }
        }
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
    /// Where there is none of this id that the caller may see.
    pub async fn submission(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(Receipt, GetEffectResponse), Failure> {
        let receipt = self.receipt(caller, id).await?;
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
    /// Where there is none of this id that the caller may see.
    pub async fn document(&self, caller: &Caller, id: &str) -> Result<Document, Failure> {
        let receipt = self.receipt(caller, id).await?;
        let document = self.ledger.document(receipt.id).await.map_err(failure)?;
        document.ok_or_else(|| not_found(id))
    }

    async fn receipt(&self, caller: &Caller, id: &str) -> Result<Receipt, Failure> {
        caller.require_identity()?;
        let parsed: Uuid = id.parse().map_err(|_| not_found(id))?;
        let receipt = self.ledger.receipt_by_id(parsed).await.map_err(failure)?;
        // What somebody may not see is for them as if it were not there.
        let seen = receipt.filter(|receipt| self.may_see(caller, receipt));
        seen.ok_or_else(|| not_found(id))
    }

    /// Whether somebody may see an entry: the submissions of their own source, all of them where they may read what is
    /// not public of the whole nation, and all that is in the ledger where they administer it.
    pub(crate) fn may_see(&self, caller: &Caller, receipt: &Receipt) -> bool {
        if caller.has(Role::Administer) {
            return true;
        }
        if receipt.kind != EntryKind::Submission {
            return false;
        }
        let own = caller.source() == Some(receipt.source.as_str());
        let nation = || {
            let day = TimeZone::UTC.to_datetime(receipt.received_at).date();
            let in_force = self.known.last().in_force();
            in_force.is_some_and(|in_force| {
                let registry = &in_force.registry;
                caller.has_for(Role::ReadInternal, registry, registry.nation(), day)
            })
        };
        own || nation()
    }
}

pub(crate) fn check_key(name: &str, key: &str) -> Result<(), Failure> {
    let got = if key.is_empty() {
        Got::nothing().into()
    } else if key.len() > LONGEST_KEY {
        Text::same(format!("{} byte", key.len()))
    } else if key.chars().any(char::is_control) {
        Text::of("ký tự điều khiển", "control characters")
    } else if key == reviews::SOURCE || key == keys::SOURCE {
        Text::of(
            format!("{key:?}, tên dành cho chính hệ thống"),
            format!("{key:?}, under which the system itself writes"),
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
