//! Who has reported, and who has not.

use std::collections::BTreeMap;

use maud::{Markup, html};
use tonghop_proto::query as pb;
use tonghop_runtime::Failure;

use super::address::{Address, Page};
use super::export;
use super::figure;
use super::layout::Body;
use super::locale::permille;
use super::scene::Scene;

/// Cells of one unit, or of one indicator, over several questions.
#[derive(Debug, Default)]
struct Tally {
    name: String,
    code: String,
    breakdown: String,
    reported: u64,
    covered: u64,
    expected: u64,
    /// Questions, and those of them that nothing is missing from.
    asked: u64,
    complete: u64,
}

impl Tally {
    fn add(&mut self, total: &pb::Total) {
        self.reported += total.reported;
        self.covered += total.covered;
        self.expected += total.expected;
        self.asked += 1;
        self.complete += u64::from(total.covered == total.expected);
    }

    fn missing(&self) -> u64 {
        self.expected.saturating_sub(self.covered)
    }
}

/// The page: over all indicators of the programme, or for the one that is asked for.
pub(super) async fn page(scene: &mut Scene) -> Result<Body, Failure> {
    let lang = scene.lang;
    let indicator = (!scene.address.indicator.is_empty()).then(|| scene.indicator()).transpose()?;
    let request = pb::GetTotalsRequest {
        by: "indicators".into(),
        programme: match indicator {
            Some(_) => String::new(),
            None => scene.address.programme.clone(),
        },
        indicator: scene.address.indicator.clone(),
        ..scene.request()
    };
    let own = scene.totals(request.clone()).await?;
    let of_children = pb::GetTotalsRequest { by: "indicators,children".into(), ..request };
    let below = match scene.below() {
        [] => vec![],
        _ => scene.totals(of_children.clone()).await?,
    };
    let title = match &indicator {
        Some(indicator) => {
            format!(
                "{}: {}",
                lang.of("Tình hình báo cáo", "Reporting"),
                lang.of(&indicator.name_vi, &indicator.name_en)
            )
        }
        None => lang.of("Tình hình báo cáo", "Reporting").to_owned(),
    };
    let counts = |t: &&pb::Total| t.refused.is_empty() && t.expected > 0;
    let mut units: BTreeMap<String, Tally> = BTreeMap::new();
    for total in below.iter().filter(counts) {
        let unit = total.unit.clone().unwrap_or_default();
        let tally = units.entry(unit.code.clone()).or_insert_with(|| Tally {
            name: unit.name,
            code: unit.code,
            ..Tally::default()
        });
        tally.add(total);
    }
    let mut all = Tally::default();
    let mut indicators = Vec::new();
    for total in own.iter().filter(counts) {
        all.add(total);
        let mut tally = Tally {
            name: scene.indicator_name(&total.indicator),
            code: total.indicator.clone(),
            breakdown: total.breakdown.clone(),
            ..Tally::default()
        };
        tally.add(total);
        indicators.push(tally);
    }
    let mut units: Vec<Tally> = units.into_values().collect();
    // The one that most is missing from first.
    units.sort_by_key(|t| (permille(t.covered, t.expected), std::cmp::Reverse(t.missing())));
    indicators.sort_by_key(|t| (permille(t.covered, t.expected), std::cmp::Reverse(t.missing())));
    let main = html! {
        (when(scene, &all))
        @if let Some(indicator) = &indicator {
            p.note {
                code { (indicator.code) } " · "
                a href=(Address { indicator: String::new(), ..scene.address.clone() }.href(Page::Coverage)) { (lang.of("Xem tất cả chỉ tiêu", "All indicators")) }
            }
        }
        @if !units.is_empty() {
            section.panel {
                h2 { (lang.of("Theo đơn vị, thiếu nhiều nhất trước", "By unit, most missing first")) }
                (by_unit(scene, &units, indicator.is_some()))
                (export::links(scene, &export::Of::Totals(of_children)))
            }
        }
        @if indicator.is_none() {
            section.panel {
                h2 { (lang.of("Theo chỉ tiêu, thiếu nhiều nhất trước", "By indicator, most missing first")) }
                (by_indicator(scene, &indicators))
            }
        }
    };
    Ok(Body { title, main })
}

/// What is missing, and whether it is late.
fn when(scene: &Scene, all: &Tally) -> Markup {
    let lang = scene.lang;
    let days = scene.today.since(scene.day).map_or(0, |span| span.get_days());
    html! {
        dl.summary {
            div { dt { (lang.of("Độ phủ", "Coverage")) } dd { (figure::coverage(lang, all.reported, all.covered, all.expected)) } }
            div { dt { (lang.of("Ô còn thiếu", "Missing cells")) } dd { strong { (lang.count(all.missing())) } } }
            div {
                dt { (lang.of("Ngày cuối kỳ", "Last day of the period")) }
                dd {
                    strong { (lang.date(scene.day)) } " "
                    span.note {
                        @if days > 0 {
                            (lang.of(format!("đã qua {days} ngày: thiếu là chậm"), format!("{days} days ago: what is missing is late")))
                        } @else {
                            (lang.of(format!("còn {} ngày: thiếu chưa phải là chậm", -days), format!("in {} days: what is missing is not late yet", -days)))
                        }
                    }
                }
            }
        }
    }
}

/// Whether a unit has reported.
fn state(scene: &Scene, tally: &Tally) -> Markup {
    let lang = scene.lang;
    let is_over = scene.day < scene.today;
    html! {
        @if tally.missing() == 0 {
            span.tag.done { (lang.of("đã đủ", "complete")) }
        } @else if tally.covered == 0 {
            span.tag.late { @if is_over { (lang.of("chậm: chưa có gì", "late: nothing yet")) } @else { (lang.of("chưa có gì", "nothing yet")) } }
        } @else {
            span.tag { @if is_over { (lang.of("chậm một phần", "partly late")) } @else { (lang.of("đang báo cáo", "under way")) } }
        }
    }
}

fn by_unit(scene: &Scene, units: &[Tally], is_of_one: bool) -> Markup {
    let lang = scene.lang;
    html! {
        table.figures {
            caption.unseen { (lang.of("Theo đơn vị", "By unit")) }
            thead { tr {
                th scope="col" { (lang.of("Đơn vị", "Unit")) }
                th scope="col" { (lang.of("Tình trạng", "State")) }
                th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                th.number scope="col" { (lang.of("Ô còn thiếu", "Missing cells")) }
                @if !is_of_one { th.number scope="col" { (lang.of("Chỉ tiêu đã đủ", "Complete indicators")) } }
            } }
            tbody {
                @for tally in units {
                    tr {
                        th scope="row" { a href=(scene.address.unit(&tally.code).href(Page::Coverage)) lang="vi" { (tally.name) } }
                        td data-label=(lang.of("Tình trạng", "State")) { (state(scene, tally)) }
                        td data-label=(lang.of("Độ phủ", "Coverage")) { (figure::coverage(lang, tally.reported, tally.covered, tally.expected)) }
                        td.number data-label=(lang.of("Ô còn thiếu", "Missing cells")) { (lang.count(tally.missing())) }
                        @if !is_of_one {
                            td.number data-label=(lang.of("Chỉ tiêu đã đủ", "Complete indicators")) { (lang.count(tally.complete)) "/" (lang.count(tally.asked)) }
                        }
                    }
                }
            }
        }
    }
}

fn by_indicator(scene: &Scene, indicators: &[Tally]) -> Markup {
    let lang = scene.lang;
    html! {
        table.figures {
            caption.unseen { (lang.of("Theo chỉ tiêu", "By indicator")) }
            thead { tr {
                th scope="col" { (lang.of("Chỉ tiêu", "Indicator")) }
                th scope="col" { (lang.of("Tình trạng", "State")) }
                th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                th.number scope="col" { (lang.of("Ô còn thiếu", "Missing cells")) }
            } }
            tbody {
                @for tally in indicators {
                    tr {
                        th scope="row" {
                            a href=(scene.address.indicator(&tally.code, "").href(Page::Coverage)) { (tally.name) }
                            @if !tally.breakdown.is_empty() { " " span.note { (scene.breakdown_in_words(&tally.breakdown)) } }
                        }
                        td data-label=(lang.of("Tình trạng", "State")) { (state(scene, tally)) }
                        td data-label=(lang.of("Độ phủ", "Coverage")) { (figure::coverage(lang, tally.reported, tally.covered, tally.expected)) }
                        td.number data-label=(lang.of("Ô còn thiếu", "Missing cells")) { (lang.count(tally.missing())) }
                    }
                }
            }
        }
    }
}
