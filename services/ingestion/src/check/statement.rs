//! What a figure says: a value with its qualifier, that there is none, or a withdrawal.

use tonghop_core::decimal::{DecimalError, parse_decimal};
use tonghop_core::figure::Statement;
use tonghop_core::indicator::Indicator;
use tonghop_core::quantity::Qualifier;
use tonghop_runtime::Text;

use super::Checker;
use crate::finding::{Code, finding};
use crate::submission::{Field, Fields, RawFigure};

impl Checker<'_, '_> {
    /// The statement; nothing where it is not exactly one, or its value is none of the indicator.
    pub(super) fn statement(
        &mut self,
        raw: &RawFigure,
        bad: Fields,
        indicator: Option<&Indicator>,
    ) -> Option<Statement> {
        let qualifier = self.qualifier(raw, bad);
        let given: Vec<&str> = [
            raw.value.is_some().then_some("value"),
            raw.not_available.is_some().then_some("not_available"),
            raw.withdraw.then_some("withdraw"),
        ]
        .into_iter()
        .flatten()
        .collect();
        // What was given and could not be read may be the one that is meant.
        let unreadable = [Field::Value, Field::NotAvailable, Field::Withdraw].into_iter().any(|f| bad.has(f));
        if given.len() > 1 || (given.is_empty() && !unreadable) {
            self.findings.add(|| {
                let expected = Text::of(
                    "đúng một trong ba: value, not_available, withdraw",
                    "exactly one of value, not_available and withdraw",
                );
                if given.is_empty() {
                    let got = Text::of("không có mục nào trong đó", "none of them");
                    let hint = Text::of(
                        "ghi giá trị (số 0 cũng là giá trị), hoặc lý do không có giá trị, hoặc rút số liệu",
                        "give the value (zero is one), the reason why there is none, or withdraw the figure",
                    );
                    finding(Code::NoStatement, raw.place.whole(), got, expected, hint)
                } else {
                    let got = Text::of(given.join(" và "), given.join(" and "));
                    let hint = Text::of("chỉ giữ mục cần dùng", "keep the one that is meant");
                    finding(Code::SeveralStatements, raw.place.whole(), got, expected, hint)
                }
            });
            return None;
        }
        if unreadable {
            return None;
        }
        if raw.value.is_none() && qualifier.is_some_and(|q| q != Qualifier::Exact) {
            self.findings.add(|| {
                let got = raw.qualifier.as_deref().unwrap_or_default();
                let expected = Text::of("bỏ trống qualifier, hoặc exact", "no qualifier, or exact");
                let hint = Text::of(
                    "bỏ trống qualifier: qualifier cho biết giá trị được nêu thế nào, mà ở đây không có giá trị",
                    "leave the qualifier out: it says how a value is put, and there is none",
                );
                finding(Code::QualifierWithoutValue, raw.place.at(Field::Qualifier), got, expected, hint)
            });
            return None;
        }
        if raw.withdraw {
            return qualifier.map(|_| Statement::Withdrawn);
        }
        if let Some(reason) = &raw.not_available {
            if reason.trim().is_empty() {
                self.findings.add(|| {
                    let spot = raw.place.at(Field::NotAvailable);
                    let hint = Text::of(
                        "nêu ngắn gọn vì sao không có giá trị",
                        "say in a few words why there is no value",
                    );
                    finding(Code::EmptyReason, spot, reason.trim(), Text::of("lý do", "a reason"), hint)
                });
                return None;
            }
            return qualifier.map(|_| Statement::NotAvailable(reason.clone()));
        }
        let (plain, in_words) = self.as_written(raw, raw.value.as_deref()?, indicator)?;
        let value = self.value(raw, &plain, indicator)?;
        let qualifier = self.put(raw, qualifier?, in_words)?;
        Some(Statement::Value(value, qualifier))
    }

    fn qualifier(&mut self, raw: &RawFigure, bad: Fields) -> Option<Qualifier> {
        if bad.has(Field::Qualifier) {
            return None;
        }
        let text = raw.qualifier.as_deref().unwrap_or_default();
        if text.is_empty() {
            return Some(Qualifier::Exact);
        }
        let known = Qualifier::from_code(text);
        if known.is_none() {
            self.findings.add(|| {
                let hint = Text::of(
                    "trên, hơn, ít nhất: at_least; gần, dưới: at_most; khoảng, xấp xỉ: about",
                    "over (trên, hơn, ít nhất): at_least; under (gần, dưới): at_most; around (khoảng, xấp xỉ): about",
                );
                let expected =
                    Text::of("exact, at_least, at_most hoặc about", "exact, at_least, at_most or about");
                finding(Code::UnknownQualifier, raw.place.at(Field::Qualifier), text, expected, hint)
            });
        }
        known
    }

    /// A value in units of the indicator's last decimal. Of an unknown indicator only the form is looked at.
    fn value(&mut self, raw: &RawFigure, text: &str, indicator: Option<&Indicator>) -> Option<i64> {
        let decimals = indicator.map_or(tonghop_core::decimal::MAX_DECIMALS, |i| i.decimals);
        let error = match parse_decimal(text, decimals) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let (unit_vi, unit_en) = indicator.map_or(("đơn vị", "units"), |i| (&i.unit_vi, &i.unit_en));
        self.findings.add(|| {
            let (code, expected, hint) = match error {
                DecimalError::NotANumber => (
                    Code::NotANumber,
                    Text::of(
                        "chữ số, với dấu chấm trước phần thập phân",
                        "digits, with a point before decimals",
                    ),
                    Text::of(
                        "ghi 37853, không ghi 37.853, 37,853 hay bằng chữ; mức độ mà nguồn nêu thì ghi ở qualifier",
                        "write 37853, not 37.853, 37,853 or words; how the source put it is the qualifier's",
                    ),
                ),
                DecimalError::Negative => (
                    Code::Negative,
                    Text::of("số 0 hoặc lớn hơn", "zero or more"),
                    Text::of(
                        "muốn đính chính thì gửi báo cáo sau với giá trị đúng, không dùng số âm",
                        "a correction is a later submission with the right value, never a negative one",
                    ),
                ),
                DecimalError::Fraction => (
                    Code::FractionForCount,
                    Text::of(
                        format!("số nguyên: chỉ tiêu tính theo {unit_vi}"),
                        format!("a whole number: the indicator counts {unit_en}"),
                    ),
                    Text::of(
                        "ghi đủ chữ số, không có dấu chấm: 37.853 với dấu chấm phân cách hàng nghìn là 37853",
                        "write all digits without a point: 37.853 with a point between thousands is 37853",
                    ),
                ),
                DecimalError::TooManyDecimals => (
                    Code::TooManyDecimals,
                    Text::of(
                        format!("nhiều nhất {decimals} chữ số thập phân, tính theo {unit_vi}"),
                        format!("at most {decimals} decimals, in {unit_en}"),
                    ),
                    Text::of(
                        "làm tròn như trong báo cáo; hệ thống không làm tròn",
                        "round as the report does; nothing is rounded here",
                    ),
                ),
                DecimalError::TooLarge => (
                    Code::TooLarge,
                    Text::of(
                        "nhiều nhất 999999999999999 tính theo chữ số thập phân cuối",
                        "at most 999999999999999 in units of the last decimal",
                    ),
                    Text::of(
                        "kiểm tra các chữ số và đơn vị tính",
                        "check the digits, and the unit of measure",
                    ),
                ),
            };
            let got = raw.value.as_deref().unwrap_or(text);
            finding(code, raw.place.at(Field::Value), got, expected, hint)
        });
        None
    }
}
