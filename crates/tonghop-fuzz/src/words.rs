//! Single words and parameters.

use axum::extract::Query;
use axum::http::Uri;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tonghop_access::Keys;
use tonghop_core::decimal::{format_decimal, parse_decimal};
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Scope, Series};
use tonghop_core::period::Period;
use tonghop_core::plausibility::{Expression, Relation};
use tonghop_core::quantity::Qualifier;
use tonghop_rest::parameters as of;
use tonghop_written::name::{UnitName, fold};
use tonghop_written::{Locale, read_number};

use crate::registry::small;

/// Periods, breakdowns, series, decimals, codes: what is read is written as something that is read as the same.
pub fn words(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(period) = Period::parse(text) {
        assert_eq!(Period::parse(&period.to_string()), Ok(period));
        for calendar in ["nd09", "civil"] {
            if let Some(calendar) = small().calendar(calendar) {
                let (first, last) = calendar.days(period);
                assert!(first <= last);
            }
        }
    }
    if let Ok(breakdown) = Breakdown::parse(text) {
        assert_eq!(Breakdown::parse(&breakdown.to_string()).as_ref(), Ok(&breakdown));
    }
    if let Some(series) = Series::parse(text) {
        assert_eq!(Series::parse(&series.to_string()).as_ref(), Some(&series));
    }
    for decimals in 0..=6 {
        if let Ok(value) = parse_decimal(text, decimals) {
            assert_eq!(parse_decimal(&format_decimal(value.into(), decimals), decimals), Ok(value));
        }
    }
    if let Some(qualifier) = Qualifier::from_code(text) {
        assert_eq!(qualifier.code(), text);
    }
    if let Some(scope) = Scope::from_code(text) {
        assert_eq!(scope.code(), text);
    }
}

/// Numbers and names as people write them.
pub fn written(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    for locale in [None, Some(Locale::Vietnamese), Some(Locale::English)] {
        // Read or refused.
        drop(read_number(text, locale));
    }
    let name = UnitName::of(text);
    // A number is a name only with its kind.
    if !name.bare().bytes().all(|b| b.is_ascii_digit()) {
        assert!(name.fits(&UnitName::of(text)));
    }
    assert_eq!(fold(&fold(text)), fold(text));
}

/// A key as its holder sends it.
pub fn key(text: &[u8]) {
    if let Ok(text) = std::str::from_utf8(text) {
        assert!(Keys::default().holding(text, Timestamp::UNIX_EPOCH).is_none());
    }
}

/// A rule of plausibility: a line that is an expression, then numbers that it is asked about.
pub fn rules(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (written, values) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(expression) = Expression::parse(written) else { return };
    assert!(expression.terms.len() >= 2);
    assert_eq!(expression.looks_back(), written.split_whitespace().any(|word| word == "previous"));
    let mut values: Vec<i128> = values.split_whitespace().map_while(|word| word.parse().ok()).collect();
    values.truncate(expression.terms.len());
    let whole = values.len() == expression.terms.len();
    let holds = expression.holds(&values);
    if let (Relation::AtMost, [first, second]) = (&expression.relation, values.as_slice()) {
        assert_eq!(holds, first <= second);
    }
    // Of what is not there nothing is said.
    assert!(whole || !values.is_empty() || holds);
}

/// The parameters of every request, out of a query.
pub fn parameters(query: &[u8]) {
    let Ok(query) = std::str::from_utf8(query) else { return };
    let Ok(uri) = format!("/v1/totals?{query}").parse::<Uri>() else { return };
    fn read<T: DeserializeOwned>(uri: &Uri) {
        drop(Query::<T>::try_from_uri(uri));
    }
    read::<of::Totals>(&uri);
    read::<of::OneTotal>(&uri);
    read::<of::Figures>(&uri);
    read::<of::Tree>(&uri);
    read::<of::Reviews>(&uri);
    read::<of::Watch>(&uri);
    read::<of::TotalsFile>(&uri);
    read::<of::FiguresFile>(&uri);
    read::<of::Submission>(&uri);
    read::<of::Units>(&uri);
    read::<of::History>(&uri);
    read::<of::MapDiff>(&uri);
    read::<of::Page>(&uri);
}
