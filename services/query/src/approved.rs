//! Which figures are approved: of each unit and period those that its report had when the last that approves did.
//!
//! An approval is of figures as they stood at its position, so what is approved of a tile is read as the past is, with a
//! limit for each unit in place of one for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::question::Plan;
use tonghop_core::regime::Regime;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_proto::ledger::ReportRecord;
use tonghop_reports::Reports;
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::{EntryKind, Snapshot};

use crate::{View, ask, store_failure};

/// Entries read in one go.
const PAGE: u64 = 500;

/// What became of reports, as far as it was read. One for all questions: what was said of a position stays.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Arc<Reports>>);

impl Known {
    fn last(&self) -> Arc<Reports> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets all: it may be another ledger's.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// Everything up to a snapshot's position, and perhaps more.
    ///
    /// # Errors
    /// Where the database does not answer, or an entry makes no sense.
    pub(crate) async fn up_to(&self, snapshot: &Snapshot) -> Result<Arc<Reports>, Failure> {
        let (known, position) = (self.last(), snapshot.checkpoint().position);
        if known.position() >= position {
            return Ok(known);
        }
        let mut reports = Reports::clone(&known);
        let mut after = known.position();
        loop {
            let page = snapshot.rules_after(after, PAGE).await.map_err(store_failure)?;
            let is_last = (page.len() as u64) < PAGE;
            // Where it is read without a transaction, what came since may be seen already.
            for rule in page.into_iter().take_while(|rule| rule.position <= position) {
                after = rule.position;
                if rule.kind == EntryKind::Report {
                    let record = ReportRecord::decode(rule.record.as_slice()).map_err(Failure::internal)?;
                    reports
                        .apply(rule.position, rule.received_at, &rule.actor, record)
                        .map_err(Failure::internal)?;
                }
            }
            if is_last {
                break;
            }
        }
        reports.reach(position);
        let reports = Arc::new(reports);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.position() < position {
            *last = Arc::clone(&reports);
        }
        Ok(reports)
    }
}

/// Whether a plan reads figures that some regime has approved.
pub(crate) fn is_approved_somewhere(registry: &Registry, plan: &Plan) -> bool {
    plan.asked().any(|asked| registry.approving(&asked.indicator.code).next().is_some())
}

/// Reads what a request says of which figures it asks: whether of approved ones only.
///
/// # Errors
/// Where the word is not known.
pub(crate) fn only(figures: &str) -> Result<bool, Failure> {
    match figures {
        "" | "all" => Ok(false),
        "approved" => Ok(true),
        other => {
            ask::bounded("figures", other)?;
            Err(ask::finding(
                FailureKind::NotUnderstood,
                "unknown_figures",
                "figures",
                other,
                Text::of("all hoặc approved", "all, or approved"),
                Text::of("bỏ đi để lấy mọi số liệu", "leave it out for all figures"),
            ))
        }
    }
}

/// Up to which position the figures of units are approved; units that are not there have none that are.
pub(crate) type Limits = HashMap<UnitId, i64>;

/// What is approved as of a moment.
pub(crate) struct Approved {
    registry: Arc<Registry>,
    reports: Arc<Reports>,
    /// Nothing after this position is seen.
    up_to: i64,
    known: Mutex<HashMap<(String, Period), Arc<Limits>>>,
}

impl Approved {
    /// Up to which positions figures of an indicator for a period are approved: by each regime that it is reported
    /// under, under any of which is enough.
    pub(crate) fn limits(&self, indicator: &Indicator, period: Period) -> Vec<Arc<Limits>> {
        let by_regime = |regime: &Arc<Regime>| regime.report_period(period).map(|of| self.of(regime, of));
        self.registry.approving(&indicator.code).filter_map(by_regime).collect()
    }

    fn of(&self, regime: &Regime, period: Period) -> Arc<Limits> {
        let key = (regime.code.clone(), period);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let day = regime.calendar.last_day(period);
            let published = self.reports.published(&regime.code, period, self.up_to);
            let of_unit = |(code, position)| match self.registry.unit_on(code, day) {
                UnitLookup::Found(unit) => Some((unit, position)),
                UnitLookup::OtherTime(_) | UnitLookup::Unknown => None,
            };
            let limits: Arc<Limits> = Arc::new(published.filter_map(of_unit).collect());
            self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&limits));
            limits
        })
    }
}

/// The latest position that any of them says for a unit.
pub(crate) fn latest(limits: &[Arc<Limits>], unit: UnitId) -> Option<i64> {
    limits.iter().filter_map(|limits| limits.get(&unit).copied()).max()
}

impl View {
    /// What is approved as of the view.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub(crate) async fn approvals(&self) -> Result<Approved, Failure> {
        let reports = self.reports.up_to(&self.snapshot).await?;
        let registry = Arc::clone(&self.registry);
        Ok(Approved { registry, reports, up_to: self.position(), known: Mutex::default() })
    }
}
