//! Units and indicators by name, however it is typed: with or without marks.

use maud::{Markup, html};
use tonghop_core::unit::UnitId;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::address::Page;
use super::layout::Body;
use super::scene::Scene;

/// Hits of each kind at most.
const MOST: usize = 60;
/// What is looked for is no longer than this.
const LONGEST: usize = 100;

/// Text without case and marks.
fn plain(text: &str) -> String {
    let bare = text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    bare.map(|c| if c == 'đ' { 'd' } else { c }).collect()
}

/// The page.
pub(super) fn page(scene: &Scene) -> Body {
    let lang = scene.lang;
    let asked: String = scene.address.q.chars().take(LONGEST).collect();
    let words: Vec<String> = plain(&asked).split_whitespace().map(str::to_owned).collect();
    let has_all = |text: &str| {
        let text = plain(text);
        words.iter().all(|word| text.contains(word))
    };
    let map = scene.registry.map_on(scene.map_day());
    let mut units: Vec<UnitId> = Vec::new();
    let mut indicators = Vec::new();
    if !words.is_empty() {
        let hit = |id: &UnitId| {
            let unit = scene.registry.unit(*id);
            unit.code.eq_ignore_ascii_case(asked.trim()) || has_all(scene.name(*id))
        };
        units = map.units().filter(hit).collect();
        units.sort_by_key(|id| {
            let unit = scene.registry.unit(*id);
            (unit.level, unit.code.clone())
        });
        let hit = |i: &&std::sync::Arc<tonghop_core::indicator::Indicator>| {
            has_all(&format!("{} {} {}", i.code, i.name_vi, i.name_en))
        };
        indicators = scene.registry.indicators().iter().filter(hit).cloned().collect();
    }
    let main = html! {
        @if words.is_empty() {
            p.empty { (lang.of("Gõ tên hoặc mã, có dấu hay không dấu đều được.", "Type a name or a code, with marks or without.")) }
        } @else {
            section.panel {
                h2 { (lang.of("Đơn vị", "Units")) " (" (lang.count(units.len() as u64)) ")" }
                (units_found(scene, &units))
            }
            section.panel {
                h2 { (lang.of("Chỉ tiêu", "Indicators")) " (" (lang.count(indicators.len() as u64)) ")" }
                ul.columns {
                    @for indicator in indicators.iter().take(MOST) {
                        li {
                            a href=(scene.address.indicator(&indicator.code, "").href(Page::Indicator)) { (lang.of(&indicator.name_vi, &indicator.name_en)) }
                            " " span.note { (indicator.code) }
                        }
                    }
                }
            }
        }
    };
    let title = lang.of("Tìm kiếm", "Search");
    Body { title: if asked.is_empty() { title.to_owned() } else { format!("{title}: {asked}") }, main }
}

fn units_found(scene: &Scene, units: &[UnitId]) -> Markup {
    let lang = scene.lang;
    let map = scene.registry.map_on(scene.map_day());
    html! {
        ul.columns {
            @for id in units.iter().take(MOST) {
                @let unit = scene.registry.unit(*id);
                @let above: Vec<&str> = map.ancestry(*id).skip(1).filter(|u| map.parent(*u).is_some()).map(|u| scene.name(u)).collect();
                li {
                    a href=(scene.address.unit(&unit.code).href(Page::Overview)) lang="vi" { (scene.name(*id)) }
                    " " span.note lang="vi" { (unit.code) @for name in above { ", " (name) } }
                }
            }
        }
        @if units.len() > MOST {
            p.note { (lang.of("Chỉ hiện phần đầu; hãy gõ thêm.", "Only the first are shown; type more.")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_marks() {
        assert_eq!(plain("Đặc khu Trường Sa"), "dac khu truong sa");
        assert_eq!(plain("THÀNH PHỐ HUẾ"), "thanh pho hue");
    }
}
