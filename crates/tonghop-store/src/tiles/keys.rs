//! Many exact keys in few statements.

use std::collections::{BTreeMap, BTreeSet};

use super::TileKey;

/// Keys that differ in one part only: one statement asks for them with `IN`, and the primary key answers it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyGroup<'a> {
    /// Several series of one keeper and period: what a province's submission touches.
    Series {
        /// The one keeper.
        keeper: &'a str,
        /// The series.
        series: Vec<&'a str>,
        /// The one period.
        period: (i32, &'a str),
    },
    /// One series and period of several keepers: what a national tile stands over.
    Keepers {
        /// The keepers.
        keepers: Vec<&'a str>,
        /// The one series.
        series: &'a str,
        /// The one period.
        period: (i32, &'a str),
    },
}

/// `keys`, each once, in whichever kind of group makes fewer of them.
pub(super) fn group(keys: &[TileKey]) -> Vec<KeyGroup<'_>> {
    let mut by_keeper: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    let mut by_series: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for TileKey { keeper, series, end_day, period } in keys {
        let period = (*end_day, period.as_str());
        by_keeper.entry((keeper.as_str(), period)).or_default().insert(series);
        by_series.entry((series.as_str(), period)).or_default().insert(keeper);
    }
    if by_keeper.len() <= by_series.len() {
        let groups = by_keeper.into_iter();
        return groups
            .map(|((keeper, period), series)| KeyGroup::Series {
                keeper,
                series: series.into_iter().collect(),
                period,
            })
            .collect();
    }
    let groups = by_series.into_iter();
    groups
        .map(|((series, period), keepers)| KeyGroup::Keepers {
            keepers: keepers.into_iter().collect(),
            series,
            period,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(keeper: &str, series: &str) -> TileKey {
        TileKey {
            keeper: keeper.to_owned(),
            series: series.to_owned(),
            end_day: 31,
            period: "1970-01".to_owned(),
        }
    }

    #[test]
    fn a_provinces_series_are_one_group() {
        let keys = [key("vn-01", "b"), key("vn-01", "a"), key("vn-01", "b")];
        let expected = KeyGroup::Series { keeper: "vn-01", series: vec!["a", "b"], period: (31, "1970-01") };
        assert_eq!(group(&keys), [expected]);
    }

    #[test]
    fn a_series_over_provinces_is_one_group() {
        let keys = [key("vn-02", "a"), key("vn-01", "a")];
        let expected =
            KeyGroup::Keepers { keepers: vec!["vn-01", "vn-02"], series: "a", period: (31, "1970-01") };
        assert_eq!(group(&keys), [expected]);
    }

    #[test]
    fn keys_that_share_nothing_are_asked_for_one_by_one() {
        assert_eq!(group(&[key("vn-01", "a"), key("vn-02", "b")]).len(), 2);
    }
}
