//! Plausibility (độ hợp lý): what figures of several indicators have to do with one another, as rules of the registry.
//!
//! A rule is written as an expression over indicators: `a <= b`, `a / b between 10 and 500`, or
//! `a = b + previous a - c`, where `previous` is the figure of the period before. It speaks of figures of one unit,
//! scope and period; [`Together`] finds those that it does not hold for.

mod together;

pub use together::{Of, Role, Together, Violation};

use crate::decimal::{MAX_DECIMALS, parse_decimal};
use crate::words::Words;

/// The longest expression, in bytes.
const LONGEST: usize = 1000;
/// Terms of a sum at most.
const MOST_TERMS: usize = 32;

/// What follows where a rule does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The submission is refused, where it says both sides by itself.
    Error,
    /// It is taken, and the warning is kept with its figures.
    Warn,
}

impl Severity {
    /// All of them by the word for it.
    pub const BY_CODE: [(&'static str, Severity); 2] = [("error", Severity::Error), ("warn", Severity::Warn)];
}

/// A figure that a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// Code of the indicator.
    pub indicator: String,
    /// Whether that of the period before is meant.
    pub previous: bool,
}

/// How the figures have to stand to one another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The first is at most the second.
    AtMost,
    /// The first divided by the second lies between two bounds, both included, in units of the last of
    /// [`MAX_DECIMALS`] decimals.
    Between {
        /// The least it may be.
        least: i64,
        /// The most.
        most: i64,
    },
    /// The first is the sum of the others, each added or subtracted.
    Sum {
        /// Of each of the others, whether it is subtracted.
        subtracted: Vec<bool>,
    },
}

/// What an expression says: its terms in the order in which they are written, and how they have to stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expression {
    /// The terms, two or more.
    pub terms: Vec<Term>,
    /// The relation.
    pub relation: Relation,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Its code.
    pub code: String,
    /// As it is written.
    pub written: String,
    /// What it says.
    pub expression: Expression,
    /// What follows where it does not hold.
    pub severity: Severity,
}

fn wrong() -> Words {
    Words::of(
        "cần a <= b, a / b between 10 and 500, hoặc a = b + c - previous a",
        "expected a <= b, a / b between 10 and 500, or a = b + c - previous a",
    )
}

fn term(words: &mut std::iter::Peekable<std::str::SplitWhitespace<'_>>) -> Result<Term, Words> {
    let previous = words.next_if_eq(&"previous").is_some();
    let code = words.next().ok_or_else(wrong)?;
    let plain = code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !plain || code.starts_with('-') {
        return Err(Words::of(
            format!("{code:?} không phải là mã chỉ tiêu"),
            format!("{code:?} is not the code of an indicator"),
        ));
    }
    Ok(Term { indicator: code.to_owned(), previous })
}

fn bound(word: Option<&str>) -> Result<i64, Words> {
    let word = word.ok_or_else(wrong)?;
    parse_decimal(word, MAX_DECIMALS).map_err(|_| {
        Words::of(
            format!("{word:?} không phải là số thập phân có nhiều nhất {MAX_DECIMALS} chữ số thập phân"),
            format!("{word:?} is not a decimal of at most {MAX_DECIMALS} decimals"),
        )
    })
}

impl Expression {
    /// Reads an expression. Words are separated by white space.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Expression, Words> {
        if text.len() > LONGEST {
            return Err(Words::of(
                format!("biểu thức dài hơn {LONGEST} byte"),
                format!("the expression is longer than {LONGEST} bytes"),
            ));
        }
        let mut words = text.split_whitespace().peekable();
        let mut terms = vec![term(&mut words)?];
        let relation = match words.next() {
            Some("<=") => {
                terms.push(term(&mut words)?);
                Relation::AtMost
            }
            Some("/") => {
                terms.push(term(&mut words)?);
                words.next_if_eq(&"between").ok_or_else(wrong)?;
                let least = bound(words.next())?;
                words.next_if_eq(&"and").ok_or_else(wrong)?;
                let most = bound(words.next())?;
                if most < least {
                    return Err(Words::of(
                        "cận trên nhỏ hơn cận dưới",
                        "the upper bound is below the lower one",
                    ));
                }
                Relation::Between { least, most }
            }
            Some("=") => {
                let mut subtracted = vec![false];
                terms.push(term(&mut words)?);
                while let Some(sign) = words.next_if(|word| matches!(*word, "+" | "-")) {
                    subtracted.push(sign == "-");
                    terms.push(term(&mut words)?);
                }
                if terms.len() > MOST_TERMS {
                    return Err(Words::of(
                        format!("nhiều nhất {MOST_TERMS} số hạng"),
                        format!("at most {MOST_TERMS} terms"),
                    ));
                }
                Relation::Sum { subtracted }
            }
            _ => return Err(wrong()),
        };
        match words.next() {
            Some(_) => Err(wrong()),
            None => Ok(Expression { terms, relation }),
        }
    }

    /// Whether values stand to one another as they have to: one for each term, in units of the last of
    /// [`MAX_DECIMALS`] decimals. What passes 128 bits is not judged.
    pub fn holds(&self, values: &[i128]) -> bool {
        let [first, others @ ..] = values else { return true };
        match &self.relation {
            Relation::AtMost => others.first().is_none_or(|second| first <= second),
            Relation::Between { least, most } => {
                let one = 10i128.pow(u32::from(MAX_DECIMALS));
                let scaled = first.checked_mul(one);
                let bound =
                    |bound: i64| others.first().and_then(|whole| whole.checked_mul(i128::from(bound)));
                match (scaled, bound(*least), bound(*most)) {
                    (Some(scaled), Some(least), Some(most)) => least <= scaled && scaled <= most,
                    _ => true,
                }
            }
            Relation::Sum { subtracted } => {
                let sum = others.iter().zip(subtracted).try_fold(0i128, |sum, (value, minus)| match minus {
                    true => sum.checked_sub(*value),
                    false => sum.checked_add(*value),
                });
                sum.is_none_or(|sum| sum == *first)
            }
        }
    }

    /// Whether a figure of the period before is spoken of.
    pub fn looks_back(&self) -> bool {
        self.terms.iter().any(|term| term.previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Expression {
        Expression::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
    }

    /// Values in whole units.
    fn holds(text: &str, values: &[i128]) -> bool {
        read(text).holds(&values.iter().map(|v| v * 1_000_000).collect::<Vec<_>>())
    }

    #[test]
    fn the_three_forms_are_read() {
        let codes = |text: &str| {
            let terms = read(text).terms.into_iter();
            terms.map(|t| (t.indicator, t.previous)).collect::<Vec<_>>()
        };
        let term = |code: &str, previous| (code.to_owned(), previous);
        assert_eq!(codes("a <= b"), [term("a", false), term("b", false)]);
        assert_eq!(
            read("a / b between 0.5 and 15").relation,
            Relation::Between { least: 500_000, most: 15_000_000 }
        );
        let balance = "x = previous x + y-1 - z";
        assert_eq!(codes(balance), [term("x", false), term("x", true), term("y-1", false), term("z", false)]);
        assert_eq!(read(balance).relation, Relation::Sum { subtracted: vec![false, false, true] });
        assert!(read(balance).looks_back() && !read("a <= b").looks_back());
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for text in [
            "",
            "a",
            "a <=",
            "<= b",
            "a < b",
            "a <= b c",
            "a <= 5.5.5",
            "a / b",
            "a / b between 1",
            "a / b between 1 and",
            "a / b between x and 2",
            "a / b between 1 and -2",
            "a / b between 3 and 2",
            "a / b between 1 and 0.1234567",
            "a =",
            "a = b +",
            "a = b * c",
            "a = previous",
            "A <= b",
            "a<=b",
            "-a <= b",
        ] {
            let wrong = Expression::parse(text).expect_err(text);
            assert!(!wrong.vi.is_empty() && wrong.vi != wrong.en, "{text}: {wrong:?}");
        }
        assert!(Expression::parse(&format!("a = b{}", " + c".repeat(MOST_TERMS))).is_err());
        assert!(Expression::parse(&format!("a <= {}", "b".repeat(LONGEST))).is_err());
    }

    #[test]
    fn values_are_compared_exactly() {
        assert!(holds("a <= b", &[3, 3]) && !holds("a <= b", &[4, 3]));
        let between = "a / b between 2 and 15";
        assert!(holds(between, &[2, 1]) && holds(between, &[15, 1]));
        assert!(!holds(between, &[1, 1]) && !holds(between, &[16, 1]));
        assert!(holds(between, &[0, 0]), "nothing of nothing");
        assert!(!holds(between, &[1, 0]), "something of nothing");
        assert!(holds("a = b + c - d", &[5, 4, 3, 2]) && !holds("a = b + c - d", &[6, 4, 3, 2]));
        assert!(!read("a / b between 0.333333 and 0.333333").holds(&[1, 3]), "nothing is rounded");
        assert!(read("a / b between 1 and 2").holds(&[i128::MAX, 1]), "what cannot be told is not judged");
    }
}
