//! Records, of both versions, both ways; and documents written again from them.

use proptest::prelude::*;
use tonghop_core::decimal::MAX_FIGURE;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::Scope;
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_proto::record::document::{Holes, Skeleton, Template, rewrite};
use tonghop_proto::record::{Columns, Heading, Said};

fn said() -> impl Strategy<Value = Said> {
    let qualifier =
        prop::sample::select(vec![Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About]);
    prop_oneof![
        4 => qualifier.prop_map(Said::Value),
        1 => "[a-z é]{1,9}".prop_map(Said::NotAvailable),
        1 => Just(Said::Withdrawn),
    ]
}

fn heading() -> impl Strategy<Value = Heading> {
    let period =
        prop::sample::select(vec!["2024-M05", "2024-Q1", "2024-H2", "2024-9M", "2024", "2013..2023"]);
    let breakdown = prop::sample::select(vec!["", "reporter=mttq", "channel=undivided|reporter=cong-an"]);
    let programmes = prop::collection::vec("CT[A-Z]{2}-[0-9]", 0..3);
    ("tg0[1-9]-[a-z]{3}", breakdown, period, any::<bool>(), said(), programmes).prop_map(
        |(indicator, breakdown, period, own, said, programmes)| Heading {
            indicator,
            breakdown: Breakdown::parse(breakdown).unwrap(),
            period: Period::parse(period).unwrap(),
            scope: if own { Scope::Own } else { Scope::Territory },
            said,
            programmes,
        },
    )
}

fn value() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0i64..3000, 1 => 0..=MAX_FIGURE, 1 => Just(MAX_FIGURE), 1 => Just(0)]
}

fn columns() -> impl Strategy<Value = Columns> {
    let words = (prop::collection::vec("[0-9A-Za-z]{1,8}", 1..40), prop::collection::vec(heading(), 1..30));
    let figures = prop::collection::vec((any::<u32>(), any::<u32>(), value()), 0..400);
    (words, figures).prop_map(|((units, headings), figures)| {
        let unit = figures.iter().map(|(u, ..)| u % units.len() as u32).collect();
        let heading: Vec<u32> = figures.iter().map(|(_, h, _)| h % headings.len() as u32).collect();
        let has_value = |h: u32| matches!(headings[h as usize].said, Said::Value(_));
        let value = figures.iter().zip(&heading).map(|((.., v), h)| if has_value(*h) { *v } else { 0 });
        let value = value.collect();
        Columns::new(units, headings, unit, heading, value).unwrap()
    })
}

/// How figures of each heading are written, made up.
fn skeleton(columns: &Columns, wire: bool) -> Skeleton {
    let template = |(i, heading): (usize, &Heading)| {
        let has_value = matches!(heading.said, Said::Value(_));
        let holes = match i % 2 {
            _ if !has_value => Holes::Unit,
            0 if !wire => Holes::ValueUnit,
            _ => Holes::UnitValue,
        };
        Template {
            prefix: if wire { vec![] } else { format!("<{i}|").into_bytes() },
            middle: format!("|{}|", heading.indicator).into_bytes(),
            suffix: b">".to_vec(),
            holes,
            decimals: (i % 4) as u8,
            left_out: 0,
        }
    };
    Skeleton {
        wire,
        prologue: b"[".to_vec(),
        separator: if wire { vec![] } else { b", ".to_vec() },
        epilogue: b"]".to_vec(),
        templates: columns.headings().iter().enumerate().map(template).collect(),
    }
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written(columns in columns()) {
        prop_assert_eq!(&Columns::decode(&columns.encode()).unwrap(), &columns);
    }

    #[test]
    fn a_record_of_the_first_version_says_the_same(columns in columns()) {
        let read = Columns::decode(&columns.encode_first()).unwrap();
        prop_assert_eq!(read.len(), columns.len());
        for i in 0..columns.len() {
            let of = |c: &Columns| (
                c.units()[c.unit()[i] as usize].clone(),
                c.headings()[c.heading()[i] as usize].clone(),
                c.value()[i],
            );
            prop_assert_eq!(of(&read), of(&columns));
        }
    }

    #[test]
    fn a_record_cut_short_or_with_one_more_byte_is_refused(columns in columns(), at in any::<prop::sample::Index>()) {
        let record = columns.encode();
        let cut = &record[..at.index(record.len())];
        prop_assert!(cut.is_empty() || Columns::decode(cut).is_err());
        let mut longer = record;
        longer.push(1);
        prop_assert!(Columns::decode(&longer).is_err());
    }

    #[test]
    fn no_bytes_are_too_much_for_a_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Columns::decode(&bytes);
        let _ = Columns::decode(&[&[0, 2], bytes.as_slice()].concat());
        let _ = Skeleton::decode(&bytes);
        let _ = rewrite(&bytes, &bytes);
    }

    #[test]
    fn a_text_document_is_written_as_its_skeleton_says(columns in columns()) {
        let skeleton = skeleton(&columns, false);
        let mut expected = "[".to_owned();
        for i in 0..columns.len() {
            let template = &skeleton.templates[columns.heading()[i] as usize];
            let text = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
            let unit = columns.units()[columns.unit()[i] as usize].clone();
            let decimals = template.decimals;
            let value = tonghop_core::decimal::format_decimal(columns.value()[i].into(), decimals);
            let (first, second) = match template.holes {
                Holes::Unit => (unit, String::new()),
                Holes::UnitValue => (unit, value),
                Holes::ValueUnit => (value, unit),
            };
            let comma = if i == 0 { "" } else { ", " };
            let (prefix, middle, suffix) = (text(&template.prefix), text(&template.middle), text(&template.suffix));
            expected += &format!("{comma}{prefix}{first}{middle}{second}{suffix}");
        }
        expected += "]";
        let written = rewrite(&skeleton.encode(), &columns.encode()).unwrap();
        prop_assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn a_document_on_the_wire_is_written_behind_lengths(columns in columns()) {
        let skeleton = skeleton(&columns, true);
        let written = rewrite(&skeleton.encode(), &columns.encode()).unwrap();
        let mut rest = &written[1..written.len() - 1];
        for i in 0..columns.len() {
            prop_assert_eq!(rest[0], 0x22);
            let (length, unit) = (rest[1] as usize, rest[3] as usize);
            prop_assert!(length < 128);
            let expected = columns.units()[columns.unit()[i] as usize].as_bytes();
            prop_assert_eq!(&rest[4..4 + unit], expected);
            prop_assert_eq!(rest[1 + length], b'>');
            rest = &rest[2 + length..];
        }
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn an_unknown_version_is_refused_by_its_number() {
    let error = Columns::decode(&[0, 3, 0]).unwrap_err().to_string();
    assert!(error.ends_with("its version is 3, and known are 1 and 2"), "{error}");
}

#[test]
fn columns_that_point_past_their_words_are_refused() {
    let columns = |unit, heading, value| Columns::new(vec!["01".into()], vec![], unit, heading, value);
    assert!(columns(vec![0], vec![0], vec![1]).is_err());
    assert!(columns(vec![], vec![0], vec![1]).is_err());
    assert!(columns(vec![], vec![], vec![]).is_ok());
}
