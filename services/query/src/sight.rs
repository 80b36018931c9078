//! What a caller may see. Every total and every figure of every answer is looked at here before it is given.
//!
//! What is public, anybody may see. An internal indicator, or a ratio made of one, is for those whose role
//! `read_internal` holds for the unit, on the map of the period, and for the other services of this system, which read
//! the ledger anyway. Whoever names one without that is refused; among many
//! that nobody named it is left out. That there is such an indicator is no secret: its entry in the catalogue is public.

use std::sync::Arc;

use tonghop_access::{Caller, Identity, Role};
use tonghop_core::Date;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_runtime::{Failure, Text};

/// What the row of a total says that is not for whoever asks.
pub(crate) fn not_permitted() -> String {
    let said = Text::of(
        "số liệu nội bộ; khóa đã gửi không có hiệu lực cho đơn vị này trong kỳ này",
        "internal, and the key that was sent does not hold for this unit in this period",
    );
    said.to_string()
}

/// What one caller may see as of one moment.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    caller: Caller,
    /// That of the moment.
    registry: Arc<Registry>,
    /// The one in force now.
    present: Arc<Registry>,
}

impl Sight {
    pub(crate) fn new(caller: &Caller, registry: &Arc<Registry>, present: Arc<Registry>) -> Sight {
        Sight { caller: caller.clone(), registry: Arc::clone(registry), present }
    }

    /// The registry of the moment.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    fn is_service(&self) -> bool {
        *self.caller.identity() == Identity::Service
    }

    /// Whether an indicator is internal. The registry in force now decides, also about what was: a question as of the
    /// past is no way around it.
    fn is_internal(&self, indicator: &Indicator) -> bool {
        match self.present.indicator(&indicator.code) {
            Some(now) => self.present.is_internal(now),
            None => self.registry.is_internal(indicator),
        }
    }

    /// Whether the caller may see anything of an indicator, somewhere.
    pub(crate) fn has_any(&self, indicator: &Indicator) -> bool {
        self.is_service() || self.caller.has(Role::ReadInternal) || !self.is_internal(indicator)
    }

    /// That the caller may name an indicator.
    ///
    /// # Errors
    /// Where it is internal and they may read such nowhere.
    pub(crate) fn may_name(&self, indicator: &Indicator) -> Result<(), Failure> {
        if self.has_any(indicator) { Ok(()) } else { Err(self.caller.lacks(Role::ReadInternal)) }
    }

    /// Which figures of an indicator the caller may see: those of a unit, of a period that ends on a day.
    pub(crate) fn figures_of(&self, indicator: &Indicator) -> impl Fn(UnitId, Date) -> bool {
        let is_for_all = self.is_service() || !self.is_internal(indicator);
        move |unit, day| is_for_all || self.caller.has_for(Role::ReadInternal, &self.registry, unit, day)
    }

    /// Whether the caller may see a total: all the units of the period's own map that it is put together from are
    /// theirs to see.
    pub(crate) fn has_total(
        &self,
        indicator: &Indicator,
        unit: UnitId,
        period: Period,
        map: Option<Date>,
    ) -> bool {
        if self.is_service() || !self.is_internal(indicator) {
            return true;
        }
        let day = indicator.calendar.last_day(period);
        let epoch = self.registry.epoch(day);
        let told_on = map.map_or(epoch, |map| self.registry.epoch(map));
        let mut units = self.registry.goes_back_to(unit, told_on, epoch).into_iter();
        units.all(|unit| self.caller.has_for(Role::ReadInternal, &self.registry, unit, day))
    }

    /// That the caller may see a total that they named.
    ///
    /// # Errors
    /// Where they may not.
    pub(crate) fn may_ask(
        &self,
        indicator: &Indicator,
        unit: UnitId,
        period: Period,
        map: Option<Date>,
    ) -> Result<(), Failure> {
        if self.has_total(indicator, unit, period, map) { Ok(()) } else { Err(self.out_of_reach()) }
    }

    /// That what is internal is not theirs to see here.
    pub(crate) fn out_of_reach(&self) -> Failure {
        self.caller.out_of_reach(Role::ReadInternal)
    }
}
