//! Where units lie: the label points that ship with the registry, and what follows from them.
//!
//! Points are of the units of 1 July 2025. An earlier unit lies amidst what it went on as. All arithmetic is on
//! whole hundred-thousandths of a degree: nothing here is a figure, but nothing needs a float either.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

/// The table that ships. Of its columns only the code, the level, the first day and the point are read.
const TABLE: &[u8] = include_bytes!("../../../../data/registry/units.csv");

/// Hundred-thousandths of a degree in a degree.
pub(super) const DEGREE: i64 = 100_000;

/// A point on the ground, in hundred-thousandths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// North.
    pub(super) lat: i64,
    /// East.
    pub(super) lon: i64,
}

/// A point of the table: the level of its unit, and the unit's key.
struct Row {
    level: String,
    key: String,
    place: Place,
}

fn table() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let mut reader = csv::Reader::from_reader(TABLE);
        let mut rows = Vec::new();
        // A row that cannot be read has no point; `the_table_that_ships_has_points` sees to it that they are there.
        for row in reader.deserialize::<BTreeMap<String, String>>().flatten() {
            let cell = |name: &str| row.get(name).map_or("", String::as_str);
            let place = degrees(cell("lat")).zip(degrees(cell("lon")));
            if let Some((lat, lon)) = place {
                let key = match cell("valid_from") {
                    "" => cell("code").to_owned(),
                    from => format!("{}@{from}", cell("code")),
                };
                rows.push(Row { level: cell("level").to_owned(), key, place: Place { lat, lon } });
            }
        }
        rows
    })
}

/// The points of all communes that have one: together they draw the country.
pub(super) fn country() -> impl Iterator<Item = Place> {
    table().iter().filter(|row| row.level == "commune").map(|row| row.place)
}

/// Degrees as they are written, in hundred-thousandths.
fn degrees(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = format!("{fraction:0<5}").chars().take(5).collect();
    let whole: i64 = whole.parse().ok()?;
    Some(whole * DEGREE + fraction.parse::<i64>().ok()?)
}

/// Where the units of a registry lie.
#[derive(Debug)]
pub(super) struct Places {
    by_unit: Vec<Option<Place>>,
}

impl Places {
    /// By the units' own points; else amidst what a unit went on as; else amidst what lay in it.
    pub(super) fn of(registry: &Registry) -> Places {
        let mut by_unit = vec![None; registry.units().len()];
        for row in table() {
            if let Some(unit) = registry.unit_by_key(&row.key) {
                by_unit[unit.0 as usize] = Some(row.place);
            }
        }
        // The lowest first, since those above lie amidst them.
        let mut others: Vec<_> =
            registry.units().iter().filter(|u| by_unit[u.id.0 as usize].is_none()).collect();
        others.sort_by_key(|u| std::cmp::Reverse(u.level));
        for unit in others {
            let at = |id: UnitId| by_unit[id.0 as usize];
            let heirs: Vec<_> = registry.successors(unit.id).filter(|s| s.to != unit.id).collect();
            // Of the same level, or of an island district that became a commune.
            let same = heirs.iter().filter(|s| registry.unit(s.to).level >= unit.level);
            let last_day = unit.to().yesterday().unwrap_or(unit.to());
            let below = registry.map_on(last_day).children(unit.id).iter();
            let amidst_below = amidst(below.filter_map(|child| at(*child)));
            let amidst_heirs = amidst(same.filter_map(|s| at(s.to)));
            // What lay in it says more closely where it was than what became of it together with others.
            by_unit[unit.id.0 as usize] = amidst_below.or(amidst_heirs);
        }
        Places { by_unit }
    }

    /// Where a unit lies, if that is known.
    pub(super) fn at(&self, unit: UnitId) -> Option<Place> {
        self.by_unit.get(unit.0 as usize).copied().flatten()
    }
}

/// The middle of some places.
fn amidst(places: impl Iterator<Item = Place>) -> Option<Place> {
    let (mut lat, mut lon, mut count) = (0, 0, 0);
    for place in places {
        lat += place.lat;
        lon += place.lon;
        count += 1;
    }
    (count > 0).then(|| Place { lat: lat / count, lon: lon / count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_read_exactly() {
        assert_eq!(degrees("21.0001"), Some(2_100_010));
        assert_eq!(degrees("8.82877"), Some(882_877));
        assert_eq!(degrees("112"), Some(11_200_000));
        assert_eq!(degrees("15.6310049"), Some(1_563_100));
        assert_eq!(degrees(""), None);
        assert_eq!(degrees("x"), None);
    }

    #[test]
    fn the_table_that_ships_has_points() {
        let provinces = table().iter().filter(|r| r.level == "province").count();
        assert_eq!((provinces, country().count()), (34, 3316));
        // The two archipelagos are on the map.
        for key in ["20333@2025-07-01", "22736@2025-07-01"] {
            assert!(table().iter().any(|r| r.key == key), "{key}");
        }
        for place in country() {
            assert!((8 * DEGREE..24 * DEGREE).contains(&place.lat), "{place:?}");
            assert!((102 * DEGREE..115 * DEGREE).contains(&place.lon), "{place:?}");
        }
    }
}
