//! Random indicators: of every kind, precedence, frequency, aggregation and overlap.

use proptest::collection::vec;
use proptest::prelude::*;
use tonghop_core::Date;
use tonghop_core::calendar::Calendar;
use tonghop_core::dimension::{Dimension, DimensionKind, Member, REPORTER, UNDIVIDED};
use tonghop_core::indicator::{Aggregable, Precedence, ReporterOverlap, Sensitivity};
use tonghop_core::period::Frequency;
use tonghop_core::registry::IndicatorRow;

use super::units::LEVELS;

/// Who may report.
pub(super) const SIDES: [&str; 3] = ["police", "front", "mass"];
/// A partition.
pub(super) const GROUP: &str = "group";
/// Its members.
pub(super) const GROUPS: [&str; 3] = [UNDIVIDED, "a", "b"];
/// An overlapping dimension.
pub(super) const TAG: &str = "tag";
/// Its members.
pub(super) const TAGS: [&str; 2] = ["border", "minority"];
/// The partition of counts that the map gives.
pub(super) const UNIT_TYPE: &str = "unit-type";

/// By which rules an indicator is rolled up.
#[derive(Clone, Debug)]
struct Rules {
    level: usize,
    frequency: Frequency,
    calendar: &'static str,
    precedence: Precedence,
    aggregable: Aggregable,
    valid: (Option<Date>, Option<Date>),
}

/// How it is split.
#[derive(Clone, Debug)]
struct Split {
    overlap: ReporterOverlap,
    first_side: usize,
    sides: usize,
    by_side: bool,
    by_group: bool,
    by_tag: bool,
    decimals: u8,
}

/// A ratio over the first indicators of a seed.
#[derive(Clone, Debug)]
struct RatioSeed {
    above: usize,
    below: usize,
    is_part: bool,
    is_percent: bool,
    rules: Option<Rules>,
    split: Split,
    adds: bool,
}

/// The seed of a world's indicators: alike but for what they override.
#[derive(Clone, Debug)]
pub(super) struct IndicatorSeed {
    stock: bool,
    rules: Rules,
    own: Vec<(Option<Rules>, Split, bool)>,
    ratio: Option<RatioSeed>,
}

fn rules() -> impl Strategy<Value = Rules> {
    let day = |y, m, d| Just(Some(jiff::civil::date(y, m, d)));
    let frequency = prop_oneof![
        3 => Just(Frequency::Month),
        3 => Just(Frequency::Quarter),
        2 => Just(Frequency::Half),
        2 => Just(Frequency::Year),
        2 => Just(Frequency::Event),
    ];
    let calendar = prop_oneof![3 => Just("civil"), 3 => Just("nd09"), 1 => Just("kdc")];
    let precedence = prop_oneof![
        3 => Just(Precedence::BottomUp),
        2 => Just(Precedence::DeclaredFirst),
        2 => Just(Precedence::ComputedOnly),
    ];
    let aggregable =
        prop_oneof![8 => Just(Aggregable::Sum), 1 => Just(Aggregable::None), 1 => Just(Aggregable::Distinct)];
    let from =
        prop_oneof![6 => Just(None), 1 => day(2022, 1, 15), 1 => day(2022, 7, 1), 1 => day(2021, 12, 15)];
    let to = prop_oneof![6 => Just(None), 1 => day(2023, 3, 1), 1 => day(2022, 12, 15)];
    let level = prop_oneof![6 => Just(3usize), 3 => Just(2usize), 2 => Just(1usize), 1 => Just(0usize)];
    (level, frequency, calendar, precedence, aggregable, (from, to)).prop_map(
        |(level, frequency, calendar, precedence, aggregable, valid)| Rules {
            level,
            frequency,
            calendar,
            precedence,
            aggregable,
            valid,
        },
    )
}

fn split(single: u32, disjoint: u32) -> impl Strategy<Value = Split> {
    let overlap = prop_oneof![
        single => Just(ReporterOverlap::Single),
        1 => Just(ReporterOverlap::Overlapping),
        disjoint => Just(ReporterOverlap::Disjoint),
    ];
    let rarely = || prop::bool::weighted(0.25);
    (overlap, 0..3usize, 1..=3usize, rarely(), rarely(), rarely(), 0..=2u8).prop_map(
        |(overlap, first_side, sides, by_side, by_group, by_tag, decimals)| Split {
            overlap,
            first_side,
            sides,
            by_side: by_side || overlap != ReporterOverlap::Single,
            by_group,
            by_tag,
            decimals,
        },
    )
}

pub(super) fn seed() -> impl Strategy<Value = IndicatorSeed> {
    let own_rules = || prop::option::weighted(0.2, rules());
    let from_map = prop::bool::weighted(0.15);
    let plain = vec((own_rules(), split(4, 2), from_map), 1);
    let several = vec((own_rules(), split(10, 1), from_map), 2..=4);
    let of = (1..=2usize, 1..=2usize, any::<bool>(), any::<bool>());
    let ratio = (of, own_rules(), split(5, 1), prop::bool::weighted(0.9)).prop_map(
        |((above, below, is_part, is_percent), rules, split, adds)| RatioSeed {
            above,
            below,
            is_part,
            is_percent,
            rules,
            split,
            adds,
        },
    );
    let indicators = prop_oneof![3 => (plain, Just(None)), 2 => (several, ratio.prop_map(Some))];
    (prop::bool::weighted(0.35), rules(), indicators).prop_map(|(stock, rules, (own, ratio))| IndicatorSeed {
        stock,
        rules,
        own,
        ratio,
    })
}

/// The rows of a seed; the ratio, if there is one, comes last.
pub(super) fn rows(seed: &IndicatorSeed) -> Vec<IndicatorRow> {
    let mut rows = Vec::new();
    for (i, (own, split, from_map)) in seed.own.iter().enumerate() {
        let mut row = row(&format!("i{i}-counted"), own.as_ref().unwrap_or(&seed.rules), split);
        row.kind = if seed.stock { "stock" } else { "flow" }.to_owned();
        if seed.stock && *from_map {
            row.from_map = true;
            row.decimals = 0;
            row.overlap = ReporterOverlap::Single;
            row.reporters.clear();
            row.dimensions = if split.by_group { vec![UNIT_TYPE.to_owned()] } else { vec![] };
        }
        rows.push(row);
    }
    if let Some(ratio) = &seed.ratio {
        let codes: Vec<String> = rows.iter().map(|r| r.code.clone()).collect();
        let mut row = row("r-ratio", ratio.rules.as_ref().unwrap_or(&seed.rules), &ratio.split);
        row.kind = "ratio".to_owned();
        row.aggregable = if ratio.adds { Aggregable::Ratio } else { Aggregable::None };
        row.numerator = codes.iter().take(ratio.above.min(codes.len() - 1)).cloned().collect();
        row.denominator = codes.iter().rev().take(ratio.below).cloned().collect();
        row.numerator_is_part = ratio.is_part;
        row.unit_en = if ratio.is_percent { "percent" } else { "ratio" }.to_owned();
        rows.push(row);
    }
    rows
}

fn row(code: &str, rules: &Rules, split: &Split) -> IndicatorRow {
    let dimensions = [(REPORTER, split.by_side), (GROUP, split.by_group), (TAG, split.by_tag)];
    let (valid_from, valid_to) = rules.valid;
    IndicatorRow {
        code: code.to_owned(),
        name_vi: code.to_owned(),
        name_en: code.to_owned(),
        unit_vi: String::new(),
        unit_en: String::new(),
        decimals: split.decimals,
        kind: String::new(),
        numerator: vec![],
        denominator: vec![],
        numerator_is_part: false,
        collection_level: LEVELS[rules.level].to_owned(),
        frequency: rules.frequency,
        calendar: rules.calendar.to_owned(),
        overlap: split.overlap,
        reporters: if split.by_side {
            SIDES.iter().cycle().skip(split.first_side).take(split.sides).map(ToString::to_string).collect()
        } else {
            vec![]
        },
        dimensions: dimensions.iter().filter(|(_, has)| *has).map(|(d, _)| d.to_string()).collect(),
        precedence: rules.precedence,
        programmes: vec![],
        valid_from,
        valid_to,
        core: false,
        aggregable: rules.aggregable,
        from_map: false,
        sensitivity: Sensitivity::Public,
    }
}

/// The calendars of every world.
pub(super) fn calendars() -> Vec<Calendar> {
    [("civil", 1, 1, false), ("nd09", 12, 15, false), ("kdc", 11, 1, true)]
        .map(|(code, start_month, start_day, year_only)| Calendar {
            code: code.to_owned(),
            name_vi: code.to_owned(),
            start_month,
            start_day,
            year_only,
        })
        .to_vec()
}

/// The dimensions of every world.
pub(super) fn dimensions() -> Vec<Dimension> {
    let dimension = |code: &str, kind, members: &[&str]| Dimension {
        code: code.to_owned(),
        name_vi: code.to_owned(),
        name_en: code.to_owned(),
        kind,
        members: members
            .iter()
            .map(|m| Member { code: m.to_string(), name_vi: m.to_string(), name_en: m.to_string() })
            .collect(),
    };
    vec![
        dimension(REPORTER, DimensionKind::Partition, &SIDES),
        dimension(GROUP, DimensionKind::Partition, &GROUPS),
        dimension(TAG, DimensionKind::Overlapping, &TAGS),
        dimension(UNIT_TYPE, DimensionKind::Partition, &["xa", "phuong", "huyen", "tinh", "nuoc"]),
    ]
}
