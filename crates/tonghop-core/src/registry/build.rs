//! From a draft to a registry.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::{Draft, IndicatorRow, Problem, Registry, SuccessionRow, UnitRow};
use crate::decimal::MAX_DECIMALS;
use crate::dimension::{REPORTER, UNDIVIDED};
use crate::indicator::{Indicator, Kind, RatioOf, ReporterOverlap};
use crate::unit::{Level, Map, Stage, Succession, Unit, UnitId};

struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    fn problem(&mut self, table: &'static str, key: impl ToString, message: impl Into<String>) {
        self.problems.push(Problem { table, key: key.to_string(), message: message.into() });
    }
}

impl Registry {
    /// Checks a draft and builds the registry.
    ///
    /// `before` is the registry it replaces: units it knows keep their numbers, so that what is stored by
    /// number stays what it is.
    ///
    /// # Errors
    /// Every problem found.
    pub fn build(draft: Draft, before: Option<&Registry>) -> Result<Registry, Vec<Problem>> {
        let mut check = Checker { problems: Vec::new() };
        let levels: HashMap<&str, Level> =
            draft.levels.iter().enumerate().map(|(i, l)| (l.code.as_str(), Level(i as u8))).collect();
        if levels.len() != draft.levels.len() || levels.len() < 2 || levels.len() > 16 {
            check.problem("levels", "", "expected 2 to 16 levels of different codes, the nation first");
            return Err(check.problems);
        }
        let (units, by_code) = build_units(&mut check, &draft, &levels, before);
        let successions = build_successions(&mut check, &draft.successions, &units, &by_code);
        let maps = build_maps(&mut check, &units);
        for dimension in &draft.dimensions {
            let codes: HashSet<_> = dimension.members.iter().map(|m| &m.code).collect();
            if codes.len() != dimension.members.len() || codes.is_empty() {
                check.problem("dimension_members", &dimension.code, "a member is there twice, or none is");
            }
        }
        let calendars: Vec<_> = draft.calendars.iter().cloned().map(Arc::new).collect();
        for calendar in &calendars {
            if !(1..=12).contains(&calendar.start_month) || !(1..=28).contains(&calendar.start_day) {
                check.problem("calendars", &calendar.code, "a year starts on a day from 01-01 to 12-28");
            }
        }
        let indicators = build_indicators(&mut check, &draft, &levels, &calendars);
        if !check.problems.is_empty() {
            return Err(check.problems);
        }
        let mut indicator_by_code = HashMap::new();
        for (i, indicator) in indicators.iter().enumerate() {
            indicator_by_code.insert(indicator.code.clone(), i);
            indicator_by_code.insert(indicator.short_code().to_owned(), i);
        }
        Ok(Registry {
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
            stands: crate::rollup::Stands::default(),
        })
    }
}

type Codes = HashMap<String, Vec<UnitId>>;

/// Rows become units: a row that begins where another of its level and code ends is the same unit going on,
/// unless a succession on that day says that another territory took the code.
fn build_units(
    check: &mut Checker,
    draft: &Draft,
    levels: &HashMap<&str, Level>,
    before: Option<&Registry>,
) -> (Vec<Unit>, Codes) {
    let mut rows: BTreeMap<(Level, &str), Vec<&UnitRow>> = BTreeMap::new();
    for row in &draft.units {
        match levels.get(row.level.as_str()) {
            Some(level) => rows.entry((*level, &row.code)).or_default().push(row),
            None => check.problem("units", &row.code, format!("unknown level {:?}", row.level)),
        }
    }
    let from = |row: &UnitRow| row.valid_from.unwrap_or(Date::MIN);
    let to = |row: &UnitRow| row.valid_to.unwrap_or(Date::MAX);
    let mut linked: HashMap<(Date, &str), Vec<&SuccessionRow>> = HashMap::new();
    for row in &draft.successions {
        linked.entry((row.day, &row.from)).or_default().push(row);
        if row.from != row.to {
            linked.entry((row.day, &row.to)).or_default().push(row);
        }
    }
    let goes_on = |code: &str, day: Date| match linked.get(&(day, code)).map(Vec::as_slice) {
        None => true,
        Some([only]) => only.from == only.to && only.share == 1_000_000,
        Some(_) => false,
    };
    let mut lives: Vec<(Level, &str, Vec<&UnitRow>)> = Vec::new();
    for ((level, code), mut stages) in rows {
        stages.sort_by_key(|r| from(r));
        let mut life: Vec<&UnitRow> = Vec::new();
        for row in stages {
            if from(row) >= to(row) {
                check.problem("units", code, "its validity ends before it starts");
            }
            match life.last() {
                Some(last) if to(last) > from(row) => {
                    check.problem("units", code, format!("two rows are in force on {}", from(row)));
                }
                Some(last) if to(last) < from(row) || !goes_on(code, from(row)) => {
                    lives.push((level, code, std::mem::take(&mut life)));
                }
                _ => {}
            }
            life.push(row);
        }
        lives.push((level, code, life));
    }
    // Known units keep their numbers; new ones follow in order.
    let mut numbered: BTreeMap<u32, (Level, &str, Vec<&UnitRow>)> = BTreeMap::new();
    let mut next = before.map_or(0, |b| b.units.len() as u32);
    let mut fresh = Vec::new();
    for life in lives {
        let key = Unit {
            id: UnitId(0),
            code: life.1.to_owned(),
            level: life.0,
            stages: vec![Stage {
                from: from(life.2[0]),
                to: Date::MAX,
                name: String::new(),
                kind: String::new(),
                parent: None,
            }],
        }
        .key();
        match before.and_then(|b| b.unit_by_key(&key)) {
            Some(id) if before.is_some_and(|b| b.unit(id).level == life.0) => {
                numbered.insert(id.0, life);
            }
            _ => fresh.push(life),
        }
    }
    if let Some(before) = before {
        for unit in &before.units {
            if !numbered.contains_key(&unit.id.0) {
                check.problem("units", unit.key(), "was in the registry and is no longer: end its validity instead");
            }
        }
    }
    for life in fresh {
        numbered.insert(next, life);
        next += 1;
    }
    let mut by_code: Codes = HashMap::new();
    for (id, (_, code, _)) in &numbered {
        by_code.entry((*code).to_owned()).or_default().push(UnitId(*id));
    }
    let spans: HashMap<u32, (Date, Date, Level)> =
        numbered.iter().map(|(id, (l, _, r))| (*id, (from(r[0]), to(r[r.len() - 1]), *l))).collect();
    let mut units = Vec::new();
    for (id, (level, code, rows)) in &numbered {
        let mut stages = Vec::new();
        for row in rows {
            // A parent that ends before the row does starts a new stage with the parent that carries the code then.
            let mut at = from(row);
            while at < to(row) {
                let parent = row.parent.as_deref().map(|code| {
                    let ids = by_code.get(code).map_or(&[][..], Vec::as_slice);
                    ids.iter().find(|p| spans.get(&p.0).is_some_and(|(a, b, _)| *a <= at && at < *b))
                });
                let (parent, until) = match parent {
                    None => (None, to(row)),
                    Some(Some(p)) => (Some(*p), to(row).min(spans[&p.0].1)),
                    Some(None) => {
                        let parent = row.parent.as_deref().unwrap_or_default();
                        check.problem("units", code, format!("its parent {parent} is not in force on {at}"));
                        break;
                    }
                };
                if let Some(p) = parent
                    && spans[&p.0].2 >= *level
                {
                    check.problem("units", code, "its parent is not of a higher level");
                }
                stages.push(Stage {
                    from: at,
                    to: until,
                    name: row.name.clone(),
                    kind: row.kind.clone(),
                    parent,
                });
                at = until;
            }
        }
        if (*level == Level(0)) != stages.iter().all(|s| s.parent.is_none()) {
            check.problem("units", code, "the nation has no parent, and every other unit has one");
        }
        units.push(Unit { id: UnitId(*id), code: (*code).to_owned(), level: *level, stages });
    }
    let nations = units.iter().filter(|u| u.level == Level(0)).count();
    if nations != 1 {
        check.problem("units", "", format!("expected one unit of the first level, found {nations}"));
    }
    for (code, ids) in &by_code {
        for (i, a) in ids.iter().enumerate() {
            for b in &ids[i + 1..] {
                let ((a_from, a_to, _), (b_from, b_to, _)) = (spans[&a.0], spans[&b.0]);
                if a_from < b_to && b_from < a_to {
                    check.problem("units", code, "two units carry this code on one day");
                }
            }
        }
    }
    (units, by_code)
}

fn build_successions(
    check: &mut Checker,
    rows: &[SuccessionRow],
    units: &[Unit],
    by_code: &Codes,
) -> Vec<Succession> {
    let find = |code: &str, day: Date| {
        let ids = by_code.get(code)?;
        ids.iter().find(|id| units.get(id.0 as usize).is_some_and(|u| u.in_force(day))).copied()
    };
    let mut shares: BTreeMap<(Date, UnitId), u64> = BTreeMap::new();
    let mut out = Vec::new();
    for row in rows {
        let before = row.day.yesterday().ok().and_then(|d| find(&row.from, d));
        let (Some(from), Some(to)) = (before, find(&row.to, row.day)) else {
            check.problem(
                "successions",
                format!("{} {}>{}", row.day, row.from, row.to),
                "expected a unit in force the day before and one in force on the day",
            );
            continue;
        };
        *shares.entry((row.day, from)).or_default() += u64::from(row.share);
        out.push(Succession { day: row.day, from, to, share: row.share, basis: row.basis.clone() });
    }
    for ((day, from), sum) in shares {
        if sum != 1_000_000 {
            let code = units.get(from.0 as usize).map_or("", |u| &u.code);
            check.problem("successions", format!("{day} {code}"), "the shares of a unit sum to exactly 1");
        }
    }
    out.sort_by_key(|s| (s.day, s.from, s.to));
    out
}

fn build_maps(check: &mut Checker, units: &[Unit]) -> Vec<Map> {
    if !check.problems.is_empty() {
        return vec![];
    }
    let mut days: BTreeSet<Date> = BTreeSet::new();
    for unit in units {
        let mut parent = None;
        for (i, stage) in unit.stages.iter().enumerate() {
            if i == 0 || stage.parent != parent {
                days.insert(stage.from);
            }
            parent = stage.parent;
        }
        days.insert(unit.to());
    }
    days.remove(&Date::MIN);
    days.remove(&Date::MAX);
    let mut maps = vec![Map::on(units, Date::MIN, None)];
    maps.extend(days.into_iter().map(|day| Map::on(units, day, Some(day))));
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
            check.problem("indicators", code, "the part before the first hyphen is there twice");
        }
        if row.decimals > MAX_DECIMALS {
            check.problem("indicators", code, format!("at most {MAX_DECIMALS} decimals"));
        }
        let kind = match row.kind.as_str() {
            "flow" => Some(Kind::Flow),
            "stock" => Some(Kind::Stock),
            "ratio" => ratio(check, row, &kinds),
            other => {
                check.problem("indicators", code, format!("kind {other:?} is not flow, stock or ratio"));
                None
            }
        };
        let level = levels.get(row.collection_level.as_str());
        if level.is_none() {
            check.problem("indicators", code, format!("unknown level {:?}", row.collection_level));
        }
        let calendar = calendars.iter().find(|c| c.code == row.calendar);
        if calendar.is_none() {
            check.problem("indicators", code, format!("unknown calendar {:?}", row.calendar));
        }
        let mut dimensions = row.dimensions.clone();
        dimensions.sort();
        check_dimensions(check, draft, row);
        for programme in &row.programmes {
            if !draft.programmes.iter().any(|p| p.code == *programme) {
                check.problem("indicators", code, format!("unknown programme {programme:?}"));
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
        }));
    }
    out.sort_by(|a, b| a.code.cmp(&b.code));
    out
}

fn ratio(check: &mut Checker, row: &IndicatorRow, kinds: &HashMap<&str, &str>) -> Option<Kind> {
    let parts: Vec<_> = row.numerator.iter().chain(&row.denominator).collect();
    let found: HashSet<_> = parts.iter().map(|c| kinds.get(c.as_str()).copied()).collect();
    let of_stocks = found.contains(&Some("stock"));
    if row.numerator.is_empty() || row.denominator.is_empty() || found.contains(&None) {
        check.problem("indicators", &row.code, "numerator and denominator name indicators");
    } else if found.contains(&Some("ratio")) || found.len() > 1 {
        check.problem(
            "indicators",
            &row.code,
            "the parts of a ratio are all flows or all stocks: of a mixture no period speaks of the same things",
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
            check.problem("indicators", &row.code, format!("unknown dimension {code:?}"));
            continue;
        };
        let partition = dimension.kind == crate::dimension::DimensionKind::Partition;
        if partition && code != REPORTER && !row.from_map && dimension.member(UNDIVIDED).is_none() {
            check.problem("dimension_members", code, "a partition has the member undivided");
        }
    }
    let by_side = row.dimensions.iter().any(|d| d == REPORTER);
    if row.overlap != ReporterOverlap::Single && (!by_side || row.reporters.is_empty()) {
        check.problem("indicators", &row.code, "several sides report: the dimension reporter and they are named");
    }
    if let Some(reporter) = draft.dimensions.iter().find(|d| d.code == REPORTER) {
        for side in &row.reporters {
            if reporter.member(side).is_none() {
                check.problem("indicators", &row.code, format!("unknown reporter {side:?}"));
            }
        }
    }
}
