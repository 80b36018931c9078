//! Rows of the tables as messages, each with its key where no other row may have it.

use tonghop_proto::registry as pb;
use tonghop_runtime::Text;

use super::cells::Cells;
use crate::finding::Code;

pub(super) fn level(cells: &mut Cells<'_>) -> (Option<String>, pb::Level) {
    let level = pb::Level { code: cells.some("code"), name_vi: cells.some("name_vi") };
    (Some(level.code.clone()), level)
}

/// A stage of a unit's life. Which rows of one code go together is for the registry to say.
pub(super) fn unit(cells: &mut Cells<'_>) -> (Option<String>, pb::Unit) {
    let unit = pb::Unit {
        code: cells.some("code"),
        level: cells.some("level"),
        name: cells.some("name"),
        kind: cells.text("kind"),
        parent_code: cells.text("parent_code"),
        valid_from: cells.open_day("valid_from"),
        valid_to: cells.open_day("valid_to"),
    };
    (None, unit)
}

/// What happens to a unit. Which cells that needs is for the reform to say.
pub(super) fn change(cells: &mut Cells<'_>) -> (Option<String>, pb::Change) {
    let change = pb::Change {
        date: cells.day("date"),
        change: cells.some("change"),
        code: cells.some("code"),
        level: cells.text("level"),
        name: cells.text("name"),
        kind: cells.text("kind"),
        parent_code: cells.text("parent_code"),
    };
    (Some(format!("{} {} {}", change.date, change.change, change.code)), change)
}

pub(super) fn succession(cells: &mut Cells<'_>) -> (Option<String>, pb::Succession) {
    let link = pb::Succession {
        date: cells.day("date"),
        from_code: cells.some("from_code"),
        to_code: cells.some("to_code"),
        share_millionths: cells.share("share"),
        basis: cells.text("basis"),
    };
    (Some(format!("{} {}>{}", link.date, link.from_code, link.to_code)), link)
}

pub(super) fn calendar(cells: &mut Cells<'_>) -> (Option<String>, pb::Calendar) {
    let (month, day) = cells.month_day("year_start_month_day");
    let months_start = cells.number("month_start_day");
    if months_start != day {
        cells.wrong(
            Code::MonthsStartElsewhere,
            "month_start_day",
            months_start.to_string(),
            Text::of(format!("{day}, ngày bắt đầu năm"), format!("{day}, the day on which the year starts")),
            Text::of(
                "tháng của một lịch bắt đầu vào ngày trong tháng mà năm của lịch đó bắt đầu",
                "months of a calendar start on the day of the month on which its year does",
            ),
        );
    }
    let calendar = pb::Calendar {
        code: cells.some("code"),
        name_vi: cells.some("name_vi"),
        year_start_month: month,
        year_start_day: day,
        year_only: cells.yes("year_only"),
    };
    (Some(calendar.code.clone()), calendar)
}

pub(super) fn dimension(cells: &mut Cells<'_>) -> (Option<String>, pb::Dimension) {
    let dimension = pb::Dimension {
        code: cells.some("code"),
        name_vi: cells.some("name_vi"),
        name_en: cells.some("name_en"),
        kind: cells.some("kind"),
        members: vec![],
    };
    (Some(dimension.code.clone()), dimension)
}

/// A member, with the code of its dimension.
pub(super) fn member(cells: &mut Cells<'_>) -> (String, pb::Member) {
    let member = pb::Member {
        code: cells.some("code"),
        name_vi: cells.some("name_vi"),
        name_en: cells.some("name_en"),
    };
    (cells.some("dimension"), member)
}

pub(super) fn programme(cells: &mut Cells<'_>) -> (Option<String>, pb::Programme) {
    let programme = pb::Programme {
        code: cells.some("code"),
        title_vi: cells.some("title_vi"),
        title_en: cells.some("title_en"),
    };
    (Some(programme.code.clone()), programme)
}

pub(super) fn plausibility(cells: &mut Cells<'_>) -> (Option<String>, pb::PlausibilityRule) {
    let rule = pb::PlausibilityRule {
        code: cells.some("code"),
        expression: cells.some("expression"),
        severity: cells.some("severity"),
        note: cells.text("note"),
    };
    (Some(rule.code.clone()), rule)
}

/// The columns of an indicator.
pub(super) const INDICATOR: [&str; 24] = [
    "code",
    "name_vi",
    "name_en",
    "unit_vi",
    "unit_en",
    "decimals",
    "kind",
    "numerator",
    "denominator",
    "numerator_is_part",
    "collection_level",
    "frequency",
    "calendar",
    "reporter_overlap",
    "reporters",
    "dimensions",
    "precedence",
    "programmes",
    "valid_from",
    "valid_to",
    "core",
    "aggregable",
    "from_map",
    "sensitivity",
];

pub(super) fn indicator(cells: &mut Cells<'_>) -> (Option<String>, pb::Indicator) {
    let indicator = pb::Indicator {
        code: cells.some("code"),
        name_vi: cells.some("name_vi"),
        name_en: cells.some("name_en"),
        unit_vi: cells.some("unit_vi"),
        unit_en: cells.some("unit_en"),
        decimals: cells.number("decimals"),
        kind: cells.some("kind"),
        numerator: cells.list("numerator"),
        denominator: cells.list("denominator"),
        numerator_is_part: cells.yes("numerator_is_part"),
        collection_level: cells.some("collection_level"),
        frequency: cells.some("frequency"),
        calendar: cells.some("calendar"),
        reporter_overlap: cells.some("reporter_overlap"),
        reporters: cells.list("reporters"),
        dimensions: cells.list("dimensions"),
        precedence: cells.some("precedence"),
        programmes: cells.list("programmes"),
        valid_from: cells.open_day("valid_from"),
        valid_to: cells.open_day("valid_to"),
        core: cells.yes("core"),
        aggregable: cells.some("aggregable"),
        from_map: cells.yes("from_map"),
        sensitivity: cells.some("sensitivity"),
    };
    (Some(indicator.code.clone()), indicator)
}

/// The columns of a regime.
pub(super) const REGIME: [&str; 13] = [
    "code",
    "name_vi",
    "name_en",
    "programme",
    "indicators",
    "level",
    "frequency",
    "calendar",
    "valid_from",
    "valid_to",
    "approvals",
    "deadlines",
    "source",
];

pub(super) fn regime(cells: &mut Cells<'_>) -> (Option<String>, pb::Regime) {
    let regime = pb::Regime {
        code: cells.some("code"),
        name_vi: cells.some("name_vi"),
        name_en: cells.some("name_en"),
        programme: cells.text("programme"),
        indicators: cells.list("indicators"),
        level: cells.some("level"),
        frequency: cells.some("frequency"),
        calendar: cells.some("calendar"),
        valid_from: cells.open_day("valid_from"),
        valid_to: cells.open_day("valid_to"),
        approvals: cells.list("approvals"),
        deadlines: cells.deadlines("deadlines"),
        source: cells.text("source"),
    };
    (Some(regime.code.clone()), regime)
}
