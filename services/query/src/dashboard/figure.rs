//! A number on a page: never without how sure it is, how much of it is there, and a way to where it comes from.

use maud::{Markup, html};
use tonghop_proto::query as pb;

use super::address::{Address, Page};
use super::chart;
use super::locale::{Lang, permille, units};
use super::scene::Scene;

/// Whether everything that is expected is in a total.
pub(super) fn is_whole(total: &pb::Total) -> bool {
    total.value.is_some() && total.covered == total.expected && total.unavailable == 0
}

/// A total's value in units of its last decimal.
pub(super) fn value_units(total: &pb::Total) -> Option<i128> {
    total.value.as_deref().and_then(units)
}

/// The sign and the words of a qualifier; none for what is exact.
pub(super) fn qualifier(lang: Lang, code: &str) -> Option<(&'static str, &'static str)> {
    match code {
        "at_least" => Some(("≥", lang.of("ít nhất", "at least"))),
        "at_most" => Some(("≤", lang.of("nhiều nhất", "at most"))),
        "about" => Some(("≈", lang.of("khoảng", "about"))),
        _ => None,
    }
}

/// Why there is no value.
pub(super) fn reason(lang: Lang, code: &str) -> &'static str {
    match code {
        "not_available" => lang.of("đơn vị không có số liệu", "not available"),
        "not_aggregable" => lang.of("không cộng được", "does not add up"),
        "undefined" => lang.of("mẫu số bằng 0", "the denominator is zero"),
        _ => lang.of("chưa có báo cáo", "nothing reported"),
    }
}

/// What a headline rests on.
pub(super) fn basis(lang: Lang, code: &str) -> &'static str {
    match code {
        "reported" => lang.of("đơn vị tự báo cáo", "reported by the unit"),
        "declared" => lang.of("số khai cho cả địa bàn", "declared for the whole territory"),
        "computed" => lang.of("cộng đủ từ các phần", "computed from all parts"),
        "partial" => lang.of("cộng những gì đã có", "the sum of what is there"),
        _ => "",
    }
}

/// A value with its qualifier, for people and for those who listen.
pub(super) fn quantity(lang: Lang, value: &str, qualified: &str) -> Markup {
    html! {
        @if let Some((sign, words)) = qualifier(lang, qualified) {
            span.sign aria-hidden="true" { (sign) "\u{a0}" }
            span.unseen { (words) " " }
        }
        (lang.number(value))
    }
}

/// Where a total is explained.
pub(super) fn explanation(scene: &Scene, total: &pb::Total) -> Address {
    let unit = total.unit.as_ref().map_or("", |u| &u.code);
    let address = scene.address.unit(unit).period(&total.period);
    let map = if total.map == "reported" { "" } else { &total.map };
    address.indicator(&total.indicator, &total.breakdown).map(map)
}

/// A total's value, which leads to where it comes from.
pub(super) fn value(scene: &Scene, total: &pb::Total) -> Markup {
    let lang = scene.lang;
    let href = explanation(scene, total).href(Page::Explain);
    html! {
        @if let Some(value) = &total.value {
            // What limits a number is read before it, and numbers stand below one another.
            @if total.estimated { span.tag { (lang.of("ước tính", "estimated")) } " " }
            @if !is_whole(total) { span.tag { (lang.of("chưa đủ", "partial")) } " " }
            a.value.partial[!is_whole(total)] href=(href) {
                (quantity(lang, value, &total.qualifier))
            }
        } @else if !total.refused.is_empty() {
            span.absent title=(total.refused) { (lang.of("không trả lời được", "no answer")) }
        } @else {
            a.absent href=(href) { (reason(lang, &total.reason)) }
        }
    }
}

/// The unit of measure, in the reader's language.
pub(super) fn measure(lang: Lang, total: &pb::Total) -> &str {
    lang.of(&total.unit_of_measure_vi, &total.unit_of_measure_en)
}

/// How much of what is expected is there: a bar, and the same in numbers.
pub(super) fn coverage(lang: Lang, reported: u64, covered: u64, expected: u64) -> Markup {
    html! {
        span.coverage {
            (chart::coverage_bar(reported, covered, expected))
            span.counts {
                strong { (lang.percent(covered, expected)) }
                " "
                span.cells { (lang.count(covered)) "/" (lang.count(expected)) }
            }
        }
    }
}

/// The coverage of a total.
pub(super) fn coverage_of(lang: Lang, total: &pb::Total) -> Markup {
    html! {
        (coverage(lang, total.reported, total.covered, total.expected))
        @if total.unavailable > 0 {
            " "
            span.note {
                (lang.count(total.unavailable)) " " (lang.of("ô không có số liệu", "cells not available"))
            }
        }
        @if let Some(approved) = total.approved {
            " "
            span.note {
                (lang.of("đã duyệt", "approved")) " " (lang.count(approved)) "/" (lang.count(total.expected))
            }
        }
    }
}

/// How a total stands to that of an earlier period, `previous` or `last_year`; nothing where that was not asked for.
pub(super) fn change(lang: Lang, total: &pb::Total, with: &str) -> Markup {
    let Some(compared) = total.compared.iter().find(|c| c.with == with) else { return html! {} };
    html! {
        @match compared.difference.as_deref() {
            Some(difference) if units(difference) == Some(0) => {
                span.change { "=" span.unseen { " " (lang.of("không đổi", "unchanged")) } }
            }
            Some(difference) => {
                span.change {
                    (signed(lang, difference))
                    @if let Some(percent) = &compared.change_percent {
                        " " span.part { "(" (signed(lang, percent)) "%)" }
                    }
                }
            }
            None if matches!(compared.not_comparable.as_str(), "missing" | "no_period" | "not_available") => {
                span.absent aria-hidden="true" { "–" }
                span.unseen { (not_comparable(lang, &compared.not_comparable)) }
            }
            None => { span.absent { (not_comparable(lang, &compared.not_comparable)) } }
        }
    }
}

/// Why two totals are not compared.
fn not_comparable(lang: Lang, code: &str) -> &'static str {
    match code {
        "no_period" => lang.of("không có kỳ để so", "no period to compare with"),
        "coverage" => lang.of("khác độ phủ", "other coverage"),
        "territory" => lang.of("đổi địa giới", "territory changed"),
        "missing" => lang.of("không có số để so", "nothing to compare with"),
        "not_available" => lang.of("không có số liệu để so", "not available"),
        "not_aggregable" | "not_additive" => lang.of("không cộng được", "does not add up"),
        _ => lang.of("không so được", "not comparable"),
    }
}

/// A decimal with its sign, plus too.
fn signed(lang: Lang, decimal: &str) -> String {
    let plus = if units(decimal).is_some_and(|value| value > 0) { "+" } else { "" };
    format!("{plus}{}", lang.number(decimal))
}

/// A total in one line of text, for where a pointer rests.
pub(super) fn said(scene: &Scene, total: &pb::Total) -> String {
    let lang = scene.lang;
    let unit = total.unit.as_ref().map_or("", |u| &u.name);
    let covered = format!(
        "{} {} ({}/{})",
        lang.of("phủ", "covered"),
        lang.percent(total.covered, total.expected),
        lang.count(total.covered),
        lang.count(total.expected)
    );
    match &total.value {
        Some(value) => {
            let sign =
                qualifier(lang, &total.qualifier).map_or(String::new(), |(sign, _)| format!("{sign} "));
            let measure = measure(lang, total);
            let value = lang.number(value);
            format!("{unit}: {sign}{value} {measure}; {covered}")
        }
        None => format!("{unit}: {}; {covered}", reason(lang, &total.reason)),
    }
}

/// How large a difference is beside the larger of the two, in thousandths.
pub(super) fn weight_of_difference(total: &pb::Total) -> u64 {
    let size = |text: &Option<String>| text.as_deref().and_then(units).unwrap_or(0).unsigned_abs();
    let most = size(&total.whole).max(size(&total.parts));
    let difference = size(&total.difference);
    let fits = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    permille(fits(difference), fits(most))
}

#[cfg(test)]
mod tests {
    use tonghop_runtime::Language;

    use super::*;

    #[test]
    fn a_change_says_its_sign_or_why_there_is_none() {
        let shown = |compared: pb::Comparison| {
            let compared = vec![pb::Comparison { with: "previous".into(), ..compared }];
            change(Lang(Language::Vietnamese), &pb::Total { compared, ..pb::Total::default() }, "previous")
                .into_string()
        };
        let some = |text: &str| Some(text.to_owned());
        let up =
            pb::Comparison { difference: some("1200"), change_percent: some("12.50"), ..Default::default() };
        assert!(shown(up).contains("+1.200 <span class=\"part\">(+12,50%)"));
        let down = pb::Comparison { difference: some("-3"), ..Default::default() };
        assert!(shown(down).contains("\u{2212}3"));
        let partial = pb::Comparison { not_comparable: "coverage".into(), ..Default::default() };
        assert!(shown(partial).contains("khác độ phủ"));
    }

    #[test]
    fn only_what_is_all_there_is_whole() {
        let of = |value: Option<&str>, covered, unavailable| {
            let value = value.map(str::to_owned);
            is_whole(&pb::Total { value, covered, unavailable, expected: 3, ..pb::Total::default() })
        };
        assert!(of(Some("0"), 3, 0));
        assert!(!of(Some("5"), 2, 0) && !of(Some("5"), 3, 1) && !of(None, 3, 0));
    }

    #[test]
    fn differences_are_weighed_beside_the_larger_number() {
        let of = |whole: &str, parts: &str, difference: &str| {
            let some = |text: &str| Some(text.to_owned());
            let (whole, parts, difference) = (some(whole), some(parts), some(difference));
            weight_of_difference(&pb::Total { whole, parts, difference, ..pb::Total::default() })
        };
        assert_eq!(of("100", "75", "25"), 250);
        assert_eq!(of("0", "5.5", "-5.5"), 1000);
        assert_eq!(of("0", "0", "0"), 0);
    }
}
