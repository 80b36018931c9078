//! What one submission says of several indicators has to hold together: a part is no larger than its whole, and what
//! the registry's rules of plausibility say.
//!
//! Compared is only what the submission says itself; what meets only in the ledger is the roll-up's to find.

use tonghop_core::decimal::{MAX_DECIMALS, format_decimal};
use tonghop_core::figure::{Figure, Statement};
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::plausibility::{Of, Rule, Severity, Together, Violation};
use tonghop_core::quantity::Qualifier;
use tonghop_core::registry::Registry;
use tonghop_runtime::{Finding, Text};

use crate::finding::{Code, Findings, finding};
use crate::submission::{Field, Place};

/// Figures of one submission that are compared with one another.
pub(super) type Parts<'r> = Together<'r, Place>;

/// Notes a figure that names no member of an overlapping dimension.
pub(super) fn note(parts: &mut Parts<'_>, figure: &Figure, place: &Place) {
    let value = match figure.statement {
        Statement::Value(value, qualifier) => Some((value, qualifier == Qualifier::Exact)),
        Statement::NotAvailable(_) => None,
        Statement::Withdrawn => return,
    };
    let roles = parts.roles(&figure.indicator, &figure.breakdown, false);
    parts.note(&roles, (figure.unit, figure.scope, figure.period), value, place);
}

/// Compares what was noted: contradictions are findings, and what is only unlikely is a warning.
pub(super) fn check(parts: Parts<'_>, registry: &Registry, findings: &mut Findings, warnings: &mut Findings) {
    for violation in parts.violations(registry) {
        match violation.of {
            Of::Ratio(ratio) => findings.add(|| part_above_whole(registry, ratio, &violation)),
            Of::Rule(rule) => {
                let into = match rule.severity {
                    Severity::Error => &mut *findings,
                    Severity::Warn => &mut *warnings,
                };
                into.add(|| implausible(registry, rule, &violation));
            }
        }
    }
}

fn part_above_whole(registry: &Registry, ratio: &Indicator, violation: &Violation<'_, Place>) -> Finding {
    let (numerator, denominator) = match &ratio.kind {
        Kind::Ratio(of) => (&of.numerator[..], &of.denominator[..]),
        Kind::Flow | Kind::Stock => (&[][..], &[][..]),
    };
    let (part, whole) = violation.terms.split_at(numerator.len().min(violation.terms.len()));
    let sum = |of: &[(i128, Option<Place>)]| shown(of.iter().map(|(value, _)| value).sum());
    let (n, d) = (names(registry, numerator), names(registry, denominator));
    let unit = &registry.unit(violation.unit).code;
    let (at, other) = (first(part), first(whole));
    let (part, whole) = (sum(part), sum(whole));
    let got = Text::of(format!("{n} = {part} của đơn vị {unit}"), format!("{n} = {part} for unit {unit}"));
    let expected = Text::of(
        format!("nhiều nhất {whole}, là {d} ({})", other.in_vietnamese()),
        format!("at most {whole}, which is {d} ({other})"),
    );
    let hint = Text::of(
        "bộ phận không lớn hơn tổng thể: sửa một trong hai số, hoặc gửi đủ số tổng thể",
        "a part is no larger than its whole: correct one of the two, or send the whole complete",
    );
    finding(Code::NumeratorAboveDenominator, at.at(Field::Value), got, expected, hint)
}

fn implausible(registry: &Registry, rule: &Rule, violation: &Violation<'_, Place>) -> Finding {
    let terms = rule.expression.terms.iter().zip(&violation.terms);
    let values: Vec<String> =
        terms.map(|(term, (value, _))| format!("{} = {}", term.indicator, shown(*value))).collect();
    let (values, unit) = (values.join(", "), &registry.unit(violation.unit).code);
    let got = Text::of(format!("{values} của đơn vị {unit}"), format!("{values} for unit {unit}"));
    let expected = Text::of(
        format!("{} (quy tắc {})", rule.written, rule.code),
        format!("{} (rule {})", rule.written, rule.code),
    );
    let hint = match rule.severity {
        Severity::Error => Text::of(
            "các số này mâu thuẫn với nhau: sửa số sai rồi gửi lại",
            "these numbers contradict one another: correct the one that is wrong and send it again",
        ),
        Severity::Warn => Text::of(
            "số liệu vẫn được nhận; hãy kiểm tra lại các số này, nếu sai thì gửi báo cáo sau với số đúng",
            "the figures are taken; look at these numbers again, and send a later submission where one is wrong",
        ),
    };
    finding(Code::Implausible, first(&violation.terms).at(Field::Value), got, expected, hint)
}

/// Where the first of some figures stands.
fn first(terms: &[(i128, Option<Place>)]) -> Place {
    terms.iter().find_map(|(_, place)| place.clone()).unwrap_or(Place::Item(0))
}

/// Codes of indicators, in full.
fn names(registry: &Registry, codes: &[String]) -> String {
    let full = |code: &String| registry.indicator(code).map_or(code.clone(), |i| i.code.clone());
    codes.iter().map(full).collect::<Vec<_>>().join(" + ")
}

/// A sum without decimals that say nothing.
fn shown(value: i128) -> String {
    let text = format_decimal(value, MAX_DECIMALS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
