//! Where what was declared and what was computed part, the largest first.

use maud::{Markup, html};
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;

use super::address::Page;
use super::export;
use super::figure;
use super::layout::Body;
use super::locale::{Lang, units};
use super::scene::Scene;

/// Rows on one page at most; the rest is behind the export.
const MOST: usize = 300;

/// The page: the unit itself, and the units directly below.
pub(super) async fn page(scene: &mut Scene) -> Result<Body, Failure> {
    let request = pb::GetTotalsRequest {
        by: "indicators".into(),
        programme: scene.address.programme.clone(),
        ..scene.request()
    };
    let mut all = scene.totals(request.clone()).await?;
    let of_children = pb::GetTotalsRequest { by: "indicators,children".into(), ..request };
    if !scene.below().is_empty() {
        all.extend(scene.totals(of_children.clone()).await?);
    }
    let differs = |t: &pb::Total| t.difference.as_deref().and_then(units).is_some_and(|d| d != 0);
    all.retain(differs);
    all.sort_by_key(|t| std::cmp::Reverse((figure::weight_of_difference(t), size(t))));
    let lang = scene.lang;
    let main = html! {
        p { (lang.of(
            "Nơi số khai cho cả địa bàn khác với tổng cộng từ các phần. Xếp theo độ lệch so với số lớn hơn, lớn nhất trước.",
            "Where what was declared for a whole territory is not the sum of its parts. In order of the difference beside the larger of the two, largest first.",
        )) }
        @if all.is_empty() {
            p.empty { (lang.of("Không có chênh lệch nào cho đơn vị và kỳ này.", "There are no differences for this unit and period.")) }
        } @else {
            (table(scene, &all))
            @if all.len() > MOST { p.note { (lang.of("Chỉ hiện phần đầu của ", "Only the first of ")) (lang.count(all.len() as u64)) } }
            (export::links(scene, &export::Of::Totals(of_children)))
        }
    };
    Ok(Body {
        title: lang.of("Chênh lệch giữa số khai và số cộng", "Declared against computed").to_owned(),
        main,
    })
}

fn size(total: &pb::Total) -> u128 {
    total.difference.as_deref().and_then(units).unwrap_or(0).unsigned_abs()
}

fn table(scene: &Scene, all: &[pb::Total]) -> Markup {
    let lang = scene.lang;
    let amount =
        |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), |text| lang.number(text));
    html! {
        table.figures {
            caption.unseen { (lang.of("Chênh lệch", "Differences")) }
            thead { tr {
                th scope="col" { (lang.of("Đơn vị, chỉ tiêu", "Unit, indicator")) }
                th.number scope="col" { (lang.of("Số khai", "Declared")) }
                th.number scope="col" { (lang.of("Số cộng", "Computed")) }
                th.number scope="col" { (lang.of("Chênh lệch", "Difference")) }
                th scope="col" { (lang.of("Đang dùng", "In use")) }
                th scope="col" { (lang.of("Độ phủ báo cáo", "Reported")) }
            } }
            tbody {
                @for total in all.iter().take(MOST) {
                    @let unit = total.unit.clone().unwrap_or_default();
                    tr {
                        th scope="row" {
                            a href=(scene.address.unit(&unit.code).href(Page::Differences)) lang="vi" { (unit.name) }
                            br;
                            a href=(figure::explanation(scene, total).href(Page::Explain)) { (scene.indicator_name(&total.indicator)) }
                            @if !total.breakdown.is_empty() { " " span.note { (scene.breakdown_in_words(&total.breakdown)) } }
                        }
                        td.number data-label=(lang.of("Số khai", "Declared")) { (amount(&total.whole)) }
                        td.number data-label=(lang.of("Số cộng", "Computed")) { (amount(&total.parts)) }
                        td.number data-label=(lang.of("Chênh lệch", "Difference")) { strong { (amount(&total.difference)) } " " span.note { (tenths(lang, figure::weight_of_difference(total))) } }
                        td data-label=(lang.of("Đang dùng", "In use")) { (figure::value(scene, total)) br; span.note { (figure::basis(lang, &total.basis)) } }
                        td data-label=(lang.of("Độ phủ báo cáo", "Reported")) { (figure::coverage(lang, total.reported, total.reported, total.expected)) }
                    }
                }
            }
        }
    }
}

fn tenths(lang: Lang, permille: u64) -> String {
    lang.percent(permille, 1000)
}
