//! What is different between the maps of two days, unit by unit and both ways.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Part, Registry, Share};
use crate::unit::{Level, Unit, UnitId};

/// What became of a unit between two days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// It has another name or kind, and is the same unit.
    Renamed,
    /// It took up others or gave parts of itself away, and is the same unit.
    Redrawn,
    /// Its territory goes on undivided and unmixed as one other unit: under another parent or code.
    WentOn,
    /// It is no longer there.
    Ended,
    /// It was not there before.
    Began,
}

impl Change {
    /// All of them.
    pub const ALL: [Change; 5] =
        [Change::Renamed, Change::Redrawn, Change::WentOn, Change::Ended, Change::Began];

    /// The word for it.
    pub fn code(self) -> &'static str {
        match self {
            Change::Renamed => "renamed",
            Change::Redrawn => "redrawn",
            Change::WentOn => "went_on",
            Change::Ended => "ended",
            Change::Began => "began",
        }
    }
}

/// A unit that is not on both maps as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitChange {
    /// What became of it.
    pub change: Change,
    /// The unit: of the later map where it began there, else of the earlier.
    pub unit: UnitId,
    /// Of a unit of the earlier map whose territory is another's now, in part or whole: the units of the later map
    /// that hold it. Empty where none is known, and for one that began or was renamed.
    pub became: Vec<Part>,
    /// Of a unit of the later map that began or was redrawn: the units of the earlier map that it was made of.
    pub made_of: Vec<Part>,
    /// The unit that carries the same code on the other map for another territory.
    pub same_code: Option<UnitId>,
}

impl UnitChange {
    /// Whether the unit was divided among several.
    pub fn divided(&self) -> bool {
        self.change == Change::Ended && self.became.len() > 1
    }
}

/// How many units of a level are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelCounts {
    /// On the earlier map.
    pub before: u64,
    /// On the later.
    pub after: u64,
    /// On both as they were.
    pub unchanged: u64,
    /// By [`Change`], in its order.
    changed: [u64; 5],
    /// Of those that ended, divided among several.
    pub divided: u64,
    /// Of those that began, with a code that another territory carried on the earlier map.
    pub codes_reused: u64,
}

impl LevelCounts {
    /// How many a change became of.
    pub fn of(&self, change: Change) -> u64 {
        self.changed[change as usize]
    }
}

/// What is different between the maps of two days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDiff {
    /// The earlier day.
    pub from: Date,
    /// The later day.
    pub to: Date,
    /// Counts of every level that is on either map.
    pub levels: BTreeMap<Level, LevelCounts>,
    /// Units in order of level and code, of one code first what was.
    pub changes: Vec<UnitChange>,
}

impl Registry {
    /// What is different between the map of a day and the map of a later one.
    ///
    /// A unit whose territory went on as it was under another parent or code is one change, named by what it
    /// was. A change that was undone between the days is none.
    pub fn map_diff(&self, from: Date, to: Date) -> MapDiff {
        let on = |unit: &Unit, day: Date| unit.in_force(day);
        let mut changes = Vec::new();
        let mut levels: BTreeMap<Level, LevelCounts> = BTreeMap::new();
        for unit in self.units() {
            let (was, is) = (on(unit, from), on(unit, to));
            if !was && !is {
                continue;
            }
            let counts = levels.entry(unit.level).or_default();
            counts.before += u64::from(was);
            counts.after += u64::from(is);
            let change = match (was, is) {
                (true, true) => self.stayed(unit, from, to),
                (true, false) => Some(self.went(unit, from, to)),
                _ => self.came(unit, from, to),
            };
            match change {
                None => counts.unchanged += u64::from(was),
                Some(change) => {
                    counts.changed[change.change as usize] += 1;
                    counts.divided += u64::from(change.divided());
                    let reused = change.change == Change::Began && change.same_code.is_some();
                    counts.codes_reused += u64::from(reused);
                    changes.push(change);
                }
            }
        }
        changes.sort_by_cached_key(|c| {
            let unit = self.unit(c.unit);
            (unit.level, unit.code.clone(), c.change == Change::Began, unit.id)
        });
        MapDiff { from, to, levels, changes }
    }

    fn stayed(&self, unit: &Unit, from: Date, to: Date) -> Option<UnitChange> {
        let called = |day| unit.stage(day).map(|s| (&s.name, &s.kind));
        let whole = [Part { unit: unit.id, share: Some(Share::WHOLE) }];
        let (became, made_of) = (self.became(unit.id, from, to), self.made_of(unit.id, to, from));
        let (change, became, made_of) = if became != whole || made_of != whole {
            (Change::Redrawn, became, made_of)
        } else if called(from) != called(to) {
            (Change::Renamed, vec![], vec![])
        } else {
            return None;
        };
        Some(UnitChange { change, unit: unit.id, became, made_of, same_code: None })
    }

    fn went(&self, unit: &Unit, from: Date, to: Date) -> UnitChange {
        let became = self.became(unit.id, from, to);
        let whole = |unit| [Part { unit, share: Some(Share::WHOLE) }];
        let change = match became.as_slice() {
            [heir] if whole(heir.unit) == [*heir] && self.made_of(heir.unit, to, from) == whole(unit.id) => {
                Change::WentOn
            }
            _ => Change::Ended,
        };
        let same_code = self.carrier(&unit.code, to);
        let same_code = same_code.filter(|u| change == Change::Ended || became.iter().all(|p| p.unit != *u));
        UnitChange { change, unit: unit.id, became, made_of: vec![], same_code }
    }

    /// Nothing where the territory was one unit before that is no longer there, which says it.
    fn came(&self, unit: &Unit, from: Date, to: Date) -> Option<UnitChange> {
        let made_of = self.made_of(unit.id, to, from);
        if let [origin] = made_of.as_slice()
            && !self.unit(origin.unit).in_force(to)
            && origin.share == Some(Share::WHOLE)
        {
            return None;
        }
        let same_code = self.carrier(&unit.code, from);
        Some(UnitChange { change: Change::Began, unit: unit.id, became: vec![], made_of, same_code })
    }

    fn carrier(&self, code: &str, day: Date) -> Option<UnitId> {
        match self.unit_on(code, day) {
            super::UnitLookup::Found(unit) => Some(unit),
            _ => None,
        }
    }
}
