//! The services on the wire.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonghop_access::{Role, of_request};
use tonghop_proto::finding::shown;
use tonghop_proto::ingestion as pb;
use tonghop_proto::ingestion::ledger_service_server::{LedgerService, LedgerServiceServer};
use tonghop_proto::intake::{IngestionService, IngestionServiceServer};
use tonghop_proto::raw::Raw;
use tonghop_runtime::{Failure, FailureKind, Finding, Language, Text};
use tonghop_store::{EntryKind, Receipt};
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;

use crate::fair::{Held, Metered};
use crate::service::{Ingestion, Taken};
use crate::writer::failure;

/// The gRPC face of [`Ingestion`]: submissions and the ledger.
#[derive(Clone, Debug)]
pub struct IngestionGrpc(pub Arc<Ingestion>);

/// The largest message: a submission at its limit, and what wraps it.
const LARGEST_MESSAGE: usize = 40 << 20;
/// The operations whose requests may be that large.
const LARGE: [&str; 2] =
    ["/tonghop.ingestion.v1.IngestionService/Submit", "/tonghop.ingestion.v1.IngestionService/SubmitStream"];
/// Entries of the ledger read in one go, and their bytes.
const TAIL_ENTRIES: u64 = 200;
const TAIL_BYTES: usize = 16 << 20;
/// How often a waiting tail looks by itself: another replica may have written.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How often a tail says that nothing came, where it is asked to.
const HEARTBEAT: Duration = Duration::from_secs(1);

impl IngestionGrpc {
    /// Submissions, as a service to be routed to.
    pub fn submissions(&self) -> Metered<IngestionServiceServer<IngestionGrpc>> {
        let service = IngestionServiceServer::new(self.clone()).max_decoding_message_size(LARGEST_MESSAGE);
        Metered::new(service, Arc::clone(&self.0.admission), self.0.limits, &LARGE)
    }

    /// The ledger, as a service to be routed to.
    pub fn ledger(&self) -> LedgerServiceServer<IngestionGrpc> {
        LedgerServiceServer::new(self.clone()).max_encoding_message_size(usize::MAX)
    }

    /// The registry, as a service to be routed to.
    pub fn registry(
        &self,
    ) -> tonghop_proto::registry::registry_service_server::RegistryServiceServer<IngestionGrpc> {
        tonghop_proto::registry::registry_service_server::RegistryServiceServer::new(self.clone())
            .max_decoding_message_size(LARGEST_MESSAGE)
    }
}

/// A digest as it is written.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// A receipt on the wire.
pub(crate) fn receipt(receipt: &Receipt) -> pb::Receipt {
    pb::Receipt {
        id: receipt.id.to_string(),
        position: receipt.position,
        digest: hex(&receipt.digest),
        figures: receipt.figures,
        source: receipt.source.clone(),
        idempotency_key: receipt.idempotency_key.clone(),
        received_at: time(receipt.received_at),
        note: receipt.note.clone(),
        actor: receipt.actor.clone(),
        kind: kind_word(receipt.kind).to_owned(),
    }
}

/// A kind of entry as it is written.
pub(crate) fn kind_word(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Submission => "submission",
        EntryKind::Registry => "registry",
        EntryKind::Review => "review",
        EntryKind::Access => "access",
        EntryKind::Report => "report",
    }
}

/// A time as it is written.
pub(crate) fn time(at: Timestamp) -> String {
    at.to_string()
}

fn finding(finding: Finding) -> pb::Finding {
    pb::Finding {
        code: finding.code,
        path: finding.path,
        line: finding.line.unwrap_or_default(),
        column: finding.column,
        got: finding.got.to_string(),
        expected: finding.expected.to_string(),
        hint: finding.hint.to_string(),
        ..pb::Finding::default()
    }
}

/// A finding of the whole in the language of the request.
pub(crate) fn whole_finding(both: pb::Finding) -> pb::Finding {
    shown(both, Language::spoken() == Language::Vietnamese)
}

fn taken(taken: Taken) -> pb::SubmitResponse {
    pb::SubmitResponse {
        receipt: taken.receipt.as_ref().map(receipt),
        replayed: taken.replayed,
        warnings: taken.warnings.into_iter().map(finding).collect(),
    }
}

#[tonic::async_trait]
impl IngestionService for IngestionGrpc {
    async fn submit(&self, request: Request<Raw>) -> Result<Response<pb::SubmitResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let Raw(message) = request.into_inner();
        Ok(Response::new(taken(self.0.submit_message(&caller, message).await?)))
    }

    async fn submit_stream(
        &self,
        request: Request<Streaming<Raw>>,
    ) -> Result<Response<pb::SubmitStreamResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let held = request.extensions().get::<Arc<Held>>().cloned();
        let held = held.ok_or_else(|| Failure::internal("a stream that is not counted"))?;
        let mut messages = request.into_inner();
        let Some(Raw(first)) = messages.message().await? else {
            let detail = Text::of("luồng kết thúc trước khi bắt đầu", "the stream ended before it began");
            return Err(Failure::new(FailureKind::NotUnderstood, detail).into());
        };
        let mut stream = self.0.streams.open(&caller, &first, held, &self.0.limits)?;
        // Where the caller goes away, this ends here, and what came is kept.
        while let Some(Raw(message)) = messages.message().await? {
            stream.more(&message, &self.0.limits)?;
        }
        let (arrived, _held) = stream.end()?;
        let answer = taken(self.0.submit(&caller, arrived).await?);
        Ok(Response::new(pb::SubmitStreamResponse {
            receipt: answer.receipt,
            replayed: answer.replayed,
            warnings: answer.warnings,
        }))
    }

    async fn get_stream_progress(
        &self,
        request: Request<pb::GetStreamProgressRequest>,
    ) -> Result<Response<pb::GetStreamProgressResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let asked = request.into_inner();
        let (held_figures, known) =
            self.0.stream_progress(&caller, &asked.source, &asked.idempotency_key).await?;
        let receipt = known.as_ref().map(receipt);
        Ok(Response::new(pb::GetStreamProgressResponse { held_figures, receipt }))
    }

    async fn get_submission(
        &self,
        request: Request<pb::GetSubmissionRequest>,
    ) -> Result<Response<pb::GetSubmissionResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let (known, effect) = self.0.submission(&caller, &request.get_ref().id).await?;
        Ok(Response::new(pb::GetSubmissionResponse {
            receipt: Some(receipt(&known)),
            state: if effect.rolled_up { "rolled_up" } else { "accepted" }.to_owned(),
            effect: effect.effect,
            findings: effect.findings.into_iter().map(whole_finding).collect(),
        }))
    }

    async fn freeze_review(
        &self,
        request: Request<pb::FreezeReviewRequest>,
    ) -> Result<Response<pb::FreezeReviewResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let asked = request.into_inner();
        let frozen = self.0.freeze_review(&caller, &asked.name, asked.position, &asked.note).await?;
        Ok(Response::new(pb::FreezeReviewResponse {
            receipt: Some(receipt(&frozen.receipt)),
            name: frozen.name,
            position: frozen.position,
            note: frozen.receipt.note,
            replayed: frozen.replayed,
        }))
    }
}

#[tonic::async_trait]
impl LedgerService for IngestionGrpc {
    type TailStream = Pin<Box<dyn Stream<Item = Result<pb::TailResponse, Status>> + Send>>;

    async fn tail(&self, request: Request<pb::TailRequest>) -> Result<Response<Self::TailStream>, Status> {
        // All there is, as it is kept.
        of_request(request.extensions())?.require_service()?;
        let request = request.into_inner();
        let this = Arc::clone(&self.0);
        let (sender, receiver) = tokio::sync::mpsc::channel(TAIL_ENTRIES as usize);
        let tailing = async move {
            let mut position = request.after_position;
            let mut head = this.head.subscribe();
            let mut silent_since: Option<Instant> = None;
            loop {
                let known = *head.borrow_and_update();
                let looked_at = (this.now)();
                let entries = match this.ledger.records_after(position, TAIL_ENTRIES, TAIL_BYTES).await {
                    Ok(entries) => entries,
                    Err(error) => {
                        let _ = sender.send(Err(failure(error).into())).await;
                        return;
                    }
                };
                if entries.is_empty() {
                    if request.until_head {
                        return;
                    }
                    if request.heartbeats && silent_since.is_none_or(|since| since.elapsed() >= HEARTBEAT) {
                        silent_since = Some(Instant::now());
                        let beat = pb::TailResponse {
                            caught_up_at: time(looked_at),
                            head_position: position,
                            ..pb::TailResponse::default()
                        };
                        if sender.send(Ok(beat)).await.is_err() {
                            return;
                        }
                    }
                    tokio::select! {
                        () = sender.closed() => return,
                        () = this.stop.told() => {
                            let _ = sender.send(Err(Failure::stopping().into())).await;
                            return;
                        }
                        _ = head.changed() => {}
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                    }
                    continue;
                }
                silent_since = None;
                let last = entries.last().map_or(position, |e| e.receipt.position);
                for entry in entries {
                    position = entry.receipt.position;
                    let message = pb::TailResponse {
                        receipt: Some(receipt(&entry.receipt)),
                        record: entry.record,
                        head_position: known.max(last),
                        trace_parent: entry.trace_parent,
                        ..pb::TailResponse::default()
                    };
                    let sent = tokio::select! {
                        sent = sender.send(Ok(message)) => sent,
                        // Who reads slowly does not keep the process.
                        () = this.stop.told() => return,
                    };
                    if sent.is_err() {
                        return;
                    }
                }
            }
        };
        tokio::spawn(tailing.in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver).map(|m| m))))
    }

    async fn get_head(
        &self,
        request: Request<pb::GetHeadRequest>,
    ) -> Result<Response<pb::GetHeadResponse>, Status> {
        let caller = of_request(request.extensions())?;
        if !caller.is_service() {
            caller.require(Role::Administer)?;
        }
        let head = self.0.ledger.head().await.map_err(failure)?;
        let next = match (request.get_ref().after_position, &head) {
            (Some(after), Some(head)) if after < head.position => {
                self.0.ledger.receipt_after(after).await.map_err(failure)?
            }
            _ => None,
        };
        Ok(Response::new(pb::GetHeadResponse {
            position: head.as_ref().map_or(0, |h| h.position),
            digest: head.map(|h| hex(&h.digest)).unwrap_or_default(),
            next_received_at: next.map(|n| time(n.received_at)).unwrap_or_default(),
        }))
    }

    async fn get_registry_load(
        &self,
        request: Request<pb::GetRegistryLoadRequest>,
    ) -> Result<Response<pb::GetRegistryLoadResponse>, Status> {
        of_request(request.extensions())?.require_service()?;
        let load = self.0.ledger.registry_up_to(request.get_ref().up_to_position).await.map_err(failure)?;
        let load = load.map(|load| (load.receipt.position, load.record));
        let (position, record) = load.unwrap_or_default();
        Ok(Response::new(pb::GetRegistryLoadResponse { position, record }))
    }

    async fn verify_chain(
        &self,
        request: Request<pb::VerifyChainRequest>,
    ) -> Result<Response<pb::VerifyChainResponse>, Status> {
        of_request(request.extensions())?.require(Role::Administer)?;
        let report = self.0.ledger.verify_chain(|_| ()).await.map_err(failure)?;
        Ok(Response::new(pb::VerifyChainResponse {
            entries: report.entries,
            digest: report.head.map(|h| hex(&h.digest)).unwrap_or_default(),
            broken: report.first_break.map(|b| b.to_string()).unwrap_or_default(),
        }))
    }
}
