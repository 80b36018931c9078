//! What pages load beside themselves: a style sheet, a script, an icon, a drawing of the country. All of it is in the
//! binary, and each is named by its content, so that it is kept for good and never stale.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::{dots, headers, places};
use crate::tag::hex;

const STYLE: &str = include_str!("../../assets/dashboard.css");
const SCRIPT: &str = include_str!("../../assets/dashboard.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// A file that pages load.
#[derive(Debug)]
pub(super) struct Asset {
    name: String,
    media_type: &'static str,
    body: String,
}

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, body: String) -> Asset {
        let tag = hex(&Sha256::digest(body.as_bytes())[..6]);
        Asset { name: format!("{stem}-{tag}.{extension}"), media_type, body }
    }

    /// Where it is.
    pub(super) fn href(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// The style sheet.
pub(super) fn style() -> &'static Asset {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| Asset::new("dashboard", "css", "text/css; charset=utf-8", STYLE.to_owned()))
}

/// The script for live updates.
pub(super) fn script() -> &'static Asset {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| Asset::new("dashboard", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned()))
}

/// The icon.
pub(super) fn icon() -> &'static Asset {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| Asset::new("icon", "svg", "image/svg+xml", ICON.to_owned()))
}

/// The country, drawn by the points of its communes.
pub(super) fn country() -> &'static Asset {
    static ASSET: OnceLock<Asset> = OnceLock::new();
    ASSET.get_or_init(|| Asset::new("country", "svg", "image/svg+xml", dots::country(places::country())))
}

/// Serves them.
pub(super) fn routes() -> Router {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    let all = [style(), script(), icon(), country()];
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        return headers::guarded(StatusCode::NOT_FOUND.into_response());
    };
    let mut response = asset.body.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers::guarded(response)
}
