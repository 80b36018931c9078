//! What a figure is about: its indicator, period and scope.

use tonghop_core::figure::Scope;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::{FIRST_YEAR, Grain, LAST_YEAR, Period, PeriodError};
use tonghop_core::question::frequency_name;
use tonghop_core::registry::Registry;

use super::nearest::nearest;
use super::{Checker, named};
use crate::finding::{Code, finding};
use crate::submission::{Field, Fields, RawFigure};

/// Indicators of a name, where names stand for codes.
fn named_indicators<'r>(by_name: bool, registry: &'r Registry, text: &str) -> Vec<&'r Indicator> {
    if by_name { named::indicators(registry, text) } else { vec![] }
}

impl<'r, 'a> Checker<'r, 'a> {
    /// A text that every figure has; nothing where it is missing, or a finding speaks of it already.
    pub(super) fn required(
        &mut self,
        raw: &RawFigure,
        bad: Fields,
        field: Field,
        text: &'a str,
        what: &str,
    ) -> Option<&'a str> {
        if bad.has(field) {
            return None;
        }
        if text.is_empty() {
            self.findings.add(|| {
                let hint = format!("add {what}");
                finding(Code::MissingField, raw.place.at(field), "nothing", what, hint)
            });
            return None;
        }
        Some(text)
    }

    pub(super) fn indicator(&mut self, raw: &'a RawFigure, bad: Fields) -> Option<&'r Indicator> {
        let text = self.required(raw, bad, Field::Indicator, &raw.indicator, "the code of an indicator")?;
        let registry = self.registry;
        let by_name = self.by_name;
        let known = *self.indicators.entry(text).or_insert_with(|| {
            registry.indicator(text).map(AsRef::as_ref).or_else(|| {
                match named_indicators(by_name, registry, text)[..] {
                    [one] => Some(one),
                    _ => None,
                }
            })
        });
        let spot = || raw.place.at(Field::Indicator);
        match known {
            Some(indicator) if !indicator.from_map => return Some(indicator),
            Some(_) => self.findings.add(|| {
                let hint = "leave it out: it is 1 for every unit in force, and nobody reports it";
                let expected = "an indicator that is reported";
                finding(Code::IndicatorFromMap, spot(), text, expected, hint)
            }),
            None => self.findings.add(|| {
                let fitting = named_indicators(by_name, registry, text);
                if fitting.len() > 1 {
                    let listed: Vec<_> =
                        fitting.iter().map(|i| format!("{} {}", i.code, i.name_vi)).collect();
                    return named::ambiguous(text, &listed, spot());
                }
                let codes = registry.indicators().iter().flat_map(|i| [i.code.as_str(), i.short_code()]);
                let hint = match nearest(text, codes).as_slice() {
                    [] => "look the code up in the list of indicators, GET /v1/indicators".to_owned(),
                    near => format!("did you mean {}?", near.join(" or ")),
                };
                let expected = "the code of an indicator, or its part before the first hyphen";
                finding(Code::UnknownIndicator, spot(), text, expected, hint)
            }),
        }
        None
    }

    /// The period as written.
    pub(super) fn period(&mut self, raw: &'a RawFigure, bad: Fields) -> Option<Period> {
        let text = self.required(raw, bad, Field::Period, &raw.period, "a period, as 2024-M03")?;
        let error = match self.periods.entry(text).or_insert_with(|| Period::parse(text)) {
            Ok(period) => return Some(*period),
            Err(error) => error.clone(),
        };
        self.findings.add(|| {
            let (code, expected, hint) = match error {
                PeriodError::Form => (
                    Code::MalformedPeriod,
                    "2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023, or a day as 2023-05-25"
                        .to_owned(),
                    "write the period in one of these forms",
                ),
                PeriodError::EndsBeforeStart => (
                    Code::SpanEndsBeforeStart,
                    "a span from its first to its last year, as 2013..2023".to_owned(),
                    "exchange the two years",
                ),
                PeriodError::Year => (
                    Code::YearOutOfRange,
                    format!("a year from {FIRST_YEAR} to {LAST_YEAR}"),
                    "check the year, four digits of the common era",
                ),
            };
            finding(code, raw.place.at(Field::Period), text, expected, hint)
        });
        None
    }

    /// The period where the indicator takes it.
    pub(super) fn period_of(
        &mut self,
        raw: &RawFigure,
        indicator: &Indicator,
        period: Period,
    ) -> Option<Period> {
        let grain = period.grain();
        if !indicator.takes(grain) {
            self.findings.add(|| {
                let code = &indicator.code;
                let calendar = &indicator.calendar;
                let every = frequency_name(indicator.frequency);
                let (kind, expected, hint) = if grain == Grain::Instant {
                    (
                        Code::InstantForFlow,
                        format!("a labelled period: {code} counts what happens over time"),
                        "name the month, quarter, half-year, year or span; a single day is for what there is",
                    )
                } else if calendar.year_only {
                    (
                        Code::PeriodNotInCalendar,
                        format!(
                            "a year or a span of years: calendar {} defines nothing shorter",
                            calendar.code
                        ),
                        "report the year, as 2024",
                    )
                } else {
                    (
                        Code::PeriodTooShort,
                        format!("a period no shorter than a {every}: {code} is collected by {every}"),
                        "add up what is shorter and report the longer period",
                    )
                };
                finding(kind, raw.place.at(Field::Period), period.to_string(), expected, hint)
            });
            return None;
        }
        if !indicator.in_force(period) {
            self.findings.add(|| {
                let last = indicator.calendar.last_day(period);
                let got = format!("{period}, which ends on {last}");
                let early = last < indicator.valid_from;
                let expected = match early {
                    true => format!("a period that ends on {} or later", indicator.valid_from),
                    false => format!("a period that ends before {}", indicator.valid_to),
                };
                let hint = "leave the figure out: outside its validity the indicator counts something else";
                finding(Code::IndicatorNotInForce, raw.place.at(Field::Period), got, expected, hint)
            });
            return None;
        }
        Some(period)
    }

    pub(super) fn scope(&mut self, raw: &'a RawFigure, bad: Fields) -> Option<Scope> {
        let text = self.required(raw, bad, Field::Scope, &raw.scope, "a scope, own or territory")?;
        let scope = Scope::from_code(text);
        if scope.is_none() {
            self.findings.add(|| {
                let hint =
                    "own is the unit's own activity; territory is what it declares for all below it, too";
                finding(Code::UnknownScope, raw.place.at(Field::Scope), text, "own or territory", hint)
            });
        }
        scope
    }
}
