//! SYNTHETIC figures to look at: what provinces declare and communes report, month after month, with units that are
//! late, figures that are not exact, and declarations that are not the sum of their parts. All of it says that it is
//! made up, in the source and the note of every submission.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tonghop::synthetic::{Draws, NOTE, SEED};
use tonghop_core::dimension::{DimensionKind, REPORTER};
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::period::{Frequency, Period};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;

use crate::Server;
use crate::server::shipped_draft;

/// The source of every submission.
pub const SOURCE: &str = "synthetic-showcase";
/// The month that everything leads to, before the reform of 2025.
pub const MONTH: &str = "2024-M05";
/// The province whose communes report: Bắc Kạn before the reform.
pub const PROVINCE: &str = "06";

/// How much is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A few provinces and indicators: what a test walks through.
    Small,
    /// Every province and core indicator, for years, on both maps: what a screenshot shows.
    Full,
}

/// What is reported of one indicator.
struct Line {
    code: String,
    breakdown: BTreeMap<String, String>,
    frequency: Frequency,
    /// The indicator's calendar has nothing shorter than a year.
    year_only: bool,
    indicator: Indicator,
    /// How many times it is a part of a part.
    depth: u32,
}

/// A registry with words for made-up figures.
#[derive(Debug)]
pub struct Showcase {
    registry: Registry,
    size: Size,
}

impl Showcase {
    /// Of the registry that ships.
    ///
    /// # Panics
    /// Where it does not build.
    pub fn new(size: Size) -> Showcase {
        let registry = Registry::build(shipped_draft(), None).expect("the registry that ships");
        Showcase { registry, size }
    }

    /// Reports everything, and waits until it is in every total.
    ///
    /// # Panics
    /// Where a submission is refused.
    pub async fn report(&self, server: &Server) {
        let mut batches: Vec<(String, Vec<Value>)> = Vec::new();
        for (unit, periods) in self.declaring() {
            let code = self.registry.unit(unit).code.clone();
            let mut figures = Vec::new();
            for line in self.lines() {
                for period in periods.iter().filter(|p| self.takes(&line, **p)) {
                    if !self.is_late(&code, *period) {
                        figures.push(self.figure(&line, unit, *period, "territory", 40, 900));
                    }
                }
            }
            batches.push((format!("{code}-{}", periods.len()), figures));
        }
        batches.push((format!("{PROVINCE}-communes"), self.of_communes()));
        let mut last = 0;
        for (key, figures) in batches.into_iter().filter(|(_, figures)| !figures.is_empty()) {
            let document = json!({ "source": SOURCE, "note": NOTE, "figures": figures });
            let reply = server.push_json(&format!("{SOURCE}-{key}"), &document).await;
            reply.expect(201);
            last = last.max(reply.position());
        }
        server.wait(last).await;
    }

    /// Which provinces declare, and for which periods.
    fn declaring(&self) -> Vec<(UnitId, Vec<Period>)> {
        let calendar = self.registry.calendar("nd09").expect("the calendar of the programmes");
        let nation = self.registry.nation();
        let on = |label: &str| {
            let period = Period::parse(label).expect("a period");
            self.registry.map_on(calendar.last_day(period)).children(nation).to_vec()
        };
        let old = on(MONTH);
        match self.size {
            Size::Small => {
                let few = old
                    .into_iter()
                    .filter(|u| ["06", "19", "24"].contains(&self.registry.unit(*u).code.as_str()));
                few.map(|unit| (unit, months(2024, 3..=5))).collect()
            }
            Size::Full => {
                let mut before: Vec<Period> = (2016..=2023).map(Period::Year).collect();
                before.extend(months(2023, 5..=12));
                before.extend((2..=4).map(|q| Period::Quarter(2023, q)));
                before.extend([Period::Half(2023, 1), Period::Half(2023, 2), Period::Half(2024, 1)]);
                before.extend(months(2024, 1..=12));
                before.extend((1..=4).map(|q| Period::Quarter(2024, q)));
                before.extend([Period::Half(2024, 2), Period::Year(2024)]);
                before.extend(months(2025, 1..=6));
                let mut after = months(2025, 8..=12);
                after.extend([
                    Period::Quarter(2025, 3),
                    Period::Quarter(2025, 4),
                    Period::Half(2025, 2),
                    Period::Year(2025),
                ]);
                let new = on("2025");
                let old = old.into_iter().map(|unit| (unit, before.clone()));
                old.chain(new.into_iter().map(|unit| (unit, after.clone()))).collect()
            }
        }
    }

    /// What is reported: of the core, or of a few of it, everything that is a count and is not given by the map.
    fn lines(&self) -> Vec<Line> {
        let wanted = |i: &Indicator| match self.size {
            Size::Small => ["tg01", "tg02", "tt01", "ll03"].contains(&i.short_code()),
            Size::Full => i.core,
        };
        let counted = |i: &Indicator| !i.from_map && !matches!(i.kind, Kind::Ratio(_));
        let all = self.registry.indicators().iter().filter(|i| wanted(i) && counted(i));
        all.map(|indicator| {
            let mut breakdown = BTreeMap::new();
            for code in &indicator.dimensions {
                let dimension = self.registry.dimension(code).expect("a dimension");
                if code == REPORTER {
                    breakdown.extend(indicator.reporters.first().map(|side| (code.clone(), side.clone())));
                } else if dimension.kind == DimensionKind::Partition {
                    breakdown.insert(code.clone(), "undivided".to_owned());
                }
            }
            Line {
                code: indicator.code.clone(),
                breakdown,
                frequency: indicator.frequency,
                year_only: indicator.calendar.year_only,
                indicator: Indicator::clone(indicator),
                depth: self.depth(&indicator.code, 0),
            }
        })
        .collect()
    }

    /// How often an indicator is a part of a part of another.
    fn depth(&self, code: &str, seen: u32) -> u32 {
        let wholes = self.registry.indicators().iter().filter_map(|i| match &i.kind {
            Kind::Ratio(of) if of.numerator_is_part && of.numerator.iter().any(|n| n == code) => Some(of),
            _ => None,
        });
        // The catalogue's chains are short.
        let next = |of: &tonghop_core::indicator::RatioOf| {
            of.denominator.iter().filter(|_| seen < 4).map(|d| self.depth(d, seen + 1)).max().unwrap_or(0) + 1
        };
        wholes.map(next).max().unwrap_or(0)
    }

    /// Whether a figure of this period is one collection period's, and the indicator in force for it.
    fn takes(&self, line: &Line, period: Period) -> bool {
        let is_its = match (line.frequency, period) {
            _ if line.year_only => matches!(period, Period::Year(_)),
            (Frequency::Month | Frequency::Event, Period::Month(..))
            | (Frequency::Quarter, Period::Quarter(..))
            | (Frequency::Half, Period::Half(..))
            | (Frequency::Year, Period::Year(_)) => true,
            // Before the months begin, years are all there is.
            (_, Period::Year(year)) => year < 2023,
            _ => false,
        };
        is_its && line.indicator.in_force(period)
    }

    /// Every seventh has nothing yet for the newest periods of its map.
    fn is_late(&self, code: &str, period: Period) -> bool {
        let newest = [MONTH, "2024-H1", "2025", "2025-M12", "2025-Q4", "2025-H2"];
        let is_newest = newest.iter().any(|label| Period::parse(label) == Ok(period));
        is_newest && Draws::of(SEED, &[code, "late"]).within(0, 6) == 0
    }

    fn figure(&self, line: &Line, unit: UnitId, period: Period, scope: &str, least: u64, most: u64) -> Value {
        let unit = self.registry.unit(unit);
        // What is collected at a unit's own level it does not declare for those below.
        let scope = if unit.level == line.indicator.collection_level { "own" } else { scope };
        let mut size = Draws::of(SEED, &[&unit.code, "size"]);
        // Of one unit everything is large, or everything small; a part is at most half of its whole.
        let base = size.within(least, most);
        let mut draws = Draws::of(SEED, &[&unit.code, &line.code, &period.to_string()]);
        let months = period.months().map_or(1, |(first, last)| u64::try_from(last - first + 1).unwrap_or(1));
        let months = if line.indicator.is_stock() { 1 } else { months };
        let whole = base * draws.within(80, 120) / 100 * months;
        let value = if line.depth == 0 {
            whole + base * months
        } else {
            (base * months * draws.within(70, 100) / 100) >> (line.depth - 1).min(8)
        };
        let places = usize::from(line.indicator.decimals);
        let value = if places == 0 { value.to_string() } else { format!("{value}.{:0places$}", 0) };
        let qualifier = match draws.within(1, 40) {
            1 => "at_least",
            2 => "about",
            _ => "exact",
        };
        json!({
            "unit": unit.code, "indicator": line.code, "period": period.to_string(), "scope": scope,
            "value": value, "qualifier": qualifier, "breakdown": line.breakdown,
        })
    }

    /// The communes of one province report the month themselves, but for one in nine.
    fn of_communes(&self) -> Vec<Value> {
        let month = Period::parse(MONTH).expect("a period");
        let calendar = self.registry.calendar("nd09").expect("the calendar of the programmes");
        let map = self.registry.map_on(calendar.last_day(month));
        let is_below = |unit: &UnitId| {
            let unit = self.registry.unit(*unit);
            let above =
                map.ancestry(unit.id).map(|u| self.registry.unit(u).code.as_str()).collect::<Vec<_>>();
            unit.level == self.registry.units().iter().map(|u| u.level).max().expect("a level")
                && above.contains(&PROVINCE)
        };
        let mut figures = Vec::new();
        for unit in map.units().filter(is_below) {
            let code = &self.registry.unit(unit).code;
            if Draws::of(SEED, &[code, "late"]).within(0, 8) == 0 {
                continue;
            }
            let level = self.registry.unit(unit).level;
            let is_theirs =
                |line: &&Line| line.indicator.collection_level == level && self.takes(line, month);
            for line in self.lines().iter().filter(is_theirs) {
                figures.push(self.figure(line, unit, month, "own", 1, 9));
            }
        }
        figures
    }
}

fn months(year: i16, months: std::ops::RangeInclusive<i8>) -> Vec<Period> {
    months.map(|m| Period::Month(year, m)).collect()
}
