//! What can be wrong with what is given: the codes, where it stands, and how findings are gathered.
//!
//! A finding is written for the person who has to put it right: what was read, what was expected there, and
//! what to do. Its code is for programs and never changes.

use std::borrow::Cow;

use tonghop_core::words::Words;
use tonghop_runtime::{Finding, Got, Text};

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// What kind of thing a finding is about. The text of a code never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])+ $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The text of the code.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    // Reading a document.
    /// The document has more bytes than are taken.
    DocumentTooLarge = "document_too_large",
    /// Bytes that are not UTF-8.
    NotUtf8 = "not_utf8",
    /// Not JSON, from this line and column on.
    MalformedJson = "malformed_json",
    /// The document ends before it is complete.
    TruncatedJson = "truncated_json",
    /// Arrays and objects within one another deeper than a submission ever is.
    TooDeep = "too_deep",
    /// A JSON value of another type than the key takes.
    WrongType = "wrong_type",
    /// A key twice in one JSON object.
    DuplicateKey = "duplicate_key",
    /// A key that a submission does not have.
    UnknownKey = "unknown_key",
    /// A value given as a JSON number with a fraction or an exponent.
    FractionAsJsonNumber = "fraction_as_json_number",
    /// A CSV document without a first line.
    MissingHeader = "missing_header",
    /// A column that has to be there.
    MissingColumn = "missing_column",
    /// A column that is there twice.
    DuplicateColumn = "duplicate_column",
    /// A CSV line with more or fewer cells than the header.
    WrongLength = "wrong_length",
    /// A quotation mark that opens a CSV cell and is never closed.
    UnclosedQuote = "unclosed_quote",
    /// Text after the quotation mark that closes a CSV cell.
    StrayQuote = "stray_quote",
    /// A cell that is neither true nor false.
    NotTrueOrFalse = "not_true_or_false",
    /// A locale that is not known.
    UnknownLocale = "unknown_locale",
    /// A document of another encoding than UTF-8, by its first bytes.
    OtherEncoding = "other_encoding",
    /// Bytes that are not the archive of a spreadsheet, or one of another format.
    NotASpreadsheet = "not_a_spreadsheet",
    /// A spreadsheet that cannot be opened without a password.
    EncryptedSpreadsheet = "encrypted_spreadsheet",
    /// A spreadsheet with a part that is not what it should be.
    BrokenSpreadsheet = "broken_spreadsheet",
    /// More of something in a spreadsheet than is taken: bytes, parts, sheets, cells, texts.
    SpreadsheetTooLarge = "spreadsheet_too_large",
    /// A sheet without a row of headings that is known.
    NoTable = "no_table",
    /// A heading above values that is none of a unit or a period.
    UnknownHeading = "unknown_heading",
    /// A cell that holds a date or a time where a number is expected.
    DateCell = "date_cell",
    /// A cell that shows another number than it holds.
    ShownOtherwise = "shown_otherwise",
    /// A cell that holds an error, as #REF!.
    ErrorCell = "error_cell",
    /// A formula without the value that it had when the file was saved.
    FormulaWithoutValue = "formula_without_value",
    /// A cell that holds true or false where a number is expected.
    BooleanCell = "boolean_cell",
    /// A code that the spreadsheet holds as a number, so that its leading zeros are gone.
    CodeAsNumber = "code_as_number",
    /// One thing is said in two places, differently.
    Contradiction = "contradiction",
    /// Remarkable, not wrong: rows or columns that cannot be seen were read.
    HiddenCells = "hidden_cells",
    /// Remarkable, not wrong: a sheet that cannot be seen was not read.
    HiddenSheet = "hidden_sheet",
    /// A value in cells that are merged, so that it may be of one or of all.
    MergedValue = "merged_value",
    /// Remarkable, not wrong: totals of a form were not read, since they are worked out.
    TotalsPassedOver = "totals_passed_over",
    /// Remarkable, not wrong: a sheet that has no figures was not read.
    SheetPassedOver = "sheet_passed_over",
    // Checking a submission.
    /// A submission without figures.
    EmptySubmission = "empty_submission",
    /// More figures than one submission takes.
    TooManyFigures = "too_many_figures",
    /// Something that every figure, submission or row has is not there.
    MissingField = "missing_field",
    /// A text with more characters than are taken.
    TextTooLong = "text_too_long",
    /// A text with a control character.
    ControlCharacter = "control_character",
    /// A code that no unit ever carried.
    UnknownUnit = "unknown_unit",
    /// A code that no unit carries on the period's last day.
    UnitNotInForce = "unit_not_in_force",
    /// A unit below the level at which the indicator is collected.
    UnitBelowCollectionLevel = "unit_below_collection_level",
    /// A map date that is not a day.
    MalformedMapDate = "malformed_map_date",
    /// A map date on which the code is another unit than on the period's last day.
    MapDateMismatch = "map_date_mismatch",
    /// No such indicator.
    UnknownIndicator = "unknown_indicator",
    /// The period's last day is outside the indicator's validity.
    IndicatorNotInForce = "indicator_not_in_force",
    /// The map itself gives this indicator; nobody reports it.
    IndicatorFromMap = "indicator_from_map",
    /// A breakdown that is not `dimension=member` pairs.
    MalformedBreakdown = "malformed_breakdown",
    /// A dimension twice in one breakdown.
    DuplicateDimension = "duplicate_dimension",
    /// No such dimension.
    UnknownDimension = "unknown_dimension",
    /// A dimension that the indicator is not split by.
    DimensionNotOfIndicator = "dimension_not_of_indicator",
    /// No such member of the dimension.
    UnknownMember = "unknown_member",
    /// The breakdown does not say which side reports.
    MissingReporter = "missing_reporter",
    /// The breakdown names no member of a partition of the indicator.
    MissingMember = "missing_member",
    /// A side that does not report this indicator.
    ReporterNotAllowed = "reporter_not_allowed",
    /// Not a period.
    MalformedPeriod = "malformed_period",
    /// A year that no period has.
    YearOutOfRange = "year_out_of_range",
    /// A span whose last year is before its first.
    SpanEndsBeforeStart = "span_ends_before_start",
    /// A period shorter than the indicator's collection period.
    PeriodTooShort = "period_too_short",
    /// A period that the indicator's calendar does not define.
    PeriodNotInCalendar = "period_not_in_calendar",
    /// A day as the period of what happens over time.
    InstantForFlow = "instant_for_flow",
    /// Not a scope.
    UnknownScope = "unknown_scope",
    /// Scope territory for a unit that has nothing below it.
    TerritoryAtCollectionLevel = "territory_at_collection_level",
    /// A value that is not a plain decimal.
    NotANumber = "not_a_number",
    /// A value below zero.
    Negative = "negative",
    /// A fraction of what is counted whole.
    FractionForCount = "fraction_for_count",
    /// More decimals than the indicator has.
    TooManyDecimals = "too_many_decimals",
    /// A value larger than any figure can be.
    TooLarge = "too_large",
    /// Not a qualifier.
    UnknownQualifier = "unknown_qualifier",
    /// A qualifier on a figure without a value.
    QualifierWithoutValue = "qualifier_without_value",
    /// Neither a value, nor that there is none, nor a withdrawal.
    NoStatement = "no_statement",
    /// More than one of a value, that there is none, and a withdrawal.
    SeveralStatements = "several_statements",
    /// There is no value, and no reason is given.
    EmptyReason = "empty_reason",
    /// Two figures of one submission have the same key.
    DuplicateFigure = "duplicate_figure",
    /// A part that is larger than its whole.
    NumeratorAboveDenominator = "numerator_above_denominator",
    /// Values that a rule of plausibility says do not go together.
    Implausible = "implausible",
    /// No such programme.
    UnknownProgramme = "unknown_programme",
    /// Remarkable, not wrong: the indicator is not reported under this programme.
    ProgrammeNotOfIndicator = "programme_not_of_indicator",
    /// A figure of a period that is closed.
    PeriodClosed = "period_closed",
    /// The source of a submission is not the one that the key which sends it is for.
    SourceNotYours = "source_not_yours",
    /// A code that is none of a unit that the key which sends it holds for, in the period.
    OutsideYourUnits = "outside_your_units",
    /// A figure of a side that the key which sends it does not speak for.
    NotYourSide = "not_your_side",
    // Giving keys.
    /// Not a role.
    UnknownRole = "unknown_role",
    /// A key that has expired or was revoked.
    KeyDoesNotHold = "key_does_not_hold",
    /// There are more findings than are listed.
    MoreFindings = "more_findings",
    /// A number that says different things in different locales, and none is declared.
    NumberNeedsLocale = "number_needs_locale",
    /// A number that is written as in another locale than the declared one.
    NumberOfOtherLocale = "number_of_other_locale",
    /// A number whose thousands are not in threes.
    MalformedGrouping = "malformed_grouping",
    /// Words beside a number that say nothing of how exact it is.
    WordsBesideNumber = "words_beside_number",
    /// How exact a value is, said more than once and differently.
    SeveralQualifiers = "several_qualifiers",
    /// Digits of other scripts, or of full width.
    ForeignDigits = "foreign_digits",
    /// A percentage of what is counted.
    PercentForCount = "percent_for_count",
    /// Two numbers, so many of so many, for one.
    PartAndWhole = "part_and_whole",
    /// A name of several units or indicators.
    AmbiguousName = "ambiguous_name",
    // Asking for units and maps.
    /// No such reporting regime.
    UnknownRegime = "unknown_regime",
    /// Not a period that the regime is reported for.
    NotAPeriodOfRegime = "not_a_period_of_regime",
    /// Nothing that is done with reports.
    UnknownAct = "unknown_act",
    /// Something that does not go with what is to be done.
    NotOfThisAct = "not_of_this_act",
    /// Neither units nor a unit above them, or both.
    UnitsOrBelow = "units_or_below",
    /// More units than one request names.
    TooManyUnits = "too_many_units",
    /// A reason that is too long or cannot be read.
    MalformedReason = "malformed_reason",
    /// Not a time to come.
    MalformedTime = "malformed_time",
    /// A unit that does not report under the regime.
    NotAReporter = "not_a_reporter",
    /// No such state of a report.
    UnknownState = "unknown_state",
    /// A report that was handed in already.
    ReportNotOpen = "report_not_open",
    /// A report that was not handed in.
    ReportNotSubmitted = "report_not_submitted",
    /// A report that waits for no approval.
    NothingToApprove = "nothing_to_approve",
    /// Another level approves first.
    OthersApproveFirst = "others_approve_first",
    /// Something that another level does.
    NotOfThisLevel = "not_of_this_level",
    /// A period that is closed already.
    AlreadyClosed = "already_closed",
    /// A period that is not closed.
    NotClosed = "not_closed",
    /// No such level.
    UnknownLevel = "unknown_level",
    /// A day that should be the later one and is the earlier.
    DatesOutOfOrder = "dates_out_of_order",
    // Reading the registry's tables.
    /// A table that has no place in what is loaded.
    UnexpectedTable = "unexpected_table",
    /// A table that a registry cannot do without.
    MissingTable = "missing_table",
    /// A cell that is not a day.
    MalformedDate = "malformed_date",
    /// A cell that is not a share between 0 and 1.
    MalformedShare = "malformed_share",
    /// A cell that is not a whole number.
    NotAWholeNumber = "not_a_whole_number",
    /// A cell that is not a month and a day.
    MalformedMonthDay = "malformed_month_day",
    /// A cell that is not a level with a number of days.
    MalformedDeadline = "malformed_deadline",
    /// A calendar whose months start on another day than its year.
    MonthsStartElsewhere = "months_start_elsewhere",
    /// A row whose key another row of the table has.
    DuplicateRow = "duplicate_row",
}

/// Where something stands: a path in JSON and gRPC, a line and column in CSV; a table is named by the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The path.
    pub path: String,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column.
    pub column: String,
}

impl Spot {
    /// A place in a JSON document or a gRPC message; a path that someone made very long is cut.
    pub fn path(path: impl Into<String>) -> Spot {
        let path = path.into();
        let path = if path.is_empty() { path } else { shown(&path).into_owned() };
        Spot { path, ..Spot::default() }
    }

    /// A place in a text.
    pub fn line(line: u64, column: impl Into<String>) -> Spot {
        Spot { line: Some(u32::try_from(line).unwrap_or(u32::MAX)), column: column.into(), ..Spot::default() }
    }
}

/// A finding. What was read is cut where it is long, and its control characters are made visible.
pub fn finding(code: Code, spot: Spot, got: impl Into<Got>, expected: Text, hint: Text) -> Finding {
    let got = match got.into() {
        Got::Read(read) if read.is_empty() => empty(),
        Got::Read(read) => Text::same(shown(&read)),
        Got::Words(words) => words,
    };
    Finding {
        code: code.as_str().to_owned(),
        path: spot.path,
        line: spot.line,
        column: spot.column,
        got,
        expected,
        hint,
    }
}

/// The most characters of what was read that a finding shows.
const SHOWN: usize = 120;

fn empty() -> Text {
    Text::of("văn bản trống", "an empty text")
}

/// That one of several words is expected.
pub(crate) fn one_of(known: &[&str]) -> Text {
    let known = known.join(", ");
    Text::of(format!("một trong: {known}"), format!("one of {known}"))
}

/// That something near a known word was written.
pub(crate) fn did_you_mean(near: &[&str]) -> Text {
    Text::of(format!("có phải ý là {}?", near.join(" hoặc ")), format!("did you mean {}?", near.join(" or ")))
}

/// That there are characters that cannot be seen.
pub(crate) fn remove_unseen() -> Text {
    Text::of(
        "xóa dấu xuống dòng, dấu tab và các ký tự không nhìn thấy khác",
        "remove line breaks, tabs and other characters that cannot be seen",
    )
}

/// That a submission has more figures than are taken.
pub(crate) fn too_many_figures(got: Text, most: usize) -> Finding {
    let expected = Text::of(
        format!("nhiều nhất {most} số liệu trong một báo cáo"),
        format!("at most {most} figures in one submission"),
    );
    finding(Code::TooManyFigures, Spot::path("figures"), got, expected, in_several())
}

/// That a submission is better sent in parts.
pub(crate) fn in_several() -> Text {
    Text::of(
        "chia số liệu thành nhiều báo cáo, mỗi báo cáo có khóa chống trùng riêng",
        "send the figures in several submissions, each with an idempotency key of its own",
    )
}

/// Words of the core as a text.
pub(crate) fn text(words: Words) -> Text {
    Text::of(words.vi, words.en)
}

/// What was read, cut where it is long, and its control characters made visible.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.len() <= SHOWN && !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == SHOWN {
            out.push('…');
            break;
        }
        if is_control(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Whether a character has no place in a code or a text: it cannot be seen, or it reorders what can.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Findings in the order found: the first [`Findings::LISTED`] of them, and how many more there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    listed: Vec<Finding>,
    more: usize,
}

impl Findings {
    /// How many findings one answer lists.
    pub const LISTED: usize = 1_000;

    /// Adds a finding; past the limit it is counted and not made.
    pub fn add(&mut self, make: impl FnOnce() -> Finding) {
        if self.listed.len() < Findings::LISTED {
            self.listed.push(make());
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Those listed.
    pub fn listed(&self) -> &[Finding] {
        &self.listed
    }

    /// Those listed, and where there were more a last one that says how many.
    pub fn into_vec(self) -> Vec<Finding> {
        let mut all = self.listed;
        if self.more > 0 {
            all.push(finding(
                Code::MoreFindings,
                Spot::default(),
                Text::of(format!("còn {} phát hiện nữa", self.more), format!("{} more findings", self.more)),
                Text::of(
                    format!("nhiều nhất {} phát hiện trong một trả lời", Findings::LISTED),
                    format!("at most {} in one answer", Findings::LISTED),
                ),
                Text::of(
                    "sửa những gì đã nêu rồi gửi lại: phần còn lại sẽ được nêu tiếp",
                    "put right what is listed and send it again: the rest is then listed",
                ),
            ));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_snake_case_and_its_own() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(
                text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{text}"
            );
            assert!(seen.insert(text), "{text} is there twice");
        }
    }

    #[test]
    fn what_was_read_is_shown_cut_and_with_its_control_characters_visible() {
        let of =
            |got: &str| finding(Code::Negative, Spot::default(), got, Text::same("x"), Text::same("y")).got;
        assert_eq!(of(""), "an empty text");
        assert_eq!(of("-1"), "-1");
        assert_eq!(shown("a\u{0}b"), "a\\u{0}b");
        assert_eq!(shown(&"é".repeat(500)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn past_the_limit_findings_are_counted() {
        let mut findings = Findings::default();
        for _ in 0..Findings::LISTED + 7 {
            findings.add(|| finding(Code::Negative, Spot::default(), "-1", Text::same("x"), Text::same("y")));
        }
        let all = findings.into_vec();
        assert_eq!(all.len(), Findings::LISTED + 1);
        assert_eq!(all.last().unwrap().got, "7 more findings");
    }
}
