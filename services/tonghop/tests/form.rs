//! A form that is written, filled in and read back says what was filled in.

use proptest::prelude::*;
use tonghop::form_sheet::{Form, FormRow};
use tonghop_ingestion::submission::{Beside, Limits, Numbers, RawBreakdown};
use tonghop_ingestion::xlsx;
use tonghop_written::{Locale, read_number};

/// A whole number as it is written in Vietnamese.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('.');
        }
        out.push(digit);
    }
    out
}

fn form(rows: usize, periods: usize) -> Form {
    let row = |at: usize| FormRow {
        indicator: format!("aa{at:02}-something"),
        name: [format!("Chỉ tiêu số {at}"), format!("Indicator {at}")],
        unit_of_measure: ["tin".to_owned(), "tip".to_owned()],
        breakdown: "channel=undivided|reporter=cong-an".to_owned(),
    };
    Form {
        unit: "01840".to_owned(),
        unit_name: "Phường Đức Xuân".to_owned(),
        periods: (1..=periods).map(|month| format!("2024-M{month:02}")).collect(),
        scope: "own".to_owned(),
        programme: "CTPH-09".to_owned(),
        rows: (0..rows).map(row).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_filled_into_a_form_is_what_is_read_of_it(
        periods in 1usize..5,
        cells in proptest::collection::vec(proptest::option::of(0u64..1_000_000_000_000), 1..60),
    ) {
        let form = form(cells.len().div_ceil(periods), periods);
        let filled = |row: usize, period: usize| cells.get(row * periods + period).copied().flatten();
        let bytes = form.write(|row, period| filled(row, period).map(grouped)).expect("a workbook");
        let beside = Beside { source: "synthetic", note: "", locale: None };
        let raw = xlsx::parse(&bytes, &beside, &Limits::default()).expect("read");
        prop_assert!(raw.reading.is_empty(), "{:?}", raw.reading);
        prop_assert!(raw.remarks.is_empty(), "{:?}", raw.remarks);
        let mut expected = vec![];
        for (at, row) in form.rows.iter().enumerate() {
            for (period, label) in form.periods.iter().enumerate() {
                if let Some(number) = filled(at, period) {
                    expected.push((row.indicator.clone(), label.clone(), number.to_string()));
                }
            }
        }
        let read: Vec<_> = raw
            .figures
            .iter()
            .map(|figure| {
                assert_eq!(figure.numbers, Numbers::Written(Some(Locale::Vietnamese)));
                assert_eq!((figure.unit.as_str(), figure.scope.as_str()), ("01840", "own"));
                assert_eq!(figure.programmes, ["CTPH-09"]);
                assert_eq!(figure.breakdown, RawBreakdown::Text("channel=undivided|reporter=cong-an".into()));
                let value = figure.value.as_deref().expect("a value");
                let number = read_number(value, Some(Locale::Vietnamese)).expect("a number").number.first();
                (figure.indicator.clone(), figure.period.clone(), number.to_string())
            })
            .collect();
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn the_same_form_is_the_same_file() {
    let write = || form(3, 2).write(|_, _| None).expect("a workbook");
    assert_eq!(write(), write());
}
