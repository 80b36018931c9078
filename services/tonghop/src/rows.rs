//! Totals and figures as rows of tables.

use std::collections::HashMap;

use tonghop_proto::query::{FigureRevision, Total, UnitRef};
use tonghop_proto::registry::Indicator;

use crate::table::{Align, Table};
use crate::words;

/// The longest name that is shown whole in a table.
const NAME: usize = 48;

/// Names of indicators by code; where one is not known its code stands alone.
#[derive(Clone, Debug, Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// The Vietnamese names.
    pub fn new(indicators: &[Indicator]) -> Names {
        Names(indicators.iter().map(|i| (i.code.clone(), i.name_vi.clone())).collect())
    }

    /// Code and name.
    pub fn of(&self, code: &str) -> String {
        match self.0.get(code) {
            Some(name) => {
                let mut short: String = name.chars().take(NAME).collect();
                if name.chars().nth(NAME).is_some() {
                    short = format!("{}…", short.trim_end());
                }
                format!("{} {short}", code.split('-').next().unwrap_or(code))
            }
            None => code.to_owned(),
        }
    }
}

/// A unit's name and code.
pub fn unit(unit: Option<&UnitRef>) -> String {
    unit.map_or_else(String::new, |u| format!("{} ({})", u.name, u.code))
}

/// What a total says: its value, or why there is none.
pub fn headline(total: &Total) -> String {
    match &total.value {
        Some(value) => words::value(value, &total.qualifier),
        None => "–".to_owned(),
    }
}

/// What a headline is taken from, or why there is none.
pub fn basis_or_reason(total: &Total) -> String {
    if !total.refused.is_empty() {
        format!("refused: {}", total.refused)
    } else if total.value.is_none() {
        words::reason(&total.reason).to_owned()
    } else {
        words::basis(&total.basis).to_owned()
    }
}

/// A breakdown with room to break; what is only for some of a whole says so.
pub fn breakdown(text: &str) -> String {
    text.replace('|', " ")
}

/// Whether there is anything at all behind a total.
pub fn has_anything(total: &Total) -> bool {
    total.value.is_some()
        || total.whole.is_some()
        || total.parts.is_some()
        || !total.given.is_empty()
        || !matches!(total.reason.as_str(), "" | "missing")
}

fn optional(value: Option<&String>) -> String {
    value.map_or_else(String::new, |v| words::number(v))
}

/// Which columns identify a row.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The unit.
    pub unit: bool,
    /// The indicator.
    pub indicator: bool,
    /// The period.
    pub period: bool,
    /// The breakdown.
    pub breakdown: bool,
}

impl Shown {
    /// All of them.
    pub const ALL: Shown = Shown { unit: true, indicator: true, period: true, breakdown: true };
}

/// A table of totals, in lines: what is asked for, the headline and its unit of measure, what it is taken from,
/// declared, computed and their difference, and coverage. Columns with nothing in them are left out; refusals,
/// which are long, stand below the table.
pub fn totals(totals: &[Total], names: &Names, shown: Shown) -> Vec<String> {
    let (l, r) = (Align::Left, Align::Right);
    let mut refusals: Vec<&str> = vec![];
    let mut table = Table::new(&[
        ("unit", l),
        ("indicator", l),
        ("breakdown", l),
        ("period", l),
        ("total", r),
        ("of", l),
        ("basis", l),
        ("declared", r),
        ("computed", r),
        ("difference", r),
        ("than before", r),
        ("than last year", r),
        ("of the nation", r),
        ("place", r),
        ("reported", r),
        ("covered / expected", r),
        ("as-of", l),
        ("", l),
    ]);
    for t in totals {
        let basis = match t.refused.as_str() {
            "" => basis_or_reason(t),
            refused => {
                let at = refusals.iter().position(|r| *r == refused).unwrap_or_else(|| {
                    refusals.push(refused);
                    refusals.len() - 1
                });
                format!("no such total [{}]", at + 1)
            }
        };
        let when = |yes: bool, text: String| if yes { text } else { String::new() };
        let declared = if t.basis == "reported" { String::new() } else { optional(t.whole.as_ref()) };
        let counted = t.expected > 0;
        table.push(vec![
            when(shown.unit, unit(t.unit.as_ref())),
            when(shown.indicator, names.of(&t.indicator)),
            when(shown.breakdown, breakdown(&t.breakdown)),
            when(shown.period, t.period.clone()),
            headline(t),
            t.unit_of_measure_vi.clone(),
            basis,
            declared,
            optional(t.parts.as_ref()),
            optional(t.difference.as_ref()),
            words::change(t, "previous"),
            words::change(t, "last_year"),
            words::share(t),
            words::place(t),
            when(counted, words::number(&t.reported.to_string())),
            when(counted, words::coverage(t.covered, t.expected)),
            if t.oldest == t.newest { t.oldest.clone() } else { format!("{} – {}", t.oldest, t.newest) },
            words::marks(t),
        ]);
    }
    let mut lines = table.without_empty_columns().lines(0);
    lines.extend(refusals.iter().enumerate().map(|(i, refused)| format!("[{}] {refused}", i + 1)));
    lines
}

/// What a revision says.
pub fn stated(figure: &FigureRevision) -> String {
    match &figure.value {
        Some(value) => words::value(value, &figure.qualifier),
        None if figure.withdrawn => "withdrawn".to_owned(),
        None => format!("not available: {}", figure.not_available_reason),
    }
}

/// A table of revisions with their submissions.
pub fn figures(figures: &[FigureRevision]) -> Table {
    let (l, r) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("unit", l),
        ("scope", l),
        ("period", l),
        ("breakdown", l),
        ("value", r),
        ("", l),
        ("position", r),
        ("source", l),
        ("submission", l),
        ("received", l),
    ]);
    for f in figures {
        table.push(vec![
            unit(f.unit.as_ref()),
            words::scope(&f.scope).to_owned(),
            f.period.clone(),
            breakdown(&f.breakdown),
            stated(f),
            if f.current { String::new() } else { "revised since".to_owned() },
            f.position.to_string(),
            f.source.clone(),
            f.submission.clone(),
            f.received_at.clone(),
        ]);
    }
    table.without_empty_columns()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_value_measure_basis_and_coverage_and_nothing_that_is_empty() {
        let total = Total {
            unit: Some(UnitRef { code: "VN".into(), name: "Việt Nam".into(), level: "nation".into() }),
            indicator: "tt03-legal-study-sessions".into(),
            period: "2013..2023".into(),
            value: Some("2100".into()),
            qualifier: "at_least".into(),
            basis: "partial".into(),
            covered: 4752,
            expected: 441760,
            unit_of_measure_vi: "buổi".into(),
            ..Total::default()
        };
        let names = Names::new(&[Indicator {
            code: "tt03-legal-study-sessions".into(),
            name_vi: "Số buổi học tập".into(),
            ..Indicator::default()
        }]);
        let shown = Shown { unit: false, period: false, ..Shown::ALL };
        assert_eq!(
            totals(&[total], &names, shown),
            [
                "indicator               total  of    basis                   reported  covered / expected",
                "────────────────────  ───────  ────  ──────────────────────  ────────  ──────────────────",
                "tt03 Số buổi học tập  ≥ 2.100  buổi  partial · cộng chưa đủ         0     4.752 / 441.760",
            ]
        );
    }

    #[test]
    fn a_row_without_a_value_says_why() {
        let missing = Total { reason: "missing".into(), ..Total::default() };
        assert_eq!((headline(&missing).as_str(), has_anything(&missing)), ("–", false));
        let refused = Total { refused: "sides overlap".into(), ..Total::default() };
        assert_eq!(basis_or_reason(&refused), "refused: sides overlap");
        assert_eq!(
            totals(&[refused.clone(), refused], &Names::default(), Shown::ALL),
            [
                "total  basis",
                "─────  ─────────────────",
                "    –  no such total [1]",
                "    –  no such total [1]",
                "[1] sides overlap",
            ]
        );
        let listed = Total { reason: "not_aggregable".into(), ..Total::default() };
        assert!(has_anything(&listed));
    }
}
