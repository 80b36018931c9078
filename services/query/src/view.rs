//! Answers as they are shown.

use tonghop_core::Date;
use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::Breakdown;
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::period::Period;
use tonghop_core::question::Plan;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;

use crate::read::Answer;
use crate::sight::not_permitted;
use crate::{View, ask};

impl View {
    /// A total as whoever asks may see it.
    pub(crate) fn shown(
        &self,
        plan: &Plan,
        unit: UnitId,
        breakdown: &Breakdown,
        answer: Answer,
    ) -> pb::Total {
        let map = plan.map.map(|map| map.day);
        if self.sight.has_total(&plan.indicator, unit, plan.period, map) {
            return total(&self.registry, plan, unit, breakdown, answer);
        }
        let frame = frame(&self.registry, &plan.indicator, unit, breakdown, plan.period, map);
        pb::Total { refused: not_permitted(), ..frame }
    }
}

/// A unit, named as on a day.
pub(crate) fn unit_ref(registry: &Registry, unit: UnitId, day: Date) -> pb::UnitRef {
    let known = registry.unit(unit);
    let stage = known.stage(day);
    pb::UnitRef {
        code: known.code.clone(),
        name: stage.map_or_else(|| known.name().to_owned(), |s| s.name.clone()),
        level: registry.level_code(known.level).to_owned(),
    }
}

/// A total, or why there is none; where nothing adds up, with what was given.
pub(crate) fn total(
    registry: &Registry,
    plan: &Plan,
    unit: UnitId,
    breakdown: &Breakdown,
    answer: Answer,
) -> pb::Total {
    let map = plan.map.map(|map| map.day);
    let mut shown = frame(registry, &plan.indicator, unit, breakdown, plan.period, map);
    shown.given = answer.given;
    shown.approved = answer.approved;
    let total = match answer.total {
        Ok(total) => total,
        Err(refusal) => return pb::Total { refused: ask::said(&refusal).to_string(), ..shown },
    };
    let decimals = plan.indicator.decimals;
    let show = |value: i128| format_decimal(value, decimals);
    shown.value = total.value.map(|s| show(s.value));
    shown.qualifier = total.value.map(|s| s.qualifier.code().to_owned()).unwrap_or_default();
    shown.exact_part = total.value.map(|s| show(s.exact));
    shown.reason = total.reason.map(|r| r.code().to_owned()).unwrap_or_default();
    shown.basis = total.basis.map(|b| b.code().to_owned()).unwrap_or_default();
    shown.parts = total.parts.map(|s| show(s.value));
    shown.whole = total.whole.map(|s| show(s.value));
    shown.difference = total.difference.map(show);
    (shown.reported, shown.covered) = (total.reported, total.covered);
    (shown.expected, shown.unavailable) = (total.expected, total.unavailable);
    if let Some((oldest, newest)) = total.dates {
        (shown.oldest, shown.newest) = (oldest.to_string(), newest.to_string());
    }
    (shown.estimated, shown.carried) = (total.estimated, total.carried);
    if let (Some(pair), Kind::Ratio(_)) = (total.pair, &plan.indicator.kind) {
        let components = plan.sides.iter().flat_map(|s| s.numerator.iter().chain(&s.denominator));
        let decimals = components.map(|a| a.indicator.decimals).max().unwrap_or(0);
        let show = |side: i128| unrounded(side, decimals, pair.millionths);
        (shown.numerator, shown.denominator) =
            (Some(show(pair.numerator.value)), Some(show(pair.denominator.value)));
    }
    shown
}

/// A side of a ratio, which shares of divided units may have given more decimals than its indicators have.
fn unrounded(value: i128, decimals: u8, millionths: u8) -> String {
    let shown = format_decimal(value, decimals + 6 * millionths);
    if millionths == 0 {
        return shown;
    }
    let shortest = shown.len() - 6 * usize::from(millionths);
    let mut end = shown.trim_end_matches('0').len().max(shortest);
    if shown[..end].ends_with('.') {
        end -= 1;
    }
    shown[..end].to_owned()
}

/// What a total is of, with nothing said of it yet.
pub(crate) fn frame(
    registry: &Registry,
    indicator: &Indicator,
    unit: UnitId,
    breakdown: &Breakdown,
    period: Period,
    map: Option<Date>,
) -> pb::Total {
    let day = map.unwrap_or_else(|| indicator.calendar.last_day(period));
    pb::Total {
        unit: Some(unit_ref(registry, unit, day)),
        indicator: indicator.code.clone(),
        breakdown: breakdown.to_string(),
        period: period.to_string(),
        map: map.map_or_else(|| "reported".into(), |day| day.to_string()),
        map_from: registry.map_on(day).from.map(|from| from.to_string()).unwrap_or_default(),
        unit_of_measure_vi: indicator.unit_vi.clone(),
        unit_of_measure_en: indicator.unit_en.clone(),
        ..pb::Total::default()
    }
}
