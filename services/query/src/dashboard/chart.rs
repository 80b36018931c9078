//! Charts as plain SVG: a sparkline, a series of columns, a bar of how much is there.
//!
//! Coordinates are whole numbers, from exact values by whole-number division. A chart never stands alone: the table
//! beside it says the same.

use maud::{Markup, html};
use tonghop_core::decimal::format_decimal;

use super::locale::{Lang, permille};

/// A value that a column or a part of one stands for.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// In units of the last decimal.
    pub(super) value: i128,
    /// Whether everything that is expected is in it.
    pub(super) is_whole: bool,
    /// What is said of it where the pointer rests on it.
    pub(super) said: String,
}

/// A column: one period.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// What stands below it.
    pub(super) label: String,
    /// What it is made of: one value, or those of the several units that a territory once was.
    pub(super) pieces: Vec<Piece>,
    /// Whether the territory is not that of the column before.
    pub(super) is_break: bool,
    /// Whether it is the period that the page is about.
    pub(super) is_asked: bool,
}

const WIDTH: i128 = 480;
const HEIGHT: i128 = 220;
const LEFT: i128 = 64;
const TOP: i128 = 12;
const BOTTOM: i128 = 28;

/// A series of columns, from zero, with breaks marked. `decimals` is how many the values have.
pub(super) fn columns(lang: Lang, name: &str, columns: &[Column], decimals: u8) -> Markup {
    let sum = |c: &Column| c.pieces.iter().map(|p| p.value.max(0)).sum::<i128>();
    let most = columns.iter().map(sum).max().unwrap_or(0);
    let steps = steps(most);
    let top = steps.last().copied().unwrap_or(1).max(1);
    let room = HEIGHT - TOP - BOTTOM;
    let y = |value: i128| TOP + room - value * room / top;
    let count = i128::try_from(columns.len()).unwrap_or(1).max(1);
    let slot = |i: usize| LEFT + i128::try_from(i).unwrap_or(0) * (WIDTH - LEFT) / count;
    let wide = ((WIDTH - LEFT) / count * 7 / 10).clamp(2, 40);
    let mut drawn = Vec::new();
    for (i, column) in columns.iter().enumerate() {
        let middle = i128::midpoint(slot(i), slot(i + 1));
        let mut below = 0;
        for piece in &column.pieces {
            let value = piece.value.max(0);
            let (high, low) = (y(below + value), y(below));
            // What is there is seen, however little it is.
            let (high, low) = if value > 0 && high == low { (low - 1, low) } else { (high, low) };
            below += value;
            drawn.push((middle - wide / 2, high, low - high, piece));
        }
    }
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(name) {
            @for step in &steps {
                line.grid x1=(LEFT) x2=(WIDTH) y1=(y(*step)) y2=(y(*step)) {}
                text.scale x=(LEFT - 6) y=(y(*step) + 4) text-anchor="end" {
                    (axis_number(lang, *step, decimals))
                }
            }
            @for (x, y, height, piece) in &drawn {
                rect class=(if piece.is_whole { "whole" } else { "partial" })
                    x=(x) y=(y) width=(wide) height=(height) {
                    title { (piece.said) }
                }
            }
            @for (i, column) in columns.iter().enumerate() {
                @let middle = i128::midpoint(slot(i), slot(i + 1));
                @if column.pieces.is_empty() {
                    text.nothing x=(middle) y=(y(0) - 4) text-anchor="middle" { "–" }
                }
                text.label.asked[column.is_asked] x=(middle) y=(HEIGHT - 8) text-anchor="middle" {
                    (column.label)
                }
                @if column.is_break {
                    line.break x1=(slot(i)) x2=(slot(i)) y1=(TOP - 6) y2=(HEIGHT - BOTTOM + 6) {}
                }
            }
            line.axis x1=(LEFT) x2=(WIDTH) y1=(y(0)) y2=(y(0)) {}
        }
    }
}

/// A number on an axis: without the zeros behind the point.
fn axis_number(lang: Lang, value: i128, decimals: u8) -> String {
    let text = format_decimal(value, decimals);
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    let thousands = [(1_000_000_000, "tỷ", "bn"), (1_000_000, "tr", "m")];
    for (size, vi, en) in thousands {
        let whole: i128 = text.parse().unwrap_or(0);
        if whole >= 10 * size && whole % size == 0 {
            return format!("{} {}", lang.number(&(whole / size).to_string()), lang.of(vi, en));
        }
    }
    lang.number(text)
}

/// Zero, and round numbers up to one that is no less than the largest value: three to six of them.
fn steps(most: i128) -> Vec<i128> {
    let most = most.max(1);
    let mut size = 1;
    while size * 10 <= most {
        size *= 10;
    }
    let candidates = [size / 2, size, size * 2, size * 5];
    let step = candidates.into_iter().find(|step| *step > 0 && most.div_ceil_to(*step) <= 5);
    let step = step.unwrap_or(size);
    (0..=most.div_ceil_to(step)).map(|i| i * step).collect()
}

/// Division of non-negative numbers, rounded up.
trait DivCeilTo {
    fn div_ceil_to(self, by: Self) -> Self;
}

impl DivCeilTo for i128 {
    fn div_ceil_to(self, by: i128) -> i128 {
        (self + by - 1) / by
    }
}

/// The last values of a series in a line's height; for the eye only, since the page of the indicator tells them.
/// Each value with whether it is whole; none where there is none.
pub(super) fn sparkline(values: &[Option<(i128, bool)>]) -> Markup {
    const HIGH: i128 = 26;
    const STEP: i128 = 8;
    let most = values.iter().flatten().map(|(v, _)| *v).max().unwrap_or(0).max(1);
    let wide = STEP * i128::try_from(values.len()).unwrap_or(1);
    let last = values.len().saturating_sub(1);
    html! {
        svg.spark viewBox={ "0 0 " (wide) " " (HIGH) } width=(wide) height=(HIGH) aria-hidden="true" focusable="false" {
            @for (i, value) in values.iter().enumerate() {
                @let x = STEP * i128::try_from(i).unwrap_or(0) + 1;
                @match value {
                    Some((value, is_whole)) => {
                        @let tall = (value.max(&0) * (HIGH - 2) / most).max(1);
                        rect class={ (if *is_whole { "whole" } else { "partial" }) (if i == last { " now" } else { "" }) }
                            x=(x) y=(HIGH - 1 - tall) width=(STEP - 2) height=(tall) {}
                    }
                    None => { rect.none x=(x) y=(HIGH - 2) width=(STEP - 2) height="1" {} }
                }
            }
        }
    }
}

/// How many of the expected cells are there: reported, then covered by a declared figure only, then missing.
pub(super) fn coverage_bar(reported: u64, covered: u64, expected: u64) -> Markup {
    const WIDE: u64 = 96;
    // What is there is seen, and what is missing too.
    let part = |count: u64| match permille(count, expected) * WIDE / 1000 {
        0 if count > 0 => 1,
        WIDE if count < expected => WIDE - 1,
        wide => wide,
    };
    let (reported, covered) = (part(reported), part(covered));
    html! {
        svg.bar viewBox={ "0 0 " (WIDE) " 10" } width=(WIDE) height="10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.missing x="0" y="0" width=(WIDE) height="10" {}
            rect.covered x="0" y="0" width=(covered) height="10" {}
            rect.reported x="0" y="0" width=(reported.min(covered)) height="10" {}
        }
    }
}

/// A bar in a ranking: a value of the largest.
pub(super) fn rank_bar(value: i128, most: i128, is_whole: bool) -> Markup {
    const WIDE: i128 = 160;
    let wide = (value.max(0) * WIDE / most.max(1)).max(i128::from(value > 0));
    html! {
        svg.rank viewBox={ "0 0 " (WIDE) " 10" } width=(WIDE) height="10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect class=(if is_whole { "whole" } else { "partial" }) x="0" y="0" width=(wide) height="10" {}
        }
    }
}

/// Patterns that charts refer to; once on every page.
pub(super) fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                pattern #hatch width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.hatch-ground width="4" height="4" {}
                    rect.hatch-line width="2" height="4" {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tonghop_runtime::Language;

    use super::*;

    #[test]
    fn an_axis_has_few_round_numbers_and_ends_above_the_largest_value() {
        for (most, expected) in [
            (0, vec![0, 1]),
            (3, vec![0, 1, 2, 3]),
            (7, vec![0, 2, 4, 6, 8]),
            (12, vec![0, 5, 10, 15]),
            (37_853, vec![0, 10_000, 20_000, 30_000, 40_000]),
            (999, vec![0, 200, 400, 600, 800, 1000]),
        ] {
            assert_eq!(steps(most), expected, "{most}");
        }
    }

    #[test]
    fn numbers_on_an_axis_are_short() {
        assert_eq!(axis_number(Lang(Language::Vietnamese), 15, 1), "1,5");
        assert_eq!(axis_number(Lang(Language::Vietnamese), 20, 1), "2");
        assert_eq!(axis_number(Lang(Language::English), 200_000, 0), "200,000");
        assert_eq!(axis_number(Lang(Language::Vietnamese), 20_000_000, 0), "20 tr");
        assert_eq!(axis_number(Lang(Language::English), 0, 0), "0");
    }

    #[test]
    fn a_bar_is_full_only_where_nothing_is_missing() {
        let wide = |covered, expected| {
            let drawn = coverage_bar(0, covered, expected).into_string();
            let after = drawn.split("class=\"covered\"").nth(1).expect("the bar").to_owned();
            after.split("width=\"").nth(1).expect("its width").split('"').next().expect("a number").to_owned()
        };
        assert_eq!(wide(99_999, 100_000), "95");
        assert_eq!(wide(100_000, 100_000), "96");
        assert_eq!(wide(1, 100_000), "1");
        assert_eq!(wide(0, 100_000), "0");
    }

    #[test]
    fn a_partial_value_is_drawn_unlike_a_whole_one() {
        let drawn = sparkline(&[Some((5, true)), None, Some((9, false))]).into_string();
        assert!(drawn.contains("class=\"whole\"") && drawn.contains("class=\"partial now\""), "{drawn}");
        assert!(drawn.contains("class=\"none\""), "{drawn}");
    }
}
