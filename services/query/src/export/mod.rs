//! Totals and figures as files, streamed.
//!
//! A file is as of one position, however long it takes: totals by the cursor of their pages, figures by leaving out
//! what came later. No snapshot of the database is held between two readings, and no more is read than the reader of
//! the file takes: the next rows wait until the bytes before them are gone.
//!
//! | module | idea |
//! |---|---|
//! | `asked` | from the parameters of a request to what is asked, and what the file says of itself |
//! | `totals`, `figures` | where rows come from, a part at a time |
//! | `stream` | rows into the bytes of an answer, within bounds |

mod asked;
mod figures;
mod stream;
mod totals;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use tonghop_access::Caller;
use tonghop_export::Format;
use tonghop_rest::parameters::{FiguresFile, TotalsFile};
use tonghop_runtime::language::not_read;
use tonghop_runtime::{Failure, FailureKind};

use crate::Query;
use figures::FigureRows;
pub(crate) use stream::FILES_AT_ONCE;
use totals::TotalRows;

/// `/v1/export/totals.…` and `/v1/export/figures.…`, for every format.
pub(crate) fn routes() -> Router<Arc<Query>> {
    Format::ALL.into_iter().fold(Router::new(), |router, format| {
        let path = |table: &str| format!("/v1/export/{table}.{}", format.extension());
        router
            .route(
                &path("totals"),
                get(move |state, caller, headers, asked| totals(format, state, caller, headers, asked)),
            )
            .route(
                &path("figures"),
                get(move |state, caller, headers, asked| figures(format, state, caller, headers, asked)),
            )
    })
}

fn understood<T>(given: Result<Parameters<T>, QueryRejection>) -> Result<T, Failure> {
    let misread = |e: QueryRejection| Failure::new(FailureKind::NotUnderstood, not_read(&e.body_text()));
    given.map(|Parameters(asked)| asked).map_err(misread)
}

async fn totals(
    format: Format,
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Result<Parameters<TotalsFile>, QueryRejection>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let permit = stream::place(&query)?;
    let rows = TotalRows::begin(&query, caller, &asked).await?;
    stream::answer(&query, permit, format, &headers, rows).await
}

async fn figures(
    format: Format,
    State(query): State<Arc<Query>>,
    caller: Caller,
    headers: HeaderMap,
    given: Result<Parameters<FiguresFile>, QueryRejection>,
) -> Result<Response, Failure> {
    let asked = understood(given)?;
    let permit = stream::place(&query)?;
    let rows = FigureRows::begin(&query, caller, &asked).await?;
    stream::answer(&query, permit, format, &headers, rows).await
}
