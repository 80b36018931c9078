//! The reader's language: words, numbers, dates and periods as they are written in it.
//!
//! Numbers are decimal strings from end to end; they are written in groups of three, never computed with.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::offset;
use tonghop_core::Date;
use tonghop_core::period::Period;
use tonghop_runtime::Language;

/// The language of a page: Vietnamese, where nothing else is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lang(pub(super) Language);

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Lang {
    /// What is asked for in the address, else the first that the browser prefers, else Vietnamese.
    pub(super) fn asked(in_address: &str, accepted: &str) -> Lang {
        let asked = Language::of_code(in_address).or_else(|| Language::accepted(accepted));
        Lang(asked.unwrap_or(Language::Vietnamese))
    }

    /// Its tag (BCP 47).
    pub(super) fn code(self) -> &'static str {
        self.0.code()
    }

    /// The other one.
    pub(super) fn other(self) -> Lang {
        Lang(self.of(Language::English, Language::Vietnamese))
    }

    /// The one of two that is written in it.
    pub(super) fn of<T>(self, vi: T, en: T) -> T {
        self.0.choose(vi, en)
    }

    /// A decimal: `37853.5` is `37.853,5` or `37,853.5`.
    pub(super) fn number(self, decimal: &str) -> String {
        let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |rest| ("\u{2212}", rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (group, point) = self.of(('.', ','), (',', '.'));
        let mut out = String::from(sign);
        let length = whole.chars().count();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (length - i).is_multiple_of(3) {
                out.push(group);
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push(point);
            out.push_str(fraction);
        }
        out
    }

    /// A count.
    pub(super) fn count(self, count: u64) -> String {
        self.number(&count.to_string())
    }

    /// How much of a whole a part is, in percent with one decimal, cut: only all is 100 %, and only nothing is 0 %.
    pub(super) fn percent(self, part: u64, whole: u64) -> String {
        let permille = permille(part, whole);
        match permille {
            0 if part > 0 => format!("<{}%", self.number("0.1")),
            _ if permille.is_multiple_of(10) => format!("{}%", permille / 10),
            _ => format!("{}%", self.number(&format!("{}.{}", permille / 10, permille % 10))),
        }
    }

    /// A day.
    pub(super) fn date(self, day: Date) -> String {
        let name = MONTHS.get(usize::try_from(day.month() - 1).unwrap_or(0)).copied().unwrap_or_default();
        self.of(
            format!("{:02}/{:02}/{}", day.day(), day.month(), day.year()),
            format!("{} {name} {}", day.day(), day.year()),
        )
    }

    /// A time of the wire, to the second, as clocks in Việt Nam show it.
    pub(super) fn time(self, time: &str) -> String {
        let Ok(time) = time.parse::<Timestamp>() else { return time.to_owned() };
        let there = vietnam(time);
        let clock = format!("{:02}:{:02}:{:02}", there.hour(), there.minute(), there.second());
        format!("{} {clock} (UTC+7)", self.date(there.date()))
    }

    /// A period, in full.
    pub(super) fn period(self, period: Period) -> String {
        let month = |m: i8| MONTHS.get(usize::try_from(m - 1).unwrap_or(0)).copied().unwrap_or_default();
        match period {
            Period::Instant(day) => self.date(day),
            Period::Month(y, m) => self.of(format!("Tháng {m}/{y}"), format!("{} {y}", month(m))),
            Period::Quarter(y, q) => self.of(format!("Quý {q}/{y}"), format!("Quarter {q} of {y}")),
            Period::Half(y, 1) => self.of(format!("6 tháng đầu năm {y}"), format!("First half of {y}")),
            Period::Half(y, _) => self.of(format!("6 tháng cuối năm {y}"), format!("Second half of {y}")),
            Period::NineMonths(y) => self.of(format!("9 tháng năm {y}"), format!("Nine months of {y}")),
            Period::Year(y) => self.of(format!("Năm {y}"), y.to_string()),
            Period::Span(from, to) => {
                self.of(format!("Giai đoạn {from}\u{2013}{to}"), format!("{from}\u{2013}{to}"))
            }
        }
    }

    /// A period where there is little room, as on an axis.
    pub(super) fn short_period(self, period: Period) -> String {
        let month = |m: i8| MONTHS.get(usize::try_from(m - 1).unwrap_or(0)).map_or("", |name| &name[..3]);
        match period {
            Period::Month(_, m) => self.of(format!("T{m}"), month(m).to_owned()),
            Period::Quarter(_, q) => format!("Q{q}"),
            Period::Half(_, h) => format!("H{h}"),
            Period::NineMonths(_) => self.of("9T", "9M").to_owned(),
            Period::Year(y) => y.to_string(),
            other => other.to_string(),
        }
    }
}

/// A time as clocks in Việt Nam show it, which have had this one offset since 1975.
pub(super) fn vietnam(time: Timestamp) -> DateTime {
    offset(7).to_datetime(time)
}

/// A part of a whole in thousandths, cut.
pub(super) fn permille(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    u64::try_from(u128::from(part) * 1000 / u128::from(whole)).unwrap_or(1000).min(1000)
}

/// A decimal of the wire in units of its last decimal, to draw and to order by.
pub(super) fn units(decimal: &str) -> Option<i128> {
    let (sign, digits) = decimal.strip_prefix('-').map_or((1, decimal), |rest| (-1, rest));
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    digits.parse::<i128>().ok().map(|value| sign * value)
}

/// How many decimals a decimal of the wire has.
pub(super) fn decimals(decimal: &str) -> u8 {
    let after = decimal.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    u8::try_from(after).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VI: Lang = Lang(Language::Vietnamese);
    const EN: Lang = Lang(Language::English);

    #[test]
    fn numbers_are_grouped_as_the_reader_writes_them() {
        for (decimal, vi, en) in [
            ("0", "0", "0"),
            ("999", "999", "999"),
            ("37853", "37.853", "37,853"),
            ("-1234567.50", "\u{2212}1.234.567,50", "\u{2212}1,234,567.50"),
            ("170141183460469231731", "170.141.183.460.469.231.731", "170,141,183,460,469,231,731"),
        ] {
            assert_eq!((VI.number(decimal), EN.number(decimal)), (vi.into(), en.into()));
        }
    }

    #[test]
    fn only_all_is_a_hundred_percent_and_only_nothing_is_none() {
        let shown = |part, whole| EN.percent(part, whole);
        assert_eq!(shown(9999, 10_000), "99.9%");
        assert_eq!(shown(10_000, 10_000), "100%");
        assert_eq!(shown(1, 1_000_000), "<0.1%");
        assert_eq!(shown(0, 5), "0%");
        assert_eq!(shown(0, 0), "0%");
        assert_eq!(VI.percent(1, 3), "33,3%");
    }

    #[test]
    fn the_address_goes_before_the_browser_and_vietnamese_before_nothing() {
        assert_eq!(Lang::asked("en", "vi"), EN);
        assert_eq!(Lang::asked("", "en-GB,en;q=0.9,vi;q=0.8"), EN);
        assert_eq!(Lang::asked("", "fr, vi-VN;q=0.7, en;q=0.5"), VI);
        assert_eq!(Lang::asked("", "fr"), VI);
        assert_eq!(Lang::asked("xx", ""), VI);
        assert_eq!(Lang::asked("", "en;q=0"), VI);
    }

    #[test]
    fn times_are_those_of_the_country() {
        assert_eq!(VI.time("2026-11-25T18:04:25.5Z"), "26/11/2026 01:04:25 (UTC+7)");
        assert_eq!(EN.time("2026-11-25T06:04:25Z"), "25 November 2026 13:04:25 (UTC+7)");
        assert_eq!(EN.time("soon"), "soon");
    }

    #[test]
    fn periods_are_named_as_people_name_them() {
        let named = |text: &str| {
            let period = Period::parse(text).expect("a period");
            (VI.period(period), EN.period(period))
        };
        assert_eq!(named("2024-M05"), ("Tháng 5/2024".into(), "May 2024".into()));
        assert_eq!(named("2024-H1"), ("6 tháng đầu năm 2024".into(), "First half of 2024".into()));
        assert_eq!(named("2013..2023"), ("Giai đoạn 2013–2023".into(), "2013–2023".into()));
        assert_eq!(named("2023-05-25"), ("25/05/2023".into(), "25 May 2023".into()));
    }
}
