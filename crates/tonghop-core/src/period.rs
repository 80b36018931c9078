//! Labelled reporting periods (kỳ báo cáo).
//!
//! A [`Period`] is the label; which days it covers is said by a [`Calendar`](crate::calendar::Calendar).

use std::fmt;

use jiff::Span;
use jiff::civil::Date;

/// The first year a period may be labelled with.
pub const FIRST_YEAR: i16 = 1945;
/// The last year a period may be labelled with.
pub const LAST_YEAR: i16 = 2199;

/// A labelled period. Written `2024-M03`, `2024-Q1`, `2024-H1`, `2024-9M`, `2024`, `2013..2023`; an instant is
/// a day, `2023-05-25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// One day: for what there is (stocks) on that day.
    Instant(Date),
    /// Month `1..=12` of a year of the calendar.
    Month(i16, i8),
    /// Quarter `1..=4`.
    Quarter(i16, i8),
    /// Half-year `1..=2`.
    Half(i16, i8),
    /// The first nine months.
    NineMonths(i16),
    /// A year.
    Year(i16),
    /// Several whole years, from the first to the last, both included; at least two.
    Span(i16, i16),
}

/// The kind of a period, from shortest to longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grain {
    /// A day.
    Instant,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A half-year.
    Half,
    /// Nine months.
    NineMonths,
    /// A year.
    Year,
    /// Several years.
    Span,
}

/// How often an indicator is collected: its collection period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Frequency {
    /// Whenever it happens; there is no collection period.
    Event,
    /// Every month.
    Month,
    /// Every quarter.
    Quarter,
    /// Every half-year.
    Half,
    /// Every year.
    Year,
}

impl Frequency {
    /// The grain of the collection period; `None` for what is collected by event.
    pub fn grain(self) -> Option<Grain> {
        match self {
            Frequency::Event => None,
            Frequency::Month => Some(Grain::Month),
            Frequency::Quarter => Some(Grain::Quarter),
            Frequency::Half => Some(Grain::Half),
            Frequency::Year => Some(Grain::Year),
        }
    }

    /// Length of the collection period in months; `None` for what is collected by event.
    pub fn months(self) -> Option<i32> {
        match self {
            Frequency::Event => None,
            Frequency::Month => Some(1),
            Frequency::Quarter => Some(3),
            Frequency::Half => Some(6),
            Frequency::Year => Some(12),
        }
    }

    /// The shortest grain a figure may have: the collection period, or a month for what is collected by event.
    pub fn shortest_grain(self) -> Grain {
        self.grain().unwrap_or(Grain::Month)
    }
}

/// Why a text is not a period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not of any of the written forms.
    #[error(
        "not a period: write 2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023, or a day as 2023-05-25"
    )]
    Form,
    /// A span whose last year is before its first.
    #[error("the span ends before it starts: the first year comes first, as in 2013..2023")]
    EndsBeforeStart,
    /// A year outside the supported range.
    #[error("the year is outside {FIRST_YEAR} to {LAST_YEAR}")]
    Year,
}

impl Period {
    /// Reads the written form; `S1`, `S2` are taken for `H1`, `H2`, and a span of one year for that year.
    ///
    /// # Errors
    /// Where the text is of no known form, a year is out of range, or a span ends before it starts.
    pub fn parse(text: &str) -> Result<Period, PeriodError> {
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (year(from)?, year(to)?);
            return match from.cmp(&to) {
                std::cmp::Ordering::Less => Ok(Period::Span(from, to)),
                std::cmp::Ordering::Equal => Ok(Period::Year(from)),
                std::cmp::Ordering::Greater => Err(PeriodError::EndsBeforeStart),
            };
        }
        let Some((y, part)) = text.split_once('-') else {
            return Ok(Period::Year(year(text)?));
        };
        let y = year(y)?;
        let bytes = part.as_bytes();
        match bytes {
            b"9M" => Ok(Period::NineMonths(y)),
            [b'M', tens @ b'0'..=b'1', ones @ b'0'..=b'9'] => {
                let month = ((tens - b'0') * 10 + (ones - b'0')) as i8;
                if (1..=12).contains(&month) { Ok(Period::Month(y, month)) } else { Err(PeriodError::Form) }
            }
            [b'Q', q @ b'1'..=b'4'] => Ok(Period::Quarter(y, (q - b'0') as i8)),
            [b'H' | b'S', h @ b'1'..=b'2'] => Ok(Period::Half(y, (h - b'0') as i8)),
            [_, _, b'-', _, _] if text.len() == 10 => {
                text.parse::<Date>().map(Period::Instant).map_err(|_| PeriodError::Form)
            }
            _ => Err(PeriodError::Form),
        }
    }

    /// The kind of period.
    pub fn grain(self) -> Grain {
        match self {
            Period::Instant(_) => Grain::Instant,
            Period::Month(..) => Grain::Month,
            Period::Quarter(..) => Grain::Quarter,
            Period::Half(..) => Grain::Half,
            Period::NineMonths(_) => Grain::NineMonths,
            Period::Year(_) => Grain::Year,
            Period::Span(..) => Grain::Span,
        }
    }

    /// First and last labelled year; `None` for an instant, whose year depends on the calendar.
    pub fn years(self) -> Option<(i16, i16)> {
        match self {
            Period::Instant(_) => None,
            Period::Month(y, _)
            | Period::Quarter(y, _)
            | Period::Half(y, _)
            | Period::NineMonths(y)
            | Period::Year(y) => Some((y, y)),
            Period::Span(from, to) => Some((from, to)),
        }
    }

    /// First and last month counted from month 1 of year 0, both included; `None` for an instant.
    pub fn months(self) -> Option<(i32, i32)> {
        let at = |y: i16, first: i32, n: i32| {
            let start = i32::from(y) * 12 + first;
            Some((start, start + n - 1))
        };
        match self {
            Period::Instant(_) => None,
            Period::Month(y, m) => at(y, i32::from(m) - 1, 1),
            Period::Quarter(y, q) => at(y, (i32::from(q) - 1) * 3, 3),
            Period::Half(y, h) => at(y, (i32::from(h) - 1) * 6, 6),
            Period::NineMonths(y) => at(y, 0, 9),
            Period::Year(y) => at(y, 0, 12),
            Period::Span(from, to) => at(from, 0, (i32::from(to) - i32::from(from) + 1) * 12),
        }
    }

    /// The period of the same length right before this one. None for an instant and for nine months, which have none,
    /// and before the first year there is.
    pub fn previous(self) -> Option<Period> {
        let year = |y: i16| (FIRST_YEAR..=LAST_YEAR).contains(&y).then_some(y);
        match self {
            Period::Instant(_) | Period::NineMonths(_) => None,
            Period::Month(y, 1) => year(y - 1).map(|y| Period::Month(y, 12)),
            Period::Month(y, m) => Some(Period::Month(y, m - 1)),
            Period::Quarter(y, 1) => year(y - 1).map(|y| Period::Quarter(y, 4)),
            Period::Quarter(y, q) => Some(Period::Quarter(y, q - 1)),
            Period::Half(y, 1) => year(y - 1).map(|y| Period::Half(y, 2)),
            Period::Half(y, h) => Some(Period::Half(y, h - 1)),
            Period::Year(y) => year(y - 1).map(Period::Year),
            Period::Span(from, to) => {
                let years = to - from + 1;
                year(from - years).map(|from| Period::Span(from, from + years - 1))
            }
        }
    }

    /// The same period of the year before. None for a span, and before the first year there is.
    pub fn last_year(self) -> Option<Period> {
        let year = |y: i16| (FIRST_YEAR..=LAST_YEAR).contains(&y).then_some(y);
        match self {
            Period::Instant(day) => day.checked_sub(Span::new().years(1)).ok().map(Period::Instant),
            Period::Month(y, m) => year(y - 1).map(|y| Period::Month(y, m)),
            Period::Quarter(y, q) => year(y - 1).map(|y| Period::Quarter(y, q)),
            Period::Half(y, h) => year(y - 1).map(|y| Period::Half(y, h)),
            Period::NineMonths(y) => year(y - 1).map(Period::NineMonths),
            Period::Year(y) => year(y - 1).map(Period::Year),
            Period::Span(..) => None,
        }
    }

    /// The ways a period falls into shorter ones, the usual one first: a span into its years, a year into two
    /// half-years or into nine months and the fourth quarter, and so on. Empty for a month and an instant.
    pub fn tilings(self) -> Vec<Vec<Period>> {
        match self {
            Period::Instant(_) | Period::Month(..) => vec![],
            Period::Quarter(y, q) => {
                vec![(1..=3).map(|i| Period::Month(y, (q - 1) * 3 + i)).collect()]
            }
            Period::Half(y, h) => {
                vec![vec![Period::Quarter(y, h * 2 - 1), Period::Quarter(y, h * 2)]]
            }
            Period::NineMonths(y) => vec![vec![Period::Half(y, 1), Period::Quarter(y, 3)]],
            Period::Year(y) => vec![
                vec![Period::Half(y, 1), Period::Half(y, 2)],
                vec![Period::NineMonths(y), Period::Quarter(y, 4)],
            ],
            Period::Span(from, to) => vec![(from..=to).map(Period::Year).collect()],
        }
    }

    /// The tilings an indicator of this frequency can use: those in which no tile is shorter than the
    /// collection period.
    pub fn usable_tilings(self, frequency: Frequency) -> Vec<Vec<Period>> {
        if self.grain() <= frequency.shortest_grain() {
            return vec![];
        }
        let mut tilings = self.tilings();
        tilings.retain(|tiles| tiles.iter().all(|p| p.grain() >= frequency.shortest_grain()));
        tilings
    }

    /// The collection periods that lie in this period, in order. For an event indicator, and for a period
    /// shorter than the collection period, there are none.
    pub fn collection_periods(self, frequency: Frequency) -> Vec<Period> {
        let (Some(length), Some((first, last))) = (frequency.months(), self.months()) else {
            return vec![];
        };
        let mut start = first.div_euclid(length) * length;
        if start < first {
            start += length;
        }
        let mut out = Vec::new();
        while start + length - 1 <= last {
            let year = start.div_euclid(12) as i16;
            let index = start.rem_euclid(12) / length + 1;
            out.push(match frequency {
                Frequency::Month => Period::Month(year, index as i8),
                Frequency::Quarter => Period::Quarter(year, index as i8),
                Frequency::Half => Period::Half(year, index as i8),
                Frequency::Year | Frequency::Event => Period::Year(year),
            });
            start += length;
        }
        out
    }
}

fn year(text: &str) -> Result<i16, PeriodError> {
    if text.len() != 4 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PeriodError::Form);
    }
    let year: i16 = text.parse().map_err(|_| PeriodError::Form)?;
    if (FIRST_YEAR..=LAST_YEAR).contains(&year) { Ok(year) } else { Err(PeriodError::Year) }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::Instant(date) => write!(f, "{date}"),
            Period::Month(y, m) => write!(f, "{y:04}-M{m:02}"),
            Period::Quarter(y, q) => write!(f, "{y:04}-Q{q}"),
            Period::Half(y, h) => write!(f, "{y:04}-H{h}"),
            Period::NineMonths(y) => write!(f, "{y:04}-9M"),
            Period::Year(y) => write!(f, "{y:04}"),
            Period::Span(from, to) => write!(f, "{from:04}..{to:04}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    #[test]
    fn every_written_form_reads_back_as_itself() {
        for text in
            ["2024-M03", "2024-M12", "2024-Q1", "2024-H2", "2024-9M", "2024", "2013..2023", "2023-05-25"]
        {
            assert_eq!(p(text).to_string(), text);
        }
        assert_eq!(p("2024-S1"), Period::Half(2024, 1));
        assert_eq!(p("2024..2024"), Period::Year(2024));
    }

    #[test]
    fn every_period_but_an_instant_and_nine_months_has_one_before_it() {
        for (text, before) in [
            ("2024-M01", "2023-M12"),
            ("2024-M12", "2024-M11"),
            ("2024-Q1", "2023-Q4"),
            ("2024-H2", "2024-H1"),
            ("2024", "2023"),
            ("2013..2023", "2002..2012"),
        ] {
            assert_eq!(p(text).previous(), Some(p(before)), "{text}");
        }
        for text in ["2024-9M", "2023-05-25", "1945", "1945-M01", "1950..1960"] {
            assert_eq!(p(text).previous(), None, "{text}");
        }
    }

    #[test]
    fn every_period_but_a_span_has_one_a_year_before() {
        for (text, before) in [
            ("2024-M02", "2023-M02"),
            ("2024-9M", "2023-9M"),
            ("2024", "2023"),
            ("2024-02-29", "2023-02-28"),
            ("2023-05-25", "2022-05-25"),
        ] {
            assert_eq!(p(text).last_year(), Some(p(before)), "{text}");
        }
        assert_eq!(p("2013..2023").last_year(), None);
        assert_eq!(p("1945-Q2").last_year(), None);
    }

    #[test]
    fn what_is_no_period_is_refused_with_its_reason() {
        for text in ["", "2024-M13", "2024-M00", "2024-M3", "2024-Q5", "24-M01", "2024-02-30", "2024 ", "x"] {
            assert_eq!(Period::parse(text), Err(PeriodError::Form), "{text}");
        }
        assert_eq!(Period::parse("2023..2013"), Err(PeriodError::EndsBeforeStart));
        assert_eq!(Period::parse("1066"), Err(PeriodError::Year));
    }

    #[test]
    fn tiles_cover_their_period_without_gap_or_overlap() {
        for text in ["2024-Q2", "2024-H1", "2024-9M", "2024", "2013..2016"] {
            for tiles in p(text).tilings() {
                let (first, last) = p(text).months().unwrap();
                let mut next = first;
                for tile in tiles {
                    let (a, b) = tile.months().unwrap();
                    assert_eq!(a, next, "{text}: {tile}");
                    next = b + 1;
                }
                assert_eq!(next, last + 1, "{text}");
            }
        }
    }

    #[test]
    fn only_tilings_of_whole_collection_periods_are_usable() {
        assert_eq!(p("2024").usable_tilings(Frequency::Half), vec![vec![p("2024-H1"), p("2024-H2")]]);
        assert!(p("2024-9M").usable_tilings(Frequency::Half).is_empty());
        assert!(p("2024-Q1").usable_tilings(Frequency::Quarter).is_empty());
        assert_eq!(p("2024").usable_tilings(Frequency::Event).len(), 2);
        assert!(p("2024-M01").usable_tilings(Frequency::Event).is_empty());
    }

    #[test]
    fn collection_periods_are_those_wholly_inside() {
        let texts = |period: &str, f| {
            p(period).collection_periods(f).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(texts("2024-9M", Frequency::Half), ["2024-H1"]);
        assert_eq!(texts("2024-9M", Frequency::Quarter), ["2024-Q1", "2024-Q2", "2024-Q3"]);
        assert_eq!(texts("2024-Q4", Frequency::Half), [""; 0]);
        assert_eq!(p("2013..2023").collection_periods(Frequency::Month).len(), 132);
    }
}
