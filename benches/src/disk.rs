//! What the disk does, without anybody in between.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::figures::{Country, Month, value};

/// How long an append of a few bytes takes to be on the disk: what durable figures are to be read beside.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Canary {
    pub(crate) median_us: u64,
    pub p99_us: u64,
}

/// Appends of 512 bytes, each synced.
const SMALL: [u8; 512] = [7; 512];
const APPENDS: usize = 200;

/// Asks the disk.
pub(crate) fn canary(directory: &Path) -> Outcome<Canary> {
    let path = directory.join("canary");
    let mut file = appending(&path)?;
    let mut took = Vec::with_capacity(APPENDS);
    for _ in 0..APPENDS {
        took.push(append(&mut file, &SMALL)?.as_micros() as u64);
    }
    std::fs::remove_file(&path).map_err(|e| e.to_string())?;
    took.sort_unstable();
    Ok(Canary { median_us: took[APPENDS / 2], p99_us: took[APPENDS * 99 / 100] })
}

/// A log to append to.
pub(crate) fn appending(path: &Path) -> Outcome<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|e| format!("{}: {e}", path.display()))
}

/// Appends and waits for the disk.
pub(crate) fn append(file: &mut File, bytes: &[u8]) -> Outcome<Duration> {
    let begun = Instant::now();
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(|e| e.to_string())?;
    Ok(begun.elapsed())
}

/// Bytes of a value in the raw log: commune, indicator, month, value.
const ROW: usize = 16;

/// Values as the raw log has them.
pub(crate) fn rows(country: &Country, communes: std::ops::Range<usize>, month: Month) -> Vec<u8> {
    let mut out = Vec::with_capacity(communes.len() * country.indicators * ROW);
    for commune in communes {
        for indicator in 0..country.indicators {
            out.extend((commune as u32).to_le_bytes());
            out.extend((indicator as u16).to_le_bytes());
            out.extend((month.number() as u16).to_le_bytes());
            out.extend(value(commune, indicator, month).to_le_bytes());
        }
    }
    out
}

/// The sums by indicator of what a raw log holds.
pub(crate) fn sums(path: &PathBuf, indicators: usize) -> Outcome<Vec<i64>> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|e| e.to_string())?;
    let mut sums = vec![0; indicators];
    for row in bytes.chunks_exact(ROW) {
        let indicator = usize::from(u16::from_le_bytes([row[4], row[5]]));
        let value = row[8..].try_into().map(i64::from_le_bytes).map_err(|_| "a row is cut off")?;
        *sums.get_mut(indicator).ok_or("an unknown indicator in the raw log")? += value;
    }
    Ok(sums)
}
