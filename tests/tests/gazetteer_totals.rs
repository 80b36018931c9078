//! The reform of 1 July 2025 on the real gazetteer: SYNTHETIC figures of every commune and every month of 2024 and
//! 2025, for flows in both calendars, a stock and a ratio, counted here without any of the code under test.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use jiff::civil::{Date, date};
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figures, Leaf, Scope, Series, Stated};
use tonghop_core::indicator::{Aggregable, Precedence, ReporterOverlap, Sensitivity};
use tonghop_core::period::{Frequency, Period};
use tonghop_core::quantity::Qualifier;
use tonghop_core::question::{Basis, Prepared, Question, Total, plan};
use tonghop_core::registry::{IndicatorRow, Registry, UnitLookup};
use tonghop_core::unit::{Level, UnitId};
use tonghop_tests::gazetteer::rows;
use tonghop_tests::server::{shipped, shipped_draft};

const REFORM: Date = date(2025, 7, 1);
const FLOW: &str = "f-flow";
const CIVIL: &str = "g-civil";
const STOCK: &str = "s-stock";
const PART: &str = "n-part";
const WHOLE: &str = "d-whole";
const RATE: &str = "r-rate";

fn indicator(code: &str, kind: &str, calendar: &str) -> IndicatorRow {
    let of = |code: &str| if kind == "ratio" { vec![code.to_owned()] } else { vec![] };
    IndicatorRow {
        code: code.to_owned(),
        name_vi: "SYNTHETIC".to_owned(),
        name_en: "SYNTHETIC".to_owned(),
        unit_vi: "lượt".to_owned(),
        unit_en: "times".to_owned(),
        decimals: 0,
        kind: kind.to_owned(),
        numerator: of(PART),
        denominator: of(WHOLE),
        numerator_is_part: kind == "ratio",
        collection_level: "commune".to_owned(),
        frequency: Frequency::Month,
        calendar: calendar.to_owned(),
        overlap: ReporterOverlap::Single,
        reporters: vec![],
        dimensions: vec![],
        precedence: Precedence::BottomUp,
        programmes: vec![],
        valid_from: None,
        valid_to: None,
        core: false,
        aggregable: if kind == "ratio" { Aggregable::Ratio } else { Aggregable::Sum },
        from_map: false,
        sensitivity: Sensitivity::Public,
    }
}

/// Figures, and what they come to by province and month.
struct Country {
    registry: Registry,
    figures: Figures,
    counted: HashMap<(&'static str, UnitId, Period), i128>,
    /// What every old province went on as.
    heirs: BTreeMap<UnitId, UnitId>,
}

impl Country {
    fn empty() -> Country {
        let mut draft = shipped_draft();
        // What the indicators that ship are held to is no matter here.
        (draft.plausibility, draft.regimes) = (vec![], vec![]);
        draft.indicators = vec![
            indicator(FLOW, "flow", "nd09"),
            indicator(CIVIL, "flow", "civil"),
            indicator(STOCK, "stock", "nd09"),
            indicator(PART, "flow", "nd09"),
            indicator(WHOLE, "flow", "nd09"),
            indicator(RATE, "ratio", "nd09"),
        ];
        let registry = Registry::build(draft, None).expect("the registry that ships holds together");
        let mut heirs = BTreeMap::new();
        for row in rows(&shipped()["successions.csv"]) {
            let old = unit(&registry, &row["from_code"], date(2025, 6, 30));
            if registry.unit(old).level == Level(1) {
                assert_eq!(row["share"], "1");
                heirs.insert(old, unit(&registry, &row["to_code"], REFORM));
            }
        }
        assert_eq!((heirs.len(), heirs.values().collect::<HashSet<_>>().len()), (63, 34));
        Country { registry, figures: Figures::default(), counted: HashMap::new(), heirs }
    }

    fn report(&mut self, code: &str, unit: UnitId, scope: Scope, period: Period, value: i64) {
        let series = Series { indicator: code.to_owned(), tags: Breakdown::default() };
        let said = Stated::Value(value, Qualifier::Exact);
        self.figures.series.entry(series).or_default().push(period, unit, scope, &Leaf::default(), said);
    }

    /// Every commune, and every island district, reports every month.
    fn full() -> &'static Country {
        static FULL: OnceLock<Country> = OnceLock::new();
        FULL.get_or_init(Country::report_all)
    }

    fn report_all() -> Country {
        let mut country = Country::empty();
        for code in [FLOW, CIVIL, STOCK, PART, WHOLE] {
            for period in (2024..=2025).flat_map(|year| (1..=12).map(move |m| Period::Month(year, m))) {
                let registry = &country.registry;
                let calendar = &registry.indicator(code).unwrap().calendar;
                let day = calendar.last_day(period);
                let map = registry.map_on(day);
                let reporting: Vec<UnitId> =
                    map.units().filter(|unit| registry.collects(*unit, day, Level(3))).collect();
                assert!([10_035 + 5, 3_321].contains(&reporting.len()), "{}", reporting.len());
                let province =
                    |unit: UnitId| map.ancestry(unit).find(|u| registry.unit(*u).level == Level(1));
                let provinces: Vec<UnitId> = reporting.iter().filter_map(|unit| province(*unit)).collect();
                for (unit, province) in reporting.into_iter().zip(provinces) {
                    let value = synthetic(code, unit, period);
                    country.report(code, unit, Scope::Own, period, value);
                    *country.counted.entry((known(code), province, period)).or_default() += i128::from(value);
                }
            }
        }
        country
    }

    /// What was counted of an indicator in provinces on the map of a period, in months of a longer one.
    fn counted(&self, code: &'static str, provinces: &[UnitId], months: &[Period]) -> i128 {
        let of = |month: &Period| {
            provinces.iter().map(|p| self.counted.get(&(code, *p, *month)).unwrap_or(&0)).sum::<i128>()
        };
        months.iter().map(of).sum()
    }

    /// A province and all that went on as it.
    fn with_its_past(&self, province: UnitId) -> Vec<UnitId> {
        let past = self.heirs.iter().filter(|(old, new)| **new == province && **old != province);
        past.map(|(old, _)| *old).chain([province]).collect()
    }

    fn totals(&self, code: &str, period: Period, map: Option<Date>, units: &[UnitId]) -> Vec<Total> {
        let first = units[0];
        let question = Question {
            unit: first,
            indicator: code.to_owned(),
            breakdown: Breakdown::default(),
            period,
            map,
        };
        let plan = plan(&self.registry, &question).expect("it can be asked");
        let prepared = Prepared::new(&self.registry, &plan, &self.figures);
        units.iter().map(|unit| prepared.total(*unit).expect("it has a total")).collect()
    }

    fn total(&self, code: &str, period: Period, map: Option<Date>, unit: UnitId) -> Total {
        self.totals(code, period, map, &[unit]).remove(0)
    }

    fn of_level(&self, level: Level, day: Date) -> Vec<UnitId> {
        self.registry.map_on(day).units().filter(|unit| self.registry.unit(*unit).level == level).collect()
    }
}

fn known(code: &str) -> &'static str {
    [FLOW, CIVIL, STOCK, PART, WHOLE].into_iter().find(|known| *known == code).unwrap()
}

fn unit(registry: &Registry, code: &str, day: Date) -> UnitId {
    match registry.unit_on(code, day) {
        UnitLookup::Found(unit) => unit,
        other => panic!("{code} on {day}: {other:?}"),
    }
}

/// A number without meaning; a part is never more than its whole.
fn synthetic(code: &str, unit: UnitId, period: Period) -> i64 {
    let seed = format!("{}{unit:?}{period}", if code == PART { WHOLE } else { code });
    let drawn = seed.bytes().fold(17u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let value = (drawn >> 32) % 50;
    i64::try_from(if code == PART { value * (drawn % 5) / 5 } else { value }).unwrap()
}

fn value(total: &Total) -> i128 {
    total.value.expect("a value").value
}

/// The periods of 2024 and 2025 up to the year, with the months of which each is the sum.
fn periods() -> Vec<(Period, Vec<Period>)> {
    let mut all = Vec::new();
    for year in [2024, 2025] {
        all.extend((1..=12).map(|m| Period::Month(year, m)));
        all.extend((1..=4).map(|q| Period::Quarter(year, q)));
        all.extend((1..=2).map(|h| Period::Half(year, h)));
        all.extend([Period::NineMonths(year), Period::Year(year)]);
    }
    all.into_iter().map(|p| (p, p.collection_periods(Frequency::Month))).collect()
}

#[test]
fn the_nation_is_one_in_every_map_and_a_province_is_what_its_predecessors_were() {
    let country = Country::full();
    let registry = &country.registry;
    let (nation, new) = (registry.nation(), country.of_level(Level(1), REFORM));
    let old = country.of_level(Level(1), date(2025, 6, 30));
    assert_eq!((old.len(), new.len()), (63, 34));
    for code in [FLOW, CIVIL, STOCK] {
        let calendar = &registry.indicator(code).unwrap().calendar;
        for (period, months) in periods() {
            let shown = format!("{code} {period}");
            // Of a stock the last month stands.
            let months = if code == STOCK { vec![*months.last().unwrap()] } else { months };
            let is_new = calendar.last_day(period) >= REFORM;
            let reported = country.total(code, period, None, nation);
            let restated = country.total(code, period, Some(REFORM), nation);
            assert_eq!(reported, restated, "{shown}");
            assert_eq!(reported.basis, Some(Basis::Computed), "{shown}");
            assert_eq!(reported.covered, reported.expected, "{shown}");
            let all: Vec<UnitId> =
                old.iter().chain(new.iter().filter(|u| !old.contains(u))).copied().collect();
            assert_eq!(value(&reported), country.counted(code, &all, &months), "{shown}");

            let provinces = country.totals(code, period, Some(REFORM), &new);
            for (province, total) in new.iter().zip(&provinces) {
                let past = country.with_its_past(*province);
                assert_eq!(value(total), country.counted(code, &past, &months), "{shown} {province:?}");
                assert_eq!((total.covered, total.estimated, total.carried), (total.expected, false, false));
            }
            let sum = |of: fn(&Total) -> u64| provinces.iter().map(of).sum::<u64>();
            assert_eq!(sum(|t| t.covered), reported.covered, "{shown}");
            assert_eq!(sum(|t| t.reported), reported.reported, "{shown}");
            if is_new {
                assert_eq!(country.totals(code, period, None, &new), provinces, "{shown}");
            } else {
                let before = country.totals(code, period, None, &old);
                assert_eq!(before.iter().map(value).sum::<i128>(), value(&reported), "{shown}");
            }
        }
    }
}

#[test]
fn a_rate_is_of_the_same_pairs_in_every_map() {
    let country = Country::full();
    let (nation, new) = (country.registry.nation(), country.of_level(Level(1), REFORM));
    for (period, months) in periods().into_iter().filter(|(p, _)| p.years() == Some((2025, 2025))) {
        let reported = country.total(RATE, period, None, nation);
        assert_eq!(reported, country.total(RATE, period, Some(REFORM), nation), "{period}");
        for (province, total) in new.iter().zip(country.totals(RATE, period, Some(REFORM), &new)) {
            let past = country.with_its_past(*province);
            let pair = total.pair.expect("a pair");
            let counted = (country.counted(PART, &past, &months), country.counted(WHOLE, &past, &months));
            assert_eq!(
                (pair.numerator.value, pair.denominator.value, pair.millionths),
                (counted.0, counted.1, 0)
            );
            assert_eq!(total.covered, total.expected, "{period}");
        }
    }
}

#[test]
fn communes_restated_sum_to_their_province_and_estimates_are_marked() {
    let country = Country::full();
    let registry = &country.registry;
    let (mut shared, mut divided) = (HashSet::new(), HashSet::new());
    for row in rows(&shipped()["successions.csv"]).iter().filter(|row| row["share"] != "1") {
        shared.insert(unit(registry, &row["to_code"], REFORM));
        divided.insert(row["from_code"].clone());
    }
    assert_eq!(divided.len(), 441);
    for (code, period) in [(FLOW, Period::Month(2025, 5)), (STOCK, Period::Month(2024, 8))] {
        let mut marked = HashSet::new();
        for province in country.of_level(Level(1), REFORM) {
            let whole = country.total(code, period, Some(REFORM), province);
            let communes = registry.map_on(REFORM).children(province).to_vec();
            let totals = country.totals(code, period, Some(REFORM), &communes);
            assert_eq!(totals.iter().map(value).sum::<i128>(), value(&whole), "{code} {province:?}");
            let estimated = communes.iter().zip(&totals).filter(|(_, t)| t.estimated);
            marked.extend(estimated.map(|(unit, _)| *unit));
            assert!(totals.iter().all(|t| t.covered == t.expected && t.expected > 0));
        }
        assert_eq!(marked, shared, "{code}");
    }
    // Of a rate the shares are not rounded.
    let province = unit(registry, "19", REFORM);
    let communes = registry.map_on(REFORM).children(province).to_vec();
    let period = Period::Month(2025, 5);
    let pairs = country.totals(RATE, period, Some(REFORM), &communes);
    let millionths = |side: i128, times: u8| side * 1_000_000i128.pow(2 - u32::from(times));
    let sum: i128 =
        pairs.iter().filter_map(|t| t.pair).map(|p| millionths(p.denominator.value, p.millionths)).sum();
    let whole = country.total(RATE, period, Some(REFORM), province).pair.unwrap();
    assert_eq!(sum, millionths(whole.denominator.value, whole.millionths));
}

#[test]
fn months_of_2025_sum_to_the_year_in_todays_map_at_every_level() {
    let country = Country::full();
    let months: Vec<Period> = (1..=12).map(|m| Period::Month(2025, m)).collect();
    let province = unit(&country.registry, "24", REFORM);
    let mut units = vec![country.registry.nation(), province];
    units.extend(country.registry.map_on(REFORM).children(province));
    for code in [FLOW, CIVIL] {
        let year = country.totals(code, Period::Year(2025), Some(REFORM), &units);
        let by_month: Vec<Vec<Total>> =
            months.iter().map(|month| country.totals(code, *month, Some(REFORM), &units)).collect();
        for (i, unit) in units.iter().enumerate() {
            let sum: i128 = by_month.iter().map(|totals| value(&totals[i])).sum();
            assert_eq!(value(&year[i]), sum, "{code} {unit:?}");
            assert_eq!(year[i].covered, year[i].expected, "{code} {unit:?}");
        }
    }
}

/// The three cases that the reform was asked to answer, in both calendars.
#[test]
fn declarations_across_the_reform_count_once() {
    for code in [FLOW, CIVIL] {
        let mut country = Country::empty();
        let (nation, new) = (country.registry.nation(), country.of_level(Level(1), REFORM));
        let old = country.of_level(Level(1), date(2025, 6, 30));
        let year = Period::Year(2025);
        for province in &new {
            country.report(code, *province, Scope::Territory, year, 100);
        }
        let total = country.total(code, year, None, nation);
        // 10,035 communes and five island districts for six months, 3,321 communes for six.
        let cells = 6 * 10_040 + 6 * 3_321;
        assert_eq!((value(&total), total.basis), (3_400, Some(Basis::Computed)));
        assert_eq!((total.reported, total.covered, total.expected), (0, cells, cells));
        assert_eq!(total, country.total(code, year, Some(REFORM), nation));

        for province in &old {
            country.report(code, *province, Scope::Territory, Period::Half(2025, 1), 10);
        }
        let total = country.total(code, year, None, nation);
        assert_eq!((value(&total), total.covered, total.expected), (3_400, cells, cells));
        assert_eq!(value(&country.total(code, Period::Half(2025, 1), None, nation)), 630);
        assert_eq!(value(&country.total(code, Period::Half(2025, 1), Some(REFORM), nation)), 630);

        let mut country = Country::empty();
        let (first, second) = (Period::Half(2025, 1), Period::Half(2025, 2));
        let then = date(2025, 6, 30);
        let (bac_kan, thai_nguyen) =
            (unit(&country.registry, "06", then), unit(&country.registry, "19", then));
        let today = unit(&country.registry, "19", REFORM);
        country.report(code, bac_kan, Scope::Territory, first, 10);
        country.report(code, thai_nguyen, Scope::Territory, first, 20);
        country.report(code, today, Scope::Territory, second, 5);
        let total = country.total(code, year, None, today);
        assert_eq!((value(&total), total.basis), (35, Some(Basis::Computed)));
        assert_eq!(total.covered, total.expected);
        assert_eq!(value(&country.total(code, first, Some(REFORM), today)), 30);
        assert_eq!(value(&country.total(code, year, None, nation)), 35);
    }
}

/// A stock is taken on the map of the last day; who has not reported since the reform shows what was.
#[test]
fn a_stock_of_before_the_reform_stands_until_there_is_another() {
    let mut country = Country::empty();
    let then = date(2025, 6, 30);
    let (bac_kan, thai_nguyen) = (unit(&country.registry, "06", then), unit(&country.registry, "19", then));
    let (today, nation) = (unit(&country.registry, "19", REFORM), country.registry.nation());
    let year = Period::Year(2025);
    country.report(STOCK, bac_kan, Scope::Territory, Period::Month(2025, 3), 10);
    let total = country.total(STOCK, year, None, today);
    assert_eq!((value(&total), total.basis, total.carried), (10, Some(Basis::Partial), true));
    country.report(STOCK, thai_nguyen, Scope::Territory, Period::Month(2025, 5), 20);
    let total = country.total(STOCK, year, None, today);
    assert_eq!((value(&total), total.carried, total.covered), (30, true, total.expected));
    assert_eq!(total.dates, Some((date(2025, 3, 14), date(2025, 5, 14))));
    assert_eq!(value(&country.total(STOCK, year, None, nation)), 30);
    country.report(STOCK, today, Scope::Territory, Period::Month(2025, 9), 28);
    let total = country.total(STOCK, year, None, today);
    assert_eq!((value(&total), total.basis, total.carried), (28, Some(Basis::Declared), false));
    assert_eq!(value(&country.total(STOCK, year, None, nation)), 28);
}
