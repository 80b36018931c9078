//! Figures of a period that somebody has closed are not taken until it is opened again.

use jiff::Timestamp;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::unit::UnitId;
use tonghop_reports::Closing;
use tonghop_runtime::Text;

use super::Checker;
use crate::finding::{Code, finding};
use crate::locks::Lock;
use crate::submission::RawFigure;

impl<'a> Checker<'_, 'a> {
    /// That the period is not closed to the unit.
    pub(super) fn closed(&mut self, raw: &'a RawFigure, indicator: &Indicator, unit: UnitId, period: Period) {
        let under = self.under;
        for lock in under.locks.on(indicator, period) {
            let day = indicator.calendar.last_day(period);
            let Some((closing, over)) = lock.closes(under.registry, unit, day, under.now) else { continue };
            self.findings.add(|| {
                let hint = Text::of(
                    "đề nghị người khóa sổ hoặc cấp trên mở lại kỳ báo cáo (POST /v1/reports, act=open), rồi gửi lại",
                    "ask whoever closed it, or somebody above them, to open the period again (POST /v1/reports with \
                     act=open), and send it again",
                );
                let got = Text::of(
                    format!("số liệu của {} kỳ {period}", raw.unit),
                    format!("a figure of {} for {period}", raw.unit),
                );
                finding(Code::PeriodClosed, raw.place.whole(), got, expected(lock, closing, over), hint)
            });
            return;
        }
    }
}

/// That it be open, with who closed it when, and until when there was an exception.
fn expected(lock: &Lock, closing: &Closing, over: Option<Timestamp>) -> Text {
    let Lock { regime, period, .. } = lock;
    let at = closing.at;
    let (in_vietnamese, by) = match &*closing.by {
        "" => (String::new(), String::new()),
        by => (format!(" bởi {by}"), format!(" by {by}")),
    };
    let (until_in_vietnamese, exception) = match over {
        None => (String::new(), String::new()),
        Some(until) => (format!("; đã được mở đến {until}"), format!("; it was open again until {until}")),
    };
    Text::of(
        format!(
            "kỳ {period} của chế độ báo cáo {regime} còn mở; kỳ này đã khóa sổ lúc {at}{in_vietnamese}{until_in_vietnamese}"
        ),
        format!("{period} of the regime {regime} open; it was closed at {at}{by}{exception}"),
    )
}
