//! The service over REST.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query as Parameters, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio_stream::StreamExt;
use tonghop_proto::aggregation::WatchRequest;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind};

use crate::Query;

/// The routes of this service.
pub fn routes(query: Arc<Query>) -> Router {
    Router::new()
        .route("/v1/totals", get(totals))
        .route("/v1/totals/explain", get(explain))
        .route("/v1/figures", get(figures))
        .route("/v1/coverage", get(coverage))
        .route("/v1/watch", get(watch))
        .with_state(query)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    indicator: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    period: String,
    #[serde(default)]
    breakdown: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    dimension: String,
    #[serde(default)]
    map: String,
    #[serde(default)]
    programme: String,
    #[serde(default)]
    at_least: i64,
    #[serde(default)]
    limit: u32,
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    below: bool,
}

type Given = Result<Parameters<Asked>, axum::extract::rejection::QueryRejection>;

fn understood(given: Given) -> Result<Asked, Failure> {
    given.map(|Parameters(asked)| asked).map_err(|e| Failure::new(FailureKind::NotUnderstood, e.body_text()))
}

async fn totals(
    State(query): State<Arc<Query>>,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .totals(&pb::GetTotalsRequest {
            indicator: asked.indicator,
            unit: asked.unit,
            period: asked.period,
            breakdown: asked.breakdown,
            by: asked.by,
            by_dimension: asked.dimension,
            map: asked.map,
            at_least: asked.at_least,
            page_size: asked.limit,
            page_token: asked.cursor,
            programme: asked.programme,
        })
        .await?;
    let next = none_if_empty(&answer.next_page_token);
    let body = json!({
        "as_of": as_of(answer.as_of.as_ref()),
        "totals": answer.totals.iter().map(total).collect::<Vec<_>>(),
        "next": next,
    });
    Ok(with_etag(&headers, &body))
}

async fn explain(
    State(query): State<Arc<Query>>,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .explain(&pb::ExplainRequest {
            indicator: asked.indicator,
            unit: asked.unit,
            period: asked.period,
            breakdown: asked.breakdown,
            at_least: asked.at_least,
        })
        .await?;
    let body = json!({
        "as_of": as_of(answer.as_of.as_ref()),
        "total": answer.total.as_ref().map(total),
        "along": answer.along,
        "children": answer.children.iter().map(total).collect::<Vec<_>>(),
        "tiles": answer.tiles.iter().map(total).collect::<Vec<_>>(),
        "figures": answer.figures.iter().map(figure).collect::<Vec<_>>(),
        "set_aside": answer.set_aside,
    });
    Ok(with_etag(&headers, &body))
}

async fn figures(
    State(query): State<Arc<Query>>,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .list_figures(&pb::ListFiguresRequest {
            indicator: asked.indicator,
            unit: asked.unit,
            period: asked.period,
            breakdown: asked.breakdown,
            below: asked.below,
            page_size: asked.limit,
            page_token: asked.cursor,
            at_least: asked.at_least,
        })
        .await?;
    let body = json!({
        "as_of": as_of(answer.as_of.as_ref()),
        "figures": answer.figures.iter().map(figure).collect::<Vec<_>>(),
        "next": none_if_empty(&answer.next_page_token),
    });
    Ok(with_etag(&headers, &body))
}

async fn coverage(
    State(query): State<Arc<Query>>,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .coverage(&pb::GetCoverageRequest {
            indicator: asked.indicator,
            unit: asked.unit,
            period: asked.period,
            breakdown: asked.breakdown,
            at_least: asked.at_least,
        })
        .await?;
    let body = json!({
        "as_of": as_of(answer.as_of.as_ref()),
        "total": answer.total.as_ref().map(total),
        "children": answer.children.iter().map(total).collect::<Vec<_>>(),
    });
    Ok(with_etag(&headers, &body))
}

async fn watch(State(query): State<Arc<Query>>) -> Result<Response, Failure> {
    let mut client = AggregationServiceClient::new(query.aggregation.clone());
    let stream = client.watch(WatchRequest {}).await.map_err(|status| {
        Failure::unavailable("the stream of changes is not there now; try again", status)
    })?;
    let events = stream.into_inner().map_while(Result::ok).map(|m| {
        let body = json!({ "as_of": { "position": m.position, "time": none_if_empty(&m.time) }, "changed": m.changed });
        Ok::<_, std::convert::Infallible>(Event::default().id(m.position.to_string()).data(body.to_string()))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// An answer with its tag; nothing but the tag where the caller has it already.
fn with_etag(headers: &HeaderMap, body: &Value) -> Response {
    let text = body.to_string();
    let mut tag = String::from("\"");
    for byte in Sha256::digest(text.as_bytes()).iter().take(16) {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    let fresh = known.flat_map(|v| v.split(',')).any(|v| v.trim().trim_start_matches("W/") == tag);
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn none_if_empty(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

fn as_of(as_of: Option<&pb::AsOf>) -> Value {
    match as_of {
        Some(a) => json!({ "position": a.position, "time": none_if_empty(&a.time) }),
        None => Value::Null,
    }
}

fn unit(unit: Option<&pb::UnitRef>) -> Value {
    match unit {
        Some(u) => json!({ "code": u.code, "name": u.name, "level": u.level }),
        None => Value::Null,
    }
}

fn breakdown(text: &str) -> Value {
    let pairs = text.split('|').filter_map(|p| p.split_once('='));
    Value::Object(pairs.map(|(d, m)| (d.to_owned(), Value::from(m))).collect::<Map<_, _>>())
}

/// A total as JSON. What has no value has a reason; what only some totals have is left out of the others.
fn total(total: &pb::Total) -> Value {
    #[derive(Serialize)]
    struct Shown<'a> {
        unit: Value,
        indicator: &'a str,
        breakdown: Value,
        period: &'a str,
        map: &'a str,
        value: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        qualifier: Option<&'a str>,
        exact_part: Option<&'a str>,
        basis: Option<&'a str>,
        parts: Option<&'a str>,
        whole: Option<&'a str>,
        difference: Option<&'a str>,
        reported: u64,
        covered: u64,
        expected: u64,
        unavailable: u64,
        unit_of_measure: Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        oldest: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        newest: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        numerator: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        denominator: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        given: Vec<Value>,
    }
    let shown = Shown {
        unit: unit(total.unit.as_ref()),
        indicator: &total.indicator,
        breakdown: breakdown(&total.breakdown),
        period: &total.period,
        map: &total.map,
        value: total.value.as_deref(),
        reason: none_if_empty(&total.reason),
        qualifier: none_if_empty(&total.qualifier),
        exact_part: total.exact_part.as_deref(),
        basis: none_if_empty(&total.basis),
        parts: total.parts.as_deref(),
        whole: total.whole.as_deref(),
        difference: total.difference.as_deref(),
        reported: total.reported,
        covered: total.covered,
        expected: total.expected,
        unavailable: total.unavailable,
        unit_of_measure: json!({ "vi": total.unit_of_measure_vi, "en": total.unit_of_measure_en }),
        oldest: none_if_empty(&total.oldest),
        newest: none_if_empty(&total.newest),
        numerator: total.numerator.as_deref(),
        denominator: total.denominator.as_deref(),
        refused: none_if_empty(&total.refused),
        given: total
            .given
            .iter()
            .map(|g| {
                json!({
                    "unit": unit(g.unit.as_ref()), "period": g.period, "scope": g.scope,
                    "breakdown": breakdown(&g.breakdown), "value": g.value, "qualifier": g.qualifier,
                })
            })
            .collect(),
    };
    serde_json::to_value(shown).unwrap_or(Value::Null)
}

fn figure(figure: &pb::FigureRevision) -> Value {
    json!({
        "unit": unit(figure.unit.as_ref()),
        "indicator": figure.indicator,
        "breakdown": breakdown(&figure.breakdown),
        "period": figure.period,
        "scope": figure.scope,
        "value": figure.value,
        "qualifier": none_if_empty(&figure.qualifier),
        "not_available": none_if_empty(&figure.not_available_reason),
        "withdrawn": figure.withdrawn,
        "current": figure.current,
        "programmes": figure.programmes,
        "position": figure.position,
        "submission": none_if_empty(&figure.submission),
        "source": none_if_empty(&figure.source),
        "received_at": none_if_empty(&figure.received_at),
    })
}
