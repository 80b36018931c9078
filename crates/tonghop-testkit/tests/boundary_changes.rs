//! §7 by example, asked of the oracle and of the core: what is divided, what moves, and what a year comes to.

use jiff::civil::{Date, date};
use tonghop_core::calendar::Calendar;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::indicator::{Aggregable, Precedence, ReporterOverlap, Sensitivity};
use tonghop_core::period::{Frequency, Period};
use tonghop_core::quantity::Qualifier;
use tonghop_core::question::{Question, Refusal, Total, answer};
use tonghop_core::registry::{Draft, IndicatorRow, LevelName, Registry, SuccessionRow, UnitLookup, UnitRow};
use tonghop_testkit::oracle;
use tonghop_testkit::world::{book, compared};

const REFORM: Date = date(2025, 7, 1);

/// Province X (district D; communes a and k in it) and province Y (commune y) become Z (communes b, c, k and y): a is
/// divided, 0.6 to b and 0.4 to c. Commune m moves from P to Q, which go on.
struct Example {
    registry: Registry,
    figures: Vec<Figure>,
}

fn units() -> Vec<UnitRow> {
    let row = |code: &str, level: &str, parent: Option<&str>, from, to| UnitRow {
        code: code.to_owned(),
        level: level.to_owned(),
        name: code.to_owned(),
        kind: level.to_owned(),
        parent: parent.map(str::to_owned),
        valid_from: from,
        valid_to: to,
    };
    let (always, reform) = (None, Some(REFORM));
    vec![
        row("VN", "nation", None, always, None),
        row("X", "province", Some("VN"), always, reform),
        row("Y", "province", Some("VN"), always, reform),
        row("Z", "province", Some("VN"), reform, None),
        row("P", "province", Some("VN"), always, None),
        row("Q", "province", Some("VN"), always, None),
        row("D", "district", Some("X"), always, reform),
        row("a", "commune", Some("D"), always, reform),
        row("k", "commune", Some("D"), always, reform),
        row("k", "commune", Some("Z"), reform, None),
        row("y", "commune", Some("Y"), always, reform),
        row("y", "commune", Some("Z"), reform, None),
        row("b", "commune", Some("Z"), reform, None),
        row("c", "commune", Some("Z"), reform, None),
        row("m", "commune", Some("P"), always, reform),
        row("m", "commune", Some("Q"), reform, None),
        row("p", "commune", Some("P"), always, None),
    ]
}

impl Example {
    fn new() -> Example {
        let link = |from: &str, to: &str, share: u32| SuccessionRow {
            day: REFORM,
            from: from.to_owned(),
            to: to.to_owned(),
            share,
            basis: "example".to_owned(),
        };
        let level = |code: &str| LevelName { code: code.to_owned(), name_vi: code.to_owned() };
        let indicator = IndicatorRow {
            code: "f-flow".to_owned(),
            name_vi: String::new(),
            name_en: String::new(),
            unit_vi: String::new(),
            unit_en: String::new(),
            decimals: 0,
            kind: "flow".to_owned(),
            numerator: vec![],
            denominator: vec![],
            numerator_is_part: false,
            collection_level: "commune".to_owned(),
            frequency: Frequency::Month,
            calendar: "civil".to_owned(),
            overlap: ReporterOverlap::Single,
            reporters: vec![],
            dimensions: vec![],
            precedence: Precedence::BottomUp,
            programmes: vec![],
            valid_from: None,
            valid_to: None,
            core: false,
            aggregable: Aggregable::Sum,
            from_map: false,
            sensitivity: Sensitivity::Public,
        };
        let draft = Draft {
            levels: ["nation", "province", "district", "commune"].map(level).to_vec(),
            units: units(),
            successions: vec![
                link("X", "Z", 1_000_000),
                link("Y", "Z", 1_000_000),
                link("a", "b", 600_000),
                link("a", "c", 400_000),
                link("k", "k", 1_000_000),
                link("y", "y", 1_000_000),
                link("m", "m", 1_000_000),
            ],
            calendars: vec![Calendar {
                code: "civil".to_owned(),
                name_vi: String::new(),
                start_month: 1,
                start_day: 1,
                year_only: false,
            }],
            indicators: vec![indicator],
            ..Draft::default()
        };
        Example { registry: Registry::build(draft, None).unwrap(), figures: vec![] }
    }

    fn report(&mut self, unit: &str, period: &str, value: i64) {
        let period = Period::parse(period).unwrap();
        let day = self.registry.indicator("f").unwrap().calendar.last_day(period);
        let UnitLookup::Found(unit) = self.registry.unit_on(unit, day) else { panic!("{unit} on {day}") };
        self.figures.push(Figure {
            unit,
            indicator: "f-flow".to_owned(),
            breakdown: Breakdown::default(),
            period,
            scope: Scope::Own,
            statement: Statement::Value(value, Qualifier::Exact),
        });
    }

    fn answer(&self, unit: &str, period: &str, map: Option<Date>) -> Result<Total, Refusal> {
        let period = Period::parse(period).unwrap();
        let day = map.unwrap_or_else(|| self.registry.indicator("f").unwrap().calendar.last_day(period));
        let unit = match self.registry.unit_on(unit, day) {
            UnitLookup::Found(unit) => unit,
            UnitLookup::OtherTime(units) => units[0],
            UnitLookup::Unknown => panic!("{unit}"),
        };
        let breakdown = Breakdown::default();
        let question = Question { unit, indicator: "f".to_owned(), breakdown, period, map };
        let core = answer(&self.registry, &book(&self.registry, &self.figures), &question);
        let oracle = oracle::total(&self.registry, &self.figures, &question);
        let alike = core == oracle || (core.is_err() && oracle.is_err());
        assert!(alike, "{}", compared(&self.registry, &question, &oracle, &core));
        core
    }

    /// Value, covered and expected cells, and whether it is estimated.
    fn says(&self, unit: &str, period: &str, map: Option<Date>) -> (Option<i128>, u64, u64, bool) {
        let total = self.answer(unit, period, map).unwrap();
        (total.value.map(|v| v.value), total.covered, total.expected, total.estimated)
    }
}

#[test]
fn a_divided_commune_is_apportioned_and_its_cells_count_once() {
    let mut example = Example::new();
    for month in 1..=6 {
        example.report("a", &format!("2025-M{month:02}"), 7);
    }
    // Whole numbers by largest remainder: 4.2 and 2.8.
    assert_eq!(example.says("b", "2025-M05", Some(REFORM)), (Some(4), 1, 1, true));
    assert_eq!(example.says("c", "2025-M05", Some(REFORM)), (Some(3), 1, 1, true));
    assert_eq!(example.says("Z", "2025-M05", Some(REFORM)), (Some(7), 1, 3, false));
    // In the year, a half-year of 42 is shared; its six cells are at b, which has the larger part.
    assert_eq!(example.says("b", "2025", None), (Some(25), 6, 12, true));
    assert_eq!(example.says("c", "2025", None), (Some(17), 0, 6, true));
    assert_eq!(example.says("Z", "2025", None), (Some(42), 6, 3 * 6 + 4 * 6, false));
    assert_eq!(example.says("VN", "2025", None).0, Some(42));
}

#[test]
fn a_commune_that_moves_leaves_its_past_where_it_was() {
    let mut example = Example::new();
    example.report("m", "2025-M05", 5);
    example.report("m", "2025-M08", 6);
    // The year of P holds its first half-year, that of Q its second: the nation's counts both once.
    assert_eq!(example.says("P", "2025", None), (Some(5), 1, 2 * 6 + 6, false));
    assert_eq!(example.says("Q", "2025", None).0, Some(6));
    assert_eq!(example.says("m", "2025", None), (Some(6), 1, 6, false));
    assert_eq!(example.says("VN", "2025", None).0, Some(11));
    // Its series in today's map has all of it.
    assert_eq!(example.says("m", "2025-M05", Some(REFORM)), (Some(5), 1, 1, false));
}

#[test]
fn a_figure_for_the_whole_year_covers_what_was_before() {
    let mut example = Example::new();
    for month in 1..=6 {
        example.report("k", &format!("2025-M{month:02}"), 1);
    }
    assert_eq!(example.says("k", "2025", None), (Some(6), 6, 12, false));
    example.report("k", "2025", 20);
    assert_eq!(example.says("k", "2025", None), (Some(20), 12, 12, false));
    assert_eq!(example.says("Z", "2025", None).0, Some(20));
    assert_eq!(example.says("VN", "2025", None).0, Some(20));
}

#[test]
fn what_a_map_does_not_have_is_refused_with_its_reason() {
    let example = Example::new();
    let refused = |unit, period, map| example.answer(unit, period, map).unwrap_err();
    let gone = refused("D", "2025-M05", Some(REFORM));
    assert_eq!(gone, Refusal::LevelGone { level: "district".to_owned(), day: REFORM });
    assert_eq!(refused("X", "2025-M05", Some(REFORM)), Refusal::NotInForce { day: REFORM });
    let old = Some(date(2025, 6, 30));
    let last = date(2025, 8, 31);
    assert_eq!(refused("P", "2025-M08", old), Refusal::MapTooOld { map: date(2025, 6, 30), last });
}
