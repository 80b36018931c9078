//! The shipped catalogue, one indicator after the other: each either rolls up or says why not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tonghop_tests::Server;
use tonghop_tests::gazetteer::{Row, rows};
use tonghop_tests::server::shipped;

/// The units asked, from the commune up: Phường Đức Xuân, Thành phố Bắc Kạn, Bắc Kạn, and the nation.
const UNITS: [&str; 4] = ["01840", "058", "06", "VN"];

struct Catalogue {
    indicators: BTreeMap<String, Row>,
    partitions: BTreeSet<String>,
    members: BTreeMap<String, Vec<String>>,
}

impl Catalogue {
    fn shipped() -> Catalogue {
        let tables = shipped();
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows(&tables["dimension_members.csv"]) {
            members.entry(row["dimension"].clone()).or_default().push(row["code"].clone());
        }
        let dimensions = rows(&tables["dimensions.csv"]).into_iter();
        Catalogue {
            indicators: rows(&tables["indicators.csv"]).into_iter().map(|r| (r["code"].clone(), r)).collect(),
            partitions: dimensions.filter(|d| d["kind"] == "partition").map(|d| d["code"].clone()).collect(),
            members,
        }
    }

    /// A breakdown that names the side and a member of every partition.
    fn complete(&self, indicator: &Row, side: &str) -> Value {
        let named = list(&indicator["dimensions"]).into_iter().filter_map(|dimension| {
            if dimension == "reporter" {
                return Some((dimension, json!(side)));
            }
            let members = self.partitions.contains(&dimension).then(|| &self.members[&dimension])?;
            let member = members.iter().find(|m| *m == "undivided").unwrap_or(&members[0]);
            Some((dimension, json!(member)))
        });
        Value::Object(named.collect::<Map<_, _>>())
    }
}

fn list(cell: &str) -> Vec<String> {
    cell.split('|').filter(|c| !c.is_empty()).map(str::to_owned).collect()
}

/// The sides that report here: each where they count the same things, else the first.
fn sides(indicator: &Row) -> Vec<String> {
    let all = list(&indicator["reporters"]);
    match indicator["reporter_overlap"].as_str() {
        "overlapping" => all,
        _ => vec![all.first().cloned().unwrap_or_default()],
    }
}

/// The first of them.
fn side(indicator: &Row) -> String {
    sides(indicator).remove(0)
}

/// A collection period in which every indicator of the catalogue is in force.
fn period(indicator: &Row) -> &'static str {
    match indicator["frequency"].as_str() {
        "month" | "event" => "2025-M03",
        "quarter" => "2025-Q1",
        "half" => "2025-H1",
        "year" => "2024",
        other => panic!("an unknown frequency {other}"),
    }
}

/// The periods that a figure is given for. The year of one calendar ends after that of another: so that a ratio
/// finds both its sides in its own, a stock is also given for a day that lies in all of them.
fn periods(indicator: &Row) -> Vec<&'static str> {
    const DAY: &str = "2024-06-30";
    let also = indicator["kind"] == "stock" && indicator["valid_from"].as_str() <= DAY;
    [Some(period(indicator)), also.then_some(DAY)].into_iter().flatten().collect()
}

/// What a total said: value or reason, and on what it rests; or why the question was refused.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// A value, its basis, and the covered cells.
    Value(String, String, u64),
    /// No value, and what was given below.
    No(&'static str, usize),
    /// Not asked of this level, or not of all sides together.
    Refused(&'static str),
}

async fn ask(server: &Server, indicator: &str, unit: &str, period: &str, breakdown: &str) -> Said {
    let mut parameters = vec![("indicator", indicator), ("unit", unit), ("period", period)];
    parameters.extend((!breakdown.is_empty()).then_some(("breakdown", breakdown)));
    let reply = server.get("/v1/totals", &parameters).await;
    if reply.status == 422 {
        let known = ["overlapping_reporters", "ratio_across_reporters", "below_collection_level"];
        let codes = reply.codes();
        let code = known.into_iter().find(|k| codes == [*k]);
        return Said::Refused(code.unwrap_or_else(|| panic!("{indicator} {unit}: {}", reply.text())));
    }
    let body = reply.expect(200);
    let total = &body["totals"][0];
    let given = total["given"].as_array().map_or(0, Vec::len);
    match (total["value"].as_str(), total["reason"].as_str()) {
        (Some(value), None) => {
            let basis = total["basis"].as_str().unwrap_or_else(|| panic!("no basis: {total}"));
            Said::Value(value.to_owned(), basis.to_owned(), total["covered"].as_u64().unwrap())
        }
        (None, Some(reason)) => {
            let known = ["missing", "not_available", "not_aggregable", "undefined"];
            Said::No(known.into_iter().find(|k| *k == reason).unwrap_or_else(|| panic!("{total}")), given)
        }
        _ => panic!("{indicator} {unit}: a value and a reason, or neither: {total}"),
    }
}

/// Decimals written out.
fn shown(value: &str, indicator: &Row) -> String {
    match indicator["decimals"].parse::<usize>().unwrap() {
        0 => value.to_owned(),
        n => format!("{value}.{}", "0".repeat(n)),
    }
}

/// A ratio with two decimals, in percent where it is shown so. None of these needs rounding.
fn quotient(n: u64, d: u64, indicator: &Row) -> String {
    let hundredths = if indicator["unit_en"] == "percent" { 10_000 * n / d } else { 100 * n / d };
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Every indicator that is reported is given as 8; what is above the line of a ratio as 4, or as 1 where the
/// map counts what is below it.
fn value(catalogue: &Catalogue, indicator: &Row) -> &'static str {
    let ratios = catalogue.indicators.values();
    let below: Vec<String> = ratios
        .filter(|r| list(&r["numerator"]).contains(&indicator["code"]))
        .flat_map(|r| list(&r["denominator"]))
        .collect();
    match below.as_slice() {
        [] => "8",
        some if some.iter().any(|c| catalogue.indicators[c]["from_map"] == "true") => "1",
        _ => "4",
    }
}

/// What a unit gives of an indicator: every side, for every period.
fn given(catalogue: &Catalogue, indicator: &Row, unit: &str, scope: &str) -> Vec<Value> {
    let of = |period: &str, side: &str| {
        json!({
            "unit": unit, "indicator": indicator["code"], "period": period, "scope": scope,
            "value": value(catalogue, indicator), "breakdown": catalogue.complete(indicator, side),
        })
    };
    let sides = sides(indicator);
    periods(indicator)
        .into_iter()
        .flat_map(|p| sides.iter().map(move |s| of(p, s)).collect::<Vec<_>>())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_indicator_rolls_up_or_says_why_not() {
    let server = Server::start().await;
    let catalogue = Catalogue::shipped();
    assert_eq!(catalogue.indicators.len(), 109);
    let (mut figures, mut reported) = (Vec::new(), 0);
    for indicator in catalogue.indicators.values() {
        let counted = indicator["kind"] != "ratio" && indicator["from_map"] == "false";
        // What only ever comes as a percentage, and does not add up, is given as one.
        let bare = indicator["kind"] == "ratio" && indicator["aggregable"] == "none";
        if counted || bare {
            let unit = if indicator["collection_level"] == "province" { UNITS[2] } else { UNITS[0] };
            reported += 1;
            figures.extend(given(&catalogue, indicator, unit, "own"));
        }
    }
    let ratios = catalogue.indicators.values().filter(|i| i["kind"] == "ratio" && i["aggregable"] == "ratio");
    let from_map = catalogue.indicators.values().filter(|i| i["from_map"] == "true");
    assert_eq!(reported + ratios.count() + from_map.count(), 109);
    server.report("all", json!(figures)).await;

    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (code, indicator) in &catalogue.indicators {
        let (kind, expected) = expected(&catalogue, indicator);
        *kinds.entry(kind).or_default() += 1;
        let breakdown = match kind {
            "overlapping" | "ratio of overlapping" => format!("reporter={}", side(indicator)),
            _ => String::new(),
        };
        for (i, unit) in UNITS.into_iter().enumerate() {
            let said = ask(&server, code, unit, period(indicator), &breakdown).await;
            assert_eq!(said, expected[i], "{code} ({kind}) at {unit}, {}", period(indicator));
        }
        // Sides that count the same things are never added up.
        match kind {
            "overlapping" => {
                let said = ask(&server, code, "VN", period(indicator), "").await;
                assert_eq!(said, Said::Refused("overlapping_reporters"), "{code}");
            }
            "ratio of overlapping" => {
                let said = ask(&server, code, "VN", period(indicator), "").await;
                let refused =
                    [Said::Refused("overlapping_reporters"), Said::Refused("ratio_across_reporters")];
                assert!(refused.contains(&said), "{code}: {said:?}");
            }
            _ => {}
        }
    }
    assert_eq!(kinds.values().sum::<usize>(), 109);
    let table: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
    insta::assert_snapshot!(table.join("\n"));
    server.assert_clean().await;
}

/// What kind of answer an indicator has, and the answers from the commune up. This is the table of §3, §5 and §6
/// for one reporting commune of Thành phố Bắc Kạn (8 wards) in Bắc Kạn (108 communes).
fn expected(catalogue: &Catalogue, indicator: &Row) -> (&'static str, [Said; 4]) {
    let said = |basis: &str, covered: u64| {
        Said::Value(shown(value(catalogue, indicator), indicator), basis.to_owned(), covered)
    };
    let overlapping = |i: &Row| i["reporter_overlap"] == "overlapping";
    match (
        indicator["kind"].as_str(),
        indicator["aggregable"].as_str(),
        indicator["collection_level"].as_str(),
    ) {
        _ if indicator["from_map"] == "true" => {
            let units = |n: u64| Said::Value(n.to_string(), "computed".to_owned(), n);
            (
                "from the map",
                [Said::Value("1".into(), "reported".into(), 1), units(8), units(108), units(10040)],
            )
        }
        ("ratio", "none", _) => (
            "bare percentage",
            [
                said("reported", 1),
                Said::No("not_aggregable", 1),
                Said::No("not_aggregable", 1),
                Said::No("not_aggregable", 1),
            ],
        ),
        ("ratio", _, level) => {
            let parts =
                |list: Vec<String>| -> Vec<&Row> { list.iter().map(|c| &catalogue.indicators[c]).collect() };
            let (above, below) =
                (parts(list(&indicator["numerator"])), parts(list(&indicator["denominator"])));
            // A ratio that only one side reports is that side's, whoever else reports what it is made of.
            let several = list(&indicator["reporters"]).len() > 1;
            let kind = match several && above.iter().chain(&below).any(|i| overlapping(i)) {
                true => "ratio of overlapping",
                false => "ratio",
            };
            let number = |i: &&Row| match i["from_map"].as_str() {
                "true" => 1,
                _ => value(catalogue, i).parse::<u64>().unwrap(),
            };
            let (n, d) = (above.iter().map(number).sum::<u64>(), below.iter().map(number).sum::<u64>());
            let shown = quotient(n, d, indicator);
            let said = |basis: &str| Said::Value(shown.clone(), basis.to_owned(), 1);
            let below_collection = || Said::Refused("below_collection_level");
            match level {
                "province" => {
                    (kind, [below_collection(), below_collection(), said("reported"), said("partial")])
                }
                _ => (kind, [said("reported"), said("partial"), said("partial"), said("partial")]),
            }
        }
        (_, "distinct" | "none", level) => {
            let not = || Said::No("not_aggregable", 1);
            let below = || Said::Refused("below_collection_level");
            match level {
                "province" => ("not aggregable", [below(), below(), said("reported", 1), not()]),
                _ => ("not aggregable", [said("reported", 1), not(), not(), not()]),
            }
        }
        (_, "sum", level) => {
            let kind = match indicator["reporter_overlap"].as_str() {
                "overlapping" => "overlapping",
                "disjoint" => "disjoint",
                _ => "sum",
            };
            // Of two disjoint sides, one has reported: half of the commune's cells.
            let first = if kind == "disjoint" { "partial" } else { "reported" };
            let below = || Said::Refused("below_collection_level");
            match level {
                "province" => (kind, [below(), below(), said(first, 1), said("partial", 1)]),
                _ => (kind, [said(first, 1), said("partial", 1), said("partial", 1), said("partial", 1)]),
            }
        }
        other => panic!("a kind that is not in the table: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declaration_of_the_province_is_its_total_and_part_of_the_nations() {
    let server = Server::start().await;
    let catalogue = Catalogue::shipped();
    let mut figures = Vec::new();
    let declares =
        |i: &Row| i["kind"] != "ratio" && i["from_map"] == "false" && i["collection_level"] == "commune";
    for indicator in catalogue.indicators.values().filter(|i| declares(i)) {
        figures.extend(given(&catalogue, indicator, "06", "territory"));
    }
    server.report("all", json!(figures)).await;
    for indicator in catalogue.indicators.values().filter(|i| declares(i)) {
        let code = &indicator["code"];
        let breakdown = match indicator["reporter_overlap"].as_str() {
            "single" => String::new(),
            _ => format!("reporter={}", side(indicator)),
        };
        let value = shown(value(&catalogue, indicator), indicator);
        let told = |basis: &str| Said::Value(value.clone(), basis.to_owned(), 108);
        let nation = match indicator["aggregable"].as_str() {
            "sum" => told("partial"),
            _ => Said::No("not_aggregable", 1),
        };
        for (unit, expected) in [("058", Said::No("missing", 0)), ("06", told("declared")), ("VN", nation)] {
            let said = ask(&server, code, unit, period(indicator), &breakdown).await;
            assert_eq!(said, expected, "{code} at {unit}");
        }
    }
    // Ratios of two declarations: at the province only.
    for indicator in catalogue.indicators.values().filter(|i| i["aggregable"] == "ratio") {
        let parts = [list(&indicator["numerator"]), list(&indicator["denominator"])].concat();
        if parts.iter().any(|c| !declares(&catalogue.indicators[c])) {
            continue;
        }
        let sided = parts.iter().any(|c| catalogue.indicators[c]["reporter_overlap"] == "overlapping");
        let breakdown = match sided {
            true => format!("reporter={}", side(indicator)),
            false => String::new(),
        };
        let said = ask(&server, &indicator["code"], "06", period(indicator), &breakdown).await;
        let number = |c: &str| value(&catalogue, &catalogue.indicators[c]).parse::<u64>().unwrap();
        let of = |side: &str| list(&indicator[side]).iter().map(|c| number(c)).sum::<u64>();
        let expected =
            Said::Value(quotient(of("numerator"), of("denominator"), indicator), "declared".to_owned(), 108);
        assert_eq!(said, expected, "{}", indicator["code"]);
    }
    server.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_indicators_are_listed_with_what_the_table_says() {
    let server = Server::start().await;
    let catalogue = Catalogue::shipped();
    let body = server.get("/v1/indicators", &[]).await.expect(200);
    let listed = body["indicators"].as_array().unwrap();
    assert_eq!((listed.len(), &body["next"]), (109, &Value::Null));
    for told in listed {
        let row = &catalogue.indicators[told["code"].as_str().unwrap()];
        for field in [
            "kind",
            "collection_level",
            "frequency",
            "calendar",
            "reporter_overlap",
            "precedence",
            "aggregable",
        ] {
            assert_eq!(told[field], row[field], "{} {field}", row["code"]);
        }
        for field in ["numerator", "denominator", "reporters", "dimensions", "programmes"] {
            assert_eq!(told[field], json!(list(&row[field])), "{} {field}", row["code"]);
        }
        for field in ["numerator_is_part", "core", "from_map"] {
            assert_eq!(told[field], json!(row[field] == "true"), "{} {field}", row["code"]);
        }
        assert_eq!(told["name"], json!({ "vi": row["name_vi"], "en": row["name_en"] }));
        assert_eq!(told["decimals"].to_string(), row["decimals"]);
    }
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut parameters = vec![("limit", "50")];
        parameters.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
        let page = server.get("/v1/indicators", &parameters).await.expect(200);
        paged.extend(page["indicators"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(&paged, listed);
    let core = catalogue.indicators.values().filter(|i| i["core"] == "true").count();
    assert_eq!(core, 48);
}
