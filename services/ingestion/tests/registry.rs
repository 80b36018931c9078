//! Registry tables: the project's own load, and what is wrong in one is said with its place.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tonghop_core::registry::{Registry, Share, UnitLookup};
use tonghop_ingestion::check::check;
use tonghop_ingestion::submission::{Beside, Limits};
use tonghop_ingestion::{csv_form, registry_tables};
use tonghop_proto::{registry as pb, registry_draft};
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
    let raw = csv_form::parse(
        report,
        &Beside { source: "congan-backan", note: "Báo cáo 10 năm", locale: None },
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(raw.figures.len(), 15);
    let checked = check(common::real(), &raw, &Limits::default()).unwrap_or_else(|all| panic!("{all:#?}"));
    assert_eq!(checked.figures.len(), 15);
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
    let tips = checked.figures.iter().find(|f| f.figure.indicator == "tg01-crime-tips").unwrap();
    assert_eq!(tips.unit_code, "06");
    assert_eq!(common::real().unit(tips.figure.unit).name(), "Tỉnh Bắc Kạn");
    assert_eq!(tips.programmes, ["CTPH-09"]);
}

/// The real reform of 1 July 2025 is nothing special: what was before and the reform as rows make what ships.
#[test]
fn the_reform_of_2025_loads_as_rows_on_what_was_before() {
    let mut wire = common::whole(&common::tables("../../data/registry"));
    let day = "2025-07-01";
    let row = |change: &str, unit: &pb::Unit| pb::Change {
        date: day.into(),
        change: change.into(),
        code: unit.code.clone(),
        level: unit.level.clone(),
        name: unit.name.clone(),
        kind: unit.kind.clone(),
        parent_code: unit.parent_code.clone(),
    };
    let (before, since): (Vec<_>, Vec<_>) =
        wire.units.iter().cloned().partition(|u| u.valid_from.as_str() < day);
    let begins = since.iter().filter(|u| u.valid_from == day).map(|u| row("begins", u));
    let begun: HashSet<&str> = since.iter().map(|u| u.code.as_str()).collect();
    let ended = before.iter().filter(|u| u.valid_to == day && !begun.contains(u.code.as_str()));
    // Those that a succession leads away from end by themselves: districts have to be named.
    let ends = ended.filter(|u| u.level == "district").map(|u| row("ends", u));
    let later = since.iter().filter(|u| u.valid_from.as_str() > day).map(|u| pb::Change {
        date: u.valid_from.clone(),
        parent_code: String::new(),
        ..row("renamed", u)
    });
    let reform = pb::Reform {
        levels: vec![],
        changes: begins.chain(ends).chain(later).collect(),
        successions: std::mem::take(&mut wire.successions),
    };
    wire.units = before.into_iter().map(|u| pb::Unit { valid_to: String::new(), ..u }).collect();
    let old = Registry::build(registry_draft::draft(wire.clone()).unwrap(), None).unwrap();
    assert_eq!(old.maps().len(), 1, "nothing has happened yet");

    let dropped = registry_draft::put_on(&mut wire, reform).unwrap_or_else(|all| panic!("{all:#?}"));
    assert_eq!(dropped, []);
    let draft = registry_draft::draft(wire).unwrap();
    let next = Registry::build(draft, Some(&old)).unwrap_or_else(|all| panic!("{all:#?}"));
    let real = common::real();
    assert_eq!(next.units(), real.units());
    assert_eq!(next.successions(), real.successions());
    assert_eq!(next.maps().len(), 2);
}

/// Written back and forth a share is the same both ways, and nothing of a unit is lost on the way.
#[test]
fn on_the_real_map_both_ways_say_the_same() {
    let registry = common::real();
    let (before, after) = ("2025-06-30".parse().unwrap(), "2025-07-01".parse().unwrap());
    let mut forth = BTreeSet::new();
    for unit in registry.units().iter().filter(|u| u.in_force(before)) {
        let heirs = registry.became(unit.id, before, after);
        let whole = heirs.iter().try_fold(None::<Share>, |sum, heir| match (sum, heir.share?) {
            (None, share) => Some(Some(share)),
            (Some(sum), share) => sum.and(share).map(Some),
        });
        let gone = registry.level_code(unit.level) == "district" && heirs.is_empty();
        assert!(gone || whole == Some(Some(Share::WHOLE)), "{}: {heirs:?}", unit.code);
        forth.extend(heirs.iter().map(|heir| (unit.id, heir.unit, heir.share.unwrap().to_string())));
    }
    let mut back = BTreeSet::new();
    for unit in registry.units().iter().filter(|u| u.in_force(after)) {
        let origins = registry.made_of(unit.id, after, before);
        assert!(!origins.is_empty(), "{} comes from nowhere", unit.code);
        back.extend(origins.iter().map(|origin| (origin.unit, unit.id, origin.share.unwrap().to_string())));
    }
    assert_eq!(forth, back);
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
