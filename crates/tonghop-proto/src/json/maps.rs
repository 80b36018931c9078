//! Units, maps and what became of them as JSON.

use serde_json::{Value, json};

use super::some;
use crate::registry::{
    DiffMapsResponse, GetUnitHistoryResponse, LevelChange, LoadRegistryResponse, MapChange, Unit, UnitChange,
    UnitPart,
};

/// A stage of a unit's life.
pub fn unit(unit: &Unit) -> Value {
    json!({
        "code": unit.code, "name": unit.name, "level": unit.level, "kind": unit.kind,
        "parent": some(&unit.parent_code),
        "valid_from": some(&unit.valid_from), "valid_to": some(&unit.valid_to),
    })
}

fn unit_or_null(of: Option<&Unit>) -> Value {
    of.map_or(Value::Null, unit)
}

/// A part; the day and how its share is known where there is one change only.
fn part(part: &UnitPart) -> Value {
    let mut out = json!({ "unit": unit_or_null(part.unit.as_ref()), "share": some(&part.share) });
    if !part.date.is_empty() {
        out["date"] = some(&part.date);
        out["basis"] = some(&part.basis);
    }
    out
}

fn parts(all: &[UnitPart]) -> Value {
    all.iter().map(part).collect()
}

fn level(level: &LevelChange) -> Value {
    json!({
        "level": level.level, "before": level.before, "after": level.after, "unchanged": level.unchanged,
        "renamed": level.renamed, "redrawn": level.redrawn, "went_on": level.went_on,
        "ended": level.ended, "began": level.began,
        "divided": level.divided, "codes_reused": level.codes_reused,
    })
}

/// What became of a unit; what its change does not have is left out.
pub fn unit_change(change: &UnitChange) -> Value {
    let mut out = json!({ "change": change.change, "unit": unit_or_null(change.unit.as_ref()) });
    if let Some(now) = &change.now {
        out["now"] = unit(now);
    }
    match change.change.as_str() {
        "ended" | "went_on" => out["became"] = parts(&change.became),
        "began" => out["made_of"] = parts(&change.made_of),
        "redrawn" => {
            out["became"] = parts(&change.became);
            out["made_of"] = parts(&change.made_of);
        }
        _ => {}
    }
    if let Some(same) = &change.same_code {
        out["same_code"] = unit(same);
    }
    out
}

/// What is different between two maps.
pub fn map_diff(diff: &DiffMapsResponse) -> Value {
    json!({
        "from": diff.from, "to": diff.to,
        "levels": diff.levels.iter().map(level).collect::<Vec<_>>(),
        "units": diff.units.iter().map(unit_change).collect::<Vec<_>>(),
        "next": some(&diff.next_page_token),
    })
}

/// What a unit was and became.
pub fn history(history: &GetUnitHistoryResponse) -> Value {
    json!({
        "unit": unit_or_null(history.unit.as_ref()),
        "stages": history.stages.iter().map(unit).collect::<Vec<_>>(),
        "made_of": parts(&history.made_of),
        "became": parts(&history.became),
        "same_code": history.same_code.iter().map(unit).collect::<Vec<_>>(),
    })
}

fn map_change(change: &MapChange) -> Value {
    json!({
        "date": change.date,
        "levels": change.levels.iter().map(level).collect::<Vec<_>>(),
        "units": change.units.iter().map(unit_change).collect::<Vec<_>>(),
        "total": change.total,
        "successions": { "new": change.successions, "gone": change.successions_gone },
    })
}

/// What a load changed, or would.
pub fn load(load: &LoadRegistryResponse) -> Value {
    json!({
        "position": (load.position > 0).then_some(load.position),
        "id": some(&load.id),
        "replayed": load.replayed,
        "changes": load.changes,
        "map": load.map.iter().map(map_change).collect::<Vec<_>>(),
    })
}
