//! Answers as they are shown.

use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::Breakdown;
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::period::Period;
use tonghop_core::question::{Plan, Refusal, Total};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;

/// A unit, named as on a period's last day.
pub(crate) fn unit_ref(
    registry: &Registry,
    indicator: &Indicator,
    unit: UnitId,
    period: Period,
) -> pb::UnitRef {
    let known = registry.unit(unit);
    let stage = known.stage(indicator.calendar.last_day(period));
    pb::UnitRef {
        code: known.code.clone(),
        name: stage.map_or_else(|| known.name().to_owned(), |s| s.name.clone()),
        level: registry.level_code(known.level).to_owned(),
    }
}

/// A total, or why there is none.
pub(crate) fn total(
    registry: &Registry,
    plan: &Plan,
    unit: UnitId,
    breakdown: &Breakdown,
    answer: Result<Total, Refusal>,
) -> pb::Total {
    let mut shown = frame(registry, &plan.indicator, unit, breakdown, plan.period);
    let total = match answer {
        Ok(total) => total,
        Err(refusal) => return pb::Total { refused: refusal.to_string(), ..shown },
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
    if let (Some(pair), Kind::Ratio(_)) = (total.pair, &plan.indicator.kind) {
        let components = plan.sides.iter().flat_map(|s| s.numerator.iter().chain(&s.denominator));
        let decimals = components.map(|a| a.indicator.decimals).max().unwrap_or(0);
        shown.numerator = Some(format_decimal(pair.numerator.value, decimals));
        shown.denominator = Some(format_decimal(pair.denominator.value, decimals));
    }
    shown
}

/// What a total is of, with nothing said of it yet.
pub(crate) fn frame(
    registry: &Registry,
    indicator: &Indicator,
    unit: UnitId,
    breakdown: &Breakdown,
    period: Period,
) -> pb::Total {
    pb::Total {
        unit: Some(unit_ref(registry, indicator, unit, period)),
        indicator: indicator.code.clone(),
        breakdown: breakdown.to_string(),
        period: period.to_string(),
        map: "reported".into(),
        unit_of_measure_vi: indicator.unit_vi.clone(),
        unit_of_measure_en: indicator.unit_en.clone(),
        ..pb::Total::default()
    }
}
