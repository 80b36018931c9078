//! The table of numbers as they are written, each with what it says or why it is refused; and laws of reading.

use proptest::prelude::*;
use tonghop_core::quantity::Qualifier;
use tonghop_written::{Locale, Number, Why, Written, read_number};

/// `\u{a0}` and the like, so that what cannot be seen can be read in the table.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (code, after) = after.split_once('}').expect("a closing brace");
        out.push_str(before);
        out.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32).expect("a character"));
        rest = after;
    }
    out + rest
}

fn number(number: &Number) -> String {
    match number {
        Number::Plain(number) => number.to_string(),
        Number::Percent(number) => format!("{number}%"),
        Number::Of { part, whole } => format!("{part}/{whole}"),
    }
}

fn said(read: &Result<Written, Why>) -> String {
    let shown = |number: &Option<_>| number.as_ref().map_or("-".to_owned(), ToString::to_string);
    match read {
        Ok(Written { number: n, qualifier: Qualifier::Exact, .. }) => number(n),
        Ok(Written { number: n, qualifier, .. }) => format!("{} {}", qualifier.code(), number(n)),
        Err(Why::NotANumber) => "not_a_number".into(),
        Err(Why::NeedsLocale { vietnamese, english }) => {
            format!("needs_locale {} {}", shown(vietnamese), shown(english))
        }
        Err(Why::OtherLocale { reads }) => format!("other_locale {reads}"),
        Err(Why::Grouping) => "grouping".into(),
        Err(Why::SpaceBetweenDigits) => "space_between_digits".into(),
        Err(Why::Words { words }) => format!("words {words}"),
        Err(Why::SeveralQualifiers) => "several_qualifiers".into(),
        Err(Why::Negative) => "negative".into(),
        Err(Why::FullWidthDigits) => "full_width_digits".into(),
        Err(Why::ArabicIndicDigits) => "arabic_indic_digits".into(),
        Err(Why::OtherDigits) => "other_digits".into(),
        Err(Why::TooLarge) => "too_large".into(),
    }
}

#[test]
fn every_number_of_the_table_is_read_or_refused_as_it_says() {
    let table = include_bytes!("numbers.csv");
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').quoting(false).from_reader(table.as_slice());
    let mut count = 0;
    let mut wrong = vec![];
    for line in reader.records() {
        let line = line.expect("a line");
        let [text, locale, says, elsewhere] = [0, 1, 2, 3].map(|i| line.get(i).expect("a cell"));
        let locale = (!locale.is_empty()).then(|| Locale::from_code(locale).expect("a locale"));
        let read = read_number(&unescaped(text), locale);
        let other = read.as_ref().ok().and_then(|w| w.elsewhere).map_or(String::new(), |n| n.to_string());
        if said(&read) != says && !(says == "words" && matches!(read, Err(Why::Words { .. }))) {
            wrong.push(format!("{text:?} in {locale:?}: {} instead of {says}", said(&read)));
        }
        if other != elsewhere {
            wrong.push(format!("{text:?} in {locale:?}: elsewhere {other:?} instead of {elsewhere:?}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 100, "{count} cases");
}

/// A whole number with a mark between thousands.
fn grouped(number: u64, mark: char) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(digit);
    }
    out
}

proptest! {
    #[test]
    fn whatever_is_grouped_as_the_locale_does_is_read_back(number in 0u64..1_000_000_000_000_000) {
        for locale in Locale::ALL {
            for mark in [locale.group_mark(), '\u{a0}', '\u{202f}'] {
                let read = read_number(&grouped(number, mark), Some(locale)).expect("a number");
                prop_assert_eq!(read.number.first().to_string(), number.to_string());
            }
        }
    }

    #[test]
    fn without_a_locale_nothing_is_read_that_says_something_else_in_one(text in "[0-9]{0,4}[.,]?[0-9]{0,4}[.,]?[0-9]{0,4}") {
        if let Ok(anywhere) = read_number(&text, None) {
            for locale in Locale::ALL {
                if let Ok(read) = read_number(&text, Some(locale)) {
                    prop_assert!(read.number.first().same_number(anywhere.number.first()), "{}", text);
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        for locale in [None, Some(Locale::Vietnamese), Some(Locale::English)] {
            let _ = read_number(&text, locale);
        }
        let folded = tonghop_written::name::fold(&text);
        prop_assert_eq!(tonghop_written::name::fold(&folded), folded);
    }
}
