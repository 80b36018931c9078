//! Figures out of JSON values.

use std::fmt;

use serde_json::value::RawValue;
use tonghop_runtime::{Language, Text};
use tonghop_written::Locale;

use super::walk::{Read, each_element, each_entry, kind};
use crate::check::nearest::nearest;
use crate::finding::{Code, Findings, Spot, finding, one_of};
use crate::media_type;
use crate::submission::{Field, Fields, Limits, Place, RawBreakdown, RawFigure, into_nfc};

/// More dimensions than any indicator has. A breakdown is not read past it: a dimension too many is among
/// those read, and a finding.
const MAX_DIMENSIONS: usize = 64;

/// Where a value stands, written out only where something is wrong with it.
pub(super) struct At<'a> {
    place: Option<&'a Place>,
    key: &'a str,
    inner: Inner<'a>,
}

enum Inner<'a> {
    None,
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// A key of the submission.
    pub(super) fn top(key: &'a str) -> At<'a> {
        At { place: None, key, inner: Inner::None }
    }

    fn figure(place: &'a Place, key: &'a str) -> At<'a> {
        At { place: Some(place), key, inner: Inner::None }
    }

    fn with(&self, inner: Inner<'a>) -> At<'a> {
        At { place: self.place, key: self.key, inner }
    }

    fn spot(&self) -> Spot {
        Spot::path(self.to_string())
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) if self.key.is_empty() => write!(f, "{place}")?,
            Some(place) => write!(f, "{place}.{}", self.key)?,
            None => f.write_str(self.key)?,
        }
        match self.inner {
            Inner::None => Ok(()),
            Inner::Key(key) => write!(f, ".{key}"),
            Inner::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Reads values, and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    limits: &'a Limits,
    pub(super) findings: Findings,
    /// Whether there are more figures than are taken; then they are not all read.
    pub(super) too_many: bool,
}

impl<'l> Reader<'l> {
    pub(super) fn new(limits: &'l Limits) -> Reader<'l> {
        Reader { limits, findings: Findings::default(), too_many: false }
    }

    pub(super) fn unknown(&mut self, at: &At<'_>, known: &[&str], key: &str) {
        self.findings.add(|| {
            let hint = match nearest(key, known.iter().copied()).first() {
                Some(near) => Text::of(
                    format!("ghi {near}, hoặc bỏ khóa này"),
                    format!("write {near}, or leave the key out"),
                ),
                None => Text::of("bỏ khóa này", "leave the key out"),
            };
            finding(Code::UnknownKey, at.spot(), key, one_of(known), hint)
        });
    }

    pub(super) fn twice(&mut self, at: &At<'_>) {
        self.findings.add(|| {
            let got = Text::of("khóa này lần thứ hai", "the key a second time");
            let expected = Text::of("mỗi khóa một lần", "every key once");
            let hint = Text::of(
                "chỉ giữ khóa cần dùng: không thể biết khóa nào được tính",
                "keep the one that is meant: which of them counts cannot be known",
            );
            finding(Code::DuplicateKey, at.spot(), got, expected, hint)
        });
    }

    fn wrong_type(&mut self, at: &At<'_>, value: &RawValue, expected: Text) {
        self.findings.add(|| {
            let hint = if value.get() == "null" {
                Text::of("bỏ khóa khi không có gì để ghi", "leave the key out where there is nothing to say")
            } else {
                Text::of(
                    format!("ghi {}", expected.in_language(Language::Vietnamese)),
                    format!("write {}", expected.in_language(Language::English)),
                )
            };
            finding(Code::WrongType, at.spot(), kind(value), expected, hint)
        });
    }

    fn broken(&mut self, at: &At<'_>, error: &serde_json::Error) {
        self.findings.add(|| {
            let expected = Text::of("văn bản JSON", "a JSON text");
            let hint = Text::of(
                "ghi thẳng ký tự theo UTF-8, hoặc đủ cả hai nửa của cặp mã thay thế",
                "write the characters themselves in UTF-8, or both halves of a surrogate pair",
            );
            finding(Code::MalformedJson, at.spot(), error.to_string(), expected, hint)
        });
    }

    /// A text in NFC; nothing where a finding says why it cannot be read.
    pub(super) fn text(&mut self, at: &At<'_>, value: &RawValue) -> Option<String> {
        self.text_or(at, value, || Text::of("văn bản trong dấu ngoặc kép", "a text in quotation marks"))
    }

    fn text_or(&mut self, at: &At<'_>, value: &RawValue, expected: fn() -> Text) -> Option<String> {
        if !value.get().starts_with('"') {
            self.wrong_type(at, value, expected());
            return None;
        }
        serde_json::from_str::<String>(value.get()).map(into_nfc).map_err(|e| self.broken(at, &e)).ok()
    }

    /// A locale that is declared; nothing where a finding says why it is none.
    pub(super) fn locale(&mut self, at: &At<'_>, value: &RawValue) -> Option<Locale> {
        let code = self.text(at, value)?;
        let locale = Locale::from_code(&code);
        if locale.is_none() {
            self.findings.add(|| {
                finding(Code::UnknownLocale, at.spot(), &code, media_type::expected(), media_type::hint())
            });
        }
        locale
    }

    /// The figures, as long as there are not too many.
    pub(super) fn figures(&mut self, value: &RawValue) -> Vec<RawFigure> {
        let mut figures = Vec::new();
        let mut index = 0;
        let read = each_element(value, |element| {
            if index == self.limits.max_figures {
                self.too_many = true;
                return false;
            }
            figures.extend(self.figure(Place::Item(index), element));
            index += 1;
            true
        });
        match read {
            Read::Done => {}
            Read::Other => self.wrong_type(&At::top("figures"), value, array_of_figures()),
            Read::Broken(error) => self.broken(&At::top("figures"), &error),
        }
        figures
    }

    /// A figure; nothing where it cannot be read as one.
    pub(super) fn figure(&mut self, place: Place, value: &RawValue) -> Option<RawFigure> {
        let mut figure = RawFigure::at(place.clone());
        let mut seen = Fields::default();
        let read = each_entry(value, |key, value| {
            let at = At::figure(&place, &key);
            match keys().find(|f| f.key() == key) {
                None => self.unknown(&at, &keys().map(Field::key).collect::<Vec<_>>(), &key),
                Some(field) if seen.has(field) => self.twice(&at),
                Some(field) => {
                    seen.insert(field);
                    if self.field(&mut figure, field, &at, value).is_none() {
                        figure.unreadable.insert(field);
                    }
                }
            }
            true
        });
        match read {
            Read::Done => return Some(figure),
            Read::Other => {
                self.wrong_type(&At::figure(&place, ""), value, Text::of("một đối tượng JSON", "an object"))
            }
            Read::Broken(error) => self.broken(&At::figure(&place, ""), &error),
        }
        None
    }

    /// Reads one field; nothing where a finding says why it cannot be.
    fn field(&mut self, figure: &mut RawFigure, field: Field, at: &At<'_>, value: &RawValue) -> Option<()> {
        match field {
            Field::Unit => figure.unit = self.text(at, value)?,
            Field::Indicator => figure.indicator = self.text(at, value)?,
            Field::Period => figure.period = self.text(at, value)?,
            Field::Scope => figure.scope = self.text(at, value)?,
            Field::Qualifier => figure.qualifier = Some(self.text(at, value)?),
            Field::NotAvailable => figure.not_available = Some(self.text(at, value)?),
            Field::MapDate => figure.map_date = Some(self.text(at, value)?),
            Field::Value => figure.value = Some(self.value(at, value)?),
            Field::Breakdown => figure.breakdown = self.breakdown(at, value)?,
            Field::Programmes => figure.programmes = self.programmes(at, value)?,
            Field::Withdraw => match value.get() {
                "true" => figure.withdraw = true,
                "false" => {}
                _ => {
                    self.wrong_type(at, value, Text::of("true hoặc false", "true or false"));
                    return None;
                }
            },
        }
        Some(())
    }

    /// A decimal in quotation marks, or a whole number.
    fn value(&mut self, at: &At<'_>, value: &RawValue) -> Option<String> {
        let text = value.get();
        if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            if text.bytes().all(|b| b == b'-' || b.is_ascii_digit()) {
                return Some(text.to_owned());
            }
            self.findings.add(|| {
                let hint = Text::of(
                    "ghi trong dấu ngoặc kép, như \"98.5\": nhiều chương trình làm tròn số lẻ JSON khi chuyển tiếp",
                    "write it in quotation marks, as \"98.5\": programs pass a JSON fraction on rounded",
                );
                finding(Code::FractionAsJsonNumber, at.spot(), text, decimal(), hint)
            });
            return None;
        }
        self.text_or(at, value, decimal)
    }

    fn breakdown(&mut self, at: &At<'_>, value: &RawValue) -> Option<RawBreakdown> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut good = true;
        let read = each_entry(value, |dimension, member| {
            let dimension = into_nfc(dimension.into_owned());
            let at = at.with(Inner::Key(&dimension));
            if pairs.iter().any(|(d, _)| *d == dimension) {
                self.twice(&at);
                good = false;
            } else if let Some(member) = self.text(&at, member) {
                pairs.push((dimension, member));
            } else {
                good = false;
            }
            pairs.len() < MAX_DIMENSIONS
        });
        match read {
            Read::Done => return good.then_some(RawBreakdown::Pairs(pairs)),
            Read::Other => {
                let expected = Text::of(
                    "một đối tượng gồm tiêu thức phân tổ và mục, như {\"reporter\": \"cong-an\"}",
                    "an object of dimensions and members, as {\"reporter\": \"cong-an\"}",
                );
                self.wrong_type(at, value, expected);
            }
            Read::Broken(error) => self.broken(at, &error),
        }
        None
    }

    fn programmes(&mut self, at: &At<'_>, value: &RawValue) -> Option<Vec<String>> {
        let mut codes = Vec::new();
        let (mut index, mut good) = (0, true);
        let read = each_element(value, |code| {
            match self.text(&at.with(Inner::Index(index)), code) {
                Some(code) => codes.push(code),
                None => good = false,
            }
            index += 1;
            true
        });
        match read {
            Read::Done => return good.then_some(codes),
            Read::Other => {
                let expected = Text::of("một mảng mã chương trình", "an array of programme codes");
                self.wrong_type(at, value, expected);
            }
            Read::Broken(error) => self.broken(at, &error),
        }
        None
    }
}

pub(super) fn array_of_figures() -> Text {
    Text::of("một mảng số liệu", "an array of figures")
}

fn decimal() -> Text {
    Text::of(
        "số thập phân trong dấu ngoặc kép, hoặc số nguyên",
        "a decimal in quotation marks, or a whole number",
    )
}

/// The keys of a figure: a map date is for files that people keep.
fn keys() -> impl Iterator<Item = Field> {
    Field::ALL.iter().copied().filter(|f| *f != Field::MapDate)
}
