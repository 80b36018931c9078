//! Codes of the wire in words, and numbers the Vietnamese way.

use tonghop_proto::query::{AsOf, Total};

/// A number with groups of three: `1332` is `1.332`, `98.50` is `98,50`. What is no number stays as it is.
pub fn number(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let numeric = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || fraction.is_some_and(|f| !numeric(f)) {
        return text.to_owned();
    }
    let mut out = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push('.');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push(',');
        out.push_str(fraction);
    }
    out
}

/// A value as its source put it: `≥ 2.100`, `≤ 40`, `≈ 300`, `8.720`.
pub fn value(value: &str, qualifier: &str) -> String {
    let number = number(value);
    match qualifier {
        "" | "exact" => number,
        "at_least" => format!("≥ {number}"),
        "at_most" => format!("≤ {number}"),
        "about" => format!("≈ {number}"),
        other => format!("{number} ({other})"),
    }
}

/// What else is to be known of a total, in English and Vietnamese.
pub fn marks(total: &Total) -> String {
    let marks = [
        (total.territory_break, "territory changed · địa bàn thay đổi"),
        (total.estimated, "estimated share · chia theo tỷ lệ ước tính"),
        (total.carried, "carried over · số liệu đơn vị cũ"),
    ];
    marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).collect::<Vec<_>>().join(", ")
}

/// How a total changed since another period: `+12 (1,25 %)`, or why that is not said; nothing where it is not asked.
pub fn change(total: &Total, with: &str) -> String {
    let Some(compared) = total.compared.iter().find(|c| c.with == with) else { return String::new() };
    let signed = |text: &str| {
        let sign = if text.starts_with('-') { "" } else { "+" };
        format!("{sign}{}", number(text))
    };
    match (&compared.difference, &compared.change_percent) {
        (Some(difference), Some(percent)) => format!("{} ({} %)", signed(difference), signed(percent)),
        (Some(difference), None) => signed(difference),
        (None, _) => format!("– {}", compared.not_comparable),
    }
}

/// How much of the nation's total a total is; nothing where it is not asked.
pub fn share(total: &Total) -> String {
    total.share.as_ref().map_or_else(String::new, |share| match &share.percent {
        Some(percent) => format!("{} %", number(percent)),
        None => format!("– {}", share.not_comparable),
    })
}

/// Which place a total has among how many that have a value; nothing where it is not asked.
pub fn place(total: &Total) -> String {
    total.rank.as_ref().map_or_else(String::new, |rank| match rank.place {
        Some(place) => format!("{place} / {}", rank.of),
        None => "–".to_owned(),
    })
}

/// As of when an answer is.
pub fn as_of(as_of: &AsOf) -> String {
    let review = if as_of.review.is_empty() { String::new() } else { format!(", review {}", as_of.review) };
    format!("as of position {}, {}{review}", as_of.position, as_of.time)
}

/// What a headline is taken from, in English and Vietnamese.
pub fn basis(code: &str) -> &str {
    match code {
        "reported" => "reported · đơn vị báo cáo",
        "declared" => "declared · khai toàn địa bàn",
        "computed" => "computed · cộng đủ",
        "partial" => "partial · cộng chưa đủ",
        other => other,
    }
}

/// Why there is no value, in English and Vietnamese.
pub fn reason(code: &str) -> &str {
    match code {
        "missing" => "nothing reported · chưa có số liệu",
        "not_available" => "reported without a value · không có số liệu",
        "not_aggregable" => "does not add up · không cộng được",
        "undefined" => "no ratio, the denominator is 0 · mẫu số bằng 0",
        other => other,
    }
}

/// A scope, in English and Vietnamese.
pub fn scope(code: &str) -> &str {
    match code {
        "own" => "own · của đơn vị",
        "territory" => "territory · toàn địa bàn",
        other => other,
    }
}

/// So many of so many.
pub fn coverage(covered: u64, expected: u64) -> String {
    format!("{} / {}", number(&covered.to_string()), number(&expected.to_string()))
}

/// A duration in seconds and tenths.
pub fn seconds(duration: std::time::Duration) -> String {
    format!("{},{} s", number(&duration.as_secs().to_string()), duration.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_the_vietnamese_way() {
        for (from, to) in [
            ("0", "0"),
            ("999", "999"),
            ("1332", "1.332"),
            ("1325280", "1.325.280"),
            ("98.50", "98,50"),
            ("12345.678", "12.345,678"),
            ("-1205", "-1.205"),
            ("-12.05", "-12,05"),
            ("", ""),
            ("1e3", "1e3"),
            ("1.", "1."),
        ] {
            assert_eq!(number(from), to);
        }
    }

    #[test]
    fn qualifiers_are_said_in_signs() {
        assert_eq!(value("8720", "exact"), "8.720");
        assert_eq!(value("8720", ""), "8.720");
        assert_eq!(value("2100", "at_least"), "≥ 2.100");
        assert_eq!(value("40", "at_most"), "≤ 40");
        assert_eq!(value("300", "about"), "≈ 300");
        assert_eq!(value("300", "new"), "300 (new)");
    }

    #[test]
    fn what_stands_beside_a_total_reads_as_people_write_it() {
        use tonghop_proto::query::{Comparison, Rank, Share};
        let compared = |with: &str, difference: Option<&str>, percent: Option<&str>, why: &str| Comparison {
            with: with.into(),
            difference: difference.map(str::to_owned),
            change_percent: percent.map(str::to_owned),
            not_comparable: why.into(),
            ..Comparison::default()
        };
        let total = Total {
            compared: vec![
                compared("previous", Some("-1200"), Some("-12.50"), ""),
                compared("last_year", None, None, "coverage"),
            ],
            share: Some(Share { percent: Some("33.33".into()), ..Share::default() }),
            rank: Some(Rank { place: Some(2), of: 61, peers: 63 }),
            ..Total::default()
        };
        assert_eq!(change(&total, "previous"), "-1.200 (-12,50 %)");
        assert_eq!(change(&total, "last_year"), "– coverage");
        assert_eq!((share(&total), place(&total)), ("33,33 %".to_owned(), "2 / 61".to_owned()));
        assert_eq!((share(&Total::default()), change(&Total::default(), "previous")), Default::default());
    }

    #[test]
    fn every_basis_and_reason_has_words_in_both_languages() {
        for code in ["reported", "declared", "computed", "partial"] {
            assert!(basis(code).starts_with(code) && basis(code).contains(" · "));
        }
        for code in ["missing", "not_available", "not_aggregable", "undefined"] {
            assert!(reason(code).contains(" · "));
        }
        assert_eq!(basis("later"), "later");
    }

    #[test]
    fn coverage_and_durations_read_well() {
        assert_eq!(coverage(14256, 1325280), "14.256 / 1.325.280");
        assert_eq!(seconds(std::time::Duration::from_millis(61_250)), "61,2 s");
    }
}
