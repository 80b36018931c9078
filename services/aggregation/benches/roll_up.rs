//! A province's year rolled up from its tiles: plainly, and by all rules. SYNTHETIC figures on the map that ships.

#![allow(missing_docs, reason = "a program, whose only reader is beside it")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tonghop_core::figure::{Figures, Scope, Series, SeriesFigures};
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::question::{Asked, flow_inputs};
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::rollup::flow::{Flow, Inputs};
use tonghop_core::rollup::plain::tally;
use tonghop_ingestion::registry_tables::{self, Given};
use tonghop_proto::registry_draft;
use tonghop_tiles::{Revision, Said, TileBody};

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

fn roll_up(criterion: &mut Criterion) {
    let registry = registry();
    let indicator = registry.indicator("tg02").expect("tips of use").clone();
    let day = "2024-12-14".parse().expect("a day");
    let UnitLookup::Found(province) = registry.unit_on("01", day) else { panic!("no Hà Nội") };
    let stand = registry.stand(registry.epoch(day), province, indicator.collection_level, false);
    let communes: Vec<_> =
        stand.tree.nodes.iter().filter(|node| node.collects).map(|node| node.unit).collect();
    let month = |month: i8| {
        let mut tile = TileBody::default();
        for (n, commune) in communes.iter().enumerate() {
            let said = Said::Value((n as i64 * 37 + i64::from(month) * 11) % 240, Qualifier::Exact);
            let revision = Revision { position: i64::from(month), said, reporter: "cong-an", programmes: "" };
            tile.put_text(*commune, Scope::Own, "", revision);
        }
        (Period::Month(2024, month), tile)
    };
    let months: Vec<(Period, TileBody)> = (1..=12).map(month).collect();
    let series = Series { indicator: indicator.code.clone(), tags: Default::default() };
    let mut all = SeriesFigures::default();
    for (period, tile) in &months {
        tile.add_to(&mut all, *period, i64::MAX);
    }
    let figures = Figures { series: BTreeMap::from([(series.clone(), all)]) };
    let asked = Asked::whole(&indicator, series);
    let year = Period::Year(2024);

    let mut group = criterion.benchmark_group(format!("a year of {} communes", communes.len()));
    group.throughput(Throughput::Elements((communes.len() * months.len()) as u64));
    group.bench_function("months summed plainly", |b| {
        b.iter(|| {
            for (period, tile) in &months {
                let sum = tally(&indicator, &stand, *period, black_box(tile).current());
                black_box(sum.expect("plain figures"));
            }
        });
    });
    group.bench_function("the year by all rules", |b| {
        b.iter(|| {
            let inputs: Inputs<_> = flow_inputs(&asked, black_box(&figures));
            let mut flow = Flow::new(&registry, &indicator, province, &inputs);
            black_box(flow.at(year).cell(province).cloned().expect("a total"))
        });
    });
    group.finish();
}

criterion_group!(benches, roll_up);
criterion_main!(benches);
