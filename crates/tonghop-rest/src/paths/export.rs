//! Totals and figures as files.

use super::Refused;
use crate::parameters;
use crate::shapes::{FiguresFile, Problem, TotalsFile};

/// How a file is written. A file is streamed: one that is cut short ends without HTTP's mark of the end.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
enum Format {
    Csv,
    Json,
    Ndjson,
    Xlsx,
    Parquet,
    Arrow,
}

/// Totals as a file.
///
/// All pages of `/v1/totals` as of one position, a row a total, at most 1,000,000. CSV puts an apostrophe before a
/// text that a spreadsheet would take for a formula; the other formats carry every text as it is. Parquet and Arrow
/// have decimals with the scale of the indicator with most decimals, and say in their metadata as of when they are.
#[utoipa::path(
    get,
    path = "/v1/export/totals.{format}",
    tag = "files",
    operation_id = "export_totals",
    params(("format" = inline(Format), Path, description = "How it is written", example = "csv"), parameters::TotalsFile),
    responses(
        (status = 200, description = "The file", headers(
            ("etag" = String, description = "Of the file's bytes"),
            ("content-disposition" = String, description = "What it is saved as"),
            ("tonghop-as-of" = i64, description = "Up to which position of the ledger it is"),
            ("tonghop-rows" = u64, description = "How many rows it has"),
        ), content(
            (TotalsFile = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "application/vnd.apache.parquet"),
            (Vec<u8> = "application/vnd.apache.arrow.file"),
        )),
        (status = 304, description = "Nothing is different from the file of this tag"),
        Refused,
    )
)]
pub(crate) fn totals() {}

/// Figures as a file.
///
/// Every revision of the figures of several indicators, as of one position, a row a revision, at most 1,000,000; in
/// order of indicator, last day, unit, period, breakdown, scope and position. Formats as of totals.
#[utoipa::path(
    get,
    path = "/v1/export/figures.{format}",
    tag = "files",
    operation_id = "export_figures",
    params(("format" = inline(Format), Path, description = "How it is written", example = "csv"), parameters::FiguresFile),
    responses(
        (status = 200, description = "The file", headers(
            ("etag" = String, description = "Of the file's bytes"),
            ("content-disposition" = String, description = "What it is saved as"),
            ("tonghop-as-of" = i64, description = "Up to which position of the ledger it is"),
            ("tonghop-rows" = u64, description = "How many rows it has"),
        ), content(
            (FiguresFile = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "application/vnd.apache.parquet"),
            (Vec<u8> = "application/vnd.apache.arrow.file"),
        )),
        (status = 304, description = "Nothing is different from the file of this tag"),
        Refused,
    )
)]
pub(crate) fn figures() {}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "running",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value), (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) fn openapi() {}

/// This document, for people; without scripts, and without anything from elsewhere.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "running",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"), (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) fn docs() {}
