//! Where a number comes from: what was used, what was set aside and why, down to the figures and their submissions.

use maud::{Markup, html};
use tonghop_core::indicator::{Indicator, Precedence};
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;

use super::address::Page;
use super::export;
use super::figure;
use super::indicator::{period, shown};
use super::layout::Body;
use super::scene::Scene;
use super::unit;

/// The page.
pub(super) async fn page(scene: &mut Scene) -> Result<Body, Failure> {
    let indicator = scene.indicator()?;
    let request = pb::ExplainRequest {
        indicator: scene.address.indicator.clone(),
        unit: scene.address.unit.clone(),
        period: scene.address.period.clone(),
        breakdown: scene.address.breakdown.clone(),
        map: scene.address.map.clone(),
        at_least: scene.address.at_least,
        review: scene.address.review.clone(),
        ..pb::ExplainRequest::default()
    };
    let answer = scene.query().explain(&scene.caller, &request).await?;
    scene.include(answer.as_of.clone());
    let lang = scene.lang;
    let total = answer.total.clone().unwrap_or_default();
    // Parts may have been chosen among, and none of them used.
    let is_of_parts = matches!(total.basis.as_str(), "computed" | "partial");
    let main = html! {
        p.described {
            a href=(scene.address.href(Page::Indicator)) { (scene.indicator_name(&indicator.code)) }
            @if !scene.address.breakdown.is_empty() { " · " (scene.breakdown_in_words(&scene.address.breakdown)) }
        }
        (shown(scene, &total))
        section.panel {
            h2 { (lang.of("Con số này từ đâu", "Where this number comes from")) }
            p.because { (because(scene, &total, &answer)) }
            @for aside in set_aside(scene, &indicator, &total) { p.aside { (aside) } }
        }
        @if !answer.origins.is_empty() { (origins(scene, &answer.origins)) }
        @if !answer.children.is_empty() {
            (parts(scene, lang.of("Các đơn vị bên dưới, cùng kỳ", "The units below, over the same period"), &answer.children, Named::Unit, is_of_parts && answer.along == "units"))
        }
        @if !answer.tiles.is_empty() {
            (parts(scene, lang.of("Chính đơn vị, các kỳ bên trong", "The unit itself, over the periods within"), &answer.tiles, Named::Period, is_of_parts && answer.along == "time"))
        }
        section.panel {
            h2 { (lang.of("Số liệu của chính đơn vị", "Figures of the unit itself")) }
            @if answer.figures.is_empty() {
                p.empty { (lang.of("Đơn vị không báo cáo số nào cho đúng kỳ này.", "The unit reported no figure for exactly this period.")) }
            } @else {
                (unit::revisions(scene, &answer.figures, false))
                @if scene.map.is_none() { (export::links(scene, &export::Of::Figures(figures(scene), String::new()))) }
            }
        }
        p.export {
            a href=(as_json(scene)) { (lang.of("Giải trình này ở dạng JSON", "This explanation as JSON")) }
        }
    };
    Ok(Body { title: lang.of("Giải trình số liệu", "Explanation").to_owned(), main })
}

/// The figures of the page as a question of their own.
fn figures(scene: &Scene) -> pb::ListFiguresRequest {
    let address = &scene.address;
    pb::ListFiguresRequest {
        indicator: address.indicator.clone(),
        unit: address.unit.clone(),
        period: address.period.clone(),
        breakdown: address.breakdown.clone(),
        review: address.review.clone(),
        ..pb::ListFiguresRequest::default()
    }
}

fn as_json(scene: &Scene) -> String {
    let address = &scene.address;
    let all = [
        ("indicator", &address.indicator),
        ("unit", &address.unit),
        ("period", &address.period),
        ("breakdown", &address.breakdown),
        ("map", &address.map),
        ("review", &address.review),
    ];
    let used: Vec<_> = all.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (*n, v.as_str())).collect();
    super::address::written("/v1/totals/explain", &used)
}

/// What the headline is, in one sentence.
fn because(scene: &Scene, total: &pb::Total, answer: &pb::ExplainResponse) -> String {
    let lang = scene.lang;
    let cells = format!("{}/{}", lang.count(total.covered), lang.count(total.expected));
    let along = match answer.along.as_str() {
        "time" => lang.of("các kỳ bên trong", "the periods within"),
        _ => lang.of("các đơn vị bên dưới", "the units below"),
    };
    if !answer.origins.is_empty() && total.value.is_some() {
        let units = answer.origins.len();
        return lang.of(
            format!("Được quy về bản đồ sau từ {units} đơn vị khi báo cáo, mỗi đơn vị tính phần ghi dưới đây; phủ {cells} ô."),
            format!("Restated to the later map from {units} units that reported, of each the share below; {cells} cells are covered."),
        );
    }
    match total.basis.as_str() {
        "reported" => lang.of(
            "Đơn vị tự báo cáo số này cho cả kỳ.".to_owned(),
            "The unit reported this itself for the whole period.".to_owned(),
        ),
        "declared" => lang.of(
            format!("Đơn vị khai số này cho cả địa bàn, kể cả các đơn vị bên dưới; chỉ {}/{} ô có báo cáo riêng.", lang.count(total.reported), lang.count(total.expected)),
            format!("The unit declared this for its whole territory, those below included; only {}/{} cells have reports of their own.", lang.count(total.reported), lang.count(total.expected)),
        ),
        "computed" => lang.of(
            format!("Được cộng từ {along}, phủ đủ {cells} ô."),
            format!("The sum over {along}, which cover all {cells} cells."),
        ),
        "partial" => lang.of(
            format!("Mới cộng được từ {along}, phủ {cells} ô. Phần còn thiếu không được ước lượng: con số này chưa phải tổng của cả địa bàn."),
            format!("The sum over {along} so far, which cover {cells} cells. What is missing is not estimated: this is not the total of the whole territory."),
        ),
        _ => lang.of(
            format!("Không có giá trị: {}.", figure::reason(lang, &total.reason)),
            format!("There is no value: {}.", figure::reason(lang, &total.reason)),
        ),
    }
}

/// What was set aside, and why.
fn set_aside(scene: &Scene, indicator: &Indicator, total: &pb::Total) -> Vec<String> {
    let lang = scene.lang;
    let (Some(whole), Some(parts)) = (&total.whole, &total.parts) else { return vec![] };
    // Of a restated total each unit that reported says for itself.
    if total.map != "reported" {
        return vec![];
    }
    let (whole, parts) = (lang.number(whole), lang.number(parts));
    let said = match (total.basis.as_str(), indicator.precedence) {
        ("declared" | "reported", Precedence::DeclaredFirst) => lang.of(
            format!("Để riêng: tổng các phần {parts}, vì chỉ tiêu này lấy số khai trước."),
            format!("Set aside: the sum of the parts, {parts}, since a declared figure goes first for this indicator."),
        ),
        ("declared" | "reported", _) => lang.of(
            format!("Để riêng: tổng các phần {parts}, vì các phần chưa phủ đủ."),
            format!("Set aside: the sum of the parts, {parts}, since they do not cover all."),
        ),
        ("computed" | "partial", Precedence::ComputedOnly) => lang.of(
            format!("Để riêng: số khai {whole}, vì chỉ tiêu này luôn được cộng từ các phần."),
            format!("Set aside: the declared {whole}, since this indicator is only ever computed from its parts."),
        ),
        ("computed", _) => lang.of(
            format!("Để riêng: số khai {whole}, vì các phần đã phủ đủ."),
            format!("Set aside: the declared {whole}, since the parts cover all."),
        ),
        _ => return vec![],
    };
    vec![said]
}

/// What names a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Unit,
    Period,
}

/// Parts of a total: each with its own way further down.
fn parts(scene: &Scene, title: &str, totals: &[pb::Total], named: Named, is_used: bool) -> Markup {
    let lang = scene.lang;
    let (there, absent): (Vec<&pb::Total>, Vec<&pb::Total>) =
        totals.iter().partition(|t| t.value.is_some() || t.covered > 0);
    let name = |total: &pb::Total| {
        html! {
            @match named {
                Named::Unit => { a href=(figure::explanation(scene, total).href(Page::Explain)) lang="vi" { (total.unit.as_ref().map_or("", |u| &u.name)) } }
                Named::Period => { a href=(figure::explanation(scene, total).href(Page::Explain)) { (period(scene, &total.period)) } }
            }
        }
    };
    html! {
        section.panel {
            h2 { (title) " " span.tag.done[is_used].unused[!is_used] { @if is_used { (lang.of("đã dùng", "used")) } @else { (lang.of("không dùng", "not used")) } } }
            @if !there.is_empty() {
                table.figures {
                    caption.unseen { (title) }
                    thead { tr {
                        th scope="col" { @if named == Named::Unit { (lang.of("Đơn vị", "Unit")) } @else { (lang.of("Kỳ", "Period")) } }
                        th.number scope="col" { (lang.of("Giá trị", "Value")) }
                        th scope="col" { (lang.of("Dựa trên", "Rests on")) }
                        th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                    } }
                    tbody {
                        @for total in &there {
                            tr {
                                th scope="row" { (name(total)) }
                                td.number data-label=(lang.of("Giá trị", "Value")) { (figure::value(scene, total)) }
                                td data-label=(lang.of("Dựa trên", "Rests on")) { (figure::basis(lang, &total.basis)) }
                                td data-label=(lang.of("Độ phủ", "Coverage")) { (figure::coverage_of(lang, total)) }
                            }
                        }
                    }
                }
            }
            @if !absent.is_empty() {
                details.absent-rows {
                    summary { (lang.of("Không có gì: ", "Nothing there: ")) (lang.count(absent.len() as u64)) }
                    ul.columns { @for total in &absent { li { (name(total)) } } }
                }
            }
        }
    }
}

/// Units of the period's own map that a restated total is put together from.
fn origins(scene: &Scene, origins: &[pb::Origin]) -> Markup {
    let lang = scene.lang;
    html! {
        section.panel {
            h2 { (lang.of("Quy về từ các đơn vị khi báo cáo", "Restated from the units that reported")) }
            table.figures {
                caption.unseen { (lang.of("Đơn vị khi báo cáo", "Units that reported")) }
                thead { tr {
                    th scope="col" { (lang.of("Đơn vị khi báo cáo", "Unit that reported")) }
                    th.number scope="col" { (lang.of("Giá trị", "Value")) }
                    th.number scope="col" { (lang.of("Phần được tính", "Share")) }
                    th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                } }
                tbody {
                    @for origin in origins {
                        @if let Some(total) = &origin.total {
                            tr {
                                th scope="row" { a href=(figure::explanation(scene, total).href(Page::Explain)) lang="vi" { (total.unit.as_ref().map_or("", |u| &u.name)) } }
                                td.number data-label=(lang.of("Giá trị", "Value")) { (figure::value(scene, total)) }
                                td.number data-label=(lang.of("Phần được tính", "Share")) { (lang.number(&origin.share)) }
                                td data-label=(lang.of("Độ phủ", "Coverage")) { (figure::coverage_of(lang, total)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
