//! What became of units, on random worlds whose maps change: both ways say the same, and nothing is lost.
//!
//! `PROPTEST_CASES` sets how many worlds each is tried on.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tonghop_core::Date;
use tonghop_core::registry::{Change, Part, Registry, Share};
use tonghop_core::unit::{Level, UnitId};
use tonghop_testkit::world::cases;

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Days before, between and after the changes of the map, in order.
fn days(registry: &Registry) -> Vec<Date> {
    let changes = registry.maps().iter().filter_map(|m| m.from);
    let mut days: BTreeSet<Date> = changes.flat_map(|day| [day.yesterday().unwrap(), day]).collect();
    days.insert(jiff::civil::date(2000, 1, 1));
    days.into_iter().collect()
}

fn on(registry: &Registry, day: Date) -> Vec<UnitId> {
    registry.units().iter().filter(|u| u.in_force(day)).map(|u| u.id).collect()
}

fn sum(parts: &[Part]) -> Option<Share> {
    let mut shares = parts.iter().map(|p| p.share);
    let first = shares.next()??;
    shares.try_fold(first, |sum, share| sum.and(share?))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_a_unit_became_and_was_made_of_say_the_same_and_lose_nothing(case in cases()) {
        let registry = &case.registry;
        let days = days(registry);
        for (i, from) in days.iter().enumerate() {
            for to in &days[i..] {
                let mut forth = BTreeMap::new();
                for unit in on(registry, *from) {
                    let heirs = registry.became(unit, *from, *to);
                    let map = registry.map_on(*from);
                    // What has units below it may end without a successor: they go on. Over several changes such
                    // a unit may be what another became.
                    let leaf = map.children(unit).is_empty() && registry.epoch(*to) <= registry.epoch(*from) + 1;
                    if leaf {
                        let key = registry.unit(unit).key();
                        prop_assert_eq!(sum(&heirs), Some(Share::WHOLE), "{} from {} to {}", key, from, to);
                    }
                    forth.extend(heirs.iter().map(|h| ((unit, h.unit), h.share.unwrap().to_string())));
                }
                let mut back = BTreeMap::new();
                for unit in on(registry, *to) {
                    let origins = registry.made_of(unit, *to, *from);
                    back.extend(origins.iter().map(|o| ((o.unit, unit), o.share.unwrap().to_string())));
                }
                prop_assert_eq!(&forth, &back, "from {} to {}", from, to);
            }
        }
    }

    #[test]
    fn a_map_diff_accounts_for_every_unit_of_both_maps(case in cases()) {
        let registry = &case.registry;
        let days = days(registry);
        for (i, from) in days.iter().enumerate() {
            for to in &days[i..] {
                let diff = registry.map_diff(*from, *to);
                let mut came: BTreeMap<Level, u64> = BTreeMap::new();
                let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
                for change in &diff.changes {
                    if change.change != Change::Began {
                        prop_assert!(old.insert(change.unit), "{:?} is there twice", change);
                    }
                    let is = match change.change {
                        Change::Began | Change::Renamed | Change::Redrawn => change.unit,
                        Change::WentOn => change.became[0].unit,
                        Change::Ended => continue,
                    };
                    prop_assert!(new.insert(is), "{:?} is there twice", change);
                    *came.entry(registry.unit(is).level).or_default() += 1;
                }
                for (level, counts) in &diff.levels {
                    let changed = |changes: &[Change]| changes.iter().map(|c| counts.of(*c)).sum::<u64>();
                    let went = changed(&[Change::Renamed, Change::Redrawn, Change::WentOn, Change::Ended]);
                    prop_assert_eq!(counts.before, counts.unchanged + went, "{:?} {:?}", level, counts);
                    let came = came.get(level).copied().unwrap_or(0);
                    prop_assert_eq!(counts.after, counts.unchanged + came, "{:?} {:?}", level, counts);
                }
                if from == to {
                    prop_assert_eq!(&diff.changes, &vec![]);
                }
            }
        }
    }
}
