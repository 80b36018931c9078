//! Which SYNTHETIC figures make up a month: what is collected of every core indicator in the collection period
//! that holds the month, and who reports it.

use std::collections::{BTreeMap, HashMap, HashSet};

use tonghop_core::Date;
use tonghop_core::calendar::Calendar;
use tonghop_core::period::{Frequency, Period};
use tonghop_core::plausibility::{Expression, Relation};
use tonghop_proto::ingestion::Figure;
use tonghop_proto::registry::{Dimension, Indicator, Unit};
use tonghop_proto::registry_draft::FREQUENCIES;

use crate::client::Client;
use crate::shipped;
use crate::synthetic::{self, Line, SEED};
use crate::trouble::Trouble;

/// Units that report together.
pub(super) struct Batch {
    /// Level of the unit they are reported by.
    pub(super) level: String,
    /// Its code.
    pub(super) code: String,
    /// Codes of the units, each with the lines it reports.
    units: Vec<(String, Vec<usize>)>,
}

/// All submissions of a month.
pub(super) struct Plan {
    /// What is reported.
    pub(super) lines: Vec<Line>,
    /// For each line, the breakdown its total is asked with.
    pub(super) sides: Vec<String>,
    /// The submissions.
    pub(super) batches: Vec<Batch>,
    /// How many units report.
    pub(super) units: usize,
    /// How many core indicators there are.
    pub(super) core: usize,
    /// Core indicators that are left out, and why.
    pub(super) left_out: Vec<String>,
}

impl Plan {
    /// Plans a month of the calendar `nd09`.
    pub(super) async fn make(
        client: &Client,
        indicators: &[Indicator],
        month: Period,
    ) -> Result<Plan, Trouble> {
        let dimensions = client.dimensions().await?;
        let calendars = calendars()?;
        let catalogue = lines(indicators, &dimensions, &calendars, month)?;
        let units = client.units(&catalogue.map_day.to_string(), "").await?;
        still_there(&units, catalogue.last_day)?;
        let (batches, reporting) = batches(&units, &catalogue.levels);
        Ok(Plan {
            lines: catalogue.lines,
            sides: catalogue.sides,
            batches,
            units: reporting,
            core: indicators.iter().filter(|i| i.core).count(),
            left_out: catalogue.left_out,
        })
    }

    /// The figures of a batch, and what each line comes to in it.
    pub(super) fn figures(&self, batch: &Batch) -> (Vec<Figure>, Vec<u64>) {
        let (mut figures, mut sums) = (vec![], vec![0; self.lines.len()]);
        for (unit, lines) in &batch.units {
            for at in lines {
                sums[*at] += synthetic::value(SEED, &self.lines, *at, unit);
                figures.extend(synthetic::figures(SEED, &self.lines, *at, unit));
            }
        }
        (figures, sums)
    }
}

/// The calendars that ship: the API has no list of them.
pub(crate) fn calendars() -> Result<HashMap<String, Calendar>, Trouble> {
    let tables = shipped::registry(None)?;
    let wrong = || Trouble::refused("the shipped calendars.csv cannot be read");
    let mut reader = csv::Reader::from_reader(tables.get("calendars.csv").ok_or_else(wrong)?.as_slice());
    let mut calendars = HashMap::new();
    for row in reader.deserialize::<HashMap<String, String>>() {
        let row = row.map_err(|_| wrong())?;
        let cell = |name: &str| row.get(name).cloned().ok_or_else(wrong);
        let start = cell("year_start_month_day")?;
        let (month, day) = start.split_once('-').ok_or_else(wrong)?;
        let calendar = Calendar {
            code: cell("code")?,
            name_vi: cell("name_vi")?,
            start_month: month.parse().map_err(|_| wrong())?,
            start_day: day.parse().map_err(|_| wrong())?,
            year_only: cell("year_only")? == "true",
        };
        calendars.insert(calendar.code.clone(), calendar);
    }
    Ok(calendars)
}

struct Lines {
    lines: Vec<Line>,
    sides: Vec<String>,
    /// The level each line is collected at.
    levels: Vec<String>,
    left_out: Vec<String>,
    /// Last day of the month: on its map the units are taken.
    map_day: Date,
    /// Last day of all periods.
    last_day: Date,
}

fn lines(
    indicators: &[Indicator],
    dimensions: &[Dimension],
    calendars: &HashMap<String, Calendar>,
    month: Period,
) -> Result<Lines, Trouble> {
    let known = |code: &str| {
        calendars.get(code).ok_or_else(|| Trouble::refused(format!("the calendar {code} is not known here")))
    };
    let last_of_month = known("nd09")?.last_day(month);
    let mut out = Lines {
        lines: vec![],
        sides: vec![],
        levels: vec![],
        left_out: vec![],
        map_day: last_of_month,
        last_day: last_of_month,
    };
    for indicator in indicators.iter().filter(|i| i.core && !i.from_map && i.kind != "ratio") {
        let calendar = known(&indicator.calendar)?;
        let period = holding(month, indicator, calendar, last_of_month);
        let last = calendar.last_day(period);
        if !in_force(indicator, last) {
            out.left_out.push(format!("{} is not in force on {last}", indicator.code));
            continue;
        }
        out.last_day = out.last_day.max(last);
        out.lines.push(Line {
            indicator: indicator.code.clone(),
            period: period.to_string(),
            breakdowns: vec![leaf(indicator, dimensions)],
            decimals: u8::try_from(indicator.decimals).unwrap_or(0),
            least: 0,
            most: most(indicator),
            part_of: vec![],
            qualifier: None,
        });
        out.levels.push(indicator.collection_level.clone());
        out.sides.push(match (indicator.reporter_overlap.as_str(), indicator.reporters.first()) {
            ("overlapping", Some(first)) => format!("reporter={first}"),
            _ => String::new(),
        });
    }
    link_parts(indicators, &rules()?, &mut out.lines);
    Ok(out)
}

/// The collection period that holds a month. What is collected by event is reported for the month itself.
fn holding(month: Period, indicator: &Indicator, calendar: &Calendar, last_of_month: Date) -> Period {
    let found = FREQUENCIES.iter().find(|(code, _)| *code == indicator.frequency);
    let frequency = found.map_or(Frequency::Year, |(_, frequency)| *frequency);
    let (Period::Month(year, m), false) = (month, calendar.year_only) else {
        return Period::Year(calendar.year_of(last_of_month));
    };
    match frequency {
        Frequency::Event | Frequency::Month => month,
        Frequency::Quarter => Period::Quarter(year, (m - 1) / 3 + 1),
        Frequency::Half => Period::Half(year, (m - 1) / 6 + 1),
        Frequency::Year => Period::Year(year),
    }
}

/// Whether an indicator is in force on the last day of a period.
pub(crate) fn in_force(indicator: &Indicator, last: Date) -> bool {
    let day = |text: &str| text.parse::<Date>().ok();
    day(&indicator.valid_from).is_none_or(|from| from <= last)
        && day(&indicator.valid_to).is_none_or(|to| last < to)
}

/// One leaf: every partition not divided, the first side that may report, no tags.
pub(crate) fn leaf(indicator: &Indicator, dimensions: &[Dimension]) -> String {
    leaf_of(indicator, dimensions, indicator.reporters.first().map(String::as_str))
}

/// One leaf of a side.
pub(crate) fn leaf_of(indicator: &Indicator, dimensions: &[Dimension], reporter: Option<&str>) -> String {
    let mut pairs = vec![];
    for code in &indicator.dimensions {
        let partition = dimensions.iter().any(|d| d.code == *code && d.kind == "partition");
        if code == "reporter" {
            pairs.extend(reporter.map(|side| format!("reporter={side}")));
        } else if partition {
            pairs.push(format!("{code}=undivided"));
        }
    }
    pairs.sort();
    pairs.join("|")
}

/// The most one unit has of an indicator, in units of its last decimal.
fn most(indicator: &Indicator) -> u64 {
    // Of administrative units a commune is one.
    if indicator.unit_en == "administrative unit" && indicator.collection_level == "commune" {
        return 1;
    }
    let most = match indicator.code.split('-').next().unwrap_or_default() {
        "tt02" => 900,
        "tt04" | "ck01" | "ck02" | "ck03" => 400,
        "ll02" | "ll04" | "ll06" => 60,
        "ll11" => 150,
        _ => 20,
    };
    most * 10u64.pow(indicator.decimals.min(6))
}

/// What one indicator of the rules that ship may not exceed: another. The API has no list of them.
fn rules() -> Result<Vec<(String, String)>, Trouble> {
    let tables = shipped::registry(None)?;
    let wrong = || Trouble::refused("the shipped plausibility.csv cannot be read");
    let table = tables.get("plausibility.csv").ok_or_else(wrong)?;
    let mut out = vec![];
    for row in csv::Reader::from_reader(table.as_slice()).deserialize::<HashMap<String, String>>() {
        let row = row.map_err(|_| wrong())?;
        let written = row.get("expression").ok_or_else(wrong)?;
        let expression = Expression::parse(written).map_err(|_| wrong())?;
        if let (Relation::AtMost, [part, whole]) = (&expression.relation, expression.terms.as_slice()) {
            out.push((part.indicator.clone(), whole.indicator.clone()));
        }
    }
    Ok(out)
}

/// What a ratio, or a rule, says is a part of something else is kept below it.
fn link_parts(indicators: &[Indicator], rules: &[(String, String)], lines: &mut [Line]) {
    let at: HashMap<String, usize> =
        lines.iter().enumerate().map(|(i, l)| (l.indicator.clone(), i)).collect();
    let ratios = indicators.iter().filter(|i| i.numerator_is_part).filter_map(|ratio| {
        match (ratio.numerator.as_slice(), ratio.denominator.as_slice()) {
            ([part], [whole]) => Some((part, whole)),
            _ => None,
        }
    });
    for (part, whole) in ratios.chain(rules.iter().map(|(part, whole)| (part, whole))) {
        if let (Some(part), Some(whole)) = (at.get(part), at.get(whole))
            && lines[*part].period == lines[*whole].period
            && lines[*part].decimals == lines[*whole].decimals
            && !lines[*part].part_of.contains(whole)
        {
            lines[*part].part_of.push(*whole);
        }
    }
}

/// All periods must end on one map, or their units would not be there any more.
fn still_there(units: &[Unit], last_day: Date) -> Result<(), Trouble> {
    let gone = |unit: &&Unit| unit.valid_to.parse::<Date>().is_ok_and(|to| to <= last_day);
    match units.iter().find(gone) {
        Some(unit) => Err(Trouble::refused(format!(
            "the map changes on {}, before {last_day} when the last of the periods ends: choose a month all of \
             whose years end before",
            unit.valid_to
        ))),
        None => Ok(()),
    }
}

/// Who reports what, by the district (or, where there is none, the province) that they lie in. A unit without
/// anything below it reports what is collected below its level: an island district stands for its commune.
fn batches(units: &[Unit], levels: &[String]) -> (Vec<Batch>, usize) {
    let parents: HashSet<&str> = units.iter().map(|u| u.parent_code.as_str()).collect();
    let level_of: HashMap<&str, &str> = units.iter().map(|u| (u.code.as_str(), u.level.as_str())).collect();
    let mut batches: BTreeMap<(String, String), Batch> = BTreeMap::new();
    let mut count = 0;
    for unit in units.iter().filter(|u| u.level != "nation") {
        let alone = !parents.contains(unit.code.as_str()) && unit.level == "district";
        let reports = |level: &String| *level == unit.level || (alone && level == "commune");
        let lines: Vec<usize> = (0..levels.len()).filter(|i| reports(&levels[*i])).collect();
        if lines.is_empty() {
            continue;
        }
        let code = if unit.level == "commune" { &unit.parent_code } else { &unit.code };
        let level = level_of.get(code.as_str()).copied().unwrap_or_default();
        let batch = batches.entry((level.to_owned(), code.clone())).or_insert_with(|| Batch {
            level: level.to_owned(),
            code: code.clone(),
            units: vec![],
        });
        batch.units.push((unit.code.clone(), lines));
        count += 1;
    }
    (batches.into_values().collect(), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(code: &str, frequency: &str, calendar: &str) -> Indicator {
        Indicator {
            code: code.into(),
            kind: "flow".into(),
            collection_level: "commune".into(),
            frequency: frequency.into(),
            calendar: calendar.into(),
            reporter_overlap: "single".into(),
            reporters: vec!["cong-an".into(), "mttq".into()],
            dimensions: vec!["channel".into(), "reporter".into(), "topic".into()],
            core: true,
            ..Indicator::default()
        }
    }

    fn unit(code: &str, level: &str, parent: &str) -> Unit {
        Unit { code: code.into(), level: level.into(), parent_code: parent.into(), ..Unit::default() }
    }

    fn planned(indicators: &[Indicator], month: Period) -> Lines {
        let dimension = |code: &str, kind: &str| Dimension {
            code: code.into(),
            kind: kind.into(),
            ..Dimension::default()
        };
        let dimensions = [dimension("channel", "partition"), dimension("topic", "overlapping")];
        lines(indicators, &dimensions, &calendars().unwrap(), month).unwrap()
    }

    #[test]
    fn every_indicator_is_reported_for_its_own_period_that_holds_the_month() {
        let indicators = [
            core("tg01", "month", "nd09"),
            core("tt03", "quarter", "nd09"),
            core("ll03", "half", "nd09"),
            core("ck02", "year", "nd09"),
            core("kt01", "event", "nd09"),
            core("at01", "year", "kdc"),
            core("at05", "year", "school-year"),
        ];
        let periods = |month| -> Vec<String> {
            planned(&indicators, month).lines.into_iter().map(|l| l.period).collect()
        };
        assert_eq!(
            periods(Period::Month(2024, 5)),
            ["2024-M05", "2024-Q2", "2024-H1", "2024", "2024-M05", "2024", "2024"]
        );
        assert_eq!(
            periods(Period::Month(2024, 11)),
            ["2024-M11", "2024-Q4", "2024-H2", "2024", "2024-M11", "2025", "2025"]
        );
    }

    #[test]
    fn figures_carry_one_leaf_and_what_is_not_in_force_is_left_out() {
        let later = Indicator { valid_from: "2024-07-01".into(), ..core("ll01", "half", "nd09") };
        let in_may = planned(&[core("tg01", "month", "nd09"), later.clone()], Period::Month(2024, 5));
        assert_eq!(in_may.lines[0].breakdowns, ["channel=undivided|reporter=cong-an"]);
        assert_eq!((in_may.lines.len(), in_may.left_out.len()), (1, 1));
        assert!(planned(&[later], Period::Month(2024, 8)).left_out.is_empty());
    }

    #[test]
    fn a_part_is_linked_to_its_whole() {
        let ratio = Indicator {
            code: "tg03".into(),
            kind: "ratio".into(),
            numerator: vec!["tg02".into()],
            denominator: vec!["tg01".into()],
            numerator_is_part: true,
            ..Indicator::default()
        };
        let indicators = [core("tg01", "month", "nd09"), core("tg02", "month", "nd09"), ratio];
        assert_eq!(planned(&indicators, Period::Month(2024, 5)).lines[1].part_of, [0]);
    }

    #[test]
    fn communes_report_by_district_provinces_for_themselves_and_an_island_district_as_a_commune() {
        let units = [
            unit("VN", "nation", ""),
            unit("01", "province", "VN"),
            unit("001", "district", "01"),
            unit("318", "district", "01"),
            unit("00001", "commune", "001"),
            unit("00004", "commune", "001"),
        ];
        let (batches, count) = batches(&units, &["commune".into(), "province".into()]);
        let shown: Vec<_> = batches.iter().map(|b| (b.code.as_str(), b.units.clone())).collect();
        assert_eq!(
            shown,
            [
                ("001", vec![("00001".to_owned(), vec![0]), ("00004".to_owned(), vec![0])]),
                ("318", vec![("318".to_owned(), vec![0])]),
                ("01", vec![("01".to_owned(), vec![1])]),
            ]
        );
        assert_eq!(count, 4);
    }

    #[test]
    fn a_month_whose_year_ends_on_another_map_is_refused() {
        let unit = Unit { valid_to: "2025-07-01".into(), ..unit("00001", "commune", "001") };
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert!(still_there(std::slice::from_ref(&unit), day("2025-06-30")).is_ok());
        assert!(still_there(&[unit], day("2025-07-01")).is_err());
    }
}
