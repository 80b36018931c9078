//! A province's year rolled up from its tiles: plainly, and by all rules. SYNTHETIC figures on the map that ships.

#![allow(missing_docs, reason = "a program, whose only reader is beside it")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tonghop_aggregation::summarised;
use tonghop_core::figure::{Figures, Scope, Series, SeriesFigures};
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::quantity::{Qualifier, Sum};
use tonghop_core::question::{Asked, flow_inputs};
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::rollup::flow::{Flow, Inputs};
use tonghop_core::rollup::plain::{Tally, of_flow, tally, tally_alike};
use tonghop_core::rollup::{Cell, Stand};
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

/// Sums of months, and of the longer periods from them: quarters, halves, nine months, the year.
fn of_arrays(months: &[Vec<i32>]) -> Vec<(i64, usize)> {
    let mut out: Vec<(i64, usize)> =
        months.iter().map(|month| (month.iter().map(|v| i64::from(*v)).sum(), month.len())).collect();
    for (from, to) in [(0, 3), (3, 6), (6, 9), (9, 12), (0, 6), (6, 12), (0, 9), (0, 12)] {
        let all = out[from..to].iter();
        out.push(all.fold((0, 0), |(sum, many), (value, more)| (sum + value, many + more)));
    }
    out
}

/// The province's cells of some periods, from what its months come to.
fn cells(indicator: &Indicator, stand: &Stand, periods: &[Period], months: &[Tally]) -> Vec<Cell<Sum>> {
    let of_period = |period: &Period| {
        let (from, to) = period.months().expect("months");
        let first = Period::Month(2024, 1).months().expect("a month").0;
        let mut sum = Tally::default();
        months[(from - first) as usize..=(to - first) as usize].iter().for_each(|tally| sum.add(tally));
        of_flow(indicator, stand, *period, sum)
    };
    periods.iter().map(of_period).collect()
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
    // The ceiling: a number for each commune and month, and nothing else.
    let dense: Vec<Vec<i32>> = months
        .iter()
        .map(|(_, tile)| tile.alike().expect("alike").1.map(|(_, value)| value as i32).collect())
        .collect();
    group.bench_function("all periods from dense arrays", |b| b.iter(|| of_arrays(black_box(&dense))));
    let periods = summarised(&indicator, 2024);
    group.bench_function("all periods from tiles that are alike", |b| {
        b.iter(|| {
            let of_month = |(period, tile): &(Period, TileBody)| {
                let (qualifier, values) = black_box(tile).alike()?;
                tally_alike(&indicator, &stand, *period, qualifier, values)
            };
            let tallies: Option<Vec<Tally>> = months.iter().map(of_month).collect();
            cells(&indicator, &stand, &periods, &tallies.expect("plain figures"))
        });
    });
    group.bench_function("all periods from tiles, figure by figure", |b| {
        b.iter(|| {
            let of_month = |(period, tile): &(Period, TileBody)| {
                tally(&indicator, &stand, *period, black_box(tile).current())
            };
            let tallies: Option<Vec<Tally>> = months.iter().map(of_month).collect();
            cells(&indicator, &stand, &periods, &tallies.expect("plain figures"))
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
