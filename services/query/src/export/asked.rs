//! From the parameters of a request to what is asked, and what the file says of itself.

use serde::Deserialize;
use tonghop_core::decimal::MAX_DECIMALS;
use tonghop_core::registry::Registry;
use tonghop_export::{About, Language, Scales};
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;

use crate::{View, store_failure};

/// How the names of sources of made-up figures begin.
const SYNTHETIC: &str = "synthetic";
/// Changes of map whose shares the columns of a ratio's sides have room for, one after the other.
const MOST_DIVISIONS: usize = 3;

/// The language of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Lang {
    #[default]
    Vi,
    En,
}

impl Lang {
    fn language(self) -> Language {
        match self {
            Lang::Vi => Language::Vi,
            Lang::En => Language::En,
        }
    }
}

/// What can be asked of a file of totals: as of `/v1/totals`, all pages of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AskedTotals {
    indicator: String,
    unit: String,
    period: String,
    breakdown: String,
    by: String,
    dimension: String,
    map: String,
    programme: String,
    level: String,
    last: u32,
    compare: String,
    share: String,
    rank: bool,
    as_of: i64,
    review: String,
    at_least: i64,
    lang: Lang,
    bom: bool,
}

/// What can be asked of a file of figures: as of `/v1/figures`, all pages of it, of several indicators.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AskedFigures {
    pub(super) indicator: String,
    pub(super) programme: String,
    pub(super) unit: String,
    pub(super) period: String,
    pub(super) breakdown: String,
    pub(super) below: bool,
    pub(super) as_of: i64,
    pub(super) review: String,
    pub(super) at_least: i64,
    lang: Lang,
    bom: bool,
}

impl AskedTotals {
    /// The question, its pages as long as they may be.
    pub(super) fn request(&self) -> pb::GetTotalsRequest {
        pb::GetTotalsRequest {
            indicator: self.indicator.clone(),
            unit: self.unit.clone(),
            period: self.period.clone(),
            breakdown: self.breakdown.clone(),
            by: self.by.clone(),
            by_dimension: self.dimension.clone(),
            map: self.map.clone(),
            at_least: self.at_least,
            page_size: 0,
            page_token: String::new(),
            programme: self.programme.clone(),
            level: self.level.clone(),
            last: self.last,
            compare: self.compare.clone(),
            share: self.share.clone(),
            rank: self.rank,
            as_of: self.as_of,
            review: self.review.clone(),
        }
    }

    /// What the file says of itself.
    pub(super) fn about(&self) -> Asking<'_> {
        let asked = [
            ("indicator", self.indicator.as_str()),
            ("unit", &self.unit),
            ("period", &self.period),
            ("breakdown", &self.breakdown),
            ("by", &self.by),
            ("dimension", &self.dimension),
            ("map", &self.map),
            ("programme", &self.programme),
            ("level", &self.level),
            ("last", &number(self.last.into())),
            ("compare", &self.compare),
            ("share", &self.share),
            ("rank", yes(self.rank)),
            ("as_of", &number(self.as_of)),
            ("review", &self.review),
        ];
        Asking { indicator: &self.indicator, lang: self.lang, bom: self.bom, asked: given(&asked) }
    }
}

impl AskedFigures {
    /// What the file says of itself.
    pub(super) fn about(&self) -> Asking<'_> {
        let asked = [
            ("indicator", self.indicator.as_str()),
            ("programme", &self.programme),
            ("unit", &self.unit),
            ("period", &self.period),
            ("breakdown", &self.breakdown),
            ("below", yes(self.below)),
            ("as_of", &number(self.as_of)),
            ("review", &self.review),
        ];
        Asking { indicator: &self.indicator, lang: self.lang, bom: self.bom, asked: given(&asked) }
    }
}

/// What both tables say of themselves the same way.
pub(super) struct Asking<'a> {
    /// Codes of indicators, as they were given.
    indicator: &'a str,
    lang: Lang,
    bom: bool,
    asked: Vec<(String, String)>,
}

impl Asking<'_> {
    /// With what the view knows: names, decimals, whether made-up figures are about.
    pub(super) async fn of(self, view: &View, as_of: &pb::AsOf, rows: u64) -> Result<About, Failure> {
        let language = self.lang.language();
        let registry = &view.registry;
        let name = |of: &tonghop_core::indicator::Indicator| {
            (of.code.clone(), language.of(&of.name_vi, &of.name_en).clone())
        };
        Ok(About {
            language,
            position: as_of.position,
            time: as_of.time.clone(),
            asked: self.asked,
            rows,
            synthetic: view.snapshot.has_source(SYNTHETIC).await.map_err(store_failure)?,
            names: registry.indicators().iter().map(|indicator| name(indicator)).collect(),
            scales: scales(registry, self.indicator),
            bom: self.bom,
        })
    }
}

/// As many decimals as the named indicator with most has; where none is named, as any has.
fn scales(registry: &Registry, named: &str) -> Scales {
    let most = registry.indicators().iter().map(|i| i.decimals).max().unwrap_or(MAX_DECIMALS);
    let named = named.split(',').filter(|code| !code.is_empty());
    let named = named.map(|code| registry.indicator(code).map_or(most, |indicator| indicator.decimals));
    let divisions = registry.maps().len().saturating_sub(1).min(MOST_DIVISIONS) as u8;
    Scales { value: named.max().unwrap_or(most), side: most + 6 * divisions }
}

/// What was given, and nothing that was left out.
fn given(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let given = all.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn number(number: i64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn yes(flag: bool) -> &'static str {
    if flag { "true" } else { "" }
}
