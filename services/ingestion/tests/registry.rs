//! Registry tables: the project's own load, and what is wrong in one is said with its place.

mod common;

use std::collections::BTreeMap;

use tonghop_core::registry::UnitLookup;
use tonghop_ingestion::check::check;
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{csv_form, registry_tables};
use tonghop_runtime::Finding;

#[test]
fn the_projects_own_registry_loads_whole() {
    let registry = common::real();
    assert_eq!(registry.levels().len(), 4);
    assert_eq!(registry.indicators().len(), 109);
    assert_eq!(registry.dimensions().len(), 23);
    assert_eq!(registry.programmes().len(), 6);
    assert_eq!(registry.calendars().len(), 6);
    assert!(registry.units().len() > 10_000);
    assert!(registry.indicator("ms01").unwrap().from_map);
    assert!(registry.calendar("kdc").unwrap().year_only);
    let day = |text: &str| text.parse().unwrap();
    let before = registry.unit_on("19", day("2025-06-30"));
    let after = registry.unit_on("19", day("2025-07-01"));
    assert!(matches!((&before, &after), (UnitLookup::Found(a), UnitLookup::Found(b)) if a != b));
}

#[test]
fn the_real_report_passes_with_all_its_figures() {
    let report = include_bytes!("../../../data/reports/bac_kan_2013_2023.csv");
    let raw = csv_form::parse(report, "congan-backan", "Báo cáo 10 năm", &Limits::default()).unwrap();
    assert_eq!(raw.figures.len(), 15);
    let checked = check(common::real(), &raw, &Limits::default()).unwrap_or_else(|all| panic!("{all:#?}"));
    assert_eq!(checked.figures.len(), 15);
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
    let tips = checked.figures.iter().find(|f| f.figure.indicator == "tg01-crime-tips").unwrap();
    assert_eq!(tips.unit_code, "06");
    assert_eq!(common::real().unit(tips.figure.unit).name(), "Tỉnh Bắc Kạn");
    assert_eq!(tips.programmes, ["CTPH-09"]);
}

fn with(file: &str, text: &str) -> Vec<Finding> {
    let mut tables = common::tables("tests/data/registry");
    tables.insert(file.to_owned(), text.as_bytes().to_vec());
    let found = registry_tables::read(&tables).expect_err("it was read");
    found.iter().for_each(common::complete);
    found
}

#[test]
fn shares_are_read_exactly() {
    let wire = common::whole(&common::tables("tests/data/registry"));
    let shares: Vec<u32> = wire.successions.iter().map(|s| s.share_millionths).collect();
    assert_eq!(shares, [750_000, 250_000, 1_000_000, 1_000_000, 1_000_000, 333_333, 666_667, 1_000_000]);
}

#[test]
fn every_missing_table_is_named() {
    let found = registry_tables::read(&BTreeMap::new()).unwrap_err();
    let mut paths: Vec<&str> = found.iter().map(|f| f.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "calendars.csv",
            "dimension_members.csv",
            "dimensions.csv",
            "indicators.csv",
            "levels.csv",
            "programmes.csv",
            "successions.csv",
            "units.csv",
        ]
    );
    assert!(found.iter().all(|f| f.code == "missing_table"));
}

#[test]
fn what_is_wrong_in_a_table_is_said_with_file_line_and_column() {
    let found = with(
        "successions.csv",
        "date,from_code,to_code,share,basis\n\
         2025-07-01,02,03,0.3333333,x\n\
         1/7/2025,02,03,1.5,x\n\
         2025-07-01,,03,half,x\n",
    );
    let places: Vec<_> = found
        .iter()
        .map(|f| (f.code.as_str(), f.path.as_str(), f.line.unwrap(), f.column.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            ("malformed_share", "successions.csv", 2, "share"),
            ("malformed_date", "successions.csv", 3, "date"),
            ("malformed_share", "successions.csv", 3, "share"),
            ("missing_field", "successions.csv", 4, "from_code"),
            ("malformed_share", "successions.csv", 4, "share"),
        ]
    );
}

#[test]
fn cells_of_other_tables_are_read_as_strictly() {
    let only = |file: &str, text: &str| {
        let found = with(file, text);
        assert_eq!(found.len(), 1, "{found:#?}");
        (found[0].code.clone(), found[0].line, found[0].column.clone())
    };
    let calendars = "code,name_vi,year_start_month_day,month_start_day,year_only\n";
    assert_eq!(
        only("calendars.csv", &format!("{calendars}nd09,x,12-15,1,false\n")),
        ("months_start_elsewhere".into(), Some(2), "month_start_day".into())
    );
    assert_eq!(
        only("calendars.csv", &format!("{calendars}nd09,x,15/12,1,false\n")),
        ("malformed_month_day".into(), Some(2), "year_start_month_day".into())
    );
    assert_eq!(
        only("calendars.csv", &format!("{calendars}nd09,x,01-01,1,no\n")),
        ("not_true_or_false".into(), Some(2), "year_only".into())
    );
    assert_eq!(
        only("levels.csv", "code,name_vi\nnation,A\nnation,B\n"),
        ("duplicate_row".into(), Some(3), "code".into())
    );
    assert_eq!(
        only("dimension_members.csv", "dimension,code,name_vi,name_en\ncolour,red,Đỏ,Red\n"),
        ("unknown_dimension".into(), Some(2), "dimension".into())
    );
    assert_eq!(
        only("programmes.csv", "code,title_vi\nP1,x\n"),
        ("missing_column".into(), Some(1), "title_en".into())
    );
    assert_eq!(only("levels.csv", "code,name_vi\nnation\n"), ("wrong_length".into(), Some(2), String::new()));
    let mut indicators =
        String::from_utf8(common::tables("tests/data/registry")["indicators.csv"].clone()).unwrap();
    indicators = indicators.replace("kilogram,3,flow", "kilogram,three,flow");
    assert_eq!(
        only("indicators.csv", &indicators),
        ("not_a_whole_number".into(), Some(6), "decimals".into())
    );
}
