//! A unit: what it is, what it was and became, and what it reported itself.

use maud::{Markup, html};
use tonghop_core::Date;
use tonghop_core::unit::{Succession, UnitId};
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;

use super::address::Page;
use super::export;
use super::figure;
use super::indicator::period;
use super::layout::Body;
use super::overview;
use super::scene::Scene;

/// Figures shown on one page at most; the rest is behind the export.
const MOST: usize = 400;

/// The page.
pub(super) async fn page(scene: &mut Scene) -> Result<Body, Failure> {
    let request = pb::GetTotalsRequest {
        by: "indicators".into(),
        programme: scene.address.programme.clone(),
        ..scene.request()
    };
    let totals = scene.totals(request.clone()).await?;
    let rows: Vec<overview::Row> =
        totals.into_iter().map(|now| overview::Row { now, leading: vec![] }).collect();
    let figures = figures(scene, &rows).await?;
    let lang = scene.lang;
    let main = html! {
        (identity(scene))
        section.panel {
            h2 { (lang.of("Đơn vị đã báo cáo gì", "What it reported")) }
            (reported(scene, &figures))
        }
        section.panel {
            h2 { (lang.of("Tổng theo chỉ tiêu", "Totals by indicator")) }
            (overview::table(scene, &rows))
            (export::links(scene, &export::Of::Totals(request)))
        }
        (below(scene))
    };
    Ok(Body { title: scene.name(scene.unit).to_owned(), main })
}

/// What the unit itself reported of the indicators of which something is there, every revision.
async fn figures(scene: &mut Scene, rows: &[overview::Row]) -> Result<Vec<pb::FigureRevision>, Failure> {
    let mut asked: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|r| is_there(&r.now)) {
        if !asked.contains(&row.now.indicator.as_str()) {
            asked.push(&row.now.indicator);
        }
    }
    let mut all = Vec::new();
    for indicator in asked {
        if all.len() > MOST {
            break;
        }
        let request = pb::ListFiguresRequest {
            indicator: indicator.to_owned(),
            unit: scene.address.unit.clone(),
            period: scene.address.period.clone(),
            at_least: scene.address.at_least,
            review: scene.address.review.clone(),
            ..pb::ListFiguresRequest::default()
        };
        // Figures are listed as they were reported: on another map there is no such unit to ask for.
        if scene.map.is_some() {
            continue;
        }
        let answer = scene.query().list_figures(&scene.caller, &request).await?;
        scene.include(answer.as_of);
        all.extend(answer.figures);
    }
    Ok(all)
}

/// Every figure of the unit itself, as a question of its own.
fn of_unit(scene: &Scene) -> pb::ListFiguresRequest {
    pb::ListFiguresRequest {
        unit: scene.address.unit.clone(),
        period: scene.address.period.clone(),
        review: scene.address.review.clone(),
        ..pb::ListFiguresRequest::default()
    }
}

/// Whether anything was reported that could be the unit's own.
fn is_there(total: &pb::Total) -> bool {
    total.refused.is_empty()
        && (total.value.is_some()
            || total.whole.is_some()
            || total.reported > 0
            || total.unavailable > 0
            || !total.given.is_empty())
}

/// Level, code, validity; what it was made of and became.
fn identity(scene: &Scene) -> Markup {
    let lang = scene.lang;
    let unit = scene.registry.unit(scene.unit);
    let from = (unit.from() != Date::MIN).then(|| lang.date(unit.from()));
    let last = (unit.to() != Date::MAX).then(|| lang.date(unit.to().yesterday().unwrap_or(unit.to())));
    let earlier: Vec<&Succession> =
        scene.registry.predecessors(unit.id).filter(|s| s.from != unit.id).collect();
    let later: Vec<&Succession> = scene.registry.successors(unit.id).filter(|s| s.to != unit.id).collect();
    html! {
        dl.facts {
            div { dt { (lang.of("Cấp", "Level")) } dd { (scene.level(scene.registry.level_code(unit.level))) } }
            div { dt { (lang.of("Mã", "Code")) } dd { code { (unit.code) } } }
            @if let Some(from) = from { div { dt { (lang.of("Có từ ngày", "In force from")) } dd { (from) } } }
            @if let Some(last) = last { div { dt { (lang.of("Đến hết ngày", "Until")) } dd { (last) } } }
            @for stage in unit.stages.iter().filter(|s| s.name != scene.name(unit.id)) {
                div {
                    dt { (lang.of("Tên khác", "Also called")) }
                    dd lang="vi" { (stage.name) @if stage.to != Date::MAX { " (" (lang.of("trước", "before")) " " (lang.date(stage.to)) ")" } }
                }
            }
        }
        @if !earlier.is_empty() { (links(scene, lang.of("Được lập từ", "Made of"), &earlier, |s| s.from)) }
        @if !later.is_empty() { (links(scene, lang.of("Trở thành", "Went on as"), &later, |s| s.to)) }
    }
}

/// Units that a unit goes back to or went on as, each with a link to its own page at a time when it was in force.
fn links(scene: &Scene, title: &str, all: &[&Succession], other: fn(&Succession) -> UnitId) -> Markup {
    let lang = scene.lang;
    let share = |share: u32| {
        let text = tonghop_core::decimal::format_decimal(i128::from(share), 4);
        lang.number(text.trim_end_matches('0').trim_end_matches('.'))
    };
    html! {
        details.links open[all.len() <= 8] {
            summary { (title) " (" (lang.count(all.len() as u64)) ")" }
            ul.columns {
                @for succession in all {
                    @let unit = scene.registry.unit(other(succession));
                    li {
                        @match year_in_force(scene, unit.id) {
                            Some(year) => { a href=(scene.address.unit(&unit.code).period(year).map("").href(Page::Unit)) lang="vi" { (unit.name()) } }
                            None => { span lang="vi" { (unit.name()) } }
                        }
                        " " span.note {
                            (lang.date(succession.day))
                            @if succession.share != tonghop_core::lineage::WHOLE { ", " (share(succession.share)) "% " (lang.of("(ước tính)", "(estimated)")) }
                        }
                    }
                }
            }
        }
    }
}

/// A year on whose last day a unit was in force: this page's, else the nearest.
fn year_in_force(scene: &Scene, unit: UnitId) -> Option<tonghop_core::period::Period> {
    use tonghop_core::period::Period;
    let unit = scene.registry.unit(unit);
    let near = super::periods::year_of(scene.period);
    let candidates = [near, unit.from().year(), unit.to().year() - 1, unit.from().year() + 1];
    let year = |y: &i16| {
        (tonghop_core::period::FIRST_YEAR..=tonghop_core::period::LAST_YEAR).contains(y)
            && unit.in_force(scene.last_day(Period::Year(*y)))
    };
    candidates.iter().find(|y| year(y)).map(|y| Period::Year(*y))
}

/// Every figure of the unit itself, revisions too.
fn reported(scene: &Scene, figures: &[pb::FigureRevision]) -> Markup {
    let lang = scene.lang;
    html! {
        @if scene.map.is_some() {
            p.note {
                (lang.of("Số liệu đã báo cáo chỉ xem được theo bản đồ khi báo cáo. ", "What was reported is seen on the map it was reported on. "))
                a href=(scene.on_map(None).href(Page::Unit)) { (lang.of("Xem như khi báo cáo", "See it as reported")) }
            }
        } @else if figures.is_empty() {
            p.empty { (lang.of("Chính đơn vị này chưa báo cáo số nào trong kỳ.", "The unit itself reported nothing in this period.")) }
        } @else {
            (revisions(scene, figures, true))
            (export::links(scene, &export::Of::Figures(of_unit(scene), scene.address.programme.clone())))
            @if figures.len() > MOST { p.note { (lang.of("Chỉ hiện phần đầu.", "Only the first are shown.")) } }
        }
    }
}

/// Figures with their submissions.
pub(super) fn revisions(scene: &Scene, figures: &[pb::FigureRevision], with_indicator: bool) -> Markup {
    let lang = scene.lang;
    html! {
        table.figures.revisions {
            caption.unseen { (lang.of("Số liệu đã báo cáo", "What was reported")) }
            thead { tr {
                @if with_indicator { th scope="col" { (lang.of("Chỉ tiêu", "Indicator")) } }
                th scope="col" { (lang.of("Kỳ, phạm vi", "Period, scope")) }
                th scope="col" { (lang.of("Phân tổ", "Breakdown")) }
                th.number scope="col" { (lang.of("Giá trị", "Value")) }
                th scope="col" { (lang.of("Báo cáo", "Submission")) }
            } }
            tbody {
                @for figure in figures.iter().take(MOST) {
                    tr.superseded[!figure.current] {
                        @if with_indicator {
                            th scope="row" { a href=(scene.address.indicator(&figure.indicator, "").href(Page::Indicator)) { (scene.indicator_name(&figure.indicator)) } }
                        }
                        td data-label=(lang.of("Kỳ, phạm vi", "Period, scope")) {
                            (period(scene, &figure.period)) br;
                            span.note { (scope(scene, &figure.scope)) }
                        }
                        td data-label=(lang.of("Phân tổ", "Breakdown")) { (scene.breakdown_in_words(&figure.breakdown)) }
                        td.number data-label=(lang.of("Giá trị", "Value")) {
                            @if figure.withdrawn {
                                span.absent { (lang.of("đã rút", "withdrawn")) }
                            } @else if let Some(value) = &figure.value {
                                (figure::quantity(lang, value, &figure.qualifier))
                            } @else {
                                span.absent { (lang.of("không có số liệu: ", "not available: ")) (figure.not_available_reason) }
                            }
                            @if !figure.current { " " span.tag { (lang.of("đã thay", "revised")) } }
                        }
                        td data-label=(lang.of("Báo cáo", "Submission")) {
                            span.source { (figure.source) }
                            @if is_synthetic(&figure.source) { " " span.tag { "SYNTHETIC" } }
                            br;
                            @if figure.submission.is_empty() {
                                span.note { (lang.of("vị trí ", "position ")) (figure.position) }
                            } @else {
                                a.note href={ "/v1/submissions/" (figure.submission) } { (lang.of("vị trí ", "position ")) (figure.position) }
                                " " span.note { (lang.time(&figure.received_at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a source says of itself that its figures are made up.
pub(super) fn is_synthetic(source: &str) -> bool {
    source.starts_with(super::SYNTHETIC_SOURCE)
}

fn scope(scene: &Scene, code: &str) -> &'static str {
    match code {
        "territory" => scene.lang.of("số khai cho cả địa bàn", "declared for the whole territory"),
        _ => scene.lang.of("hoạt động của chính đơn vị", "the unit's own activity"),
    }
}

/// The units directly below.
fn below(scene: &Scene) -> Markup {
    let lang = scene.lang;
    let below = scene.below();
    html! {
        @if !below.is_empty() {
            section.panel {
                h2 { (lang.of("Các đơn vị trực thuộc", "The units below")) " (" (lang.count(below.len() as u64)) ")" }
                ul.columns lang="vi" {
                    @for unit in below {
                        li { a href=(scene.address.unit(&scene.registry.unit(*unit).code).href(Page::Unit)) { (scene.name(*unit)) } }
                    }
                }
            }
        }
    }
}
