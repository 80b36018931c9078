//! Every report with all that happened to it, and every word on closed periods.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use tonghop_core::period::Period;
use tonghop_core::regime::State;
use tonghop_core::registry::Registry;
use tonghop_core::unit::Level;
use tonghop_proto::ledger::ReportRecord;

use crate::Closing;

/// What an entry says that became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated {
    /// It is open again.
    Open,
    /// It was given back.
    Returned,
    /// It was handed in.
    Submitted,
    /// The level of this code approved it.
    Approved(Arc<str>),
    /// The last that approves has.
    Published,
}

impl Stated {
    /// The code used on the wire and in the ledger.
    pub fn code(&self) -> &'static str {
        match self {
            Stated::Open => "open",
            Stated::Returned => "returned",
            Stated::Submitted => "submitted",
            Stated::Approved(_) => "approved",
            Stated::Published => "published",
        }
    }

    /// The code of the level that approved it last; empty where that is not said.
    pub fn level(&self) -> &str {
        match self {
            Stated::Approved(level) => level,
            Stated::Open | Stated::Returned | Stated::Submitted | Stated::Published => "",
        }
    }

    /// By its codes.
    pub fn of_codes(state: &str, level: &str) -> Option<Stated> {
        Some(match state {
            "open" => Stated::Open,
            "returned" => Stated::Returned,
            "submitted" => Stated::Submitted,
            "approved" => Stated::Approved(level.into()),
            "published" => Stated::Published,
            _ => return None,
        })
    }

    /// As the core has it; none where the registry has no such level.
    pub fn state(&self, registry: &Registry) -> Option<State> {
        Some(match self {
            Stated::Open => State::Open,
            Stated::Returned => State::Returned,
            Stated::Submitted => State::Submitted,
            Stated::Published => State::Published,
            Stated::Approved(code) => {
                let at = registry.levels().iter().position(|level| *level.code == **code)?;
                State::Approved(Level(u8::try_from(at).ok()?))
            }
        })
    }
}

/// Something that happened to a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The entry's position.
    pub position: i64,
    /// When it was received.
    pub at: Timestamp,
    /// Who did it; empty where nobody had to say.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// What became of it.
    pub stated: Stated,
}

/// The reports of one regime for one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OfPeriod {
    /// By the unit's code on the map of the period's last day, first to last.
    units: BTreeMap<String, Vec<Event>>,
    /// First to last.
    closings: Vec<Closing>,
}

/// An entry on reports that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entry at position {position} says nothing of reports that can be read: {what}")]
pub struct Malformed {
    position: i64,
    what: String,
}

/// What an entry says of some units.
enum Said {
    /// That their period is closed, or opened again.
    Closing { closes: bool },
    /// How their reports are.
    Stated(Stated),
}

impl Said {
    fn of_codes(state: &str, level: &str) -> Option<Said> {
        match state {
            "closed" => Some(Said::Closing { closes: true }),
            "opened" => Some(Said::Closing { closes: false }),
            _ => Stated::of_codes(state, level).map(Said::Stated),
        }
    }
}

/// All reports, and all words on closed periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    position: i64,
    periods: HashMap<(String, Period), OfPeriod>,
}

impl Reports {
    /// The position of the last entry that is in.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Nothing between the last entry that is in and this position says anything of reports.
    pub fn reach(&mut self, position: i64) {
        self.position = self.position.max(position);
    }

    /// Takes an entry of the ledger, each once and in their order.
    ///
    /// # Errors
    /// Where it makes no sense.
    pub fn apply(
        &mut self,
        position: i64,
        at: Timestamp,
        by: &str,
        record: ReportRecord,
    ) -> Result<(), Malformed> {
        let malformed = |what: &str| Malformed { position, what: what.to_owned() };
        let period = Period::parse(&record.period).map_err(|e| malformed(&e.to_string()))?;
        let until = match record.until.as_str() {
            "" => None,
            text => Some(text.parse::<Timestamp>().map_err(|e| malformed(&e.to_string()))?),
        };
        let (by, reason): (Arc<str>, Arc<str>) = (by.into(), record.reason.into());
        let said = record.groups.into_iter().map(|group| {
            let said = Said::of_codes(&group.state, &group.level);
            said.map(|said| (said, group.units)).ok_or_else(|| malformed("no such state"))
        });
        // All of it is looked at before any of it is taken.
        let said = said.collect::<Result<Vec<_>, _>>()?;
        let of_period = self.periods.entry((record.regime, period)).or_default();
        for (said, units) in said {
            for unit in units {
                let (by, reason) = (Arc::clone(&by), Arc::clone(&reason));
                match &said {
                    Said::Closing { closes } => {
                        let closes = *closes;
                        of_period.closings.push(Closing { unit, closes, until, position, at, by, reason });
                    }
                    Said::Stated(stated) => {
                        let stated = stated.clone();
                        of_period.units.entry(unit).or_default().push(Event {
                            position,
                            at,
                            by,
                            reason,
                            stated,
                        });
                    }
                }
            }
        }
        self.position = position;
        Ok(())
    }

    /// All that happened to a unit's report up to a position, first to last.
    pub fn history(&self, regime: &str, period: Period, unit: &str, up_to: i64) -> &[Event] {
        let found = self.of(regime, period).and_then(|of| of.units.get(unit));
        let all = found.map_or(&[][..], Vec::as_slice);
        &all[..all.partition_point(|event| event.position <= up_to)]
    }

    /// By code of the unit, the positions of the last approvals that stand as of a position: of the reports that are
    /// published then.
    pub fn published(&self, regime: &str, period: Period, up_to: i64) -> impl Iterator<Item = (&str, i64)> {
        let units = self.of(regime, period).into_iter().flat_map(|of| &of.units);
        units.filter_map(move |(unit, events)| {
            let last = events[..events.partition_point(|event| event.position <= up_to)].last()?;
            (last.stated == Stated::Published).then_some((unit.as_str(), last.position))
        })
    }

    /// The words on whether figures of a period are taken, first to last.
    pub fn closings(&self, regime: &str, period: Period) -> &[Closing] {
        self.of(regime, period).map_or(&[], |of| &of.closings)
    }

    /// Every regime and period that there is a word on, with the words.
    pub fn all_closings(&self) -> impl Iterator<Item = (&str, Period, &[Closing])> {
        let all = self.periods.iter().filter(|(_, of)| !of.closings.is_empty());
        all.map(|((regime, period), of)| (regime.as_str(), *period, of.closings.as_slice()))
    }

    fn of(&self, regime: &str, period: Period) -> Option<&OfPeriod> {
        // Regimes are few, and codes short.
        self.periods.get(&(regime.to_owned(), period))
    }
}

#[cfg(test)]
mod tests {
    use tonghop_proto::ledger::ReportGroup;

    use super::*;

    fn record(act: &str, state: &str, level: &str, units: &[&str]) -> ReportRecord {
        ReportRecord {
            act: act.into(),
            regime: "r".into(),
            period: "2024-M05".into(),
            groups: vec![ReportGroup {
                state: state.into(),
                level: level.into(),
                units: units.iter().map(|u| (*u).to_owned()).collect(),
            }],
            ..ReportRecord::default()
        }
    }

    #[test]
    fn what_stands_is_what_was_said_last_up_to_a_position() {
        let (mut reports, month) = (Reports::default(), Period::Month(2024, 5));
        let said = [
            record("submit", "submitted", "", &["a", "b"]),
            record("approve", "published", "", &["a", "b"]),
            record("return", "returned", "", &["b"]),
        ];
        for (at, record) in said.into_iter().enumerate() {
            reports.apply(3 + at as i64, Timestamp::UNIX_EPOCH, "key:x", record).expect("read");
        }
        let published = |up_to| reports.published("r", month, up_to).collect::<Vec<_>>();
        assert_eq!(published(3), []);
        assert_eq!(published(4), [("a", 4), ("b", 4)]);
        assert_eq!(published(5), [("a", 4)]);
        assert_eq!(reports.history("r", month, "b", 4).len(), 2);
        assert_eq!(reports.history("r", month, "c", 9), []);
        assert_eq!(reports.history("s", month, "a", 9), []);
        let nonsense = reports.apply(9, Timestamp::UNIX_EPOCH, "", record("submit", "lost", "", &["a"]));
        assert!(nonsense.is_err());
    }
}
