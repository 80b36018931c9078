//! A total opened into its parts, and these in their turn, as a tree of text.

use tonghop_proto::query::{ExplainNode, ExplainTreeResponse};

use crate::rows::{self, Names};
use crate::words;

/// The whole tree, a line each.
pub fn whole(explained: &ExplainTreeResponse, names: &Names) -> Vec<String> {
    let mut lines = vec![];
    if let Some(root) = &explained.root {
        let total = root.total.clone().unwrap_or_default();
        let members = rows::breakdown(&total.breakdown);
        lines.push(format!("{} {members}", names.of(&total.indicator)).trim_end().to_owned());
        lines.push(headline(root, None));
        below(root, "", &mut lines);
    }
    lines.extend(explained.as_of.as_ref().map(words::as_of));
    lines
}

/// What a node is of, what it says, and from what; of a part only what is not said above it.
fn headline(node: &ExplainNode, above: Option<&ExplainNode>) -> String {
    let total = node.total.clone().unwrap_or_default();
    let of = above.and_then(|above| above.total.as_ref());
    let mut words = vec![];
    if of.is_none_or(|of| of.unit != total.unit) {
        words.push(rows::unit(total.unit.as_ref()));
    }
    if of.is_none_or(|of| of.period != total.period) {
        words.push(total.period.clone());
    }
    if of.is_some_and(|of| of.breakdown != total.breakdown) {
        words.push(rows::breakdown(&total.breakdown));
    }
    if !node.share.is_empty() && node.share != "1" {
        words.push(format!("a share of {}", words::number(&node.share)));
    }
    let mut said = vec![rows::headline(&total), rows::basis_or_reason(&total)];
    if total.expected > 0 {
        said.push(words::coverage(total.covered, total.expected));
    }
    format!("{}: {}", words.join(" · "), said.join(" · "))
}

/// From what a value was taken, in English and Vietnamese.
fn used(code: &str) -> &str {
    match code {
        "whole" => "the figure for all of it · số liệu toàn bộ",
        "units" => "the units below it · các đơn vị cấp dưới",
        "time" => "shorter periods · các kỳ ngắn hơn",
        "sides" => "the sides that report apart · các lực lượng báo cáo riêng",
        "origins" => "units of before the map changed · các đơn vị cũ",
        other => other,
    }
}

fn below(node: &ExplainNode, limb: &str, lines: &mut Vec<String>) {
    let mut branches: Vec<(String, Option<&ExplainNode>)> = vec![];
    if node.used != "nothing" {
        branches.push((format!("taken from {}", used(&node.used)), None));
    }
    if let Some(own) = &node.own {
        branches.push((format!("own activity {}", words::number(own)), None));
    }
    for figure in &node.figures {
        let revised = if figure.current { "" } else { " · revised since" };
        let said = [
            format!("figure {}", rows::stated(figure)),
            words::scope(&figure.scope).to_owned(),
            rows::breakdown(&figure.breakdown),
            format!("position {}", figure.position),
            figure.source.clone(),
            figure.submission.clone(),
        ];
        let said: Vec<&str> = said.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        branches.push((format!("{}{revised}", said.join(" · ")), None));
    }
    branches.extend(node.set_aside.iter().map(|aside| (format!("set aside: {aside}"), None)));
    branches.extend(node.parts.iter().map(|part| (headline(part, Some(node)), Some(part))));
    let left = (node.parts_count as usize).saturating_sub(node.parts.len());
    if left > 0 {
        branches.push((format!("… and {left} more parts: --depth, --parts"), None));
    }
    let last = branches.len().saturating_sub(1);
    for (i, (text, part)) in branches.into_iter().enumerate() {
        let (here, further) = if i == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push(format!("{limb}{here}{text}"));
        if let Some(part) = part {
            below(part, &format!("{limb}{further}"), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonghop_proto::query::{FigureRevision, Total, UnitRef};

    fn node(code: &str, value: &str, basis: &str, used: &str) -> ExplainNode {
        let unit = Some(UnitRef { code: code.into(), name: "Xã".into(), level: String::new() });
        let total = Total {
            unit,
            indicator: "tg02".into(),
            period: "2024-M05".into(),
            value: Some(value.into()),
            basis: basis.into(),
            covered: 1,
            expected: 2,
            ..Total::default()
        };
        ExplainNode { total: Some(total), used: used.into(), ..ExplainNode::default() }
    }

    #[test]
    fn a_tree_reads_from_the_total_down_to_the_submission() {
        let figure = FigureRevision {
            value: Some("12".into()),
            scope: "own".into(),
            position: 4,
            source: "b".into(),
            submission: "id".into(),
            ..FigureRevision::default()
        };
        let ward = ExplainNode { figures: vec![figure], ..node("b1", "12", "reported", "whole") };
        let root = ExplainNode {
            own: Some("2".into()),
            set_aside: vec!["a declared figure".into()],
            parts: vec![ward],
            parts_count: 3,
            ..node("B", "14", "partial", "units")
        };
        let explained = ExplainTreeResponse { root: Some(root), as_of: None };
        assert_eq!(
            whole(&explained, &Names::default()),
            [
                "tg02",
                "Xã (B) · 2024-M05: 14 · partial · cộng chưa đủ · 1 / 2",
                "├─ taken from the units below it · các đơn vị cấp dưới",
                "├─ own activity 2",
                "├─ set aside: a declared figure",
                "├─ Xã (b1): 12 · reported · đơn vị báo cáo · 1 / 2",
                "│  ├─ taken from the figure for all of it · số liệu toàn bộ",
                "│  └─ figure 12 · own · của đơn vị · position 4 · b · id · revised since",
                "└─ … and 2 more parts: --depth, --parts",
            ]
        );
    }
}
