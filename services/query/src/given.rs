//! What was given, where it does not add up to a total.

use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::REPORTER;
use tonghop_core::figure::{Figures, Scope, Stated};
use tonghop_core::question::Plan;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;

use crate::view;

/// Figures listed under a total at most.
const MOST: usize = 100;

/// Figures of the indicator itself at or below a unit within a plan's period.
pub(crate) fn below(
    registry: &Registry,
    plan: &Plan,
    unit: UnitId,
    figures: &Figures,
) -> Vec<pb::GivenFigure> {
    let indicator = &plan.indicator;
    let made_of = plan.made_of(registry, unit);
    let mut out = Vec::new();
    for side in &plan.sides {
        let Some(series) = figures.series.get(&side.own.series) else { continue };
        for (period, rows) in &series.periods {
            let (first, last) = indicator.calendar.days(*period);
            if first < plan.days.0 || plan.days.1 < last {
                continue;
            }
            for row in rows {
                let leaf = &series.leaves[row.leaf as usize];
                let Stated::Value(value, qualifier) = row.stated else { continue };
                let mut breakdown = leaf.members.clone();
                let tags = side.own.series.tags.iter();
                for (dimension, member) in tags.chain(leaf.reporter.as_deref().map(|r| (REPORTER, r))) {
                    breakdown = breakdown.with(dimension, member);
                }
                let below = registry.map_on(last).ancestry(row.unit).any(|u| made_of.contains(&u));
                if below && side.own.members.within(&leaf.members) && out.len() < MOST {
                    out.push(pb::GivenFigure {
                        unit: Some(view::unit_ref(registry, row.unit, last)),
                        period: period.to_string(),
                        scope: if row.scope == Scope::Own { "own" } else { "territory" }.into(),
                        breakdown: breakdown.to_string(),
                        value: format_decimal(i128::from(value), indicator.decimals),
                        qualifier: qualifier.code().into(),
                    });
                }
            }
        }
    }
    out
}
