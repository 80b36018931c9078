//! Where the territory of a unit is on a later map, and where it was on an earlier one.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Registry, Share};
use crate::unit::{Succession, UnitId};

/// A unit that holds, or held, some of another's territory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The unit.
    pub unit: UnitId,
    /// How much of the unit that is earlier is in the one that is later, over all changes between them; none
    /// where it is finer than can be said exactly.
    pub share: Option<Share>,
}

/// Shares by unit.
type Shares = BTreeMap<UnitId, Option<Share>>;

fn gather(shares: &mut Shares, unit: UnitId, share: Option<Share>) {
    let sum = |known: &mut Option<Share>| {
        *known = known.zip(share).and_then(|(known, share)| known.and(share));
    };
    shares.entry(unit).and_modify(sum).or_insert(share);
}

impl Registry {
    /// Where the territory that a unit has on the map of `earlier` is on the map of `later`, in order of level and
    /// code: with the unit itself where it goes on, and with those that its successions lead to. Empty where it
    /// has none, and for a unit that is not in force on `earlier`.
    pub fn became(&self, unit: UnitId, earlier: Date, later: Date) -> Vec<Part> {
        let mut held = Shares::new();
        if self.unit(unit).in_force(earlier) {
            held.insert(unit, Some(Share::WHOLE));
        }
        let mut at = earlier;
        let given = |held: &Shares, at: Date| {
            let links = held.keys().flat_map(|u| self.successors(*u));
            links.map(|s| s.day).filter(|day| at < *day && *day <= later).min()
        };
        while let Some(day) = given(&held, at) {
            let mut next = Shares::new();
            for (from, share) in held {
                for (to, part) in self.passed_on(from, day) {
                    gather(&mut next, to, share.and_then(|s| s.of(part)));
                }
            }
            (held, at) = (next, day);
        }
        self.on_the_map(held, later)
    }

    /// Where the territory that a unit has on the map of `later` was on the map of `earlier`, in order of level and
    /// code: units of that map, each with the share of it that is in this one. The unit itself is among them where
    /// it was in force.
    pub fn made_of(&self, unit: UnitId, later: Date, earlier: Date) -> Vec<Part> {
        let mut held = Shares::new();
        if self.unit(unit).in_force(later) {
            held.insert(unit, Some(Share::WHOLE));
        }
        let mut until = later;
        let changed = |held: &Shares, until: Date| {
            let links = held.keys().flat_map(|u| self.predecessors(*u).chain(self.successors(*u)));
            links.map(|s| s.day).filter(|day| earlier < *day && *day <= until).max()
        };
        while let Some(day) = changed(&held, until) {
            let on_the_day = |s: &&Succession| s.day == day;
            let givers = held.keys().flat_map(|u| self.predecessors(*u).filter(on_the_day).map(|s| s.from));
            let mut before: Vec<UnitId> = givers.collect();
            before.extend(held.keys().filter(|u| self.unit(**u).from() < day));
            before.sort_unstable();
            before.dedup();
            let mut next = Shares::new();
            for from in before {
                for (to, part) in self.passed_on(from, day) {
                    if let Some(share) = held.get(&to) {
                        gather(&mut next, from, share.and_then(|s| part.of(s)));
                    }
                }
            }
            (held, until) = (next, day.yesterday().unwrap_or(earlier));
        }
        self.on_the_map(held, earlier)
    }

    /// What a unit passes on to which on a day: the whole to itself where nothing happens to it, and what it does not
    /// give away where it goes on.
    fn passed_on(&self, unit: UnitId, day: Date) -> Vec<(UnitId, Share)> {
        let links = self.successors(unit).filter(|s| s.day == day);
        let mut parts: Vec<(UnitId, u32)> = links.map(|s| (s.to, s.share)).collect();
        let kept = WHOLE.saturating_sub(parts.iter().map(|(_, share)| *share).sum());
        if kept > 0 && self.unit(unit).in_force(day) {
            parts.push((unit, kept));
        }
        parts.into_iter().map(|(to, share)| (to, Share::of_millionths(share))).collect()
    }

    fn on_the_map(&self, held: Shares, day: Date) -> Vec<Part> {
        let there = held.into_iter().filter(|(unit, _)| self.unit(*unit).in_force(day));
        let mut parts: Vec<Part> = there.map(|(unit, share)| Part { unit, share }).collect();
        parts.sort_by_cached_key(|p| {
            let unit = self.unit(p.unit);
            (unit.level, unit.code.clone(), unit.id)
        });
        parts
    }
}

/// All of a unit, in millionths.
const WHOLE: u32 = 1_000_000;
