//! A table as a picture: bars on a scale of powers of ten, with what lies between the least and the most.

use std::fmt::Write as _;

use crate::table::{Spread, Table, short};

const WIDTH: f64 = 860.0;
/// Where bars begin: before it are the names.
const LEFT: f64 = 330.0;
/// After them, the values.
const RIGHT: f64 = 90.0;
const TOP: f64 = 46.0;
const ROW: f64 = 24.0;
const BAR: f64 = 14.0;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As SVG.
pub(crate) fn svg(table: &Table) -> String {
    let all: Vec<(&str, Spread)> = table
        .contestants
        .iter()
        .filter_map(|one| Some((one.name.as_str(), Spread::of(&one.values)?)))
        .collect();
    let height = TOP + ROW * all.len() as f64 + 34.0;
    let positive = |value: f64| value.max(1e-6);
    let least = all.iter().map(|(_, s)| positive(s.least)).fold(f64::INFINITY, f64::min);
    let most = all.iter().map(|(_, s)| positive(s.most)).fold(0.0, f64::max);
    let (from, to) = (least.log10().floor(), most.log10().ceil());
    let decades = (to - from).max(1.0);
    let x = |value: f64| LEFT + (positive(value).log10() - from) / decades * (WIDTH - LEFT - RIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\
         <text x=\"8\" y=\"20\" font-size=\"14\" font-weight=\"bold\">Row {}: {}</text>\n",
        table.row,
        escaped(&table.work)
    );
    let bottom = TOP + ROW * all.len() as f64;
    for decade in 0..=decades as i32 {
        let value = 10_f64.powf(from + f64::from(decade));
        let _ = writeln!(
            out,
            "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"middle\" fill=\"#555\">{value}</text>",
            x(value),
            bottom + 16.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#555\">{}</text>",
        WIDTH - 8.0,
        bottom + 16.0,
        table.unit
    );
    for (n, (name, spread)) in all.iter().enumerate() {
        let y = TOP + ROW * n as f64;
        let middle = y + BAR / 2.0 + 3.0;
        let fill = if name.starts_with("tonghop") || name.contains("months") || name.starts_with("readable") {
            "#2f6f4f"
        } else {
            "#9aa7b1"
        };
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{fill}\"/>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"black\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            middle + 4.0,
            escaped(name),
            y + 3.0,
            (x(spread.median) - LEFT).max(1.0),
            x(spread.least),
            x(spread.most),
            x(spread.most) + 6.0,
            middle + 4.0,
            short(spread.median)
        );
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_bar_for_each_that_did_something() {
        let mut table = Table::new(1, "this & that", "s", &["log", "nothing"]);
        table.of("log").values = vec![0.1, 0.2];
        table.of("tonghop").values = vec![0.4];
        let svg = svg(&table);
        assert!(svg.contains("this &amp; that"));
        assert_eq!(svg.matches("height=\"14\"").count(), 2, "{svg}");
    }
}
