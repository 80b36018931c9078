//! What became of units when the map changed, and what units were before.
//!
//! Every change of map is a step from one map to the next. At a step a unit goes on as itself, or as its heirs by
//! the successions of the day, or not at all. Two readings of a step are kept (docs/semantics.md §7):
//!
//! - [`Reading::Restated`] follows every succession of one level: by it a unit of a later map is told for a period
//!   of an earlier one.
//! - [`Reading::WithPast`] follows only heirs that lie below what became of the unit above, and gives every cell to
//!   exactly one of them: by it a period that a change falls into is read without counting anything twice.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::unit::{Map, Succession, Unit, UnitId};

/// The whole of a unit, in millionths.
pub const WHOLE: u32 = 1_000_000;

/// How a step between two maps is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reading {
    /// Level by level along every succession.
    Restated,
    /// Along the heirs that lie below what became of the unit above.
    WithPast,
}

/// A unit of the map before that a unit of the next map goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The unit.
    pub unit: UnitId,
    /// Shares of all its heirs in order of code, in millionths; they sum to [`WHOLE`].
    pub shares: Arc<[u32]>,
    /// Which of the shares is this heir's.
    pub at: usize,
    /// Whether the cells of the source count with this heir. Restated they count with every heir.
    pub with_cells: bool,
}

impl Source {
    /// A unit that goes on whole.
    fn whole(unit: UnitId) -> Source {
        Source { unit, shares: Arc::from([WHOLE]), at: 0, with_cells: true }
    }

    /// Whether all of the source is in this heir.
    pub fn is_whole(&self) -> bool {
        self.shares[self.at] == WHOLE
    }
}

/// How much of a unit went on as another over several changes, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Portion {
    value: u128,
    millionths: u32,
}

impl Portion {
    /// All of it.
    pub const WHOLE: Portion = Portion { value: 1, millionths: 0 };

    /// This portion of a share in millionths. After six divisions what is finer is cut.
    #[must_use]
    pub fn of(self, share: u32) -> Portion {
        if share == WHOLE {
            return self;
        }
        if self.millionths == 6 {
            return Portion { value: self.value / u128::from(WHOLE) * u128::from(share), ..self };
        }
        Portion { value: self.value * u128::from(share), millionths: self.millionths + 1 }
    }

    /// Both portions together.
    pub fn add(&mut self, mut other: Portion) {
        let finest = self.millionths.max(other.millionths);
        for portion in [&mut *self, &mut other] {
            portion.value *= u128::from(WHOLE).pow(finest - portion.millionths);
            portion.millionths = finest;
        }
        self.value += other.value;
    }
}

/// As a decimal without zeros at its end: `1`, `0.6`.
impl std::fmt::Display for Portion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let one = u128::from(WHOLE).pow(self.millionths);
        let digits = format!("{:0width$}", self.value % one, width = 6 * self.millionths as usize);
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        write!(f, "{}{point}{digits}", self.value / one)
    }
}

/// What a unit was on the map before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before<'a> {
    /// Itself, and nothing else.
    Same,
    /// Made of these; of none where it was made of nothing.
    Of(&'a [Source]),
}

impl Before<'_> {
    /// The one unit whose territory this is, under another number.
    pub fn renumbered(self) -> Option<UnitId> {
        match self {
            Before::Of([only]) if only.is_whole() => Some(only.unit),
            Before::Same | Before::Of(_) => None,
        }
    }
}

/// The step from one map to the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    restated: HashMap<UnitId, Vec<Source>>,
    with_past: HashMap<UnitId, Vec<Source>>,
    /// Units of the map before whose cells count elsewhere on the next one.
    moved: HashMap<UnitId, UnitId>,
    /// The other way round: which units a unit of the map before went on as, in part or whole.
    heirs: HashMap<UnitId, Vec<UnitId>>,
}

impl Step {
    /// The step between two maps that follow one another, by the successions of the day.
    pub(crate) fn between(units: &[Unit], before: &Map, after: &Map, successions: &[Succession]) -> Step {
        let mut out: HashMap<UnitId, BTreeMap<UnitId, u32>> = HashMap::new();
        for s in successions.iter().filter(|s| Some(s.day) == after.from) {
            *out.entry(s.from).or_default().entry(s.to).or_default() += s.share;
        }
        let divided: HashSet<UnitId> = out.keys().copied().collect();
        let mut step = Step::default();
        let mut all: Vec<&Unit> = units.iter().filter(|u| before.has(u.id)).collect();
        // What became of the unit above is known first.
        all.sort_by(|a, b| (a.level, &a.code).cmp(&(b.level, &b.code)));
        for unit in all {
            let goes_on = after.has(unit.id);
            let mut heirs: Vec<_> = out.remove(&unit.id).unwrap_or_default().into_iter().collect();
            if goes_on && heirs.is_empty() {
                continue;
            }
            if goes_on {
                let gone: u32 = heirs.iter().map(|(_, share)| *share).sum();
                heirs.push((unit.id, WHOLE.saturating_sub(gone)));
            }
            heirs.retain(|(_, share)| *share > 0);
            heirs.sort_by(|(a, _), (b, _)| code(units, *a).cmp(&code(units, *b)));
            step.unit_becomes(units, before, after, unit, goes_on, &heirs);
        }
        step.add_those_that_go_on(before, after, &divided);
        step
    }

    fn unit_becomes(
        &mut self,
        units: &[Unit],
        before: &Map,
        after: &Map,
        unit: &Unit,
        goes_on: bool,
        heirs: &[(UnitId, u32)],
    ) {
        // Of one level, or a unit with nothing below that counted as one of that level (an island district).
        let of_one_level = |heir: UnitId| {
            let level = units[heir.0 as usize].level;
            let is_leaf = || !before.children(unit.id).iter().any(|c| units[c.0 as usize].level <= level);
            level == unit.level || (unit.level < level && is_leaf())
        };
        let shares: Arc<[u32]> = heirs.iter().map(|(_, share)| *share).collect();
        for (at, (heir, _)) in heirs.iter().enumerate().filter(|(_, (h, _))| of_one_level(*h)) {
            let source = Source { unit: unit.id, shares: Arc::clone(&shares), at, with_cells: true };
            self.restated.entry(*heir).or_default().push(source);
            self.heirs.entry(unit.id).or_default().push(*heir);
        }

        let above = before.parent(unit.id).map(|parent| self.place(parent));
        let below_it = |heir: UnitId| match above {
            Some(above) => after.ancestry(heir).skip(1).any(|u| u == above),
            None => heir == unit.id,
        };
        let mut line: Vec<(UnitId, u32)> =
            heirs.iter().copied().filter(|(h, _)| of_one_level(*h) && below_it(*h)).collect();
        let largest = line.iter().enumerate().min_by_key(|(i, (_, share))| (std::cmp::Reverse(*share), *i));
        let keeps_cells = line.iter().position(|(h, _)| goes_on && *h == unit.id).or(largest.map(|(i, _)| i));
        let Some(keeps_cells) = keeps_cells else {
            // It lies nowhere below: its cells stay with what became of the unit above.
            if let Some(above) = above
                && !goes_on
            {
                self.moved.insert(unit.id, above);
            }
            return;
        };
        // What went out of line counts where the cells count, so that nothing is lost and nothing counts twice.
        let in_line: u32 = line.iter().map(|(_, share)| *share).sum();
        line[keeps_cells].1 += WHOLE - in_line;
        if line[keeps_cells].0 != unit.id {
            self.moved.insert(unit.id, line[keeps_cells].0);
        }
        let shares: Arc<[u32]> = line.iter().map(|(_, share)| *share).collect();
        for (at, (heir, _)) in line.iter().enumerate() {
            let shares = Arc::clone(&shares);
            let source = Source { unit: unit.id, shares, at, with_cells: at == keeps_cells };
            self.with_past.entry(*heir).or_default().push(source);
        }
    }

    /// A unit that goes on and takes others in is made of itself as well; one that is new is made of nothing else.
    fn add_those_that_go_on(&mut self, before: &Map, after: &Map, divided: &HashSet<UnitId>) {
        for made_of in [&mut self.restated, &mut self.with_past] {
            for (unit, sources) in made_of.iter_mut() {
                if before.has(*unit) && !divided.contains(unit) {
                    sources.push(Source::whole(*unit));
                    self.heirs.insert(*unit, vec![*unit]);
                }
                sources.sort_by_key(|s| s.unit);
            }
        }
        for unit in after.units().filter(|u| !before.has(*u) || divided.contains(u)) {
            self.restated.entry(unit).or_default();
            self.with_past.entry(unit).or_default();
        }
    }

    /// What a unit of the next map was.
    pub(crate) fn before(&self, unit: UnitId, reading: Reading) -> Before<'_> {
        let made_of = match reading {
            Reading::Restated => &self.restated,
            Reading::WithPast => &self.with_past,
        };
        made_of.get(&unit).map_or(Before::Same, |sources| Before::Of(sources))
    }

    /// The unit of the next map with which the cells of a unit of the map before count.
    pub(crate) fn place(&self, unit: UnitId) -> UnitId {
        self.moved.get(&unit).copied().unwrap_or(unit)
    }

    /// The units of the next map that go back to a unit of the map before; of one that went on as itself and nothing
    /// else there are none here.
    pub(crate) fn heirs(&self, unit: UnitId) -> &[UnitId] {
        self.heirs.get(&unit).map_or(&[], Vec::as_slice)
    }
}

fn code(units: &[Unit], unit: UnitId) -> (&str, UnitId) {
    (&units[unit.0 as usize].code, unit)
}

/// Whole numbers that sum to `value`, in proportion to shares that sum to [`WHOLE`], by largest remainder; of
/// equal remainders the earlier goes first.
pub fn apportion(value: i128, shares: &[u32]) -> Vec<i128> {
    let whole = i128::from(WHOLE);
    let mut out: Vec<i128> = shares.iter().map(|s| (value * i128::from(*s)).div_euclid(whole)).collect();
    let left = usize::try_from(value - out.iter().sum::<i128>()).unwrap_or(0);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse((value * i128::from(shares[*i])).rem_euclid(whole)));
    for i in order.into_iter().take(left) {
        out[i] += 1;
    }
    out
}

/// The days on which the map, or what a unit is made of, changes.
pub(crate) fn days_of_change(units: &[Unit], successions: &[Succession]) -> BTreeSet<Date> {
    let mut days: BTreeSet<Date> = successions.iter().map(|s| s.day).collect();
    for unit in units {
        days.extend([unit.from(), unit.to()]);
    }
    days.remove(&Date::MIN);
    days.remove(&Date::MAX);
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_exact_decimals() {
        let shown = |portion: Portion| portion.to_string();
        assert_eq!(shown(Portion::WHOLE), "1");
        assert_eq!(shown(Portion::WHOLE.of(600_000)), "0.6");
        assert_eq!(shown(Portion::WHOLE.of(600_000).of(1)), "0.0000006");
        let mut both = Portion::WHOLE.of(600_000);
        both.add(Portion::WHOLE.of(400_000));
        assert_eq!(shown(both), "1");
    }

    #[test]
    fn whole_units_are_apportioned_by_largest_remainder() {
        assert_eq!(apportion(10, &[600_000, 400_000]), [6, 4]);
        assert_eq!(apportion(7, &[600_000, 400_000]), [4, 3]);
        // Of equal remainders the earlier goes first.
        assert_eq!(apportion(1, &[500_000, 500_000]), [1, 0]);
        assert_eq!(apportion(2, &[340_000, 330_000, 330_000]), [1, 1, 0]);
        assert_eq!(apportion(0, &[600_000, 400_000]), [0, 0]);
        assert_eq!(apportion(5, &[WHOLE]), [5]);
    }
}
