//! Reporting regimes of a draft, checked.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::build::Checker;
use super::{Draft, RegimeRow, Registry};
use crate::calendar::Calendar;
use crate::indicator::Indicator;
use crate::regime::Regime;
use crate::unit::Level;

const TABLE: &str = "regimes";
/// More days than any deadline is after its period.
const MOST_DAYS: u16 = 366;

/// What regimes refer to.
struct Known<'a> {
    levels: &'a HashMap<&'a str, Level>,
    calendars: &'a [Arc<Calendar>],
    indicators: &'a [Arc<Indicator>],
}

pub(super) fn build_regimes(
    check: &mut Checker,
    draft: &Draft,
    levels: &HashMap<&str, Level>,
    calendars: &[Arc<Calendar>],
    indicators: &[Arc<Indicator>],
    before: Option<&Registry>,
) -> Vec<Arc<Regime>> {
    let known = Known { levels, calendars, indicators };
    let mut codes = HashSet::new();
    let mut out = Vec::new();
    for row in &draft.regimes {
        if !codes.insert(row.code.as_str()) {
            check.problem(TABLE, &row.code, "bị lặp", "is there twice");
        }
        if !row.programme.is_empty() && !draft.programmes.iter().any(|p| p.code == row.programme) {
            let vi = format!("không có chương trình {:?}", row.programme);
            check.problem(TABLE, &row.code, vi, format!("unknown programme {:?}", row.programme));
        }
        out.extend(build(check, row, &known).map(Arc::new));
    }
    if let Some(before) = before {
        check_kept(check, &out, before, levels);
    }
    out.sort_by(|a, b| a.code.cmp(&b.code));
    out
}

fn build(check: &mut Checker, row: &RegimeRow, known: &Known<'_>) -> Option<Regime> {
    let mut level_of = |code: &str| {
        let level = known.levels.get(code).copied();
        if level.is_none() {
            check.problem(
                TABLE,
                &row.code,
                format!("không có cấp {code:?}"),
                format!("unknown level {code:?}"),
            );
        }
        level
    };
    let level = level_of(&row.level);
    let approvals: Option<Vec<Level>> = row.approvals.iter().map(|code| level_of(code)).collect();
    let mut deadlines = Vec::new();
    for (code, days) in &row.deadlines {
        deadlines.push((level_of(code)?, *days));
    }
    deadlines.sort_unstable();
    let calendar = known.calendars.iter().find(|c| c.code == row.calendar);
    if calendar.is_none() {
        let vi = format!("không có lịch {:?}", row.calendar);
        check.problem(TABLE, &row.code, vi, format!("unknown calendar {:?}", row.calendar));
    }
    let (level, approvals, calendar) = (level?, approvals?, calendar?);
    if row.frequency.grain().is_none() {
        let vi = "báo cáo theo đợt phát sinh thì không có kỳ: month, quarter, half hoặc year";
        let en = "what is reported by event has no periods: month, quarter, half or year";
        check.problem(TABLE, &row.code, vi, en);
    }
    if calendar.year_only && row.frequency != crate::period::Frequency::Year {
        let vi = format!("lịch {} không có kỳ ngắn hơn một năm", calendar.code);
        let en = format!("nothing shorter than a year is defined in {}", calendar.code);
        check.problem(TABLE, &row.code, vi, en);
    }
    if approvals.first().is_some_and(|first| *first >= level) || !approvals.is_sorted_by(|a, b| a > b) {
        let vi = "các cấp duyệt ghi từ dưới lên, bắt đầu từ cấp trên cấp báo cáo: district|province|nation";
        let en = "approvals go upwards, from a level above the one that reports: district|province|nation";
        check.problem(TABLE, &row.code, vi, en);
    }
    let twice = deadlines.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if twice || deadlines.iter().any(|(of, days)| *of > level || *days > MOST_DAYS) {
        let vi = "thời hạn là của cấp báo cáo hoặc cấp trên, mỗi cấp một lần, nhiều nhất 366 ngày";
        let en = "a deadline is of the level that reports or one above it, once each, of at most 366 days";
        check.problem(TABLE, &row.code, vi, en);
    }
    Some(Regime {
        code: row.code.clone(),
        name_vi: row.name_vi.clone(),
        name_en: row.name_en.clone(),
        indicators: indicators(check, row, calendar, known),
        level,
        frequency: row.frequency,
        calendar: Arc::clone(calendar),
        valid_from: row.valid_from.unwrap_or(Date::MIN),
        valid_to: row.valid_to.unwrap_or(Date::MAX),
        approvals,
        deadlines,
        source: row.source.clone(),
    })
}

/// Those that are named, which have to fit, and those of the programme that do.
fn indicators(check: &mut Checker, row: &RegimeRow, calendar: &Calendar, known: &Known<'_>) -> Vec<String> {
    let fits = |indicator: &Indicator| {
        let often_enough = match (indicator.frequency.months(), row.frequency.months()) {
            (Some(collected), Some(reported)) => collected <= reported,
            (None, _) => true,
            (Some(_), None) => false,
        };
        often_enough && indicator.calendar.code == calendar.code
    };
    let mut out = BTreeSet::new();
    for code in &row.indicators {
        let named = known.indicators.iter().find(|i| i.code == *code || i.short_code() == code);
        match named {
            None => {
                let vi = format!("không có chỉ tiêu {code:?}");
                check.problem(TABLE, &row.code, vi, format!("unknown indicator {code:?}"));
            }
            Some(indicator) if indicator.from_map => {
                let vi = format!("{code} do bản đồ hành chính cho, không ai báo cáo");
                let en = format!("{code} is given by the map itself: nobody reports it");
                check.problem(TABLE, &row.code, vi, en);
            }
            Some(indicator) if !fits(indicator) => {
                let calendar = &indicator.calendar.code;
                let vi = format!("{code} được thu thập thưa hơn kỳ báo cáo, hoặc theo lịch {calendar}");
                let en = format!(
                    "{code} is collected less often than the regime reports, or in the calendar {calendar}"
                );
                check.problem(TABLE, &row.code, vi, en);
            }
            Some(indicator) => {
                out.insert(indicator.code.clone());
            }
        }
    }
    let of_programme = |indicator: &&Arc<Indicator>| {
        !row.programme.is_empty()
            && indicator.programmes.contains(&row.programme)
            && !indicator.from_map
            && fits(indicator)
    };
    out.extend(known.indicators.iter().filter(of_programme).map(|i| i.code.clone()));
    if out.is_empty() {
        let vi = "không nêu chỉ tiêu nào, cũng không nêu chương trình có chỉ tiêu theo lịch này";
        let en = "names no indicator, nor a programme with one of its calendar";
        check.problem(TABLE, &row.code, vi, en);
    }
    out.into_iter().collect()
}

/// What became of reports refers to their regime, so it stays, and goes on meaning what it meant.
fn check_kept(
    check: &mut Checker,
    regimes: &[Arc<Regime>],
    before: &Registry,
    levels: &HashMap<&str, Level>,
) {
    for was in before.regimes() {
        let level_now = |level: Level| levels.get(before.level_code(level)).copied();
        let Some(is) = regimes.iter().find(|r| r.code == was.code) else {
            let vi = "đã có trong danh mục mà nay không còn: hãy giữ lại, và ghi ngày hết hiệu lực";
            let en = "was in the registry and is no longer: leave it in, and end its validity";
            check.problem(TABLE, &was.code, vi, en);
            continue;
        };
        let approvals: Vec<Option<Level>> = was.approvals.iter().map(|l| level_now(*l)).collect();
        let same = level_now(was.level) == Some(is.level)
            && was.frequency == is.frequency
            && was.calendar.code == is.calendar.code
            && approvals == is.approvals.iter().map(|l| Some(*l)).collect::<Vec<_>>();
        if !same {
            let vi = "có cấp, kỳ, lịch hoặc các cấp duyệt khác trước: hãy đặt mã mới";
            let en =
                "has another level, frequency, calendar or other approvals than before: give it a new code";
            check.problem(TABLE, &was.code, vi, en);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::{Aggregable, Precedence, ReporterOverlap, Sensitivity};
    use crate::period::Frequency;
    use crate::registry::{IndicatorRow, LevelName, Problem, UnitRow};

    fn indicator(code: &str, frequency: Frequency, from_map: bool) -> IndicatorRow {
        IndicatorRow {
            code: code.to_owned(),
            name_vi: String::new(),
            name_en: String::new(),
            unit_vi: String::new(),
            unit_en: String::new(),
            decimals: 0,
            kind: if from_map { "stock" } else { "flow" }.to_owned(),
            numerator: vec![],
            denominator: vec![],
            numerator_is_part: false,
            collection_level: "commune".to_owned(),
            frequency,
            calendar: "civil".to_owned(),
            overlap: ReporterOverlap::Single,
            reporters: vec![],
            dimensions: vec![],
            precedence: Precedence::BottomUp,
            programmes: vec![],
            sensitivity: Sensitivity::Public,
            valid_from: None,
            valid_to: None,
            core: false,
            aggregable: Aggregable::Sum,
            from_map,
        }
    }

    fn row() -> RegimeRow {
        RegimeRow {
            code: "r".to_owned(),
            name_vi: String::new(),
            name_en: String::new(),
            programme: String::new(),
            indicators: vec!["a01".to_owned()],
            level: "commune".to_owned(),
            frequency: Frequency::Month,
            calendar: "civil".to_owned(),
            valid_from: None,
            valid_to: None,
            approvals: vec!["province".to_owned(), "nation".to_owned()],
            deadlines: vec![("commune".to_owned(), 3)],
            source: String::new(),
        }
    }

    fn build(regimes: Vec<RegimeRow>, before: Option<&Registry>) -> Result<Registry, Vec<Problem>> {
        let level = |code: &str| LevelName { code: code.to_owned(), name_vi: String::new() };
        let nation = UnitRow {
            code: "VN".to_owned(),
            level: "nation".to_owned(),
            name: "Việt Nam".to_owned(),
            kind: String::new(),
            parent: None,
            valid_from: None,
            valid_to: None,
        };
        let calendar = |code: &str, year_only| Calendar {
            code: code.to_owned(),
            name_vi: String::new(),
            start_month: 1,
            start_day: 1,
            year_only,
        };
        let draft = Draft {
            levels: ["nation", "province", "commune"].map(level).to_vec(),
            units: vec![nation],
            calendars: vec![calendar("civil", false), calendar("years", true)],
            indicators: vec![
                indicator("a01-monthly", Frequency::Month, false),
                indicator("a02-yearly", Frequency::Year, false),
                indicator("a03-counted", Frequency::Month, true),
            ],
            regimes,
            ..Draft::default()
        };
        Registry::build(draft, before)
    }

    fn said(built: Result<Registry, Vec<Problem>>) -> Vec<String> {
        let problems = built.map(|registry| registry.regimes().len()).expect_err("something is wrong");
        problems.into_iter().map(|problem| problem.message.en).collect()
    }

    #[test]
    fn a_regime_that_does_not_hold_together_is_refused() {
        let change = |with: fn(&mut RegimeRow)| {
            let mut row = row();
            with(&mut row);
            vec![row]
        };
        for (regimes, word) in [
            (vec![row(), row()], "twice"),
            (change(|r| r.programme = "p".into()), "unknown programme"),
            (change(|r| r.indicators = vec!["a09".into()]), "unknown indicator"),
            (change(|r| r.indicators = vec!["a02".into()]), "collected less often"),
            (change(|r| r.indicators = vec!["a03".into()]), "given by the map"),
            (change(|r| r.indicators = vec![]), "names no indicator"),
            (change(|r| r.level = "hamlet".into()), "unknown level"),
            (change(|r| r.calendar = "moon".into()), "unknown calendar"),
            (change(|r| r.calendar = "years".into()), "shorter than a year"),
            (change(|r| r.frequency = Frequency::Event), "by event"),
            (change(|r| r.approvals = vec!["commune".into()]), "go upwards"),
            (change(|r| r.approvals = vec!["nation".into(), "province".into()]), "go upwards"),
            (change(|r| r.approvals = vec!["province".into(), "province".into()]), "go upwards"),
            (change(|r| r.deadlines = vec![("commune".into(), 3), ("commune".into(), 4)]), "once each"),
            (change(|r| r.deadlines = vec![("commune".into(), 400)]), "366"),
        ] {
            let said = said(build(regimes, None));
            assert!(said.iter().any(|message| message.contains(word)), "{word}: {said:?}");
        }
    }

    #[test]
    fn a_regime_that_is_loaded_stays_what_it_is() {
        let before = build(vec![row()], None).expect("it holds together");
        let regime = before.regime("r").expect("it is there");
        assert_eq!(regime.indicators, ["a01-monthly"]);
        assert_eq!(before.approving("a01-monthly").count(), 1);
        assert!(said(build(vec![], Some(&before)))[0].contains("leave it in"));
        let changed = RegimeRow { approvals: vec!["nation".into()], ..row() };
        assert!(said(build(vec![changed], Some(&before)))[0].contains("new code"));
        let same = RegimeRow { deadlines: vec![], valid_to: Some(Date::MAX), ..row() };
        assert!(build(vec![same], Some(&before)).is_ok(), "deadlines and validity may change");
    }
}
