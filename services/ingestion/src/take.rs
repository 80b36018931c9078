//! Taking a submission, in one of two ways with one outcome.
//!
//! Most submissions are thousands of figures of a few kinds, with nothing wrong: they are read and checked by kinds
//! ([`alike`](crate::alike)), and their keys are looked up where they are appended. All others, and every one that
//! has to be explained to somebody, are read and checked figure by figure.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use prost::Message;
use tonghop_access::{Caller, Role};
use tonghop_proto::ingestion as pb;
use tonghop_proto::record;
use tonghop_runtime::{Failure, FailureKind, Finding, Text, trace};
use tonghop_store::{Appended, Content, EntryKind, Ledger, NewEntry, Premise, Prepared, Receipt};
use uuid::Uuid;

use crate::check::{Under, accept_under, check_under};
use crate::fair::{self, Lane};
use crate::finding::{Code, Spot, finding};
use crate::in_force::{InForce, none_loaded};
use crate::service::{Arrived, CSV, Ingestion, JSON, Taken, XLSX, check_key, too_large};
use crate::submission::{Beside, Limits, RawSubmission};
use crate::writer::failure;
use crate::{csv_form, json, media_type, wire, xlsx};

/// Up to this length a document is read and checked where it arrived, in well under a millisecond; handing it to another
/// thread and back takes about as long.
const SHORT: usize = 256 << 10;
/// How often a submission is checked in each way, each time under another registry.
const MOST_CHECKS: usize = 5;

/// A submission that was read and found good, ready to be appended.
struct Ready {
    content: Content,
    source: String,
    note: String,
    figures: usize,
    record: Vec<u8>,
    skeleton: Option<Vec<u8>>,
    warnings: Vec<Finding>,
}

impl Ingestion {
    /// Takes a submission: checks it, appends it, and returns when it is durable.
    ///
    /// # Errors
    /// Everything wrong with it; nothing is stored then.
    pub async fn submit(&self, caller: &Caller, arrived: Arrived) -> Result<Taken, Failure> {
        let outcome = self.take_in_turn(caller, fair::lane(caller, &arrived), arrived).await;
        self.measures.count(&outcome);
        outcome
    }

    /// Takes a submission that comes as a message, as [`submit`](Self::submit) does.
    pub(crate) async fn submit_message(&self, caller: &Caller, message: Bytes) -> Result<Taken, Failure> {
        let outcome = async {
            if let Some(arrived) = wire::open_plain(&message) {
                return self.take_in_turn(caller, fair::lane(caller, &arrived), arrived).await;
            }
            // To open it may take a while, too.
            let lane = fair::lane_of_message(caller, &message);
            let in_hand = self.admission.admit(&lane, message.len()).await?;
            let (limits, pass) = (self.limits, self.admission.long(&lane, message.len()).await?);
            let arrived = working(pass, move || wire::open(&message, &limits)).await??;
            let taken = self.take(caller, &lane, arrived).await;
            drop(in_hand);
            taken
        };
        let outcome = outcome.await;
        self.measures.count(&outcome);
        outcome
    }

    /// Takes it when it is its sender's turn.
    async fn take_in_turn(&self, caller: &Caller, lane: Lane, arrived: Arrived) -> Result<Taken, Failure> {
        if arrived.document.len() > self.limits.max_bytes {
            return Err(too_large(&self.limits));
        }
        let _in_hand = self.admission.admit(&lane, arrived.document.len()).await?;
        self.take(caller, &lane, arrived).await
    }

    async fn take(&self, caller: &Caller, lane: &Lane, arrived: Arrived) -> Result<Taken, Failure> {
        caller.require(Role::Report)?;
        if arrived.document.len() > self.limits.max_bytes {
            return Err(too_large(&self.limits));
        }
        check_key("Idempotency-Key", &arrived.key)?;
        let in_force = match self.known.last().in_force() {
            Some(last) if caller.still(&last.keys, (self.now)()).is_ok() => last,
            // Nobody is refused by what may not be in force any more.
            _ => self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?,
        };
        let arrived = Arc::new(arrived);
        // What would happen is told with everything that could be told of it.
        if !arrived.dry_run
            && let Some(taken) = self.take_alike(caller, lane, &arrived, in_force.clone()).await?
        {
            return Ok(taken);
        }
        self.take_one_by_one(caller, lane, arrived, in_force).await
    }

    /// By kinds of figures; nothing where the submission has to be taken figure by figure.
    async fn take_alike(
        &self,
        caller: &Caller,
        lane: &Lane,
        arrived: &Arc<Arrived>,
        mut in_force: InForce,
    ) -> Result<Option<Taken>, Failure> {
        for _ in 0..MOST_CHECKS {
            let now = (self.now)();
            // An entry holds by what is in force at its position, and so does the key of whoever sent it.
            caller.still(&in_force.keys, now)?;
            let (given, checked_under, limits) = (Arc::clone(arrived), in_force.clone(), self.limits);
            let (making, caller) = (self.making(caller, in_force.rules), caller.clone());
            let short = arrived.document.len() <= SHORT;
            let make = move || {
                let ready = ready_alike(&checked_under.of(&caller, now), &caller, &given, &limits)?;
                // What cannot be a source is refused in words.
                check_key("source", &ready.source).ok()?;
                let (figures, digest, warnings) =
                    (ready.figures, *ready.content.digest(), ready.warnings.clone());
                Some(making.make(ready, &given.key).map(|prepared| (prepared, figures, digest, warnings)))
            };
            let bytes = arrived.document.len();
            let made = if short {
                let _pass = self.admission.short(lane, bytes).await?;
                make()
            } else {
                let pass = self.admission.long(lane, bytes).await?;
                working(pass, make).await?
            };
            let Some(made) = made else { return Ok(None) };
            let (prepared, figures, digest, warnings) = made?;
            match self.append(prepared, &digest, figures, warnings).await? {
                Some(taken) => return Ok(Some(taken)),
                None => in_force = self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?,
            }
        }
        Ok(None)
    }

    async fn take_one_by_one(
        &self,
        caller: &Caller,
        lane: &Lane,
        arrived: Arc<Arrived>,
        mut in_force: InForce,
    ) -> Result<Taken, Failure> {
        let (limits, bytes) = (self.limits, arrived.document.len());
        // Reading and checking can take a while; other callers go on meanwhile.
        let reading = Arc::clone(&arrived);
        let pass = self.admission.long(lane, bytes).await?;
        let (raw, content) = working(pass, move || {
            let (raw, document) = read(&reading, &limits)?;
            Ok::<_, Failure>((raw, Content::new(reading.media_type.clone(), document)))
        })
        .await??;
        let mut raw = raw;
        raw.source = source_of(caller, raw.source)?;
        let raw = Arc::new(raw);
        check_key("source", &raw.source)?;
        let digest = *content.digest();
        if let Some(known) = self.ledger.receipt_by_key(&raw.source, &arrived.key).await.map_err(failure)? {
            return replay_or_conflict(known, &digest);
        }
        for _ in 0..MOST_CHECKS {
            let now = (self.now)();
            caller.still(&in_force.keys, now)?;
            let (checked_under, submission) = (in_force.clone(), Arc::clone(&raw));
            let by = caller.clone();
            let pass = self.admission.long(lane, bytes).await?;
            let checked = working(pass, move || {
                let checked = check_under(&checked_under.of(&by, now), &submission, &limits)?;
                Ok::<_, Vec<Finding>>((
                    record::encode(&checked.figures),
                    checked.figures.len(),
                    checked.warnings,
                ))
            });
            let checked = checked.await?;
            if checked.is_err() || arrived.dry_run {
                // Only what is in force may refuse, or speak for what would happen.
                let now = self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?;
                if now.rules != in_force.rules {
                    in_force = now;
                    continue;
                }
            }
            let (record, figures, warnings) = checked.map_err(refused)?;
            if arrived.dry_run {
                let figures = u32::try_from(figures).map_err(Failure::internal)?;
                return Ok(Taken { receipt: None, replayed: false, figures, warnings });
            }
            let (source, note) = (raw.source.clone(), raw.note.clone());
            let (content, skeleton) = (content.clone(), None);
            let ready = Ready { content, source, note, figures, record, skeleton, warnings: vec![] };
            let (making, key) = (self.making(caller, in_force.rules), arrived.key.clone());
            let pass = self.admission.long(lane, bytes).await?;
            let prepared = working(pass, move || making.make(ready, &key)).await??;
            match self.append(prepared, &digest, figures, warnings).await? {
                Some(taken) => return Ok(taken),
                None => in_force = self.known.now(&self.ledger).await?.ok_or_else(none_loaded)?,
            }
        }
        let detail = Text::of(
            "đang nạp danh mục; hãy thử lại với cùng khóa khi xong",
            "registries are being loaded; try again with the same key when that is done",
        );
        Err(Failure::new(FailureKind::Unavailable, detail))
    }

    fn making(&self, caller: &Caller, rules: i64) -> Making {
        Making {
            ledger: self.ledger.clone(),
            rules,
            received_at: (self.now)(),
            actor: caller.actor(),
            trace_parent: trace::parent(),
        }
    }

    /// Appends; nothing where another registry came in force meanwhile, through this replica or another.
    async fn append(
        &self,
        prepared: Prepared,
        digest: &[u8; 32],
        figures: usize,
        warnings: Vec<Finding>,
    ) -> Result<Option<Taken>, Failure> {
        let figures = u32::try_from(figures).map_err(Failure::internal)?;
        match self.writer.append(prepared).await? {
            Appended::New(receipt) => {
                Ok(Some(Taken { receipt: Some(receipt), replayed: false, figures, warnings }))
            }
            Appended::Replayed(known) | Appended::Conflict(known) => {
                replay_or_conflict(known, digest).map(Some)
            }
            Appended::Outdated => Ok(None),
        }
    }
}

impl InForce {
    /// What a submission that somebody sends now is checked under.
    fn of<'a>(&'a self, caller: &'a Caller, now: Timestamp) -> Under<'a> {
        Under { grant: caller.grant(), registry: &self.registry, locks: &self.locks, now }
    }
}

/// What an entry takes beside its submission.
struct Making {
    ledger: Ledger,
    /// Position of the rules it was checked under.
    rules: i64,
    received_at: Timestamp,
    actor: String,
    trace_parent: String,
}

impl Making {
    fn make(self, ready: Ready, key: &str) -> Result<Prepared, Failure> {
        let entry = NewEntry {
            id: Uuid::now_v7(),
            kind: EntryKind::Submission,
            source: ready.source,
            idempotency_key: key.to_owned(),
            content: ready.content,
            skeleton: ready.skeleton.map(Bytes::from),
            record: ready.record.into(),
            figures: u32::try_from(ready.figures).map_err(Failure::internal)?,
            received_at: self.received_at,
            note: ready.note,
            actor: self.actor,
            premise: Premise::Rules(self.rules),
            trace_parent: self.trace_parent,
        };
        self.ledger.prepare(entry).map_err(failure)
    }
}

/// Work that takes a while, on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
}

/// The same, for as long as a pass says that a processor is there for it: also where nobody waits for the end any more.
async fn working<P: Send + 'static, T: Send + 'static>(
    pass: P,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    blocking(move || {
        let done = work();
        drop(pass);
        done
    })
    .await
}

/// A media type without parameters, as it is kept of gRPC submissions.
const PROTOBUF: &str = "application/x-protobuf";

/// Reads and checks a submission by kinds of figures, where that can be done.
fn ready_alike(under: &Under<'_>, caller: &Caller, arrived: &Arrived, limits: &Limits) -> Option<Ready> {
    if !matches!(media_type::locale(&arrived.media_type), Ok(None)) {
        return None;
    }
    let mut alike = match media_type::essence(&arrived.media_type).as_str() {
        JSON => json::alike(&arrived.document, limits)?,
        PROTOBUF => wire::alike(&arrived.document)?,
        _ => return None,
    };
    alike.source = source_of(caller, alike.source).ok()?;
    let (source, note) = (alike.source.clone(), alike.note.clone());
    let accepted = accept_under(under, alike, limits)?;
    Some(Ready {
        source,
        note,
        figures: accepted.figures.len(),
        record: accepted.figures.encode(),
        skeleton: accepted.skeleton.map(|s| s.encode()),
        warnings: accepted.warnings,
        content: Content::new(arrived.media_type.clone(), arrived.document.clone()),
    })
}

/// Reads a submission, and gives the document as it is kept.
fn read(arrived: &Arrived, limits: &Limits) -> Result<(RawSubmission, Bytes), Failure> {
    let document = &arrived.document;
    let locale = media_type::locale(&arrived.media_type)?;
    let beside = Beside { source: &arrived.source, note: &arrived.note, locale };
    let raw = match media_type::essence(&arrived.media_type).as_str() {
        JSON => {
            let mut raw = json::parse(document, limits)?;
            locale.into_iter().for_each(|locale| raw.declare(locale));
            raw
        }
        CSV => csv_form::parse(document, &beside, limits)?,
        XLSX => xlsx::parse(document, &beside, limits)?,
        PROTOBUF => {
            wire::bounded(document, limits)?;
            let request =
                pb::SubmitRequest::decode(document.as_ref()).map_err(|e| wire::not_a_submission(&e))?;
            // As it was sent; over gRPC, as it is written wherever it is written again.
            let kept = if arrived.as_message { request.encode_to_vec().into() } else { document.clone() };
            return Ok((RawSubmission::from_wire(&request.source, &request.note, request.figures), kept));
        }
        other => {
            let detail = Text::of(
                format!("báo cáo được gửi dưới dạng {JSON}, {CSV} hoặc {XLSX}, không phải {other:?}"),
                format!("a submission is sent as {JSON}, {CSV} or {XLSX}, not as {other:?}"),
            );
            return Err(Failure::new(FailureKind::UnsupportedMediaType, detail));
        }
    };
    Ok((raw, document.clone()))
}

/// Under which source a submission goes: that of the key it is sent with, which it may name or leave out; of its own
/// naming where the caller is bound to none.
fn source_of(caller: &Caller, named: String) -> Result<String, Failure> {
    let Some(own) = caller.source() else { return Ok(named) };
    if named.is_empty() || named == own {
        return Ok(own.to_owned());
    }
    let hint = Text::of(
        "để trống nguồn, hoặc ghi đúng nguồn của khóa",
        "leave the source out, or write that of the key",
    );
    let found = finding(Code::SourceNotYours, Spot::path("source"), &named, Text::same(own), hint);
    let detail = Text::of(
        format!("khóa đã gửi là của nguồn {own:?}"),
        format!("the key that was sent is that of the source {own:?}"),
    );
    Err(Failure::new(FailureKind::Forbidden, detail).with_findings(vec![found]))
}

fn replay_or_conflict(known: Receipt, digest: &[u8; 32]) -> Result<Taken, Failure> {
    if known.content_digest == *digest {
        let figures = known.figures;
        return Ok(Taken { receipt: Some(known), replayed: true, figures, warnings: vec![] });
    }
    let Receipt { idempotency_key: key, source, position, .. } = &known;
    let detail = Text::of(
        format!(
            "khóa {key:?} của {source:?} đã dùng ở vị trí {position} với nội dung khác: nội dung mới cần khóa mới"
        ),
        format!(
            "the key {key:?} of {source:?} was used at position {position} with other content: use a new key for \
             new content"
        ),
    );
    Err(Failure::new(FailureKind::KeyConflict, detail))
}

fn refused(findings: Vec<Finding>) -> Failure {
    let detail = match findings.as_slice() {
        [one] => one.said(&one.code),
        many => Text::of(
            format!("báo cáo này có {} lỗi; không lưu gì", many.len()),
            format!("{} things are wrong with this submission; nothing was stored", many.len()),
        ),
    };
    let is = |finding: &Finding, codes: &[Code]| codes.iter().any(|code| finding.code == code.as_str());
    let only = |codes: &[Code]| findings.iter().all(|finding| is(finding, codes));
    let kind = if findings.iter().any(|f| is(f, &[Code::TooManyFigures])) {
        FailureKind::TooLarge
    } else if only(&[Code::OutsideYourUnits, Code::NotYourSide, Code::MoreFindings]) {
        FailureKind::Forbidden
    } else {
        FailureKind::Unprocessable
    };
    Failure::new(kind, detail).with_findings(findings)
}
