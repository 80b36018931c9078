//! Where the territory of a unit is on a later map, and where it was on an earlier one.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Registry, Share};
use crate::unit::{Succession, Unit, UnitId};

/// A unit that holds, or held, some of another's territory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The unit.
    pub unit: UnitId,
    /// How much of the unit that is earlier is in the one that is later, over all changes between them; none
    /// where it is finer than can be said exactly.
    pub share: Option<Share>,
}

/// Shares that come together on one unit along several ways.
type Shares = BTreeMap<(Date, UnitId), Option<Share>>;

fn gather(shares: &mut Shares, at: (Date, UnitId), share: Option<Share>) {
    let sum = |known: &mut Option<Share>| {
        *known = known.zip(share).and_then(|(known, share)| known.and(share));
    };
    shares.entry(at).and_modify(sum).or_insert(share);
}

fn passed_on(share: Option<Share>, link: &Succession) -> Option<Share> {
    share.and_then(|s| s.of(Share::of_millionths(link.share)))
}

impl Registry {
    /// Where the territory that a unit had when it went is on the map of a day: the unit itself while it is in
    /// force, else those that its successions lead to, in order of level and code. Empty where it has none, and
    /// for a day before the unit.
    pub fn heirs(&self, unit: UnitId, day: Date) -> Vec<Part> {
        let mut found = Vec::new();
        // By the day on which they went, so that all ways into a unit are known before it is passed on.
        let mut open = Shares::from([((self.unit(unit).to(), unit), Some(Share::WHOLE))]);
        while let Some(((went, at), share)) = open.pop_first() {
            let known = self.unit(at);
            if known.in_force(day) {
                found.push(Part { unit: at, share });
            } else if went <= day {
                for link in self.successors(at) {
                    gather(&mut open, (self.unit(link.to).to(), link.to), passed_on(share, link));
                }
            }
        }
        self.in_order(found)
    }

    /// Where the territory that a unit has on the map of `later` was on the map of `earlier`: units of that
    /// map, each with the share of it that is in this one, in order of level and code. The unit itself is among
    /// them where it was in force.
    pub fn origins(&self, unit: UnitId, later: Date, earlier: Date) -> Vec<Part> {
        let mut found = Vec::new();
        let mut open = Shares::from([((self.unit(unit).to(), unit), Some(Share::WHOLE))]);
        while let Some(((_, at), share)) = open.pop_last() {
            let known = self.unit(at);
            if known.in_force(earlier) {
                found.push(Part { unit: at, share });
            }
            for link in self.predecessors(at).filter(|s| earlier < s.day && s.day <= later) {
                gather(&mut open, (self.unit(link.from).to(), link.from), passed_on(share, link));
            }
        }
        self.in_order(found)
    }

    /// The unit of another number that has the territory of this one on the day it went, no more and no less;
    /// none where it was divided, merged or left without a successor.
    pub fn goes_on_as(&self, unit: UnitId) -> Option<UnitId> {
        let only = |links: &mut dyn Iterator<Item = &Succession>| {
            let first = links.next().map(|l| (l.from, l.to));
            if links.next().is_some() { None } else { first }
        };
        let (_, heir) = only(&mut self.successors(unit))?;
        let begins = self.unit(heir).from() == self.unit(unit).to();
        let at_once = |link: &&Succession| link.day == self.unit(heir).from();
        let (origin, _) = only(&mut self.predecessors(heir).filter(at_once))?;
        (begins && origin == unit).then_some(heir)
    }

    fn in_order(&self, mut parts: Vec<Part>) -> Vec<Part> {
        let rank = |unit: &Unit| (unit.level, unit.code.clone(), unit.id);
        parts.sort_by_cached_key(|p| rank(self.unit(p.unit)));
        parts
    }
}
