//! Whether a figure is of a unit and a side that whoever sends it may report for.
//!
//! Of units outside nothing is told: a code that is none there, is another unit's or was one at another time is answered
//! with the same words.

use tonghop_core::Date;
use tonghop_core::dimension::REPORTER;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_runtime::Text;

use super::Checker;
use super::breakdown::Placed;
use super::unit::padded;
use crate::finding::{Code, finding};
use crate::submission::{Field, RawFigure};

/// Codes that a hint proposes.
const PROPOSED: usize = 3;

impl Checker<'_, '_> {
    /// What was found under a code, as far as it is the sender's to know: nothing, with a finding, where it is outside
    /// what they may report for.
    pub(super) fn yours(
        &mut self,
        raw: &RawFigure,
        code: &str,
        day: Option<Date>,
        found: UnitLookup,
    ) -> Option<UnitLookup> {
        if self.grant.everywhere {
            return Some(found);
        }
        // Whose the code is depends on the day, of which a finding says that it is not known.
        let day = day?;
        let (grant, registry) = (self.grant, self.registry);
        let within = grant.within(registry, found, day);
        if within.is_none() {
            self.findings.add(|| {
                let expected = Text::of(
                    format!("mã của một đơn vị mà khóa có hiệu lực, trên bản đồ ngày {day}"),
                    format!("the code of a unit that the key holds for, on the map of {day}"),
                );
                let hint = hint(registry, code, day, |unit| grant.covers(registry, unit, day));
                finding(Code::OutsideYourUnits, raw.place.at(Field::Unit), code, expected, hint)
            });
        }
        within
    }

    /// Whether the sender speaks for the side that a figure is of; one that names none is of no side.
    pub(super) fn of_your_sides(&mut self, raw: &RawFigure, placed: &Placed) -> bool {
        let side = placed.breakdown.member(REPORTER).filter(|side| !self.grant.speaks_for(side));
        let Some(side) = side else { return true };
        let sides = self.grant.sides.join(", ");
        self.findings.add(|| {
            let expected = Text::of(format!("một trong: {sides}"), format!("one of {sides}"));
            let hint = Text::of(
                "khóa chỉ báo cáo cho các bên này: gửi số liệu của bên khác bằng khóa của bên đó",
                "the key speaks for these sides alone: figures of another side are sent with that side's key",
            );
            finding(Code::NotYourSide, raw.place.at(Field::Breakdown), side, expected, hint)
        });
        false
    }
}

/// Spreadsheets cut leading zeros: codes within reach that may have been meant.
fn hint(registry: &Registry, code: &str, day: Date, within: impl Fn(UnitId) -> bool) -> Text {
    let meant = padded(code).filter_map(|code| match registry.unit_on(&code, day) {
        UnitLookup::Found(unit) if within(unit) => Some(registry.named(unit, day)),
        _ => None,
    });
    let meant: Vec<String> = meant.take(PROPOSED).collect();
    if meant.is_empty() {
        return Text::of(
            "xem khóa có hiệu lực cho những đơn vị nào; mã phải là mã trên bản đồ của kỳ báo cáo",
            "look up for which units the key holds; the code has to be the one on the map of the period",
        );
    }
    let meant = meant.join(", ");
    Text::of(
        format!("có phải là {meant}? Bảng tính thường cắt mất số 0 ở đầu"),
        format!("did you mean {meant}? Spreadsheets cut leading zeros"),
    )
}
