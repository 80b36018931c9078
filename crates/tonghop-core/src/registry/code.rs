//! What to say of a code that is no unit's on the day asked for: when it was whose, and whose its territory is.

use jiff::civil::Date;

use super::{Part, Registry, Share};
use crate::unit::{Unit, UnitId};
use crate::words::Words;

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
    pub fn code_at_other_times(&self, units: &[UnitId], day: Date) -> Words {
        let mut units: Vec<_> = units.iter().map(|id| self.unit(*id)).collect();
        units.sort_by_key(|u| u.from());
        let sentences = units.into_iter().map(|unit| match unit.from() > day {
            true => self.came_later(unit, day),
            false => self.went_before(unit, day),
        });
        Words::joined(&sentences.collect::<Vec<_>>(), "; ")
    }

    fn came_later(&self, unit: &Unit, day: Date) -> Words {
        let (code, from) = (&unit.code, unit.from());
        let name = unit.stage(from).map_or("", |s| &s.name);
        let is = Words::of(
            format!("mã {code} chỉ là {name} từ ngày {from}"),
            format!("{code} is {name} only from {from} on"),
        );
        let of = |share: Share, named: &str| {
            Words::of(format!("{share} của {named}"), format!("{share} of {named}"))
        };
        match self.parts(&self.made_of(unit.id, from, day), day, of) {
            None => is,
            Some(parts) => Words::of(
                format!("{}; vào ngày {day} địa bàn đó là {}", is.vi, parts.vi),
                format!("{}; on {day} its territory was {}", is.en, parts.en),
            ),
        }
    }

    fn went_before(&self, unit: &Unit, day: Date) -> Words {
        let (code, name, end) = (&unit.code, unit.name(), unit.to());
        let last = end.yesterday().unwrap_or(end);
        let heirs = self.became(unit.id, last, day);
        let since = heirs.iter().map(|p| self.unit(p.unit).from()).max().filter(|from| *from > end);
        let since = since.unwrap_or(end);
        let with = |share: Share, named: &str| {
            let both = format!("{named} ({share})");
            Words::of(both.clone(), both)
        };
        let (vi, en) =
            (format!("mã {code} là {name} đến hết ngày {last}"), format!("{code} was {name} until {last}"));
        match self.parts(&heirs, day, with) {
            None => {
                Words::of(format!("{vi} và không có đơn vị kế tục"), format!("{en} and has no successor"))
            }
            Some(parts) => Words::of(
                format!("{vi}; từ ngày {since} địa bàn đó là {}", parts.vi),
                format!("{en}; from {since} its territory is {}", parts.en),
            ),
        }
    }

    /// The first of them, those that are not whole with their share.
    fn parts(&self, parts: &[Part], day: Date, shared: fn(Share, &str) -> Words) -> Option<Words> {
        let named = parts.iter().take(NAMED).map(|part| {
            let named = self.named(part.unit, day);
            match part.share.filter(|s| !s.is_whole()) {
                Some(share) => shared(share, &named),
                None => Words::of(named.clone(), named),
            }
        });
        let list = Words::joined(&named.collect::<Vec<_>>(), ", ");
        match parts.len() {
            0 => None,
            n if n > NAMED => {
                let more = n - NAMED;
                let (vi, en) = (list.vi, list.en);
                Some(Words::of(format!("{vi} và {more} đơn vị khác"), format!("{en} and {more} more")))
            }
            _ => Some(list),
        }
    }
}
