//! A reform: what changes on the map, as rows that are put on the tables of a registry.
//!
//! A registry's tables say of every unit from when to when it was what. Those who carry out a reform know what
//! changes, and when: that is enough to make the new tables from the old ones. Whether they then hold together
//! is for [`Registry::build`](super::Registry::build) to say, as for tables that were given whole.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::{Draft, LevelName, Problem, SuccessionRow, UnitRow};
use crate::words::Words;

/// What happens to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// A unit begins; one that carries its code until then ends.
    Begins,
    /// It ends.
    Ends,
    /// It has another name or kind from then on, and goes on.
    Renamed,
    /// It lies in another unit from then on.
    Moves,
}

impl Act {
    /// All of them by the word for it.
    pub const BY_CODE: [(&'static str, Act); 4] =
        [("begins", Act::Begins), ("ends", Act::Ends), ("renamed", Act::Renamed), ("moves", Act::Moves)];
}

/// Something that happens to a unit on a day. Texts that say nothing are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// The first day on which it is so.
    pub day: Date,
    /// What happens.
    pub act: Act,
    /// The unit's code.
    pub code: String,
    /// Code of its level.
    pub level: String,
    /// Its name from then on.
    pub name: String,
    /// Its kind from then on.
    pub kind: String,
    /// Code of the unit that it lies in from then on.
    pub parent: String,
}

/// Changes of the map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reform {
    /// All levels, where some are new.
    pub levels: Vec<LevelName>,
    /// What happens, in any order; several days are several reforms.
    pub changes: Vec<ChangeRow>,
    /// What goes on as what.
    pub successions: Vec<SuccessionRow>,
}

impl Reform {
    /// Puts the reform on the tables of a registry.
    ///
    /// A unit that a succession leads away from ends on its day without a row of its own, unless one leads to itself
    /// as well: then it goes on, and has given a part away. Successions of later days from units
    /// that are no longer there then are left out, and given back: a reform that is loaded late comes before them.
    ///
    /// # Errors
    /// Every row that cannot be put on the tables.
    pub fn put_on(self, draft: &mut Draft) -> Result<Vec<SuccessionRow>, Vec<Problem>> {
        if !self.levels.is_empty() {
            draft.levels = self.levels;
        }
        let mut tables = Tables::of(&mut draft.units);
        let mut changes = self.changes;
        changes.sort_by(|a, b| (a.day, a.act, &a.code).cmp(&(b.day, b.act, &b.code)));
        let days: BTreeSet<Date> =
            changes.iter().map(|c| c.day).chain(self.successions.iter().map(|s| s.day)).collect();
        for day in days {
            changes.iter().filter(|c| c.day == day).for_each(|c| tables.change(c));
            tables.follow(day, &self.successions);
        }
        let known: BTreeSet<(Date, &str)> =
            draft.successions.iter().map(|s| (s.day, s.from.as_str())).collect();
        for row in self.successions.iter().filter(|s| known.contains(&(s.day, s.from.as_str()))) {
            let key = format!("{} {}>{}", row.day, row.from, row.to);
            let message = Words::of(
                "đơn vị này trở thành gì vào ngày đó đã có trong danh mục: muốn sửa, hãy nạp lại tất cả các bảng",
                "what this unit went on as on that day is in the registry already: to correct it, load all tables",
            );
            tables.problem("successions", key, message);
        }
        if !tables.problems.is_empty() {
            return Err(tables.problems);
        }
        let stands = |s: &SuccessionRow| tables.before(&s.from, s.day).is_some();
        let (mut kept, dropped): (Vec<_>, Vec<_>) =
            std::mem::take(&mut draft.successions).into_iter().partition(stands);
        kept.extend(self.successions);
        draft.successions = kept;
        Ok(dropped)
    }
}

struct Tables<'d> {
    units: &'d mut Vec<UnitRow>,
    /// Places of rows by code.
    by_code: HashMap<String, Vec<usize>>,
    problems: Vec<Problem>,
    /// Codes of units that begin, by day.
    begun: BTreeSet<(Date, String)>,
}

impl Tables<'_> {
    fn of(units: &mut Vec<UnitRow>) -> Tables<'_> {
        let mut by_code: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, row) in units.iter().enumerate() {
            by_code.entry(row.code.clone()).or_default().push(at);
        }
        Tables { units, by_code, problems: vec![], begun: BTreeSet::new() }
    }

    fn add(&mut self, row: UnitRow) {
        self.by_code.entry(row.code.clone()).or_default().push(self.units.len());
        self.units.push(row);
    }

    fn places(&self, code: &str) -> &[usize] {
        self.by_code.get(code).map_or(&[], Vec::as_slice)
    }

    fn problem(&mut self, table: &'static str, key: String, message: Words) {
        self.problems.push(Problem { table, key, message });
    }

    /// The place of the row of a code that is in force the day before, whether or not it ends on the day.
    fn before(&self, code: &str, day: Date) -> Option<usize> {
        self.places(code).iter().copied().find(|at| {
            let row = &self.units[*at];
            row.valid_from.is_none_or(|from| from < day) && row.valid_to.is_none_or(|to| day <= to)
        })
    }

    /// The place of the row that is in force the day before and on the day.
    fn across(&self, code: &str, day: Date) -> Option<usize> {
        self.before(code, day).filter(|at| self.units[*at].valid_to != Some(day))
    }

    fn begins_on(&self, code: &str, day: Date) -> bool {
        self.places(code).iter().any(|at| self.units[*at].valid_from == Some(day))
    }

    /// Ends a row on a day; the copy that goes on from then.
    fn cut(&mut self, at: usize, day: Date) -> UnitRow {
        let rest = UnitRow { valid_from: Some(day), ..self.units[at].clone() };
        self.units[at].valid_to = Some(day);
        rest
    }

    fn change(&mut self, row: &ChangeRow) {
        let key = format!("{} {}", row.day, row.code);
        if row.act == Act::Begins {
            return self.begin(row, key);
        }
        let Some(at) = self.across(&row.code, row.day) else {
            if row.act == Act::Ends && self.begun.contains(&(row.day, row.code.clone())) {
                return;
            }
            let begins = self.begins_on(&row.code, row.day);
            let message = match self.before(&row.code, row.day) {
                Some(_) if begins => Words::of(
                    "đã có dòng của mã này bắt đầu vào ngày đó: có phải thay đổi này đã được nạp?",
                    "a row of this code begins on that day already: is this change in?",
                ),
                Some(_) => Words::of(
                    "đơn vị mang mã này đã hết hiệu lực vào ngày đó",
                    "the unit of this code ends on that day already",
                ),
                None => Words::of(
                    "không đơn vị nào mang mã này vào ngày hôm trước",
                    "no unit carries this code the day before",
                ),
            };
            return self.problem("changes", key, message);
        };
        let known = &self.units[at];
        if !row.level.is_empty() && row.level != known.level {
            let (name, is, not) = (&known.name, &known.level, &row.level);
            let message = Words::of(
                format!("{name} thuộc cấp {is}, không phải {not}"),
                format!("{name} is of level {is}, not {not}"),
            );
            return self.problem("changes", key, message);
        }
        let other = |given: &str, known: &str| !given.is_empty() && given != known;
        let moved = other(&row.parent, known.parent.as_deref().unwrap_or_default());
        let renamed = other(&row.name, &known.name) || other(&row.kind, &known.kind);
        match row.act {
            Act::Renamed if !renamed => {
                let (name, kind) = (&known.name, &known.kind);
                let message = Words::of(
                    format!("cần tên hoặc loại khác: hiện là {name} ({kind})"),
                    format!("expected another name or kind: it is {name} ({kind})"),
                );
                return self.problem("changes", key, message);
            }
            Act::Renamed if moved => {
                let message = Words::of(
                    "đơn vị đổi tên thì vẫn thuộc đơn vị cấp trên cũ: nếu đổi cấp trên, hãy ghi moves",
                    "a unit that is renamed stays where it is: write moves where its parent changes",
                );
                return self.problem("changes", key, message);
            }
            Act::Moves if !moved => {
                let (name, parent) = (&known.name, known.parent.as_deref());
                let message = Words::of(
                    format!("cần parent_code khác: {name} thuộc {}", parent.unwrap_or("không đơn vị nào")),
                    format!("expected another parent_code: {name} lies in {}", parent.unwrap_or("nothing")),
                );
                return self.problem("changes", key, message);
            }
            _ => {}
        }
        let mut rest = self.cut(at, row.day);
        if row.act == Act::Ends {
            return;
        }
        let put = |into: &mut String, given: &String| {
            if !given.is_empty() {
                into.clone_from(given);
            }
        };
        put(&mut rest.name, &row.name);
        put(&mut rest.kind, &row.kind);
        if moved {
            rest.parent = Some(row.parent.clone());
        }
        self.add(rest);
    }

    fn begin(&mut self, row: &ChangeRow, key: String) {
        let needed = [("level", &row.level), ("name", &row.name), ("parent_code", &row.parent)];
        let missing: Vec<_> = needed.iter().filter(|(_, text)| text.is_empty()).map(|(n, _)| *n).collect();
        if !missing.is_empty() {
            let message = Words::of(
                format!("đơn vị mới phải có {}", missing.join(" và ")),
                format!("a unit that begins has {}", missing.join(" and ")),
            );
            return self.problem("changes", key, message);
        }
        if self.begins_on(&row.code, row.day) {
            let message = Words::of(
                "đã có đơn vị mang mã này bắt đầu vào ngày đó",
                "a unit of this code begins on that day already",
            );
            return self.problem("changes", key, message);
        }
        let starts = self.places(&row.code).iter().filter_map(|at| self.units[*at].valid_from);
        let next = starts.filter(|from| *from > row.day).min();
        let valid_to = match self.across(&row.code, row.day) {
            Some(at) => self.cut(at, row.day).valid_to,
            None => next,
        };
        self.begun.insert((row.day, row.code.clone()));
        self.add(UnitRow {
            code: row.code.clone(),
            level: row.level.clone(),
            name: row.name.clone(),
            kind: row.kind.clone(),
            parent: Some(row.parent.clone()),
            valid_from: Some(row.day),
            valid_to,
        });
    }

    /// Ends the units that the successions of a day lead away from whole.
    fn follow(&mut self, day: Date, successions: &[SuccessionRow]) {
        let on_the_day = || successions.iter().filter(|s| s.day == day);
        let going: BTreeSet<&str> =
            on_the_day().filter(|s| s.from != s.to).map(|s| s.from.as_str()).collect();
        for code in going {
            let goes_on = on_the_day().any(|s| s.from == code && s.to == code);
            if let Some(at) = self.across(code, day).filter(|_| !goes_on) {
                self.units[at].valid_to = Some(day);
            }
        }
    }
}
