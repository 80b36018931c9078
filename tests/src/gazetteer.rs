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

/// The units of the gazetteer, a row a stage.
pub struct Gazetteer(Vec<Row>);

impl Gazetteer {
    /// Of the tables of a registry.
    pub fn of(tables: &Tables) -> Gazetteer {
        Gazetteer(rows(&tables["units.csv"]))
    }

    fn on(&self, day: Date) -> impl Iterator<Item = &Row> {
        let at = |text: &str, open: Date| if text.is_empty() { open } else { text.parse().expect("a day") };
        self.0
            .iter()
            .filter(move |r| at(&r["valid_from"], Date::MIN) <= day && day < at(&r["valid_to"], Date::MAX))
    }

    /// How many units of the collection level there are in a unit on a day; a unit above it with no children
    /// counts as one.
    pub fn cells(&self, unit: &str, collected_at: &str, day: Date) -> u64 {
        let depth = |level: &str| LEVELS.iter().position(|l| *l == level).expect("a level");
        let above: BTreeMap<&str, (&str, usize)> = self
            .on(day)
            .map(|r| (r["code"].as_str(), (r["parent_code"].as_str(), depth(&r["level"]))))
            .filter(|(_, (_, level))| *level <= depth(collected_at))
            .collect();
        let parents: BTreeSet<&str> = above.values().map(|(parent, _)| *parent).collect();
        let inside = |code: &str| {
            let mut at = code;
            while at != unit && !at.is_empty() {
                at = above[at].0;
            }
            at == unit
        };
        let collects = |code: &str, level: usize| level == depth(collected_at) || !parents.contains(code);
        above.iter().filter(|(code, (_, level))| collects(code, *level) && inside(code)).count() as u64
    }

    /// A unit's children on a day.
    pub fn children(&self, unit: &str, day: Date) -> Vec<String> {
        self.on(day).filter(|r| r["parent_code"] == unit).map(|r| r["code"].clone()).collect()
    }
}

/// The last days of the months of years in the calendar of Nghị định 09/2019/NĐ-CP: the 14th of each.
pub fn ends_of_months(years: std::ops::RangeInclusive<i16>) -> Vec<Date> {
    years.flat_map(|year| (1..=12).map(move |month| date(year, month, 14))).collect()
}
