//! From the parameters of a request to what is asked, and what the file says of itself.

use tonghop_core::decimal::MAX_DECIMALS;
use tonghop_core::registry::Registry;
use tonghop_export::{About, Language, Scales};
use tonghop_proto::query as pb;
use tonghop_rest::parameters::{FiguresFile, Lang, TotalsFile};
use tonghop_runtime::Failure;

use crate::{View, store_failure};

/// How the names of sources of made-up figures begin.
const SYNTHETIC: &str = "synthetic";
/// Changes of map whose shares the columns of a ratio's sides have room for, one after the other.
const MOST_DIVISIONS: usize = 3;

/// The question of a file of totals, its pages as long as they may be.
pub(super) fn request(asked: &TotalsFile) -> pb::GetTotalsRequest {
    let asked = asked.clone();
    pb::GetTotalsRequest {
        indicator: asked.indicator,
        unit: asked.unit,
        period: asked.period,
        breakdown: asked.breakdown,
        by: asked.by,
        by_dimension: asked.dimension,
        map: asked.map,
        at_least: asked.at_least,
        page_size: 0,
        page_token: String::new(),
        programme: asked.programme,
        level: asked.level,
        last: asked.last,
        compare: asked.compare,
        share: asked.share,
        rank: asked.rank,
        as_of: asked.as_of,
        review: asked.review,
        figures: asked.figures,
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

impl<'a> Asking<'a> {
    /// What a file of totals says of itself.
    pub(super) fn totals(asked: &'a TotalsFile) -> Asking<'a> {
        let all = [
            ("indicator", asked.indicator.as_str()),
            ("unit", &asked.unit),
            ("period", &asked.period),
            ("breakdown", &asked.breakdown),
            ("by", &asked.by),
            ("dimension", &asked.dimension),
            ("map", &asked.map),
            ("programme", &asked.programme),
            ("level", &asked.level),
            ("last", &number(asked.last.into())),
            ("compare", &asked.compare),
            ("share", &asked.share),
            ("rank", yes(asked.rank)),
            ("as_of", &number(asked.as_of)),
            ("review", &asked.review),
            ("figures", &asked.figures),
        ];
        Asking { indicator: &asked.indicator, lang: asked.lang, bom: asked.bom, asked: given(&all) }
    }

    /// What a file of figures says of itself.
    pub(super) fn figures(asked: &'a FiguresFile) -> Asking<'a> {
        let all = [
            ("indicator", asked.indicator.as_str()),
            ("programme", &asked.programme),
            ("unit", &asked.unit),
            ("period", &asked.period),
            ("breakdown", &asked.breakdown),
            ("below", yes(asked.below)),
            ("as_of", &number(asked.as_of)),
            ("review", &asked.review),
        ];
        Asking { indicator: &asked.indicator, lang: asked.lang, bom: asked.bom, asked: given(&all) }
    }

    /// With what the view knows: names, decimals, whether made-up figures are about.
    pub(super) async fn of(self, view: &View, as_of: &pb::AsOf, rows: u64) -> Result<About, Failure> {
        let language = match self.lang {
            Lang::Vi => Language::Vi,
            Lang::En => Language::En,
        };
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
