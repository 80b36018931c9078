//! Writes the first inputs of the fuzzing into `fuzz/corpus`: those that a person cannot write by hand. All figures in them
//! are SYNTHETIC.
//!
//!     cargo run -p tonghop-fuzz --example seeds

use std::path::Path;

use prost::Message;
use tonghop_core::figure::Scope;
use tonghop_core::quantity::Qualifier;
use tonghop_core::unit::UnitId;
use tonghop_fuzz::small;
use tonghop_ingestion::check::accept;
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::wire;
use tonghop_proto::ingestion::figure::Statement;
use tonghop_proto::ingestion::{Figure, SubmitRequest};
use tonghop_proto::ledger as pb;
use tonghop_proto::record::Columns;
use tonghop_tiles::{Revision, Said, SummaryBody, TileBody};

fn figure(unit: &str, statement: Statement) -> Figure {
    Figure {
        unit: unit.into(),
        indicator: "aa01-tips".into(),
        breakdown: "channel=undivided|reporter=cong-an".into(),
        period: "2024-M03".into(),
        scope: "own".into(),
        statement: Some(statement),
        qualifier: String::new(),
        programmes: vec!["P1".into()],
    }
}

fn put(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(name), bytes).expect("a file");
}

/// Behind its length, in two bytes.
fn behind_length(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short one");
    [&length.to_be_bytes()[..], bytes].concat()
}

fn main() {
    let registry = small();
    let value = |text: &str| Statement::Value(text.into());
    let figures = vec![
        figure("00001", value("12")),
        figure("00002", value("7")),
        Figure { indicator: "aa02".into(), ..figure("00001", value("3")) },
    ];
    let request = SubmitRequest { source: "synthetic".into(), figures, ..SubmitRequest::default() };
    let document = request.encode_to_vec();
    put("wire", "seed-alike", &document);
    let whole = SubmitRequest {
        idempotency_key: "k".into(),
        note: "ghi chú".into(),
        figures: vec![
            figure("00003", Statement::NotAvailable("không có".into())),
            figure("00001", Statement::Withdraw(true)),
            Figure { qualifier: "about".into(), ..figure("00002", value("7")) },
        ],
        dry_run: true,
        ..request
    };
    put("wire", "seed-request", &whole.encode_to_vec());

    let alike = wire::alike(&document).expect("read");
    let accepted = accept(registry, alike, &Limits::default()).expect("accepted");
    let record = accepted.figures.encode();
    put("record", "seed-packed", &record);
    put("record", "seed-first", &accepted.figures.encode_first());
    assert_eq!(Columns::decode(&record).expect("a record"), accepted.figures);
    let skeleton = accepted.skeleton.expect("a skeleton").encode();
    put("document", "seed", &[behind_length(&skeleton), record].concat());

    let mut tile = TileBody::default();
    for (position, unit, said) in [
        (2, 300, Said::Value(12, Qualifier::Exact)),
        (2, 301, Said::NotAvailable("không có")),
        (3, 300, Said::Value(13, Qualifier::About)),
        (4, 301, Said::Withdrawn),
    ] {
        let revision = Revision { position, said, reporter: "cong-an", programmes: "P1" };
        tile.put_text(UnitId(unit), Scope::Own, "channel=box", revision);
    }
    put("bodies", "seed-tile", &[vec![0], tile.encode()].concat());
    put("bodies", "seed-summary", &[vec![1], SummaryBody::default().encode()].concat());

    let issued = pb::KeyIssued {
        key: "0123456789abcdef".into(),
        salt: vec![7; 16],
        digest: vec![9; 32],
        source: "synthetic".into(),
        grant: Some(pb::Grant { roles: vec!["report".into()], units: vec!["01".into()], sides: vec![] }),
        expires_at: "2030-01-01T00:00:00Z".into(),
        replaces: String::new(),
        overlap_until: String::new(),
        note: String::new(),
    };
    let change = |change| pb::AccessRecord { change: Some(change) }.encode_to_vec();
    let again = pb::KeyIssued {
        key: "fedcba9876543210".into(),
        replaces: issued.key.clone(),
        overlap_until: "2029-01-01T00:00:00Z".into(),
        ..issued.clone()
    };
    let revoked = pb::KeyRevoked { key: issued.key.clone() };
    let entries = [
        change(pb::access_record::Change::Issued(issued)),
        change(pb::access_record::Change::Issued(again)),
        change(pb::access_record::Change::Revoked(revoked)),
    ];
    put("access_record", "seed", &entries.map(|entry| behind_length(&entry)).concat());
    put("registry_message", "seed", &tonghop_fuzz::small_message().encode_to_vec());
}
