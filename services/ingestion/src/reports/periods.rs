//! Periods closed for figures (khóa sổ), and opened again.

use jiff::Timestamp;
use tonghop_access::{Caller, Role};
use tonghop_core::unit::{Level, UnitId};
use tonghop_proto::ledger::ReportGroup;
use tonghop_reports::{Closing, Reports, Words};
use tonghop_runtime::{Failure, Text};

use super::all_refused;
use super::asked::{Act, Asked};
use crate::finding::{Code, Findings, Spot, finding};

/// The units that are closed or opened, each with all below it.
///
/// # Errors
/// Every unit with which it cannot be done, and why; that the caller has nothing to do with one of them.
pub(super) fn groups(
    asked: &Asked<'_>,
    caller: &Caller,
    reports: &Reports,
    now: Timestamp,
) -> Result<Vec<ReportGroup>, Failure> {
    let (registry, closes) = (asked.registry, asked.act == Act::Close);
    for (unit, _) in &asked.units {
        if !asked.act.roles().iter().any(|role| caller.has_for(*role, registry, *unit, asked.day)) {
            return Err(caller.out_of_reach(asked.act.roles()[0]));
        }
    }
    let words = Words::read(registry, asked.day, reports.closings(&asked.regime.code, asked.period));
    let (mut findings, mut may_not) = (Findings::default(), true);
    for (unit, place) in &asked.units {
        let above: Vec<UnitId> = registry.map_on(asked.day).ancestry(*unit).collect();
        let holding = words.holding(&above, now).filter(|(_, closing)| closing.closes);
        match holding {
            Some((_, closing)) if closes => {
                may_not = false;
                findings.add(|| {
                    let expected = Text::of("kỳ còn mở", "a period that is open");
                    let hint = Text::of("không cần khóa lại", "it is closed already: nothing has to be done");
                    finding(Code::AlreadyClosed, Spot::path(place), said(closing), expected, hint)
                });
            }
            None if !closes => {
                may_not = false;
                findings.add(|| {
                    let code = &registry.unit(*unit).code;
                    let got = Text::of(format!("{code}: đang mở"), format!("{code}: open"));
                    let expected = Text::of("kỳ đã khóa sổ", "a period that is closed");
                    let hint = Text::of(
                        "kỳ này không bị khóa với đơn vị này; các đơn vị bên dưới có thể bị khóa riêng",
                        "it is not closed to this unit; units below it may be closed by themselves",
                    );
                    finding(Code::NotClosed, Spot::path(place), got, expected, hint)
                });
            }
            // What somebody above has closed, nobody below opens.
            Some((by, closing)) if !may_open(asked, caller, *unit, registry.unit(by).level) => {
                findings.add(|| {
                    let level = registry.level_code(registry.unit(by).level);
                    let expected = Text::of(
                        format!("khóa của đơn vị cấp {level} trở lên, hoặc quản trị"),
                        format!("a key of a unit of the level {level} or above it, or an administrator's"),
                    );
                    let hint = Text::of("nhờ cấp đã khóa sổ mở lại", "ask whoever closed it to open it");
                    finding(Code::NotOfThisLevel, Spot::path(place), said(closing), expected, hint)
                });
            }
            Some(_) | None => {}
        }
    }
    if !findings.is_empty() {
        return Err(all_refused(findings, may_not));
    }
    let code = |(unit, _): &(UnitId, String)| registry.unit(*unit).code.clone();
    Ok(vec![ReportGroup {
        state: if closes { "closed" } else { "opened" }.to_owned(),
        level: String::new(),
        units: asked.units.iter().map(code).collect(),
    }])
}

/// Whether the caller may open to a unit what was closed to one of a level.
fn may_open(asked: &Asked<'_>, caller: &Caller, unit: UnitId, closed_at: Level) -> bool {
    let level = || caller.grant().level_over(asked.registry, unit, asked.day);
    caller.has_for(Role::Administer, asked.registry, unit, asked.day)
        || (caller.has(Role::Approve) && level().is_some_and(|level| level <= closed_at))
}

fn said(closing: &Closing) -> Text {
    let Closing { unit, at, by, .. } = closing;
    let (by_vi, by) = match &**by {
        "" => Default::default(),
        by => (format!(" bởi {by}"), format!(" by {by}")),
    };
    Text::of(format!("{unit}: đã khóa sổ lúc {at}{by_vi}"), format!("{unit}: closed at {at}{by}"))
}
