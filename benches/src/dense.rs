//! The ceiling of rolling up: dense arrays, every unit a run of its parts, on all cores.

use crate::figures::{Country, Month, value};

/// A year's values, by indicator, month, commune.
pub(crate) struct Dense {
    values: Vec<i32>,
    communes: usize,
    indicators: usize,
    /// Where each district's communes begin, and the end.
    districts: Vec<usize>,
    /// Where each province's districts begin, and the end.
    provinces: Vec<usize>,
}

/// Which levels are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Levels {
    /// The nation and its provinces.
    Stored,
    /// Districts and communes as well.
    All,
}

/// Months of a year.
const MONTHS: usize = 12;
/// The standard periods longer than a month, as their months: quarters, half-years, nine months, the year.
const LONGER: [(usize, usize); 8] = [(0, 3), (3, 6), (6, 9), (9, 12), (0, 6), (6, 12), (0, 9), (0, 12)];

/// Sums, and how many cells are in them, of one level: by indicator, period, unit.
type Totals = Vec<(i64, u32)>;

impl Dense {
    /// The figures of a year.
    pub(crate) fn of(country: &Country, year: i32) -> Dense {
        let (communes, indicators) = (country.communes.len(), country.indicators);
        let mut values = Vec::with_capacity(communes * indicators * MONTHS);
        for indicator in 0..indicators {
            for month in 1..=MONTHS as u32 {
                let month = Month { year, month };
                values.extend((0..communes).map(|commune| value(commune, indicator, month) as i32));
            }
        }
        let starts = |of: &dyn Fn(usize) -> usize, units: usize| {
            let mut starts: Vec<usize> = (0..communes).filter(|c| *c == 0 || of(*c) != of(*c - 1)).collect();
            assert!(starts.len() <= units, "units are runs of communes");
            starts.push(communes);
            starts
        };
        let districts = starts(&|c| country.communes[c].district, country.districts.len());
        let in_communes = starts(&|c| country.communes[c].province, country.provinces.len());
        let provinces =
            in_communes.iter().filter_map(|start| districts.iter().position(|d| d == start)).collect();
        Dense { values, communes, indicators, districts, provinces }
    }

    /// Rolls everything up; the nation's sum of the year by indicator, and how many cells are in all of them.
    pub(crate) fn roll_up(&self, levels: Levels) -> (Vec<i64>, u64) {
        let half = self.indicators.div_ceil(2);
        let (mut nation, mut cells) = (Vec::new(), 0);
        std::thread::scope(|scope| {
            let parts = [(0, half), (half, self.indicators)];
            let running = parts.map(|(from, to)| scope.spawn(move || self.some(from, to, levels)));
            for one in running {
                let (sums, count) = one.join().unwrap_or_default();
                nation.extend(sums);
                cells += count;
            }
        });
        (nation, cells)
    }

    fn some(&self, from: usize, to: usize, levels: Levels) -> (Vec<i64>, u64) {
        let (mut nation, mut cells) = (Vec::new(), 0_u64);
        for indicator in from..to {
            let of_month = |month: usize| {
                let start = (indicator * MONTHS + month) * self.communes;
                &self.values[start..start + self.communes]
            };
            if levels == Levels::All {
                let communes = longer_of(self.communes, |month, unit| (i64::from(of_month(month)[unit]), 1));
                std::hint::black_box(&communes);
            }
            let mut districts: Totals = Vec::with_capacity((self.districts.len() - 1) * MONTHS);
            for month in 0..MONTHS {
                let values = of_month(month);
                districts.extend(self.districts.windows(2).map(|ends| {
                    let all = &values[ends[0]..ends[1]];
                    (all.iter().map(|v| i64::from(*v)).sum(), all.len() as u32)
                }));
            }
            let in_month = self.districts.len() - 1;
            if levels == Levels::All {
                std::hint::black_box(longer_of(in_month, |month, unit| districts[month * in_month + unit]));
            }
            let mut provinces: Totals = Vec::with_capacity((self.provinces.len() - 1) * MONTHS);
            for month in districts.chunks_exact(in_month) {
                provinces.extend(self.provinces.windows(2).map(|ends| sum(&month[ends[0]..ends[1]])));
            }
            let in_nation = self.provinces.len() - 1;
            std::hint::black_box(longer_of(in_nation, |month, unit| provinces[month * in_nation + unit]));
            let months: Totals = provinces.chunks_exact(in_nation).map(sum).collect();
            let all = longer_of(1, |month, _| months[month]);
            let year = all[LONGER.len() - 1];
            nation.push(year.0);
            cells += u64::from(year.1);
        }
        (nation, cells)
    }
}

fn sum(parts: &[(i64, u32)]) -> (i64, u32) {
    parts.iter().fold((0, 0), |(value, cells), part| (value + part.0, cells + part.1))
}

/// The longer periods of some units: quarters of months, the others of quarters.
fn longer_of(units: usize, month: impl Fn(usize, usize) -> (i64, u32)) -> Totals {
    let mut out: Totals = Vec::with_capacity(units * LONGER.len());
    for quarter in 0..4 {
        out.extend((0..units).map(|unit| {
            let of = |m: usize| month(3 * quarter + m, unit);
            sum(&[of(0), of(1), of(2)])
        }));
    }
    for (from, to) in &LONGER[4..] {
        for unit in 0..units {
            let mut all = (0, 0);
            for quarter in from / 3..to / 3 {
                let (value, cells) = out[quarter * units + unit];
                all = (all.0 + value, all.1 + cells);
            }
            out.push(all);
        }
    }
    out
}
