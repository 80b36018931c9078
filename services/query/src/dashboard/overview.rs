//! Every indicator of a programme for one unit and period, on one page.

use std::collections::HashMap;

use maud::{Markup, html};
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;

use super::address::{Address, Page};
use super::chart;
use super::export;
use super::figure;
use super::layout::{self, Body};
use super::periods;
use super::scene::Scene;

/// One question through time: its total now, and the values that lead to it.
pub(super) struct Row {
    /// At the period of the page.
    pub(super) now: pb::Total,
    /// The periods up to it.
    pub(super) leading: Vec<pb::Total>,
}

/// The page.
pub(super) async fn page(scene: &mut Scene) -> Result<Body, Failure> {
    let request = request(scene);
    let totals = scene.totals(request.clone()).await?;
    let rows = rows(scene, totals);
    let lang = scene.lang;
    let programme = scene.registry.programme(&scene.address.programme);
    let title = match programme {
        Some(programme) => lang.of(programme.title_vi.clone(), programme.title_en.clone()),
        None => lang.of("Chỉ tiêu cốt lõi", "Core indicators").to_owned(),
    };
    let main = html! {
        (summary(scene, &rows))
        (table(scene, &rows))
        (export::links(scene, &export::Of::Totals(request)))
    };
    Ok(Body { title, main })
}

/// All indicators, with the periods that lead to this one: one question.
pub(super) fn request(scene: &Scene) -> pb::GetTotalsRequest {
    let leading = periods::leading_to(scene.period).len();
    let mut compare = Vec::new();
    if periods::shifted(scene.period, -1).is_some() {
        compare.push("previous");
    }
    if periods::a_year_before(scene.period).is_some() {
        compare.push("last_year");
    }
    let is_series = leading > 1;
    pb::GetTotalsRequest {
        by: if is_series { "indicators,periods" } else { "indicators" }.to_owned(),
        last: if is_series { u32::try_from(leading).unwrap_or(1) } else { 0 },
        compare: compare.join(","),
        programme: scene.address.programme.clone(),
        ..scene.request()
    }
}

/// Totals by indicator and breakdown, in the order they were asked in. Of a territory that was several units, only
/// those of the unit that it is at the last of the periods lead to it.
pub(super) fn rows(scene: &Scene, totals: Vec<pb::Total>) -> Vec<Row> {
    let period = scene.period.to_string();
    let mut rows: Vec<Vec<pb::Total>> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for total in totals {
        let key = (total.indicator.clone(), total.breakdown.clone());
        let place = *places.entry(key).or_insert_with(|| {
            rows.push(Vec::new());
            rows.len() - 1
        });
        rows[place].push(total);
    }
    let row = |mut leading: Vec<pb::Total>| {
        let at = leading.iter().rposition(|t| t.period == period)?;
        let now = leading.remove(at);
        let unit = |t: &pb::Total| t.unit.as_ref().map(|u| u.code.clone());
        leading.retain(|t| unit(t) == unit(&now) && !t.territory_break);
        Some(Row { now, leading })
    };
    rows.into_iter().filter_map(row).collect()
}

/// How much is there over all indicators.
fn summary(scene: &Scene, rows: &[Row]) -> Markup {
    let lang = scene.lang;
    let there = rows.iter().filter(|r| r.now.value.is_some()).count();
    let whole = rows.iter().filter(|r| figure::is_whole(&r.now)).count();
    let sum = |of: fn(&pb::Total) -> u64| rows.iter().map(|r| of(&r.now)).sum::<u64>();
    let (reported, covered, expected) = (sum(|t| t.reported), sum(|t| t.covered), sum(|t| t.expected));
    let differing = rows
        .iter()
        .filter(|r| {
            r.now.difference.as_deref().is_some_and(|d| d.bytes().any(|b| (b'1'..=b'9').contains(&b)))
        })
        .count();
    let count = |n: usize| lang.count(n as u64);
    html! {
        dl.summary {
            div {
                dt { (lang.of("Chỉ tiêu có số liệu", "Indicators with figures")) }
                dd { strong { (count(there)) } " / " (count(rows.len())) }
            }
            div {
                dt { (lang.of("Đã đủ", "Complete")) }
                dd { strong { (count(whole)) } " / " (count(rows.len())) }
            }
            div {
                dt { a href=(scene.address.href(Page::Coverage)) { (lang.of("Độ phủ báo cáo", "Coverage")) } }
                dd { (figure::coverage(lang, reported, covered, expected)) }
            }
            div {
                dt { a href=(scene.address.href(Page::Differences)) { (lang.of("Số khai khác số cộng", "Declared differs from computed")) } }
                dd { strong { (count(differing)) } " " (lang.of("chỉ tiêu", "indicators")) }
            }
        }
    }
}

/// The indicators that have something, then those that have nothing.
pub(super) fn table(scene: &Scene, rows: &[Row]) -> Markup {
    let lang = scene.lang;
    let is_there = |row: &&Row| row.now.value.is_some() || row.now.covered > 0 || !row.now.given.is_empty();
    let (there, absent): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(is_there);
    html! {
        @if there.is_empty() {
            p.empty { (lang.of("Chưa có số liệu nào cho đơn vị và kỳ này.", "There are no figures yet for this unit and period.")) }
        } @else {
            (rows_table(scene, &there))
        }
        @if !absent.is_empty() {
            details.absent-rows open[there.is_empty()] {
                summary { (lang.of("Chưa có số liệu: ", "No figures: ")) (lang.count(absent.len() as u64)) " " (lang.of("chỉ tiêu", "indicators")) }
                ul.columns {
                    @for row in &absent {
                        li {
                            a href=(of_indicator(scene, &row.now).href(Page::Indicator)) { (scene.indicator_name(&row.now.indicator)) }
                            @if !row.now.breakdown.is_empty() { " " span.note { (scene.breakdown_in_words(&row.now.breakdown)) } }
                            " " span.note { (figure::reason(lang, &row.now.reason)) }
                        }
                    }
                }
            }
        }
    }
}

fn rows_table(scene: &Scene, rows: &[&Row]) -> Markup {
    let lang = scene.lang;
    let has = |with: &str| rows.iter().any(|r| r.now.compared.iter().any(|c| c.with == with));
    let (has_previous, has_last_year) = (has("previous"), has("last_year"));
    let has_lead = rows.iter().any(|r| !r.leading.is_empty());
    let previous = lang.of("So kỳ trước", "To the period before");
    let last_year = lang.of("So cùng kỳ năm trước", "To last year");
    html! {
        table.figures.overview {
            caption.unseen { (layout::name(lang, scene.page)) ", " (scene.name(scene.unit)) ", " (lang.period(scene.period)) }
            thead {
                tr {
                    th scope="col" { (lang.of("Chỉ tiêu", "Indicator")) }
                    th.number scope="col" { (lang.of("Giá trị", "Value")) }
                    th scope="col" { (lang.of("Đơn vị tính", "Measured in")) }
                    th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                    @if has_previous { th.number scope="col" { (previous) } }
                    @if has_last_year { th.number scope="col" { (last_year) } }
                    @if has_lead { th.series scope="col" { (lang.of("Các kỳ gần đây", "Recent periods")) } }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" {
                            a href=(of_indicator(scene, &row.now).href(Page::Indicator)) { (scene.indicator_name(&row.now.indicator)) }
                            @if !row.now.breakdown.is_empty() { " " span.note { (scene.breakdown_in_words(&row.now.breakdown)) } }
                        }
                        td.number data-label=(lang.of("Giá trị", "Value")) { (figure::value(scene, &row.now)) }
                        td.measure { (figure::measure(lang, &row.now)) }
                        td data-label=(lang.of("Độ phủ", "Coverage")) {
                            (figure::coverage_of(lang, &row.now))
                            @if row.now.basis == "declared" { " " span.note { (figure::basis(lang, "declared")) } }
                        }
                        @if has_previous { td.number data-label=(previous) { (figure::change(lang, &row.now, "previous")) } }
                        @if has_last_year { td.number data-label=(last_year) { (figure::change(lang, &row.now, "last_year")) } }
                        @if has_lead { td.series { (chart::sparkline(&spark(row))) } }
                    }
                }
            }
        }
    }
}

fn spark(row: &Row) -> Vec<Option<(i128, bool)>> {
    let all = row.leading.iter().chain([&row.now]);
    all.map(|t| figure::value_units(t).map(|value| (value, figure::is_whole(t)))).collect()
}

/// The page of a total's indicator.
fn of_indicator(scene: &Scene, total: &pb::Total) -> Address {
    scene.address.indicator(&total.indicator, &total.breakdown)
}
