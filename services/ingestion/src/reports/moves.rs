//! Where an act leads each report.

use std::collections::BTreeMap;

use tonghop_access::{Caller, Role};
use tonghop_core::regime::{Powers, Refused, State};
use tonghop_core::unit::UnitId;
use tonghop_proto::ledger::ReportGroup;
use tonghop_reports::Reports;
use tonghop_runtime::{Failure, Finding, Text};

use super::all_refused;
use super::asked::{Act, Asked};
use crate::finding::{Code, Findings, Spot, finding};

/// Units by where it leads them.
///
/// # Errors
/// Every unit that it leads nowhere, and why; that the caller has nothing to do with one of them.
pub(super) fn groups(
    asked: &Asked<'_>,
    caller: &Caller,
    reports: &Reports,
) -> Result<Vec<ReportGroup>, Failure> {
    let Act::OfReports(act) = asked.act else { return Ok(vec![]) };
    // Whoever has nothing to do with a unit is told nothing of its report.
    for (unit, _) in &asked.units {
        let may = |role: &&Role| caller.has_for(**role, asked.registry, *unit, asked.day);
        if !asked.act.roles().iter().any(|role| may(&role)) {
            return Err(caller.out_of_reach(asked.act.roles()[0]));
        }
    }
    let (mut findings, mut may_not) = (Findings::default(), true);
    let mut groups: BTreeMap<State, Vec<String>> = BTreeMap::new();
    for (unit, place) in &asked.units {
        let course = asked.regime.course(asked.registry, *unit, asked.period);
        let state = state(asked, reports, *unit);
        match state.after(act, &course, &powers(asked, caller, *unit)) {
            Ok(next) => groups.entry(next).or_default().push(asked.registry.unit(*unit).code.clone()),
            Err(refused) => {
                may_not &= matches!(refused, Refused::MayNot(_));
                findings.add(|| told(asked, reports, *unit, place, state, refused));
            }
        }
    }
    if !findings.is_empty() {
        return Err(all_refused(findings, may_not));
    }
    let group = |(state, units): (State, Vec<String>)| ReportGroup {
        state: state.code().to_owned(),
        level: match state {
            State::Approved(level) => asked.registry.level_code(level).to_owned(),
            State::Open | State::Returned | State::Submitted | State::Published => String::new(),
        },
        units,
    };
    Ok(groups.into_iter().map(group).collect())
}

fn state(asked: &Asked<'_>, reports: &Reports, unit: UnitId) -> State {
    let code = &asked.registry.unit(unit).code;
    let last = reports.history(&asked.regime.code, asked.period, code, i64::MAX).last();
    last.and_then(|event| event.stated.state(asked.registry)).unwrap_or_default()
}

fn powers(asked: &Asked<'_>, caller: &Caller, unit: UnitId) -> Powers {
    let may = |role| caller.has_for(role, asked.registry, unit, asked.day);
    let level = || caller.grant().level_over(asked.registry, unit, asked.day);
    Powers {
        reports: may(Role::Report),
        approves_at: caller.has(Role::Approve).then(level).flatten(),
        administers: may(Role::Administer),
    }
}

/// Why it cannot be done with a unit's report: what became of it, what was expected, what to do.
fn told(
    asked: &Asked<'_>,
    reports: &Reports,
    unit: UnitId,
    place: &str,
    state: State,
    refused: Refused,
) -> Finding {
    let level = |level| asked.registry.level_code(level).to_owned();
    let code = &asked.registry.unit(unit).code;
    let last = reports.history(&asked.regime.code, asked.period, code, i64::MAX).last();
    let since = last.map(|event| event.at);
    let (since_vi, since) = match since {
        Some(at) => (format!(" từ {at}"), format!(" since {at}")),
        None => Default::default(),
    };
    let by = match state {
        State::Approved(by) => format!(" {}", level(by)),
        State::Open | State::Returned | State::Submitted | State::Published => String::new(),
    };
    let got = Text::of(
        format!("{code}: {}{by}{since_vi}", state.code()),
        format!("{code}: {}{by}{since}", state.code()),
    );
    let (code, expected, hint) = match refused {
        Refused::NotOpen => (
            Code::ReportNotOpen,
            Text::of("báo cáo còn mở hoặc đã bị trả lại", "a report that is open or returned"),
            Text::of(
                "báo cáo đã được gửi; muốn sửa thì đề nghị trả lại hoặc mở lại",
                "it was handed in already; to change it, have it returned or reopened",
            ),
        ),
        Refused::NotHandedIn => (
            Code::ReportNotSubmitted,
            Text::of("báo cáo đã gửi", "a report that was handed in"),
            Text::of(
                "báo cáo chưa gửi nên không có gì để trả lại hay mở lại",
                "it is open: nothing has to be returned or reopened",
            ),
        ),
        Refused::NothingToApprove => match (state, asked.regime.approvals.is_empty()) {
            (_, true) => (
                Code::NothingToApprove,
                Text::of("chế độ báo cáo có duyệt", "a regime with approvals"),
                Text::of(
                    "chế độ báo cáo này không có bước duyệt (cột approvals của regimes.csv)",
                    "nobody approves under this regime: see approvals of regimes.csv",
                ),
            ),
            (State::Published, _) => (
                Code::NothingToApprove,
                Text::of("báo cáo đang chờ duyệt", "a report that waits for an approval"),
                Text::of(
                    "báo cáo đã được duyệt ở cấp cuối",
                    "the last that approves has approved it already",
                ),
            ),
            _ => (
                Code::NothingToApprove,
                Text::of("báo cáo đang chờ duyệt", "a report that waits for an approval"),
                Text::of(
                    "đơn vị phải gửi báo cáo trước (act=submit)",
                    "the unit hands it in first (act=submit)",
                ),
            ),
        },
        Refused::OthersFirst(next) => (
            Code::OthersApproveFirst,
            Text::of(
                format!("cấp {} duyệt trước", level(next)),
                format!("the approval of the level {} first", level(next)),
            ),
            Text::of(
                "các cấp duyệt lần lượt từ dưới lên; đã duyệt rồi thì không cần duyệt lại",
                "levels approve one after the other, upwards; what a level has approved it need not again",
            ),
        ),
        Refused::MayNot(needed) => (
            Code::NotOfThisLevel,
            Text::of(
                format!("khóa của đơn vị cấp {} trở lên", level(needed)),
                format!("a key of a unit of the level {}, or above it", level(needed)),
            ),
            Text::of(
                "nhờ cấp đó, hoặc cấp trên của họ, thực hiện",
                "have it done by that level, or by one above it",
            ),
        ),
    };
    finding(code, Spot::path(place), got, expected, hint)
}
