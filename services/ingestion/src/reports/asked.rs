//! A request's words, understood.

use std::sync::Arc;

use jiff::Timestamp;
use tonghop_access::{Caller, Role};
use tonghop_core::Date;
use tonghop_core::period::Period;
use tonghop_core::question::{frequency_in_vietnamese, frequency_name};
use tonghop_core::regime::{self, Regime};
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::{Level, UnitId};
use tonghop_proto::ingestion as pb;
use tonghop_runtime::{Failure, FailureKind, Got, Text};

use super::{LONGEST_REASON, MOST_UNITS, all_refused, wrong};
use crate::finding::{Code, Findings, Spot, finding, is_control, one_of, text};

/// The longest code, level or period.
const LONGEST_WORD: usize = 64;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// With reports; in whose name is not known yet.
    OfReports(regime::Act),
    /// Figures of the period are taken no more.
    Close,
    /// They are taken again.
    Open,
}

impl Act {
    /// Reads what a request says of it, as far as that needs no registry.
    ///
    /// # Errors
    /// Where it is not known, or what goes with it is not there or too much.
    pub(super) fn read(request: &pb::ActOnReportsRequest) -> Result<Act, Failure> {
        let act = match request.act.as_str() {
            "submit" => Act::OfReports(regime::Act::Submit),
            "approve" => Act::OfReports(regime::Act::Approve(None)),
            "return" => Act::OfReports(regime::Act::Return),
            "reopen" => Act::OfReports(regime::Act::Reopen),
            "close" => Act::Close,
            "open" => Act::Open,
            other => {
                let expected = one_of(&["submit", "approve", "return", "reopen", "close", "open"]);
                let hint = Text::of(
                    "viết một trong các việc này",
                    "write one of these: the first four are done with reports, the last two with a period",
                );
                return Err(wrong(
                    FailureKind::NotUnderstood,
                    Code::UnknownAct,
                    "act",
                    other,
                    expected,
                    hint,
                ));
            }
        };
        let words = [
            ("regime", &request.regime),
            ("period", &request.period),
            ("below", &request.below),
            ("level", &request.level),
            ("until", &request.until),
        ];
        let units = request.units.iter().map(|unit| ("units", unit));
        for (path, word) in words.into_iter().chain(units) {
            bounded(path, word)?;
        }
        if request.units.len() > MOST_UNITS {
            let many = request.units.len();
            let got = Text::of(format!("{many} đơn vị"), format!("{many} units"));
            let expected =
                Text::of(format!("nhiều nhất {MOST_UNITS}"), format!("at most {MOST_UNITS} in one request"));
            let hint = Text::of(
                "chia thành nhiều yêu cầu, hoặc nêu đơn vị cấp trên ở below",
                "send them in several requests, or name the unit above them in below",
            );
            return Err(wrong(FailureKind::TooLarge, Code::TooManyUnits, "units", got, expected, hint));
        }
        if request.units.is_empty() == request.below.is_empty() {
            let got = match request.below.is_empty() {
                true => Text::of("không có cả hai", "neither"),
                false => Text::of("cả hai", "both"),
            };
            let hint = Text::of(
                "nêu chính các đơn vị, hoặc nêu một đơn vị ở below để chỉ mọi đơn vị báo cáo bên dưới",
                "name the units themselves, or one unit in below: all that report below it are meant",
            );
            let expected = Text::of("units hoặc below", "either units or below");
            return Err(wrong(FailureKind::NotUnderstood, Code::UnitsOrBelow, "units", got, expected, hint));
        }
        let reason = &request.reason;
        if reason.len() > LONGEST_REASON || reason.chars().any(|c| is_control(c) && c != '\n') {
            let expected = Text::of(
                format!("nhiều nhất {LONGEST_REASON} byte văn bản thường"),
                format!("at most {LONGEST_REASON} bytes of plain text"),
            );
            let got = format!("{} byte", reason.len());
            let hint = Text::of(
                "rút ngắn lại, và bỏ các ký tự điều khiển",
                "shorten it, and leave out control characters",
            );
            return Err(wrong(
                FailureKind::Unprocessable,
                Code::MalformedReason,
                "reason",
                got,
                expected,
                hint,
            ));
        }
        if act == Act::OfReports(regime::Act::Return) && reason.trim().is_empty() {
            let expected = Text::of("lý do trả lại", "why it is returned");
            let hint = Text::of(
                "viết điều cần sửa, để đơn vị báo cáo biết phải làm gì",
                "write what has to be put right, so that whoever reports knows what to do",
            );
            return Err(wrong(
                FailureKind::Unprocessable,
                Code::MissingField,
                "reason",
                Got::nothing(),
                expected,
                hint,
            ));
        }
        if !request.until.is_empty() && act != Act::Open {
            return Err(not_of_this_act("until", &request.until, "open"));
        }
        if !request.level.is_empty() && act != Act::OfReports(regime::Act::Approve(None)) {
            return Err(not_of_this_act("level", &request.level, "approve"));
        }
        Ok(act)
    }

    /// That the caller has a role it could be done with, somewhere; before anything is looked up for them.
    ///
    /// # Errors
    /// Where they have none.
    pub(super) fn someone(self, caller: &Caller) -> Result<(), Failure> {
        let roles = self.roles();
        match roles.iter().any(|role| caller.has(*role)) {
            true => Ok(()),
            false => Err(caller.lacks(roles[0])),
        }
    }

    /// The roles that it may be done with, the usual one first.
    pub(super) fn roles(self) -> &'static [Role] {
        match self {
            Act::OfReports(regime::Act::Submit) => &[Role::Report],
            Act::OfReports(regime::Act::Approve(_) | regime::Act::Return) => &[Role::Approve],
            Act::OfReports(regime::Act::Reopen) => &[Role::Approve, Role::Report, Role::Administer],
            Act::Close | Act::Open => &[Role::Approve, Role::Administer],
        }
    }
}

fn not_of_this_act(path: &str, got: &str, act: &str) -> Failure {
    let expected = Text::of(format!("{path} chỉ với act={act}"), format!("{path} with act={act} only"));
    let hint = Text::of("bỏ đi", "leave it out");
    wrong(FailureKind::NotUnderstood, Code::NotOfThisAct, path, got, expected, hint)
}

fn bounded(path: &str, word: &str) -> Result<(), Failure> {
    if word.len() <= LONGEST_WORD && !word.chars().any(is_control) {
        return Ok(());
    }
    let expected = Text::of(
        format!("nhiều nhất {LONGEST_WORD} byte văn bản thường"),
        format!("at most {LONGEST_WORD} bytes of plain text"),
    );
    let hint = Text::of("ghi như trong danh mục", "write it as it is listed");
    Err(wrong(FailureKind::NotUnderstood, Code::TextTooLong, path, word, expected, hint))
}

/// A request, its words found in the registry.
pub(super) struct Asked<'r> {
    pub(super) registry: &'r Registry,
    pub(super) act: Act,
    pub(super) regime: Arc<Regime>,
    pub(super) period: Period,
    /// The period's last day, on whose map units are meant.
    pub(super) day: Date,
    /// Whose reports, or subtrees: each once, with where it stands in the request.
    pub(super) units: Vec<(UnitId, String)>,
    /// Of open: until when.
    pub(super) until: Option<Timestamp>,
}

impl<'r> Asked<'r> {
    pub(super) fn read(
        registry: &'r Registry,
        caller: &Caller,
        request: &pb::ActOnReportsRequest,
        now: Timestamp,
    ) -> Result<Asked<'r>, Failure> {
        let act = match Act::read(request)? {
            Act::OfReports(regime::Act::Approve(_)) if !request.level.is_empty() => {
                Act::OfReports(regime::Act::Approve(Some(level(registry, &request.level)?)))
            }
            act => act,
        };
        let (regime, period) = regime_and_period(registry, &request.regime, &request.period)?;
        let day = regime.calendar.last_day(period);
        let mut asked =
            Asked { registry, act, regime, period, day, units: vec![], until: until(&request.until, now)? };
        asked.units = asked.units_of(caller, request)?;
        Ok(asked)
    }

    fn units_of(
        &self,
        caller: &Caller,
        request: &pb::ActOnReportsRequest,
    ) -> Result<Vec<(UnitId, String)>, Failure> {
        let role = self.act.roles()[0];
        if !request.below.is_empty() {
            let below = unit(self.registry, caller, role, &request.below, self.day, "below")?;
            if matches!(self.act, Act::Close | Act::Open) {
                return Ok(vec![(below, "below".to_owned())]);
            }
            let all = self.regime.reporters(self.registry, below, self.day);
            if all.is_empty() || all.len() > MOST_UNITS {
                let (kind, code) = match all.is_empty() {
                    true => (FailureKind::Unprocessable, Code::NotAReporter),
                    false => (FailureKind::TooLarge, Code::TooManyUnits),
                };
                let (below, many) = (&request.below, all.len());
                let got = Text::of(
                    format!("{below}, có {many} đơn vị báo cáo bên dưới"),
                    format!("{below}, with {many} units that report below it"),
                );
                let expected = Text::of(
                    format!("từ 1 đến {MOST_UNITS} đơn vị báo cáo theo chế độ này"),
                    format!("1 to {MOST_UNITS} units that report under the regime"),
                );
                let hint = Text::of(
                    "nêu đơn vị có đơn vị báo cáo bên dưới; nếu quá nhiều thì chia thành nhiều yêu cầu",
                    "name a unit with some that report, and send it in several requests where they are more",
                );
                return Err(wrong(kind, code, "below", got, expected, hint));
            }
            let place = |unit: UnitId| format!("below, unit {}", self.registry.unit(unit).code);
            return Ok(all.into_iter().map(|unit| (unit, place(unit))).collect());
        }
        let mut findings = Findings::default();
        let mut seen = std::collections::HashSet::new();
        let mut units = vec![];
        for (i, code) in request.units.iter().enumerate() {
            let place = format!("units[{i}]");
            let found = match unit(self.registry, caller, role, code, self.day, &place) {
                Ok(found) => found,
                // Whoever has nothing to do with one of them is told nothing of any.
                Err(failure) if failure.kind() == FailureKind::Forbidden => return Err(failure),
                Err(failure) => {
                    failure.findings().iter().for_each(|one| findings.add(|| one.clone()));
                    continue;
                }
            };
            let reports = matches!(self.act, Act::Close | Act::Open)
                || self.regime.is_reported_by(self.registry, found, self.day);
            if !reports {
                findings.add(|| self.no_reporter(&place, code));
            } else if seen.insert(found) {
                units.push((found, place));
            }
        }
        if findings.is_empty() { Ok(units) } else { Err(all_refused(findings, false)) }
    }

    fn no_reporter(&self, place: &str, code: &str) -> tonghop_runtime::Finding {
        let (level, regime) = (self.registry.level_code(self.regime.level), &self.regime.code);
        finding(
            Code::NotAReporter,
            Spot::path(place),
            code,
            Text::of(
                format!("đơn vị cấp {level}, cấp báo cáo theo {regime}"),
                format!("a unit of the level {level}, which reports under {regime}"),
            ),
            Text::of(
                "muốn nói các đơn vị bên dưới thì dùng below",
                "to mean all that report below a unit, name it in below",
            ),
        )
    }
}

/// A level by its code.
fn level(registry: &Registry, code: &str) -> Result<Level, Failure> {
    let at = registry.levels().iter().position(|level| level.code == code);
    at.and_then(|at| u8::try_from(at).ok()).map(Level).ok_or_else(|| {
        let known: Vec<&str> = registry.levels().iter().map(|level| level.code.as_str()).collect();
        let hint = Text::of("ghi mã của một cấp", "give the code of a level");
        wrong(FailureKind::Unprocessable, Code::UnknownLevel, "level", code, one_of(&known), hint)
    })
}

/// A regime that is in force for a period, and the period.
pub(super) fn regime_and_period(
    registry: &Registry,
    regime: &str,
    period: &str,
) -> Result<(Arc<Regime>, Period), Failure> {
    bounded("regime", regime)?;
    bounded("period", period)?;
    let Some(regime) = registry.regime(regime) else {
        let expected = Text::of("mã của một chế độ báo cáo", "the code of a reporting regime");
        let hint = Text::of("xem danh sách ở GET /v1/regimes", "GET /v1/regimes lists them");
        return Err(wrong(FailureKind::NotFound, Code::UnknownRegime, "regime", regime, expected, hint));
    };
    let read = Period::parse(period).map_err(|_| {
        let expected = Text::of(
            "một kỳ như 2024-M03, 2024-Q1, 2024-H1 hoặc 2024",
            "a period as 2024-M03, 2024-Q1, 2024-H1 or 2024",
        );
        let hint = Text::of("ghi kỳ theo một trong các dạng này", "write the period in one of these forms");
        wrong(FailureKind::NotUnderstood, Code::MalformedPeriod, "period", period, expected, hint)
    })?;
    if !regime.takes(read) || !regime.in_force(read) {
        let (vi, en) = (frequency_in_vietnamese(regime.frequency), frequency_name(regime.frequency));
        let code = &regime.code;
        let expected = Text::of(
            format!("một {vi} trong thời gian hiệu lực của {code}"),
            format!("a {en} in which the regime {code} is in force"),
        );
        let hint = Text::of(
            "GET /v1/regimes cho biết kỳ báo cáo và thời gian hiệu lực",
            "GET /v1/regimes says how often it is reported, and from when to when",
        );
        return Err(wrong(
            FailureKind::Unprocessable,
            Code::NotAPeriodOfRegime,
            "period",
            period,
            expected,
            hint,
        ));
    }
    Ok((Arc::clone(regime), read))
}

/// A unit by its code on a day. Of codes that the caller's grant does not reach none is told apart from another.
///
/// # Errors
/// Where it is none, or none on that day; that the caller has nothing to do with it, for want of `role`.
pub(super) fn unit(
    registry: &Registry,
    caller: &Caller,
    role: Role,
    code: &str,
    day: Date,
    path: &str,
) -> Result<UnitId, Failure> {
    bounded(path, code)?;
    let found = caller.grant().within(registry, registry.unit_on(code, day), day);
    match found.ok_or_else(|| caller.out_of_reach(role))? {
        UnitLookup::Found(unit) => Ok(unit),
        UnitLookup::OtherTime(units) => {
            let expected = Text::of(
                format!("đơn vị có hiệu lực vào ngày {day}, ngày cuối kỳ"),
                format!("a unit in force on {day}, the period's last day"),
            );
            let hint = text(registry.code_at_other_times(&units, day));
            Err(wrong(FailureKind::Unprocessable, Code::UnitNotInForce, path, code, expected, hint))
        }
        UnitLookup::Unknown => {
            let expected =
                Text::of("mã của một đơn vị; VN là cả nước", "the code of a unit; VN is the nation");
            let hint = Text::of("xem danh sách ở GET /v1/units", "GET /v1/units lists them");
            Err(wrong(FailureKind::Unprocessable, Code::UnknownUnit, path, code, expected, hint))
        }
    }
}

fn until(written: &str, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    if written.is_empty() {
        return Ok(None);
    }
    match written.parse::<Timestamp>() {
        Ok(until) if until > now => Ok(Some(until)),
        _ => {
            let expected = Text::of(
                "một thời điểm sau hiện tại, ví dụ 2026-12-05T17:00:00+07:00",
                "a time to come, as 2026-12-05T17:00:00+07:00",
            );
            let hint = Text::of("bỏ đi nếu mở hẳn", "leave it out to open the period for good");
            Err(wrong(FailureKind::Unprocessable, Code::MalformedTime, "until", written, expected, hint))
        }
    }
}
