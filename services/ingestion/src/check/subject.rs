//! What a figure is about: its indicator, period and scope.

use tonghop_core::figure::Scope;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::{FIRST_YEAR, Grain, LAST_YEAR, Period, PeriodError};
use tonghop_core::question::{frequency_in_vietnamese, frequency_name};
use tonghop_core::registry::Registry;
use tonghop_runtime::{Got, Language, Text};

use super::nearest::nearest;
use super::{Checker, named};
use crate::finding::{Code, did_you_mean, finding};
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
        what: fn() -> Text,
    ) -> Option<&'a str> {
        if bad.has(field) {
            return None;
        }
        if text.is_empty() {
            self.findings.add(|| {
                let what = what();
                let hint = Text::of(
                    format!("thêm {}", what.in_language(Language::Vietnamese)),
                    format!("add {}", what.in_language(Language::English)),
                );
                finding(Code::MissingField, raw.place.at(field), Got::nothing(), what, hint)
            });
            return None;
        }
        Some(text)
    }

    pub(super) fn indicator(&mut self, raw: &'a RawFigure, bad: Fields) -> Option<&'r Indicator> {
        let what = || Text::of("mã của một chỉ tiêu", "the code of an indicator");
        let text = self.required(raw, bad, Field::Indicator, &raw.indicator, what)?;
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
                let hint = Text::of(
                    "bỏ đi: chỉ tiêu này là 1 cho mỗi đơn vị có hiệu lực, không ai báo cáo",
                    "leave it out: it is 1 for every unit in force, and nobody reports it",
                );
                let expected = Text::of("một chỉ tiêu có báo cáo", "an indicator that is reported");
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
                    [] => Text::of(
                        "tra mã trong danh sách chỉ tiêu, GET /v1/indicators",
                        "look the code up in the list of indicators, GET /v1/indicators",
                    ),
                    near => did_you_mean(near),
                };
                let expected = Text::of(
                    "mã của một chỉ tiêu, hoặc phần mã trước dấu gạch nối đầu tiên",
                    "the code of an indicator, or its part before the first hyphen",
                );
                finding(Code::UnknownIndicator, spot(), text, expected, hint)
            }),
        }
        None
    }

    /// The period as written.
    pub(super) fn period(&mut self, raw: &'a RawFigure, bad: Fields) -> Option<Period> {
        let what = || Text::of("kỳ báo cáo, ví dụ 2024-M03", "a period, as 2024-M03");
        let text = self.required(raw, bad, Field::Period, &raw.period, what)?;
        let error = match self.periods.entry(text).or_insert_with(|| Period::parse(text)) {
            Ok(period) => return Some(*period),
            Err(error) => error.clone(),
        };
        self.findings.add(|| {
            let (code, expected, hint) = match error {
                PeriodError::Form => (
                    Code::MalformedPeriod,
                    Text::of(
                        "2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023, hoặc một ngày như 2023-05-25",
                        "2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023, or a day as 2023-05-25",
                    ),
                    Text::of(
                        "ghi kỳ báo cáo theo một trong các dạng này",
                        "write the period in one of these forms",
                    ),
                ),
                PeriodError::EndsBeforeStart => (
                    Code::SpanEndsBeforeStart,
                    Text::of(
                        "giai đoạn từ năm đầu đến năm cuối, ví dụ 2013..2023",
                        "a span from its first to its last year, as 2013..2023",
                    ),
                    Text::of("đổi chỗ hai năm", "exchange the two years"),
                ),
                PeriodError::Year => (
                    Code::YearOutOfRange,
                    Text::of(
                        format!("năm từ {FIRST_YEAR} đến {LAST_YEAR}"),
                        format!("a year from {FIRST_YEAR} to {LAST_YEAR}"),
                    ),
                    Text::of(
                        "kiểm tra năm, bốn chữ số theo dương lịch",
                        "check the year, four digits of the common era",
                    ),
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
                        Text::of(
                            format!("một kỳ báo cáo: {code} đếm số phát sinh trong kỳ"),
                            format!("a labelled period: {code} counts what happens over time"),
                        ),
                        Text::of(
                            "ghi tháng, quý, 6 tháng, năm hoặc giai đoạn; một ngày chỉ dùng cho số hiện có",
                            "name the month, quarter, half-year, year or span; a single day is for what there is",
                        ),
                    )
                } else if calendar.year_only {
                    (
                        Code::PeriodNotInCalendar,
                        Text::of(
                            format!(
                                "năm hoặc giai đoạn nhiều năm: lịch {} không có kỳ nào ngắn hơn",
                                calendar.code
                            ),
                            format!(
                                "a year or a span of years: calendar {} defines nothing shorter",
                                calendar.code
                            ),
                        ),
                        Text::of("báo cáo theo năm, ví dụ 2024", "report the year, as 2024"),
                    )
                } else {
                    let every_vi = frequency_in_vietnamese(indicator.frequency);
                    (
                        Code::PeriodTooShort,
                        Text::of(
                            format!("kỳ không ngắn hơn {every_vi}: {code} được thu thập theo {every_vi}"),
                            format!("a period no shorter than a {every}: {code} is collected by {every}"),
                        ),
                        Text::of(
                            "cộng các kỳ ngắn lại và báo cáo kỳ dài hơn",
                            "add up what is shorter and report the longer period",
                        ),
                    )
                };
                finding(kind, raw.place.at(Field::Period), period.to_string(), expected, hint)
            });
            return None;
        }
        if !indicator.in_force(period) {
            self.findings.add(|| {
                let last = indicator.calendar.last_day(period);
                let got = Text::of(
                    format!("{period}, kết thúc ngày {last}"),
                    format!("{period}, which ends on {last}"),
                );
                let early = last < indicator.valid_from;
                let expected = match early {
                    true => Text::of(
                        format!("kỳ kết thúc từ ngày {} trở đi", indicator.valid_from),
                        format!("a period that ends on {} or later", indicator.valid_from),
                    ),
                    false => Text::of(
                        format!("kỳ kết thúc trước ngày {}", indicator.valid_to),
                        format!("a period that ends before {}", indicator.valid_to),
                    ),
                };
                let hint = Text::of(
                    "bỏ số liệu này: ngoài thời gian hiệu lực, chỉ tiêu đếm một nội dung khác",
                    "leave the figure out: outside its validity the indicator counts something else",
                );
                finding(Code::IndicatorNotInForce, raw.place.at(Field::Period), got, expected, hint)
            });
            return None;
        }
        Some(period)
    }

    pub(super) fn scope(&mut self, raw: &'a RawFigure, bad: Fields) -> Option<Scope> {
        let what = || Text::of("phạm vi, own hoặc territory", "a scope, own or territory");
        let text = self.required(raw, bad, Field::Scope, &raw.scope, what)?;
        let scope = Scope::from_code(text);
        if scope.is_none() {
            self.findings.add(|| {
                let hint = Text::of(
                    "own là của chính đơn vị; territory là số khai chung cho cả các đơn vị bên dưới",
                    "own is the unit's own activity; territory is what it declares for all below it, too",
                );
                let expected = Text::of("own hoặc territory", "own or territory");
                finding(Code::UnknownScope, raw.place.at(Field::Scope), text, expected, hint)
            });
        }
        scope
    }
}
