//! What the units directly below one come to together.

use super::{Cell, Parts, State};
use crate::quantity::{Amount, Qualifier, Sum};

/// Sums over the children of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BelowSum<A> {
    pub(super) parts: Parts<A>,
    pub(super) reported: u64,
    pub(super) covered: u64,
    pub(super) unavailable: u64,
    pub(super) something: bool,
}

impl<A: Amount> Default for BelowSum<A> {
    fn default() -> Self {
        BelowSum { parts: Parts::default(), reported: 0, covered: 0, unavailable: 0, something: false }
    }
}

impl<A: Amount> BelowSum<A> {
    /// Adds a child.
    pub(super) fn add(&mut self, child: &Cell<A>) {
        self.parts.add_headline(child);
        self.reported += child.reported;
        self.covered += child.covered;
        self.unavailable += child.unavailable;
        self.something |= child.headline.is_there() || child.not_aggregable;
    }
}

/// The same kept up while cells of children come, change and go, so that a change of one costs no look at the others.
///
/// Everything is counted, so that what was added can be taken away again. Dates cannot be: where a cell has any, there
/// is no [sum](Self::sum).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Below {
    value: i128,
    exact: i128,
    /// Values, by qualifier.
    values: [u64; 4],
    /// Headlines without a value.
    not_available: u64,
    /// Of the children with a headline: cells covered, and those of them without a value.
    covered_there: u64,
    unavailable_there: u64,
    estimated: u64,
    carried: u64,
    /// Of all children.
    reported: u64,
    covered: u64,
    unavailable: u64,
    something: u64,
    dated: u64,
}

/// The cell of a child on its way into a sum, or out of it.
type Step<T> = fn(&mut T, T);

impl Below {
    /// Adds a child's cell.
    pub fn add(&mut self, cell: &Cell<Sum>) {
        self.step(cell, |all, one| *all += one, |all, one| *all += one);
    }

    /// Takes away a child's cell that was added.
    pub fn take(&mut self, cell: &Cell<Sum>) {
        self.step(cell, |all, one| *all -= one, |all, one| *all -= one);
    }

    fn step(&mut self, cell: &Cell<Sum>, count: Step<u64>, amount: Step<i128>) {
        match &cell.headline {
            State::Missing => {}
            State::NotAvailable => count(&mut self.not_available, 1),
            State::Value(sum) => {
                amount(&mut self.value, sum.value);
                amount(&mut self.exact, sum.exact);
                count(&mut self.values[sum.qualifier as usize], 1);
            }
        }
        if cell.headline.is_there() {
            count(&mut self.covered_there, cell.covered);
            count(&mut self.unavailable_there, cell.unavailable);
            count(&mut self.estimated, cell.estimated.into());
            count(&mut self.carried, cell.carried.into());
            count(&mut self.dated, cell.dates.is_some().into());
        }
        count(&mut self.reported, cell.reported);
        count(&mut self.covered, cell.covered);
        count(&mut self.unavailable, cell.unavailable);
        count(&mut self.something, (cell.headline.is_there() || cell.not_aggregable).into());
    }

    /// What a roll-up of the unit above takes of its children; nothing where they have dates.
    pub fn sum(&self) -> Option<BelowSum<Sum>> {
        if self.dated > 0 {
            return None;
        }
        let there = Qualifier::ALL.into_iter().zip(self.values).filter(|(_, many)| *many > 0);
        let state = match there.map(|(qualifier, _)| qualifier).reduce(Qualifier::and) {
            Some(qualifier) => State::Value(Sum { value: self.value, exact: self.exact, qualifier }),
            None if self.not_available > 0 => State::NotAvailable,
            None => State::Missing,
        };
        Some(BelowSum {
            parts: Parts {
                state,
                covered: self.covered_there,
                unavailable: self.unavailable_there,
                dates: None,
                estimated: self.estimated > 0,
                carried: self.carried > 0,
            },
            reported: self.reported,
            covered: self.covered,
            unavailable: self.unavailable,
            something: self.something > 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollup::Taken;

    fn cell(seed: u64) -> Cell<Sum> {
        let value =
            |q| State::Value(Sum { value: i128::from(seed * 7), exact: i128::from(seed * 3), qualifier: q });
        let headline = match seed % 7 {
            0 => State::Missing,
            1 => State::NotAvailable,
            n => value(Qualifier::ALL[n as usize % 4]),
        };
        let there = headline.is_there();
        Cell {
            taken: if there { Taken::Parts } else { Taken::Nowhere },
            headline,
            reported: seed % 5,
            covered: seed % 11,
            expected: seed % 13,
            unavailable: seed % 3,
            estimated: there && seed.is_multiple_of(6),
            carried: there && seed.is_multiple_of(10),
            not_aggregable: !there && seed.is_multiple_of(4),
            ..Cell::default()
        }
    }

    fn one_by_one<'c>(cells: impl Iterator<Item = &'c Cell<Sum>>) -> BelowSum<Sum> {
        let mut sum = BelowSum::default();
        cells.for_each(|cell| sum.add(cell));
        sum
    }

    #[test]
    fn what_is_kept_up_is_what_is_added_one_by_one_whatever_came_and_went() {
        let mut held: Vec<Cell<Sum>> = Vec::new();
        let mut below = Below::default();
        let mut seed = 1_u64;
        for _ in 0..2000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let turn = seed >> 33;
            if turn.is_multiple_of(3) && !held.is_empty() {
                below.take(&held.swap_remove((turn / 3) as usize % held.len()));
            } else {
                let new = cell(turn % 1000);
                below.add(&new);
                held.push(new);
            }
            assert_eq!(below.sum(), Some(one_by_one(held.iter())));
        }
        held.iter().for_each(|cell| below.take(cell));
        assert_eq!(below, Below::default());
    }

    #[test]
    fn dates_are_for_who_adds_one_by_one() {
        let day = jiff::civil::date(2024, 12, 31);
        let mut dated = cell(5);
        dated.dates = Some((day, day));
        let mut below = Below::default();
        below.add(&dated);
        assert_eq!(below.sum(), None);
        below.take(&dated);
        assert_eq!(below.sum(), Some(BelowSum::default()));
    }
}
