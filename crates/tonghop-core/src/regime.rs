//! Reporting regimes (chế độ báo cáo): which units report which indicators each period, by when, and who approves it.
//!
//! What a unit reports for a period under a regime is one *report*. Its state moves by the acts of people; which act
//! leads where, and who may, is said here and nowhere else. Nothing here knows a clock or who a caller is: what
//! somebody may do is given as [`Powers`].

use std::sync::Arc;

use jiff::Span;
use jiff::civil::Date;

use crate::calendar::Calendar;
use crate::period::{Frequency, Period};
use crate::registry::Registry;
use crate::unit::{Level, UnitId, collects};

/// A reporting regime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regime {
    /// Its code.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name.
    pub name_en: String,
    /// Codes of the indicators it is about, sorted.
    pub indicators: Vec<String>,
    /// The level of the units that report.
    pub level: Level,
    /// How often they do; never by event.
    pub frequency: Frequency,
    /// The calendar of its periods and of its indicators.
    pub calendar: Arc<Calendar>,
    /// First day of validity.
    pub valid_from: Date,
    /// First day that is no longer in it.
    pub valid_to: Date,
    /// The levels that approve a report, one after the other, each above the one before; none where nobody does.
    pub approvals: Vec<Level>,
    /// By when each level has done its part: how many days after the period's last day. In order of levels.
    pub deadlines: Vec<(Level, u16)>,
    /// Where this is laid down; `extrapolated` where nowhere.
    pub source: String,
}

impl Regime {
    /// Whether it is in force for a period: the period's last day is within its validity.
    pub fn in_force(&self, period: Period) -> bool {
        let last = self.calendar.last_day(period);
        self.valid_from <= last && last < self.valid_to
    }

    /// Whether a period is one of those that are reported for.
    pub fn takes(&self, period: Period) -> bool {
        self.frequency.grain() == Some(period.grain())
    }

    /// The period of the report that a figure of this period belongs to: the one whose days hold all of its days. None
    /// where there is none, as for a year under a monthly regime.
    pub fn report_period(&self, figure: Period) -> Option<Period> {
        let year = match figure.years() {
            Some((first, last)) if first == last => first,
            Some(_) => return None,
            None => self.calendar.year_of(self.calendar.last_day(figure)),
        };
        let (first, last) = self.calendar.days(figure);
        Period::Year(year).collection_periods(self.frequency).into_iter().find(|period| {
            let days = self.calendar.days(*period);
            days.0 <= first && last <= days.1
        })
    }

    /// The day by which a level has done its part for a period, where one is laid down.
    pub fn due(&self, level: Level, period: Period) -> Option<Date> {
        let (_, days) = self.deadlines.iter().find(|(of, _)| *of == level)?;
        self.calendar.last_day(period).checked_add(Span::new().days(i64::from(*days))).ok()
    }

    /// Whether a unit reports under it on a day: it is of its level, or above it with nothing below that could.
    pub fn is_reported_by(&self, registry: &Registry, unit: UnitId, day: Date) -> bool {
        let map = registry.map_on(day);
        let is_high_enough = registry.unit(unit).level <= self.level;
        map.has(unit) && is_high_enough && collects(map, registry.units(), unit, self.level)
    }

    /// The units below a unit, itself included, that report under it on a day; in the order of the tree.
    pub fn reporters(&self, registry: &Registry, below: UnitId, day: Date) -> Vec<UnitId> {
        let map = registry.map_on(day);
        let (mut out, mut stack) = (vec![], vec![below]);
        while let Some(unit) = stack.pop() {
            if self.is_reported_by(registry, unit, day) {
                out.push(unit);
            } else if registry.unit(unit).level < self.level {
                stack.extend(map.children(unit).iter().rev());
            }
        }
        out
    }

    /// Who has to approve the report of a unit, on the map of the period's last day: of the levels that approve those
    /// that the unit has somebody of above it. So a map without districts has no district that approves.
    pub fn course(&self, registry: &Registry, unit: UnitId, period: Period) -> Course {
        let map = registry.map_on(self.calendar.last_day(period));
        let own = registry.unit(unit).level;
        let above: Vec<Level> = map.ancestry(unit).map(|above| registry.unit(above).level).collect();
        let is_above = |level: &&Level| **level < own && above.contains(level);
        Course {
            unit: own,
            approves: !self.approvals.is_empty(),
            steps: self.approvals.iter().filter(is_above).copied().collect(),
        }
    }
}

/// The way that one report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The level of the unit that reports.
    pub unit: Level,
    /// Whether the regime has approvals at all.
    pub approves: bool,
    /// The levels that approve, in order, each above the one before.
    pub steps: Vec<Level>,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Not handed in, or opened again.
    #[default]
    Open,
    /// Given back, with a reason.
    Returned,
    /// Handed in.
    Submitted,
    /// Approved by this level, and not yet by all.
    Approved(Level),
    /// Approved by the last that approves.
    Published,
}

impl State {
    /// The code used on the wire and in the ledger.
    pub fn code(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Returned => "returned",
            State::Submitted => "submitted",
            State::Approved(_) => "approved",
            State::Published => "published",
        }
    }

    /// The level that approves next; none where nothing waits for an approval.
    pub fn awaits(self, course: &Course) -> Option<Level> {
        match self {
            State::Submitted => course.steps.first().copied(),
            State::Approved(by) => course.steps.iter().copied().find(|level| *level < by),
            State::Open | State::Returned | State::Published => None,
        }
    }

    /// The last level that has approved it.
    fn approved_by(self, course: &Course) -> Option<Level> {
        match self {
            State::Approved(by) => Some(by),
            State::Published => course.steps.last().copied(),
            State::Open | State::Returned | State::Submitted => None,
        }
    }

    /// What becomes of it by an act of somebody.
    ///
    /// # Errors
    /// Why nothing does.
    pub fn after(self, act: Act, course: &Course, powers: &Powers) -> Result<State, Refused> {
        match act {
            Act::Submit => match self {
                _ if !powers.reports => Err(Refused::MayNot(course.unit)),
                // Where nobody is above the unit there is nobody to wait for.
                State::Open | State::Returned if course.approves && course.steps.is_empty() => {
                    Ok(State::Published)
                }
                State::Open | State::Returned => Ok(State::Submitted),
                State::Submitted | State::Approved(_) | State::Published => Err(Refused::NotOpen),
            },
            Act::Approve(wanted) => {
                let Some(next) = self.awaits(course) else { return Err(Refused::NothingToApprove) };
                if wanted.is_some_and(|wanted| wanted != next) {
                    return Err(Refused::OthersFirst(next));
                }
                if powers.approves_at.is_none_or(|at| at > next) {
                    return Err(Refused::MayNot(next));
                }
                let is_last = course.steps.last() == Some(&next);
                Ok(if is_last { State::Published } else { State::Approved(next) })
            }
            Act::Return | Act::Reopen if matches!(self, State::Open | State::Returned) => {
                Err(Refused::NotHandedIn)
            }
            Act::Return => {
                // What somebody above has approved, nobody below gives back.
                let by = self.approved_by(course).or(course.steps.first().copied());
                let may = match (powers.approves_at, by) {
                    (Some(at), Some(by)) => at <= by,
                    (Some(at), None) => at < course.unit,
                    (None, _) => false,
                };
                if may { Ok(State::Returned) } else { Err(Refused::MayNot(by.unwrap_or(course.unit))) }
            }
            Act::Reopen => {
                let by = self.approved_by(course);
                let approves = |by| powers.approves_at.is_some_and(|at| at <= by);
                let may = powers.administers
                    || match by {
                        Some(by) => approves(by),
                        // Nobody has approved it: whoever handed it in may take it back.
                        None => powers.reports || approves(course.unit),
                    };
                if may { Ok(State::Open) } else { Err(Refused::MayNot(by.unwrap_or(course.unit))) }
            }
        }
    }
}

/// What somebody does with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Hands it in.
    Submit,
    /// Approves it: in the name of this level, or of whichever is next.
    Approve(Option<Level>),
    /// Gives it back.
    Return,
    /// Opens it again.
    Reopen,
}

/// What somebody may do with the report of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// Report for the unit.
    pub reports: bool,
    /// Approve: the highest level that they do it at, of units that are or lie above the unit.
    pub approves_at: Option<Level>,
    /// Administer the unit.
    pub administers: bool,
}

/// Why an act leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has been handed in already.
    NotOpen,
    /// It has not been handed in.
    NotHandedIn,
    /// Nothing waits for an approval.
    NothingToApprove,
    /// This level approves before the one in whose name it is done.
    OthersFirst(Level),
    /// Somebody of this level may, or of one above it.
    MayNot(Level),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::NATION;

    const PROVINCE: Level = Level(1);
    const DISTRICT: Level = Level(2);
    const COMMUNE: Level = Level(3);

    fn all(steps: &[Level], approves: bool) -> Course {
        Course { unit: COMMUNE, approves, steps: steps.to_vec() }
    }

    fn courses() -> Vec<Course> {
        vec![
            all(&[], false),
            all(&[], true),
            all(&[NATION], true),
            all(&[PROVINCE, NATION], true),
            all(&[DISTRICT, PROVINCE, NATION], true),
            all(&[DISTRICT], true),
        ]
    }

    fn states(course: &Course) -> Vec<State> {
        let mut states = vec![State::Open, State::Returned, State::Submitted];
        if let Some((_, before)) = course.steps.split_last() {
            states.extend(before.iter().map(|level| State::Approved(*level)));
        }
        if course.approves {
            states.push(State::Published);
        }
        states
    }

    fn powers() -> Vec<Powers> {
        let mut out = vec![];
        for reports in [false, true] {
            for administers in [false, true] {
                for at in [None, Some(COMMUNE), Some(DISTRICT), Some(PROVINCE), Some(NATION)] {
                    out.push(Powers { reports, approves_at: at, administers });
                }
            }
        }
        out
    }

    const ACTS: [Act; 8] = [
        Act::Submit,
        Act::Approve(None),
        Act::Approve(Some(DISTRICT)),
        Act::Approve(Some(PROVINCE)),
        Act::Approve(Some(NATION)),
        Act::Approve(Some(COMMUNE)),
        Act::Return,
        Act::Reopen,
    ];

    /// Every state × act × power × course, against the rules said once more, as a table of who and where.
    #[test]
    fn every_act_on_every_state_by_everybody_leads_where_it_should() {
        let mut looked_at = 0;
        for course in courses() {
            for state in states(&course) {
                for powers in powers() {
                    for act in ACTS {
                        looked_at += 1;
                        let got = state.after(act, &course, &powers);
                        let at = |level: Level| powers.approves_at.is_some_and(|at| at <= level);
                        let handed_in = !matches!(state, State::Open | State::Returned);
                        let done = match state {
                            State::Open | State::Returned | State::Submitted => 0,
                            State::Approved(by) => {
                                1 + course.steps.iter().position(|l| *l == by).expect("a step")
                            }
                            State::Published => course.steps.len(),
                        };
                        let expected = match act {
                            Act::Submit if handed_in || !powers.reports => None,
                            Act::Submit if course.approves && course.steps.is_empty() => {
                                Some(State::Published)
                            }
                            Act::Submit => Some(State::Submitted),
                            Act::Approve(wanted) => match course.steps.get(done) {
                                Some(next) if handed_in && wanted.is_none_or(|w| w == *next) && at(*next) => {
                                    let last = done + 1 == course.steps.len();
                                    Some(if last { State::Published } else { State::Approved(*next) })
                                }
                                _ => None,
                            },
                            Act::Return => {
                                let may = match course.steps.get(done.saturating_sub(1)) {
                                    Some(by) => at(*by),
                                    None => at(DISTRICT),
                                };
                                (handed_in && may).then_some(State::Returned)
                            }
                            Act::Reopen => {
                                let may = powers.administers
                                    || match done.checked_sub(1) {
                                        Some(last) => at(course.steps[last]),
                                        None => powers.reports || at(COMMUNE),
                                    };
                                (handed_in && may).then_some(State::Open)
                            }
                        };
                        assert_eq!(got.ok(), expected, "{course:?} {state:?} {act:?} {powers:?}");
                        // A state that is not of this course is never reached.
                        if let Ok(next) = got {
                            assert!(states(&course).contains(&next), "{course:?} {next:?}");
                        }
                    }
                }
            }
        }
        assert_eq!(looked_at, (3 + 4 + 4 + 5 + 6 + 4) * 20 * 8);
    }

    #[test]
    fn a_report_goes_up_level_by_level_and_is_published_by_the_last() {
        let course = all(&[DISTRICT, PROVINCE, NATION], true);
        let reporter = Powers { reports: true, ..Powers::default() };
        let approver = |at| Powers { approves_at: Some(at), ..Powers::default() };
        let mut state = State::Open.after(Act::Submit, &course, &reporter).expect("handed in");
        for (level, next) in [
            (DISTRICT, State::Approved(DISTRICT)),
            (PROVINCE, State::Approved(PROVINCE)),
            (NATION, State::Published),
        ] {
            assert_eq!(state.awaits(&course), Some(level));
            state = state.after(Act::Approve(None), &course, &approver(level)).expect("approved");
            assert_eq!(state, next);
        }
        let refused = state.after(Act::Return, &course, &approver(PROVINCE));
        assert_eq!(refused, Err(Refused::MayNot(NATION)), "nobody below gives back what is published");
        let state = state.after(Act::Return, &course, &approver(NATION)).expect("given back");
        assert_eq!(state.after(Act::Submit, &course, &reporter), Ok(State::Submitted));
    }

    #[test]
    fn a_figure_belongs_to_the_report_whose_period_holds_its_days() {
        let calendar = Calendar {
            code: "nd09".into(),
            name_vi: String::new(),
            start_month: 12,
            start_day: 15,
            year_only: false,
        };
        let regime = |frequency| Regime {
            code: String::new(),
            name_vi: String::new(),
            name_en: String::new(),
            indicators: vec![],
            level: COMMUNE,
            frequency,
            calendar: Arc::new(calendar.clone()),
            valid_from: Date::MIN,
            valid_to: Date::MAX,
            approvals: vec![],
            deadlines: vec![(COMMUNE, 3)],
            source: String::new(),
        };
        let of = |frequency, figure: &str| {
            let found = regime(frequency).report_period(Period::parse(figure).expect("a period"));
            found.map_or_else(String::new, |p| p.to_string())
        };
        for (frequency, figure, report) in [
            (Frequency::Month, "2024-M05", "2024-M05"),
            (Frequency::Month, "2024-Q2", ""),
            (Frequency::Month, "2024", ""),
            (Frequency::Month, "2023-12-15", "2024-M01"),
            (Frequency::Quarter, "2024-M05", "2024-Q2"),
            (Frequency::Half, "2024-Q3", "2024-H2"),
            (Frequency::Half, "2024-9M", ""),
            (Frequency::Year, "2024-9M", "2024"),
            (Frequency::Year, "2013..2023", ""),
        ] {
            assert_eq!(of(frequency, figure), report, "{frequency:?} {figure}");
        }
        let month = Period::parse("2024-M05").expect("a period");
        assert_eq!(
            regime(Frequency::Month).due(COMMUNE, month).map(|d| d.to_string()),
            Some("2024-05-17".into())
        );
        assert_eq!(regime(Frequency::Month).due(PROVINCE, month), None);
    }
}
