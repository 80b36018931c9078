//! Administrative units (đơn vị hành chính) and the map (bản đồ hành chính) of a day.

use jiff::civil::Date;

/// A unit's own number inside tonghop. Codes are reused over time; numbers are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub u32);

/// The rank of a level, 0 being the nation. Which levels there are is data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(pub u8);

/// The level of the nation.
pub const NATION: Level = Level(0);

/// What a unit was called during some of its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// First day.
    pub from: Date,
    /// First day that is no longer in it.
    pub to: Date,
    /// Name with its kind, as `Xã Nam Mẫu`.
    pub name: String,
    /// Kind, as `xa`.
    pub kind: String,
}

/// An administrative unit. In force on `[from, to)`; a day outside is not in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its own number.
    pub id: UnitId,
    /// Code of the statistics office: unique on any one day only.
    pub code: String,
    /// Its level, which never changes.
    pub level: Level,
    /// The unit it lies in, which never changes either; none for the nation. A unit whose parent changes goes
    /// on as another unit.
    pub parent: Option<UnitId>,
    /// Its stages in order of time, without gaps.
    pub stages: Vec<Stage>,
}

impl Unit {
    /// First day in force; [`Date::MIN`] where it is not known.
    pub fn from(&self) -> Date {
        self.stages.first().map_or(Date::MIN, |s| s.from)
    }

    /// First day no longer in force; [`Date::MAX`] where there is none.
    pub fn to(&self) -> Date {
        self.stages.last().map_or(Date::MAX, |s| s.to)
    }

    /// Whether it is in force on a day.
    pub fn in_force(&self, day: Date) -> bool {
        self.from() <= day && day < self.to()
    }

    /// What it was on a day.
    pub fn stage(&self, day: Date) -> Option<&Stage> {
        self.stages.iter().find(|s| s.from <= day && day < s.to)
    }

    /// Its last name.
    pub fn name(&self) -> &str {
        self.stages.last().map_or("", |s| &s.name)
    }

    /// A name for it that no other unit ever has: its code, and its first day where that is known.
    pub fn key(&self) -> String {
        if self.from() == Date::MIN { self.code.clone() } else { format!("{}@{}", self.code, self.from()) }
    }
}

/// On a day, a share of one unit went on as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The day.
    pub day: Date,
    /// The unit that was.
    pub from: UnitId,
    /// The unit that came.
    pub to: UnitId,
    /// The share, in millionths; the shares of one unit on one day sum to 1,000,000.
    pub share: u32,
    /// How the share is known.
    pub basis: String,
}

/// The tree of units in force on every day of `[from, to)`.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// First day on which the map is so; `None` where it always was.
    pub from: Option<Date>,
    children: Vec<Vec<UnitId>>,
    parents: Vec<Option<UnitId>>,
    in_force: Vec<bool>,
}

impl Map {
    /// The map of a day, from all units; children stand in order of code.
    pub fn on(units: &[Unit], day: Date, from: Option<Date>) -> Map {
        let mut map = Map {
            from,
            children: vec![Vec::new(); units.len()],
            parents: vec![None; units.len()],
            in_force: vec![false; units.len()],
        };
        let mut in_force: Vec<&Unit> = units.iter().filter(|u| u.in_force(day)).collect();
        in_force.sort_by(|a, b| (a.level, &a.code).cmp(&(b.level, &b.code)));
        for unit in in_force {
            map.in_force[unit.id.0 as usize] = true;
            if let Some(parent) = unit.parent {
                map.parents[unit.id.0 as usize] = Some(parent);
                map.children[parent.0 as usize].push(unit.id);
            }
        }
        map
    }

    /// Whether a unit is in force on this map.
    pub fn has(&self, unit: UnitId) -> bool {
        self.in_force.get(unit.0 as usize).copied().unwrap_or(false)
    }

    /// All units in force, by number.
    pub fn units(&self) -> impl Iterator<Item = UnitId> {
        self.in_force.iter().enumerate().filter(|(_, has)| **has).map(|(i, _)| UnitId(i as u32))
    }

    /// The units directly below a unit, in order of level and code.
    pub fn children(&self, unit: UnitId) -> &[UnitId] {
        self.children.get(unit.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The unit directly above.
    pub fn parent(&self, unit: UnitId) -> Option<UnitId> {
        self.parents.get(unit.0 as usize).copied().flatten()
    }

    /// The unit itself and all above it, from itself upwards.
    pub fn ancestry(&self, unit: UnitId) -> impl Iterator<Item = UnitId> {
        std::iter::successors(self.has(unit).then_some(unit), |u| self.parent(*u))
    }
}

/// Whether a unit collects what is collected at a level.
pub(crate) fn collects(map: &Map, units: &[Unit], unit: UnitId, collection: Level) -> bool {
    units[unit.0 as usize].level == collection
        || !map.children(unit).iter().any(|c| units[c.0 as usize].level <= collection)
}

/// Subtrees of a map as an array: every unit after its parent, so that a walk from the end visits children
/// before parents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Units in order; each root before what is below it.
    pub nodes: Vec<Node>,
}

/// A unit of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which unit.
    pub unit: UnitId,
    /// Its level.
    pub level: Level,
    /// Position of its parent in the array; its own for a root.
    pub parent: u32,
    /// Whether it is a unit that the indicator is collected at: of the collection level, or above it with
    /// nothing below that could report (an island district).
    pub collects: bool,
}

impl Tree {
    /// The parts of a map under `roots`, down to the collection level; those in force only. A shallow one is the
    /// roots and the units directly below them; whether a unit collects is still said of the whole map.
    pub fn under(map: &Map, units: &[Unit], roots: &[UnitId], collection: Level, shallow: bool) -> Tree {
        let mut nodes: Vec<Node> = Vec::new();
        let mut stack: Vec<(UnitId, Option<u32>)> = roots.iter().rev().map(|root| (*root, None)).collect();
        while let Some((unit, parent)) = stack.pop() {
            let level = units[unit.0 as usize].level;
            if !map.has(unit) || level > collection {
                continue;
            }
            let at = nodes.len() as u32;
            let collects = collects(map, units, unit, collection);
            nodes.push(Node { unit, level, parent: parent.unwrap_or(at), collects });
            if parent.is_none() || !shallow {
                stack.extend(map.children(unit).iter().rev().map(|child| (*child, Some(at))));
            }
        }
        Tree { nodes }
    }

    /// Adds to every unit what its children have.
    pub(crate) fn add_up(&self, counts: &mut [u64]) {
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let parent = node.parent as usize;
            if parent != i {
                counts[parent] += counts[i];
            }
        }
    }

    /// How many cells each unit has in one collection period: the units that collect, at or below it.
    pub fn cells(&self) -> Vec<u64> {
        let mut cells: Vec<u64> = self.nodes.iter().map(|n| u64::from(n.collects)).collect();
        self.add_up(&mut cells);
        cells
    }
}
