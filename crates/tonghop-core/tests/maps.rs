//! Maps that change: what became of a unit, reforms as rows, and what a registry does not take.

use jiff::civil::{Date, date};
use tonghop_core::decimal::parse_decimal;
use tonghop_core::registry::{
    Act, Change, ChangeRow, Draft, LevelName, Part, Problem, Reform, Registry, SuccessionRow, UnitLookup,
    UnitRow,
};
use tonghop_core::unit::UnitId;

const MARCH: Date = date(2025, 3, 1);
const JULY: Date = date(2025, 7, 1);
const LATER: Date = date(2026, 1, 1);

fn levels() -> Vec<LevelName> {
    let level = |code: &str| LevelName { code: code.into(), name_vi: code.into() };
    ["nation", "province", "district", "commune"].map(level).into()
}

fn unit(line: &str) -> UnitRow {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let [code, level, name, parent, from, to] = cells[..] else { panic!("{line}") };
    let day = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    UnitRow {
        code: code.into(),
        level: level.into(),
        name: name.into(),
        kind: "k".into(),
        parent: (!parent.is_empty()).then(|| parent.into()),
        valid_from: day(from),
        valid_to: day(to),
    }
}

/// `2025-07-01 1>2 0.6`.
fn succession(line: &str) -> SuccessionRow {
    let cells: Vec<&str> = line.split(' ').collect();
    let [day, pair, share] = cells[..] else { panic!("{line}") };
    let (from, to) = pair.split_once('>').unwrap();
    SuccessionRow {
        day: day.parse().unwrap(),
        from: from.into(),
        to: to.into(),
        share: u32::try_from(parse_decimal(share, 6).unwrap()).unwrap(),
        basis: "test".into(),
    }
}

fn draft(units: &str, successions: &str) -> Draft {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
    };
    Draft {
        levels: levels(),
        units: lines(units).iter().map(|l| unit(l)).collect(),
        successions: lines(successions).iter().map(|l| succession(l)).collect(),
        ..Draft::default()
    }
}

fn problems(units: &str, successions: &str) -> Vec<String> {
    said(&Registry::build(draft(units, successions), None).unwrap_err())
}

fn said(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|p| format!("{} {}: {}", p.table, p.key, p.message)).collect()
}

fn build(draft: &Draft) -> Registry {
    Registry::build(draft.clone(), None).unwrap_or_else(|all| panic!("{:#?}", said(&all)))
}

/// Two provinces, four communes; nothing has happened yet.
fn before() -> Draft {
    draft(
        "VN, nation, Nước, , ,
         1, province, Một, VN, ,
         2, province, Hai, VN, ,
         11, commune, Xã A, 1, ,
         12, commune, Xã B, 1, ,
         21, commune, Xã C, 2, ,
         22, commune, Xã D, 2, ,",
        "",
    )
}

fn row(act: Act, day: Date, code: &str) -> ChangeRow {
    let none = String::new;
    ChangeRow { day, act, code: code.into(), level: none(), name: none(), kind: none(), parent: none() }
}

fn begins(day: Date, code: &str, level: &str, name: &str, parent: &str) -> ChangeRow {
    ChangeRow { level: level.into(), name: name.into(), parent: parent.into(), ..row(Act::Begins, day, code) }
}

/// Provinces 1 and 2 become one under the code 1; 11 and 12 become one, and 21 is divided.
fn merger() -> Reform {
    Reform {
        changes: vec![
            begins(JULY, "1", "province", "Mới", "VN"),
            begins(JULY, "11", "commune", "Phường A", "1"),
            begins(JULY, "21", "commune", "Xã C Một", "1"),
            begins(JULY, "23", "commune", "Xã C Hai", "1"),
            ChangeRow { parent: "1".into(), ..row(Act::Moves, JULY, "22") },
        ],
        successions: ["1>1 1", "2>1 1", "11>11 1", "12>11 1", "21>21 0.75", "21>23 0.25"]
            .map(|pair| succession(&format!("2025-07-01 {pair}")))
            .into(),
        ..Reform::default()
    }
}

fn with(mut draft: Draft, reform: Reform) -> Draft {
    let dropped = reform.put_on(&mut draft).unwrap_or_else(|all| panic!("{:#?}", said(&all)));
    assert_eq!(dropped, [], "successions were left out");
    draft
}

fn on(registry: &Registry, code: &str, day: Date) -> UnitId {
    match registry.unit_on(code, day) {
        UnitLookup::Found(unit) => unit,
        other => panic!("{code} on {day}: {other:?}"),
    }
}

fn parts(registry: &Registry, parts: &[Part]) -> Vec<String> {
    let share = |p: &Part| p.share.map_or("?".to_owned(), |s| s.to_string());
    parts.iter().map(|p| format!("{} {}", registry.unit(p.unit).key(), share(p))).collect()
}

#[test]
fn what_became_of_a_unit_is_answered_both_ways() {
    let registry = build(&with(before(), merger()));
    let was = JULY.yesterday().unwrap();
    let heirs = |code| parts(&registry, &registry.became(on(&registry, code, was), was, JULY));
    assert_eq!(heirs("1"), ["1@2025-07-01 1"]);
    assert_eq!(heirs("2"), ["1@2025-07-01 1"]);
    assert_eq!(heirs("21"), ["21@2025-07-01 0.75", "23@2025-07-01 0.25"]);
    assert_eq!(heirs("22"), ["22@2025-07-01 1"]);
    assert_eq!(heirs("VN"), ["VN 1"]);
    let origins = |code| parts(&registry, &registry.made_of(on(&registry, code, JULY), JULY, was));
    assert_eq!(origins("1"), ["1 1", "2 1"]);
    assert_eq!(origins("23"), ["21 0.25"]);
    assert_eq!(origins("VN"), ["VN 1"]);
}

#[test]
fn a_map_diff_counts_and_lists_every_unit_that_is_not_as_it_was() {
    let registry = build(&with(before(), merger()));
    let diff = registry.map_diff(JULY.yesterday().unwrap(), JULY);
    let listed: Vec<_> = diff
        .changes
        .iter()
        .map(|c| {
            let same = c.same_code.map_or(String::new(), |u| format!(" ≠ {}", registry.unit(u).key()));
            let from_to = parts(&registry, &[&c.became[..], &c.made_of].concat()).join(", ");
            format!("{} {} [{from_to}]{same}", c.change.code(), registry.unit(c.unit).key())
        })
        .collect();
    assert_eq!(
        listed,
        [
            "ended 1 [1@2025-07-01 1] ≠ 1@2025-07-01",
            "began 1@2025-07-01 [1 1, 2 1] ≠ 1",
            "ended 2 [1@2025-07-01 1]",
            "ended 11 [11@2025-07-01 1] ≠ 11@2025-07-01",
            "began 11@2025-07-01 [11 1, 12 1] ≠ 11",
            "ended 12 [11@2025-07-01 1]",
            "ended 21 [21@2025-07-01 0.75, 23@2025-07-01 0.25] ≠ 21@2025-07-01",
            "began 21@2025-07-01 [21 0.75] ≠ 21",
            "went_on 22 [22@2025-07-01 1]",
            "began 23@2025-07-01 [21 0.25]",
        ]
    );
    let level = |code: &str| {
        let counts = diff.levels.iter().find(|(l, _)| registry.level_code(**l) == code).unwrap().1;
        let changed = Change::ALL.map(|c| counts.of(c));
        (counts.before, counts.after, counts.unchanged, changed, counts.divided, counts.codes_reused)
    };
    assert_eq!(level("nation"), (1, 1, 1, [0; 5], 0, 0));
    assert_eq!(level("province"), (2, 1, 0, [0, 0, 0, 2, 1], 0, 1));
    assert_eq!(level("commune"), (4, 4, 0, [0, 0, 1, 3, 3], 1, 2));
    assert_eq!(registry.map_diff(JULY, LATER).changes, []);
}

#[test]
fn over_two_reforms_shares_multiply_and_come_together() {
    let next = Reform {
        changes: vec![begins(LATER, "23", "commune", "Xã C Ba", "1")],
        successions: ["21>23 1", "23>23 1"].map(|p| succession(&format!("2026-01-01 {p}"))).into(),
        ..Reform::default()
    };
    let registry = build(&with(with(before(), merger()), next));
    let old = on(&registry, "21", MARCH);
    assert_eq!(parts(&registry, &registry.became(old, MARCH, LATER)), ["23@2026-01-01 1"]);
    let new = on(&registry, "23", LATER);
    assert_eq!(parts(&registry, &registry.made_of(new, LATER, MARCH)), ["21 1"]);
    let diff = registry.map_diff(MARCH, LATER);
    let change = diff.changes.iter().find(|c| c.unit == old).unwrap();
    assert_eq!(change.change, Change::WentOn, "divided and joined again is one territory");
    assert!(!diff.changes.iter().any(|c| c.unit == new));

    let divided_again = Reform {
        changes: vec![begins(LATER, "24", "commune", "Xã E", "1")],
        successions: ["21>21 0.5", "21>24 0.5"].map(|p| succession(&format!("2026-01-01 {p}"))).into(),
        ..Reform::default()
    };
    let registry = build(&with(with(before(), merger()), divided_again));
    let old = on(&registry, "21", MARCH);
    assert_eq!(
        parts(&registry, &registry.became(old, MARCH, LATER)),
        ["21@2025-07-01 0.375", "23@2025-07-01 0.25", "24@2026-01-01 0.375"]
    );
}

#[test]
fn a_unit_that_takes_up_another_goes_on_redrawn() {
    let reform = Reform { successions: vec![succession("2025-07-01 12>11 1")], ..Reform::default() };
    let registry = build(&with(before(), reform));
    let unit = on(&registry, "11", MARCH);
    assert_eq!(on(&registry, "11", JULY), unit, "the same unit");
    assert!(matches!(registry.unit_on("12", JULY), UnitLookup::OtherTime(_)), "its row ended by itself");
    let diff = registry.map_diff(MARCH, JULY);
    let listed: Vec<_> = diff
        .changes
        .iter()
        .map(|c| (c.change.code(), parts(&registry, &c.became), parts(&registry, &c.made_of)))
        .collect();
    let whole = |key: &str| vec![format!("{key} 1")];
    let both = vec!["11 1".to_owned(), "12 1".into()];
    assert_eq!(listed, [("redrawn", whole("11"), both), ("ended", whole("11"), vec![])]);
}

#[test]
fn a_part_that_goes_on_elsewhere_moves_what_is_restated_though_every_unit_goes_on() {
    let parts = ["11>12 0.3", "11>11 0.7"].map(|pair| succession(&format!("2025-07-01 {pair}")));
    let reform = Reform { successions: parts.into(), ..Reform::default() };
    let (plain, registry) = (build(&before()), build(&with(before(), reform)));
    assert_eq!(on(&registry, "11", JULY), on(&plain, "11", JULY));
    assert_eq!(on(&registry, "12", JULY), on(&plain, "12", JULY));
    assert!(!plain.keeps_figures_in_place(&registry), "totals restated to July are others now");
    assert!(registry.keeps_figures_in_place(&registry));
}

#[test]
fn a_new_name_or_kind_is_the_same_unit_with_the_name_of_the_day() {
    let renamed =
        ChangeRow { name: "Thành phố Một".into(), kind: "tp".into(), ..row(Act::Renamed, JULY, "1") };
    let (registry, plain) =
        (build(&with(before(), Reform { changes: vec![renamed], ..Reform::default() })), build(&before()));
    let unit = on(&registry, "1", MARCH);
    assert_eq!(on(&registry, "1", JULY), unit);
    assert_eq!(registry.named(unit, MARCH), "1 Một");
    assert_eq!(registry.named(unit, JULY), "1 Thành phố Một");
    assert!(plain.keeps_figures_in_place(&registry), "no figure moves for a name");
    let diff = registry.map_diff(MARCH, JULY);
    assert_eq!(diff.changes.len(), 1);
    assert_eq!((diff.changes[0].change, diff.changes[0].unit), (Change::Renamed, unit));
}

#[test]
fn a_code_of_another_time_names_what_its_territory_is_on_the_day() {
    let registry = build(&with(before(), merger()));
    let told = |code: &str, day: Date| match registry.unit_on(code, day) {
        UnitLookup::OtherTime(units) => registry.code_at_other_times(&units, day).en,
        other => panic!("{other:?}"),
    };
    assert_eq!(told("2", LATER), "2 was Hai until 2025-06-30; from 2025-07-01 its territory is 1 Mới");
    assert_eq!(
        told("23", MARCH),
        "23 is Xã C Hai only from 2025-07-01 on; on 2025-03-01 its territory was 0.25 of 21 Xã C"
    );
    assert_eq!(
        told("12", JULY),
        "12 was Xã B until 2025-06-30; from 2025-07-01 its territory is 11 Phường A"
    );
}

#[test]
fn a_reform_loaded_late_comes_before_the_one_that_is_there() {
    let early = Reform {
        changes: vec![
            ChangeRow { name: "Xã D Mới".into(), ..row(Act::Renamed, MARCH, "22") },
            begins(MARCH, "11", "commune", "Xã AB", "1"),
        ],
        successions: ["11>11 1", "12>11 1"].map(|p| succession(&format!("2025-03-01 {p}"))).into(),
        ..Reform::default()
    };
    let mut draft = with(before(), merger());
    let dropped = early.put_on(&mut draft).unwrap();
    assert_eq!(dropped, [succession("2025-07-01 12>11 1")], "12 is no longer there in July");
    let registry = build(&draft);
    let between = date(2025, 5, 1);
    assert_eq!(registry.named(on(&registry, "11", between), between), "11 Xã AB");
    assert_eq!(registry.named(on(&registry, "11", JULY), JULY), "11 Phường A");
    assert_eq!(registry.named(on(&registry, "22", between), between), "22 Xã D Mới");
    assert_eq!(registry.named(on(&registry, "22", JULY), JULY), "22 Xã D", "as the later reform has it");
    let first = on(&registry, "12", date(2025, 1, 1));
    assert_eq!(parts(&registry, &registry.became(first, date(2025, 1, 1), LATER)), ["11@2025-07-01 1"]);
}

#[test]
fn a_new_level_comes_between_and_the_old_ones_keep_their_order() {
    let mut levels = levels();
    levels.insert(1, LevelName { code: "region".into(), name_vi: "Vùng".into() });
    let reform = Reform {
        levels: levels.clone(),
        changes: vec![
            begins(JULY, "R1", "region", "Vùng Một", "VN"),
            ChangeRow { parent: "R1".into(), ..row(Act::Moves, JULY, "1") },
        ],
        ..Reform::default()
    };
    let plain = build(&before());
    let draft = with(before(), reform);
    let registry = Registry::build(draft, Some(&plain)).unwrap();
    let commune = on(&registry, "11", JULY);
    let above: Vec<_> =
        registry.map_on(JULY).ancestry(commune).map(|u| registry.unit(u).code.clone()).collect();
    assert_eq!(above, ["11", "1", "R1", "VN"]);
    assert_eq!(registry.named(registry.nation(), MARCH), "VN Nước");

    levels.swap(2, 4);
    let problems = Registry::build(Draft { levels, ..before() }, Some(&plain)).unwrap_err();
    let about: Vec<_> = problems.iter().filter(|p| p.table == "levels").map(|p| p.key.as_str()).collect();
    assert_eq!(about, ["district", "commune"]);
    let gone = Draft { levels: self::levels()[..2].to_vec(), units: vec![], ..Draft::default() };
    let problems = said(&Registry::build(gone, Some(&plain)).unwrap_err());
    assert!(
        problems.contains(&"levels commune: was in the registry and is no longer: leave it in".to_owned())
    );
}

#[test]
fn what_does_not_hold_together_is_said_all_at_once() {
    assert_eq!(
        problems(
            "VN, nation, Nước, , ,
             1, province, Một, VN, ,
             9, district, Chín, 8, ,
             11, commune, A, 1, , 2025-07-01
             12, commune, B, 1, ,
             12, commune, B, 1, 2025-07-01,
             13, commune, C, 1, , 2025-07-01
             14, commune, D, 1, 2025-07-01,
             2, province, Hai, 12, ,",
            "2025-07-01 13>14 0.6
             2025-07-01 13>12 0.3
             2025-07-01 12>15 1",
        ),
        [
            "units 2: no unit of a higher level has the code 12 of its parent",
            "units 9: no unit of a higher level has the code 8 of its parent",
            "units 12: two rows have this code on 2025-07-01",
            "successions 2025-07-01 12>15: expected a unit in force the day before and one in force on the day",
            "successions 2025-07-01 13: the shares of a unit sum to exactly 1",
            "successions 2025-07-01 11: ends without a successor, and nothing below it goes on: say what it went on as",
        ]
    );
}

#[test]
fn a_unit_that_gives_a_part_of_itself_away_goes_on_with_the_rest() {
    let give = |day: &str, from: &str, to: &str, kept: &str, share: &str| {
        [
            succession(&format!("{day} {from}>{from} {kept}")),
            succession(&format!("{day} {from}>{to} {share}")),
        ]
    };
    let reform = Reform {
        successions: [
            give("2025-03-01", "11", "12", "0.7", "0.3"),
            give("2025-07-01", "12", "21", "0.5", "0.5"),
            give("2026-01-01", "11", "22", "0.9", "0.1"),
        ]
        .concat(),
        ..Reform::default()
    };
    let registry = build(&with(before(), reform));
    let (first, last) = (date(2025, 1, 1), date(2026, 12, 31));
    let unit = |code: &str| on(&registry, code, first);
    assert!(["11", "12", "21", "22"].iter().all(|c| on(&registry, c, last) == unit(c)), "all go on");
    let became = |code, from, to| parts(&registry, &registry.became(unit(code), from, to));
    let made_of = |code, to, from| parts(&registry, &registry.made_of(unit(code), to, from));
    assert_eq!(became("11", first, last), ["11 0.63", "12 0.15", "21 0.15", "22 0.07"]);
    assert_eq!(became("11", MARCH, last), ["11 0.9", "22 0.1"]);
    assert_eq!(became("12", first, last), ["12 0.5", "21 0.5"]);
    assert_eq!(made_of("21", last, first), ["11 0.15", "12 0.5", "21 1"]);
    assert_eq!(made_of("22", last, MARCH), ["11 0.1", "22 1"]);
    assert_eq!(made_of("11", last, first), ["11 0.63"]);
    assert_eq!(made_of("11", MARCH, first), ["11 0.7"], "the day itself is after the change");
    let diff = registry.map_diff(first, last);
    assert!(diff.changes.iter().all(|c| c.change == Change::Redrawn));
    assert_eq!(diff.changes.len(), 4);
}

#[test]
fn a_row_of_a_reform_that_cannot_be_put_on_the_tables_says_why() {
    let mut draft = with(before(), merger());
    let reform = Reform {
        changes: vec![
            row(Act::Ends, JULY, "12"),
            row(Act::Ends, LATER, "12"),
            row(Act::Renamed, LATER, "1"),
            ChangeRow { name: "Mới".into(), ..row(Act::Renamed, LATER, "1") },
            ChangeRow { name: "Khác".into(), parent: "VN2".into(), ..row(Act::Renamed, LATER, "1") },
            row(Act::Moves, LATER, "22"),
            ChangeRow { level: "district".into(), ..row(Act::Ends, LATER, "22") },
            row(Act::Begins, LATER, "30"),
            begins(JULY, "11", "commune", "Xã", "1"),
        ],
        successions: vec![succession("2025-07-01 12>11 1")],
        ..Reform::default()
    };
    let before = draft.units.clone();
    let found = said(&reform.put_on(&mut draft).unwrap_err());
    assert_eq!(draft.units.len(), before.len(), "nothing was added");
    assert_eq!(
        found,
        [
            "changes 2025-07-01 11: a unit of this code begins on that day already",
            "changes 2025-07-01 12: the unit of this code ends on that day already",
            "changes 2026-01-01 30: a unit that begins has level and name and parent_code",
            "changes 2026-01-01 12: no unit carries this code the day before",
            "changes 2026-01-01 22: Xã D is of level commune, not district",
            "changes 2026-01-01 1: expected another name or kind: it is Mới ()",
            "changes 2026-01-01 1: expected another name or kind: it is Mới ()",
            "changes 2026-01-01 1: a unit that is renamed stays where it is: write moves where its parent changes",
            "changes 2026-01-01 22: expected another parent_code: Xã D lies in 1",
            "successions 2025-07-01 12>11: what this unit went on as on that day is in the registry already: to \
             correct it, load all tables",
        ]
    );
}
