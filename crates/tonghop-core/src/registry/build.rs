//! From a draft to a registry.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::lives::{Lives, lives};
use super::regimes::build_regimes;
use super::{Draft, IndicatorRow, Problem, Registry};
use crate::decimal::MAX_DECIMALS;
use crate::dimension::{REPORTER, UNDIVIDED};
use crate::indicator::{Indicator, Kind, RatioOf, ReporterOverlap};
use crate::lineage::{Step, days_of_change};
use crate::plausibility::{Expression, Rule};
use crate::unit::{Level, Map, Succession, Unit, UnitId};
use crate::words::Words;

/// Collects what is wrong.
pub(super) struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    pub(super) fn problem(
        &mut self,
        table: &'static str,
        key: impl ToString,
        vi: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.problems.push(Problem { table, key: key.to_string(), message: Words::of(vi, en) });
    }
}

impl Registry {
    /// Checks a draft and builds the registry.
    ///
    /// `before` is the registry it replaces, whose units must all be there still. Units are numbered in order
    /// of level, code and time: the same draft always gives the same numbers, whatever came before.
    ///
    /// # Errors
    /// Every problem found.
    pub fn build(draft: Draft, before: Option<&Registry>) -> Result<Registry, Vec<Problem>> {
        let mut check = Checker { problems: Vec::new() };
        let levels: HashMap<&str, Level> =
            draft.levels.iter().enumerate().map(|(i, l)| (l.code.as_str(), Level(i as u8))).collect();
        if levels.len() != draft.levels.len() || levels.len() < 2 || levels.len() > 16 {
            check.problem(
                "levels",
                "",
                "cần từ 2 đến 16 cấp có mã khác nhau, cấp cả nước đứng đầu",
                "expected 2 to 16 levels of different codes, the nation first",
            );
            return Err(check.problems);
        }
        if let Some(before) = before {
            check_levels(&mut check, &draft, before);
        }
        let Lives { units, by_code, successions } = lives(&mut check, &draft, &levels, before);
        let maps = build_maps(&check, &units, &successions);
        for dimension in &draft.dimensions {
            let codes: HashSet<_> = dimension.members.iter().map(|m| &m.code).collect();
            if codes.len() != dimension.members.len() || codes.is_empty() {
                check.problem(
                    "dimension_members",
                    &dimension.code,
                    "có mục bị lặp, hoặc không có mục nào",
                    "a member is there twice, or none is",
                );
            }
        }
        let calendars: Vec<_> = draft.calendars.iter().cloned().map(Arc::new).collect();
        for calendar in &calendars {
            if !(1..=12).contains(&calendar.start_month) || !(1..=28).contains(&calendar.start_day) {
                check.problem(
                    "calendars",
                    &calendar.code,
                    "năm bắt đầu vào một ngày từ 01-01 đến 12-28",
                    "a year starts on a day from 01-01 to 12-28",
                );
            }
        }
        let indicators = build_indicators(&mut check, &draft, &levels, &calendars);
        let rules = build_rules(&mut check, &draft, &indicators);
        let regimes = build_regimes(&mut check, &draft, &levels, &calendars, &indicators, before);
        if !check.problems.is_empty() {
            return Err(check.problems);
        }
        let mut indicator_by_code = FxHashMap::default();
        for (i, indicator) in indicators.iter().enumerate() {
            indicator_by_code.insert(indicator.code.clone(), i);
            indicator_by_code.insert(indicator.short_code().to_owned(), i);
        }
        let mut approving: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (i, regime) in regimes.iter().enumerate().filter(|(_, r)| !r.approvals.is_empty()) {
            for indicator in &regime.indicators {
                approving.entry(indicator.clone()).or_default().push(i);
            }
        }
        let place = |of: fn(&Succession) -> UnitId| {
            let mut places = vec![Vec::new(); units.len()];
            for (i, succession) in successions.iter().enumerate() {
                places[of(succession).0 as usize].push(i as u32);
            }
            places
        };
        let steps = maps.windows(2).map(|m| Step::between(&units, &m[0], &m[1], &successions)).collect();
        Ok(Registry {
            steps,
            by_went: place(|s| s.from),
            by_came: place(|s| s.to),
            by_key: units.iter().map(|u| (u.key(), u.id)).collect(),
            levels: draft.levels,
            units,
            by_code,
            successions,
            maps,
            calendars,
            dimensions: draft.dimensions,
            indicators,
            indicator_by_code,
            programmes: draft.programmes,
            rules,
            regimes,
            approving,
            stands: crate::rollup::Stands::default(),
        })
    }
}

/// Levels may be added between others; those that were there stay, in their order.
fn check_levels(check: &mut Checker, draft: &Draft, before: &Registry) {
    let kept: Vec<&str> = draft.levels.iter().map(|l| l.code.as_str()).collect();
    let were = before.levels.iter().map(|l| l.code.as_str());
    let mut last = None;
    for code in were {
        let at = kept.iter().position(|c| *c == code);
        match at {
            None => check.problem(
                "levels",
                code,
                "đã có trong danh mục mà nay không còn: hãy giữ lại",
                "was in the registry and is no longer: leave it in",
            ),
            Some(at) if last.is_some_and(|last| at < last) => {
                check.problem(
                    "levels",
                    code,
                    "trước đây đứng sau các cấp trên nó: hãy giữ nguyên thứ tự",
                    "stood after the levels above it: keep their order",
                );
            }
            Some(_) => {}
        }
        last = last.max(at);
    }
}

fn build_maps(check: &Checker, units: &[Unit], successions: &[Succession]) -> Vec<Map> {
    if !check.problems.is_empty() {
        return vec![];
    }
    let mut maps = vec![Map::on(units, Date::MIN, None)];
    let days = days_of_change(units, successions).into_iter();
    maps.extend(days.map(|day| Map::on(units, day, Some(day))));
    maps
}

fn build_indicators(
    check: &mut Checker,
    draft: &Draft,
    levels: &HashMap<&str, Level>,
    calendars: &[Arc<crate::calendar::Calendar>],
) -> Vec<Arc<Indicator>> {
    let kinds: HashMap<&str, &str> =
        draft.indicators.iter().map(|r| (r.code.as_str(), r.kind.as_str())).collect();
    let mut short = HashSet::new();
    let mut out = Vec::new();
    for row in &draft.indicators {
        let code = &row.code;
        if !short.insert(code.split('-').next().unwrap_or(code).to_owned()) {
            check.problem(
                "indicators",
                code,
                "phần mã trước dấu gạch nối đầu tiên bị trùng",
                "the part before the first hyphen is there twice",
            );
        }
        if row.decimals > MAX_DECIMALS {
            check.problem(
                "indicators",
                code,
                format!("nhiều nhất {MAX_DECIMALS} chữ số thập phân"),
                format!("at most {MAX_DECIMALS} decimals"),
            );
        }
        let kind = match row.kind.as_str() {
            "flow" => Some(Kind::Flow),
            "stock" => Some(Kind::Stock),
            "ratio" => ratio(check, row, &kinds),
            other => {
                check.problem(
                    "indicators",
                    code,
                    format!("loại {other:?} không phải là flow, stock hay ratio"),
                    format!("kind {other:?} is not flow, stock or ratio"),
                );
                None
            }
        };
        let level = levels.get(row.collection_level.as_str());
        if level.is_none() {
            check.problem(
                "indicators",
                code,
                format!("không có cấp {:?}", row.collection_level),
                format!("unknown level {:?}", row.collection_level),
            );
        }
        let calendar = calendars.iter().find(|c| c.code == row.calendar);
        if calendar.is_none() {
            check.problem(
                "indicators",
                code,
                format!("không có lịch báo cáo {:?}", row.calendar),
                format!("unknown calendar {:?}", row.calendar),
            );
        }
        let mut dimensions = row.dimensions.clone();
        dimensions.sort();
        check_dimensions(check, draft, row);
        for programme in &row.programmes {
            if !draft.programmes.iter().any(|p| p.code == *programme) {
                check.problem(
                    "indicators",
                    code,
                    format!("không có chương trình {programme:?}"),
                    format!("unknown programme {programme:?}"),
                );
            }
        }
        let (Some(kind), Some(level), Some(calendar)) = (kind, level, calendar) else { continue };
        out.push(Arc::new(Indicator {
            code: code.clone(),
            name_vi: row.name_vi.clone(),
            name_en: row.name_en.clone(),
            unit_vi: row.unit_vi.clone(),
            unit_en: row.unit_en.clone(),
            decimals: row.decimals,
            kind,
            collection_level: *level,
            frequency: row.frequency,
            calendar: Arc::clone(calendar),
            overlap: row.overlap,
            reporters: row.reporters.clone(),
            dimensions,
            precedence: row.precedence,
            programmes: row.programmes.clone(),
            valid_from: row.valid_from.unwrap_or(Date::MIN),
            valid_to: row.valid_to.unwrap_or(Date::MAX),
            core: row.core,
            aggregable: row.aggregable,
            from_map: row.from_map,
            sensitivity: row.sensitivity,
        }));
    }
    out.sort_by(|a, b| a.code.cmp(&b.code));
    out
}

fn build_rules(check: &mut Checker, draft: &Draft, indicators: &[Arc<Indicator>]) -> Vec<Rule> {
    let mut codes = HashSet::new();
    let mut rules = Vec::new();
    for row in &draft.plausibility {
        if !codes.insert(&row.code) {
            check.problem("plausibility", &row.code, "mã quy tắc bị trùng", "the code is there twice");
        }
        let expression = match Expression::parse(&row.expression) {
            Ok(expression) => expression,
            Err(wrong) => {
                check.problem("plausibility", &row.code, wrong.vi, wrong.en);
                continue;
            }
        };
        for code in expression.terms.iter().map(|term| &term.indicator) {
            // What is wrong with an indicator itself is said of it.
            if !draft.indicators.iter().any(|i| i.code == *code) {
                let (vi, en) = (format!("không có chỉ tiêu {code:?}"), format!("unknown indicator {code:?}"));
                check.problem("plausibility", &row.code, vi, en);
            }
            if indicators.iter().any(|i| i.code == *code && matches!(i.kind, Kind::Ratio(_))) {
                check.problem(
                    "plausibility",
                    &row.code,
                    format!("{code} là tỷ lệ: quy tắc so sánh các số được đếm"),
                    format!("{code} is a ratio: a rule compares what is counted"),
                );
            }
        }
        rules.push(Rule {
            code: row.code.clone(),
            written: row.expression.split_whitespace().collect::<Vec<_>>().join(" "),
            expression,
            severity: row.severity,
        });
    }
    rules.sort_by(|a, b| a.code.cmp(&b.code));
    rules
}

fn ratio(check: &mut Checker, row: &IndicatorRow, kinds: &HashMap<&str, &str>) -> Option<Kind> {
    let parts: Vec<_> = row.numerator.iter().chain(&row.denominator).collect();
    let found: HashSet<_> = parts.iter().map(|c| kinds.get(c.as_str()).copied()).collect();
    let of_stocks = found.contains(&Some("stock"));
    if row.numerator.is_empty() || row.denominator.is_empty() || found.contains(&None) {
        check.problem(
            "indicators",
            &row.code,
            "tử số và mẫu số phải là mã chỉ tiêu có trong danh mục",
            "numerator and denominator name indicators",
        );
    } else if found.contains(&Some("ratio")) || found.len() > 1 {
        check.problem(
            "indicators",
            &row.code,
            "các thành phần của một tỷ lệ phải cùng là số phát sinh trong kỳ hoặc cùng là số hiện có: nếu lẫn lộn thì không kỳ nào nói về cùng một đối tượng", "the parts of a ratio are all flows or all stocks: of a mixture no period speaks of the same things",
        );
    } else {
        return Some(Kind::Ratio(RatioOf {
            numerator: row.numerator.clone(),
            denominator: row.denominator.clone(),
            numerator_is_part: row.numerator_is_part,
            of_stocks,
        }));
    }
    None
}

fn check_dimensions(check: &mut Checker, draft: &Draft, row: &IndicatorRow) {
    for code in &row.dimensions {
        let Some(dimension) = draft.dimensions.iter().find(|d| d.code == *code) else {
            check.problem(
                "indicators",
                &row.code,
                format!("không có tiêu thức phân tổ {code:?}"),
                format!("unknown dimension {code:?}"),
            );
            continue;
        };
        let partition = dimension.kind == crate::dimension::DimensionKind::Partition;
        if partition && code != REPORTER && !row.from_map && dimension.member(UNDIVIDED).is_none() {
            check.problem(
                "dimension_members",
                code,
                "phân tổ loại trừ nhau phải có mục undivided (không tách)",
                "a partition has the member undivided",
            );
        }
    }
    let by_side = row.dimensions.iter().any(|d| d == REPORTER);
    if row.overlap != ReporterOverlap::Single && (!by_side || row.reporters.is_empty()) {
        check.problem(
            "indicators",
            &row.code,
            "nhiều bên cùng báo cáo: phải có phân tổ reporter và nêu tên các bên",
            "several sides report: the dimension reporter and they are named",
        );
    }
    if let Some(reporter) = draft.dimensions.iter().find(|d| d.code == REPORTER) {
        for side in &row.reporters {
            if reporter.member(side).is_none() {
                check.problem(
                    "indicators",
                    &row.code,
                    format!("không có bên báo cáo {side:?}"),
                    format!("unknown reporter {side:?}"),
                );
            }
        }
    }
}
