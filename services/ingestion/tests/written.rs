//! Numbers and names as people write them, in documents: what is taken, and what each finding says.

mod common;

use common::{BESIDE, codes, complete, figure, small, submission};
use serde_json::json;
use tonghop_core::figure::Statement;
use tonghop_core::quantity::Qualifier;
use tonghop_ingestion::check::check;
use tonghop_ingestion::csv_form;
use tonghop_ingestion::submission::{Beside, Limits};
use tonghop_runtime::{Finding, Language};
use tonghop_written::Locale;

const HEADER: &str =
    "unit_code;indicator;breakdown;period;scope;value;qualifier;not_available_reason;programme";

/// What a line of CSV says under a locale.
fn line(line: &str, locale: Option<Locale>) -> Result<(String, Statement), Vec<Finding>> {
    let document = format!("{HEADER}\n{line}\n");
    let raw = csv_form::parse(document.as_bytes(), &Beside { locale, ..BESIDE }, &Limits::default()).unwrap();
    let checked = check(small(), &raw, &Limits::default())?;
    let figure = &checked.figures[0];
    assert_eq!(small().unit(figure.figure.unit).code, figure.unit_code);
    Ok((figure.unit_code.clone(), figure.figure.statement.clone()))
}

fn value(
    indicator: &str,
    value: &str,
    qualifier: &str,
    locale: Option<Locale>,
) -> Result<Statement, Box<Finding>> {
    let (breakdown, period) = match indicator {
        "aa01" | "aa02" | "aa03" => ("reporter=cong-an|channel=box", "2024-M03"),
        _ => ("reporter=cong-an", "2024-Q1"),
    };
    let text = format!("00001;{indicator};{breakdown};{period};own;{value};{qualifier};;");
    line(&text, locale).map(|(_, statement)| statement).map_err(|mut all| {
        assert_eq!(all.len(), 1, "{all:#?}");
        complete(&all[0]);
        assert_ne!(all[0].hint.in_language(Language::Vietnamese), "");
        Box::new(all.remove(0))
    })
}

const VI: Option<Locale> = Some(Locale::Vietnamese);
const EN: Option<Locale> = Some(Locale::English);

#[test]
fn values_are_read_in_the_locale_that_is_declared() {
    use Qualifier::{About, AtLeast, AtMost, Exact};
    for (indicator, text, locale, said, qualifier) in [
        ("aa01", "37853", None, 37853, Exact),
        ("aa01", "37.853", VI, 37853, Exact),
        ("aa01", "37,853", EN, 37853, Exact),
        ("aa01", "02", VI, 2, Exact),
        ("aa01", "hơn 15.000", VI, 15000, AtLeast),
        ("aa01", "gần 560 nghìn", VI, 560_000, AtMost),
        ("aa01", "about 12", EN, 12, About),
        ("cc01", "2,2", VI, 2200, Exact),
        // Declared is declared: three decimals of a kilogram.
        ("cc01", "1,332", VI, 1332, Exact),
        ("cc01", "1.332", VI, 1_332_000, Exact),
        ("cc01", "1.332", EN, 1332, Exact),
        ("aa03", "98,5%", VI, 9850, Exact),
        ("aa03", "98,5", VI, 9850, Exact),
    ] {
        assert_eq!(value(indicator, text, "", locale), Ok(Statement::Value(said, qualifier)), "{text}");
    }
}

#[test]
fn what_may_be_another_number_is_a_finding_that_names_both() {
    for (indicator, text, locale, code, hint) in [
        ("aa01", "37.853", None, "number_needs_locale", "in Vietnamese it is 37853, in English 37.853"),
        ("cc01", "1.332", None, "number_needs_locale", "in Vietnamese it is 1332, in English 1.332"),
        ("aa01", "1,332", VI, "number_of_other_locale", "in Vietnamese it is 1.332; in English it is 1332"),
        ("aa01", "1.332", EN, "number_of_other_locale", "in English it is 1.332; in Vietnamese it is 1332"),
        ("cc01", "2.2", VI, "number_of_other_locale", "in English it is 2.2"),
        ("aa01", "1.33.2", VI, "malformed_grouping", "in threes"),
        ("aa01", "15.000 lượt", VI, "words_beside_number", "\"lượt\""),
        ("aa01", "hơn gần 5", VI, "several_qualifiers", "keep the one"),
        ("aa01", "2,2", VI, "fraction_for_count", "write all digits"),
        ("cc01", "2,2222", VI, "too_many_decimals", "round"),
        ("aa01", "-5", VI, "negative", "never a negative one"),
        ("aa01", "n/a", VI, "not_a_number", "give the reason"),
        ("aa01", "１２", VI, "foreign_digits", "full-width"),
        ("aa01", "98%", VI, "percent_for_count", "write the count in place"),
        ("aa02", "98%", VI, "percent_for_count", "aa03-useful-rate"),
        ("aa02", "102/108", VI, "part_and_whole", "write 102 for aa02-useful-tips, and 108 for aa01-tips"),
        ("aa01", "10/10", None, "part_and_whole", "these are two numbers"),
        ("aa01", "999.999.999 tỷ", VI, "too_large", "check the digits"),
    ] {
        let finding = value(indicator, text, "", locale).expect_err(text);
        assert_eq!(finding.code, code, "{text}: {finding:?}");
        assert_eq!((finding.line, finding.column.as_str()), (Some(2), "value"), "{text}");
        assert_eq!(finding.got.to_string(), text);
        assert!(finding.hint.to_string().contains(hint), "{text}: {}", finding.hint);
    }
}

#[test]
fn how_exact_a_value_is_may_be_said_twice_but_not_differently() {
    assert_eq!(value("aa01", "hơn 15.000", "at_least", VI), Ok(Statement::Value(15000, Qualifier::AtLeast)));
    assert_eq!(value("aa01", "15.000", "about", VI), Ok(Statement::Value(15000, Qualifier::About)));
    let finding = value("aa01", "hơn 15.000", "exact", VI).expect_err("they differ");
    assert_eq!((finding.code.as_str(), finding.column.as_str()), ("several_qualifiers", "qualifier"));
}

#[test]
fn json_has_plain_decimals_until_it_declares_a_locale() {
    let with = |locale: Option<&str>, value: &str| {
        let mut document: serde_json::Value =
            serde_json::from_str(&submission(&[figure(json!({ "value": value }))])).unwrap();
        if let Some(locale) = locale {
            document["locale"] = json!(locale);
        }
        common::checked(&document.to_string()).map(|checked| checked.figures[0].figure.statement.clone())
    };
    let said = |value, qualifier| Ok(Statement::Value(value, qualifier));
    assert_eq!(with(Some("vi"), "hơn 37.853"), said(37853, Qualifier::AtLeast));
    assert_eq!(with(Some("en-GB"), "37,853"), said(37853, Qualifier::Exact));
    assert_eq!(with(None, "37853"), said(37853, Qualifier::Exact));
    assert_eq!(codes(&with(None, "37.853").unwrap_err()), ["fraction_for_count"]);
    let unknown = with(Some("fr"), "1").unwrap_err();
    assert_eq!((codes(&unknown), unknown[0].path.as_str()), (vec!["unknown_locale"], "locale"));
    complete(&unknown[0]);
}

#[test]
fn units_indicators_and_members_may_be_named_in_files_and_only_there() {
    let named = |unit: &str, indicator: &str, breakdown: &str| {
        line(&format!("{unit};{indicator};{breakdown};2024-M03;own;1;;;"), None).map(|(code, _)| code)
    };
    let breakdown = "reporter=cong-an|channel=box";
    for unit in ["00001", "Xã Một", "xã  một", "Một", "X. Môt\u{323}"] {
        assert_eq!(named(unit, "aa01", breakdown).as_deref(), Ok("00001"), "{unit}");
    }
    for indicator in ["Tin", "Tips", "TIN", "tips"] {
        assert_eq!(named("00001", indicator, breakdown).as_deref(), Ok("00001"), "{indicator}");
    }
    for (unit, code) in
        [("Phường Một", "unknown_unit"), ("Xã Bốn", "unit_not_in_force"), ("Xa Mot", "unknown_unit")]
    {
        let all = named(unit, "aa01", breakdown).unwrap_err();
        assert_eq!(codes(&all), [code], "{unit}");
        complete(&all[0]);
    }
    assert!(named("Xã Bốn", "aa01", breakdown).unwrap_err()[0].hint.to_string().contains("00004 Xã Bốn"));
    // Names are for files that people fill in.
    let in_json = common::found(&submission(&[figure(json!({"unit": "Xã Một"}))]));
    assert_eq!(codes(&in_json), ["unknown_unit"]);
}

#[test]
fn a_name_of_two_indicators_is_refused_with_both_codes() {
    let all = line("00001;Tỷ lệ;reporter=cong-an|channel=box;2024-M03;own;1;;;", None).unwrap_err();
    let finding = all.iter().find(|f| f.code == "ambiguous_name").expect("a finding");
    complete(finding);
    let hint = finding.hint.to_string();
    assert!(hint.contains("aa03-useful-rate") && hint.contains("hh03-drugs-rate"), "{hint}");
}
