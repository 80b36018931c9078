//! A world as a small table, for reading a failure.

use std::fmt::{Debug, Formatter, Result};

use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::Statement;
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::question::{Question, Refusal, Total};
use tonghop_core::registry::Registry;

use super::Case;

impl Debug for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "\nunits")?;
        for unit in self.registry.units() {
            write!(f, "  {:indent$}{}", "", unit.code, indent = usize::from(unit.level.0) * 2)?;
            if let Some(parent) = unit.parent {
                write!(f, " in {}", self.registry.unit(parent).key())?;
            }
            if unit.from() != tonghop_core::Date::MIN {
                write!(f, " from {}", unit.from())?;
            }
            if unit.to() != tonghop_core::Date::MAX {
                write!(f, " to {}", unit.to())?;
            }
            writeln!(f)?;
        }
        writeln!(f, "successions")?;
        for s in self.registry.successions() {
            let key = |unit| self.registry.unit(unit).key();
            writeln!(f, "  {} {} > {} {}", s.day, key(s.from), key(s.to), s.share)?;
        }
        writeln!(f, "indicators")?;
        for indicator in self.registry.indicators() {
            writeln!(f, "  {}", described(&self.registry, indicator))?;
        }
        writeln!(f, "figures")?;
        for figure in &self.figures {
            writeln!(
                f,
                "  {:<10} {:<6} {:<9} {:<12} {:<18} {}",
                figure.indicator,
                self.registry.unit(figure.unit).key(),
                figure.scope.code(),
                figure.period.to_string(),
                figure.breakdown.to_string(),
                match &figure.statement {
                    Statement::Value(value, qualifier) => format!("{value} {}", qualifier.code()),
                    Statement::NotAvailable(_) => "not available".to_owned(),
                    Statement::Withdrawn => "withdrawn".to_owned(),
                }
            )?;
        }
        writeln!(f, "questions")?;
        self.questions.iter().try_for_each(|q| writeln!(f, "  {}", asked(&self.registry, q)))
    }
}

fn described(registry: &Registry, indicator: &Indicator) -> String {
    let kind = match &indicator.kind {
        Kind::Flow => "flow".to_owned(),
        Kind::Stock => "stock".to_owned(),
        Kind::Ratio(of) => {
            let part = if of.numerator_is_part { " (part)" } else { "" };
            format!("ratio {}{part} / {}", of.numerator.join("+"), of.denominator.join("+"))
        }
    };
    let mut line = format!(
        "{}: {kind} {} {:?} {} {:?} {:?} decimals={}",
        indicator.code,
        registry.level_code(indicator.collection_level),
        indicator.frequency,
        indicator.calendar.code,
        indicator.precedence,
        indicator.aggregable,
        indicator.decimals
    );
    if indicator.from_map {
        line += " from map";
    }
    if !indicator.dimensions.is_empty() {
        line += &format!(
            " by {} {:?} {}",
            indicator.dimensions.join(","),
            indicator.overlap,
            indicator.reporters.join(",")
        );
    }
    if indicator.valid_from != tonghop_core::Date::MIN {
        line += &format!(" from {}", indicator.valid_from);
    }
    if indicator.valid_to != tonghop_core::Date::MAX {
        line += &format!(" to {}", indicator.valid_to);
    }
    line
}

fn asked(registry: &Registry, question: &Question) -> String {
    let unit = registry.units().get(question.unit.0 as usize).map_or_else(String::new, |u| u.key());
    let of = |b: &Breakdown| if b.is_empty() { String::new() } else { format!(" {b}") };
    let map = question.map.map_or_else(String::new, |day| format!(" on the map of {day}"));
    format!("{} {unit} {}{}{map}", question.indicator, question.period, of(&question.breakdown))
}

type Answer = std::result::Result<Total, Refusal>;

/// A question with two answers to it side by side, those lines marked in which they differ.
pub fn compared(registry: &Registry, question: &Question, oracle: &Answer, core: &Answer) -> String {
    let lines = |answer: &Answer| -> Vec<(&'static str, String)> {
        match answer {
            Err(refusal) => vec![("refused", format!("{refusal:?}"))],
            Ok(t) => vec![
                ("value", sum(t.value)),
                ("reason", format!("{:?}", t.reason)),
                ("basis", format!("{:?}", t.basis)),
                ("parts", sum(t.parts)),
                ("whole", sum(t.whole)),
                ("difference", format!("{:?}", t.difference)),
                (
                    "pair",
                    t.pair.map_or("-".into(), |p| {
                        let (n, d) = (sum(Some(p.numerator)), sum(Some(p.denominator)));
                        format!("{n} / {d} in millionths {} times", p.millionths)
                    }),
                ),
                ("reported", t.reported.to_string()),
                ("covered", t.covered.to_string()),
                ("expected", t.expected.to_string()),
                ("unavailable", t.unavailable.to_string()),
                ("dates", t.dates.map_or("-".into(), |(a, b)| format!("{a} {b}"))),
                ("estimated", t.estimated.to_string()),
                ("carried", t.carried.to_string()),
            ],
        }
    };
    let (left, right) = (lines(oracle), lines(core));
    let mut out = format!("asked: {}\n    {:<12} {:<40} core\n", asked(registry, question), "", "oracle");
    for i in 0..left.len().max(right.len()) {
        let at = |lines: &[(&'static str, String)]| {
            lines.get(i).map_or(("", String::new()), |l| (l.0, l.1.clone()))
        };
        let ((name, a), (other, b)) = (at(&left), at(&right));
        let mark = if (name, &a) == (other, &b) { ' ' } else { '*' };
        out += &format!("  {mark} {:<12} {a:<40} {b}\n", if name.is_empty() { other } else { name });
    }
    out
}

fn sum(sum: Option<tonghop_core::quantity::Sum>) -> String {
    sum.map_or("-".into(), |s| format!("{} ({} exact, {})", s.value, s.exact, s.qualifier.code()))
}
