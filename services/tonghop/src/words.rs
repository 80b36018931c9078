//! Codes of the wire in words, and numbers the Vietnamese way.

use tonghop_proto::query::Total;

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
