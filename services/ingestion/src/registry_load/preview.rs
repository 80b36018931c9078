//! What a load changes, before it does: on the map by day, and in the other tables by count.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use tonghop_core::Date;
use tonghop_core::registry::{Registry, UnitChange};
use tonghop_core::unit::Succession;
use tonghop_proto::registry as pb;
use tonghop_runtime::Text;

use crate::maps::{level_change, unit_change};

/// Units listed, of all days together.
const MOST_LISTED: usize = 1000;

/// A unit's change on a day in words that two registries have in common.
fn signature(registry: &Registry, change: &UnitChange, day: Date) -> String {
    let key = |unit| registry.unit(unit).key();
    let unit = registry.unit(change.unit);
    let called = [day.yesterday().unwrap_or(day), day].map(|d| unit.stage(d).map(|s| (&s.name, &s.kind)));
    let parts = change
        .became
        .iter()
        .chain(&change.made_of)
        .map(|p| format!("{} {:?}", key(p.unit), p.share))
        .collect::<Vec<_>>();
    format!("{} {} {called:?} {parts:?}", change.change.code(), key(change.unit))
}

/// A succession in words that two registries have in common.
fn link(registry: &Registry, s: &Succession) -> String {
    format!("{} {}>{} {}", s.day, registry.unit(s.from).key(), registry.unit(s.to).key(), s.share)
}

/// Days on which the map of a registry changes, in whatever way.
fn days(registry: &Registry) -> BTreeSet<Date> {
    let stages = registry.units().iter().flat_map(|u| &u.stages).flat_map(|s| [s.from, s.to]);
    let mut days: BTreeSet<Date> = stages.chain(registry.successions().iter().map(|s| s.day)).collect();
    days.remove(&Date::MIN);
    days.remove(&Date::MAX);
    days
}

fn changes_on(registry: &Registry, day: Date) -> Vec<UnitChange> {
    let before = day.yesterday().unwrap_or(day);
    registry.map_diff(before, day).changes
}

/// What a load changes on the map, by day: of every day on which it does, what happens in the new registry that
/// did not happen in the one before.
pub(super) fn map_changes(before: Option<&Registry>, next: &Registry) -> Vec<pb::MapChange> {
    let links = |registry: &Registry, day: Date| -> HashSet<String> {
        registry.successions().iter().filter(|s| s.day == day).map(|s| link(registry, s)).collect()
    };
    let mut all = days(next);
    all.extend(before.map(days).unwrap_or_default());
    let (mut out, mut room) = (Vec::new(), MOST_LISTED);
    for day in all {
        let yesterday = day.yesterday().unwrap_or(day);
        let diff = next.map_diff(yesterday, day);
        let (links_before, links_next) =
            (before.map(|b| links(b, day)).unwrap_or_default(), links(next, day));
        let known: HashSet<String> = before
            .map_or_else(HashSet::new, |b| changes_on(b, day).iter().map(|c| signature(b, c, day)).collect());
        let new: Vec<&UnitChange> =
            diff.changes.iter().filter(|c| !known.contains(&signature(next, c, day))).collect();
        let successions = links_next.difference(&links_before).count() as u64;
        let successions_gone = links_before.difference(&links_next).count() as u64;
        if new.is_empty() && successions + successions_gone == 0 && known.len() == diff.changes.len() {
            continue;
        }
        let units: Vec<_> = new.iter().take(room).map(|c| unit_change(next, c, yesterday, day)).collect();
        room -= units.len();
        out.push(pb::MapChange {
            date: day.to_string(),
            levels: diff.levels.iter().map(|(level, c)| level_change(next, *level, c)).collect(),
            total: new.len() as u64,
            units,
            successions,
            successions_gone,
        });
    }
    out
}

/// What is different in every table, a line each.
pub(super) fn table_changes(before: Option<&Registry>, next: &Registry) -> Vec<Text> {
    let mut out = Vec::new();
    let mut count = |vi: &str, what: &str, of: &dyn Fn(&Registry) -> BTreeMap<String, String>| {
        let (before, next) = (before.map(of).unwrap_or_default(), of(next));
        let added = next.keys().filter(|k| !before.contains_key(*k)).count();
        let gone = before.keys().filter(|k| !next.contains_key(*k)).count();
        let changed = next.iter().filter(|(k, v)| before.get(*k).is_some_and(|b| b != *v)).count();
        if added + gone + changed > 0 {
            out.push(Text::of(
                format!("{vi}: {added} mới, {changed} thay đổi, {gone} không còn"),
                format!("{what}: {added} new, {changed} changed, {gone} gone"),
            ));
        }
    };
    count("cấp hành chính", "levels", &|r| {
        r.levels().iter().enumerate().map(|(i, l)| (l.code.clone(), format!("{i} {}", l.name_vi))).collect()
    });
    count("đơn vị", "units", &|r| {
        let parent = |u: &tonghop_core::unit::Unit| u.parent.map(|p| r.unit(p).key());
        let said = |u: &tonghop_core::unit::Unit| {
            format!("{} {:?} {:?}", r.level_code(u.level), u.stages, parent(u))
        };
        r.units().iter().map(|u| (u.key(), said(u))).collect()
    });
    count("kế tục", "successions", &|r| {
        let key = |s: &Succession| format!("{} {}>{}", s.day, r.unit(s.from).key(), r.unit(s.to).key());
        r.successions().iter().map(|s| (key(s), s.share.to_string())).collect()
    });
    count("lịch báo cáo", "calendars", &|r| {
        r.calendars().iter().map(|c| (c.code.clone(), format!("{c:?}"))).collect()
    });
    count("tiêu thức phân tổ", "dimensions", &|r| {
        r.dimensions().iter().map(|d| (d.code.clone(), format!("{d:?}"))).collect()
    });
    count("chỉ tiêu", "indicators", &|r| {
        // The level of collection by its name: its number moves where a level comes in between.
        let said = |i: &tonghop_core::indicator::Indicator| {
            let plain = tonghop_core::indicator::Indicator {
                collection_level: tonghop_core::unit::NATION,
                ..i.clone()
            };
            format!("{} {plain:?}", r.level_code(i.collection_level))
        };
        r.indicators().iter().map(|i| (i.code.clone(), said(i))).collect()
    });
    count("chế độ báo cáo", "regimes", &|r| {
        let said = |regime: &tonghop_core::regime::Regime| {
            let named = |level: &tonghop_core::unit::Level| r.level_code(*level).to_owned();
            let plain = tonghop_core::regime::Regime {
                level: tonghop_core::unit::NATION,
                approvals: vec![],
                deadlines: vec![],
                ..regime.clone()
            };
            let approvals: Vec<String> = regime.approvals.iter().map(named).collect();
            let deadlines: Vec<(String, u16)> =
                regime.deadlines.iter().map(|(l, d)| (named(l), *d)).collect();
            format!("{} {approvals:?} {deadlines:?} {plain:?}", r.level_code(regime.level))
        };
        r.regimes().iter().map(|regime| (regime.code.clone(), said(regime))).collect()
    });
    count("chương trình", "programmes", &|r| {
        r.programmes().iter().map(|p| (p.code.clone(), format!("{p:?}"))).collect()
    });
    count("quy tắc hợp lý", "plausibility", &|r| {
        r.rules().iter().map(|rule| (rule.code.clone(), format!("{rule:?}"))).collect()
    });
    if before.is_some_and(|b| !b.keeps_figures_in_place(next)) {
        out.push(Text::of(
            "mọi số tổng hợp được lập lại từ sổ cái, vì đơn vị, bản đồ hành chính hoặc chỉ tiêu thay đổi",
            "every total is made anew from the ledger, since units, maps or indicators changed",
        ));
    }
    out
}
