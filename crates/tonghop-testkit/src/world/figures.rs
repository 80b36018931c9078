//! Random figures that are valid for a registry, and questions about them.

use proptest::prelude::*;
use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::indicator::{Indicator, ReporterOverlap};
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::question::Question;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

use super::indicators::{GROUP, GROUPS, SIDES, TAG, TAGS, UNIT_TYPE};
use super::{periods, pick};

/// The most figures one sweep gives.
const SWEEP: usize = 60;

/// Which members a figure names.
#[derive(Clone, Debug)]
pub(super) struct MemberSeed {
    side: usize,
    group: usize,
    tag: usize,
}

/// What a figure says.
#[derive(Clone, Debug)]
pub(super) struct SaidSeed {
    kind: u8,
    value: i64,
    qualifier: u8,
}

/// One or more figures.
#[derive(Clone, Debug)]
pub(super) enum FigureSeed {
    /// One: indicator, unit, grain and period, scope.
    One([usize; 4], bool, MemberSeed, SaidSeed),
    /// Own figures of all units that collect in a unit, for all collection periods in a period; how many are left
    /// out, and how many follow; and whether of all indicators.
    Sweep([usize; 4], MemberSeed, i64, (usize, usize), bool),
    /// What all other indicators say where an earlier figure is.
    Beside(usize, MemberSeed, SaidSeed),
    /// An earlier one once more, perhaps from another side.
    Again(usize, usize, SaidSeed),
}

/// A question: indicator, unit, grain and period; its breakdown; and whether it may be one that is refused.
/// Near a figure, the unit is at or above the figure's and the period holds the figure's.
#[derive(Clone, Debug)]
pub(super) struct QuestionSeed {
    near: Option<usize>,
    about: [usize; 4],
    members: (Option<usize>, Option<usize>, Option<usize>, Option<usize>),
    odd: u8,
    /// Restated: to which map, and to which of the units that it leads to.
    map: Option<(usize, usize)>,
}

fn index() -> std::ops::Range<usize> {
    0..1000
}

fn value() -> impl Strategy<Value = i64> {
    prop_oneof![1 => Just(0i64), 1 => 0..4i64, 4 => 0..50i64]
}

fn said() -> impl Strategy<Value = SaidSeed> {
    let kind = prop_oneof![8 => Just(0u8), 2 => Just(1u8), 1 => Just(2u8)];
    let qualifier = prop_oneof![3 => Just(0u8), 1 => 1..4u8];
    (kind, value(), qualifier).prop_map(|(kind, value, qualifier)| SaidSeed { kind, value, qualifier })
}

pub(super) fn figure() -> impl Strategy<Value = (bool, FigureSeed)> {
    let members = || {
        let tag = prop_oneof![4 => Just(0usize), 1 => 0..=3usize];
        (index(), index(), tag).prop_map(|(side, group, tag)| MemberSeed { side, group, tag })
    };
    let about = || [index(), index(), index(), index()];
    let skip = prop_oneof![4 => Just(0usize), 1 => 0..5usize];
    let one = prop_oneof![
        10 => (about(), any::<bool>(), members(), said()).prop_map(|(a, scope, m, s)| FigureSeed::One(a, scope, m, s)),
        2 => (about(), members(), value(), (skip, 0..=SWEEP), any::<bool>())
            .prop_map(|(a, m, v, some, all)| FigureSeed::Sweep(a, m, v, some, all)),
        3 => (index(), members(), said()).prop_map(|(at, m, s)| FigureSeed::Beside(at, m, s)),
        3 => (index(), index(), said()).prop_map(|(at, side, s)| FigureSeed::Again(at, side, s)),
    ];
    // Shrinking leaves figures out without moving those that others refer to.
    (prop::bool::weighted(1.0), one)
}

pub(super) fn question() -> impl Strategy<Value = QuestionSeed> {
    let named = || prop::option::weighted(0.3, index());
    let tag = prop::option::weighted(0.2, index());
    let odd = prop_oneof![20 => Just(0u8), 3 => 1..=6u8];
    let about = [index(), index(), index(), index()];
    let members = (prop::option::weighted(0.6, index()), named(), tag, named());
    let map = prop::option::weighted(0.4, (index(), index()));
    (prop::option::weighted(0.8, index()), about, members, odd, map)
        .prop_map(|(near, about, members, odd, map)| QuestionSeed { near, about, members, odd, map })
}

/// The figures of seeds, in order, and for each whether it is kept.
pub(super) fn figures(registry: &Registry, years: i16, seeds: &[(bool, FigureSeed)]) -> Vec<(bool, Figure)> {
    let mut figures: Vec<(bool, Figure)> = Vec::new();
    for (kept, seed) in seeds {
        let kept = |figure| (*kept, figure);
        match seed {
            FigureSeed::One(about, territory, members, said) => {
                figures.extend(one(registry, years, *about, *territory, members, said).map(kept));
            }
            FigureSeed::Sweep(about, members, value, (skip, most), all) => {
                let which = if *all { vec![0, 250, 500, 750] } else { vec![about[0]] };
                for (i, indicator) in which.into_iter().enumerate() {
                    let about = [indicator, about[1], about[2], about[3]];
                    let value = *value + 3 * i as i64;
                    let swept = sweep(registry, years, about, members, value).unwrap_or_default();
                    figures.extend(swept.into_iter().skip(*skip).take(*most).map(kept));
                }
            }
            FigureSeed::Beside(at, members, said) => {
                let Some((_, figure)) = pick(&figures, *at).cloned() else { continue };
                figures.extend(beside(registry, &figure, members, said).into_iter().map(kept));
            }
            FigureSeed::Again(at, side, said) => {
                let Some((_, mut figure)) = pick(&figures, *at).cloned() else { continue };
                let indicator = registry.indicator(&figure.indicator).expect("known");
                if indicator.overlap == ReporterOverlap::Single && indicator.has_dimension(REPORTER) {
                    let sides = sides(indicator);
                    figure.breakdown = figure.breakdown.with(REPORTER, pick(&sides, *side).expect("a side"));
                }
                figure.statement = statement(said);
                figures.push(kept(figure));
            }
        }
    }
    figures
}

fn reported(registry: &Registry, index: usize) -> Option<&Indicator> {
    let reported: Vec<_> = registry.indicators().iter().filter(|i| !i.from_map).collect();
    pick(&reported, index).map(|i| &***i)
}

fn one(
    registry: &Registry,
    years: i16,
    [indicator, unit, grain, period]: [usize; 4],
    territory: bool,
    members: &MemberSeed,
    said: &SaidSeed,
) -> Option<Figure> {
    let indicator = reported(registry, indicator)?;
    let period = periods::taken(indicator, years, grain, period)?;
    if !indicator.in_force(period) {
        return None;
    }
    let unit = *pick(&units(registry, indicator, period), unit)?;
    let scope =
        if territory && !collects(registry, indicator, unit, period) { Scope::Territory } else { Scope::Own };
    let breakdown = breakdown(indicator, members);
    Some(Figure {
        unit,
        indicator: indicator.code.clone(),
        breakdown,
        period,
        scope,
        statement: statement(said),
    })
}

fn beside(registry: &Registry, figure: &Figure, members: &MemberSeed, said: &SaidSeed) -> Vec<Figure> {
    let others = registry.indicators().iter().filter(|i| !i.from_map && i.code != figure.indicator);
    let valid = others.filter(|i| {
        let scope_fits = figure.scope == Scope::Own || !collects(registry, i, figure.unit, figure.period);
        i.takes(figure.period.grain())
            && i.in_force(figure.period)
            && scope_fits
            && units(registry, i, figure.period).contains(&figure.unit)
    });
    valid
        .map(|i| Figure {
            indicator: i.code.clone(),
            breakdown: breakdown(i, members),
            statement: statement(said),
            ..figure.clone()
        })
        .collect()
}

fn sweep(
    registry: &Registry,
    years: i16,
    [indicator, root, grain, period]: [usize; 4],
    members: &MemberSeed,
    value: i64,
) -> Option<Vec<Figure>> {
    let indicator = reported(registry, indicator)?;
    let period = periods::taken(indicator, years, grain, period)?;
    let root = *pick(&units(registry, indicator, period), root)?;
    let mut cells = period.collection_periods(indicator.frequency);
    if cells.is_empty() {
        cells.push(period);
    }
    cells.retain(|p| indicator.in_force(*p) && indicator.takes(p.grain()));
    let mut out = Vec::new();
    for (i, cell) in cells.into_iter().enumerate() {
        let map = registry.map_on(indicator.calendar.last_day(cell));
        for unit in units(registry, indicator, cell) {
            let inside = map.ancestry(unit).any(|u| u == root);
            if inside && collects(registry, indicator, unit, cell) && out.len() < SWEEP {
                out.push(Figure {
                    unit,
                    indicator: indicator.code.clone(),
                    breakdown: breakdown(indicator, members),
                    period: cell,
                    scope: Scope::Own,
                    statement: Statement::Value((value + i as i64) % 50, Qualifier::Exact),
                });
            }
        }
    }
    Some(out)
}

/// Units in force on a period's last day, not below the collection level.
fn units(registry: &Registry, indicator: &Indicator, period: Period) -> Vec<UnitId> {
    let day = indicator.calendar.last_day(period);
    let has = |u: &&tonghop_core::unit::Unit| u.in_force(day) && u.level <= indicator.collection_level;
    registry.units().iter().filter(has).map(|u| u.id).collect()
}

fn collects(registry: &Registry, indicator: &Indicator, unit: UnitId, period: Period) -> bool {
    let children = registry.map_on(indicator.calendar.last_day(period)).children(unit);
    registry.unit(unit).level == indicator.collection_level
        || !children.iter().any(|c| registry.unit(*c).level <= indicator.collection_level)
}

fn sides(indicator: &Indicator) -> Vec<String> {
    if indicator.reporters.is_empty() {
        SIDES.map(str::to_owned).to_vec()
    } else {
        indicator.reporters.clone()
    }
}

fn breakdown(indicator: &Indicator, seed: &MemberSeed) -> Breakdown {
    let sides = sides(indicator);
    let side = pick(&sides, seed.side).map(String::as_str);
    let tag = seed.tag.checked_sub(1).map(|i| TAGS[i % TAGS.len()]);
    [(REPORTER, side), (GROUP, pick(&GROUPS, seed.group).copied()), (TAG, tag)]
        .into_iter()
        .filter(|(dimension, _)| indicator.has_dimension(dimension))
        .fold(Breakdown::default(), |b, (dimension, member)| match member {
            Some(member) => b.with(dimension, member),
            None => b,
        })
}

fn statement(seed: &SaidSeed) -> Statement {
    let qualifiers = Qualifier::ALL;
    match seed.kind {
        0 => Statement::Value(seed.value, qualifiers[usize::from(seed.qualifier)]),
        1 => Statement::NotAvailable("not counted".to_owned()),
        _ => Statement::Withdrawn,
    }
}

/// A unit and a period that an indicator takes, or perhaps does not.
fn anywhere(
    registry: &Registry,
    years: i16,
    indicator: &Indicator,
    seed: &QuestionSeed,
) -> Option<(UnitId, Period)> {
    let [_, unit, grain, period] = seed.about;
    let period = if seed.odd == 1 {
        periods::any(indicator, years, grain, period)?
    } else {
        periods::taken(indicator, years, grain, period)?
    };
    if seed.odd == 2 {
        return Some((pick(registry.units(), unit)?.id, period));
    }
    Some((*pick(&units(registry, indicator, period), unit)?, period))
}

/// A unit at or above a figure's and a period that holds the figure's.
fn near(
    registry: &Registry,
    years: i16,
    indicator: &Indicator,
    figure: &Figure,
    unit: usize,
    period: usize,
) -> Option<(UnitId, Period)> {
    let (first, last) = indicator.calendar.days(figure.period);
    let holds = |p: &Period| {
        let (from, to) = indicator.calendar.days(*p);
        from <= first && last <= to
    };
    let holding: Vec<Period> = periods::all_taken(indicator, years).into_iter().filter(holds).collect();
    let period = *pick(&holding, period)?;
    let map = registry.map_on(indicator.calendar.last_day(period));
    // Where the unit has gone, one at or above the units it lay in.
    let above = registry.map_on(last).ancestry(figure.unit).find(|u| map.has(*u))?;
    let reports = |u: &UnitId| registry.unit(*u).level <= indicator.collection_level;
    let line: Vec<UnitId> = map.ancestry(above).filter(reports).collect();
    Some((*pick(&line, unit)?, period))
}

/// The question of a seed; the ratio, where there is one, is asked about most.
pub(super) fn asked(
    registry: &Registry,
    years: i16,
    figures: &[(bool, Figure)],
    seed: &QuestionSeed,
) -> Option<Question> {
    let [which, unit, _, period] = seed.about;
    let indicators = registry.indicators();
    // Sorted by code, the ratio is the last.
    let indicator = if which < 600 { indicators.last()? } else { pick(indicators, (which - 600) * 5 / 2)? };
    let (unit, period) = match seed.near.and_then(|i| pick(figures, i)) {
        Some((_, figure)) if seed.odd == 0 => near(registry, years, indicator, figure, unit, period)?,
        _ => anywhere(registry, years, indicator, seed)?,
    };
    let (side, group, tag, kind) = seed.members;
    let named = [
        (REPORTER, side.and_then(|i| pick(&SIDES, i)).copied()),
        (GROUP, group.and_then(|i| pick(&GROUPS, i)).copied()),
        (TAG, tag.and_then(|i| pick(&TAGS, i)).copied()),
        (UNIT_TYPE, kind.and_then(|i| pick(&["xa", "phuong", "huyen", "tinh"], i)).copied()),
    ];
    let mut breakdown = Breakdown::default();
    for (dimension, member) in named {
        if let Some(member) = member
            && (indicator.has_dimension(dimension) || seed.odd == 3)
        {
            breakdown = breakdown.with(dimension, if seed.odd == 4 { "nobody" } else { member });
        }
    }
    let code = if seed.odd == 5 { "nothing" } else { indicator.code.as_str() };
    let question = Question { unit, indicator: code.to_owned(), breakdown, period, map: None };
    match seed.map {
        Some(map) => Some(restated(registry, indicator, question, map, seed.odd == 6)),
        None => Some(question),
    }
}

/// The same question restated to a later map, of a unit that its unit went on as; or perhaps to an earlier one.
fn restated(
    registry: &Registry,
    indicator: &Indicator,
    question: Question,
    (map, heir): (usize, usize),
    earlier: bool,
) -> Question {
    let then = registry.epoch(indicator.calendar.last_day(question.period));
    let epochs: Vec<usize> = (if earlier { 0 } else { then }..registry.maps().len()).collect();
    let epoch = pick(&epochs, map).copied().unwrap_or(then);
    let mut unit = question.unit;
    for step in then + 1..=epoch {
        unit = pick(registry.heirs(step, unit), heir).copied().unwrap_or(unit);
    }
    let day = registry.maps()[epoch].from.unwrap_or(jiff::civil::date(2020, 1, 1));
    Question { unit, map: Some(day), ..question }
}
