//! What became of units, as rows of tables.

use tonghop_proto::registry::{LevelChange, Unit, UnitChange, UnitPart};

use crate::table::{Align, Table};
use crate::words;

/// Units named in one cell.
const PARTS: usize = 6;

/// How many units of each level are where.
pub fn levels(levels: &[LevelChange]) -> Table {
    let (l, r) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("level", l),
        ("before", r),
        ("after", r),
        ("unchanged", r),
        ("renamed", r),
        ("redrawn", r),
        ("went on", r),
        ("ended", r),
        ("divided", r),
        ("began", r),
        ("codes reused", r),
    ]);
    let count = |n: u64| words::number(&n.to_string());
    let some = |n: u64| if n == 0 { String::new() } else { count(n) };
    for level in levels {
        table.push(vec![
            level.level.clone(),
            count(level.before),
            count(level.after),
            some(level.unchanged),
            some(level.renamed),
            some(level.redrawn),
            some(level.went_on),
            some(level.ended),
            some(level.divided),
            some(level.began),
            some(level.codes_reused),
        ]);
    }
    table.without_empty_columns()
}

fn named(unit: Option<&Unit>) -> String {
    unit.map_or_else(String::new, |u| format!("{} {}", u.code, u.name))
}

fn parts(parts: &[UnitPart]) -> String {
    let part = |part: &UnitPart| match part.share.as_str() {
        "1" => named(part.unit.as_ref()),
        "" => format!("a part of {}", named(part.unit.as_ref())),
        share => format!("{} ({})", named(part.unit.as_ref()), words::number(share)),
    };
    let mut text = parts.iter().take(PARTS).map(part).collect::<Vec<_>>().join(", ");
    if parts.len() > PARTS {
        text.push_str(&format!(" and {} more", parts.len() - PARTS));
    }
    text
}

/// What became of a unit, in words.
fn told(change: &UnitChange) -> String {
    match change.change.as_str() {
        "renamed" => format!("is called {}", change.now.as_ref().map_or("", |u| u.name.as_str())),
        "redrawn" => format!("now {}; made of {}", parts(&change.became), parts(&change.made_of)),
        "began" if change.made_of.is_empty() => "without a predecessor".to_owned(),
        "began" => format!("made of {}", parts(&change.made_of)),
        _ if change.became.is_empty() => "without a successor".to_owned(),
        _ => format!("now {}", parts(&change.became)),
    }
}

fn code_elsewhere(change: &UnitChange) -> String {
    let Some(same) = &change.same_code else { return String::new() };
    let when = if change.change == "began" { "was" } else { "is now" };
    format!("{} {when} {}", same.code, same.name)
}

/// A table of what became of units, the first `most` of `total`.
pub fn changes(changes: &[UnitChange], most: usize, total: u64) -> Vec<String> {
    if changes.is_empty() {
        return vec![];
    }
    let l = Align::Left;
    let mut table =
        Table::new(&[("", l), ("level", l), ("unit", l), ("what became of it", l), ("its code", l)]);
    for change in changes.iter().take(most) {
        table.push(vec![
            change.change.replace('_', " "),
            change.unit.as_ref().map_or_else(String::new, |u| u.level.clone()),
            named(change.unit.as_ref()),
            told(change),
            code_elsewhere(change),
        ]);
    }
    let mut lines = table.without_empty_columns().lines(0);
    let shown = changes.len().min(most) as u64;
    if total > shown {
        lines.push(format!("… and {} more: --json lists them", words::number(&(total - shown).to_string())));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(code: &str, name: &str) -> Unit {
        Unit { code: code.into(), name: name.into(), level: "province".into(), ..Unit::default() }
    }

    fn part(code: &str, name: &str, share: &str) -> UnitPart {
        UnitPart { unit: Some(unit(code, name)), share: share.into(), ..UnitPart::default() }
    }

    #[test]
    fn a_row_says_what_became_of_a_unit_and_of_its_code() {
        let ended = UnitChange {
            change: "ended".into(),
            unit: Some(unit("24", "Tỉnh Bắc Giang")),
            became: vec![part("24", "Tỉnh Bắc Ninh", "1")],
            same_code: Some(unit("24", "Tỉnh Bắc Ninh")),
            ..UnitChange::default()
        };
        let began = UnitChange {
            change: "began".into(),
            unit: Some(unit("24", "Tỉnh Bắc Ninh")),
            made_of: vec![part("24", "Tỉnh Bắc Giang", "1"), part("27", "Tỉnh Bắc Ninh", "0.25")],
            same_code: Some(unit("24", "Tỉnh Bắc Giang")),
            ..UnitChange::default()
        };
        assert_eq!(
            changes(&[ended.clone(), began, ended], 2, 3),
            [
                "       level     unit               what became of it                                   its code",
                "─────  ────────  ─────────────────  ──────────────────────────────────────────────────  ───────────────────────",
                "ended  province  24 Tỉnh Bắc Giang  now 24 Tỉnh Bắc Ninh                                24 is now Tỉnh Bắc Ninh",
                "began  province  24 Tỉnh Bắc Ninh   made of 24 Tỉnh Bắc Giang, 27 Tỉnh Bắc Ninh (0,25)  24 was Tỉnh Bắc Giang",
                "… and 1 more: --json lists them",
            ]
        );
    }

    #[test]
    fn counts_that_are_nought_everywhere_are_left_out() {
        let level = LevelChange {
            level: "commune".into(),
            before: 10_035,
            after: 3_321,
            began: 3_189,
            ..LevelChange::default()
        };
        assert_eq!(
            levels(&[level]).lines(0),
            [
                "level    before  after  began",
                "───────  ──────  ─────  ─────",
                "commune  10.035  3.321  3.189"
            ]
        );
    }
}
