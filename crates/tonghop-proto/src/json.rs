//! Answers as JSON, in the one shape that REST and the command line show.
//!
//! What has no value has a reason; what only some totals have is left out of the others.

pub mod maps;
pub mod reports;

use serde_json::{Map, Value, json};

use crate::ingestion::Finding;
use crate::query::{
    AsOf, Change, Comparison, ExplainNode, ExplainResponse, ExplainTreeResponse, FigureRevision,
    GetTotalsResponse, GivenFigure, Origin, Review, Total, UnitRef, WatchResponse,
};

fn unit(unit: Option<&UnitRef>) -> Value {
    unit.map_or(Value::Null, |u| json!({"code": u.code, "name": u.name, "level": u.level}))
}

fn breakdown(text: &str) -> Value {
    let pairs = text.split('|').filter_map(|pair| pair.split_once('='));
    Value::Object(pairs.map(|(d, m)| (d.to_owned(), Value::from(m))).collect())
}

/// Null where nothing stands.
fn some(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}

/// A total.
pub fn total(total: &Total) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    put("unit", unit(total.unit.as_ref()));
    put("indicator", Value::from(total.indicator.as_str()));
    put("breakdown", breakdown(&total.breakdown));
    put("period", Value::from(total.period.as_str()));
    put("map", Value::from(total.map.as_str()));
    if !total.map_from.is_empty() {
        put("map_from", Value::from(total.map_from.as_str()));
    }
    for (mark, is_so) in
        [("break", total.territory_break), ("estimated", total.estimated), ("carried", total.carried)]
    {
        if is_so {
            put(mark, Value::from(true));
        }
    }
    put("value", json!(total.value));
    if !total.reason.is_empty() {
        put("reason", Value::from(total.reason.as_str()));
    }
    if !total.refused.is_empty() {
        put("refused", Value::from(total.refused.as_str()));
    }
    put("qualifier", some(&total.qualifier));
    put("exact_part", json!(total.exact_part));
    put("basis", some(&total.basis));
    put("parts", json!(total.parts));
    put("whole", json!(total.whole));
    put("difference", json!(total.difference));
    put("reported", json!(total.reported));
    put("covered", json!(total.covered));
    put("expected", json!(total.expected));
    put("unavailable", json!(total.unavailable));
    if let Some(approved) = total.approved {
        put("approved", Value::from(approved));
    }
    if !total.oldest.is_empty() || !total.newest.is_empty() {
        put("oldest", some(&total.oldest));
        put("newest", some(&total.newest));
    }
    if total.numerator.is_some() || total.denominator.is_some() {
        put("numerator", json!(total.numerator));
        put("denominator", json!(total.denominator));
    }
    if !total.given.is_empty() {
        put("given", total.given.iter().map(given).collect());
    }
    if !total.compared.is_empty() {
        let all = total.compared.iter().map(|c| (c.with.clone(), compared(c)));
        put("compared", Value::Object(all.collect()));
    }
    if let Some(share) = &total.share {
        let mut out = json!({"percent": share.percent, "of": share.of});
        if !share.not_comparable.is_empty() {
            out["not_comparable"] = Value::from(share.not_comparable.as_str());
        }
        put("share", out);
    }
    if let Some(rank) = &total.rank {
        put("rank", json!({"place": rank.place, "of": rank.of, "peers": rank.peers}));
    }
    put("unit_of_measure", json!({"vi": total.unit_of_measure_vi, "en": total.unit_of_measure_en}));
    Value::Object(out)
}

/// A page of totals.
pub fn totals(answer: &GetTotalsResponse) -> Value {
    json!({
        "as_of": as_of(answer.as_of.as_ref()),
        "totals": answer.totals.iter().map(total).collect::<Vec<_>>(),
        "count": answer.count,
        "next": some(&answer.next_page_token),
    })
}

fn compared(comparison: &Comparison) -> Value {
    let mut out = json!({
        "period": some(&comparison.period),
        "value": comparison.value,
        "qualifier": some(&comparison.qualifier),
        "difference": comparison.difference,
        "change_percent": comparison.change_percent,
    });
    if !comparison.not_comparable.is_empty() {
        out["not_comparable"] = Value::from(comparison.not_comparable.as_str());
    }
    out
}

/// A unit that a restated total is put together from.
pub fn origin(origin: &Origin) -> Value {
    json!({"share": origin.share, "total": origin.total.as_ref().map(total)})
}

fn given(figure: &GivenFigure) -> Value {
    json!({
        "unit": unit(figure.unit.as_ref()),
        "period": figure.period,
        "scope": figure.scope,
        "breakdown": breakdown(&figure.breakdown),
        "value": figure.value,
        "qualifier": figure.qualifier,
    })
}

/// A revision of a figure.
pub fn revision(figure: &FigureRevision) -> Value {
    let mut out = json!({
        "unit": unit(figure.unit.as_ref()),
        "indicator": figure.indicator,
        "breakdown": breakdown(&figure.breakdown),
        "period": figure.period,
        "scope": figure.scope,
        "value": figure.value,
        "qualifier": some(&figure.qualifier),
        "not_available": some(&figure.not_available_reason),
        "withdrawn": figure.withdrawn,
        "current": figure.current,
        "programmes": figure.programmes,
        "position": figure.position,
        "submission": some(&figure.submission),
        "source": some(&figure.source),
        "received_at": some(&figure.received_at),
        "digest": some(&figure.digest),
    });
    if !figure.findings.is_empty() {
        out["findings"] = figure.findings.iter().map(finding).collect();
    }
    out
}

/// A finding of the whole, shown in one language.
pub fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code, "path": finding.path, "got": finding.got,
        "expected": finding.expected, "hint": finding.hint,
    })
}

/// A frozen review.
pub fn review(review: &Review) -> Value {
    json!({
        "name": review.name, "position": review.position, "note": review.note, "frozen_at": review.frozen_at,
    })
}

/// As of when.
pub fn as_of(as_of: Option<&AsOf>) -> Value {
    let Some(as_of) = as_of else { return Value::Null };
    let mut out = json!({"position": as_of.position, "time": some(&as_of.time)});
    if let Some(seconds) = as_of.stale_seconds {
        out["stale_seconds"] = Value::from(seconds);
    }
    if !as_of.review.is_empty() {
        out["review"] = Value::from(as_of.review.as_str());
    }
    out
}

/// A total opened into its parts, and these in their turn.
pub fn explained_tree(explained: &ExplainTreeResponse) -> Value {
    json!({
        "as_of": as_of(explained.as_of.as_ref()),
        "root": explained.root.as_ref().map(node),
    })
}

fn node(explained: &ExplainNode) -> Value {
    let mut out = json!({
        "total": explained.total.as_ref().map(total),
        "used": explained.used,
        "set_aside": explained.set_aside,
        "figures": explained.figures.iter().map(revision).collect::<Vec<_>>(),
        "parts": explained.parts.iter().map(node).collect::<Vec<_>>(),
        "parts_count": explained.parts_count,
        "more": some(&explained.more),
    });
    if let Some(own) = &explained.own {
        out["own"] = Value::from(own.as_str());
    }
    if !explained.share.is_empty() {
        out["share"] = Value::from(explained.share.as_str());
    }
    out
}

/// What changed.
pub fn changes(heard: &WatchResponse) -> Value {
    let change = |c: &Change| json!({"indicator": c.indicator, "breakdown": breakdown(&c.breakdown), "period": c.period});
    json!({
        "as_of": as_of(heard.as_of.as_ref()),
        "changed": heard.changed,
        "changes": heard.changes.iter().map(change).collect::<Vec<_>>(),
        "everything": heard.everything,
    })
}

/// A total opened into its parts.
pub fn explanation(explained: &ExplainResponse) -> Value {
    json!({
        "as_of": as_of(explained.as_of.as_ref()),
        "total": explained.total.as_ref().map(total),
        "along": explained.along,
        "children": explained.children.iter().map(total).collect::<Vec<_>>(),
        "tiles": explained.tiles.iter().map(total).collect::<Vec<_>>(),
        "figures": explained.figures.iter().map(revision).collect::<Vec<_>>(),
        "set_aside": explained.set_aside,
        "origins": explained.origins.iter().map(origin).collect::<Vec<_>>(),
    })
}
