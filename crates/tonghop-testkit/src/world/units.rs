//! Random administrative units: a tree of provinces, districts and communes, and days on which it changes.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use tonghop_core::Date;
use tonghop_core::registry::{SuccessionRow, UnitRow};

use super::pick;

/// Codes of the levels, the nation first.
pub(super) const LEVELS: [&str; 4] = ["nation", "province", "district", "commune"];
/// Days on which maps may change; some within a period of every grain, some between years.
const DAYS: [(i16, i8, i8); 6] =
    [(2022, 7, 1), (2022, 12, 15), (2023, 1, 1), (2022, 5, 10), (2023, 8, 20), (2022, 11, 1)];
const WHOLE: u32 = 1_000_000;

/// What a province starts as: communes of each district, and communes of its own.
type Province = (Vec<usize>, usize);
/// A change: which kind, and to which units.
type Change = (usize, usize, usize);

/// The seed of a tree and its changes.
#[derive(Clone, Debug)]
pub(super) struct UnitSeed {
    provinces: Vec<Province>,
    changes: Vec<(usize, Vec<Change>)>,
}

pub(super) fn seed() -> impl Strategy<Value = UnitSeed> {
    let province = (vec(0..=4usize, 0..=3), prop_oneof![3 => Just(0usize), 1 => 1..=2usize]);
    let change = (0..10usize, 0..1000usize, 0..1000usize);
    let day = (0..DAYS.len(), vec(change, 1..=4));
    let changes = prop_oneof![2 => Just(vec![]), 3 => vec(day, 1..=3)];
    (vec(province, 1..=3), changes).prop_map(|(provinces, changes)| UnitSeed { provinces, changes })
}

/// Rows of the registry while they are made.
#[derive(Default)]
struct Rows {
    units: Vec<UnitRow>,
    successions: Vec<SuccessionRow>,
    /// Codes that changed on the day at hand, which do not change twice.
    touched: HashSet<String>,
}

/// The tables `units` and `successions` of a seed.
pub(super) fn rows(seed: &UnitSeed) -> (Vec<UnitRow>, Vec<SuccessionRow>) {
    let mut rows = Rows::default();
    rows.add("VN", 0, None, None);
    for (i, (districts, communes)) in seed.provinces.iter().enumerate() {
        let province = format!("P{}", i + 1);
        rows.add(&province, 1, Some("VN"), None);
        for (j, communes) in districts.iter().enumerate() {
            let district = format!("D{}{}", i + 1, j + 1);
            rows.add(&district, 2, Some(&province), None);
            for k in 0..*communes {
                rows.add(&format!("C{}{}{}", i + 1, j + 1, k + 1), 3, Some(&district), None);
            }
        }
        for k in 0..*communes {
            rows.add(&format!("C{}0{}", i + 1, k + 1), 3, Some(&province), None);
        }
    }
    let mut days: Vec<(Date, &Vec<Change>)> = seed
        .changes
        .iter()
        .map(|(day, changes)| (jiff::civil::date(DAYS[*day].0, DAYS[*day].1, DAYS[*day].2), changes))
        .collect();
    days.sort_by_key(|(day, _)| *day);
    days.dedup_by_key(|(day, _)| *day);
    for (day, changes) in days {
        rows.touched.clear();
        for change in changes {
            rows.change(day, *change);
        }
    }
    (rows.units, rows.successions)
}

impl Rows {
    fn add(&mut self, code: &str, level: usize, parent: Option<&str>, from: Option<Date>) {
        let kind = match (level, code.ends_with('1')) {
            (0, _) => "nuoc",
            (1, _) => "tinh",
            (2, _) => "huyen",
            (_, true) => "phuong",
            (_, false) => "xa",
        };
        self.units.push(UnitRow {
            code: code.to_owned(),
            level: LEVELS[level].to_owned(),
            name: code.to_owned(),
            kind: kind.to_owned(),
            parent: parent.map(str::to_owned),
            valid_from: from,
            valid_to: None,
        });
    }

    /// Codes in force after the changes so far, of the levels that pass, not changed today.
    fn codes(&self, levels: &[usize]) -> Vec<String> {
        let of_level = |row: &UnitRow| levels.iter().any(|l| LEVELS[*l] == row.level);
        let now = self.units.iter().filter(|row| row.valid_to.is_none() && of_level(row));
        now.map(|row| row.code.clone()).filter(|code| !self.touched.contains(code)).collect()
    }

    fn row(&mut self, code: &str) -> &mut UnitRow {
        self.units.iter_mut().find(|r| r.valid_to.is_none() && r.code == code).expect("in force")
    }

    fn row_level(&self, code: &str) -> usize {
        let row = self.units.iter().find(|r| r.valid_to.is_none() && r.code == code);
        LEVELS.iter().position(|l| row.is_some_and(|row| row.level == *l)).unwrap_or_default()
    }

    fn parent(&mut self, code: &str) -> String {
        self.row(code).parent.clone().unwrap_or_default()
    }

    fn children(&self, code: &str) -> Vec<String> {
        let below = |row: &&UnitRow| row.valid_to.is_none() && row.parent.as_deref() == Some(code);
        self.units.iter().filter(below).map(|row| row.code.clone()).collect()
    }

    /// The same unit goes on under another parent.
    fn move_to(&mut self, code: &str, parent: &str, day: Date) {
        let row = self.row(code);
        if row.valid_from == Some(day) {
            row.parent = Some(parent.to_owned());
            return;
        }
        row.valid_to = Some(day);
        let next =
            UnitRow { valid_from: Some(day), valid_to: None, parent: Some(parent.to_owned()), ..row.clone() };
        self.units.push(next);
        self.touched.insert(code.to_owned());
    }

    fn end(&mut self, code: &str, day: Date) {
        self.row(code).valid_to = Some(day);
        self.touched.insert(code.to_owned());
    }

    fn begin(&mut self, code: &str, level: usize, parent: &str, day: Date) {
        self.add(code, level, Some(parent), Some(day));
        self.touched.insert(code.to_owned());
    }

    fn succeed(&mut self, day: Date, from: &str, to: &str, share: u32) {
        let basis = "test".to_owned();
        self.successions.push(SuccessionRow { day, from: from.to_owned(), to: to.to_owned(), share, basis });
    }

    /// One change; nothing where there is no unit for it.
    fn change(&mut self, day: Date, (kind, a, b): Change) -> Option<()> {
        match kind {
            // Districts go; their communes hang under the province.
            0 => {
                let province = pick(&self.codes(&[1]), a)?.clone();
                for district in self.children(&province) {
                    let children = self.children(&district);
                    // One that has nothing of its own the day before would have to go on as something.
                    let goes_on = children.iter().any(|c| self.row(c).valid_from != Some(day));
                    if self.row_level(&district) == 2 && !self.touched.contains(&district) && goes_on {
                        children.iter().for_each(|c| self.move_to(c, &province, day));
                        self.end(&district, day);
                    }
                }
            }
            // A unit moves to another parent.
            1 => {
                let unit = pick(&self.codes(&[2, 3]), a)?.clone();
                let level = self.row_level(&unit);
                let parents = self.codes(if level == 3 { &[1, 2] } else { &[1] });
                let parent = pick(&parents, b)?.clone();
                if parent != self.parent(&unit) {
                    self.move_to(&unit, &parent, day);
                }
            }
            // Two units become one, which takes the code of the second.
            2 => {
                let one = pick(&self.codes(&[1, 2, 3]), a)?.clone();
                let level = self.row_level(&one);
                let others: Vec<_> = self.codes(&[level]).into_iter().filter(|c| *c != one).collect();
                let other = pick(&others, b)?.clone();
                let parent = self.parent(&other);
                for child in self.children(&one) {
                    self.move_to(&child, &other, day);
                }
                self.end(&one, day);
                self.end(&other, day);
                self.begin(&other, level, &parent, day);
                self.succeed(day, &one, &other, WHOLE);
                self.succeed(day, &other, &other, WHOLE);
            }
            // A commune is divided; its code goes on with one part.
            3 => {
                let unit = pick(&self.codes(&[3]), a)?.clone();
                let (parent, new) = (self.parent(&unit), format!("{unit}b"));
                if self.units.iter().any(|u| u.code == new) {
                    return None;
                }
                self.end(&unit, day);
                self.begin(&unit, 3, &parent, day);
                self.begin(&new, 3, &parent, day);
                self.succeed(day, &unit, &unit, 600_000);
                self.succeed(day, &unit, &new, 400_000);
            }
            // A commune goes up in another, which goes on.
            4 => {
                let unit = pick(&self.codes(&[3]), a)?.clone();
                let others: Vec<_> = self.codes(&[3]).into_iter().filter(|c| *c != unit).collect();
                let other = pick(&others, b)?.clone();
                self.end(&unit, day);
                self.succeed(day, &unit, &other, WHOLE);
                self.touched.insert(other);
            }
            // A part of a commune goes over to another; both go on.
            5 => {
                let unit = pick(&self.codes(&[3]), a)?.clone();
                let others: Vec<_> = self.codes(&[3]).into_iter().filter(|c| *c != unit).collect();
                let other = pick(&others, b)?.clone();
                self.succeed(day, &unit, &unit, 700_000);
                self.succeed(day, &unit, &other, 300_000);
                self.touched.extend([unit, other]);
            }
            // A province is divided; its code goes on with one part, and what is below falls to either.
            6 => {
                let unit = pick(&self.codes(&[1]), a)?.clone();
                let new = format!("{unit}b");
                let children = self.children(&unit);
                let settled = children.iter().all(|c| !self.touched.contains(c));
                if self.units.iter().any(|u| u.code == new) || !settled {
                    return None;
                }
                self.end(&unit, day);
                self.begin(&unit, 1, "VN", day);
                self.begin(&new, 1, "VN", day);
                self.succeed(day, &unit, &unit, 650_000);
                self.succeed(day, &unit, &new, 350_000);
                for child in children.iter().skip(b % 2).step_by(2) {
                    self.move_to(child, &new, day);
                }
            }
            // A level comes in: the communes of a province, or some of them, get a district.
            7 => {
                let province = pick(&self.codes(&[1]), a)?.clone();
                let mut communes = self.children(&province);
                communes.retain(|c| self.row_level(c) == 3 && !self.touched.contains(c));
                let new = format!("E{}", self.units.len());
                if communes.is_empty() {
                    return None;
                }
                self.begin(&new, 2, &province, day);
                for commune in communes.iter().skip(b % 2) {
                    self.move_to(commune, &new, day);
                }
            }
            // An island district becomes a commune.
            8 => {
                let mut districts = self.codes(&[2]);
                districts.retain(|d| self.children(d).is_empty());
                let district = pick(&districts, a)?.clone();
                let (parent, new) = (self.parent(&district), format!("{district}c"));
                self.end(&district, day);
                self.begin(&new, 3, &parent, day);
                self.succeed(day, &district, &new, WHOLE);
            }
            // A new commune, perhaps the first of its district.
            _ => {
                let parent = pick(&self.codes(&[2, 1]), a)?.clone();
                let new = format!("N{}", self.units.len());
                self.begin(&new, 3, &parent, day);
            }
        }
        Some(())
    }
}
