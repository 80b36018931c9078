//! What a cell shows of the number it holds.
//!
//! People check what they see. A cell that shows `15.000` may hold 15, one that shows 15 may hold 15000, and a figure
//! is what was meant; so where the two are not plainly the same number, neither is taken.

/// How what a cell shows relates to what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The same number.
    AsHeld,
    /// The same whole number, with zeros before it up to so many digits.
    Padded(usize),
    /// A hundred times it, as a percentage.
    Percent,
    /// The same number with three decimals, all zero, which look like thousands.
    LikeThousands,
    /// Another number, rounded or scaled, or none.
    Otherwise,
}

/// A format of numbers, taken apart as far as it matters here: its first section.
#[derive(Debug, Default, PartialEq, Eq)]
struct Section {
    /// Digits before decimals that are always shown.
    zeros: usize,
    /// Digits before decimals, shown or not.
    whole: usize,
    /// Digits of decimals.
    decimals: usize,
    has_point: bool,
    percent: bool,
    /// Commas after the last digit, each of which divides by a thousand.
    scaled: bool,
    grouped: bool,
    /// Exponents and fractions.
    other: bool,
    /// Texts around the number.
    literal: String,
}

/// What a cell shows of a plain decimal, by the code of its format.
pub(super) fn shown(format: &str, value: &str) -> Shown {
    if matches!(format, "" | "General" | "GENERAL" | "general" | "@" | "Standard") {
        return Shown::AsHeld;
    }
    let is_zero = value.bytes().all(|b| matches!(b, b'0' | b'.'));
    let sections: Vec<&str> = sections(format);
    // Zero has a section of its own, where there are three.
    if is_zero && sections.len() >= 3 {
        return Shown::AsHeld;
    }
    let Some(section) = sections.first().and_then(|section| Section::of(section)) else {
        return Shown::Otherwise;
    };
    let has_digits = section.whole + section.decimals > 0;
    if !has_digits || section.scaled || section.other || says_times(&section.literal) {
        return Shown::Otherwise;
    }
    let (_, fraction) = value.split_once('.').unwrap_or((value, ""));
    if section.percent {
        return if fraction.len() <= section.decimals + 2 { Shown::Percent } else { Shown::Otherwise };
    }
    if fraction.len() > section.decimals {
        return Shown::Otherwise;
    }
    if section.decimals == 3 && fraction.is_empty() && !is_zero {
        return Shown::LikeThousands;
    }
    let padded = section.zeros > 1 && section.decimals == 0 && !section.grouped && section.literal.is_empty();
    if padded { Shown::Padded(section.zeros) } else { Shown::AsHeld }
}

/// The sections of a format: semicolons part them, but within texts.
fn sections(format: &str) -> Vec<&str> {
    let (mut all, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in format.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '\\' | '_' | '*' => escaped = true,
            ';' => {
                all.push(&format[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    all.push(&format[start..]);
    all
}

impl Section {
    /// Nothing where the section holds only under a condition, or is not closed.
    fn of(section: &str) -> Option<Section> {
        let mut read = Section::default();
        let mut rest = section.chars().peekable();
        let mut commas = 0usize;
        while let Some(c) = rest.next() {
            match c {
                '"' => loop {
                    match rest.next()? {
                        '"' => break,
                        c => read.literal.push(c),
                    }
                },
                '\\' => read.literal.extend(rest.next()),
                // The width of a character, or one that fills the cell.
                '_' | '*' => drop(rest.next()),
                '[' => {
                    let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                    if inside.starts_with(['<', '>', '=']) {
                        return None;
                    }
                }
                '0' | '#' | '?' => {
                    read.grouped |= commas > 0;
                    commas = 0;
                    if read.has_point {
                        read.decimals += 1;
                    } else {
                        read.whole += 1;
                        read.zeros += usize::from(c == '0');
                    }
                }
                ',' => commas += 1,
                '.' => read.has_point = true,
                '%' => read.percent = true,
                '/' | 'E' | 'e' => read.other = true,
                ' ' | '-' | '+' | '(' | ')' | '$' => {}
                c => read.literal.push(c),
            }
            if read.has_point && commas > 0 && read.whole + read.decimals > 0 {
                read.scaled = true;
            }
        }
        read.scaled |= commas > 0 && read.whole + read.decimals > 0;
        Some(read)
    }
}

/// Whether a text beside a number says that it is so many times more.
fn says_times(literal: &str) -> bool {
    let words = tonghop_written::name::fold(literal);
    let times = [
        "chục", "trăm", "nghìn", "ngàn", "vạn", "triệu", "tỷ", "tỉ", "thousand", "million", "billion", "k",
        "m", "%",
    ];
    let times = times.map(tonghop_written::name::fold);
    words.split_whitespace().any(|word| times.iter().any(|known| known == word))
        || literal.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_is_held_or_it_is_said_how_not() {
        use Shown::{AsHeld, LikeThousands, Otherwise, Padded, Percent};
        for (format, value, expected) in [
            ("General", "15", AsHeld),
            ("@", "15", AsHeld),
            ("0", "15", AsHeld),
            ("#,##0", "15000", AsHeld),
            ("0.00", "15", AsHeld),
            ("0.00", "15.25", AsHeld),
            ("#,##0.00", "15000.5", AsHeld),
            ("_(* #,##0_);_(* (#,##0);_(* \"-\"_);_(@_)", "15000", AsHeld),
            ("_(* #,##0_);_(* (#,##0);_(* \"-\"_);_(@_)", "0", AsHeld),
            ("0\" tin\"", "15", AsHeld),
            ("#,##0 [$₫-42A]", "15000", AsHeld),
            ("[Red]#,##0", "15", AsHeld),
            ("00", "6", Padded(2)),
            ("00000", "1840", Padded(5)),
            ("0%", "0.98", Percent),
            ("0.0%", "0.985", Percent),
            ("0%", "0.985", Otherwise),
            ("0.000", "15", LikeThousands),
            ("#,##0.000", "37", LikeThousands),
            ("0.000", "0", AsHeld),
            ("0.000", "1.332", AsHeld),
            ("0.000", "1.5", AsHeld),
            ("0", "2.6", Otherwise),
            ("0.0", "2.25", Otherwise),
            ("#,##0,", "15000", Otherwise),
            ("0,", "15000", Otherwise),
            ("0.0,,", "15000000", Otherwise),
            ("0.00E+00", "15000", Otherwise),
            ("# ?/?", "0.5", Otherwise),
            ("0\" nghìn\"", "15", Otherwise),
            ("0 \"triệu đồng\"", "15", Otherwise),
            ("0\".000\"", "15", Otherwise),
            ("\"x\"", "15", Otherwise),
            (";;;", "15", Otherwise),
            ("[>=1000]#,##0,\"K\";0", "15", Otherwise),
            ("0\"unclosed", "15", Otherwise),
        ] {
            assert_eq!(shown(format, value), expected, "{value} as {format}");
        }
    }
}
