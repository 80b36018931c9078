//! What can be wrong with what is given: the codes, where it stands, and how findings are gathered.
//!
//! A finding is written for the person who has to put it right: what was read, what was expected there, and
//! what to do. Its code is for programs and never changes.

use std::borrow::Cow;

use tonghop_core::words::Words;
use tonghop_runtime::{Finding, Got, Text};

macro_rules! codes {
    ($($(#[doc = $english:literal])+ $name:ident = $text:literal, $vietnamese:literal,)+) => {
        /// What kind of thing a finding is about. The text of a code never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $english])+ $name,)+
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

            /// What it means wherever it is found: what docs/findings.md says of it.
            pub fn meaning(self) -> Text {
                match self {
                    $(Code::$name => Text::of($vietnamese, concat!($($english),+).trim()),)+
                }
            }
        }
    };
}

codes! {
    // Reading a document.
    /// The document has more bytes than are taken.
    DocumentTooLarge = "document_too_large", "Tài liệu có nhiều byte hơn mức được nhận.",
    /// Bytes that are not UTF-8.
    NotUtf8 = "not_utf8", "Có byte không phải UTF-8.",
    /// Not JSON, from this line and column on.
    MalformedJson = "malformed_json", "Không phải JSON, kể từ dòng và cột này.",
    /// The document ends before it is complete.
    TruncatedJson = "truncated_json", "Tài liệu bị cắt trước khi hết.",
    /// Arrays and objects within one another deeper than a submission ever is.
    TooDeep = "too_deep", "Mảng và đối tượng lồng nhau sâu hơn mức một báo cáo có thể có.",
    /// A JSON value of another type than the key takes.
    WrongType = "wrong_type", "Giá trị JSON không đúng kiểu của khóa này.",
    /// A key twice in one JSON object.
    DuplicateKey = "duplicate_key", "Một khóa xuất hiện hai lần trong một đối tượng JSON.",
    /// A key that a submission does not have.
    UnknownKey = "unknown_key", "Khóa mà báo cáo không có.",
    /// A value given as a JSON number with a fraction or an exponent.
    FractionAsJsonNumber = "fraction_as_json_number", "Giá trị được ghi bằng số JSON có phần thập phân hoặc số mũ.",
    /// A CSV document without a first line.
    MissingHeader = "missing_header", "Tài liệu CSV không có dòng đầu.",
    /// A column that has to be there.
    MissingColumn = "missing_column", "Thiếu một cột bắt buộc.",
    /// A column that is there twice.
    DuplicateColumn = "duplicate_column", "Một cột xuất hiện hai lần.",
    /// A CSV line with more or fewer cells than the header.
    WrongLength = "wrong_length", "Dòng CSV có số ô nhiều hơn hoặc ít hơn dòng tiêu đề.",
    /// A quotation mark that opens a CSV cell and is never closed.
    UnclosedQuote = "unclosed_quote", "Dấu ngoặc kép mở một ô CSV mà không được đóng.",
    /// Text after the quotation mark that closes a CSV cell.
    StrayQuote = "stray_quote", "Có chữ sau dấu ngoặc kép đóng một ô CSV.",
    /// A cell that is neither true nor false.
    NotTrueOrFalse = "not_true_or_false", "Ô không phải là đúng hay sai.",
    /// A locale that is not known.
    UnknownLocale = "unknown_locale", "Không biết cách viết số này.",
    /// A document of another encoding than UTF-8, by its first bytes.
    OtherEncoding = "other_encoding", "Tài liệu dùng bảng mã khác UTF-8, theo các byte đầu.",
    /// Bytes that are not the archive of a spreadsheet, or one of another format.
    NotASpreadsheet = "not_a_spreadsheet", "Các byte không phải tệp nén của một bảng tính, hoặc thuộc định dạng khác.",
    /// A spreadsheet that cannot be opened without a password.
    EncryptedSpreadsheet = "encrypted_spreadsheet", "Bảng tính không mở được nếu không có mật khẩu.",
    /// A spreadsheet with a part that is not what it should be.
    BrokenSpreadsheet = "broken_spreadsheet", "Bảng tính có một phần không đúng như phải có.",
    /// More of something in a spreadsheet than is taken: bytes, parts, sheets, cells, texts.
    SpreadsheetTooLarge = "spreadsheet_too_large", "Bảng tính có nhiều hơn mức được nhận: byte, phần, trang, ô, văn bản.",
    /// A sheet without a row of headings that is known.
    NoTable = "no_table", "Trang tính không có hàng tiêu đề nào nhận ra được.",
    /// A heading above values that is none of a unit or a period.
    UnknownHeading = "unknown_heading", "Tiêu đề trên cột giá trị không phải của đơn vị hay kỳ nào.",
    /// A cell that holds a date or a time where a number is expected.
    DateCell = "date_cell", "Ô chứa ngày hoặc giờ ở chỗ cần một số.",
    /// A cell that shows another number than it holds.
    ShownOtherwise = "shown_otherwise", "Ô hiển thị số khác với số mà nó chứa.",
    /// A cell that holds an error, as #REF!.
    ErrorCell = "error_cell", "Ô chứa lỗi, như #REF!.",
    /// A formula without the value that it had when the file was saved.
    FormulaWithoutValue = "formula_without_value", "Công thức không có giá trị tại lúc lưu tệp.",
    /// A cell that holds true or false where a number is expected.
    BooleanCell = "boolean_cell", "Ô chứa đúng hoặc sai ở chỗ cần một số.",
    /// A code that the spreadsheet holds as a number, so that its leading zeros are gone.
    CodeAsNumber = "code_as_number", "Mã được bảng tính giữ như một số, nên mất các số 0 ở đầu.",
    /// One thing is said in two places, differently.
    Contradiction = "contradiction", "Một điều được nói ở hai chỗ, khác nhau.",
    /// Remarkable, not wrong: rows or columns that cannot be seen were read.
    HiddenCells = "hidden_cells", "Đáng chú ý, không sai: đã đọc các hàng hoặc cột bị ẩn.",
    /// Remarkable, not wrong: a sheet that cannot be seen was not read.
    HiddenSheet = "hidden_sheet", "Đáng chú ý, không sai: không đọc một trang tính bị ẩn.",
    /// A value in cells that are merged, so that it may be of one or of all.
    MergedValue = "merged_value", "Giá trị nằm trong các ô đã gộp, nên có thể là của một ô hoặc của tất cả.",
    /// Remarkable, not wrong: totals of a form were not read, since they are worked out.
    TotalsPassedOver = "totals_passed_over", "Đáng chú ý, không sai: không đọc các dòng tổng của biểu mẫu, vì chúng được tính ra.",
    /// Remarkable, not wrong: a sheet that has no figures was not read.
    SheetPassedOver = "sheet_passed_over", "Đáng chú ý, không sai: không đọc một trang tính không có số liệu.",
    // Checking a submission.
    /// A submission without figures.
    EmptySubmission = "empty_submission", "Báo cáo không có số liệu nào.",
    /// More figures than one submission takes.
    TooManyFigures = "too_many_figures", "Nhiều số liệu hơn mức một báo cáo được có.",
    /// Something that every figure, submission or row has is not there.
    MissingField = "missing_field", "Thiếu một điều mà mọi số liệu, báo cáo hoặc dòng phải có.",
    /// A text with more characters than are taken.
    TextTooLong = "text_too_long", "Văn bản có nhiều ký tự hơn mức được nhận.",
    /// A text with a control character.
    ControlCharacter = "control_character", "Văn bản có ký tự điều khiển.",
    /// A code that no unit ever carried.
    UnknownUnit = "unknown_unit", "Mã chưa từng là của đơn vị nào.",
    /// A code that no unit carries on the period's last day.
    UnitNotInForce = "unit_not_in_force", "Mã không là của đơn vị nào vào ngày cuối kỳ.",
    /// A unit below the level at which the indicator is collected.
    UnitBelowCollectionLevel = "unit_below_collection_level", "Đơn vị ở dưới cấp thu thập của chỉ tiêu.",
    /// A map date that is not a day.
    MalformedMapDate = "malformed_map_date", "Ngày bản đồ không phải là một ngày.",
    /// A map date on which the code is another unit than on the period's last day.
    MapDateMismatch = "map_date_mismatch", "Vào ngày bản đồ này mã là của đơn vị khác với ngày cuối kỳ.",
    /// No such indicator.
    UnknownIndicator = "unknown_indicator", "Không có chỉ tiêu này.",
    /// The period's last day is outside the indicator's validity.
    IndicatorNotInForce = "indicator_not_in_force", "Ngày cuối kỳ nằm ngoài thời gian hiệu lực của chỉ tiêu.",
    /// The map itself gives this indicator; nobody reports it.
    IndicatorFromMap = "indicator_from_map", "Chỉ tiêu này lấy từ chính bản đồ; không ai báo cáo.",
    /// A breakdown that is not `dimension=member` pairs.
    MalformedBreakdown = "malformed_breakdown", "Phân tổ không phải là các cặp `dimension=member`.",
    /// A dimension twice in one breakdown.
    DuplicateDimension = "duplicate_dimension", "Một chiều phân tổ xuất hiện hai lần.",
    /// No such dimension.
    UnknownDimension = "unknown_dimension", "Không có chiều phân tổ này.",
    /// A dimension that the indicator is not split by.
    DimensionNotOfIndicator = "dimension_not_of_indicator", "Chỉ tiêu không phân tổ theo chiều này.",
    /// No such member of the dimension.
    UnknownMember = "unknown_member", "Chiều phân tổ không có thành phần này.",
    /// The breakdown does not say which side reports.
    MissingReporter = "missing_reporter", "Phân tổ không nói bên nào báo cáo.",
    /// The breakdown names no member of a partition of the indicator.
    MissingMember = "missing_member", "Phân tổ không nêu thành phần của một cách chia của chỉ tiêu.",
    /// A side that does not report this indicator.
    ReporterNotAllowed = "reporter_not_allowed", "Bên này không báo cáo chỉ tiêu này.",
    /// Not a period.
    MalformedPeriod = "malformed_period", "Không phải là một kỳ.",
    /// A year that no period has.
    YearOutOfRange = "year_out_of_range", "Năm mà không kỳ nào có.",
    /// A span whose last year is before its first.
    SpanEndsBeforeStart = "span_ends_before_start", "Khoảng năm có năm cuối trước năm đầu.",
    /// A period shorter than the indicator's collection period.
    PeriodTooShort = "period_too_short", "Kỳ ngắn hơn kỳ thu thập của chỉ tiêu.",
    /// A period that the indicator's calendar does not define.
    PeriodNotInCalendar = "period_not_in_calendar", "Lịch của chỉ tiêu không có kỳ này.",
    /// A day as the period of what happens over time.
    InstantForFlow = "instant_for_flow", "Một ngày được ghi làm kỳ của điều diễn ra theo thời gian.",
    /// Not a scope.
    UnknownScope = "unknown_scope", "Không phải là một phạm vi.",
    /// Scope territory for a unit that has nothing below it.
    TerritoryAtCollectionLevel = "territory_at_collection_level", "Phạm vi territory cho đơn vị không có đơn vị nào bên dưới.",
    /// A value that is not a plain decimal.
    NotANumber = "not_a_number", "Giá trị không phải là số thập phân viết thường.",
    /// A value below zero.
    Negative = "negative", "Giá trị nhỏ hơn 0.",
    /// A fraction of what is counted whole.
    FractionForCount = "fraction_for_count", "Số lẻ cho điều được đếm nguyên.",
    /// More decimals than the indicator has.
    TooManyDecimals = "too_many_decimals", "Nhiều chữ số thập phân hơn chỉ tiêu có.",
    /// A value larger than any figure can be.
    TooLarge = "too_large", "Giá trị lớn hơn mức một số liệu có thể có.",
    /// Not a qualifier.
    UnknownQualifier = "unknown_qualifier", "Không phải là một mức độ chính xác.",
    /// A qualifier on a figure without a value.
    QualifierWithoutValue = "qualifier_without_value", "Mức độ chính xác đi với số liệu không có giá trị.",
    /// Neither a value, nor that there is none, nor a withdrawal.
    NoStatement = "no_statement", "Không có giá trị, không nói là không có số liệu, cũng không rút lại.",
    /// More than one of a value, that there is none, and a withdrawal.
    SeveralStatements = "several_statements", "Nhiều hơn một trong: giá trị, không có số liệu, rút lại.",
    /// There is no value, and no reason is given.
    EmptyReason = "empty_reason", "Không có giá trị mà không nêu lý do.",
    /// Two figures of one submission have the same key.
    DuplicateFigure = "duplicate_figure", "Hai số liệu của một báo cáo có cùng khóa.",
    /// A part that is larger than its whole.
    NumeratorAboveDenominator = "numerator_above_denominator", "Phần lớn hơn toàn bộ.",
    /// Values that a rule of plausibility says do not go together.
    Implausible = "implausible", "Các giá trị không khớp nhau theo một quy tắc hợp lý.",
    /// No such programme.
    UnknownProgramme = "unknown_programme", "Không có chương trình này.",
    /// Remarkable, not wrong: the indicator is not reported under this programme.
    ProgrammeNotOfIndicator = "programme_not_of_indicator", "Đáng chú ý, không sai: chỉ tiêu không được báo cáo theo chương trình này.",
    /// A figure of a period that is closed.
    PeriodClosed = "period_closed", "Số liệu của một kỳ đã khóa sổ.",
    /// The source of a submission is not the one that the key which sends it is for.
    SourceNotYours = "source_not_yours", "Nguồn của báo cáo không phải là nguồn của khóa gửi báo cáo.",
    /// A code that is none of a unit that the key which sends it holds for, in the period.
    OutsideYourUnits = "outside_your_units", "Mã không phải của đơn vị mà khóa gửi có hiệu lực, trong kỳ này.",
    /// A figure of a side that the key which sends it does not speak for.
    NotYourSide = "not_your_side", "Số liệu của bên mà khóa gửi không báo cáo cho.",
    // Giving keys.
    /// Not a role.
    UnknownRole = "unknown_role", "Không phải là một vai trò.",
    /// A key that has expired or was revoked.
    KeyDoesNotHold = "key_does_not_hold", "Khóa đã hết hạn hoặc đã bị thu hồi.",
    /// There are more findings than are listed.
    MoreFindings = "more_findings", "Có nhiều phát hiện hơn số được nêu.",
    /// A number that says different things in different locales, and none is declared.
    NumberNeedsLocale = "number_needs_locale", "Số có nghĩa khác nhau theo cách viết số, mà không khai cách viết nào.",
    /// A number that is written as in another locale than the declared one.
    NumberOfOtherLocale = "number_of_other_locale", "Số được viết theo cách khác với cách đã khai.",
    /// A number whose thousands are not in threes.
    MalformedGrouping = "malformed_grouping", "Số có nhóm hàng nghìn không đủ ba chữ số.",
    /// Words beside a number that say nothing of how exact it is.
    WordsBesideNumber = "words_beside_number", "Chữ bên cạnh số không nói gì về mức độ chính xác.",
    /// How exact a value is, said more than once and differently.
    SeveralQualifiers = "several_qualifiers", "Mức độ chính xác được nói nhiều lần, khác nhau.",
    /// Digits of other scripts, or of full width.
    ForeignDigits = "foreign_digits", "Chữ số của hệ chữ khác, hoặc chữ số toàn khổ.",
    /// A percentage of what is counted.
    PercentForCount = "percent_for_count", "Tỷ lệ phần trăm của điều được đếm.",
    /// Two numbers, so many of so many, for one.
    PartAndWhole = "part_and_whole", "Hai số, bao nhiêu trên bao nhiêu, ở chỗ của một số.",
    /// A name of several units or indicators.
    AmbiguousName = "ambiguous_name", "Tên của nhiều đơn vị hoặc nhiều chỉ tiêu.",
    // Asking for units and maps.
    /// No such reporting regime.
    UnknownRegime = "unknown_regime", "Không có chế độ báo cáo này.",
    /// Not a period that the regime is reported for.
    NotAPeriodOfRegime = "not_a_period_of_regime", "Không phải kỳ báo cáo của chế độ này.",
    /// Nothing that is done with reports.
    UnknownAct = "unknown_act", "Không phải là việc làm với báo cáo.",
    /// Something that does not go with what is to be done.
    NotOfThisAct = "not_of_this_act", "Điều không đi với việc cần làm.",
    /// Neither units nor a unit above them, or both.
    UnitsOrBelow = "units_or_below", "Không nêu đơn vị cũng không nêu đơn vị cấp trên, hoặc nêu cả hai.",
    /// More units than one request names.
    TooManyUnits = "too_many_units", "Nhiều đơn vị hơn mức một yêu cầu được nêu.",
    /// A reason that is too long or cannot be read.
    MalformedReason = "malformed_reason", "Lý do quá dài hoặc không đọc được.",
    /// Not a time to come.
    MalformedTime = "malformed_time", "Không phải là một thời điểm sắp tới.",
    /// A unit that does not report under the regime.
    NotAReporter = "not_a_reporter", "Đơn vị không báo cáo theo chế độ này.",
    /// No such state of a report.
    UnknownState = "unknown_state", "Báo cáo không có trạng thái này.",
    /// A report that was handed in already.
    ReportNotOpen = "report_not_open", "Báo cáo đã được gửi rồi.",
    /// A report that was not handed in.
    ReportNotSubmitted = "report_not_submitted", "Báo cáo chưa được gửi.",
    /// A report that waits for no approval.
    NothingToApprove = "nothing_to_approve", "Báo cáo không chờ ai duyệt.",
    /// Another level approves first.
    OthersApproveFirst = "others_approve_first", "Cấp khác duyệt trước.",
    /// Something that another level does.
    NotOfThisLevel = "not_of_this_level", "Việc của một cấp khác.",
    /// A period that is closed already.
    AlreadyClosed = "already_closed", "Kỳ đã khóa sổ rồi.",
    /// A period that is not closed.
    NotClosed = "not_closed", "Kỳ chưa khóa sổ.",
    /// No such level.
    UnknownLevel = "unknown_level", "Không có cấp này.",
    /// A day that should be the later one and is the earlier.
    DatesOutOfOrder = "dates_out_of_order", "Ngày đáng lẽ sau lại ở trước.",
    // Reading the registry's tables.
    /// A table that has no place in what is loaded.
    UnexpectedTable = "unexpected_table", "Bảng không có chỗ trong những gì được nạp.",
    /// A table that a registry cannot do without.
    MissingTable = "missing_table", "Thiếu một bảng mà danh mục không thể thiếu.",
    /// A cell that is not a day.
    MalformedDate = "malformed_date", "Ô không phải là một ngày.",
    /// A cell that is not a share between 0 and 1.
    MalformedShare = "malformed_share", "Ô không phải là một tỷ phần từ 0 đến 1.",
    /// A cell that is not a whole number.
    NotAWholeNumber = "not_a_whole_number", "Ô không phải là số nguyên.",
    /// A cell that is not a month and a day.
    MalformedMonthDay = "malformed_month_day", "Ô không phải là tháng và ngày.",
    /// A cell that is not a level with a number of days.
    MalformedDeadline = "malformed_deadline", "Ô không phải là một cấp cùng số ngày.",
    /// A calendar whose months start on another day than its year.
    MonthsStartElsewhere = "months_start_elsewhere", "Lịch có tháng bắt đầu vào ngày khác với năm.",
    /// A row whose key another row of the table has.
    DuplicateRow = "duplicate_row", "Dòng có khóa mà dòng khác của bảng đã có.",
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
