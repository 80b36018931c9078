//! A small country whose totals are asked of the oracle and of the core alike.

use tonghop_core::calendar::Calendar;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::indicator::{Aggregable, Precedence, ReporterOverlap, Sensitivity};
use tonghop_core::period::{Frequency, Period};
use tonghop_core::quantity::Qualifier;
use tonghop_core::question::{Basis, Question, Total, answer};
use tonghop_core::registry::{Draft, IndicatorRow, LevelName, Registry, UnitLookup, UnitRow};
use tonghop_core::unit::UnitId;
use tonghop_testkit::oracle;
use tonghop_testkit::world::{book, compared};

/// A province T of districts A (communes a1, a2) and B (b1, b2, b3), and elsewhere a district C (c1); one flow
/// collected monthly.
pub(crate) struct Example {
    registry: Registry,
    figures: Vec<Figure>,
}

/// What the page says of a rectangle: headline, basis, difference, and reported, covered and expected cells.
pub(crate) type Said = (i128, Basis, Option<i128>, (u64, u64, u64));

impl Example {
    pub(crate) fn new(precedence: Precedence) -> Example {
        let level = |code: &str| LevelName { code: code.to_owned(), name_vi: code.to_owned() };
        let unit = |code: &str, level: &str, parent: Option<&str>| UnitRow {
            code: code.to_owned(),
            level: level.to_owned(),
            name: code.to_owned(),
            kind: level.to_owned(),
            parent: parent.map(str::to_owned),
            valid_from: None,
            valid_to: None,
        };
        let mut units = vec![unit("VN", "nation", None)];
        units.extend(["T", "S"].map(|province| unit(province, "province", Some("VN"))));
        let districts = [("T", "A", &["a1", "a2"][..]), ("T", "B", &["b1", "b2", "b3"]), ("S", "C", &["c1"])];
        for (province, district, communes) in districts {
            units.push(unit(district, "district", Some(province)));
            units.extend(communes.iter().map(|commune| unit(commune, "commune", Some(district))));
        }
        let draft = Draft {
            levels: ["nation", "province", "district", "commune"].map(level).to_vec(),
            units,
            calendars: vec![Calendar {
                code: "nd09".to_owned(),
                name_vi: String::new(),
                start_month: 12,
                start_day: 15,
                year_only: false,
            }],
            indicators: vec![monthly_flow(precedence)],
            ..Draft::default()
        };
        Example { registry: Registry::build(draft, None).unwrap(), figures: vec![] }
    }

    fn unit(&self, code: &str) -> UnitId {
        match self.registry.unit_on(code, jiff::civil::date(2024, 1, 1)) {
            UnitLookup::Found(unit) => unit,
            other => panic!("{code}: {other:?}"),
        }
    }

    pub(crate) fn report(&mut self, unit: &str, scope: Scope, period: &str, value: i64) {
        self.figures.push(Figure {
            unit: self.unit(unit),
            indicator: "f-flow".to_owned(),
            breakdown: Breakdown::default(),
            period: Period::parse(period).unwrap(),
            scope,
            statement: Statement::Value(value, Qualifier::Exact),
        });
    }

    pub(crate) fn total(&self, unit: &str, period: &str) -> Total {
        let question = Question {
            unit: self.unit(unit),
            indicator: "f".to_owned(),
            breakdown: Breakdown::default(),
            period: Period::parse(period).unwrap(),
            map: None,
        };
        let oracle = oracle::total(&self.registry, &self.figures, &question);
        let core = answer(&self.registry, &book(&self.registry, &self.figures), &question);
        assert!(oracle == core, "{}", compared(&self.registry, &question, &oracle, &core));
        oracle.unwrap()
    }

    pub(crate) fn says(&self, unit: &str, period: &str, (value, basis, difference, cells): Said) {
        let total = self.total(unit, period);
        assert_eq!(total.value.map(|v| v.value), Some(value), "headline({unit}, {period})");
        assert_eq!(total.basis, Some(basis), "basis of {unit}, {period}");
        assert_eq!(total.difference, difference, "difference({unit}, {period})");
        assert_eq!((total.reported, total.covered, total.expected), cells, "cells of {unit}, {period}");
        assert_eq!(total.unavailable, 0);
    }
}

fn monthly_flow(precedence: Precedence) -> IndicatorRow {
    IndicatorRow {
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
        calendar: "nd09".to_owned(),
        overlap: ReporterOverlap::Single,
        reporters: vec![],
        dimensions: vec![],
        precedence,
        programmes: vec![],
        valid_from: None,
        valid_to: None,
        core: false,
        aggregable: Aggregable::Sum,
        from_map: false,
        sensitivity: Sensitivity::Public,
    }
}
