//! What a file takes of memory does not grow with its rows. Every byte is counted, by the allocator of this test;
//! its tests run one after the other, so that none counts another's.

use std::io::{self, Write};
use std::sync::Mutex;

use peak_alloc::PeakAlloc;
use tonghop_export::{About, Export, Format, Scales};
use tonghop_proto::query::{FigureRevision, UnitRef};

#[global_allocator]
static COUNTED: PeakAlloc = PeakAlloc;
static ALONE: Mutex<()> = Mutex::new(());

/// As many rows as a part of a national month.
const BATCH: usize = 10_000;
/// Beyond what it holds for a file of a few rows, a file may take this at any length. Most of it is a row group.
const MOST: usize = 48 << 20;

/// Takes bytes and keeps none.
struct Nowhere(u64);

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// SYNTHETIC figures: no two of a batch alike, and no batch like another.
fn batch(at: usize) -> Vec<FigureRevision> {
    let figure = |i: usize| FigureRevision {
        unit: Some(UnitRef {
            code: format!("{:05}", i % 10_035),
            name: format!("Xã {i}"),
            level: "commune".into(),
        }),
        indicator: format!("tg{:02}-crime-tips", at % 40),
        breakdown: "channel=undivided|reporter=cong-an".into(),
        period: "2024-M05".into(),
        scope: "own".into(),
        value: Some((i * 7919 % 100_000).to_string()),
        qualifier: "exact".into(),
        current: true,
        position: (i / 600) as i64,
        submission: format!("0193f0a0-0000-7000-8000-{:012}", i / 600),
        source: "synthetic".into(),
        received_at: "2024-05-15T08:00:00Z".into(),
        ..FigureRevision::default()
    };
    (at * BATCH..(at + 1) * BATCH).map(figure).collect()
}

/// Bytes of a file, and the most memory that writing it took beyond one batch of rows.
fn written(format: Format, batches: usize) -> (u64, usize) {
    let one = batch(0);
    let about = About { position: 7, scales: Scales { value: 3, side: 3 }, ..About::default() };
    let mut out = Nowhere(0);
    let before = COUNTED.current_usage();
    COUNTED.reset_peak_usage();
    let mut export = Export::begin(format, about).expect("it begins");
    drop(one);
    for at in 0..batches {
        let rows = batch(at);
        for some in rows.chunks(4096) {
            export.rows(some).expect("rows");
            out.write_all(&export.take()).expect("nowhere takes all");
        }
    }
    export.finish(&mut out).expect("it ends");
    (out.0, COUNTED.peak_usage().saturating_sub(before))
}

#[test]
fn half_a_million_rows_take_no_more_memory_than_some() {
    let _alone = ALONE.lock().expect("alone");
    // XLSX is the slowest to be written, and holds least.
    for (format, batches) in [
        (Format::Csv, 50),
        (Format::Ndjson, 50),
        (Format::Parquet, 50),
        (Format::Arrow, 50),
        (Format::Xlsx, 12),
    ] {
        let (bytes, peak) = written(format, batches);
        eprintln!("{format:?}: {} rows, {bytes} bytes, {peak} bytes at most in memory", batches * BATCH);
        assert!(peak < MOST, "{format:?}: {peak} bytes in memory");
        assert!(bytes > (batches * BATCH) as u64, "{format:?}: {bytes} bytes for {batches} batches");
    }
}

#[test]
fn a_file_has_no_more_rows_than_a_sheet() {
    let _alone = ALONE.lock().expect("alone");
    let rows = vec![FigureRevision::default(); BATCH];
    let mut export = Export::begin(Format::Csv, About::default()).expect("it begins");
    let most = (tonghop_export::MOST_ROWS / BATCH as u64) as usize;
    for _ in 0..most {
        export.rows(&rows).expect("rows");
        export.take();
    }
    let refused = export.rows(&rows[..1]).expect_err("one too many");
    assert_eq!(refused.to_string(), "more than 1000000 rows: ask for less at once");
}
