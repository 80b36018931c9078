//! Figures that are in, against a registry that is to come: each must keep a unit that may report it.

use std::collections::{BTreeMap, BTreeSet};

use tonghop_core::calendar::Calendar;
use tonghop_core::figure::{Scope, Statement};
use tonghop_core::period::Period;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::words::Words;
use tonghop_proto::record::AcceptedFigure;
use tonghop_runtime::{Finding, Text};

/// Figures named that would lose their place.
const MOST_NAMED: usize = 100;

/// What says which figure a later one revises: unit, indicator, breakdown, period and scope.
type Key = (String, String, String, Period, Scope);

/// Gathers what of the ledger would lose its place.
pub(super) struct Kept<'r> {
    before: &'r Registry,
    next: &'r Registry,
    indicators: BTreeSet<String>,
    /// By key, the position of the latest figure, and why it would lose its place.
    lost: BTreeMap<Key, (i64, Words)>,
}

impl<'r> Kept<'r> {
    pub(super) fn new(before: &'r Registry, next: &'r Registry) -> Kept<'r> {
        Kept { before, next, indicators: BTreeSet::new(), lost: BTreeMap::new() }
    }

    /// Looks at a figure; those of one key come in the order of the ledger.
    pub(super) fn look(&mut self, position: i64, accepted: &AcceptedFigure) {
        let figure = &accepted.figure;
        if !self.indicators.contains(&figure.indicator) {
            self.indicators.insert(figure.indicator.clone());
        }
        let Some(why) = self.why(accepted) else { return };
        let key = (
            accepted.unit_code.clone(),
            figure.indicator.clone(),
            figure.breakdown.to_string(),
            figure.period,
            figure.scope,
        );
        if figure.statement == Statement::Withdrawn {
            self.lost.remove(&key);
        } else {
            self.lost.insert(key, (position, why));
        }
    }

    /// Why a figure would lose its place; nothing where it keeps it.
    fn why(&self, accepted: &AcceptedFigure) -> Option<Words> {
        let (code, figure) = (&accepted.unit_code, &accepted.figure);
        // An indicator that is gone is said once, below.
        let indicator = self.next.indicator(&figure.indicator)?;
        let day = indicator.calendar.last_day(figure.period);
        match self.next.unit_on(code, day) {
            UnitLookup::Found(unit) if self.next.unit(unit).level > indicator.collection_level => {
                let level = self.next.level_code(self.next.unit(unit).level);
                let named = self.next.named(unit, day);
                Some(Words::of(
                    format!("{named} khi đó thuộc cấp {level}, cấp không báo cáo chỉ tiêu này"),
                    format!("{named} is of level {level} then, which does not report it"),
                ))
            }
            UnitLookup::Found(_) => None,
            UnitLookup::OtherTime(units) => Some(self.next.code_at_other_times(&units, day)),
            UnitLookup::Unknown => Some(Words::of(
                format!("không đơn vị nào mang mã {code}"),
                format!("no unit has the code {code}"),
            )),
        }
    }

    /// Everything wrong.
    pub(super) fn findings(self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let total = self.lost.len();
        let mut lost: Vec<_> = self.lost.into_iter().collect();
        lost.sort_by_key(|(key, (position, _))| (*position, key.clone()));
        for ((unit, indicator, _, period, scope), (position, why)) in lost.into_iter().take(MOST_NAMED) {
            findings.push(Finding {
                code: "figures_lose_their_unit".into(),
                path: format!("ledger position {position}"),
                got: Text::of(
                    format!("số liệu của đơn vị {unit}, {indicator}, {period}, phạm vi {}", scope.code()),
                    format!("a figure of unit {unit}, {indicator}, {period}, scope {}", scope.code()),
                ),
                expected: Text::of(
                    format!("đơn vị mang mã {unit} và báo cáo chỉ tiêu này, vào ngày cuối của kỳ {period}"),
                    format!("a unit that carries the code {unit} and reports it, on the last day of {period}"),
                ),
                hint: Text::of(
                    format!(
                        "{}; rút số liệu rồi báo cáo cho đơn vị quản lý địa bàn đó, hoặc sửa ngày thay đổi",
                        why.vi
                    ),
                    format!(
                        "{}; withdraw the figure and report it for the unit that has the territory, or correct the \
                         day of the change",
                        why.en
                    ),
                ),
                ..Finding::default()
            });
        }
        if total > MOST_NAMED {
            let more = total - MOST_NAMED;
            findings.push(Finding {
                code: "more_findings".into(),
                got: Text::of(
                    format!("còn {more} số liệu sẽ mất đơn vị"),
                    format!("{more} more figures that would lose their unit"),
                ),
                expected: Text::of(
                    format!("nhiều nhất {MOST_NAMED} số liệu được nêu trong một trả lời"),
                    format!("at most {MOST_NAMED} named in one answer"),
                ),
                hint: Text::of(
                    "sửa những gì đã nêu rồi nạp lại: phần còn lại sẽ được nêu tiếp",
                    "put right what is listed and load again: the rest is then listed",
                ),
                ..Finding::default()
            });
        }
        for code in self.indicators {
            let Some(was) = self.before.indicator(&code) else { continue };
            let Some(is) = self.next.indicator(&code) else {
                let got = Text::of("chỉ tiêu không còn nữa", "the indicator is no longer there");
                findings.push(indicator_finding(&code, got));
                continue;
            };
            let days = |calendar: &Calendar| calendar.days(Period::Year(2000));
            let same = was.decimals == is.decimals
                && was.kind == is.kind
                && was.dimensions == is.dimensions
                && was.overlap == is.overlap
                && was.calendar.code == is.calendar.code
                && days(&was.calendar) == days(&is.calendar);
            if !same {
                let got = Text::of(
                    "decimals, kind, dimensions, reporter_overlap hoặc calendar khác trước",
                    "other decimals, kind, dimensions, reporter_overlap or calendar",
                );
                findings.push(indicator_finding(&code, got));
            }
        }
        findings
    }
}

fn indicator_finding(code: &str, got: Text) -> Finding {
    Finding {
        code: "indicator_changes_meaning".into(),
        path: format!("indicators.csv {code}"),
        got,
        expected: Text::of("như trước: đã có số liệu", "the same as before: figures are in"),
        hint: Text::of(
            "đặt mã mới cho nội dung mới, và kết thúc hiệu lực của mã này",
            "give the new meaning a new code, and end the validity of this one",
        ),
        ..Finding::default()
    }
}
