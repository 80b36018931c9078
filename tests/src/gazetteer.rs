//! What the registry's tables say, counted without any of the code under test.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};

use crate::server::Tables;

/// Rows of a table, by column.
pub type Row = BTreeMap<String, String>;

/// The rows of a table.
pub fn rows(table: &[u8]) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(table);
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// The levels from the nation down.
const LEVELS: [&str; 4] = ["nation", "province", "district", "commune"];

/// The units of the gazetteer, a stage each.
pub struct Gazetteer(Vec<Stage>);

struct Stage {
    code: String,
    parent: String,
    level: usize,
    from: Date,
    to: Date,
}

fn depth(level: &str) -> usize {
    LEVELS.iter().position(|l| *l == level).expect("a level")
}

impl Gazetteer {
    /// Of the tables of a registry.
    pub fn of(tables: &Tables) -> Gazetteer {
        let day = |text: &str, open| if text.is_empty() { open } else { text.parse().expect("a day") };
        let stage = |row: Row| Stage {
            code: row["code"].clone(),
            parent: row["parent_code"].clone(),
            level: depth(&row["level"]),
            from: day(&row["valid_from"], Date::MIN),
            to: day(&row["valid_to"], Date::MAX),
        };
        Gazetteer(rows(&tables["units.csv"]).into_iter().map(stage).collect())
    }

    fn on(&self, day: Date) -> impl Iterator<Item = &Stage> {
        self.0.iter().filter(move |s| s.from <= day && day < s.to)
    }

    /// How many cells a unit has: its units of the collection level on each of some days; a unit above that
    /// level with no children counts as one of it.
    pub fn cells(&self, unit: &str, collected_at: &str, days: &[Date]) -> u64 {
        // Between two changes of the map every day has as many.
        let mut changes: Vec<Date> = self.0.iter().map(|s| s.from).collect();
        changes.sort();
        changes.dedup();
        let mut alike: BTreeMap<usize, Vec<Date>> = BTreeMap::new();
        for day in days {
            alike.entry(changes.partition_point(|c| c <= day)).or_default().push(*day);
        }
        alike
            .values()
            .map(|days| self.on_one_day(unit, depth(collected_at), days[0]) * days.len() as u64)
            .sum()
    }

    fn on_one_day(&self, unit: &str, collected_at: usize, day: Date) -> u64 {
        let above: BTreeMap<&str, &Stage> =
            self.on(day).filter(|s| s.level <= collected_at).map(|s| (s.code.as_str(), s)).collect();
        let parents: BTreeSet<&str> = above.values().map(|s| s.parent.as_str()).collect();
        let inside = |code: &str| {
            let mut at = code;
            while at != unit && !at.is_empty() {
                at = &above[at].parent;
            }
            at == unit
        };
        let collects = |s: &Stage| s.level == collected_at || !parents.contains(s.code.as_str());
        above.values().filter(|s| collects(s) && inside(&s.code)).count() as u64
    }

    /// A unit's children on a day.
    pub fn children(&self, unit: &str, day: Date) -> Vec<String> {
        self.on(day).filter(|s| s.parent == unit).map(|s| s.code.clone()).collect()
    }
}

/// The last days of the months of years in the calendar of Nghị định 09/2019/NĐ-CP: the 14th of each.
pub fn ends_of_months(years: std::ops::RangeInclusive<i16>) -> Vec<Date> {
    years.flat_map(|year| (1..=12).map(move |month| date(year, month, 14))).collect()
}
