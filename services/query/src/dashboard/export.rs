//! From every table to the same as a file.

use maud::{Markup, html};
use tonghop_proto::query as pb;

use super::address::written;
use super::scene::Scene;

/// What a table shows.
pub(super) enum Of {
    /// Totals: the question that the table answers.
    Totals(pb::GetTotalsRequest),
    /// Figures: what was reported, of one indicator or of those of a programme.
    Figures(pb::ListFiguresRequest, String),
}

const FORMATS: [(&str, &str); 5] =
    [("csv", "CSV"), ("xlsx", "Excel"), ("parquet", "Parquet"), ("arrow", "Arrow"), ("json", "JSON")];

/// Links to a table's question as files.
pub(super) fn links(scene: &Scene, of: &Of) -> Markup {
    let lang = scene.lang;
    let href = |format: &str| match of {
        Of::Totals(asked) => {
            let last = if asked.last == 0 { String::new() } else { asked.last.to_string() };
            let rank = if asked.rank { "true" } else { "" };
            let all = [
                ("indicator", asked.indicator.as_str()),
                ("programme", &asked.programme),
                ("unit", &asked.unit),
                ("period", &asked.period),
                ("breakdown", &asked.breakdown),
                ("by", &asked.by),
                ("dimension", &asked.by_dimension),
                ("last", &last),
                ("compare", &asked.compare),
                ("share", &asked.share),
                ("rank", rank),
                ("map", &asked.map),
                ("review", &asked.review),
                ("lang", lang.code()),
            ];
            path("totals", format, &all)
        }
        Of::Figures(asked, programme) => {
            let all = [
                ("indicator", asked.indicator.as_str()),
                ("programme", programme),
                ("unit", &asked.unit),
                ("period", &asked.period),
                ("breakdown", &asked.breakdown),
                ("below", if asked.below { "true" } else { "" }),
                ("review", &asked.review),
                ("lang", lang.code()),
            ];
            path("figures", format, &all)
        }
    };
    html! {
        p.export {
            span { (lang.of("Tải bảng này:", "This table as a file:")) }
            @for (format, name) in FORMATS { " " a href=(href(format)) rel="nofollow" { (name) } }
        }
    }
}

fn path(what: &str, format: &str, parameters: &[(&'static str, &str)]) -> String {
    let used: Vec<_> = parameters.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
    written(&format!("/v1/export/{what}.{format}"), &used)
}
