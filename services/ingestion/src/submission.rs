//! A submission as it was read, before anything in it is believed.
//!
//! JSON, CSV, XLSX and gRPC are all read into a [`RawSubmission`], and one check goes over it, so that the forms
//! cannot come to differ in what they take.

use std::fmt;
use std::sync::Arc;

use tonghop_proto::ingestion::{self as pb, figure::Statement};
use tonghop_written::Locale;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::fair::Traffic;
use crate::finding::{Findings, Spot};
use crate::sheet_place::{Cell, Layout};

/// How much is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a document.
    pub max_bytes: usize,
    /// Figures of a submission.
    pub max_figures: usize,
    /// Characters of a code or another short text.
    pub max_text: usize,
    /// Characters of a note or a reason.
    pub max_note: usize,
    /// Arrays and objects of a JSON document within one another.
    pub max_depth: usize,
    /// How much is taken in of all, and of each sender.
    pub traffic: Traffic,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_bytes: 32 * 1024 * 1024,
            max_figures: 100_000,
            max_text: 256,
            max_note: 2_000,
            max_depth: 16,
            traffic: Traffic::default(),
        }
    }
}

/// A submission as read. All texts are NFC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawSubmission {
    /// The reporting system.
    pub source: String,
    /// What it says about the submission.
    pub note: String,
    /// The figures that could be read.
    pub figures: Vec<RawFigure>,
    /// What was wrong in reading. The check adds its own to these, so that all come in one answer; where there
    /// are any, nothing is accepted.
    pub reading: Findings,
    /// What was remarkable in reading, and does not hinder.
    pub remarks: Findings,
    /// Whether it is of a form that people fill in, where units and indicators may be named by their names as well as
    /// by their codes.
    pub by_name: bool,
}

impl RawSubmission {
    /// Says in which locale numbers are written for which nothing was said so far.
    pub(crate) fn declare(&mut self, locale: Locale) {
        for figure in &mut self.figures {
            if figure.numbers == Numbers::Plain {
                figure.numbers = Numbers::Written(Some(locale));
            }
        }
    }

    /// A submission that came over gRPC.
    pub fn from_wire(
        source: &str,
        note: &str,
        figures: impl IntoIterator<Item = pb::Figure>,
    ) -> RawSubmission {
        RawSubmission {
            source: nfc(source),
            note: nfc(note),
            figures: figures.into_iter().enumerate().map(|(i, f)| RawFigure::from_wire(i, f)).collect(),
            ..RawSubmission::default()
        }
    }
}

/// What is said beside a document that does not say it itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside<'a> {
    /// The reporting system.
    pub source: &'a str,
    /// A note.
    pub note: &'a str,
    /// The locale in which its numbers are written.
    pub locale: Option<Locale>,
}

/// How the values of a document are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// As plain decimals, by the rules of the form.
    #[default]
    Plain,
    /// As people write them, in a locale where one is declared.
    Written(Option<Locale>),
    /// A whole number that a spreadsheet shows with three decimals, which look like thousands.
    LikeThousands,
}

/// A figure as read. A text that was not given is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFigure {
    /// Where it stands in what was sent.
    pub place: Place,
    /// Code of the unit.
    pub unit: String,
    /// Code or name of a unit that it is, or is below, where it is named by its name.
    pub within: Option<String>,
    /// Code of the indicator, or its part before the first hyphen.
    pub indicator: String,
    /// Dimensions and members.
    pub breakdown: RawBreakdown,
    /// The period's written form.
    pub period: String,
    /// The scope's code.
    pub scope: String,
    /// The value, digit for digit.
    pub value: Option<String>,
    /// How it is written.
    pub numbers: Numbers,
    /// The qualifier's code; exact where it was not given.
    pub qualifier: Option<String>,
    /// Why there is no value.
    pub not_available: Option<String>,
    /// Whether the figure goes back to missing.
    pub withdraw: bool,
    /// Codes of programmes.
    pub programmes: Vec<String>,
    /// CSV only: a day on which the code has to be the same unit as in the period.
    pub map_date: Option<String>,
    /// What was given and could not be read: a finding says so already, and it is not missing.
    pub unreadable: Fields,
}

impl RawFigure {
    /// A figure of which nothing is known yet.
    pub fn at(place: Place) -> RawFigure {
        RawFigure {
            place,
            unit: String::new(),
            within: None,
            indicator: String::new(),
            breakdown: RawBreakdown::default(),
            period: String::new(),
            scope: String::new(),
            value: None,
            numbers: Numbers::Plain,
            qualifier: None,
            not_available: None,
            withdraw: false,
            programmes: vec![],
            map_date: None,
            unreadable: Fields::default(),
        }
    }

    /// A figure that came over gRPC, the `index`-th of its submission.
    pub fn from_wire(index: usize, figure: pb::Figure) -> RawFigure {
        let (mut value, mut not_available, mut withdraw) = (None, None, false);
        match figure.statement {
            Some(Statement::Value(text)) => value = Some(into_nfc(text)),
            Some(Statement::NotAvailable(reason)) => not_available = Some(into_nfc(reason)),
            Some(Statement::Withdraw(yes)) => withdraw = yes,
            None => {}
        }
        RawFigure {
            unit: into_nfc(figure.unit),
            indicator: into_nfc(figure.indicator),
            breakdown: RawBreakdown::Text(into_nfc(figure.breakdown)),
            period: into_nfc(figure.period),
            scope: into_nfc(figure.scope),
            value,
            qualifier: Some(into_nfc(figure.qualifier)).filter(|q| !q.is_empty()),
            not_available,
            withdraw,
            programmes: figure.programmes.into_iter().map(into_nfc).collect(),
            ..RawFigure::at(Place::Item(index))
        }
    }
}

/// A breakdown as read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RawBreakdown {
    /// A JSON object.
    Pairs(Vec<(String, String)>),
    /// `dimension=member|dimension=member`, in CSV and gRPC.
    Text(String),
}

impl Default for RawBreakdown {
    fn default() -> RawBreakdown {
        RawBreakdown::Pairs(vec![])
    }
}

/// Where a figure stands in what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The `n`-th of `figures`, counted from 0, in JSON and gRPC.
    Item(usize),
    /// A line of a CSV document, counted from 1.
    Line(u32),
    /// A cell of a spreadsheet, on a sheet of a layout.
    Cell(Arc<Layout>, Cell),
}

impl Place {
    /// Where in the figure.
    pub fn at(&self, field: Field) -> Spot {
        match self {
            Place::Item(_) => Spot::path(format!("{self}.{}", field.key())),
            Place::Line(line) => Spot::line((*line).into(), field.column()),
            Place::Cell(layout, cell) => layout.spot(layout.cell_of(field, *cell)),
        }
    }

    /// The cell, where it is one of that sheet.
    pub(crate) fn cell(&self, sheet: &str) -> Option<Cell> {
        match self {
            Place::Cell(layout, cell) if layout.sheet == sheet => Some(*cell),
            _ => None,
        }
    }

    /// The figure as a whole.
    pub fn whole(&self) -> Spot {
        match self {
            Place::Item(_) => Spot::path(self.to_string()),
            Place::Line(line) => Spot::line((*line).into(), ""),
            Place::Cell(layout, cell) => layout.spot(*cell),
        }
    }
}

impl Place {
    /// As it is said in Vietnamese.
    pub(crate) fn in_vietnamese(&self) -> String {
        match self {
            Place::Item(_) | Place::Cell(..) => self.to_string(),
            Place::Line(line) => format!("dòng {line}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Item(index) => write!(f, "figures[{index}]"),
            Place::Line(line) => write!(f, "line {line}"),
            Place::Cell(layout, cell) => f.write_str(&layout.address(*cell)),
        }
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])+ $name:ident = $key:literal, $column:literal;)+) => {
        /// A part of a figure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field {
            $($(#[$doc])+ $name,)+
        }

        impl Field {
            /// All of them.
            pub const ALL: &[Field] = &[$(Field::$name,)+];

            /// Its key in JSON, and its name in gRPC.
            pub fn key(self) -> &'static str {
                match self { $(Field::$name => $key,)+ }
            }

            /// Its column in CSV.
            pub fn column(self) -> &'static str {
                match self { $(Field::$name => $column,)+ }
            }
        }
    };
}

fields! {
    /// The unit.
    Unit = "unit", "unit_code";
    /// The indicator.
    Indicator = "indicator", "indicator";
    /// The breakdown.
    Breakdown = "breakdown", "breakdown";
    /// The period.
    Period = "period", "period";
    /// The scope.
    Scope = "scope", "scope";
    /// The value.
    Value = "value", "value";
    /// The qualifier.
    Qualifier = "qualifier", "qualifier";
    /// Why there is no value.
    NotAvailable = "not_available", "not_available_reason";
    /// Whether it goes back to missing.
    Withdraw = "withdraw", "withdraw";
    /// The programmes.
    Programmes = "programmes", "programme";
    /// The day of the map; in CSV only.
    MapDate = "map_date", "map_date";
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(u16);

impl Fields {
    /// Adds a field.
    pub fn insert(&mut self, field: Field) {
        self.0 |= 1 << field as u16;
    }

    /// Whether a field is among them.
    pub fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }
}

/// The text in NFC, so that what looks the same is the same.
pub(crate) fn nfc(text: &str) -> String {
    if text.is_ascii() || is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

pub(crate) fn into_nfc(text: String) -> String {
    if text.is_ascii() || is_nfc(&text) { text } else { text.nfc().collect() }
}
