//! The dashboard: the answers of this service as pages for people, made on the server.
//!
//! | module | idea |
//! |---|---|
//! | `address` | a view is its address |
//! | `scene` | what a page has at hand |
//! | `overview`, `indicator`, `unit`, `coverage`, `differences`, `explain`, `find` | the pages: each asks, then shows |
//! | `layout` | the frame of every page |
//! | `figure` | a number, never without how much of it is there |
//! | `chart`, `dots`, `places` | drawings, in whole numbers |
//! | `locale`, `periods` | the reader's language; periods near a period |
//! | `export` | from a table to a file |
//! | `sign_in` | where a browser is asked for a key |
//! | `assets`, `headers` | what is sent beside the pages |
//!
//! Pages ask the same operations as REST and gRPC do, and know nothing that those do not say. They read without a
//! script; the one script asks for the page again when something changed.

mod address;
mod assets;
mod chart;
mod coverage;
mod differences;
mod dots;
mod explain;
mod export;
mod figure;
mod find;
mod headers;
mod indicator;
mod layout;
mod locale;
mod overview;
mod periods;
mod places;
mod scene;
mod sign_in;
mod unit;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tonghop_access::Caller;
use tonghop_core::calendar::{day_number, day_of_number};
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_runtime::language::not_read;
use tonghop_runtime::{Failure, FailureKind};

use crate::moment::When;
use crate::rest::for_whom;
use crate::{Query, View, store_failure};
use address::{Address, Page};
use layout::Body;
use locale::{Lang, vietnam};
use places::Places;
use scene::Scene;

/// A source whose name begins so says that its figures are made up; so does a note that begins in capitals.
const SYNTHETIC_SOURCE: &str = "synthetic";
const SYNTHETIC_NOTE: &str = "SYNTHETIC";

/// What the pages keep from one request to the next; all of it can be found out again.
#[derive(Debug)]
struct Dashboard {
    query: Arc<Query>,
    /// Where the units of a registry lie.
    places: Mutex<Option<(Arc<Registry>, Arc<Places>)>>,
    /// Up to which position was looked whether there are synthetic figures, and whether there are.
    synthetic: Mutex<(i64, bool)>,
}

/// The pages and what they load.
pub(crate) fn routes(query: Arc<Query>) -> Router {
    let dashboard = Dashboard { query, places: Mutex::default(), synthetic: Mutex::default() };
    let mut pages = Router::new();
    for page in Page::ALL {
        let handler = move |dashboard: State<Arc<Dashboard>>,
                            caller: Caller,
                            headers: HeaderMap,
                            given: Given| async move {
            serve(&dashboard, &caller, &headers, given, page).await
        };
        pages = pages.route(page.path(), get(handler));
    }
    let pages = pages.route(sign_in::PATH, get(sign_in::sign_in)).with_state(Arc::new(dashboard));
    pages.layer(middleware::from_fn(for_whom)).merge(assets::routes())
}

type Given = Result<Parameters<Address>, QueryRejection>;

/// What a request comes to.
enum Answer {
    /// A page.
    Page(String),
    /// Another address: the same with what was left out.
    Elsewhere(String),
}

async fn serve(
    dashboard: &Dashboard,
    caller: &Caller,
    headers: &HeaderMap,
    given: Given,
    page: Page,
) -> Response {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (address, understood) = match given {
        Ok(Parameters(address)) => (address, Ok(())),
        Err(rejection) => {
            let failure = Failure::new(FailureKind::NotUnderstood, not_read(&rejection.body_text()));
            (Address::default(), Err(failure))
        }
    };
    let lang = Lang::asked(&address.lang, accepted);
    let answering = async {
        let answer = match understood {
            Ok(()) => dashboard.answer(caller, page, &address, lang).await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(Answer::Page(body)) => headers::page(headers, StatusCode::OK, lang, body),
            Ok(Answer::Elsewhere(href)) => headers::guarded(elsewhere(&href)),
            Err(failure) => trouble(headers, caller, failure, page, &address, lang),
        }
    };
    lang.0.speaking(answering).await
}

/// To a full address, which may be another tomorrow.
fn elsewhere(href: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(href) = HeaderValue::from_str(href) {
        response.headers_mut().insert(header::LOCATION, href);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A failure as a page, with the status and the headers that programs get.
fn trouble(
    headers: &HeaderMap,
    caller: &Caller,
    failure: Failure,
    page: Page,
    address: &Address,
    lang: Lang,
) -> Response {
    let (detail, findings) = (failure.to_string(), failure.findings().to_vec());
    let is_ours = matches!(failure.kind(), FailureKind::Unavailable | FailureKind::Internal);
    let trace = is_ours.then(tonghop_runtime::trace::id).flatten();
    let for_programs = failure.into_response();
    let body = layout::trouble(lang, caller, address, page, &detail, &findings, trace.as_deref());
    let mut response = headers::page(headers, for_programs.status(), lang, body.into_string());
    if let Some(seconds) = for_programs.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    if let Some(challenge) = for_programs.headers().get(header::WWW_AUTHENTICATE) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.clone());
    }
    response
}

impl Dashboard {
    async fn answer(
        &self,
        caller: &Caller,
        page: Page,
        address: &Address,
        lang: Lang,
    ) -> Result<Answer, Failure> {
        if address.unit.is_empty() || address.period.is_empty() {
            return Ok(Answer::Elsewhere(self.filled(caller, address).await?.href(page)));
        }
        let (body, scene) = match self.shown_at_hand(caller, page, address, lang).await {
            Some(shown) => shown,
            None => {
                // The registry of the moment that the page is of: now, or when a review was frozen.
                let when = When { at_least: address.at_least, review: &address.review, ..When::default() };
                let registry = Arc::clone(&self.query.view(caller, when).await?.registry);
                self.shown(caller, page, address, lang, registry).await?
            }
        };
        let has_synthetic =
            self.has_synthetic(caller, scene.as_of.as_ref().map_or(0, |a| a.position)).await?;
        Ok(Answer::Page(layout::page(&scene, &body, has_synthetic).into_string()))
    }

    /// A page made with the registry at hand, which saves reading the database for it. There is none where another
    /// registry turns out to be in force, or where anything is wrong: then it is looked at again.
    async fn shown_at_hand(
        &self,
        caller: &Caller,
        page: Page,
        address: &Address,
        lang: Lang,
    ) -> Option<(Body, Scene)> {
        // What asks nothing would never hear of another registry.
        if page == Page::Find || !address.review.is_empty() {
            return None;
        }
        let at_hand = self.query.newest_registry_held()?;
        let shown = self.shown(caller, page, address, lang, Arc::clone(&at_hand)).await.ok()?;
        let newest = self.query.newest_registry_held()?;
        Arc::ptr_eq(&at_hand, &newest).then_some(shown)
    }

    async fn shown(
        &self,
        caller: &Caller,
        page: Page,
        address: &Address,
        lang: Lang,
        registry: Arc<Registry>,
    ) -> Result<(Body, Scene), Failure> {
        let mut scene =
            Scene::of(Arc::clone(&self.query), caller.clone(), registry, page, address.clone(), lang)?;
        let body = match page {
            Page::Overview => overview::page(&mut scene).await?,
            Page::Indicator => {
                let places = self.places(&scene.registry);
                indicator::page(&mut scene, &places).await?
            }
            Page::Unit => unit::page(&mut scene).await?,
            Page::Coverage => coverage::page(&mut scene).await?,
            Page::Differences => differences::page(&mut scene).await?,
            Page::Explain => explain::page(&mut scene).await?,
            Page::Find => find::page(&scene),
        };
        Ok((body, scene))
    }

    /// With the nation where no unit is named, and the newest year that something was reported for where no period is.
    async fn filled(&self, caller: &Caller, address: &Address) -> Result<Address, Failure> {
        let view = self.query.view(caller, When::default()).await?;
        let mut address = address.clone();
        if address.period.is_empty() {
            address.period = self.newest_year(&view).await?.to_string();
        }
        if address.unit.is_empty() {
            address.unit.clone_from(&view.registry.unit(view.registry.nation()).code);
        }
        Ok(address)
    }

    /// The year of the newest period that has begun and has something; a span where spans are all there is.
    async fn newest_year(&self, view: &View) -> Result<Period, Failure> {
        let today = vietnam(self.query.now()).date();
        let calendar = scene::calendar(&view.registry)?;
        let this_year = calendar.year_of(today);
        let until = day_number(calendar.last_day(Period::Year(this_year)));
        let newest = view.snapshot.newest_period(until).await.map_err(store_failure)?;
        let Some((end_day, label)) = newest else { return Ok(Period::Year(this_year)) };
        Ok(match (Period::parse(&label), day_of_number(end_day)) {
            (Ok(span @ Period::Span(..)), _) => span,
            (_, Some(day)) => Period::Year(calendar.year_of(day)),
            (_, None) => Period::Year(this_year),
        })
    }

    fn places(&self, registry: &Arc<Registry>) -> Arc<Places> {
        let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        match known.as_ref().filter(|(of, _)| Arc::ptr_eq(of, registry)) {
            Some((_, places)) => Arc::clone(places),
            None => {
                let places = Arc::new(Places::of(registry));
                *known = Some((Arc::clone(registry), Arc::clone(&places)));
                places
            }
        }
    }

    /// Whether any submission up to a position says that its figures are made up. Looked for once a position.
    async fn has_synthetic(&self, caller: &Caller, position: i64) -> Result<bool, Failure> {
        let (looked, found) = *self.synthetic.lock().unwrap_or_else(PoisonError::into_inner);
        if found || position <= looked {
            return Ok(found);
        }
        let view = self.query.view(caller, When::default()).await?;
        let reached = view.snapshot.checkpoint().position;
        let marked = view.snapshot.marked_after(looked, SYNTHETIC_SOURCE, SYNTHETIC_NOTE).await;
        let found = marked.map_err(store_failure)?;
        *self.synthetic.lock().unwrap_or_else(PoisonError::into_inner) = (reached, found);
        Ok(found)
    }
}

impl Query {
    /// The registry loaded last, of those that answers were made with.
    fn newest_registry_held(&self) -> Option<Arc<Registry>> {
        let held = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().max_by_key(|(at, _)| *at).map(|(_, registry)| Arc::clone(registry))
    }
}
