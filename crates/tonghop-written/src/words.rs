//! The words around a number: how exact it is, and how many times.

use tonghop_core::quantity::Qualifier;

use crate::locale::Locale;

/// Words before a number, longest first where one begins another.
const VIETNAMESE_BEFORE: &[(&str, Qualifier)] = &[
    ("không dưới", Qualifier::AtLeast),
    ("không ít hơn", Qualifier::AtLeast),
    ("ít nhất", Qualifier::AtLeast),
    ("tối thiểu", Qualifier::AtLeast),
    ("trên", Qualifier::AtLeast),
    ("hơn", Qualifier::AtLeast),
    ("không quá", Qualifier::AtMost),
    ("không vượt quá", Qualifier::AtMost),
    ("nhiều nhất", Qualifier::AtMost),
    ("tối đa", Qualifier::AtMost),
    ("gần", Qualifier::AtMost),
    ("dưới", Qualifier::AtMost),
    ("khoảng", Qualifier::About),
    ("xấp xỉ", Qualifier::About),
    ("ước tính", Qualifier::About),
    ("ước", Qualifier::About),
];

const VIETNAMESE_AFTER: &[(&str, Qualifier)] =
    &[("trở lên", Qualifier::AtLeast), ("trở xuống", Qualifier::AtMost)];

const ENGLISH_BEFORE: &[(&str, Qualifier)] = &[
    ("no fewer than", Qualifier::AtLeast),
    ("no less than", Qualifier::AtLeast),
    ("more than", Qualifier::AtLeast),
    ("at least", Qualifier::AtLeast),
    ("over", Qualifier::AtLeast),
    ("above", Qualifier::AtLeast),
    ("no more than", Qualifier::AtMost),
    ("fewer than", Qualifier::AtMost),
    ("less than", Qualifier::AtMost),
    ("at most", Qualifier::AtMost),
    ("nearly", Qualifier::AtMost),
    ("almost", Qualifier::AtMost),
    ("under", Qualifier::AtMost),
    ("below", Qualifier::AtMost),
    ("approximately", Qualifier::About),
    ("around", Qualifier::About),
    ("about", Qualifier::About),
];

const ENGLISH_AFTER: &[(&str, Qualifier)] =
    &[("or more", Qualifier::AtLeast), ("or less", Qualifier::AtMost)];

/// Signs that say the same everywhere.
const SIGNS: &[(&str, Qualifier)] = &[
    (">=", Qualifier::AtLeast),
    ("≥", Qualifier::AtLeast),
    (">", Qualifier::AtLeast),
    ("<=", Qualifier::AtMost),
    ("≤", Qualifier::AtMost),
    ("<", Qualifier::AtMost),
    ("≈", Qualifier::About),
    ("~", Qualifier::About),
];

/// Powers of ten by their words.
const VIETNAMESE_POWERS: &[(&str, u8)] =
    &[("chục", 1), ("trăm", 2), ("nghìn", 3), ("ngàn", 3), ("vạn", 4), ("triệu", 6), ("tỷ", 9), ("tỉ", 9)];

const ENGLISH_POWERS: &[(&str, u8)] = &[("hundred", 2), ("thousand", 3), ("million", 6), ("billion", 9)];

/// Takes a qualifier off the beginning of a text in lower case, and says what is left.
pub(crate) fn qualifier_before(text: &str, locale: Locale) -> Option<(Qualifier, &str)> {
    let words = match locale {
        Locale::Vietnamese => VIETNAMESE_BEFORE,
        Locale::English => ENGLISH_BEFORE,
    };
    let word = words.iter().find_map(|(word, qualifier)| {
        let rest = text.strip_prefix(word)?;
        // Not the beginning of a longer word.
        rest.starts_with(char::is_whitespace).then(|| (*qualifier, rest.trim_start()))
    });
    let sign = || {
        SIGNS.iter().find_map(|(sign, qualifier)| Some((*qualifier, text.strip_prefix(sign)?.trim_start())))
    };
    word.or_else(sign)
}

/// Takes a qualifier off the end.
pub(crate) fn qualifier_after(text: &str, locale: Locale) -> Option<(Qualifier, &str)> {
    let words = match locale {
        Locale::Vietnamese => VIETNAMESE_AFTER,
        Locale::English => ENGLISH_AFTER,
    };
    words.iter().find_map(|(word, qualifier)| {
        let rest = text.strip_suffix(word)?;
        rest.ends_with(char::is_whitespace).then(|| (*qualifier, rest.trim_end()))
    })
}

/// The power of ten that words after a number say together, as "trăm nghìn"; nothing where one of them is no such
/// word.
pub(crate) fn power(text: &str, locale: Locale) -> Option<u8> {
    let words = match locale {
        Locale::Vietnamese => VIETNAMESE_POWERS,
        Locale::English => ENGLISH_POWERS,
    };
    text.split_whitespace().try_fold(0u8, |power, word| {
        let (_, more) = words.iter().find(|(known, _)| *known == word)?;
        power.checked_add(*more)
    })
}

/// Whether words after a number say that it is a percentage.
pub(crate) fn is_percent(text: &str, locale: Locale) -> bool {
    match locale {
        Locale::Vietnamese => matches!(text, "%" | "phần trăm"),
        Locale::English => matches!(text, "%" | "percent" | "per cent"),
    }
}
