//! What a file says of itself.

use std::collections::HashMap;

/// The language of headings and notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

impl Language {
    /// Its tag.
    pub fn tag(self) -> &'static str {
        self.of("vi", "en")
    }

    /// The text in this language.
    pub fn of<T>(self, vi: T, en: T) -> T {
        match self {
            Language::Vi => vi,
            Language::En => en,
        }
    }
}

/// Digits after the point in columns of decimals, the same for all rows: as many as the indicator with most has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scales {
    /// Of values, parts, wholes and differences.
    pub value: u8,
    /// Of the two sides of ratios, which shares of divided units may give more.
    pub side: u8,
}

/// What a file says of itself.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The language of headings, names and notes.
    pub language: Language,
    /// Up to which entry of the ledger everything is in, and nothing after.
    pub position: i64,
    /// When that entry was received: RFC 3339; empty where there is none.
    pub time: String,
    /// What was asked: names of parameters and their values.
    pub asked: Vec<(String, String)>,
    /// How many rows follow.
    pub rows: u64,
    /// Whether submissions of SYNTHETIC figures were taken, so that some of this may be made up.
    pub synthetic: bool,
    /// Names of indicators in the language, by code.
    pub names: HashMap<String, String>,
    /// Digits after the point.
    pub scales: Scales,
    /// Whether CSV begins with a byte order mark, by which Excel knows UTF-8.
    pub bom: bool,
}

impl About {
    pub(crate) fn name(&self, indicator: &str) -> &str {
        self.names.get(indicator).map_or("", String::as_str)
    }

    /// The question, as a query string of REST would have it but for the percent signs.
    pub(crate) fn question(&self) -> String {
        self.asked.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// What programs read in the file's own metadata: names and values.
    pub(crate) fn metadata(&self) -> Vec<(String, String)> {
        let mut out = vec![
            ("tonghop.as_of.position".to_owned(), self.position.to_string()),
            ("tonghop.as_of.time".to_owned(), self.time.clone()),
            ("tonghop.asked".to_owned(), self.question()),
            ("tonghop.rows".to_owned(), self.rows.to_string()),
            ("tonghop.language".to_owned(), self.language.tag().to_owned()),
            ("tonghop.synthetic".to_owned(), self.synthetic.to_string()),
        ];
        if self.synthetic {
            out.push(("tonghop.note".to_owned(), crate::legend::synthetic(self.language).to_owned()));
        }
        out
    }
}
