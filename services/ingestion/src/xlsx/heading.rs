//! The words by which a form is known: headings of columns, and labels before values.

use std::sync::LazyLock;

use tonghop_core::period::Period;
use tonghop_written::name::fold;

use crate::submission::Field;

/// What stands below a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heading {
    /// Indicators by code.
    IndicatorCode,
    /// Indicators by name.
    IndicatorName,
    /// A part of the row's figures.
    Part(Field),
    /// Nothing that is read: numbers of rows, units of measure, notes.
    Passed,
    /// Totals, which are worked out and not read.
    Total,
    /// Values, of the unit and period of the sheet.
    Value,
    /// Values of a period.
    Period(String),
    /// Values of a unit.
    Unit(String),
}

/// What a label before a value names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// A part of all figures of the sheet.
    Part(Field),
    /// The side that reports.
    Reporter,
    /// The locale in which texts are written.
    Locale,
}

type Words<T> = LazyLock<Vec<(String, T)>>;

fn folded<T: Clone>(words: &[(&[&str], T)]) -> Vec<(String, T)> {
    words.iter().flat_map(|(texts, what)| texts.iter().map(|text| (fold(text), what.clone()))).collect()
}

static HEADINGS: Words<Heading> = LazyLock::new(|| {
    folded(&[
        (&["mã chỉ tiêu", "indicator code"], Heading::IndicatorCode),
        (&["chỉ tiêu", "tên chỉ tiêu", "nội dung", "indicator", "indicator name"], Heading::IndicatorName),
        (&["phân tổ", "breakdown"], Heading::Part(Field::Breakdown)),
        (&["phạm vi", "scope"], Heading::Part(Field::Scope)),
        (&["mức độ", "qualifier"], Heading::Part(Field::Qualifier)),
        (
            &["lý do không có số liệu", "lý do", "not available because", "not_available_reason"],
            Heading::Part(Field::NotAvailable),
        ),
        (&["chương trình", "programme"], Heading::Part(Field::Programmes)),
        (
            &[
                "tt",
                "stt",
                "số tt",
                "no",
                "no.",
                "đơn vị tính",
                "đvt",
                "unit of measure",
                "ghi chú",
                "note",
                "notes",
            ],
            Heading::Passed,
        ),
        (&["tổng", "tổng số", "tổng cộng", "cộng", "total"], Heading::Total),
        (&["giá trị", "số liệu", "số lượng", "kết quả", "value"], Heading::Value),
    ])
});

static LABELS: Words<Label> = LazyLock::new(|| {
    folded(&[
        (
            &["đơn vị", "đơn vị báo cáo", "mã đơn vị", "unit", "reporting unit", "unit_code"],
            Label::Part(Field::Unit),
        ),
        (&["kỳ", "kỳ báo cáo", "period"], Label::Part(Field::Period)),
        (&["phạm vi", "scope"], Label::Part(Field::Scope)),
        (&["phân tổ", "breakdown"], Label::Part(Field::Breakdown)),
        (&["chương trình", "programme"], Label::Part(Field::Programmes)),
        (&["bên báo cáo", "reporter"], Label::Reporter),
        (&["locale"], Label::Locale),
    ])
});

/// The first line of a text: what comes below it says the same in another language.
pub(super) fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// What a heading says; nothing where it says nothing.
pub(super) fn heading(text: &str) -> Option<Heading> {
    let line = first_line(text);
    if line.is_empty() {
        return None;
    }
    let asked = fold(line);
    if let Some((_, heading)) = HEADINGS.iter().find(|(known, _)| *known == asked) {
        return Some(heading.clone());
    }
    Some(match period(line) {
        Some(period) => Heading::Period(period),
        None => Heading::Unit(line.to_owned()),
    })
}

/// Whether a row is of totals.
pub(super) fn is_total(text: &str) -> bool {
    heading(text) == Some(Heading::Total)
}

/// What a label names, and the value that stands in the same cell after a colon.
pub(super) fn label(text: &str) -> Option<(Label, Option<&str>)> {
    let line = first_line(text);
    let (name, value) = match line.split_once(':') {
        Some((name, value)) => (name, Some(value.trim()).filter(|value| !value.is_empty())),
        None => (line, None),
    };
    // "Đơn vị / Unit" names one thing in two languages.
    let name = name.split('/').next().unwrap_or_default();
    let asked = fold(name);
    LABELS.iter().find(|(known, _)| *known == asked).map(|(_, label)| (*label, value))
}

/// A period's written form, out of it or of what people write: Tháng 5/2024, Quý I năm 2024, 6 tháng đầu năm 2024.
/// Nothing where the text is no period.
pub(super) fn period(text: &str) -> Option<String> {
    if Period::parse(text).is_ok() {
        return Some(text.to_owned());
    }
    let words = fold(&text.replace(['/', '.', ','], " "));
    let year_word = fold("năm");
    let words: Vec<&str> = words.split(' ').filter(|word| *word != year_word).collect();
    let is = |word: &str, known: &str| word == fold(known);
    let year =
        |year: &str| (year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit())).then(|| year.to_owned());
    let written = match words.as_slice() {
        // "Năm 2024"
        [of] => year(of)?,
        [month, number, of] if is(month, "tháng") => {
            format!("{}-M{:0>2}", year(of)?, number.parse::<u8>().ok()?)
        }
        [quarter, number, of] if is(quarter, "quý") => {
            let number = match *number {
                "i" => "1",
                "ii" => "2",
                "iii" => "3",
                "iv" => "4",
                other => other,
            };
            format!("{}-Q{number}", year(of)?)
        }
        ["6", months, which, of] if is(months, "tháng") && is(which, "đầu") => {
            format!("{}-H1", year(of)?)
        }
        ["6", months, which, of] if is(months, "tháng") && is(which, "cuối") => {
            format!("{}-H2", year(of)?)
        }
        ["9", months, of] if is(months, "tháng") => format!("{}-9M", year(of)?),
        ["9", months, which, of] if is(months, "tháng") && is(which, "đầu") => {
            format!("{}-9M", year(of)?)
        }
        [from, to] => format!("{}..{}", year(from)?, year(to)?),
        _ => return None,
    };
    Period::parse(&written).is_ok().then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_known_in_their_written_form_and_in_words() {
        for (text, written) in [
            ("2024-M03", Some("2024-M03")),
            ("2013..2023", Some("2013..2023")),
            ("2024", Some("2024")),
            ("Năm 2024", Some("2024")),
            ("Tháng 5/2024", Some("2024-M05")),
            ("tháng 05 năm 2024", Some("2024-M05")),
            ("Tháng 13/2024", None),
            ("Quý I/2024", Some("2024-Q1")),
            ("Quý 4 năm 2024", Some("2024-Q4")),
            ("Quý V/2024", None),
            ("6 tháng đầu năm 2024", Some("2024-H1")),
            ("6 tháng cuối năm 2024", Some("2024-H2")),
            ("9 tháng năm 2024", Some("2024-9M")),
            ("2013 - 2023", Some("2013..2023")),
            ("Tỉnh Bắc Kạn", None),
            ("06", None),
            ("5/2024", None),
        ] {
            assert_eq!(period(text).as_deref(), written, "{text}");
        }
    }

    #[test]
    fn headings_and_labels_are_known_however_they_are_written() {
        assert_eq!(heading("Mã chỉ tiêu\nIndicator code"), Some(Heading::IndicatorCode));
        assert_eq!(heading("CHỈ TIÊU"), Some(Heading::IndicatorName));
        assert_eq!(heading("Ly\u{301} do"), Some(Heading::Part(Field::NotAvailable)));
        assert_eq!(heading("Tháng 5/2024"), Some(Heading::Period("2024-M05".to_owned())));
        assert_eq!(heading("Bắc Kạn"), Some(Heading::Unit("Bắc Kạn".to_owned())));
        assert_eq!(heading(" \n "), None);
        assert_eq!(label("Đơn vị:"), Some((Label::Part(Field::Unit), None)));
        assert_eq!(label("Đơn vị / Unit"), Some((Label::Part(Field::Unit), None)));
        assert_eq!(label("Kỳ báo cáo: Quý I/2024"), Some((Label::Part(Field::Period), Some("Quý I/2024"))));
        assert_eq!(label("Kính gửi:"), None);
    }
}
