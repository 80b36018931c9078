//! What a request for totals asks: every total of it, in order, and the plans that answer them.

use std::collections::HashMap;
use std::sync::Arc;

use tonghop_core::Date;
use tonghop_core::calendar::day_number;
use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::indicator::{Indicator, ReporterOverlap};
use tonghop_core::period::Period;
use tonghop_core::question::{Plan, Question, Refusal, plan, plan_for_any};
use tonghop_core::registry::Registry;
use tonghop_core::unit::{Level, UnitId};
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind, Language, Text};

use crate::ask;
use crate::sight::Sight;
use crate::territory::Territory;

/// Indicators that one request may name.
const MOST_INDICATORS: usize = 200;
/// Plans that one request may need: an indicator, a breakdown and a period each.
const MOST_PLANS: usize = 20_000;
/// Periods that may be asked for by their number.
const MOST_PERIODS: u32 = 120;

/// What a question is spread over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Indicators,
    Units(Spread),
    Periods,
    Breakdown,
}

/// Over which units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spread {
    Children,
    Level,
}

/// Everything one request asks for.
pub(crate) struct Pivot {
    groups: Vec<Group>,
    /// Every total, in the order of the answer.
    cells: Vec<Cell>,
    /// Whether a refusal is one of the whole request, which has one indicator, breakdown and period.
    pub(crate) is_whole: bool,
}

/// What the totals of one plan have in common.
pub(crate) struct Group {
    pub(crate) indicator: Arc<Indicator>,
    pub(crate) breakdown: Breakdown,
    pub(crate) period: Period,
    pub(crate) map: Option<Date>,
    pub(crate) plan: Result<Arc<Plan>, Refusal>,
}

/// One total that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    group: u32,
    pub(crate) unit: UnitId,
    /// Whether the territory is not that of the point before in a series.
    pub(crate) is_break: bool,
}

impl Pivot {
    /// How many totals there are.
    pub(crate) fn count(&self) -> usize {
        self.cells.len()
    }

    /// The totals of a page.
    pub(crate) fn page(&self, start: usize, size: usize) -> &[Cell] {
        let end = self.cells.len().min(start.saturating_add(size));
        self.cells.get(start..end).unwrap_or_default()
    }

    /// What a total has in common with others.
    pub(crate) fn group(&self, cell: &Cell) -> &Group {
        &self.groups[cell.group as usize]
    }

    /// Reads a request, of at most `most` totals.
    ///
    /// # Errors
    /// What is wrong with the request; that something in it is not for whoever asks.
    pub(crate) fn read(sight: &Sight, request: &pb::GetTotalsRequest, most: usize) -> Result<Pivot, Failure> {
        let words = Words::read(sight, request)?;
        let registry = sight.registry();
        let mut building =
            Building { registry, words: &words, most, groups: vec![], keyed: vec![], units: HashMap::new() };
        let mut trouble = None;
        for (at, indicator) in words.indicators.iter().enumerate() {
            if words.many && !indicator.takes(words.period.grain()) {
                continue;
            }
            let unit = ask::unit(registry, indicator, &request.unit, words.period, words.map);
            if let Ok(unit) = &unit
                && !sight.has_total(indicator, *unit, words.period, words.map)
            {
                if words.named {
                    return Err(sight.out_of_reach());
                }
                continue;
            }
            match unit.and_then(|unit| building.indicator(at as u64, indicator, unit)) {
                // One unit may be in force on the last day in one calendar and not in another.
                Err(failure) if words.many && failure.kind() != FailureKind::TooLarge => {
                    trouble = Some(failure);
                }
                other => other?,
            }
        }
        let Building { groups, mut keyed, .. } = building;
        // Of what is equal in all that by names the order is that of making: indicators as the registry has them.
        keyed.sort_by_key(|(key, _)| *key);
        match trouble {
            Some(failure) if keyed.is_empty() => Err(failure),
            _ => Ok(Pivot {
                groups,
                cells: keyed.into_iter().map(|(_, cell)| cell).collect(),
                is_whole: !words.many && words.axes.iter().all(|axis| matches!(axis, Axis::Units(_))),
            }),
        }
    }
}

/// A request, its words understood.
struct Words {
    axes: Vec<Axis>,
    indicators: Vec<Arc<Indicator>>,
    /// Whether there may be several, so that one that has no answer does not stand in the way of the others.
    many: bool,
    /// Whether they were named, each.
    named: bool,
    period: Period,
    breakdown: Breakdown,
    dimension: String,
    map: Option<Date>,
    level: Option<Level>,
    last: u32,
}

impl Words {
    fn read(sight: &Sight, request: &pb::GetTotalsRequest) -> Result<Words, Failure> {
        let registry = sight.registry();
        let map = ask::map(&request.map)?;
        let period = ask::period(&request.period)?;
        let breakdown = ask::breakdown(&request.breakdown)?;
        let mut axes = axes(&request.by)?;
        let codes = ask::list("indicator", &request.indicator, MOST_INDICATORS)?;
        let many = codes.len() > 1 || axes.contains(&Axis::Indicators) || !request.programme.is_empty();
        if many && !axes.contains(&Axis::Indicators) {
            axes.insert(0, Axis::Indicators);
        }
        let indicators = match many {
            true => indicators(sight, &codes, &request.programme)?,
            false => vec![ask::indicator(sight, &request.indicator)?],
        };
        let level = match axes.contains(&Axis::Units(Spread::Level)) {
            true => Some(ask::level(registry, &request.level)?),
            false => None,
        };
        if request.last > MOST_PERIODS || (request.last > 0 && !axes.contains(&Axis::Periods)) {
            return Err(ask::finding(
                FailureKind::NotUnderstood,
                "malformed_last",
                "last",
                request.last.to_string(),
                Text::of(
                    format!("nhiều nhất {MOST_PERIODS}, cùng với by=periods"),
                    format!("at most {MOST_PERIODS}, with by=periods"),
                ),
                Text::of(
                    "bỏ trống để lấy các kỳ bên trong kỳ được hỏi",
                    "leave it out for the periods within the one asked for",
                ),
            ));
        }
        Ok(Words {
            axes,
            indicators,
            many,
            named: !codes.is_empty(),
            period,
            breakdown,
            dimension: request.by_dimension.clone(),
            map,
            level,
            last: request.last,
        })
    }

    fn has(&self, axis: Axis) -> bool {
        self.axes.contains(&axis)
    }
}

fn axes(by: &str) -> Result<Vec<Axis>, Failure> {
    let mut axes: Vec<Axis> = vec![];
    for word in ask::list("by", by, 4)? {
        let axis = match word {
            "indicators" => Axis::Indicators,
            "children" => Axis::Units(Spread::Children),
            "units" => Axis::Units(Spread::Level),
            "periods" => Axis::Periods,
            "breakdown" => Axis::Breakdown,
            other => {
                return Err(ask::finding(
                    FailureKind::NotUnderstood,
                    "unknown_by",
                    "by",
                    other,
                    Text::of(
                        "children, units, periods, breakdown hoặc indicators, hoặc vài từ cách nhau bằng dấu phẩy",
                        "children, units, periods, breakdown or indicators, or some of them separated by commas",
                    ),
                    Text::of("bỏ trống để lấy một số tổng hợp", "leave it out for one total"),
                ));
            }
        };
        let same = |other: &Axis| std::mem::discriminant(other) == std::mem::discriminant(&axis);
        if axes.iter().any(same) {
            return Err(ask::finding(
                FailureKind::NotUnderstood,
                "same_by_twice",
                "by",
                by,
                Text::of("mỗi từ một lần, và children hoặc units", "each once, and children or units"),
                Text::of(
                    "mỗi câu hỏi trải theo đơn vị, kỳ, mục phân tổ và chỉ tiêu nhiều nhất một lần",
                    "a question is spread over units, periods, members and indicators once each",
                ),
            ));
        }
        axes.push(axis);
    }
    Ok(axes)
}

/// Those of some codes, of a programme, or both; every core one where neither is named. Of those that nobody named,
/// the ones that are not for whoever asks are left out.
fn indicators(sight: &Sight, codes: &[&str], programme: &str) -> Result<Vec<Arc<Indicator>>, Failure> {
    let registry = sight.registry();
    if !programme.is_empty() && registry.programme(programme).is_none() {
        ask::bounded("programme", programme)?;
        return Err(ask::unknown_programme(programme, ask::listed("/v1/programmes")));
    }
    let named = codes.iter().map(|code| ask::indicator(sight, code));
    let named: Vec<Arc<Indicator>> = named.collect::<Result<_, _>>()?;
    let wanted = |indicator: &&Arc<Indicator>| match (named.is_empty(), programme.is_empty()) {
        (true, true) => indicator.core,
        (true, false) => indicator.programmes.iter().any(|p| p == programme),
        (false, of_any) => {
            named.iter().any(|n| n.code == indicator.code)
                && (of_any || indicator.programmes.iter().any(|p| p == programme))
        }
    };
    Ok(registry.indicators().iter().filter(wanted).filter(|i| sight.has_any(i)).cloned().collect())
}

/// The place of a total on each axis, in the order of the axes.
type Key = [u64; 4];

struct Building<'a> {
    registry: &'a Registry,
    words: &'a Words,
    most: usize,
    groups: Vec<Group>,
    keyed: Vec<(Key, Cell)>,
    /// The place of each unit, in the order in which they come up.
    units: HashMap<UnitId, u32>,
}

/// Places of one total, by axis.
#[derive(Clone, Copy, Default)]
struct Places {
    indicator: u64,
    unit: u64,
    period: u64,
    breakdown: u64,
}

impl Building<'_> {
    fn indicator(&mut self, at: u64, indicator: &Arc<Indicator>, unit: UnitId) -> Result<(), Failure> {
        let (registry, words) = (self.registry, self.words);
        let breakdowns = self.breakdowns(indicator)?;
        if !words.many && words.axes.iter().all(|axis| matches!(axis, Axis::Units(_))) {
            // Whatever units there are, the one asked for has to be one that can be asked for.
            let question = Question {
                unit,
                indicator: indicator.code.clone(),
                breakdown: words.breakdown.clone(),
                period: words.period,
                map: words.map,
            };
            plan(registry, &question).map_err(|r| ask::refused(&r))?;
        }
        let told_on = words.map.unwrap_or_else(|| indicator.calendar.last_day(words.period));
        let units = self.units(indicator, unit, told_on)?;
        let periods = match (words.has(Axis::Periods), words.last) {
            (false, _) => vec![words.period],
            (true, 0) => ask::periods_within(indicator, words.period),
            (true, many) => ask::periods_up_to(words.period, many),
        };
        let is_series = words.has(Axis::Periods);
        let mut plans: HashMap<(usize, u32), u32> = HashMap::new();
        for unit in units {
            let next = self.units.len() as u32;
            let unit_at = *self.units.entry(unit).or_insert(next);
            let territory = Territory { registry, unit, told_on: registry.epoch(told_on) };
            let mut before = None;
            for (nth, period) in periods.iter().enumerate() {
                let epoch = registry.epoch(indicator.calendar.last_day(*period));
                let is_break = before.is_some_and(|before| territory.changed(before, epoch));
                before = Some(epoch);
                let whose = match is_series && words.map.is_none() {
                    true => territory.on(epoch),
                    false => vec![unit],
                };
                for (breakdown_at, breakdown) in &breakdowns {
                    let group = match plans.get(&(nth, *breakdown_at)) {
                        Some(group) => *group,
                        None => {
                            let group = self.group(indicator, breakdown, *period)?;
                            plans.insert((nth, *breakdown_at), group);
                            group
                        }
                    };
                    let places = Places {
                        indicator: at,
                        unit: u64::from(unit_at),
                        period: in_time(indicator, *period),
                        breakdown: u64::from(*breakdown_at),
                    };
                    let key = self.key(places);
                    self.keyed.extend(whose.iter().map(|unit| (key, Cell { group, unit: *unit, is_break })));
                }
                if self.keyed.len() > self.most {
                    return Err(too_many(&Text::of("số tổng hợp", "totals"), self.most));
                }
            }
        }
        Ok(())
    }

    fn key(&self, places: Places) -> Key {
        let mut key = [0; 4];
        for (place, axis) in key.iter_mut().zip(&self.words.axes) {
            *place = match axis {
                Axis::Indicators => places.indicator,
                Axis::Units(_) => places.unit,
                Axis::Periods => places.period,
                Axis::Breakdown => places.breakdown,
            };
        }
        key
    }

    fn group(
        &mut self,
        indicator: &Arc<Indicator>,
        breakdown: &Breakdown,
        period: Period,
    ) -> Result<u32, Failure> {
        if self.groups.len() >= MOST_PLANS {
            let what = Text::of(
                "tổ hợp chỉ tiêu, kỳ và mục phân tổ",
                "combinations of indicator, period and members",
            );
            return Err(too_many(&what, MOST_PLANS));
        }
        let map = self.words.map;
        let plan = plan_for_any(self.registry, &indicator.code, breakdown, period, map).map(Arc::new);
        let (indicator, breakdown) = (Arc::clone(indicator), breakdown.clone());
        self.groups.push(Group { indicator, breakdown, period, map, plan });
        Ok(self.groups.len() as u32 - 1)
    }

    /// Whose totals are asked for: the unit's, or those of units below it that the indicator is collected from.
    fn units(&self, indicator: &Indicator, unit: UnitId, day: Date) -> Result<Vec<UnitId>, Failure> {
        let (registry, map) = (self.registry, self.registry.map_on(day));
        let collected = |unit: &UnitId| registry.unit(*unit).level <= indicator.collection_level;
        Ok(match self.words.level {
            _ if self.words.has(Axis::Units(Spread::Children)) => {
                map.children(unit).iter().copied().filter(collected).collect()
            }
            None => vec![unit],
            Some(level) if level > indicator.collection_level => {
                return Err(ask::refused(&Refusal::BelowCollection {
                    indicator: indicator.code.clone(),
                    level: registry.level_code(indicator.collection_level).to_owned(),
                }));
            }
            Some(level) => {
                // From above, so that units stand in the order of the tree.
                let (mut out, mut stack) = (vec![], vec![unit]);
                while let Some(unit) = stack.pop() {
                    match registry.unit(unit).level.cmp(&level) {
                        std::cmp::Ordering::Equal => out.push(unit),
                        std::cmp::Ordering::Less => stack.extend(map.children(unit).iter().rev()),
                        std::cmp::Ordering::Greater => {}
                    }
                }
                out
            }
        })
    }

    /// The breakdown asked for, or one for each member; sides that overlap are asked one by one where there are
    /// several indicators.
    fn breakdowns(&self, indicator: &Indicator) -> Result<Vec<(u32, Breakdown)>, Failure> {
        let Words { breakdown, dimension: name, .. } = self.words;
        if !self.words.has(Axis::Breakdown) {
            let by_side = self.words.many
                && indicator.overlap == ReporterOverlap::Overlapping
                && breakdown.member(REPORTER).is_none();
            return Ok(match by_side {
                true => {
                    (0..).zip(indicator.reporters.iter().map(|side| breakdown.with(REPORTER, side))).collect()
                }
                false => vec![(0, breakdown.clone())],
            });
        }
        let dimension = self.registry.dimension(name).filter(|_| indicator.has_dimension(name));
        let Some(dimension) = dimension else {
            ask::bounded("dimension", name)?;
            return Err(ask::refused(&Refusal::NotItsDimension {
                indicator: indicator.code.clone(),
                dimension: name.clone(),
                has: indicator.dimensions.join(", "),
            }));
        };
        let reports = |member: &str| {
            name != REPORTER
                || indicator.reporters.is_empty()
                || indicator.reporters.iter().any(|r| r == member)
        };
        let members = (0..).zip(dimension.members.iter().map(|member| member.code.as_str()));
        let members = members.filter(|(_, member)| reports(member));
        Ok(members.map(|(at, member)| (at, breakdown.with(name, member))).collect())
    }
}

/// Where a period stands among others: by its last day, the shorter first.
fn in_time(indicator: &Indicator, period: Period) -> u64 {
    let days = day_number(indicator.calendar.last_day(period)).abs_diff(i32::MIN);
    u64::from(days) * 8 + period.grain() as u64
}

fn too_many(what: &Text, most: usize) -> Failure {
    let [vi, en] = [Language::Vietnamese, Language::English].map(|language| what.in_language(language));
    let detail = Text::of(
        format!("yêu cầu này hỏi hơn {most} {vi}, là mức nhiều nhất mỗi lần: chia thành nhiều yêu cầu"),
        format!("this asks for more than {most} {en}, which is the most at once: ask in several requests"),
    );
    Failure::new(FailureKind::TooLarge, detail)
}
