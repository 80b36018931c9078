//! What the columns of a table are.

use std::borrow::Cow;

use serde_json::Value;

use crate::about::{About, Language};

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// An exact decimal, with the scale of values.
    Decimal,
    /// An exact decimal, with the scale of the sides of ratios.
    Side,
    /// An exact decimal with two digits after the point.
    Percent,
    /// A whole number.
    Count,
    /// Yes or no.
    Flag,
    /// A day, as 2025-07-01.
    Day,
    /// A time in RFC 3339.
    Time,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name, for programs: the same in every language and format.
    pub name: &'static str,
    /// What its cells are.
    pub kind: Kind,
    /// Its heading in Vietnamese.
    pub vi: &'static str,
    /// Its heading in English.
    pub en: &'static str,
}

impl Column {
    /// Whether it can have anything in it: what compares, ranks and relates stays empty where nobody asked for that.
    pub(crate) fn is_asked(&self, about: &About) -> bool {
        let asks = |parameter: &str, value: &str| {
            let given = about.asked.iter().find(|(name, _)| name == parameter);
            given.is_some_and(|(_, given)| value.is_empty() || given.split(',').any(|one| one == value))
        };
        match self.name {
            name if name.starts_with("previous_") => asks("compare", "previous"),
            name if name.starts_with("last_year_") => asks("compare", "last_year"),
            name if name.starts_with("share_") => asks("share", ""),
            name if name.starts_with("rank_") => asks("rank", "true"),
            _ => true,
        }
    }

    /// Its heading, for people.
    pub fn heading(&self, language: Language) -> &'static str {
        language.of(self.vi, self.en)
    }
}

/// What stands in one row of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing: not zero, and not an empty text.
    Nothing,
    /// Of a column of text, days, times or decimals: as it is written.
    Text(Cow<'a, str>),
    /// Of a column of counts.
    Count(i64),
    /// Of a column of flags.
    Flag(bool),
}

impl<'a> Cell<'a> {
    /// A text, or nothing where it is empty.
    pub(crate) fn text(text: &'a str) -> Cell<'a> {
        if text.is_empty() { Cell::Nothing } else { Cell::Text(Cow::Borrowed(text)) }
    }

    /// What may be there.
    pub(crate) fn some(text: Option<&'a String>) -> Cell<'a> {
        text.map_or(Cell::Nothing, |text| Cell::Text(Cow::Borrowed(text)))
    }

    /// A count. None of the system's reaches 63 bits.
    pub(crate) fn count(count: u64) -> Cell<'a> {
        Cell::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// As text formats have it; empty for nothing.
    pub(crate) fn written(&self) -> Cow<'_, str> {
        match self {
            Cell::Nothing => Cow::Borrowed(""),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Count(count) => Cow::Owned(count.to_string()),
            Cell::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        }
    }
}

/// A row of a table.
pub trait Row {
    /// What a JSON document calls the rows.
    const NAME: &'static str;
    /// The table's columns.
    const COLUMNS: &'static [Column];

    /// The row's cells, one for each column.
    fn cells<'a>(&'a self, about: &'a About) -> Vec<Cell<'a>>;

    /// The row as REST answers it.
    fn json(&self) -> Value;
}

/// A column of a kind; for tables of them.
pub(crate) const fn column(name: &'static str, kind: Kind, vi: &'static str, en: &'static str) -> Column {
    Column { name, kind, vi, en }
}
