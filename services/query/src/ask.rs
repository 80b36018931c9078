//! From the words of a request to questions.

use std::sync::Arc;

use tonghop_core::Date;
use tonghop_core::dimension::Breakdown;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::{FIRST_YEAR, Frequency, LAST_YEAR, Period, PeriodError};
use tonghop_core::question::{Refusal, frequency_in_vietnamese, frequency_name};
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::{Level, UnitId};
use tonghop_core::words::Words;
use tonghop_runtime::{Failure, FailureKind, Finding, Got, Text};

use crate::sight::Sight;

/// The longest text taken for a code, period or breakdown.
const LONGEST_TEXT: usize = 512;

/// Refuses a text that is too long to be what it should be.
pub(crate) fn bounded(name: &str, text: &str) -> Result<(), Failure> {
    if text.len() > LONGEST_TEXT {
        return Err(finding(
            FailureKind::NotUnderstood,
            "text_too_long",
            name,
            format!("{} byte", text.len()),
            Text::of(format!("nhiều nhất {LONGEST_TEXT}"), format!("at most {LONGEST_TEXT}")),
            Text::of("rút ngắn lại", "shorten it"),
        ));
    }
    Ok(())
}

/// A failure with one finding.
pub(crate) fn finding(
    kind: FailureKind,
    code: &str,
    path: &str,
    got: impl Into<Got>,
    expected: Text,
    hint: Text,
) -> Failure {
    let (code, path, got) = (code.to_owned(), path.to_owned(), got.into().into());
    Failure::of(kind, Finding { code, path, got, expected, hint, ..Finding::default() })
}

/// Words of the core as a text.
pub(crate) fn text(words: Words) -> Text {
    Text::of(words.vi, words.en)
}

/// That a list of a kind of things says which there are.
pub(crate) fn listed(at: &str) -> Text {
    Text::of(format!("xem danh sách ở GET {at}"), format!("GET {at} lists them"))
}

/// That a code of a unit is expected.
pub(crate) fn code_of_unit() -> Text {
    Text::of("mã của một đơn vị; VN là cả nước", "the code of a unit; VN is the nation")
}

/// That there is no such programme.
pub(crate) fn unknown_programme(code: &str, hint: Text) -> Failure {
    let expected = Text::of("mã của một chương trình", "the code of a programme");
    finding(FailureKind::NotFound, "unknown_programme", "programme", code, expected, hint)
}

/// Reads a period.
pub(crate) fn period(text: &str) -> Result<Period, Failure> {
    bounded("period", text)?;
    if text.is_empty() {
        return Err(required("period"));
    }
    Period::parse(text).map_err(|error| {
        let expected = Text::of(
            "một kỳ như 2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023 hoặc 2023-05-25",
            "a period as 2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023 or 2023-05-25",
        );
        let vietnamese = match error {
            PeriodError::Form => "ghi kỳ theo một trong các dạng này".to_owned(),
            PeriodError::EndsBeforeStart => "năm cuối của giai đoạn trước năm đầu".to_owned(),
            PeriodError::Year => format!("năm nằm ngoài khoảng {FIRST_YEAR} đến {LAST_YEAR}"),
        };
        let hint = Text::of(vietnamese, error.to_string());
        finding(FailureKind::NotUnderstood, "malformed_period", "period", text, expected, hint)
    })
}

/// Reads a breakdown.
pub(crate) fn breakdown(text: &str) -> Result<Breakdown, Failure> {
    bounded("breakdown", text)?;
    Breakdown::parse(text).map_err(|part| {
        finding(
            FailureKind::NotUnderstood,
            "malformed_breakdown",
            "breakdown",
            part,
            Text::of(
                "các cặp tiêu thức=mục cách nhau bằng dấu |, mỗi tiêu thức một lần",
                "dimension=member pairs separated by |, each dimension once",
            ),
            Text::of(
                "ghi như reporter=cong-an|topic=online-fraud",
                "write it as reporter=cong-an|topic=online-fraud",
            ),
        )
    })
}

/// The words of a list, separated by commas; none where nothing stands.
pub(crate) fn list<'a>(name: &str, text: &'a str, most: usize) -> Result<Vec<&'a str>, Failure> {
    if text.is_empty() {
        return Ok(vec![]);
    }
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    if words.len() > most {
        return Err(finding(
            FailureKind::NotUnderstood,
            "too_many",
            name,
            Text::same(words.len().to_string()),
            Text::of(
                format!("nhiều nhất {most}, cách nhau bằng dấu phẩy"),
                format!("at most {most}, separated by commas"),
            ),
            Text::of("chia thành nhiều yêu cầu", "ask in several requests"),
        ));
    }
    if let Some(empty) = words.iter().position(|word| word.is_empty()) {
        return Err(finding(
            FailureKind::NotUnderstood,
            "empty_word",
            name,
            text,
            Text::of("các từ cách nhau bằng một dấu phẩy", "words separated by single commas"),
            Text::of(
                format!("chỗ thứ {} không có gì", empty + 1),
                format!("nothing stands at place {}", empty + 1),
            ),
        ));
    }
    Ok(words)
}

/// The level of a code.
pub(crate) fn level(registry: &Registry, code: &str) -> Result<Level, Failure> {
    bounded("level", code)?;
    if code.is_empty() {
        return Err(required("level"));
    }
    let at = registry.levels().iter().position(|level| level.code == code);
    at.and_then(|at| u8::try_from(at).ok()).map(Level).ok_or_else(|| {
        let known: Vec<&str> = registry.levels().iter().map(|level| level.code.as_str()).collect();
        finding(
            FailureKind::NotFound,
            "unknown_level",
            "level",
            code,
            Text::same(known.join(", ")),
            Text::of("ghi mã của một cấp", "give the code of a level"),
        )
    })
}

fn required(name: &str) -> Failure {
    finding(
        FailureKind::NotUnderstood,
        "missing_parameter",
        name,
        Got::nothing(),
        Text::of("một giá trị", "a value"),
        Text::of("nêu tham số này", "give this parameter"),
    )
}

/// The indicator of a code, of which whoever asks may see something.
pub(crate) fn indicator(sight: &Sight, code: &str) -> Result<Arc<Indicator>, Failure> {
    let indicator = known_indicator(sight.registry(), code)?;
    sight.may_name(&indicator)?;
    Ok(indicator)
}

/// The indicator of a code, as the catalogue has it: what was reported of it may be for others.
pub(crate) fn known_indicator(registry: &Registry, code: &str) -> Result<Arc<Indicator>, Failure> {
    bounded("indicator", code)?;
    if code.is_empty() {
        return Err(required("indicator"));
    }
    registry.indicator(code).cloned().ok_or_else(|| {
        finding(
            FailureKind::NotFound,
            "unknown_indicator",
            "indicator",
            code,
            Text::of(
                "mã của một chỉ tiêu, hoặc phần mã trước dấu gạch nối đầu tiên",
                "the code of an indicator, or its part before the first hyphen",
            ),
            listed("/v1/indicators"),
        )
    })
}

/// The unit that a code means for a period of an indicator.
pub(crate) fn unit(
    registry: &Registry,
    indicator: &Indicator,
    code: &str,
    period: Period,
    map: Option<Date>,
) -> Result<UnitId, Failure> {
    bounded("unit", code)?;
    if code.is_empty() {
        return Err(required("unit"));
    }
    let day = map.unwrap_or_else(|| indicator.calendar.last_day(period));
    match registry.unit_on(code, day) {
        UnitLookup::Found(unit) => Ok(unit),
        UnitLookup::OtherTime(ids) => {
            if let Some(level) = map.and_then(|day| level_gone(registry, &ids, day)) {
                return Err(refused(&Refusal::LevelGone { level, day }));
            }
            Err(finding(
                FailureKind::Unprocessable,
                "unit_not_in_force",
                "unit",
                code,
                match map {
                    None => Text::of(
                        format!("đơn vị có hiệu lực vào ngày {day}, ngày cuối của kỳ {period}"),
                        format!("a unit in force on {day}, the last day of {period}"),
                    ),
                    Some(_) => Text::of(
                        format!("đơn vị có hiệu lực vào ngày {day}, ngày của bản đồ hành chính được hỏi"),
                        format!("a unit in force on {day}, the day of the map asked for"),
                    ),
                },
                text(registry.code_at_other_times(&ids, day)),
            ))
        }
        UnitLookup::Unknown => Err(finding(
            FailureKind::NotFound,
            "unknown_unit",
            "unit",
            code,
            code_of_unit(),
            listed("/v1/units"),
        )),
    }
}

/// The level of units none of whose level is in force on a day.
fn level_gone(registry: &Registry, ids: &[UnitId], day: Date) -> Option<String> {
    let levels: Vec<_> = ids.iter().map(|id| registry.unit(*id).level).collect();
    let is_there = |level: Level| registry.units().iter().any(|u| u.level == level && u.in_force(day));
    let gone = levels.iter().all(|level| !is_there(*level));
    levels.first().filter(|_| gone).map(|level| registry.level_code(*level).to_owned())
}

/// The day to whose map totals are restated; none where they are as reported.
pub(crate) fn map(text: &str) -> Result<Option<Date>, Failure> {
    bounded("map", text)?;
    match text {
        "" | "reported" => Ok(None),
        day => day.parse().map(Some).map_err(|_| {
            finding(
                FailureKind::NotUnderstood,
                "malformed_map",
                "map",
                day,
                Text::of("reported, hoặc một ngày như 2025-07-01", "reported, or a day as 2025-07-01"),
                Text::of(
                    "reported tính mỗi số liệu theo bản đồ hành chính của chính kỳ đó; một ngày thì quy về bản đồ của \
                     ngày ấy",
                    "reported puts each figure where the map of its own period puts its unit; a day restates to its \
                     map",
                ),
            )
        }),
    }
}

/// A refusal of the core as a failure.
pub(crate) fn refused(refusal: &Refusal) -> Failure {
    let kind = match refusal {
        Refusal::UnknownIndicator(_) => FailureKind::NotFound,
        _ => FailureKind::Unprocessable,
    };
    let no_side = || Text::of("không có bên báo cáo", "no reporter");
    let (code, path, got, hint) = match refusal {
        Refusal::UnknownIndicator(code) => {
            ("unknown_indicator", "indicator", Text::same(code), listed("/v1/indicators"))
        }
        Refusal::NotItsDimension { dimension, .. } => (
            "not_its_dimension",
            "breakdown",
            Text::same(dimension),
            Text::of(
                "bỏ đi, hoặc hỏi theo một tiêu thức phân tổ của chỉ tiêu này",
                "leave it out, or ask for one of the indicator's own",
            ),
        ),
        Refusal::UnknownMember { dimension, member } => (
            "unknown_member",
            "breakdown",
            Text::same(member),
            Text::of(
                format!("xem các mục của {dimension} ở GET /v1/dimensions"),
                format!("GET /v1/dimensions lists the members of {dimension}"),
            ),
        ),
        Refusal::OverlappingReporters { .. } => (
            "overlapping_reporters",
            "breakdown",
            no_side(),
            Text::of(
                "nêu một bên, hoặc hỏi by=breakdown&dimension=reporter để có từng bên riêng",
                "name one side, or ask by=breakdown&dimension=reporter for each side by itself",
            ),
        ),
        Refusal::RatioAcrossReporters { .. } => (
            "ratio_across_reporters",
            "breakdown",
            no_side(),
            Text::of(
                "nêu một bên, để cả hai số của tỷ lệ đều của bên đó",
                "name one side, so that both numbers of the ratio are that side's",
            ),
        ),
        Refusal::WrongGrain { period, .. } => (
            "wrong_grain",
            "period",
            Text::same(period.to_string()),
            Text::of(
                "hỏi kỳ không ngắn hơn kỳ thu thập; chỉ số hiện có mới hỏi theo ngày",
                "ask for a period no shorter than the collection period; for a day only of a stock",
            ),
        ),
        Refusal::NotInForce { day } => (
            "unit_not_in_force",
            "unit",
            Text::of(
                format!("đơn vị không có hiệu lực vào ngày {day}"),
                format!("a unit not in force on {day}"),
            ),
            Text::of(
                "hỏi đơn vị quản lý địa bàn đó vào ngày ấy",
                "ask for the unit that carries the territory on that day",
            ),
        ),
        Refusal::LevelGone { level, day } => (
            "not_on_this_map",
            "unit",
            Text::of(format!("đơn vị cấp {level}"), format!("a unit of the level {level}")),
            Text::of(
                format!(
                    "trên bản đồ hành chính ngày {day}, hỏi đơn vị có địa bàn đó, hoặc hỏi như khi báo cáo"
                ),
                format!(
                    "on the map of {day} ask for the unit that its territory lies in, or ask as reported"
                ),
            ),
        ),
        Refusal::MapTooOld { map, last } => (
            "map_older_than_period",
            "map",
            Text::same(map.to_string()),
            Text::of(
                format!("hỏi bản đồ hành chính ngày {last} hoặc muộn hơn, hoặc hỏi như khi báo cáo"),
                format!("ask for the map of {last} or of a later day, or as reported"),
            ),
        ),
        Refusal::BelowCollection { level, .. } => (
            "below_collection_level",
            "unit",
            Text::of("đơn vị dưới cấp thu thập", "a unit below the collection level"),
            Text::of(
                format!("hỏi đơn vị cấp {level} hoặc cấp trên"),
                format!("ask for a unit of the level {level}, or above it"),
            ),
        ),
    };
    let expected = said(refusal);
    Failure::new(kind, expected.clone()).with_findings(vec![Finding {
        code: code.into(),
        path: path.into(),
        got,
        expected,
        hint,
        ..Finding::default()
    }])
}

/// Why the core refuses.
pub(crate) fn said(refusal: &Refusal) -> Text {
    let vietnamese = match refusal {
        Refusal::UnknownIndicator(code) => format!("không có chỉ tiêu {code:?}"),
        Refusal::NotItsDimension { indicator, dimension, has } => {
            format!("{indicator} không phân tổ theo {dimension:?}; chỉ tiêu này có {has}")
        }
        Refusal::UnknownMember { dimension, member } => format!("{dimension:?} không có mục {member:?}"),
        Refusal::OverlappingReporters { indicator, sides } => format!(
            "các bên báo cáo {indicator} đếm trùng nhau nên không có tổng chung: hỏi một bên, reporter={sides}"
        ),
        Refusal::RatioAcrossReporters { indicator, component, sides } => format!(
            "{indicator} là tỷ lệ của {component}, do nhiều bên báo cáo riêng: hỏi một bên, reporter={sides}"
        ),
        Refusal::WrongGrain { indicator, frequency, calendar, period } => {
            let every = FREQUENCIES.iter().find(|f| frequency_name(**f) == *frequency);
            let every = every.map_or(*frequency, |f| frequency_in_vietnamese(*f));
            format!(
                "{indicator} được thu thập theo {every} trong lịch {calendar}: không có số tổng hợp cho kỳ {period}"
            )
        }
        Refusal::NotInForce { day } => format!("đơn vị không có hiệu lực vào ngày {day}"),
        Refusal::LevelGone { level, day } => format!(
            "bản đồ hành chính ngày {day} không có đơn vị cấp {level}, nên không quy số liệu về cấp đó được"
        ),
        Refusal::MapTooOld { map, last } => format!(
            "bản đồ hành chính ngày {map} cũ hơn kỳ báo cáo, kỳ kết thúc ngày {last}: không quy ngược về trước"
        ),
        Refusal::BelowCollection { indicator, level } => {
            format!("{indicator} do đơn vị cấp {level} thu thập: bên dưới không có số tổng hợp")
        }
    };
    Text::of(vietnamese, refusal.to_string())
}

const FREQUENCIES: [Frequency; 5] =
    [Frequency::Event, Frequency::Month, Frequency::Quarter, Frequency::Half, Frequency::Year];

/// As many periods of one length as are asked for, the last of which is given: fewer where there is no earlier one.
pub(crate) fn periods_up_to(last: Period, many: u32) -> Vec<Period> {
    let mut out: Vec<Period> =
        std::iter::successors(Some(last), |period| period.previous()).take(many as usize).collect();
    out.reverse();
    out
}

/// The periods that a longer one is shown by: the years of a span, else its collection periods (months for
/// what is collected by event).
pub(crate) fn periods_within(indicator: &Indicator, period: Period) -> Vec<Period> {
    match period {
        Period::Span(from, to) => (from..=to).map(Period::Year).collect(),
        other => {
            let frequency = match indicator.frequency {
                Frequency::Event => Frequency::Month,
                frequency => frequency,
            };
            other.collection_periods(frequency)
        }
    }
}
