//! What to say of a code that is no unit's on the day asked for: when it was whose, and whose its territory is.

use jiff::civil::Date;

use super::{Part, Registry, Share};
use crate::unit::{Unit, UnitId};

/// How many units a sentence names.
const NAMED: usize = 6;

impl Registry {
    /// Code and name of a unit as on a day.
    pub fn named(&self, unit: UnitId, day: Date) -> String {
        let unit = self.unit(unit);
        format!("{} {}", unit.code, unit.stage(day).map_or_else(|| unit.name(), |s| &s.name))
    }

    /// Of the units that carried a code at other times than a day: when each did, and which units have its
    /// territory on that day. `06 was Tỉnh Bắc Kạn until 2025-06-30; from 2025-07-01 its territory is 19 Tỉnh
    /// Thái Nguyên`.
    pub fn code_at_other_times(&self, units: &[UnitId], day: Date) -> String {
        let mut units: Vec<_> = units.iter().map(|id| self.unit(*id)).collect();
        units.sort_by_key(|u| u.from());
        let sentences = units.into_iter().map(|unit| match unit.from() > day {
            true => self.came_later(unit, day),
            false => self.went_before(unit, day),
        });
        sentences.collect::<Vec<_>>().join("; ")
    }

    fn came_later(&self, unit: &Unit, day: Date) -> String {
        let (code, from) = (&unit.code, unit.from());
        let is = format!("{code} is {} only from {from} on", unit.stage(from).map_or("", |s| &s.name));
        let of = |share: Share, named: String| format!("{share} of {named}");
        match self.parts(&self.made_of(unit.id, from, day), day, of) {
            None => is,
            Some(parts) => format!("{is}; on {day} its territory was {parts}"),
        }
    }

    fn went_before(&self, unit: &Unit, day: Date) -> String {
        let (code, name, end) = (&unit.code, unit.name(), unit.to());
        let was = format!("{code} was {name} until {}", end.yesterday().unwrap_or(end));
        let heirs = self.became(unit.id, end.yesterday().unwrap_or(end), day);
        let since = heirs.iter().map(|p| self.unit(p.unit).from()).max().filter(|from| *from > end);
        let with = |share: Share, named: String| format!("{named} ({share})");
        match self.parts(&heirs, day, with) {
            None => format!("{was} and has no successor"),
            Some(parts) => format!("{was}; from {} its territory is {parts}", since.unwrap_or(end)),
        }
    }

    /// The first of them, those that are not whole with their share.
    fn parts(&self, parts: &[Part], day: Date, shared: fn(Share, String) -> String) -> Option<String> {
        let named = parts.iter().take(NAMED).map(|part| {
            let named = self.named(part.unit, day);
            match part.share.filter(|s| !s.is_whole()) {
                Some(share) => shared(share, named),
                None => named,
            }
        });
        let list = named.collect::<Vec<_>>().join(", ");
        match parts.len() {
            0 => None,
            n if n > NAMED => Some(format!("{list} and {} more", n - NAMED)),
            _ => Some(list),
        }
    }
}
