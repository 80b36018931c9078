//! gRPC answers in the form REST gives them, as the interfaces page has it, so that the two can be compared.

use serde_json::{Map, Value, json};
use tonghop_proto::query as pb;

fn or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

fn pairs(breakdown: &str) -> Value {
    let pairs = breakdown.split('|').filter_map(|pair| pair.split_once('='));
    Value::Object(pairs.map(|(d, m)| (d.to_owned(), m.into())).collect::<Map<_, _>>())
}

fn unit(unit: &Option<pb::UnitRef>) -> Value {
    unit.as_ref().map_or(Value::Null, |u| json!({ "code": u.code, "name": u.name, "level": u.level }))
}

/// Up to which position an answer includes everything.
pub fn as_of(as_of: &Option<pb::AsOf>) -> Value {
    as_of.as_ref().map_or(Value::Null, |a| {
        let mut out = json!({ "position": a.position, "time": or_null(&a.time) });
        if !a.review.is_empty() {
            out["review"] = a.review.as_str().into();
        }
        out
    })
}

/// A total.
pub fn total(total: &pb::Total) -> Value {
    let mut out = json!({
        "unit": unit(&total.unit), "indicator": total.indicator, "breakdown": pairs(&total.breakdown),
        "period": total.period, "map": total.map,
        "value": total.value, "qualifier": or_null(&total.qualifier), "exact_part": total.exact_part,
        "basis": or_null(&total.basis), "parts": total.parts, "whole": total.whole,
        "difference": total.difference, "reported": total.reported, "covered": total.covered,
        "expected": total.expected, "unavailable": total.unavailable,
        "unit_of_measure": { "vi": total.unit_of_measure_vi, "en": total.unit_of_measure_en },
    });
    let some = [
        ("reason", or_null(&total.reason)),
        ("oldest", or_null(&total.oldest)),
        ("newest", or_null(&total.newest)),
        ("numerator", total.numerator.clone().into()),
        ("denominator", total.denominator.clone().into()),
        ("refused", or_null(&total.refused)),
        ("map_from", or_null(&total.map_from)),
        ("break", total.territory_break.then_some(true).into()),
        ("estimated", total.estimated.then_some(true).into()),
        ("carried", total.carried.then_some(true).into()),
    ];
    for (name, value) in some.into_iter().filter(|(_, value)| !value.is_null()) {
        out[name] = value;
    }
    if !total.compared.is_empty() {
        let one = |c: &pb::Comparison| {
            let mut out = json!({
                "period": or_null(&c.period), "value": c.value, "qualifier": or_null(&c.qualifier),
                "difference": c.difference, "change_percent": c.change_percent,
            });
            if !c.not_comparable.is_empty() {
                out["not_comparable"] = c.not_comparable.as_str().into();
            }
            (c.with.clone(), out)
        };
        out["compared"] = Value::Object(total.compared.iter().map(one).collect::<Map<_, _>>());
    }
    if let Some(share) = &total.share {
        out["share"] = json!({ "percent": share.percent, "of": share.of });
        if !share.not_comparable.is_empty() {
            out["share"]["not_comparable"] = share.not_comparable.as_str().into();
        }
    }
    if let Some(rank) = &total.rank {
        out["rank"] = json!({ "place": rank.place, "of": rank.of, "peers": rank.peers });
    }
    if !total.given.is_empty() {
        let given = total.given.iter().map(|g| {
            json!({
                "unit": unit(&g.unit), "period": g.period, "scope": g.scope,
                "breakdown": pairs(&g.breakdown), "value": g.value, "qualifier": g.qualifier,
            })
        });
        out["given"] = given.collect();
    }
    out
}

/// A figure, one revision of it.
pub fn figure(figure: &pb::FigureRevision) -> Value {
    json!({
        "unit": unit(&figure.unit), "indicator": figure.indicator, "breakdown": pairs(&figure.breakdown),
        "period": figure.period, "scope": figure.scope, "value": figure.value,
        "qualifier": or_null(&figure.qualifier), "not_available": or_null(&figure.not_available_reason),
        "withdrawn": figure.withdrawn, "current": figure.current, "programmes": figure.programmes,
        "position": figure.position, "submission": or_null(&figure.submission),
        "source": or_null(&figure.source), "received_at": or_null(&figure.received_at),
        "digest": or_null(&figure.digest),
    })
}
