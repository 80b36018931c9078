//! Submissions, in the forms in which they are sent.

use bytes::Bytes;
use prost::Message;
use tonghop_core::registry::Registry;
use tonghop_ingestion::check::{Accepted, Checked, accept, check};
use tonghop_ingestion::submission::{Beside, Limits, RawSubmission};
use tonghop_ingestion::{csv_form, json as json_form, wire as wire_form, xlsx as xlsx_form};
use tonghop_proto::ingestion as pb;
use tonghop_proto::record::document::{rewrite, rewrites};
use tonghop_proto::record::{self, Columns};

use crate::registry::small;

/// Few figures are too many, so that this is met, too.
fn limits() -> Limits {
    Limits { max_figures: 200, ..Limits::default() }
}

/// What was found good comes out of the ledger's record as it went in.
fn recorded(registry: &Registry, checked: &Checked) {
    let record = record::encode(&checked.figures);
    assert_eq!(record::decode(registry, &record).expect("a record"), checked.figures);
}

/// A submission read figure by figure: taken, or refused with what is wrong.
fn taken(registry: &Registry, raw: &RawSubmission) -> Option<Checked> {
    match check(registry, raw, &limits()) {
        Ok(checked) => {
            assert_eq!(checked.figures.len(), raw.figures.len());
            recorded(registry, &checked);
            Some(checked)
        }
        Err(findings) => {
            assert!(!findings.is_empty(), "it is refused, and nothing is wrong");
            for finding in &findings {
                assert!(!finding.code.is_empty() && !finding.expected.to_string().is_empty());
            }
            None
        }
    }
}

/// What is accepted by kinds of figures is what is accepted figure by figure, and its document comes out again.
fn agree(registry: &Registry, quick: Option<&Accepted>, slow: Option<&Checked>, document: &[u8]) {
    let Some(quick) = quick else { return };
    let slow = slow.expect("it was refused figure by figure");
    assert!(slow.warnings.is_empty(), "{:?}", slow.warnings);
    assert_eq!(quick.figures.figures(registry).expect("figures of the registry"), slow.figures);
    let record = quick.figures.encode();
    assert_eq!(Columns::decode(&record).expect("a record"), quick.figures);
    if let Some(skeleton) = &quick.skeleton {
        let skeleton = skeleton.encode();
        assert_eq!(rewrite(&skeleton, &record).expect("a document"), document);
        assert!(rewrites(&skeleton, &record, document).expect("a document"));
    }
}

/// JSON, in both ways.
pub fn json(document: &[u8]) {
    let registry = small();
    let alike = json_form::alike(document, &limits());
    let raw = json_form::parse(document, &limits());
    if alike.is_some() {
        let raw = raw.as_ref().expect("it is read figure by figure, too");
        assert!(raw.reading.is_empty(), "{:?}", raw.reading);
    }
    let quick = alike.and_then(|alike| accept(registry, alike, &limits()));
    let slow = raw.ok().and_then(|raw| taken(registry, &raw));
    agree(registry, quick.as_ref(), slow.as_ref(), document);
}

/// CSV.
pub fn csv(document: &[u8]) {
    let beside = Beside { source: "tinh-dong", ..Beside::default() };
    match csv_form::parse(document, &beside, &limits()) {
        Ok(raw) => drop(taken(small(), &raw)),
        Err(failure) => assert!(!failure.findings().is_empty(), "{failure}"),
    }
}

/// A workbook.
pub fn xlsx(document: &[u8]) {
    let beside = Beside { source: "tinh-dong", ..Beside::default() };
    match xlsx_form::parse(document, &beside, &limits()) {
        Ok(raw) => drop(taken(small(), &raw)),
        Err(failure) => assert!(!failure.findings().is_empty(), "{failure}"),
    }
}

/// A gRPC message, opened as it is when it comes, and its figures read in both ways.
pub fn wire(message: &[u8]) {
    let registry = small();
    if let Ok(arrived) = wire_form::open(&Bytes::copy_from_slice(message), &limits())
        && arrived.as_message
    {
        let opened = pb::SubmitRequest::decode(arrived.document.as_ref());
        match pb::SubmitRequest::decode(message) {
            // What is kept is what any client would have written.
            Ok(request) => {
                let kept = pb::SubmitRequest {
                    source: request.source,
                    note: request.note,
                    figures: request.figures,
                    ..pb::SubmitRequest::default()
                };
                assert_eq!(opened.expect("a request"), kept);
            }
            // Its figures were not looked into yet: whoever reads them refuses it.
            Err(_) => {
                assert!(opened.is_err());
                assert!(wire_form::alike(&arrived.document).is_none());
            }
        }
    }
    let alike = wire_form::alike(message);
    let request =
        wire_form::bounded(message, &limits()).ok().and_then(|()| pb::SubmitRequest::decode(message).ok());
    if alike.is_some()
        && let Some(request) = &request
    {
        assert_eq!(request.encode_to_vec(), message, "it is not written as it is kept");
    }
    let quick = alike.and_then(|alike| accept(registry, alike, &limits()));
    let raw = request.map(|r| RawSubmission::from_wire(&r.source, &r.note, r.figures));
    let slow = raw.and_then(|raw| taken(registry, &raw));
    agree(registry, quick.as_ref(), slow.as_ref(), message);
}
