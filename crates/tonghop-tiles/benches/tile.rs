//! A province's tile of one month: figures put into it, its bytes made and read, its figures given to a roll-up.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tonghop_core::figure::{Scope, SeriesFigures};
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::unit::UnitId;
use tonghop_tiles::{Revision, Said, TileBody};

/// Communes of a province.
const COMMUNES: u32 = 160;

/// A month in which every commune reported once, and one in eight again.
fn month() -> TileBody {
    let mut body = TileBody::default();
    for round in 0..2 {
        for commune in (0..COMMUNES).filter(|commune| round == 0 || commune % 8 == 0) {
            let value = i64::from(commune * 37 % 240) + round;
            let said = Said::Value(value, Qualifier::Exact);
            let revision = Revision { position: 100 + round, said, reporter: "", programmes: "" };
            body.put_text(UnitId(5000 + commune), Scope::Own, "", revision);
        }
    }
    body
}

fn tile(criterion: &mut Criterion) {
    let body = month();
    let bytes = body.encode();
    let mut group = criterion.benchmark_group("tile of 160 communes");
    group.bench_function("put", |b| b.iter(|| black_box(month())));
    group.bench_function("encode", |b| b.iter(|| black_box(&body).encode()));
    group.bench_function("decode", |b| b.iter(|| TileBody::decode(black_box(&bytes))));
    group.bench_function("figures", |b| {
        b.iter(|| {
            let mut figures = SeriesFigures::default();
            black_box(&body).add_to(&mut figures, Period::Month(2024, 1), i64::MAX);
            figures
        });
    });
    group.finish();
}

criterion_group!(benches, tile);
criterion_main!(benches);
