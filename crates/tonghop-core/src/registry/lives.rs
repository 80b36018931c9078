//! From rows to units: which rows are one unit going on, and which are another territory under an old code.
//!
//! A unit has one parent for life. Where a row's parent changes, or ends and another unit takes its code, the
//! unit goes on as a new one, linked to the old one by a succession. So every figure of a unit lies in one
//! place of the tree, and what a unit covers never reaches beyond what its parent does.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::build::Checker;
use super::{Draft, Registry, SuccessionRow, UnitRow};
use crate::unit::{Level, NATION, Stage, Succession, Unit, UnitId};

/// Units with what they became.
pub(super) struct Lives {
    pub(super) units: Vec<Unit>,
    pub(super) by_code: FxHashMap<String, Vec<UnitId>>,
    pub(super) successions: Vec<Succession>,
}

/// A part of a row during which the parent is one unit.
struct Segment<'a> {
    row: &'a UnitRow,
    from: Date,
    to: Date,
    parent: Option<UnitId>,
}

struct Builder<'a> {
    check: &'a mut Checker,
    before: Option<&'a Registry>,
    linked: HashMap<(Date, &'a str), Vec<&'a SuccessionRow>>,
    units: BTreeMap<UnitId, Unit>,
    by_code: FxHashMap<String, Vec<UnitId>>,
    /// Links between lives that no succession was given for.
    implied: Vec<Succession>,
}

/// Builds units and successions.
pub(super) fn lives(
    check: &mut Checker,
    draft: &Draft,
    levels: &HashMap<&str, Level>,
    before: Option<&Registry>,
) -> Lives {
    let mut rows: BTreeMap<(Level, &str), Vec<&UnitRow>> = BTreeMap::new();
    for row in &draft.units {
        match levels.get(row.level.as_str()) {
            Some(level) => rows.entry((*level, &row.code)).or_default().push(row),
            None => check.problem(
                "units",
                &row.code,
                format!("không có cấp {:?}", row.level),
                format!("unknown level {:?}", row.level),
            ),
        }
    }
    let mut linked: HashMap<(Date, &str), Vec<&SuccessionRow>> = HashMap::new();
    for row in &draft.successions {
        linked.entry((row.day, &row.from)).or_default().push(row);
        if row.from != row.to {
            linked.entry((row.day, &row.to)).or_default().push(row);
        }
    }
    let mut builder = Builder {
        check,
        before,
        linked,
        units: BTreeMap::new(),
        by_code: FxHashMap::default(),
        implied: Vec::new(),
    };
    // Levels come in order, so that every parent is known before its children.
    for ((level, code), stages) in rows {
        builder.code(level, code, stages);
    }
    builder.check_whole();
    let successions = builder.successions(&draft.successions);
    Lives { units: builder.units.into_values().collect(), by_code: builder.by_code, successions }
}

impl<'a> Builder<'a> {
    fn find(&self, code: &str, day: Date) -> Option<UnitId> {
        self.by_code.get(code)?.iter().find(|id| self.units[id].in_force(day)).copied()
    }

    /// All rows of one code of one level.
    fn code(&mut self, level: Level, code: &'a str, mut rows: Vec<&'a UnitRow>) {
        rows.sort_by_key(|r| r.valid_from.unwrap_or(Date::MIN));
        let mut last: Option<UnitId> = None;
        for row in rows {
            for segment in self.segments(level, row) {
                last = Some(self.segment(level, code, &segment, last));
            }
        }
    }

    fn segments(&mut self, level: Level, row: &'a UnitRow) -> Vec<Segment<'a>> {
        let (from, to) = (row.valid_from.unwrap_or(Date::MIN), row.valid_to.unwrap_or(Date::MAX));
        if from >= to {
            self.check.problem(
                "units",
                &row.code,
                "hiệu lực kết thúc trước khi bắt đầu",
                "its validity ends before it starts",
            );
            return vec![];
        }
        if (level == NATION) != row.parent.is_none() {
            self.check.problem(
                "units",
                &row.code,
                "cấp cả nước không có đơn vị cấp trên, mọi đơn vị khác đều phải có",
                "the nation has no parent, and every other unit has one",
            );
            return vec![];
        }
        let Some(parent_code) = &row.parent else {
            return vec![Segment { row, from, to, parent: None }];
        };
        let mut out = Vec::new();
        let mut at = from;
        while at < to {
            let Some(parent) = self.find(parent_code, at) else {
                let (vi, en) = match self.by_code.contains_key(parent_code.as_str()) {
                    false => (
                        format!("không có đơn vị cấp cao hơn nào mang mã {parent_code} của đơn vị cấp trên"),
                        format!("no unit of a higher level has the code {parent_code} of its parent"),
                    ),
                    true if at == Date::MIN => (
                        format!("đơn vị cấp trên {parent_code} không phải lúc nào cũng có"),
                        format!("its parent {parent_code} was not always there"),
                    ),
                    true => (
                        format!("đơn vị cấp trên {parent_code} không có hiệu lực vào ngày {at}"),
                        format!("its parent {parent_code} is not in force on {at}"),
                    ),
                };
                self.check.problem("units", &row.code, vi, en);
                break;
            };
            if self.units[&parent].level >= level {
                self.check.problem(
                    "units",
                    &row.code,
                    "đơn vị cấp trên không thuộc cấp cao hơn",
                    "its parent is not of a higher level",
                );
            }
            let until = to.min(self.units[&parent].to());
            out.push(Segment { row, from: at, to: until, parent: Some(parent) });
            at = until;
        }
        out
    }

    /// Adds a segment: to the unit before it where that goes on, else as a new unit.
    fn segment(&mut self, level: Level, code: &str, segment: &Segment<'_>, last: Option<UnitId>) -> UnitId {
        let stage = Stage {
            from: segment.from,
            to: segment.to,
            name: segment.row.name.clone(),
            kind: segment.row.kind.clone(),
        };
        let mut link = None;
        if let Some(last) = last {
            let before = &self.units[&last];
            let adjoins = before.to() == segment.from;
            let links = self.linked.get(&(segment.from, code)).map_or(&[][..], Vec::as_slice);
            let same_territory = match links {
                [] => true,
                [only] => only.from == only.to && only.share == 1_000_000,
                _ => false,
            };
            if adjoins && same_territory && before.parent == segment.parent {
                if let Some(unit) = self.units.get_mut(&last) {
                    unit.stages.push(stage);
                }
                return last;
            }
            // Others may join it on that day; what it was itself goes on unless it is said to go elsewhere.
            link = (adjoins && links.iter().all(|l| l.from != code)).then_some(last);
        }
        let mut unit =
            Unit { id: UnitId(0), code: code.to_owned(), level, parent: segment.parent, stages: vec![stage] };
        unit.id = UnitId(self.units.len() as u32);
        let id = unit.id;
        if let Some(from) = link {
            self.implied.push(Succession {
                day: segment.from,
                from,
                to: id,
                share: 1_000_000,
                basis: "goes on".to_owned(),
            });
        }
        self.by_code.entry(code.to_owned()).or_default().push(id);
        self.units.insert(id, unit);
        id
    }

    fn check_whole(&mut self) {
        let nations = self.units.values().filter(|u| u.level == NATION).count();
        if nations != 1 {
            self.check.problem(
                "units",
                "",
                format!("cần đúng một đơn vị ở cấp đầu tiên, thấy {nations}"),
                format!("expected one unit of the first level, found {nations}"),
            );
        }
        for (code, ids) in &self.by_code {
            for (i, a) in ids.iter().enumerate() {
                for b in &ids[i + 1..] {
                    let (a, b) = (&self.units[a], &self.units[b]);
                    if a.from() < b.to() && b.from() < a.to() {
                        let day = a.from().max(b.from());
                        let (vi, en) = match day == Date::MIN {
                            true => (
                                "hai dòng cùng mang mã này ngay từ đầu".to_owned(),
                                "two rows have this code from the beginning on".to_owned(),
                            ),
                            false => (
                                format!("hai dòng cùng mang mã này vào ngày {day}"),
                                format!("two rows have this code on {day}"),
                            ),
                        };
                        self.check.problem("units", code, vi, en);
                    }
                }
            }
        }
        let keys: HashSet<String> = self.units.values().map(Unit::key).collect();
        for unit in self.before.map_or(&[][..], Registry::units) {
            if !keys.contains(&unit.key()) {
                let vi = "đã có trong danh mục mà nay không còn: hãy ghi ngày hết hiệu lực thay vì bỏ đi";
                let en = "was in the registry and is no longer: end its validity instead";
                self.check.problem("units", unit.key(), vi, en);
            }
        }
    }

    fn successions(&mut self, rows: &[SuccessionRow]) -> Vec<Succession> {
        let mut shares: BTreeMap<(Date, UnitId), u64> = BTreeMap::new();
        let mut out = std::mem::take(&mut self.implied);
        for row in rows {
            let before = row.day.yesterday().ok().and_then(|d| self.find(&row.from, d));
            let (Some(from), Some(to)) = (before, self.find(&row.to, row.day)) else {
                self.check.problem(
                    "successions",
                    format!("{} {}>{}", row.day, row.from, row.to),
                    "cần một đơn vị có hiệu lực vào ngày hôm trước và một đơn vị có hiệu lực vào chính ngày đó",
                    "expected a unit in force the day before and one in force on the day",
                );
                continue;
            };
            *shares.entry((row.day, from)).or_default() += u64::from(row.share);
            if from != to {
                out.push(Succession { day: row.day, from, to, share: row.share, basis: row.basis.clone() });
            }
        }
        for ((day, from), sum) in shares {
            if sum != 1_000_000 {
                let key = format!("{day} {}", self.units[&from].code);
                self.check.problem(
                    "successions",
                    key,
                    "các phần của một đơn vị cộng lại phải đúng bằng 1",
                    "the shares of a unit sum to exactly 1",
                );
            }
        }
        out.sort_by_key(|s| (s.day, s.from, s.to));
        self.check_succeeded(&out);
        out
    }

    /// A unit with nothing below it that ends goes on as something: else its figures were in no later map.
    fn check_succeeded(&mut self, successions: &[Succession]) {
        let succeeded: HashSet<UnitId> = successions.iter().map(|s| s.from).collect();
        let above: HashSet<UnitId> =
            self.units.values().flat_map(|u| u.parent.filter(|p| self.units[p].to() == u.to())).collect();
        let lost = self
            .units
            .values()
            .filter(|u| u.to() != Date::MAX && !succeeded.contains(&u.id) && !above.contains(&u.id));
        for unit in lost {
            let vi = "hết hiệu lực mà không có đơn vị kế tục, bên dưới cũng không có gì tiếp tục: hãy nêu đơn vị kế tục";
            let en = "ends without a successor, and nothing below it goes on: say what it went on as";
            self.check.problem("successions", format!("{} {}", unit.to(), unit.code), vi, en);
        }
    }
}
