//! The operations, the same for both transports.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use prost::Message;
use tokio::sync::watch;
use tonghop_core::registry::Registry;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{GetEffectRequest, GetEffectResponse};
use tonghop_proto::ingestion as pb;
use tonghop_proto::record;
use tonghop_runtime::trace::{self, TracedChannel, traced_channel};
use tonghop_runtime::{Failure, FailureKind, Finding, Stop};
use tonghop_store::{Appended, Document, EntryKind, Ledger, NewEntry, Premise, Receipt, content_digest};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::check::check;
use crate::in_force::{Known, none_loaded};
use crate::metrics::Measures;
use crate::submission::{Limits, RawSubmission};
use crate::writer::{Writer, failure};
use crate::{csv_form, json, reviews};

/// The media type under which a gRPC submission's figures are kept.
pub const WIRE: &str = "application/x-protobuf;messageType=tonghop.ingestion.v1.SubmitRequest";
/// JSON.
pub const JSON: &str = "application/json";
/// CSV.
pub const CSV: &str = "text/csv";

/// The longest idempotency key and source.
pub(crate) const LONGEST_KEY: usize = 200;
/// How often a submission is checked, each time under another registry.
const MOST_CHECKS: usize = 5;
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
    pub document: Vec<u8>,
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

    /// Takes a submission: checks it, appends it, and returns when it is durable.
    ///
    /// # Errors
    /// Everything wrong with it; nothing is stored then.
    pub async fn submit(&self, arrived: Arrived) -> Result<Taken, Failure> {
        let outcome = self.take(arrived).await;
        self.measures.count(&outcome);
        outcome
    }

    async fn take(&self, arrived: Arrived) -> Result<Taken, Failure> {
        if arrived.document.len() > self.limits.max_bytes {
            return Err(too_large(&self.limits));
        }
        check_key("Idempotency-Key", &arrived.key)?;
        let mut in_force = match self.known.last() {
            Some(last) => last,
            None => self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?,
        };
        let limits = self.limits;
        // Reading and checking can take a while; other callers go on meanwhile.
        let (arrived, raw) = blocking(move || {
            let raw = read(&arrived, &limits);
            (arrived, raw)
        })
        .await?;
        let raw = Arc::new(raw?);
        check_key("source", &raw.source)?;
        let digest = content_digest(&arrived.media_type, &arrived.document);
        if let Some(known) = self.ledger.receipt_by_key(&raw.source, &arrived.key).await.map_err(failure)? {
            return replay_or_conflict(known, &digest);
        }
        for _ in 0..MOST_CHECKS {
            let (registry, submission) = (Arc::clone(&in_force.registry), Arc::clone(&raw));
            let checked = blocking(move || {
                let checked = check(&registry, &submission, &limits)?;
                Ok::<_, Vec<Finding>>((
                    record::encode(&checked.figures),
                    checked.figures.len(),
                    checked.warnings,
                ))
            });
            let checked = checked.await?;
            if checked.is_err() || arrived.dry_run {
                // Only the registry in force may refuse, or speak for what would happen.
                let now = self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?;
                if now.position != in_force.position {
                    in_force = now;
                    continue;
                }
            }
            let (record, figures, warnings) = checked.map_err(refused)?;
            let figures = u32::try_from(figures).map_err(Failure::internal)?;
            if arrived.dry_run {
                return Ok(Taken { receipt: None, replayed: false, figures, warnings });
            }
            let entry = NewEntry {
                id: Uuid::now_v7(),
                kind: EntryKind::Submission,
                source: raw.source.clone(),
                idempotency_key: arrived.key.clone(),
                content_digest: digest,
                media_type: arrived.media_type.clone(),
                document: arrived.document.clone(),
                record,
                figures,
                received_at: (self.now)(),
                note: raw.note.clone(),
                premise: Premise::Registry(in_force.position),
                trace_parent: trace::parent(),
            };
            match self.writer.append(entry).await? {
                Appended::New(receipt) => {
                    return Ok(Taken { receipt: Some(receipt), replayed: false, figures, warnings });
                }
                Appended::Replayed(known) | Appended::Conflict(known) => {
                    return replay_or_conflict(known, &digest);
                }
                // Another registry came in force meanwhile, through this replica or another.
                Appended::Outdated => {
                    in_force = self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?;
                }
            }
        }
        Err(Failure::new(
            FailureKind::Unavailable,
            "registries are being loaded; try again with the same key when that is done",
        ))
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

/// Work that takes a while, on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
}

fn read(arrived: &Arrived, limits: &Limits) -> Result<RawSubmission, Failure> {
    let media = arrived.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        JSON => json::parse(&arrived.document, limits),
        CSV => csv_form::parse(&arrived.document, &arrived.source, &arrived.note, limits),
        "application/x-protobuf" => {
            let request = pb::SubmitRequest::decode(arrived.document.as_slice())
                .map_err(|e| Failure::new(FailureKind::NotUnderstood, format!("not a submission: {e}")))?;
            Ok(RawSubmission::from_wire(&request.source, &request.note, request.figures))
        }
        other => Err(Failure::new(
            FailureKind::UnsupportedMediaType,
            format!("a submission is sent as {JSON} or {CSV}, not as {other:?}"),
        )),
    }
}

pub(crate) fn check_key(name: &str, key: &str) -> Result<(), Failure> {
    let wrong = if key.is_empty() {
        "nothing".to_owned()
    } else if key.len() > LONGEST_KEY {
        format!("{} bytes", key.len())
    } else if key.chars().any(char::is_control) {
        "control characters".to_owned()
    } else if key == reviews::SOURCE {
        format!("{key:?}, under which reviews are frozen")
    } else {
        return Ok(());
    };
    let finding = Finding {
        code: "malformed_key".into(),
        path: name.into(),
        got: wrong,
        expected: format!("1 to {LONGEST_KEY} bytes of plain text"),
        hint: "name each submission once, and repeat the name when you repeat the submission".into(),
        ..Finding::default()
    };
    Err(Failure::new(FailureKind::NotUnderstood, format!("{name} is needed")).with_findings(vec![finding]))
}

fn replay_or_conflict(known: Receipt, digest: &[u8; 32]) -> Result<Taken, Failure> {
    if known.content_digest == *digest {
        let figures = known.figures;
        return Ok(Taken { receipt: Some(known), replayed: true, figures, warnings: vec![] });
    }
    Err(Failure::new(
        FailureKind::KeyConflict,
        format!(
            "the key {:?} of {:?} was used at position {} with other content: use a new key for new content",
            known.idempotency_key, known.source, known.position
        ),
    ))
}

fn refused(findings: Vec<Finding>) -> Failure {
    let detail = match findings.as_slice() {
        [one] => format!("{}: got {:?}, expected {}", one.code, one.got, one.expected),
        many => format!("{} things are wrong with this submission; nothing was stored", many.len()),
    };
    let too_large = findings.iter().any(|f| f.code == "too_many_figures");
    let kind = if too_large { FailureKind::TooLarge } else { FailureKind::Unprocessable };
    Failure::new(kind, detail).with_findings(findings)
}

/// A document larger than the limit.
pub(crate) fn too_large(limits: &Limits) -> Failure {
    Failure::new(
        FailureKind::TooLarge,
        format!(
            "a submission has at most {} bytes: send it in parts, each with its own key",
            limits.max_bytes
        ),
    )
}

fn not_found(id: &str) -> Failure {
    Failure::new(FailureKind::NotFound, format!("no submission {id:?}"))
}
