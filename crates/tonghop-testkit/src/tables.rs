//! A registry as a draft, and a draft as the CSV tables that a registry is loaded from.

use std::collections::BTreeMap;

use tonghop_core::Date;
use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::DimensionKind;
use tonghop_core::indicator::{Aggregable, Kind, Precedence, ReporterOverlap, Sensitivity};
use tonghop_core::lineage::WHOLE;
use tonghop_core::period::Frequency;
use tonghop_core::plausibility::Rule;
use tonghop_core::regime::Regime;
use tonghop_core::registry::{Draft, IndicatorRow, RegimeRow, Registry, RuleRow, SuccessionRow, UnitRow};
use tonghop_core::unit::{Level, UnitId};

/// The tables of a draft by file name.
pub fn tables(draft: &Draft) -> BTreeMap<String, Vec<u8>> {
    let mut tables = BTreeMap::new();
    let mut add = |name: &str, columns: &str, rows: Vec<Vec<String>>| {
        tables.insert(name.to_owned(), table(columns, &rows));
    };
    let levels = draft.levels.iter().map(|l| vec![l.code.clone(), l.name_vi.clone()]);
    add("levels.csv", "code,name_vi", levels.collect());
    let units = draft.units.iter().map(|u| {
        vec![
            u.code.clone(),
            u.level.clone(),
            u.name.clone(),
            u.kind.clone(),
            u.parent.clone().unwrap_or_default(),
            day(u.valid_from),
            day(u.valid_to),
        ]
    });
    add("units.csv", "code,level,name,kind,parent_code,valid_from,valid_to", units.collect());
    let successions = draft.successions.iter().map(|s| {
        let share = format_decimal(i128::from(s.share), 6);
        vec![s.day.to_string(), s.from.clone(), s.to.clone(), share, s.basis.clone()]
    });
    add("successions.csv", "date,from_code,to_code,share,basis", successions.collect());
    let calendars = draft.calendars.iter().map(|c| {
        vec![
            c.code.clone(),
            c.name_vi.clone(),
            format!("{:02}-{:02}", c.start_month, c.start_day),
            c.start_day.to_string(),
            c.year_only.to_string(),
        ]
    });
    let columns = "code,name_vi,year_start_month_day,month_start_day,year_only";
    add("calendars.csv", columns, calendars.collect());
    let dimensions = draft.dimensions.iter().map(|d| {
        let kind = match d.kind {
            DimensionKind::Partition => "partition",
            DimensionKind::Overlapping => "overlapping",
        };
        vec![d.code.clone(), d.name_vi.clone(), d.name_en.clone(), kind.to_owned()]
    });
    add("dimensions.csv", "code,name_vi,name_en,kind", dimensions.collect());
    let members = draft.dimensions.iter().flat_map(|d| {
        d.members.iter().map(|m| vec![d.code.clone(), m.code.clone(), m.name_vi.clone(), m.name_en.clone()])
    });
    add("dimension_members.csv", "dimension,code,name_vi,name_en", members.collect());
    add("indicators.csv", INDICATOR, draft.indicators.iter().map(indicator).collect());
    let programmes =
        draft.programmes.iter().map(|p| vec![p.code.clone(), p.title_vi.clone(), p.title_en.clone()]);
    add("programmes.csv", "code,title_vi,title_en", programmes.collect());
    add("regimes.csv", REGIME, draft.regimes.iter().map(regime_cells).collect());
    tables
}

const INDICATOR: &str = "code,name_vi,name_en,unit_vi,unit_en,decimals,kind,numerator,denominator,\
    numerator_is_part,collection_level,frequency,calendar,reporter_overlap,reporters,dimensions,precedence,\
    programmes,valid_from,valid_to,core,aggregable,from_map,sensitivity";

const REGIME: &str = "code,name_vi,name_en,programme,indicators,level,frequency,calendar,valid_from,valid_to,\
    approvals,deadlines,source";

fn frequency(of: Frequency) -> &'static str {
    match of {
        Frequency::Event => "event",
        Frequency::Month => "month",
        Frequency::Quarter => "quarter",
        Frequency::Half => "half",
        Frequency::Year => "year",
    }
}

fn regime_cells(row: &RegimeRow) -> Vec<String> {
    let deadlines: Vec<String> =
        row.deadlines.iter().map(|(level, days)| format!("{level}={days}")).collect();
    vec![
        row.code.clone(),
        row.name_vi.clone(),
        row.name_en.clone(),
        row.programme.clone(),
        row.indicators.join("|"),
        row.level.clone(),
        frequency(row.frequency).to_owned(),
        row.calendar.clone(),
        day(row.valid_from),
        day(row.valid_to),
        row.approvals.join("|"),
        deadlines.join("|"),
        row.source.clone(),
    ]
}

fn indicator(row: &IndicatorRow) -> Vec<String> {
    let overlap = match row.overlap {
        ReporterOverlap::Single => "single",
        ReporterOverlap::Disjoint => "disjoint",
        ReporterOverlap::Overlapping => "overlapping",
    };
    let precedence = match row.precedence {
        Precedence::BottomUp => "bottom_up",
        Precedence::DeclaredFirst => "declared_first",
        Precedence::ComputedOnly => "computed_only",
    };
    let aggregable = match row.aggregable {
        Aggregable::Sum => "sum",
        Aggregable::Ratio => "ratio",
        Aggregable::Distinct => "distinct",
        Aggregable::None => "none",
    };
    // A table has no empty unit of measure.
    let measured = |unit: &str| if unit.is_empty() { "thing".to_owned() } else { unit.to_owned() };
    vec![
        row.code.clone(),
        row.name_vi.clone(),
        row.name_en.clone(),
        measured(&row.unit_vi),
        measured(&row.unit_en),
        row.decimals.to_string(),
        row.kind.clone(),
        row.numerator.join("|"),
        row.denominator.join("|"),
        row.numerator_is_part.to_string(),
        row.collection_level.clone(),
        frequency(row.frequency).to_owned(),
        row.calendar.clone(),
        overlap.to_owned(),
        row.reporters.join("|"),
        row.dimensions.join("|"),
        precedence.to_owned(),
        row.programmes.join("|"),
        day(row.valid_from),
        day(row.valid_to),
        row.core.to_string(),
        aggregable.to_owned(),
        row.from_map.to_string(),
        match row.sensitivity {
            Sensitivity::Public => "public".to_owned(),
            Sensitivity::Internal => "internal".to_owned(),
        },
    ]
}

fn day(day: Option<Date>) -> String {
    day.map_or_else(String::new, |d| d.to_string())
}

fn table(columns: &str, rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(vec![]);
    let header = std::iter::once(columns.split(',').map(str::to_owned).collect());
    for row in header.chain(rows.iter().cloned()) {
        writer.write_record(&row).expect("as many cells as columns");
    }
    writer.into_inner().expect("written to memory")
}

/// The draft of a registry before any map changed: its first units, which all are there still.
pub fn draft_before_reforms(registry: &Registry) -> Draft {
    let mut draft = draft(registry);
    draft.units.retain(|row| row.valid_from.is_none());
    draft.units.iter_mut().for_each(|row| row.valid_to = None);
    draft.successions.clear();
    draft
}

/// The draft from which a registry could have been built: every life of a unit a row, every link between lives
/// a succession.
pub fn draft(registry: &Registry) -> Draft {
    let open = |day: Date, end: Date| Some(day).filter(|d| *d != end);
    let units = registry.units().iter().flat_map(|unit| {
        unit.stages.iter().map(|stage| UnitRow {
            code: unit.code.clone(),
            level: registry.level_code(unit.level).to_owned(),
            name: stage.name.clone(),
            kind: stage.kind.clone(),
            parent: unit.parent.map(|p| registry.unit(p).code.clone()),
            valid_from: open(stage.from, Date::MIN),
            valid_to: open(stage.to, Date::MAX),
        })
    });
    let row = |day: Date, from: UnitId, to: UnitId, share: u32, basis: &str| SuccessionRow {
        day,
        from: registry.unit(from).code.clone(),
        to: registry.unit(to).code.clone(),
        share,
        basis: basis.to_owned(),
    };
    let links = registry.successions();
    let mut successions: Vec<SuccessionRow> =
        links.iter().map(|link| row(link.day, link.from, link.to, link.share, &link.basis)).collect();
    // What a unit that goes on did not give away.
    let mut kept: BTreeMap<(Date, UnitId), u32> = BTreeMap::new();
    for link in links.iter().filter(|link| registry.unit(link.from).in_force(link.day)) {
        *kept.entry((link.day, link.from)).or_insert(WHOLE) -= link.share;
    }
    successions.extend(kept.into_iter().map(|((day, unit), share)| row(day, unit, unit, share, "kept")));
    let indicators = registry.indicators().iter().map(|i| {
        let (kind, numerator, denominator, part) = match &i.kind {
            Kind::Flow => ("flow", vec![], vec![], false),
            Kind::Stock => ("stock", vec![], vec![], false),
            Kind::Ratio(of) => ("ratio", of.numerator.clone(), of.denominator.clone(), of.numerator_is_part),
        };
        IndicatorRow {
            code: i.code.clone(),
            name_vi: i.name_vi.clone(),
            name_en: i.name_en.clone(),
            unit_vi: i.unit_vi.clone(),
            unit_en: i.unit_en.clone(),
            decimals: i.decimals,
            kind: kind.to_owned(),
            numerator,
            denominator,
            numerator_is_part: part,
            collection_level: registry.level_code(i.collection_level).to_owned(),
            frequency: i.frequency,
            calendar: i.calendar.code.clone(),
            overlap: i.overlap,
            reporters: i.reporters.clone(),
            dimensions: i.dimensions.clone(),
            precedence: i.precedence,
            programmes: i.programmes.clone(),
            valid_from: open(i.valid_from, Date::MIN),
            valid_to: open(i.valid_to, Date::MAX),
            core: i.core,
            aggregable: i.aggregable,
            from_map: i.from_map,
            sensitivity: i.sensitivity,
        }
    });
    Draft {
        levels: registry.levels().to_vec(),
        units: units.collect(),
        successions,
        calendars: registry.calendars().iter().map(|c| (**c).clone()).collect(),
        dimensions: registry.dimensions().to_vec(),
        indicators: indicators.collect(),
        programmes: registry.programmes().to_vec(),
        plausibility: registry.rules().iter().map(rule).collect(),
        regimes: registry.regimes().iter().map(|r| regime(registry, r)).collect(),
    }
}

fn regime(registry: &Registry, regime: &Regime) -> RegimeRow {
    let code = |level: &Level| registry.level_code(*level).to_owned();
    RegimeRow {
        code: regime.code.clone(),
        name_vi: regime.name_vi.clone(),
        name_en: regime.name_en.clone(),
        programme: String::new(),
        indicators: regime.indicators.clone(),
        level: code(&regime.level),
        frequency: regime.frequency,
        calendar: regime.calendar.code.clone(),
        valid_from: Some(regime.valid_from).filter(|day| *day != Date::MIN),
        valid_to: Some(regime.valid_to).filter(|day| *day != Date::MAX),
        approvals: regime.approvals.iter().map(code).collect(),
        deadlines: regime.deadlines.iter().map(|(level, days)| (code(level), *days)).collect(),
        source: regime.source.clone(),
    }
}

fn rule(rule: &Rule) -> RuleRow {
    RuleRow { code: rule.code.clone(), expression: rule.written.clone(), severity: rule.severity }
}
