//! The service over REST.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_stream::StreamExt;
use tonghop_access::{Caller, Identity};
use tonghop_proto::json;
use tonghop_proto::query as pb;
use tonghop_rest::parameters;
use tonghop_runtime::language::{self, Language, not_read};
use tonghop_runtime::{Failure, FailureKind, Text};

use crate::tag::Tag;
use crate::{Query, dashboard};

/// For how many seconds nobody has confirmed that nothing newer was accepted, where that is remarkable.
pub(crate) const STALE: HeaderName = HeaderName::from_static("tonghop-stale-seconds");

/// The routes of this service.
pub fn routes(query: Arc<Query>) -> Router {
    Router::new()
        .route("/v1/totals", get(totals))
        .route("/v1/totals/explain", get(explain))
        .route("/v1/totals/tree", get(tree))
        .route("/v1/figures", get(figures))
        .route("/v1/coverage", get(coverage))
        .route("/v1/reviews", get(reviews))
        .route("/v1/compliance", get(compliance))
        .route("/v1/watch", get(watch))
        .merge(crate::export::routes())
        .layer(middleware::from_fn(for_whom))
        .merge(crate::openapi::routes())
        .with_state(Arc::clone(&query))
        .merge(dashboard::routes(query))
}

/// Says with an answer whom it is for: it depends on who asks, and what somebody was given for their key is not kept for
/// others on the way.
pub(crate) async fn for_whom(caller: Caller, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("authorization"));
    let is_known = !matches!(caller.identity(), Identity::Anonymous | Identity::Open);
    if is_known && headers.get(header::CACHE_CONTROL).is_none_or(|said| said != "no-store") {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    response
}

type Given<T> = Result<Parameters<T>, QueryRejection>;

fn understood<T>(given: Given<T>) -> Result<T, Failure> {
    let misread = |e: QueryRejection| Failure::new(FailureKind::NotUnderstood, not_read(&e.body_text()));
    given.map(|Parameters(asked)| asked).map_err(misread)
}

async fn totals(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::Totals>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .totals(
            &caller,
            &pb::GetTotalsRequest {
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
                level: asked.level,
                last: asked.last,
                compare: asked.compare,
                share: asked.share,
                rank: asked.rank,
                as_of: asked.as_of,
                review: asked.review,
                figures: asked.figures,
            },
        )
        .await?;
    Ok(with_etag(&headers, &json::totals(&answer)))
}

async fn explain(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::OneTotal>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .explain(
            &caller,
            &pb::ExplainRequest {
                indicator: asked.indicator,
                unit: asked.unit,
                period: asked.period,
                breakdown: asked.breakdown,
                at_least: asked.at_least,
                map: asked.map,
                as_of: asked.as_of,
                review: asked.review,
                figures: asked.figures,
            },
        )
        .await?;
    let body = json::explanation(&answer);
    Ok(with_etag(&headers, &body))
}

async fn figures(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::Figures>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .list_figures(
            &caller,
            &pb::ListFiguresRequest {
                indicator: asked.indicator,
                unit: asked.unit,
                period: asked.period,
                breakdown: asked.breakdown,
                below: asked.below,
                page_size: asked.limit,
                page_token: asked.cursor,
                at_least: asked.at_least,
                as_of: asked.as_of,
                review: asked.review,
            },
        )
        .await?;
    let body = json!({
        "as_of": json::as_of(answer.as_of.as_ref()),
        "figures": answer.figures.iter().map(json::revision).collect::<Vec<_>>(),
        "next": none_if_empty(&answer.next_page_token),
    });
    Ok(with_etag(&headers, &body))
}

async fn coverage(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::OneTotal>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .coverage(
            &caller,
            &pb::GetCoverageRequest {
                indicator: asked.indicator,
                unit: asked.unit,
                period: asked.period,
                breakdown: asked.breakdown,
                at_least: asked.at_least,
                map: asked.map,
                as_of: asked.as_of,
                review: asked.review,
                figures: asked.figures,
            },
        )
        .await?;
    let body = json!({
        "as_of": json::as_of(answer.as_of.as_ref()),
        "total": answer.total.as_ref().map(json::total),
        "children": answer.children.iter().map(json::total).collect::<Vec<_>>(),
        "origins": answer.origins.iter().map(json::origin).collect::<Vec<_>>(),
    });
    Ok(with_etag(&headers, &body))
}

async fn reviews(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::Reviews>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let request =
        pb::ListReviewsRequest { at_least: asked.at_least, page_size: asked.limit, page_token: asked.cursor };
    let answer = query.reviews(&caller, &request).await?;
    let body = json!({
        "as_of": json::as_of(answer.as_of.as_ref()),
        "reviews": answer.reviews.iter().map(json::review).collect::<Vec<_>>(),
        "next": none_if_empty(&answer.next_page_token),
    });
    Ok(with_etag(&headers, &body))
}

async fn compliance(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::Compliance>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let request = pb::GetComplianceRequest {
        regime: asked.regime,
        period: asked.period,
        unit: asked.unit,
        level: asked.level,
        state: asked.state,
        at_least: asked.at_least,
        page_size: asked.limit,
        page_token: asked.cursor,
    };
    let answer = query.compliance(&caller, &request, query.now()).await?;
    Ok(with_etag(&headers, &json::reports::compliance(&answer)))
}

async fn watch(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::Watch>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    // A browser that connects again says by itself where it was.
    let heard = headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok()));
    let from = match heard {
        None => asked.from,
        Some(Some(position)) => Some(position),
        Some(None) => {
            let detail = Text::of(
                "Last-Event-ID không phải của một sự kiện trong luồng này",
                "Last-Event-ID is not that of an event of this stream",
            );
            return Err(Failure::new(FailureKind::NotUnderstood, detail));
        }
    };
    let request = pb::WatchRequest { indicator: asked.indicator, unit: asked.unit, from };
    let events = query.changes(caller, request).await?.map_while(Result::ok).map(|heard| {
        let position = heard.as_of.as_ref().map_or(0, |a| a.position);
        let body = json::changes(&heard).to_string();
        Ok::<_, std::convert::Infallible>(Event::default().id(position.to_string()).data(body))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

async fn tree(
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Given<parameters::Tree>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let answer = query
        .explain_tree(
            &caller,
            &pb::ExplainTreeRequest {
                indicator: asked.indicator,
                unit: asked.unit,
                period: asked.period,
                breakdown: asked.breakdown,
                at_least: asked.at_least,
                map: asked.map,
                as_of: asked.as_of,
                review: asked.review,
                depth: asked.depth,
                width: asked.limit,
                page_token: asked.cursor,
            },
        )
        .await?;
    Ok(with_etag(&headers, &json::explained_tree(&answer)))
}

/// An answer with its tag; nothing but the tag where the caller has it already.
///
/// How old an answer is, is no part of what it says: its tag leaves that out, and a header says it beside either.
fn with_etag(headers: &HeaderMap, body: &Value) -> Response {
    let text = body.to_string();
    let stale = body["as_of"]["stale_seconds"].as_i64();
    let said = match stale {
        None => text.clone(),
        Some(_) => {
            let mut said = body.clone();
            said["as_of"].as_object_mut().and_then(|as_of| as_of.remove("stale_seconds"));
            said.to_string()
        }
    };
    let tag = Tag::of(&Sha256::digest(said.as_bytes()));
    let mut response = if tag.is_known(headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag.value());
    language::say(response.headers_mut(), Language::spoken());
    if let Some(seconds) = stale {
        response.headers_mut().insert(STALE, HeaderValue::from(seconds));
    }
    response
}

fn none_if_empty(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_old_an_answer_is_does_not_make_it_another() {
        let body = |as_of: Value| json!({ "as_of": as_of, "totals": [] });
        let fresh = with_etag(&HeaderMap::new(), &body(json!({ "position": 1 })));
        let tag = fresh.headers()[header::ETAG].clone();
        assert!(!fresh.headers().contains_key(STALE));
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag.clone())]);
        let stale = with_etag(&known, &body(json!({ "position": 1, "stale_seconds": 9 })));
        assert_eq!((stale.status(), &stale.headers()[header::ETAG]), (StatusCode::NOT_MODIFIED, &tag));
        assert_eq!(stale.headers()[STALE], "9");
        let moved = with_etag(&known, &body(json!({ "position": 2 })));
        assert_eq!(moved.status(), StatusCode::OK);
    }
}
