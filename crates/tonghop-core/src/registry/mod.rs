//! Units, maps, calendars, dimensions, indicators and programmes together, checked.
//!
//! A [`Registry`] that exists is consistent: every reference in it resolves. It is built from a [`Draft`] by
//! [`Registry::build`], which answers with every problem there is, not the first.

mod build;
mod code;
mod diff;
mod draft;
mod lives;
mod reform;
mod regimes;
mod share;
mod territory;

pub use diff::{Change, LevelCounts, MapDiff, UnitChange};
pub use draft::{Draft, IndicatorRow, Problem, RegimeRow, RuleRow, SuccessionRow, UnitRow};
pub use reform::{Act, ChangeRow, Reform};
pub use share::Share;
pub use territory::Part;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::calendar::Calendar;
use crate::dimension::Dimension;
use crate::indicator::{Indicator, Kind, Sensitivity};
use crate::lineage::{Before, Reading, Step};
use crate::plausibility::Rule;
use crate::regime::Regime;
use crate::unit::{Level, Map, NATION, Succession, Unit, UnitId};

/// Code and name of a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelName {
    /// Its code, as `commune`.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
}

/// A programme under which figures are reported. It is a mark on a figure, no part of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programme {
    /// Its code.
    pub code: String,
    /// Vietnamese title.
    pub title_vi: String,
    /// English title.
    pub title_en: String,
}

/// The answer to "which unit is this code on this day".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitLookup {
    /// This one.
    Found(UnitId),
    /// None on that day; these carried or carry the code at another time.
    OtherTime(Vec<UnitId>),
    /// No unit ever carried it.
    Unknown,
}

/// Everything that figures are checked against and rolled up by.
#[derive(Debug)]
pub struct Registry {
    levels: Vec<LevelName>,
    units: Vec<Unit>,
    by_code: FxHashMap<String, Vec<UnitId>>,
    by_key: FxHashMap<String, UnitId>,
    successions: Vec<Succession>,
    /// Places in `successions`, by the number of the unit that went.
    by_went: Vec<Vec<u32>>,
    /// Places in `successions`, by the number of the unit that came.
    by_came: Vec<Vec<u32>>,
    maps: Vec<Map>,
    /// Between each map and the next.
    steps: Vec<Step>,
    calendars: Vec<Arc<Calendar>>,
    dimensions: Vec<Dimension>,
    indicators: Vec<Arc<Indicator>>,
    indicator_by_code: FxHashMap<String, usize>,
    programmes: Vec<Programme>,
    rules: Vec<Rule>,
    regimes: Vec<Arc<Regime>>,
    /// Places in `regimes` of those that approve, by indicator.
    approving: FxHashMap<String, Vec<usize>>,
    stands: crate::rollup::Stands,
}

impl Registry {
    pub(crate) fn stands(&self) -> &crate::rollup::Stands {
        &self.stands
    }

    /// Rules of plausibility, by code.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Levels, the nation first.
    pub fn levels(&self) -> &[LevelName] {
        &self.levels
    }

    /// The code of a level.
    pub fn level_code(&self, level: Level) -> &str {
        self.levels.get(usize::from(level.0)).map_or("", |l| &l.code)
    }

    /// All units that ever were, by number.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// A unit by number.
    ///
    /// # Panics
    /// If the number is not of this registry.
    pub fn unit(&self, id: UnitId) -> &Unit {
        &self.units[id.0 as usize]
    }

    /// The unit that carries a code on a day.
    pub fn unit_on(&self, code: &str, day: Date) -> UnitLookup {
        let Some(ids) = self.by_code.get(code) else { return UnitLookup::Unknown };
        match ids.iter().find(|id| self.unit(**id).in_force(day)) {
            Some(id) => UnitLookup::Found(*id),
            None => UnitLookup::OtherTime(ids.clone()),
        }
    }

    /// The unit of a [key](Unit::key).
    pub fn unit_by_key(&self, key: &str) -> Option<UnitId> {
        self.by_key.get(key).copied()
    }

    /// The nation.
    ///
    /// # Panics
    /// Never: a registry without a nation is not built.
    pub fn nation(&self) -> UnitId {
        self.units.iter().find(|u| u.level == NATION).expect("a registry has a nation").id
    }

    /// All successions, by day and number.
    pub fn successions(&self) -> &[Succession] {
        &self.successions
    }

    /// Whether an indicator's figures and totals are for those alone who may read what is internal: its row says so, or
    /// that of an indicator that it is a ratio of.
    pub fn is_internal(&self, indicator: &Indicator) -> bool {
        let says_so = |indicator: &Indicator| indicator.sensitivity == Sensitivity::Internal;
        let part_says_so = |code: &String| self.indicator(code).is_some_and(|part| says_so(part));
        says_so(indicator)
            || match &indicator.kind {
                Kind::Flow | Kind::Stock => false,
                Kind::Ratio(of) => of.numerator.iter().chain(&of.denominator).any(part_says_so),
            }
    }

    /// What became of a unit when it went.
    pub fn successors(&self, unit: UnitId) -> impl Iterator<Item = &Succession> {
        self.links(&self.by_went, unit)
    }

    /// What a unit was made of when it came, and what it took up since, in order of time.
    pub fn predecessors(&self, unit: UnitId) -> impl Iterator<Item = &Succession> {
        self.links(&self.by_came, unit)
    }

    fn links<'r>(&'r self, index: &'r [Vec<u32>], unit: UnitId) -> impl Iterator<Item = &'r Succession> {
        let places = index.get(unit.0 as usize).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.successions[*place as usize])
    }

    /// The number of the map of a day; two days with one number have one map.
    pub fn epoch(&self, day: Date) -> usize {
        self.maps.partition_point(|m| m.from.is_none_or(|from| from <= day)) - 1
    }

    /// The map of a day.
    pub fn map_on(&self, day: Date) -> &Map {
        &self.maps[self.epoch(day)]
    }

    /// The maps in order of time; the first was always so.
    pub fn maps(&self) -> &[Map] {
        &self.maps
    }

    /// What a unit of a map was on the map before it; the first map has none before.
    pub fn before(&self, epoch: usize, unit: UnitId, reading: Reading) -> Before<'_> {
        self.step_to(epoch).map_or(Before::Same, |step| step.before(unit, reading))
    }

    /// The units of an earlier map that what is restated to a unit of a later one is put together from; the unit itself,
    /// where both are one map.
    pub fn goes_back_to(&self, unit: UnitId, told_on: usize, epoch: usize) -> BTreeSet<UnitId> {
        let mut out = BTreeSet::from([unit]);
        for step in (epoch + 1..=told_on).rev() {
            let mut earlier = BTreeSet::new();
            for unit in out {
                match self.before(step, unit, Reading::Restated) {
                    Before::Same => {
                        earlier.insert(unit);
                    }
                    Before::Of(sources) => earlier.extend(sources.iter().map(|s| s.unit)),
                }
            }
            out = earlier;
        }
        out
    }

    /// The unit of a map with which the cells of a unit of the map before it count.
    pub fn place(&self, epoch: usize, unit: UnitId) -> UnitId {
        self.step_to(epoch).map_or(unit, |step| step.place(unit))
    }

    /// The units of a map that go back to a unit of the map before it, in part or whole; none where it only went on as
    /// itself, or not at all.
    pub fn heirs(&self, epoch: usize, unit: UnitId) -> &[UnitId] {
        self.step_to(epoch).map_or(&[], |step| step.heirs(unit))
    }

    /// The units of a map that a unit of the map before it goes on as, itself included.
    pub(crate) fn goes_on_as(&self, epoch: usize, unit: UnitId, reading: Reading) -> Vec<UnitId> {
        let heirs = self.heirs(epoch, unit);
        if heirs.is_empty() {
            return if self.maps[epoch].has(unit) { vec![unit] } else { vec![] };
        }
        let goes_back = |heir: &&UnitId| match self.before(epoch, **heir, reading) {
            Before::Same => **heir == unit,
            Before::Of(sources) => sources.iter().any(|s| s.unit == unit),
        };
        heirs.iter().filter(goes_back).copied().collect()
    }

    fn step_to(&self, epoch: usize) -> Option<&Step> {
        epoch.checked_sub(1).and_then(|i| self.steps.get(i))
    }

    /// The unit on a map that its figures are kept with: the unit of the level below the nation that it lies
    /// in or is, or the nation itself.
    pub fn keeper(&self, unit: UnitId, day: Date) -> UnitId {
        self.keeper_on(unit, self.epoch(day))
    }

    /// The unit directly below the nation that a unit belongs to on a map; the nation for itself.
    pub fn keeper_on(&self, unit: UnitId, epoch: usize) -> UnitId {
        let nation = self.nation();
        self.maps[epoch].ancestry(unit).take_while(|u| *u != nation).last().unwrap_or(nation)
    }

    /// Whether figures stay where they are and mean what they meant when `next` replaces this registry: units,
    /// maps and calendars are as they were, and every indicator here is there unchanged. New indicators,
    /// dimensions, members, programmes and names move nothing.
    pub fn keeps_figures_in_place(&self, next: &Registry) -> bool {
        let lives = |r: &Registry| -> Vec<(UnitId, Level, Option<UnitId>, Date, Date)> {
            r.units.iter().map(|u| (u.id, u.level, u.parent, u.from(), u.to())).collect()
        };
        // What went on as what says how earlier figures are restated, also where every unit goes on.
        let links = |r: &Registry| -> Vec<(Date, UnitId, UnitId, u32)> {
            r.successions.iter().map(|s| (s.day, s.from, s.to, s.share)).collect()
        };
        lives(self) == lives(next) && links(self) == links(next) && self.keeps_meanings(next)
    }

    /// Whether what is said of a unit means the same when `next` replaces this registry, whichever units there are:
    /// calendars are as they were, and every indicator here is there unchanged.
    pub fn keeps_meanings(&self, next: &Registry) -> bool {
        let days = |r: &Registry| {
            r.calendars
                .iter()
                .map(|c| (c.code.clone(), c.days(crate::period::Period::Year(2000))))
                .collect::<HashMap<_, _>>()
        };
        let (before, after) = (days(self), days(next));
        let means = |i: &Indicator| Indicator {
            name_vi: String::new(),
            name_en: String::new(),
            unit_vi: String::new(),
            reporters: vec![],
            programmes: vec![],
            core: false,
            sensitivity: Sensitivity::Public,
            ..i.clone()
        };
        let same_kind = |d: &Dimension| next.dimension(&d.code).is_some_and(|n| n.kind == d.kind);
        before.iter().all(|(code, days)| after.get(code) == Some(days))
            && self.dimensions.iter().all(same_kind)
            && self.indicators.iter().all(|i| next.indicator(&i.code).is_some_and(|n| means(i) == means(n)))
    }

    /// Whether a unit collects what is collected at a level: it is of that level, or above it with nothing below
    /// that could report on that day (an island district).
    pub fn collects(&self, unit: UnitId, day: Date, collection: Level) -> bool {
        crate::unit::collects(self.map_on(day), &self.units, unit, collection)
    }

    /// A calendar by code.
    pub fn calendar(&self, code: &str) -> Option<&Arc<Calendar>> {
        self.calendars.iter().find(|c| c.code == code)
    }

    /// All calendars.
    pub fn calendars(&self) -> &[Arc<Calendar>] {
        &self.calendars
    }

    /// An indicator by its code or its short code.
    pub fn indicator(&self, code: &str) -> Option<&Arc<Indicator>> {
        self.indicator_by_code.get(code).map(|i| &self.indicators[*i])
    }

    /// All indicators, by code.
    pub fn indicators(&self) -> &[Arc<Indicator>] {
        &self.indicators
    }

    /// A dimension by code.
    pub fn dimension(&self, code: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.code == code)
    }

    /// All dimensions, by code.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// A programme by code.
    pub fn programme(&self, code: &str) -> Option<&Programme> {
        self.programmes.iter().find(|p| p.code == code)
    }

    /// All programmes, by code.
    pub fn programmes(&self) -> &[Programme] {
        &self.programmes
    }

    /// A reporting regime by code.
    pub fn regime(&self, code: &str) -> Option<&Arc<Regime>> {
        self.regimes.iter().find(|r| r.code == code)
    }

    /// All reporting regimes, by code.
    pub fn regimes(&self) -> &[Arc<Regime>] {
        &self.regimes
    }

    /// The regimes with approvals that an indicator, by its full code, is reported under.
    pub fn approving(&self, indicator: &str) -> impl Iterator<Item = &Arc<Regime>> {
        let places = self.approving.get(indicator).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.regimes[*place])
    }
}
