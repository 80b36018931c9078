//! Units, maps, indicators, dimensions and programmes.

use super::Refused;
use crate::parameters;
use crate::shapes::{Dimensions, History, Indicators, MapDiff, Programmes, Units};

/// Administrative units.
#[utoipa::path(
    get,
    path = "/v1/units",
    tag = "registry",
    params(parameters::Units),
    responses((status = 200, description = "A page of units", body = Units), Refused)
)]
pub(crate) fn units() {}

/// What a unit was called, was made of and became.
#[utoipa::path(
    get,
    path = "/v1/units/{code}/history",
    tag = "registry",
    params(("code" = String, Path, description = "Code of a unit", example = "24"), parameters::History),
    responses((status = 200, description = "Its life, and who else carried its code", body = History), Refused)
)]
pub(crate) fn history() {}

/// What is different between two maps.
#[utoipa::path(
    get,
    path = "/v1/map/diff",
    tag = "registry",
    params(parameters::MapDiff),
    responses((status = 200, description = "Counts by level, and a page of the units that changed", body = MapDiff), Refused)
)]
pub(crate) fn map_diff() {}

/// Indicators.
#[utoipa::path(
    get,
    path = "/v1/indicators",
    tag = "registry",
    params(parameters::Page),
    responses((status = 200, description = "A page of indicators", body = Indicators), Refused)
)]
pub(crate) fn indicators() {}

/// Dimensions and their members.
#[utoipa::path(
    get,
    path = "/v1/dimensions",
    tag = "registry",
    responses((status = 200, description = "All of them", body = Dimensions), Refused)
)]
pub(crate) fn dimensions() {}

/// Programmes.
#[utoipa::path(
    get,
    path = "/v1/programmes",
    tag = "registry",
    responses((status = 200, description = "All of them", body = Programmes), Refused)
)]
pub(crate) fn programmes() {}
