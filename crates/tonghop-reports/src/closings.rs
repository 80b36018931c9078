//! Which word on a period holds for a unit: whether its figures are taken.

use std::sync::Arc;

use jiff::Timestamp;
use tonghop_core::Date;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;

/// A word on whether figures of a unit and all below it are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The unit's code on the map of the period's last day.
    pub unit: String,
    /// Whether it closes; else it opens.
    pub closes: bool,
    /// Of one that opens: until when; none for good.
    pub until: Option<Timestamp>,
    /// The entry's position.
    pub position: i64,
    /// When it was received.
    pub at: Timestamp,
    /// Who said it; empty where nobody had to say.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
}

/// The words on one period, with the units they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<(UnitId, Closing)>);

impl Words {
    /// Of words first to last, and the period's last day. One on a unit that is not in force then holds for nothing.
    pub fn read(registry: &Registry, day: Date, closings: &[Closing]) -> Words {
        let with_unit = |closing: &Closing| match registry.unit_on(&closing.unit, day) {
            UnitLookup::Found(unit) => Some((unit, closing.clone())),
            UnitLookup::OtherTime(_) | UnitLookup::Unknown => None,
        };
        Words(closings.iter().filter_map(with_unit).collect())
    }

    /// The word that holds for a unit at a time: the last one said of it or of a unit above it whose time is not over.
    /// `above` is the unit itself and all above it.
    pub fn holding(&self, above: &[UnitId], now: Timestamp) -> Option<(UnitId, &Closing)> {
        let mut latest_first = self.0.iter().rev();
        let holds = |(unit, closing): &&(UnitId, Closing)| {
            above.contains(unit) && closing.until.is_none_or(|until| now < until)
        };
        latest_first.find(holds).map(|(unit, closing)| (*unit, closing))
    }

    /// When the last exception that was made for a unit since a position was over; none where there was none.
    pub fn exception_over(&self, above: &[UnitId], since: i64, now: Timestamp) -> Option<Timestamp> {
        let later = self.0.iter().rev().take_while(|(_, closing)| closing.position > since);
        let mut over =
            later.filter(|(unit, _)| above.contains(unit)).filter_map(|(_, closing)| closing.until);
        over.find(|until| *until <= now)
    }
}
