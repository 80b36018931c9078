//! What is given or totalled for a rectangle: nothing, "not available" or a value (§2).

use tonghop_core::Date;
use tonghop_core::quantity::Amount;

/// Missing is the absence of a figure; zero is a value (§2).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum State<A> {
    /// Nothing is there.
    #[default]
    Missing,
    /// What is there has no value.
    NotAvailable,
    /// A value.
    Value(A),
}

impl<A: Amount> State<A> {
    /// Anything but missing.
    pub(super) fn is_there(&self) -> bool {
        *self != State::Missing
    }

    /// The value, where there is one.
    pub(super) fn value(&self) -> Option<&A> {
        match self {
            State::Value(value) => Some(value),
            State::Missing | State::NotAvailable => None,
        }
    }

    /// The sum: missing is neutral, and not available yields to a value (reading 3).
    pub(super) fn plus(self, other: State<A>) -> State<A> {
        match (self, other) {
            (State::Value(mut a), State::Value(b)) => {
                a.add(&b);
                State::Value(a)
            }
            (State::Value(a), _) | (_, State::Value(a)) => State::Value(a),
            (State::NotAvailable, _) | (_, State::NotAvailable) => State::NotAvailable,
            (State::Missing, State::Missing) => State::Missing,
        }
    }
}

/// A state, and of a stock the oldest and newest date of the values in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given<A> {
    pub(super) state: State<A>,
    pub(super) dates: Option<(Date, Date)>,
}

impl<A> Default for Given<A> {
    fn default() -> Self {
        Given { state: State::Missing, dates: None }
    }
}

impl<A: Amount> Given<A> {
    /// The sum, with the dates of both.
    pub(super) fn plus(self, other: Given<A>) -> Given<A> {
        Given { state: self.state.plus(other.state), dates: both(self.dates, other.dates) }
    }

    /// Whether a value is there.
    pub(super) fn has_value(&self) -> bool {
        self.state.value().is_some()
    }
}

/// The oldest and newest of two pairs of dates.
pub(super) fn both(a: Option<(Date, Date)>, b: Option<(Date, Date)>) -> Option<(Date, Date)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}
