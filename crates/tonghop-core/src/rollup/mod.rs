//! From figures to totals, over units and over time.
//!
//! A total answers a rectangle, a unit and a period. It is either taken from a figure given for the whole
//! rectangle, or from its parts: the children over the same period, or the unit itself over the periods that
//! tile it. [`flow`] rolls up what adds over time, [`stock`] what does not; both end in [`Cell::settle`],
//! where the indicator's precedence decides. Which figures count depends on which are there, never on what
//! they say, so plain sums and the pairs of ratios go through the same code (see [`Amount`]).

mod below;
mod composed;
pub mod flow;
pub mod plain;
mod spans;
mod stands;
pub mod stock;
mod tilings;

pub use below::{Below, BelowSum};
pub use composed::composed;
pub use stands::Stand;
pub(crate) use stands::Stands;

use jiff::civil::Date;

use crate::figure::Stated;
use crate::indicator::{Indicator, Precedence};
use crate::quantity::{Amount, Sum};

/// Whether something is there, and with a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State<A> {
    /// Nothing was reported.
    #[default]
    Missing,
    /// It was reported that there is no value.
    NotAvailable,
    /// A value.
    Value(A),
}

impl<A: Amount> State<A> {
    /// Adds: what is missing changes nothing, and what is not available adds nothing to a value.
    pub fn add(&mut self, other: &State<A>) {
        match (&mut *self, other) {
            (_, State::Missing) | (State::Value(_), State::NotAvailable) => {}
            (State::Value(a), State::Value(b)) => a.add(b),
            (_, other) => *self = other.clone(),
        }
    }

    /// Whether anything was reported.
    pub fn is_there(&self) -> bool {
        !matches!(self, State::Missing)
    }

    /// The value, where there is one.
    pub fn value(&self) -> Option<&A> {
        match self {
            State::Value(a) => Some(a),
            State::Missing | State::NotAvailable => None,
        }
    }

    /// Whether there is a value.
    pub fn has_value(&self) -> bool {
        matches!(self, State::Value(_))
    }
}

impl From<Stated> for State<Sum> {
    fn from(stated: Stated) -> State<Sum> {
        match stated {
            Stated::Value(value, qualifier) => State::Value(Sum::of(value, qualifier)),
            Stated::NotAvailable => State::NotAvailable,
        }
    }
}

/// The oldest and the newest date of a stock's values.
pub type Dates = Option<(Date, Date)>;

/// Both ranges as one.
pub fn join_dates(a: Dates, b: Dates) -> Dates {
    match (a, b) {
        (Some((a0, a1)), Some((b0, b1))) => Some((a0.min(b0), a1.max(b1))),
        (dates, None) | (None, dates) => dates,
    }
}

/// A sum of parts, and the cells it speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts<A> {
    /// What they come to.
    pub state: State<A>,
    /// Cells covered.
    pub covered: u64,
    /// Covered cells without a value.
    pub unavailable: u64,
    /// Of a stock: dates of the values.
    pub dates: Dates,
    /// Whether a share of a divided unit is in it.
    pub estimated: bool,
    /// Of a stock: whether figures of units as they were before the map changed are in it.
    pub carried: bool,
}

impl<A: Amount> Parts<A> {
    /// Adds a child's or a tile's headline.
    fn add_headline(&mut self, cell: &Cell<A>) {
        if cell.headline.is_there() {
            self.state.add(&cell.headline);
            self.covered += cell.covered;
            self.unavailable += cell.unavailable;
            self.dates = join_dates(self.dates, cell.dates);
            self.estimated |= cell.estimated;
            self.carried |= cell.carried;
        }
    }

    /// Whether these cover more than others: more cells, or as many and with a value where those have none.
    /// `None` where neither does.
    fn covers_more(&self, other: &Parts<A>) -> Option<bool> {
        let rank = |p: &Parts<A>| (p.state.is_there(), p.covered, p.state.has_value());
        match rank(self).cmp(&rank(other)) {
            std::cmp::Ordering::Greater => Some(true),
            std::cmp::Ordering::Less => Some(false),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// What a headline was taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taken {
    /// There is none.
    #[default]
    Nowhere,
    /// The figure given for the whole rectangle.
    Whole,
    /// The parts.
    Parts,
}

/// Which parts were chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Along {
    /// The unit's own figure and its children, over the same period.
    #[default]
    Units,
    /// The unit itself, over the periods that tile this one.
    Time,
}

/// All that is known of one rectangle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell<A> {
    /// The unit's own activity.
    pub own: State<A>,
    /// The figure given for the whole.
    pub whole: State<A>,
    /// Of a stock: dates of the whole.
    pub whole_dates: Dates,
    /// The chosen parts.
    pub parts: Parts<A>,
    /// Which parts these are.
    pub along: Along,
    /// The headline.
    pub headline: State<A>,
    /// What it was taken from.
    pub taken: Taken,
    /// Cells for which an own figure is there.
    pub reported: u64,
    /// Cells the headline speaks for.
    pub covered: u64,
    /// Cells there are.
    pub expected: u64,
    /// Covered cells without a value.
    pub unavailable: u64,
    /// Of a stock: dates of the values in the headline.
    pub dates: Dates,
    /// Whether a share of a divided unit is in the headline: shares are estimates.
    pub estimated: bool,
    /// Of a stock: whether figures of units as they were before the map changed are in the headline.
    pub carried: bool,
    /// Whether the unit collects, so that its whole is its own figure.
    pub collects: bool,
    /// Whether values were given below that do not add up to one for this unit.
    pub not_aggregable: bool,
}

impl<A: Amount> Cell<A> {
    /// What the headline was taken from, and along what its parts are.
    pub fn way(&self) -> (Taken, Along) {
        (self.taken, self.along)
    }

    /// Whether the whole figure counts as covering its cells: a value does, and an own figure without one;
    /// a declaration without a value covers nothing.
    fn whole_covers(&self) -> bool {
        self.whole.has_value() || (self.collects && self.whole.is_there())
    }

    /// Takes the headline from whole or parts, by precedence. `stale` parts do not count as covering all.
    fn settle(&mut self, precedence: Precedence, stale: bool) {
        let complete = self.parts.covered == self.expected && !stale;
        let parts_there = if self.parts.state.is_there() { Taken::Parts } else { Taken::Nowhere };
        let parts_or_empty_whole = match parts_there {
            Taken::Nowhere if self.whole.is_there() => Taken::Whole,
            other => other,
        };
        self.taken = match precedence {
            Precedence::ComputedOnly if !self.collects => parts_there,
            Precedence::BottomUp | Precedence::ComputedOnly if self.parts.state.has_value() => {
                if complete || !self.whole.has_value() { Taken::Parts } else { Taken::Whole }
            }
            _ if self.whole.has_value() => Taken::Whole,
            _ => parts_or_empty_whole,
        };
        match self.taken {
            Taken::Nowhere => {}
            Taken::Parts => {
                self.headline = self.parts.state.clone();
                self.covered = self.parts.covered;
                self.unavailable = self.parts.unavailable;
                self.dates = self.parts.dates;
                (self.estimated, self.carried) = (self.parts.estimated, self.parts.carried);
            }
            Taken::Whole => {
                self.headline = self.whole.clone();
                self.covered = if self.whole_covers() { self.expected } else { 0 };
                self.unavailable = if self.whole.has_value() { 0 } else { self.covered };
                self.dates = self.whole_dates;
            }
        }
    }
}

impl<A: Amount> Cell<A> {
    /// For what does not add up over units: says so where there is something that does not.
    fn mark_not_aggregable(&mut self, indicator: &Indicator, below: &BelowSum<A>) {
        if !self.collects
            && !indicator.aggregable.over_units()
            && self.taken == Taken::Nowhere
            && (below.something || self.own.is_there())
        {
            self.not_aggregable = true;
            self.covered = below.covered;
            self.unavailable = below.unavailable;
            self.reported = below.reported;
        }
    }
}
