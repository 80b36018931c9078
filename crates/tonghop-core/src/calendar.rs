//! Reporting calendars: which days a labelled period covers.
//!
//! The default of the coordination programmes is `nd09` (Nghị định 09/2019/NĐ-CP, Điều 12), whose year runs
//! from 15 December to 14 December. A calendar is data: here only its first day is known.

use jiff::civil::{Date, date};

use crate::period::Period;

const EPOCH: Date = date(1970, 1, 1);

/// A day as days since 1970-01-01, as it is stored.
pub fn day_number(day: Date) -> i32 {
    day.since((jiff::Unit::Day, EPOCH)).map_or(0, |span| span.get_days())
}

/// The day of a [number](day_number); `None` outside the years that a date can have.
pub fn day_of_number(number: i32) -> Option<Date> {
    EPOCH.checked_add(jiff::Span::new().try_days(number).ok()?).ok()
}

/// A reporting calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Its code, as `nd09`.
    pub code: String,
    /// Its Vietnamese name.
    pub name_vi: String,
    /// Month in which the year starts, `1..=12`.
    pub start_month: i8,
    /// Day of the month on which the year and every month start, `1..=28`.
    pub start_day: i8,
    /// Whether nothing shorter than a year is defined in it.
    pub year_only: bool,
}

impl Calendar {
    /// First and last day of a period, both included.
    pub fn days(&self, period: Period) -> (Date, Date) {
        match (period, period.months()) {
            (Period::Instant(day), _) => (day, day),
            (_, Some((first, last))) => {
                let next = self.month_start(last + 1);
                (self.month_start(first), next.yesterday().unwrap_or(next))
            }
            (_, None) => unreachable!("only an instant has no months"),
        }
    }

    /// First day of a period.
    pub fn first_day(&self, period: Period) -> Date {
        self.days(period).0
    }

    /// Last day of a period.
    pub fn last_day(&self, period: Period) -> Date {
        self.days(period).1
    }

    /// The label of the year that a day falls into.
    pub fn year_of(&self, day: Date) -> i16 {
        let label = day.year();
        if day > self.last_day(Period::Year(label)) { label + 1 } else { label }
    }

    /// First day of a month counted from month 1 of year 0. A year is labelled by the civil year of its last
    /// day, so a year that does not start on 1 January starts in the civil year before its label.
    fn month_start(&self, month: i32) -> Date {
        let shift = if (self.start_month, self.start_day) == (1, 1) { 0 } else { 12 };
        let civil = month - shift + i32::from(self.start_month) - 1;
        date(civil.div_euclid(12) as i16, civil.rem_euclid(12) as i8 + 1, self.start_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(code: &str, start_month: i8, start_day: i8) -> Calendar {
        Calendar { code: code.into(), name_vi: String::new(), start_month, start_day, year_only: false }
    }

    fn days(calendar: &Calendar, period: &str) -> String {
        let (first, last) = calendar.days(Period::parse(period).unwrap());
        format!("{first} {last}")
    }

    /// Nghị định 09/2019/NĐ-CP, Điều 12.
    #[test]
    fn nd09_runs_as_its_decree_says() {
        let nd09 = calendar("nd09", 12, 15);
        assert_eq!(days(&nd09, "2024-M01"), "2023-12-15 2024-01-14");
        assert_eq!(days(&nd09, "2024-M03"), "2024-02-15 2024-03-14");
        assert_eq!(days(&nd09, "2024-Q2"), "2024-03-15 2024-06-14");
        assert_eq!(days(&nd09, "2024-H1"), "2023-12-15 2024-06-14");
        assert_eq!(days(&nd09, "2024-H2"), "2024-06-15 2024-12-14");
        assert_eq!(days(&nd09, "2024-9M"), "2023-12-15 2024-09-14");
        assert_eq!(days(&nd09, "2024"), "2023-12-15 2024-12-14");
        assert_eq!(days(&nd09, "2013..2023"), "2012-12-15 2023-12-14");
        assert_eq!(nd09.year_of(date(2023, 12, 14)), 2023);
        assert_eq!(nd09.year_of(date(2023, 12, 15)), 2024);
    }

    #[test]
    fn days_are_numbered_from_1970() {
        assert_eq!(day_number(date(1970, 1, 1)), 0);
        assert_eq!(day_number(date(1969, 12, 31)), -1);
        assert_eq!(day_number(date(2025, 7, 1)), 20_270);
        for day in [Date::MIN, date(1945, 9, 2), date(2025, 7, 1), Date::MAX] {
            assert_eq!(day_of_number(day_number(day)), Some(day));
        }
        assert_eq!(day_of_number(i32::MAX), None);
    }

    #[test]
    fn civil_is_the_ordinary_calendar() {
        let civil = calendar("civil", 1, 1);
        assert_eq!(days(&civil, "2024-M02"), "2024-02-01 2024-02-29");
        assert_eq!(days(&civil, "2024-Q4"), "2024-10-01 2024-12-31");
        assert_eq!(civil.year_of(date(2024, 12, 31)), 2024);
    }

    #[test]
    fn a_year_that_starts_in_autumn_is_labelled_by_its_end() {
        assert_eq!(days(&calendar("kdc", 11, 1), "2023"), "2022-11-01 2023-10-31");
        assert_eq!(days(&calendar("school-year", 9, 1), "2024"), "2023-09-01 2024-08-31");
    }
}
