//! Cells to texts and values; what cannot be either is a finding that names the cell.

use tonghop_runtime::{Finding, Text};
use tonghop_written::Locale;

use super::grid::{Grid, Number, Value};
use super::number_format::Shown;
use crate::finding::{Code, Findings, finding};
use crate::sheet_place::{Cell, Layout};
use crate::submission::Numbers;

/// A value as a cell has it.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) numbers: Numbers,
}

/// What a cell says as a value. Nothing, and no finding, where it is empty; `Err` where a finding says what is wrong.
pub(super) fn value(
    grid: &Grid<'_>,
    layout: &Layout,
    cell: Cell,
    locale: Option<Locale>,
    findings: &mut Findings,
) -> Result<Option<Said>, ()> {
    let Some(held) = grid.get(cell) else { return Ok(None) };
    match held {
        Value::Text(text) => {
            let (text, numbers) = (text.clone().into_owned(), Numbers::Written(locale));
            return Ok(Some(Said { text, numbers }));
        }
        Value::Number(number) => {
            if let Some(said) = of_number(number) {
                return Ok(Some(said));
            }
            findings.add(|| shown_otherwise(layout, cell, number));
        }
        other => findings.add(|| unusable(layout, cell, other)),
    }
    Err(())
}

/// What a cell says as a text. Numbers are texts as they are shown.
pub(super) fn text(
    grid: &Grid<'_>,
    layout: &Layout,
    cell: Cell,
    findings: &mut Findings,
) -> Result<Option<String>, ()> {
    match grid.get(cell) {
        None => Ok(None),
        Some(Value::Text(_) | Value::Number(_)) => Ok(grid.text(cell).map(std::borrow::Cow::into_owned)),
        Some(other) => {
            findings.add(|| unusable(layout, cell, other));
            Err(())
        }
    }
}

/// The code of a unit. A number has lost its leading zeros, unless the cell shows them.
pub(super) fn unit_code(
    grid: &Grid<'_>,
    layout: &Layout,
    cell: Cell,
    findings: &mut Findings,
) -> Result<Option<String>, ()> {
    if let Some(Value::Number(number)) = grid.get(cell)
        && !matches!(number.shown, Shown::Padded(_))
    {
        findings.add(|| code_as_number(layout, cell, number));
        return Err(());
    }
    text(grid, layout, cell, findings)
}

fn of_number(number: &Number) -> Option<Said> {
    let plain = |text: &str| Said { text: text.to_owned(), numbers: Numbers::Plain };
    match number.shown {
        Shown::AsHeld | Shown::Padded(_) => Some(plain(&number.held)),
        Shown::LikeThousands => Some(Said { text: number.held.clone(), numbers: Numbers::LikeThousands }),
        // A percentage holds its hundredth part.
        Shown::Percent => {
            let text = format!("{}%", times_hundred(&number.held));
            Some(Said { text, numbers: Numbers::Written(Some(Locale::English)) })
        }
        Shown::Otherwise => None,
    }
}

/// A plain decimal, its point two places further.
fn times_hundred(plain: &str) -> String {
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let fraction = format!("{fraction:0<2}");
    let (up, down) = fraction.split_at(2);
    let whole = format!("{whole}{up}");
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole.as_str()), |digits| ("-", digits));
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let point = if down.is_empty() { "" } else { "." };
    format!("{sign}{digits}{point}{down}")
}

fn unusable(layout: &Layout, cell: Cell, value: &Value<'_>) -> Finding {
    let spot = layout.spot(cell);
    let number = Text::of("một số", "a number");
    let again = |vietnamese: &str, english: &str| Text::of(vietnamese, english);
    match value {
        Value::Date(date) => finding(
            Code::DateCell,
            spot,
            date,
            Text::of("một số, không phải ngày hay giờ", "a number, and no date or time"),
            again(
                "bảng tính đã đổi giá trị gõ vào thành ngày (ví dụ 10/10): đặt định dạng ô là Văn bản rồi gõ lại số",
                "the spreadsheet made a date of what was typed (as 10/10): format the cell as text and type the number \
                 again",
            ),
        ),
        Value::Boolean(value) => finding(
            Code::BooleanCell,
            spot,
            if *value { "TRUE" } else { "FALSE" },
            number,
            again("ghi số thay cho đúng/sai", "write a number in place of true or false"),
        ),
        Value::Error(error) => finding(
            Code::ErrorCell,
            spot,
            error,
            number,
            again(
                "sửa công thức của ô, hoặc ghi thẳng giá trị",
                "correct the formula of the cell, or write the value itself",
            ),
        ),
        Value::Formula => finding(
            Code::FormulaWithoutValue,
            spot,
            "=…",
            Text::of("giá trị của công thức", "the value of the formula"),
            again(
                "mở tệp bằng Excel hoặc LibreOffice để tính lại, lưu rồi gửi lại",
                "open the file in Excel or LibreOffice, so that it is calculated, save it and send it again",
            ),
        ),
        Value::Text(text) => {
            finding(Code::NotANumber, spot, text.as_ref(), number, again("ghi số", "write a number"))
        }
        Value::Number(number) => shown_otherwise(layout, cell, number),
    }
}

fn shown_otherwise(layout: &Layout, cell: Cell, number: &Number) -> Finding {
    let got = format!("{} ({})", number.held, number.format);
    let expected = Text::of("ô hiển thị đúng số mà nó chứa", "a cell that shows the number it holds");
    let hint = Text::of(
        "ô chứa một số nhưng hiển thị số khác do định dạng: đặt định dạng General và kiểm tra lại số",
        "the cell holds one number and by its format shows another: set the format General, and check the number",
    );
    finding(Code::ShownOtherwise, layout.spot(cell), got, expected, hint)
}

fn code_as_number(layout: &Layout, cell: Cell, number: &Number) -> Finding {
    let expected = Text::of("mã đơn vị ở dạng văn bản, ví dụ 06", "the code of a unit as text, as 06");
    let hint = Text::of(
        "bảng tính đã bỏ các số 0 đứng đầu: đặt định dạng cột là Văn bản rồi gõ lại mã, hoặc ghi tên đơn vị",
        "the spreadsheet dropped leading zeros: format the column as text and type the code again, or write the name",
    );
    finding(Code::CodeAsNumber, layout.spot(cell), &number.held, expected, hint)
}

#[cfg(test)]
mod tests {
    use super::times_hundred;

    #[test]
    fn a_percentage_is_exact() {
        for (held, percent) in
            [("0.98", "98"), ("1", "100"), ("0.985", "98.5"), ("0", "0"), ("0.001", "0.1"), ("12.5", "1250")]
        {
            assert_eq!(times_hundred(held), percent);
        }
    }
}
