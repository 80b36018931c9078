//! What a document is, and in which locale its numbers are: a media type and its parameter `locale`.
//!
//! The locale is part of the media type that is kept with a document. So the same bytes in another locale are other
//! content, and what was taken can be read again as it was read then.

use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_written::Locale;

use crate::finding::{Code, Spot, finding};

/// The name of the parameter.
const LOCALE: &str = "locale";

/// A media type without its parameters.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The locale that a media type names.
///
/// # Errors
/// Where it is not known.
pub fn locale(media_type: &str) -> Result<Option<Locale>, Failure> {
    let parameters = media_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut named = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case(LOCALE));
    named.next().map(|(_, value)| read(value.trim().trim_matches('"'))).transpose()
}

/// A media type with the locale that was declared beside it.
///
/// # Errors
/// Where it is not known, or the media type names another.
pub fn with_locale(media_type: &str, declared: &str) -> Result<String, Failure> {
    if declared.is_empty() {
        return Ok(media_type.to_owned());
    }
    let declared = read(declared)?;
    match locale(media_type)? {
        None => Ok(format!("{media_type};{LOCALE}={}", declared.code())),
        Some(named) if named == declared => Ok(media_type.to_owned()),
        Some(named) => Err(unknown(
            &format!("{} / {}", declared.code(), named.code()),
            Text::of("chỉ khai báo một locale", "declare one locale"),
        )),
    }
}

fn read(code: &str) -> Result<Locale, Failure> {
    Locale::from_code(code).ok_or_else(|| unknown(code, hint()))
}

/// What to do where a locale is not known.
pub(crate) fn hint() -> Text {
    Text::of(
        "ghi vi nếu số viết kiểu 37.853 và 2,2; ghi en nếu số viết kiểu 37,853 và 2.2",
        "write vi where numbers are written as 37.853 and 2.2 as 2,2; en where they are written as 37,853 and 2.2",
    )
}

/// What is expected of a locale.
pub(crate) fn expected() -> Text {
    Text::of("vi hoặc en", "vi or en")
}

fn unknown(got: &str, hint: Text) -> Failure {
    let found = finding(Code::UnknownLocale, Spot::path(LOCALE), got, expected(), hint);
    let detail = Text::of("không rõ số được viết theo locale nào", "the locale of the numbers is not known");
    Failure::new(FailureKind::NotUnderstood, detail).with_findings(vec![found])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_is_a_parameter_of_the_media_type() {
        assert_eq!(essence("Text/CSV; charset=utf-8"), "text/csv");
        assert_eq!(locale("text/csv; charset=utf-8").unwrap(), None);
        assert_eq!(locale("text/csv; locale=vi-VN").unwrap(), Some(Locale::Vietnamese));
        assert_eq!(locale("text/csv;Locale=\"en\"").unwrap(), Some(Locale::English));
        assert_eq!(locale("text/csv;locale=fr").unwrap_err().findings()[0].code, "unknown_locale");
        assert_eq!(with_locale("text/csv", "").unwrap(), "text/csv");
        assert_eq!(with_locale("text/csv", "vi").unwrap(), "text/csv;locale=vi");
        assert_eq!(with_locale("text/csv;locale=vi", "vi-VN").unwrap(), "text/csv;locale=vi");
        assert_eq!(with_locale("text/csv;locale=vi", "en").unwrap_err().findings()[0].code, "unknown_locale");
        assert_eq!(with_locale("text/csv", "tiếng Việt").unwrap_err().findings()[0].path, "locale");
    }
}
