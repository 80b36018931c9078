//! Roles, and the units and sides they hold for.

use jiff::civil::Date;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::{Level, Map, NATION, UnitId};
use tonghop_proto::ledger as pb;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Push figures, and hand reports in.
    Report,
    /// Approve and return reports of units below, and open them again.
    Approve,
    /// Read what is not public.
    ReadInternal,
    /// Load registries, give and revoke keys, close periods, freeze reviews, rebuild and verify, read the audit log.
    Administer,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Report, Role::Approve, Role::ReadInternal, Role::Administer];

    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Role::Report => "report",
            Role::Approve => "approve",
            Role::ReadInternal => "read_internal",
            Role::Administer => "administer",
        }
    }

    /// By its code.
    pub fn of_code(code: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// Roles, and the units and sides they hold for. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// What may be done.
    pub roles: Vec<Role>,
    /// Codes of units: it holds for these, each on the map of the day that is spoken of, and for all below them.
    pub units: Vec<String>,
    /// Members of the dimension `reporter` that figures may be reported for; none stands for all.
    pub sides: Vec<String>,
    /// Whether it holds for all units there are, whatever they are called.
    pub everywhere: bool,
}

impl Grant {
    /// Everything, everywhere.
    pub fn all() -> Grant {
        Grant { roles: Role::ALL.to_vec(), everywhere: true, ..Grant::default() }
    }

    /// Whether it has a role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// For which units it holds on a day.
    pub fn on<'r>(&self, registry: &'r Registry, day: Date) -> Reach<'r> {
        let units = self.units.iter().filter_map(|code| match registry.unit_on(code, day) {
            UnitLookup::Found(unit) => Some(unit),
            _ => None,
        });
        Reach { map: registry.map_on(day), everywhere: self.everywhere, units: units.collect() }
    }

    /// Whether it holds for a unit on a day: the unit, or one above it on that day's map, carries one of its codes.
    pub fn covers(&self, registry: &Registry, unit: UnitId, day: Date) -> bool {
        self.on(registry, day).covers(unit)
    }

    /// What was found under a code on a day, as far as its holder is to know: nothing where it is no unit that the grant
    /// holds for, whether there is such a unit or not. A code of another time is known to whoever it held for then. Who has
    /// the whole nation is told that there is none.
    pub fn within(&self, registry: &Registry, found: UnitLookup, day: Date) -> Option<UnitLookup> {
        if self.everywhere {
            return Some(found);
        }
        match found {
            UnitLookup::Found(unit) => self.covers(registry, unit, day).then_some(UnitLookup::Found(unit)),
            UnitLookup::OtherTime(units) => {
                let then = |unit: &UnitId| self.covers(registry, *unit, registry.unit(*unit).from());
                let units: Vec<UnitId> = units.into_iter().filter(then).collect();
                (!units.is_empty()).then_some(UnitLookup::OtherTime(units))
            }
            UnitLookup::Unknown => {
                self.covers(registry, registry.nation(), day).then_some(UnitLookup::Unknown)
            }
        }
    }

    /// The highest level of its units that are a unit, or lie above it, on a day; none where it does not hold for it.
    pub fn level_over(&self, registry: &Registry, unit: UnitId, day: Date) -> Option<Level> {
        if self.everywhere {
            return Some(NATION);
        }
        let covering = self.units.iter().filter_map(|code| match registry.unit_on(code, day) {
            UnitLookup::Found(unit) => Some(unit),
            UnitLookup::OtherTime(_) | UnitLookup::Unknown => None,
        });
        let covering: Vec<UnitId> = covering.collect();
        let map = registry.map_on(day);
        let over = map.ancestry(unit).filter(|above| covering.contains(above));
        over.map(|above| registry.unit(above).level).min()
    }

    /// Whether figures of a side may be reported; figures that name none are of no side.
    pub fn speaks_for(&self, side: &str) -> bool {
        self.sides.is_empty() || self.sides.iter().any(|s| s == side)
    }
}

/// The units of a map that a grant holds for.
#[derive(Clone, Debug)]
pub struct Reach<'r> {
    map: &'r Map,
    everywhere: bool,
    /// The topmost of them.
    units: Vec<UnitId>,
}

impl Reach<'_> {
    /// Whether a unit is one of them.
    pub fn covers(&self, unit: UnitId) -> bool {
        self.everywhere
            || self.units.contains(&unit)
            || self.map.ancestry(unit).any(|above| self.units.contains(&above))
    }
}

impl From<&Grant> for pb::Grant {
    fn from(grant: &Grant) -> pb::Grant {
        pb::Grant {
            roles: grant.roles.iter().map(|role| role.code().to_owned()).collect(),
            units: grant.units.clone(),
            sides: grant.sides.clone(),
        }
    }
}

impl From<pb::Grant> for Grant {
    /// A role that this program does not know grants nothing.
    fn from(grant: pb::Grant) -> Grant {
        Grant {
            roles: grant.roles.iter().filter_map(|code| Role::of_code(code)).collect(),
            units: grant.units,
            sides: grant.sides,
            everywhere: false,
        }
    }
}
