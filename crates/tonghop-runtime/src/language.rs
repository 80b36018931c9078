//! The languages that people are spoken to in: Vietnamese and English.
//!
//! What a person is told is a [`Text`], which has both. Which of them an answer is written in, its request says
//! (`Accept-Language`), and whatever writes the answer asks [`Language::spoken`].

use std::fmt;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};
use http::{HeaderMap, HeaderValue};
use serde::{Serialize, Serializer};

/// A language that people are spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Vietnamese.
    Vietnamese,
    /// English; what programs are answered in where nothing is asked for.
    #[default]
    English,
}

tokio::task_local! {
    static SPOKEN: Language;
}

/// Items of an `Accept-Language` that are looked at.
const MOST_ITEMS: usize = 32;

impl Language {
    /// The language of the request that is being answered.
    pub fn spoken() -> Language {
        SPOKEN.try_with(|language| *language).unwrap_or_default()
    }

    /// The first that an `Accept-Language` (RFC 9110, 12.5.4) prefers, if it names one of the two.
    pub fn accepted(accept_language: &str) -> Option<Language> {
        let mut best: Option<(u16, Language)> = None;
        for item in accept_language.split(',').take(MOST_ITEMS) {
            let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
            let primary = tag.trim().split('-').next().unwrap_or_default();
            let weight = weight(parameters);
            if let Some(language) = Language::of_code(primary)
                && weight > best.map_or(0, |(weight, _)| weight)
            {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// By its tag (BCP 47), `vi` or `en`.
    pub fn of_code(code: &str) -> Option<Language> {
        match code.to_ascii_lowercase().as_str() {
            "vi" => Some(Language::Vietnamese),
            "en" => Some(Language::English),
            _ => None,
        }
    }

    /// Its tag (BCP 47).
    pub fn code(self) -> &'static str {
        match self {
            Language::Vietnamese => "vi",
            Language::English => "en",
        }
    }

    /// Works within a request of this language.
    pub async fn speaking<T>(self, work: impl Future<Output = T>) -> T {
        SPOKEN.scope(self, work).await
    }

    /// Does something within a request of this language: what a stream says after its request was answered.
    pub fn saying<T>(self, work: impl FnOnce() -> T) -> T {
        SPOKEN.sync_scope(self, work)
    }

    /// The one of two that is written in it.
    pub fn choose<T>(self, vietnamese: T, english: T) -> T {
        match self {
            Language::Vietnamese => vietnamese,
            Language::English => english,
        }
    }

    /// The one that the headers of a request ask for.
    pub fn of_headers(headers: &HeaderMap) -> Language {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        accepted.and_then(Language::accepted).unwrap_or_default()
    }
}

/// Says in the headers of an answer which language it is written in, and that it was asked for.
pub fn say(headers: &mut HeaderMap, language: Language) {
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
}

/// The weight that an item of `Accept-Language` has, in thousandths.
fn weight(parameters: &str) -> u16 {
    let Some(written) = parameters.trim().strip_prefix("q=") else { return 1000 };
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    match whole {
        "0" => format!("{fraction:0<3}").get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0),
        "1" => 1000,
        _ => 0,
    }
}

/// Answers a request in its language.
pub(crate) async fn spoken(request: Request, next: Next) -> Response {
    Language::of_headers(request.headers()).speaking(next.run(request)).await
}

/// A text for people, in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    vietnamese: String,
    english: String,
}

impl Text {
    /// The same in Vietnamese and in English.
    pub fn of(vietnamese: impl Into<String>, english: impl Into<String>) -> Text {
        Text { vietnamese: vietnamese.into(), english: english.into() }
    }

    /// What is the same in both: a code, a number, something that was read.
    pub fn same(text: impl Into<String>) -> Text {
        let text = text.into();
        Text { vietnamese: text.clone(), english: text }
    }

    /// In one of the languages.
    pub fn in_language(&self, language: Language) -> &str {
        language.choose(&self.vietnamese, &self.english)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.vietnamese.is_empty() && self.english.is_empty()
    }
}

/// That a request could not be read, in the words of what reads it, which are English.
pub fn not_read(why: &str) -> Text {
    Text::of(format!("không đọc được yêu cầu: {why}"), why)
}

/// In the language of the request that is being answered.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.in_language(Language::spoken()))
    }
}

/// In the language of the request that is being answered.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.in_language(Language::spoken()))
    }
}

/// As it reads in English.
impl PartialEq<str> for Text {
    fn eq(&self, english: &str) -> bool {
        self.english == english
    }
}

/// As it reads in English.
impl PartialEq<&str> for Text {
    fn eq(&self, english: &&str) -> bool {
        self.english == *english
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_preferred_among_those_there_are() {
        for (accepted, language) in [
            ("", None),
            ("fr-FR,fr;q=0.9", None),
            ("vi", Some(Language::Vietnamese)),
            ("vi-VN,vi;q=0.9,en;q=0.8", Some(Language::Vietnamese)),
            ("en-GB;q=0.8, VI;q=0.85", Some(Language::Vietnamese)),
            ("fr, en;q=0.1", Some(Language::English)),
            ("vi;q=0", None),
            ("vi;q=nonsense, en;q=0.2", Some(Language::English)),
        ] {
            assert_eq!(Language::accepted(accepted), language, "{accepted}");
        }
    }

    #[tokio::test]
    async fn a_text_reads_in_the_language_of_the_request() {
        let text = Text::of("số nguyên", "a whole number");
        assert_eq!(text.to_string(), "a whole number");
        let said = Language::Vietnamese.speaking(async { text.to_string() }).await;
        assert_eq!(said, "số nguyên");
        assert_eq!(Language::Vietnamese.saying(|| text.to_string()), "số nguyên");
    }
}
