//! One indicator of a unit: its headline, its series, where it comes from on the map, its breakdowns.

use std::collections::BTreeMap;

use maud::{Markup, html};
use tonghop_core::dimension::{DimensionKind, REPORTER};
use tonghop_core::indicator::{Indicator, ReporterOverlap};
use tonghop_core::period::{Frequency, Period};
use tonghop_core::unit::NATION;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind};

use super::address::{Address, Page};
use super::assets;
use super::chart::{self, Column, Piece};
use super::dots::{self, Dot, Measure};
use super::export;
use super::figure;
use super::layout::Body;
use super::locale::decimals;
use super::periods;
use super::places::Places;
use super::scene::Scene;

/// The page.
pub(super) async fn page(scene: &mut Scene, places: &Places) -> Result<Body, Failure> {
    let indicator = scene.indicator()?;
    let lang = scene.lang;
    let one = one(scene);
    let compare = match periods::a_year_before(scene.period) {
        Some(_) => "previous,last_year",
        None if periods::shifted(scene.period, -1).is_some() => "previous",
        None => "",
    };
    let share = if scene.unit == scene.registry.nation() { "" } else { "nation" };
    let asked = pb::GetTotalsRequest {
        compare: compare.to_owned(),
        share: share.to_owned(),
        rank: true,
        ..one.clone()
    };
    let headline = match scene.totals(asked).await {
        Ok(totals) => totals.into_iter().next(),
        // Sides that overlap have no common total: the page shows them side by side.
        Err(failure) if failure.kind() == FailureKind::Unprocessable && is_by_side(&indicator) => None,
        Err(failure) => return Err(failure),
    };
    let around = periods::around(scene.period, indicator.frequency);
    let nearby = series(scene, around).await?;
    let over_years = match around {
        Period::Span(..) => None,
        _ => Some((periods::ten_years(scene.period), series(scene, periods::ten_years(scene.period)).await?)),
    };
    let below = below(scene, &indicator).await?;
    let split = split(scene, &indicator).await?;
    let main = html! {
        (described(scene, &indicator))
        @match &headline {
            Some(total) => { (shown(scene, total)) }
            None => { p.note { (lang.of(
                "Các bên cùng đếm một việc nên không có tổng chung; xem từng bên bên dưới.",
                "The sides count the same things, so there is no common total; see each side below.",
            )) } }
        }
        div.panels {
            (series_panel(scene, around, &nearby))
            @if let Some((period, totals)) = &over_years { (series_panel(scene, *period, totals)) }
        }
        @if let Some((request, totals)) = &below { (below_panel(scene, request, totals, places)) }
        (split_panel(scene, &indicator, split.as_ref()))
    };
    Ok(Body { title: scene.indicator_name(&indicator.code), main })
}

fn is_by_side(indicator: &Indicator) -> bool {
    indicator.overlap == ReporterOverlap::Overlapping
}

/// The question of the page.
fn one(scene: &Scene) -> pb::GetTotalsRequest {
    pb::GetTotalsRequest {
        indicator: scene.address.indicator.clone(),
        breakdown: scene.address.breakdown.clone(),
        ..scene.request()
    }
}

/// Totals of the parts of a longer period; none where the question is refused as a whole.
async fn series(scene: &mut Scene, period: Period) -> Result<Vec<pb::Total>, Failure> {
    let request = pb::GetTotalsRequest { by: "periods".into(), period: period.to_string(), ..one(scene) };
    refused_is_nothing(scene.totals(request).await)
}

fn refused_is_nothing(answer: Result<Vec<pb::Total>, Failure>) -> Result<Vec<pb::Total>, Failure> {
    match answer {
        // Such as where the unit was not yet in force at the end of the longer period.
        Err(failure) if failure.kind() == FailureKind::Unprocessable => Ok(vec![]),
        other => other,
    }
}

/// Totals of the units directly below, with the question; none where there are no such units.
async fn below(
    scene: &mut Scene,
    indicator: &Indicator,
) -> Result<Option<(pb::GetTotalsRequest, Vec<pb::Total>)>, Failure> {
    let collected = |level| level <= indicator.collection_level;
    if !scene.below().iter().any(|u| collected(scene.registry.unit(*u).level)) {
        return Ok(None);
    }
    let request = pb::GetTotalsRequest { by: "children".into(), rank: true, ..one(scene) };
    let totals = refused_is_nothing(scene.totals(request.clone()).await)?;
    Ok((!totals.is_empty()).then_some((request, totals)))
}

/// Totals by the members of a dimension: the one asked for, else the first there is.
async fn split(
    scene: &mut Scene,
    indicator: &Indicator,
) -> Result<Option<(String, pb::GetTotalsRequest, Vec<pb::Total>)>, Failure> {
    let asked = &scene.address.dimension;
    // Where the sides have no common total they are what is to be seen first; else they tell the least.
    let sides_first = is_by_side(indicator) || indicator.dimensions.len() == 1;
    let known = |d: &&String| *d == asked || (asked.is_empty() && (*d == REPORTER) == sides_first);
    let Some(dimension) = indicator.dimensions.iter().find(known).cloned() else { return Ok(None) };
    let mut request =
        pb::GetTotalsRequest { by: "breakdown".into(), by_dimension: dimension.clone(), ..one(scene) };
    // Split by what it is fixed to, it would be fixed no longer.
    let others = request.breakdown.split('|').filter(|part| !part.starts_with(&format!("{dimension}=")));
    request.breakdown = others.collect::<Vec<_>>().join("|");
    let totals = refused_is_nothing(scene.totals(request.clone()).await)?;
    Ok(Some((dimension, request, totals)))
}

/// What is counted, and by which rules.
fn described(scene: &Scene, indicator: &Indicator) -> Markup {
    let lang = scene.lang;
    let often = match indicator.frequency {
        Frequency::Event => lang.of("khi phát sinh", "as it happens"),
        Frequency::Month => lang.of("hằng tháng", "monthly"),
        Frequency::Quarter => lang.of("hằng quý", "quarterly"),
        Frequency::Half => lang.of("6 tháng", "half-yearly"),
        Frequency::Year => lang.of("hằng năm", "yearly"),
    };
    let kind = if indicator.is_stock() {
        lang.of("số hiện có", "stock")
    } else {
        lang.of("phát sinh trong kỳ", "flow")
    };
    html! {
        p.described {
            code { (indicator.code) } " · " (kind) " · " (lang.of("thu thập ", "collected ")) (often) " · "
            (scene.level(scene.registry.level_code(indicator.collection_level)))
            @if !scene.address.breakdown.is_empty() {
                " · " strong { (scene.breakdown_in_words(&scene.address.breakdown)) } " ("
                a href=(scene.address.indicator(&indicator.code, "").href(Page::Indicator)) { (lang.of("bỏ lọc", "show all")) } ")"
            }
        }
    }
}

/// The headline with all that is known of it.
pub(super) fn shown(scene: &Scene, total: &pb::Total) -> Markup {
    let lang = scene.lang;
    let rank = total.rank.as_ref().filter(|r| r.place.is_some() && r.peers > 1);
    html! {
        section.headline aria-label=(lang.of("Giá trị", "Value")) {
            p.big { (figure::value(scene, total)) " " span.measure { (figure::measure(lang, total)) } }
            dl.facts {
                div { dt { (lang.of("Độ phủ", "Coverage")) } dd { (figure::coverage_of(lang, total)) } }
                @if !total.basis.is_empty() {
                    div { dt { (lang.of("Dựa trên", "Rests on")) } dd { (figure::basis(lang, &total.basis)) } }
                }
                @if total.qualifier != "exact" && let Some(exact) = &total.exact_part {
                    div { dt { (lang.of("Phần chính xác", "Exact part")) } dd { (lang.number(exact)) } }
                }
                @if let Some(whole) = total.whole.as_ref().filter(|_| total.parts.is_some()) {
                    div { dt { (lang.of("Số khai", "Declared")) } dd { (lang.number(whole)) } }
                }
                @if let (Some(parts), Some(_)) = (&total.parts, &total.whole) {
                    div { dt { (lang.of("Số cộng", "Sum of parts")) } dd { (lang.number(parts)) } }
                }
                @if let Some(difference) = &total.difference {
                    div { dt { (lang.of("Chênh lệch", "Difference")) } dd { (lang.number(difference)) } }
                }
                @for (with, name) in [
                    ("previous", lang.of("So kỳ trước", "To the period before")),
                    ("last_year", lang.of("So cùng kỳ năm trước", "To last year")),
                ] {
                    @if total.compared.iter().any(|c| c.with == with) {
                        div { dt { (name) } dd { (figure::change(lang, total, with)) } }
                    }
                }
                @if let Some(percent) = total.share.as_ref().and_then(|s| s.percent.as_ref()) {
                    div { dt { (lang.of("Tỷ trọng cả nước", "Share of the nation")) } dd { (lang.number(percent)) "%" } }
                }
                @if let Some(rank) = rank {
                    div {
                        dt { (lang.of("Thứ hạng", "Rank")) }
                        dd { (rank.place.unwrap_or(0)) "/" (rank.of) @if rank.of < rank.peers { " (" (lang.of("cùng cấp: ", "peers: ")) (rank.peers) ")" } }
                    }
                }
                @if let (Some(numerator), Some(denominator)) = (&total.numerator, &total.denominator) {
                    div { dt { (lang.of("Tử số / mẫu số", "Numerator / denominator")) } dd { (lang.number(numerator)) " / " (lang.number(denominator)) } }
                }
                @if !total.oldest.is_empty() {
                    div { dt { (lang.of("Số liệu tại ngày", "As of")) } dd { (days(scene, &total.oldest, &total.newest)) } }
                }
            }
            @if !total.given.is_empty() { (given(scene, total)) }
        }
    }
}

fn days(scene: &Scene, oldest: &str, newest: &str) -> String {
    let shown = |text: &str| text.parse().map_or_else(|_| text.to_owned(), |day| scene.lang.date(day));
    if oldest == newest { shown(oldest) } else { format!("{} – {}", shown(oldest), shown(newest)) }
}

/// Figures that were given and do not add up.
fn given(scene: &Scene, total: &pb::Total) -> Markup {
    let lang = scene.lang;
    html! {
        table.figures {
            caption { (lang.of("Số đã báo cáo, không cộng được", "What was given, and does not add up")) }
            thead { tr {
                th scope="col" { (lang.of("Đơn vị", "Unit")) }
                th scope="col" { (lang.of("Kỳ", "Period")) }
                th.number scope="col" { (lang.of("Giá trị", "Value")) }
            } }
            tbody {
                @for figure in &total.given {
                    tr {
                        th scope="row" lang="vi" { (figure.unit.as_ref().map_or("", |u| &u.name)) }
                        td data-label=(lang.of("Kỳ", "Period")) { (period(scene, &figure.period)) }
                        td.number data-label=(lang.of("Giá trị", "Value")) { (figure::quantity(lang, &figure.value, &figure.qualifier)) }
                    }
                }
            }
        }
    }
}

/// A period of the wire in words.
pub(super) fn period(scene: &Scene, text: &str) -> String {
    Period::parse(text).map_or_else(|_| text.to_owned(), |period| scene.lang.period(period))
}

/// A series as columns, with the table that says the same.
fn series_panel(scene: &Scene, period: Period, totals: &[pb::Total]) -> Markup {
    let lang = scene.lang;
    let mut by_period: BTreeMap<Period, Vec<&pb::Total>> = BTreeMap::new();
    for total in totals {
        if let Ok(period) = Period::parse(&total.period) {
            by_period.entry(period).or_default().push(total);
        }
    }
    if by_period.len() < 2 {
        return html! {};
    }
    let title = match period {
        Period::Span(from, to) => lang.of(format!("Các năm {from}–{to}"), format!("The years {from}–{to}")),
        other => lang.period(other),
    };
    let piece = |total: &&pb::Total| {
        let value = figure::value_units(total)?;
        let said = format!("{}, {}", self::period(scene, &total.period), figure::said(scene, total));
        Some(Piece { value, is_whole: figure::is_whole(total), said })
    };
    let columns: Vec<Column> = by_period
        .iter()
        .map(|(period, totals)| Column {
            label: lang.short_period(*period),
            pieces: totals.iter().filter_map(piece).collect(),
            is_break: totals.iter().any(|t| t.territory_break),
            is_asked: *period == scene.period,
        })
        .collect();
    let places = totals.iter().filter_map(|t| t.value.as_deref()).map(decimals).max().unwrap_or(0);
    let is_broken = columns.iter().any(|c| c.is_break);
    let name = format!("{}: {title}", scene.indicator_name(&scene.address.indicator));
    html! {
        section.panel {
            h2 { (title) }
            (chart::columns(lang, &name, &columns, places))
            @if is_broken {
                p.note {
                    (lang.of(
                        "Đường đứt: địa giới thay đổi; hai bên không cùng một lãnh thổ. ",
                        "Dashed line: the territory changed; both sides are not of the same one. ",
                    ))
                    @if scene.map.is_none() && let Some(day) = scene.registry.map_on(scene.map_day()).from {
                        a href=(scene.on_map(Some(day)).href(Page::Indicator)) { (lang.of("Quy về bản đồ nay", "Restate to the later map")) }
                    }
                }
            }
            details.beside {
                summary { (lang.of("Bảng số liệu", "The same as a table")) }
                table.figures {
                    thead { tr {
                        th scope="col" { (lang.of("Kỳ", "Period")) }
                        th.number scope="col" { (lang.of("Giá trị", "Value")) }
                        th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                    } }
                    tbody {
                        @for (period, totals) in &by_period {
                            @for total in totals {
                                tr {
                                    th scope="row" {
                                        a href=(scene.at_period(*period).href(Page::Indicator)) { (lang.period(*period)) }
                                        @if totals.len() > 1 { " " span.note lang="vi" { (total.unit.as_ref().map_or("", |u| &u.name)) } }
                                        @if total.territory_break { " " span.tag { (lang.of("đổi địa giới", "territory changed")) } }
                                    }
                                    td.number data-label=(lang.of("Giá trị", "Value")) { (figure::value(scene, total)) }
                                    td data-label=(lang.of("Độ phủ", "Coverage")) { (figure::coverage_of(lang, total)) }
                                }
                            }
                        }
                    }
                }
                (export::links(scene, &export::Of::Totals(pb::GetTotalsRequest { by: "periods".into(), period: period.to_string(), ..one(scene) })))
            }
        }
    }
}

/// The units below: where they lie, and in order of their values.
fn below_panel(
    scene: &Scene,
    request: &pb::GetTotalsRequest,
    totals: &[pb::Total],
    places: &Places,
) -> Markup {
    let lang = scene.lang;
    let mut ranked: Vec<&pb::Total> = totals.iter().collect();
    ranked.sort_by_key(|t| (figure::value_units(t).is_none(), std::cmp::Reverse(figure::value_units(t))));
    let most = ranked.iter().filter_map(|t| figure::value_units(t)).max().unwrap_or(0);
    let measure = if scene.address.show == "coverage" { Measure::Coverage } else { Measure::Value };
    let by_code: BTreeMap<&str, _> =
        scene.below().iter().map(|id| (scene.registry.unit(*id).code.as_str(), *id)).collect();
    let dot = |total: &&pb::Total| {
        let unit = total.unit.as_ref()?;
        Some(Dot {
            place: places.at(*by_code.get(unit.code.as_str())?)?,
            name: unit.name.clone(),
            value: figure::value_units(total),
            covered: (total.covered, total.expected),
            said: figure::said(scene, total),
            href: scene.address.unit(&unit.code).href(Page::Indicator),
        })
    };
    let placed: Vec<Dot> = ranked.iter().filter_map(dot).collect();
    let unplaced = ranked.len() - placed.len();
    let is_country = scene.registry.unit(scene.unit).level == NATION;
    let title = lang.of("Các đơn vị trực thuộc", "The units below");
    let base = assets::country().href();
    html! {
        section.panel.below {
            h2 { (title) }
            div.map-and-table {
                @if !placed.is_empty() {
                    figure {
                        (measures(scene, measure))
                        (dots::draw(&format!("{title}: {}", scene.name(scene.unit)), &placed, measure, is_country.then_some(base.as_str())))
                        figcaption { (map_legend(scene, measure, unplaced)) }
                    }
                }
                div.ranking {
                    table.figures.ranked {
                        caption.unseen { (title) }
                        thead { tr {
                            th.number scope="col" { (lang.of("Hạng", "Rank")) }
                            th scope="col" { (lang.of("Đơn vị", "Unit")) }
                            th.number scope="col" { (lang.of("Giá trị", "Value")) }
                            th.bars scope="col" { span.unseen { (lang.of("So với lớn nhất", "Beside the largest")) } }
                            th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                        } }
                        tbody {
                            @for total in &ranked {
                                tr { (ranked_row(scene, total, most)) }
                            }
                        }
                    }
                    (export::links(scene, &export::Of::Totals(request.clone())))
                }
            }
        }
    }
}

fn ranked_row(scene: &Scene, total: &pb::Total, most: i128) -> Markup {
    let lang = scene.lang;
    let unit = total.unit.clone().unwrap_or_default();
    let place = total.rank.as_ref().and_then(|r| r.place);
    html! {
        td.number data-label=(lang.of("Hạng", "Rank")) {
            @match place {
                Some(place) => { (place) }
                None => { span.absent { "–" } }
            }
        }
        th scope="row" { a href=(scene.address.unit(&unit.code).href(Page::Indicator)) lang="vi" { (unit.name) } }
        td.number data-label=(lang.of("Giá trị", "Value")) { (figure::value(scene, total)) }
        td.bars { @if let Some(value) = figure::value_units(total) { (chart::rank_bar(value, most, figure::is_whole(total))) } }
        td data-label=(lang.of("Độ phủ", "Coverage")) { (figure::coverage_of(lang, total)) }
    }
}

/// What the dots show, and the way to show the other.
fn measures(scene: &Scene, measure: Measure) -> Markup {
    let lang = scene.lang;
    let show = |show: &str| Address { show: show.to_owned(), ..scene.address.clone() }.href(Page::Indicator);
    html! {
        p.switch {
            a href=(show("")) aria-current=[(measure == Measure::Value).then_some("true")] { (lang.of("Giá trị", "Value")) }
            a href=(show("coverage")) aria-current=[(measure == Measure::Coverage).then_some("true")] { (lang.of("Độ phủ", "Coverage")) }
        }
    }
}

fn map_legend(scene: &Scene, measure: Measure, unplaced: usize) -> Markup {
    let lang = scene.lang;
    let dot = |class: &str| {
        html! { svg.key viewBox="0 0 14 14" width="14" height="14" aria-hidden="true" focusable="false" { circle class=(class) cx="7" cy="7" r="6" {} } }
    };
    html! {
        @match measure {
            Measure::Value => {
                span { (dot("whole")) (lang.of("đủ", "complete")) }
                span { (dot("partial")) (lang.of("chưa đủ", "partial")) }
                span { (dot("none")) (lang.of("không có số", "no value")) }
                span { (lang.of("diện tích chấm theo giá trị", "the area of a dot is its value")) }
            }
            Measure::Coverage => {
                span { (dot("c0")) "0%" } span { (dot("c1")) "<50%" } span { (dot("c2")) "50–90%" } span { (dot("c3")) "90–<100%" } span { (dot("c4")) "100%" }
            }
        }
        @if unplaced > 0 {
            span { (lang.count(unplaced as u64)) " " (lang.of("đơn vị không có toạ độ", "units without a known place")) }
        }
        span { (lang.of("Điểm ghi nhãn, không phải địa giới.", "Label points, not boundaries.")) }
    }
}

/// By the members of a dimension.
fn split_panel(
    scene: &Scene,
    indicator: &Indicator,
    split: Option<&(String, pb::GetTotalsRequest, Vec<pb::Total>)>,
) -> Markup {
    let lang = scene.lang;
    let Some((dimension, request, totals)) = split else { return html! {} };
    let known = scene.registry.dimension(dimension);
    let named = |code: &str| {
        scene.registry.dimension(code).map_or(code.to_owned(), |d| lang.of(&d.name_vi, &d.name_en).clone())
    };
    let adds_up = known.is_some_and(|d| d.kind == DimensionKind::Partition);
    let is_there = |t: &&pb::Total| t.value.is_some() || t.covered > 0 || !t.refused.is_empty();
    let there: Vec<&pb::Total> = totals.iter().filter(is_there).collect();
    let most = there.iter().filter_map(|t| figure::value_units(t)).max().unwrap_or(0);
    let member = |total: &pb::Total| {
        let code = total.breakdown.split('|').filter_map(|p| p.split_once('=')).find(|(d, _)| d == dimension);
        let code = code.map_or("", |(_, member)| member);
        known
            .and_then(|d| d.member(code))
            .map_or(code.to_owned(), |m| lang.of(&m.name_vi, &m.name_en).clone())
    };
    html! {
        section.panel {
            h2 { (lang.of("Phân tổ: ", "By ")) (named(dimension)) }
            @if indicator.dimensions.len() > 1 {
                p.switch {
                    @for other in &indicator.dimensions {
                        @let to = Address { dimension: other.clone(), ..scene.address.clone() };
                        a href=(to.href(Page::Indicator)) aria-current=[(other == dimension).then_some("true")] { (named(other)) }
                    }
                }
            }
            @if there.is_empty() {
                p.empty { (lang.of("Chưa có số liệu theo phân tổ này.", "There are no figures by this breakdown.")) }
            } @else {
                table.figures.ranked {
                    caption.unseen { (named(dimension)) }
                    thead { tr {
                        th scope="col" { (named(dimension)) }
                        th.number scope="col" { (lang.of("Giá trị", "Value")) }
                        th.bars scope="col" { span.unseen { (lang.of("So với lớn nhất", "Beside the largest")) } }
                        th scope="col" { (lang.of("Độ phủ", "Coverage")) }
                    } }
                    tbody {
                        @for total in &there {
                            tr {
                                th scope="row" { a href=(scene.address.indicator(&total.indicator, &total.breakdown).href(Page::Indicator)) { (member(total)) } }
                                td.number data-label=(lang.of("Giá trị", "Value")) { (figure::value(scene, total)) }
                                td.bars { @if let Some(value) = figure::value_units(total) { (chart::rank_bar(value, most, figure::is_whole(total))) } }
                                td data-label=(lang.of("Độ phủ", "Coverage")) { (figure::coverage_of(lang, total)) }
                            }
                        }
                    }
                }
                @if !adds_up {
                    p.note { (lang.of(
                        "Các nhóm có thể trùng nhau; không cộng lại.",
                        "Members may overlap: they do not add up.",
                    )) }
                }
                (export::links(scene, &export::Of::Totals(request.clone())))
            }
        }
    }
}
