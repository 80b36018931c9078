//! Periods that are closed for figures, ready to be asked of each figure.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tonghop_core::Date;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_reports::{Closing, Reports, Words};

/// All of them, by indicator.
#[derive(Clone, Debug, Default)]
pub struct Locks(HashMap<String, Vec<Arc<Lock>>>);

/// What was said of one period of a regime.
#[derive(Debug)]
pub(crate) struct Lock {
    pub(crate) regime: String,
    pub(crate) period: Period,
    days: (Date, Date),
    words: Words,
}

impl Locks {
    /// Those of what is said of reports, under a registry.
    pub(crate) fn of(registry: &Registry, reports: &Reports) -> Locks {
        let mut locks: HashMap<String, Vec<Arc<Lock>>> = HashMap::new();
        for (code, period, closings) in reports.all_closings() {
            let Some(regime) = registry.regime(code) else { continue };
            let days = regime.calendar.days(period);
            let words = Words::read(registry, days.1, closings);
            let lock = Arc::new(Lock { regime: code.to_owned(), period, days, words });
            for indicator in &regime.indicators {
                locks.entry(indicator.clone()).or_default().push(Arc::clone(&lock));
            }
        }
        for locks in locks.values_mut() {
            locks.sort_by(|a, b| (&a.regime, a.period).cmp(&(&b.regime, b.period)));
        }
        Locks(locks)
    }

    /// The words that figures of an indicator for a period are under, whichever unit they are of.
    pub(crate) fn on<'l>(
        &'l self,
        indicator: &Indicator,
        period: Period,
    ) -> impl Iterator<Item = &'l Lock> + use<'l> {
        let locks = self.0.get(&indicator.code).map_or(&[][..], Vec::as_slice);
        // Days are only worked out where there is something to hold them against.
        let days = (!locks.is_empty()).then(|| indicator.calendar.days(period));
        let holds = move |lock: &&Arc<Lock>| {
            days.is_some_and(|(first, last)| lock.days.0 <= first && last <= lock.days.1)
        };
        locks.iter().filter(holds).map(AsRef::as_ref)
    }
}

impl Lock {
    /// The word that closes the period to a unit, and until when there was an exception from it; none where its figures
    /// are taken.
    pub(crate) fn closes(
        &self,
        registry: &Registry,
        unit: UnitId,
        day: Date,
        now: Timestamp,
    ) -> Option<(&Closing, Option<Timestamp>)> {
        let above: Vec<UnitId> = registry.map_on(day).ancestry(unit).collect();
        let (_, closing) = self.words.holding(&above, now).filter(|(_, closing)| closing.closes)?;
        Some((closing, self.words.exception_over(&above, closing.position, now)))
    }
}
