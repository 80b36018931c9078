//! Totals as JSON laid out for reading, and as CSV.

use serde_json::Value;
pub use tonghop_proto::json::{as_of, explained_tree, explanation, review, revision, total};
use tonghop_proto::query::Total;

/// JSON laid out for reading.
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

const COLUMNS: [&str; 28] = [
    "unit_code",
    "unit_name",
    "level",
    "indicator",
    "breakdown",
    "period",
    "map",
    "value",
    "reason",
    "refused",
    "qualifier",
    "exact_part",
    "basis",
    "parts",
    "whole",
    "difference",
    "reported",
    "covered",
    "expected",
    "unavailable",
    "oldest",
    "newest",
    "numerator",
    "denominator",
    "map_from",
    "break",
    "estimated",
    "carried",
];

/// Totals as CSV, with a heading. What is not there is an empty cell.
pub fn csv(totals: &[Total]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory cannot fail, and every record has as many cells as the heading.
    let _ = writer.write_record(COLUMNS);
    for t in totals {
        let unit = t.unit.clone().unwrap_or_default();
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let _ = writer.write_record([
            unit.code,
            unit.name,
            unit.level,
            t.indicator.clone(),
            t.breakdown.clone(),
            t.period.clone(),
            t.map.clone(),
            or_empty(&t.value),
            t.reason.clone(),
            t.refused.clone(),
            t.qualifier.clone(),
            or_empty(&t.exact_part),
            t.basis.clone(),
            or_empty(&t.parts),
            or_empty(&t.whole),
            or_empty(&t.difference),
            t.reported.to_string(),
            t.covered.to_string(),
            t.expected.to_string(),
            t.unavailable.to_string(),
            t.oldest.clone(),
            t.newest.clone(),
            or_empty(&t.numerator),
            or_empty(&t.denominator),
            t.map_from.clone(),
            t.territory_break.to_string(),
            t.estimated.to_string(),
            t.carried.to_string(),
        ]);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tonghop_proto::query::UnitRef;

    use super::*;

    fn tips() -> Total {
        Total {
            unit: Some(UnitRef { code: "VN".into(), name: "Việt Nam".into(), level: "nation".into() }),
            indicator: "tg01-crime-tips".into(),
            breakdown: "reporter=cong-an|topic=online-fraud".into(),
            period: "2013..2023".into(),
            map: "reported".into(),
            value: Some("37853".into()),
            qualifier: "exact".into(),
            exact_part: Some("37853".into()),
            basis: "partial".into(),
            parts: Some("37853".into()),
            covered: 14256,
            expected: 1325280,
            ..Total::default()
        }
    }

    #[test]
    fn a_total_has_the_shape_of_the_rest_interface() {
        let mut shown = total(&tips());
        shown.as_object_mut().unwrap().remove("unit_of_measure");
        assert_eq!(
            shown,
            json!({
                "unit": {"code": "VN", "name": "Việt Nam", "level": "nation"},
                "indicator": "tg01-crime-tips",
                "breakdown": {"reporter": "cong-an", "topic": "online-fraud"},
                "period": "2013..2023", "map": "reported",
                "value": "37853", "qualifier": "exact", "exact_part": "37853", "basis": "partial",
                "parts": "37853", "whole": null, "difference": null,
                "reported": 0, "covered": 14256, "expected": 1325280, "unavailable": 0,
            })
        );
    }

    #[test]
    fn what_has_no_value_says_why() {
        let shown = total(&Total { value: None, reason: "missing".into(), ..tips() });
        assert_eq!((&shown["value"], &shown["reason"]), (&Value::Null, &json!("missing")));
    }

    #[test]
    fn csv_keeps_an_empty_cell_for_what_is_not_there() {
        let text = csv(&[tips()]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], COLUMNS.join(","));
        assert_eq!(
            lines[1],
            "VN,Việt Nam,nation,tg01-crime-tips,reporter=cong-an|topic=online-fraud,2013..2023,reported,37853,,,\
             exact,37853,partial,37853,,,0,14256,1325280,0,,,,,,false,false,false"
        );
    }
}
