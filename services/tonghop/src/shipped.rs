//! The registry and the report that ship inside the binary, so that `demo` works from anywhere; or the same
//! from a directory.

use std::collections::HashMap;
use std::path::Path;

use crate::trouble::Trouble;

/// A file: its name and its bytes.
pub type File = (String, Vec<u8>);

macro_rules! embedded {
    ($directory:literal: $($file:literal),* $(,)?) => {
        &[$(($file, include_bytes!(concat!("../../../data/", $directory, "/", $file)))),*]
    };
}

const REGISTRY: &[(&str, &[u8])] = embedded!("registry":
    "calendars.csv", "changes.csv", "dimension_members.csv", "dimensions.csv", "indicators.csv", "levels.csv", "phases.csv",
    "plausibility.csv", "programmes.csv", "regimes.csv", "successions.csv", "targets_standard.csv", "units.csv",
);

const REPORTS: &[(&str, &[u8])] = embedded!("reports": "bac_kan_2013_2023.csv");

fn owned(files: &[(&str, &[u8])]) -> Vec<File> {
    files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect()
}

/// The registry's tables by file name: those of `directory/registry`, or those that ship.
///
/// # Errors
/// Where the directory cannot be read, or has none.
pub fn registry(directory: Option<&Path>) -> Result<HashMap<String, Vec<u8>>, Trouble> {
    Ok(match directory {
        Some(directory) => tables(&directory.join("registry"))?,
        None => registry_files(),
    }
    .into_iter()
    .collect())
}

/// The registry's tables that ship, in the order of their names, as [`tables`] has those of a directory.
pub fn registry_files() -> Vec<File> {
    owned(REGISTRY)
}

/// The real reports: those of `directory/reports`, or the one that ships.
///
/// # Errors
/// Where the directory cannot be read, or has none.
pub fn reports(directory: Option<&Path>) -> Result<Vec<File>, Trouble> {
    match directory {
        Some(directory) => tables(&directory.join("reports")),
        None => Ok(owned(REPORTS)),
    }
}

/// All CSV files of a directory, by name.
///
/// # Errors
/// Where it cannot be read, or has none.
pub fn tables(directory: &Path) -> Result<Vec<File>, Trouble> {
    let cannot =
        |error: std::io::Error| Trouble::refused(format!("{}: cannot be read: {error}", directory.display()));
    let mut files = vec![];
    for entry in std::fs::read_dir(directory).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        if name.ends_with(".csv") {
            files.push((name, std::fs::read(&path).map_err(cannot)?));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Trouble::refused(format!("{}: there is no .csv file", directory.display())));
    }
    Ok(files)
}

/// A row of a report, as far as it is needed to ask for it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Code of the unit.
    pub unit: String,
    /// Code of the indicator.
    pub indicator: String,
    /// Programmes it was reported under.
    pub programmes: Vec<String>,
}

/// The rows of a report.
///
/// # Errors
/// Where it is no table with the columns of a submission.
pub fn rows((name, bytes): &File) -> Result<Vec<ReportRow>, Trouble> {
    let wrong = |what: String| Trouble::refused(format!("{name}: {what}"));
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let headers = reader.headers().map_err(|e| wrong(e.to_string()))?.clone();
    let column = |wanted: &str| {
        headers.iter().position(|h| h == wanted).ok_or_else(|| wrong(format!("there is no column {wanted}")))
    };
    let (unit, indicator, programme) = (column("unit_code")?, column("indicator")?, column("programme")?);
    let mut rows = vec![];
    for record in reader.records() {
        let record = record.map_err(|e| wrong(e.to_string()))?;
        let cell = |i: usize| record.get(i).unwrap_or_default().to_owned();
        rows.push(ReportRow {
            unit: cell(unit),
            indicator: cell(indicator),
            programmes: cell(programme).split('|').filter(|p| !p.is_empty()).map(str::to_owned).collect(),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_registry_and_the_real_report_are_in_the_binary() {
        let shipped = registry(None).unwrap();
        let on_disk = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data"));
        assert_eq!(shipped, registry(Some(on_disk)).unwrap());
        assert_eq!(
            registry_files(),
            tables(&on_disk.join("registry")).unwrap(),
            "in the same order, so under the same key"
        );
        assert_eq!(reports(None).unwrap(), reports(Some(on_disk)).unwrap());
    }

    #[test]
    fn the_report_has_fifteen_figures_of_fifteen_indicators() {
        let rows = rows(&reports(None).unwrap()[0]).unwrap();
        let mut indicators: Vec<_> = rows.iter().map(|r| &r.indicator).collect();
        indicators.dedup();
        assert_eq!((rows.len(), indicators.len()), (15, 15));
        assert!(rows.iter().all(|r| r.unit == "06" && r.programmes == ["CTPH-09"]));
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let Trouble::Refused { reason, .. } = tables(Path::new("/no/such")).unwrap_err() else {
            panic!("not refused")
        };
        assert!(reason.starts_with("/no/such: cannot be read"), "{reason}");
    }
}
