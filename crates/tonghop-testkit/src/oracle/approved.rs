//! §11: which figures are approved. An approval is of a unit's figures as they stood at its position.

use tonghop_core::figure::Figure;
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

/// A report that is approved by the last that approves.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Code of the regime.
    pub regime: String,
    /// Whose report.
    pub unit: UnitId,
    /// For which period.
    pub period: Period,
    /// The position of its last approval.
    pub position: i64,
}

/// Of figures with their positions, in the order of the ledger, those that are approved by approvals that stand.
pub fn approved(registry: &Registry, figures: &[(i64, Figure)], approvals: &[Approval]) -> Vec<Figure> {
    let is_of = |position: i64, figure: &Figure, approval: &Approval| {
        let (Some(regime), Some(indicator)) =
            (registry.regime(&approval.regime), registry.indicator(&figure.indicator))
        else {
            return false;
        };
        let (first, last) = indicator.calendar.days(figure.period);
        let (from, to) = regime.calendar.days(approval.period);
        !regime.approvals.is_empty()
            && regime.indicators.contains(&indicator.code)
            && figure.unit == approval.unit
            && position <= approval.position
            && from <= first
            && last <= to
    };
    let is_approved =
        |(position, figure): &&(i64, Figure)| approvals.iter().any(|a| is_of(*position, figure, a));
    figures.iter().filter(is_approved).map(|(_, figure)| figure.clone()).collect()
}
