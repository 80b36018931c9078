//! Tables of text, aligned.

use unicode_normalization::UnicodeNormalization;

/// On which side a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a heading.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these columns and no rows.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        Table { columns: columns.iter().map(|(name, align)| (nfc(name), *align)).collect(), rows: vec![] }
    }

    /// Adds a row; cells that are missing are empty.
    pub fn push(&mut self, cells: Vec<String>) {
        let mut cells: Vec<String> = cells.iter().map(|c| nfc(c)).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Without the columns in which nothing stands.
    #[must_use]
    pub fn without_empty_columns(self) -> Table {
        let keep: Vec<bool> =
            (0..self.columns.len()).map(|i| self.rows.iter().any(|r| !r[i].is_empty())).collect();
        let kept = |i: &usize| keep[*i];
        Table {
            columns: (0..self.columns.len()).filter(kept).map(|i| self.columns[i].clone()).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| (0..row.len()).filter(kept).map(|i| row[i].clone()).collect())
                .collect(),
        }
    }

    /// Its lines: the heading, a rule, the rows; each behind `indent` spaces.
    pub fn lines(&self, indent: usize) -> Vec<String> {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|i| {
                let cells = self.rows.iter().map(|r| width(&r[i]));
                cells.chain([width(&self.columns[i].0)]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: Vec<&str>| {
            let mut out = " ".repeat(indent);
            for (i, cell) in cells.iter().enumerate() {
                let padding = " ".repeat(widths[i] - width(cell));
                out.push_str(if i == 0 { "" } else { "  " });
                match self.columns[i].1 {
                    Align::Left => out.extend([*cell, &padding]),
                    Align::Right => out.extend([&padding, *cell]),
                }
            }
            out.trim_end().to_owned()
        };
        let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
        let mut lines = vec![
            line(self.columns.iter().map(|(name, _)| name.as_str()).collect()),
            line(rule.iter().map(String::as_str).collect()),
        ];
        lines.extend(self.rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
        lines
    }
}

/// How many places a text takes: its characters, composed, so that `ế` is one.
fn width(text: &str) -> usize {
    text.nfc().count()
}

fn nfc(text: &str) -> String {
    text.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_vietnamese_letters_take_one_place_however_they_are_written() {
        let mut table = Table::new(&[("unit", Align::Left), ("total", Align::Right)]);
        table.push(vec!["Tỉnh Bắc Kạn".into(), "8.720".into()]);
        table.push(vec!["Ti\u{309}nh Ba\u{306}\u{301}c Ka\u{323}n".into(), "≥ 2.100".into()]);
        assert_eq!(
            table.lines(2),
            [
                "  unit            total",
                "  ────────────  ───────",
                "  Tỉnh Bắc Kạn    8.720",
                "  Tỉnh Bắc Kạn  ≥ 2.100",
            ]
        );
    }

    #[test]
    fn columns_without_anything_are_left_out() {
        let mut table = Table::new(&[("a", Align::Left), ("b", Align::Left), ("c", Align::Left)]);
        table.push(vec!["1".into(), String::new(), "3".into()]);
        table.push(vec!["4".into()]);
        assert_eq!(table.without_empty_columns().lines(0), ["a  c", "─  ─", "1  3", "4"]);
    }
}
