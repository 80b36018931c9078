//! What was measured: contestants at one work, in rounds, each as a ratio to others of the same round.

use std::fmt::Write as _;

use serde::Serialize;

use crate::disk::Canary;

/// One work and who did it.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// The row of the list of goals it belongs to.
    pub(crate) row: u8,
    pub(crate) work: String,
    /// Of the values: `s`, `ms`, `/s`.
    pub(crate) unit: &'static str,
    /// The first is what ratios are shown against.
    pub(crate) contestants: Vec<Contestant>,
    /// One for each round in which the disk was waited for.
    pub(crate) canaries: Vec<Canary>,
    pub(crate) goals: Vec<Goal>,
    /// What is to be known when reading it.
    pub(crate) notes: Vec<String>,
}

/// Who did it, and how long it took, or how often it was done, in each round.
#[derive(Debug, Serialize)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
    /// What its answers are other than they must be; empty where they agree, or nothing was asked.
    pub(crate) wrong: Vec<String>,
}

/// A ratio that is to be reached.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) contestant: String,
    /// Nothing: the value itself.
    pub(crate) against: Option<String>,
    pub(crate) at_most: Option<f64>,
    pub(crate) at_least: Option<f64>,
}

/// The middle of some values, and the least and the most.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of some values; none of none.
    pub(crate) fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            (sorted[half - 1] + sorted[half]) / 2.0
        } else {
            sorted[half]
        };
        Some(Spread { median, least, most })
    }
}

/// Three digits that say something.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A value that so many of a hundred others are not above.
pub(crate) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent).div_ceil(100).max(1) - 1;
    values.get(at).copied().unwrap_or(f64::NAN)
}

impl Table {
    /// With contestants that have done nothing yet.
    pub(crate) fn new(row: u8, work: impl Into<String>, unit: &'static str, names: &[&str]) -> Table {
        let contestant = |name: &&str| Contestant { name: (*name).to_owned(), values: vec![], wrong: vec![] };
        let contestants = names.iter().map(contestant).collect();
        Table { row, work: work.into(), unit, contestants, canaries: vec![], goals: vec![], notes: vec![] }
    }

    /// A contestant by name; one that is new comes last.
    pub(crate) fn of(&mut self, name: &str) -> &mut Contestant {
        let at = self.contestants.iter().position(|c| c.name == name).unwrap_or_else(|| {
            self.contestants.push(Contestant { name: name.to_owned(), values: vec![], wrong: vec![] });
            self.contestants.len() - 1
        });
        &mut self.contestants[at]
    }

    /// Wants a ratio to be at most so much.
    pub(crate) fn at_most(&mut self, contestant: &str, against: Option<&str>, limit: f64) {
        let against = against.map(str::to_owned);
        self.goals.push(Goal {
            contestant: contestant.to_owned(),
            against,
            at_most: Some(limit),
            at_least: None,
        });
    }

    /// Wants a ratio to be at least so much.
    pub(crate) fn at_least(&mut self, contestant: &str, against: Option<&str>, limit: f64) {
        let against = against.map(str::to_owned);
        self.goals.push(Goal {
            contestant: contestant.to_owned(),
            against,
            at_most: None,
            at_least: Some(limit),
        });
    }

    fn values(&self, name: &str) -> &[f64] {
        self.contestants.iter().find(|c| c.name == name).map_or(&[], |c| &c.values)
    }

    /// The ratios of one contestant to another, round by round.
    pub(crate) fn ratios(&self, name: &str, against: &str) -> Vec<f64> {
        self.values(name).iter().zip(self.values(against)).map(|(a, b)| a / b).collect()
    }

    /// As Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut out = format!("### Row {}: {}\n\n", self.row, self.work);
        let first = self.contestants.first().map(|c| c.name.clone()).unwrap_or_default();
        let _ = writeln!(
            out,
            "| | median ({}) | least–most | rounds | × {first} in the same round |\n|---|---|---|---|---|",
            self.unit
        );
        for one in &self.contestants {
            let Some(spread) = Spread::of(&one.values) else { continue };
            let ratio = Spread::of(&self.ratios(&one.name, &first)).map_or_else(String::new, |r| {
                format!("{} ({}–{})", short(r.median), short(r.least), short(r.most))
            });
            let wrong = one.wrong.first().map(|w| format!(" **WRONG: {w}**")).unwrap_or_default();
            let _ = writeln!(
                out,
                "| {}{wrong} | {} | {}–{} | {} | {ratio} |",
                one.name,
                short(spread.median),
                short(spread.least),
                short(spread.most),
                one.values.len(),
            );
        }
        out.push('\n');
        for goal in &self.goals {
            let values = match &goal.against {
                Some(against) => self.ratios(&goal.contestant, against),
                None => self.values(&goal.contestant).to_vec(),
            };
            let Some(spread) = Spread::of(&values) else { continue };
            let reached = goal.at_most.is_none_or(|limit| spread.median <= limit)
                && goal.at_least.is_none_or(|limit| spread.median >= limit);
            let limit = match (goal.at_most, goal.at_least) {
                (Some(limit), _) => format!("at most {}", short(limit)),
                (_, Some(limit)) => format!("at least {}", short(limit)),
                _ => String::new(),
            };
            let against = goal.against.as_ref().map_or_else(|| self.unit.to_owned(), |a| format!("× {a}"));
            let _ = writeln!(
                out,
                "- {} {}: {limit} {against} wanted, {} measured ({}–{})",
                if reached { "reached" } else { "**not reached**" },
                goal.contestant,
                short(spread.median),
                short(spread.least),
                short(spread.most)
            );
        }
        if let Some(spread) =
            Spread::of(&self.canaries.iter().map(|c| c.median_us as f64).collect::<Vec<_>>())
        {
            let worst = self.canaries.iter().map(|c| c.p99_us).max().unwrap_or(0);
            let _ = writeln!(
                out,
                "- The disk beside it: a synced append of 512 bytes took {} µs in the median ({}–{} over the rounds; worst p99 {worst} µs)",
                short(spread.median),
                short(spread.least),
                short(spread.most)
            );
        }
        for note in &self.notes {
            let _ = writeln!(out, "- {note}");
        }
        out.push('\n');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).expect("some");
        assert_eq!((spread.median, spread.least, spread.most), (2.5, 1.0, 4.0));
        assert!(Spread::of(&[]).is_none());
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 99), 99.0);
        assert_eq!(percentile(&mut values, 50), 50.0);
        assert_eq!(percentile(&mut [7.0], 99), 7.0);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let mut table = Table::new(1, "work", "s", &["log", "us"]);
        table.of("log").values = vec![1.0, 2.0];
        table.of("us").values = vec![3.0, 4.0];
        table.at_most("us", Some("log"), 2.0);
        assert_eq!(table.ratios("us", "log"), [3.0, 2.0]);
        assert!(table.markdown().contains("**not reached** us: at most 2.00 × log wanted, 2.50 measured"));
    }
}
