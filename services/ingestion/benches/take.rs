//! What is done with a submission between its bytes and the ledger: a figure's time in each step, on SYNTHETIC figures.

#![allow(missing_docs, reason = "a program, whose only reader is beside it")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use serde_json::json;
use tonghop_access::{Grant, Role};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_ingestion::check::{accept, accept_from, check};
use tonghop_ingestion::registry_tables::{self, Given};
use tonghop_ingestion::submission::{Limits, RawSubmission};
use tonghop_ingestion::{json as json_form, wire};
use tonghop_proto::ingestion::{Figure, SubmitRequest, figure::Statement};
use tonghop_proto::record::document::rewrites;
use tonghop_proto::record::{self, Columns};
use tonghop_proto::registry_draft;
use tonghop_store::Content;

/// The registry that ships.
fn registry() -> Registry {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/registry");
    let files = std::fs::read_dir(folder).expect("the registry").map(|f| f.expect("a file").path());
    let tables: BTreeMap<String, Vec<u8>> = files
        .filter(|p| p.is_file())
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&p).unwrap()))
        .collect();
    let Ok(Given::Whole(mut wire, reform)) = registry_tables::read(&tables) else { panic!("no registry") };
    if let Some(reform) = reform {
        registry_draft::put_on(&mut wire, reform).expect("a reform");
    }
    Registry::build(registry_draft::draft(*wire).expect("a draft"), None).expect("a registry")
}

/// `communes` communes, each with every indicator that it reports alone by the month or longer, SYNTHETIC values.
fn figures(registry: &Registry, communes: usize) -> Vec<Figure> {
    let day = "2024-12-14".parse().expect("a day");
    let map = registry.map_on(day);
    let level = registry.unit(map.units().max_by_key(|u| registry.unit(*u).level).unwrap()).level;
    let units: Vec<UnitId> =
        map.units().filter(|u| registry.unit(*u).level == level).take(communes).collect();
    let figure = |unit: UnitId, n: usize, indicator: &str, breakdown: String| Figure {
        unit: registry.unit(unit).code.clone(),
        indicator: indicator.to_owned(),
        breakdown,
        period: "2024".into(),
        scope: "own".into(),
        statement: Some(Statement::Value((unit.0 as usize * 7 % (3 + n * n)).to_string())),
        qualifier: String::new(),
        programmes: vec![],
    };
    let breakdowns: Vec<(String, String)> = registry
        .indicators()
        .iter()
        .filter(|i| !i.from_map && i.collection_level == level && i.in_force("2024".parse_period()))
        .filter(|i| !matches!(i.kind, tonghop_core::indicator::Kind::Ratio(_)))
        .map(|i| {
            let pairs = i.dimensions.iter().filter_map(|d| {
                let of = registry.dimension(d)?;
                let reporter = i.reporters.first().cloned();
                match d.as_str() {
                    "reporter" => {
                        Some(format!("reporter={}", reporter.unwrap_or(of.members[0].code.clone())))
                    }
                    _ if of.member("undivided").is_some() => Some(format!("{d}=undivided")),
                    _ => None,
                }
            });
            (i.code.clone(), pairs.collect::<Vec<_>>().join("|"))
        })
        .collect();
    units
        .iter()
        .flat_map(|unit| breakdowns.iter().enumerate().map(|(n, (i, b))| figure(*unit, n, i, b.clone())))
        .collect()
}

/// Reads a period that is known to be one.
trait ParsePeriod {
    fn parse_period(&self) -> tonghop_core::period::Period;
}

impl ParsePeriod for str {
    fn parse_period(&self) -> tonghop_core::period::Period {
        tonghop_core::period::Period::parse(self).expect("a period")
    }
}

fn as_json(figures: &[Figure]) -> String {
    let figures: Vec<_> = figures
        .iter()
        .map(|f| {
            let pairs = f.breakdown.split('|').filter_map(|p| p.split_once('='));
            let breakdown: serde_json::Map<_, _> = pairs.map(|(d, m)| (d.to_owned(), m.into())).collect();
            let Some(Statement::Value(value)) = &f.statement else { unreachable!() };
            json!({"unit": f.unit, "indicator": f.indicator, "period": f.period, "scope": f.scope, "value": value,
                   "breakdown": breakdown})
        })
        .collect();
    json!({"source": "synthetic", "figures": figures}).to_string()
}

fn take(criterion: &mut Criterion) {
    let (registry, limits) = (registry(), Limits::default());
    for communes in [12, 120] {
        let all = figures(&registry, communes);
        let text = as_json(&all);
        let count = all.len();
        let message = SubmitRequest { source: "synthetic".into(), figures: all, ..SubmitRequest::default() }
            .encode_to_vec();
        let accepted = accept(&registry, wire::alike(&message).expect("read"), &limits).expect("accepted");
        let record = accepted.figures.encode();
        let skeleton = accepted.skeleton.as_ref().expect("a skeleton").encode();
        println!(
            "{count} figures: message {} bytes, JSON {}, record {}, skeleton {}",
            message.len(),
            text.len(),
            record.len(),
            skeleton.len(),
        );
        let mut group = criterion.benchmark_group(format!("{count} figures"));
        group.throughput(Throughput::Elements(count as u64));
        group
            .bench_function("protobuf, read", |b| b.iter(|| wire::alike(black_box(&message)).expect("read")));
        group.bench_function("protobuf, read and checked", |b| {
            b.iter(|| {
                accept(&registry, wire::alike(black_box(&message)).expect("read"), &limits).expect("accepted")
            })
        });
        group.bench_function("protobuf, read and checked, under a grant", |b| {
            let grant = Grant {
                roles: vec![Role::Report],
                units: vec!["VN".into()],
                sides: vec![],
                everywhere: false,
            };
            b.iter(|| {
                let read = wire::alike(black_box(&message)).expect("read");
                accept_from(&grant, &registry, read, &limits).expect("accepted")
            })
        });
        group.bench_function("JSON, read", |b| {
            b.iter(|| json_form::alike(black_box(text.as_bytes()), &limits).expect("read"))
        });
        group.bench_function("record written", |b| b.iter(|| black_box(&accepted.figures).encode()));
        group.bench_function("record read", |b| {
            b.iter(|| Columns::decode(black_box(&record)).expect("a record"))
        });
        group.bench_function("document compared", |b| {
            b.iter(|| assert!(rewrites(&skeleton, &record, black_box(&message)).expect("a document")))
        });
        group.bench_function("digest", |b| {
            let bytes = bytes::Bytes::from(message.clone());
            b.iter(|| Content::new("x", black_box(bytes.clone())))
        });
        group.bench_function("protobuf, figure by figure", |b| {
            b.iter(|| {
                let request = SubmitRequest::decode(black_box(message.as_slice())).expect("a message");
                let raw = RawSubmission::from_wire(&request.source, &request.note, request.figures);
                record::encode(&check(&registry, &raw, &limits).expect("checked").figures)
            })
        });
        group.finish();
    }
}

criterion_group!(benches, take);
criterion_main!(benches);
