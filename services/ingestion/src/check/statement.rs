//! What a figure says: a value with its qualifier, that there is none, or a withdrawal.

use tonghop_core::decimal::{DecimalError, parse_decimal};
use tonghop_core::figure::Statement;
use tonghop_core::indicator::Indicator;
use tonghop_core::quantity::Qualifier;

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
            raw.value.is_some().then_some("a value"),
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
                let expected = "exactly one of value, not_available and withdraw";
                if given.is_empty() {
                    let hint =
                        "give the value (zero is one), the reason why there is none, or withdraw the figure";
                    finding(Code::NoStatement, raw.place.whole(), "none of them", expected, hint)
                } else {
                    let hint = "keep the one that is meant";
                    finding(Code::SeveralStatements, raw.place.whole(), given.join(" and "), expected, hint)
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
                let hint = "leave the qualifier out: it says how a value is put, and there is none";
                let spot = raw.place.at(Field::Qualifier);
                finding(Code::QualifierWithoutValue, spot, got, "no qualifier, or exact", hint)
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
                    let hint = "say in a few words why there is no value";
                    finding(Code::EmptyReason, spot, reason.trim(), "a reason", hint)
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
                let hint = "trên, hơn, ít nhất: at_least; gần, dưới: at_most; khoảng, xấp xỉ: about";
                let expected = "exact, at_least, at_most or about";
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
        let unit = indicator.map_or("units", |i| &i.unit_en);
        self.findings.add(|| {
            let (code, expected, hint) = match error {
                DecimalError::NotANumber => (
                    Code::NotANumber,
                    "digits, with a point before decimals".to_owned(),
                    "write 37853, not 37.853, 37,853 or words; how the source put it is the qualifier's",
                ),
                DecimalError::Negative => (
                    Code::Negative,
                    "zero or more".to_owned(),
                    "a correction is a later submission with the right value, never a negative one",
                ),
                DecimalError::Fraction => (
                    Code::FractionForCount,
                    format!("a whole number: the indicator counts {unit}"),
                    "write all digits without a point: 37.853 with a point between thousands is 37853",
                ),
                DecimalError::TooManyDecimals => (
                    Code::TooManyDecimals,
                    format!("at most {decimals} decimals, in {unit}"),
                    "round as the report does; nothing is rounded here",
                ),
                DecimalError::TooLarge => (
                    Code::TooLarge,
                    "at most 999999999999999 in units of the last decimal".to_owned(),
                    "check the digits, and the unit of measure",
                ),
            };
            finding(code, raw.place.at(Field::Value), text, expected, hint)
        });
        None
    }
}
