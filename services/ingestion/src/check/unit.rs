//! Which unit a figure is of: codes are reused, so a code means nothing without a day.

use std::rc::Rc;

use tonghop_core::Date;
use tonghop_core::figure::Scope;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_runtime::{Language, Text};

use super::named::NamedUnit;
use super::{Checker, named};
use crate::finding::{Code, finding, text};
use crate::submission::{Field, Fields, RawFigure};

/// The unit on the map of a day, where [`Checker::unit`] would find nothing wrong with it.
pub(super) fn plain(
    registry: &Registry,
    code: &str,
    indicator: &Indicator,
    day: Date,
    scope: Scope,
) -> Option<UnitId> {
    let UnitLookup::Found(unit) = registry.unit_on(code, day) else { return None };
    let collection = indicator.collection_level;
    let below = registry.unit(unit).level > collection;
    let nothing_below = scope == Scope::Territory && registry.collects(unit, day, collection);
    (!below && !nothing_below).then_some(unit)
}

impl<'r, 'a> Checker<'r, 'a> {
    /// The unit on the map of the period's last day, where it may report the indicator in this scope.
    pub(super) fn unit(
        &mut self,
        raw: &'a RawFigure,
        bad: Fields,
        indicator: Option<&Indicator>,
        period: Option<Period>,
        scope: Option<Scope>,
    ) -> Option<UnitId> {
        let what = || Text::of("mã của một đơn vị", "the code of a unit");
        let code = self.required(raw, bad, Field::Unit, &raw.unit, what)?;
        let registry = self.registry;
        let spot = || raw.place.at(Field::Unit);
        // Any day tells a code that never was from one that is not in force.
        let day = indicator.zip(period).map(|(i, p)| i.calendar.last_day(p));
        let mut found = registry.unit_on(code, day.unwrap_or(Date::MIN));
        if found == UnitLookup::Unknown && self.by_name && named::may_be_name(code) {
            match self.named_unit(raw, code, day?) {
                NamedUnit::One(unit) => found = UnitLookup::Found(unit),
                NamedUnit::Refused(refusal) => {
                    self.findings.add(|| *refusal);
                    return None;
                }
                // Of what is not the sender's it is told below that it is not.
                NamedUnit::Unknown if !self.grant.everywhere => {}
                NamedUnit::Unknown => {
                    self.findings.add(|| {
                        let expected =
                            Text::of("mã hoặc tên của một đơn vị", "the code or the name of a unit");
                        let hint = Text::of(
                            "kiểm tra chính tả, hoặc tra mã trong danh mục đơn vị: GET /v1/units",
                            "check the spelling, or look the code up in the list of units, GET /v1/units",
                        );
                        finding(Code::UnknownUnit, spot(), code, expected, hint)
                    });
                    return None;
                }
            }
        }
        let unit = match self.yours(raw, code, day, found)? {
            UnitLookup::Unknown => {
                self.findings.add(|| {
                    finding(Code::UnknownUnit, spot(), code, code_of_unit(), unknown_hint(registry, code))
                });
                return None;
            }
            UnitLookup::OtherTime(ids) => {
                let (day, period) = day.zip(period)?;
                self.findings.add(|| {
                    let expected = match period {
                        Period::Instant(_) => in_force_on(day),
                        _ => Text::of(
                            format!("đơn vị có hiệu lực vào ngày {day}, ngày cuối của kỳ {period}"),
                            format!("a unit in force on {day}, the last day of {period}"),
                        ),
                    };
                    let told = text(registry.code_at_other_times(&ids, day));
                    finding(Code::UnitNotInForce, spot(), code, expected, told)
                });
                return None;
            }
            UnitLookup::Found(unit) => unit,
        };
        let (indicator, day) = indicator.zip(day)?;
        let same = self.map_date(raw, bad, unit, day);
        let allowed = self.level(raw, indicator, unit, day, scope);
        (same && allowed).then_some(unit)
    }

    /// The unit of a name, within the one that the figure is said to be within.
    fn named_unit(&mut self, raw: &RawFigure, name: &str, day: Date) -> NamedUnit {
        let registry = self.registry;
        let names = self.unit_names.get_or_insert_with(|| Rc::new(named::UnitNames::of(registry)));
        let names = Rc::clone(names);
        let within = raw.within.as_deref().and_then(|text| named::unit(registry, &names, text, day));
        let grant = self.grant;
        let yours = |unit, day| grant.covers(registry, unit, day);
        names.find(registry, name, day, within, yours, || raw.place.at(Field::Unit))
    }

    /// Whether the unit is of a level that reports the indicator, in this scope.
    fn level(
        &mut self,
        raw: &RawFigure,
        indicator: &Indicator,
        id: UnitId,
        day: Date,
        scope: Option<Scope>,
    ) -> bool {
        let registry = self.registry;
        let collection = indicator.collection_level;
        let unit = registry.unit(id);
        if unit.level > collection {
            self.findings.add(|| {
                let level = registry.level_code(collection);
                let above = registry.map_on(day).ancestry(id).find(|u| registry.unit(*u).level <= collection);
                let hint = match above.filter(|above| self.grant.covers(registry, *above, day)) {
                    Some(above) => {
                        let above = registry.named(above, day);
                        Text::of(format!("báo cáo cho {above}"), format!("report it for {above}"))
                    }
                    None => Text::of("báo cáo cho đơn vị cấp trên", "report it for the unit above"),
                };
                let (named, is) = (registry.named(id, day), registry.level_code(unit.level));
                let got = Text::of(format!("{named}, thuộc cấp {is}"), format!("{named}, of level {is}"));
                let code = &indicator.code;
                let expected = Text::of(
                    format!("đơn vị cấp {level} trở lên: {code} được thu thập ở cấp đó"),
                    format!("a unit of level {level} or above: {code} is collected there"),
                );
                finding(Code::UnitBelowCollectionLevel, raw.place.at(Field::Unit), got, expected, hint)
            });
            return false;
        }
        if scope == Some(Scope::Territory) && registry.collects(id, day, collection) {
            self.findings.add(|| {
                let (named, code) = (registry.named(id, day), &indicator.code);
                let level = registry.level_code(collection);
                let got = Text::of(format!("territory cho {named}"), format!("territory for {named}"));
                let expected = Text::of(
                    format!(
                        "own: không có đơn vị nào bên dưới báo cáo {code}, chỉ tiêu thu thập ở cấp {level}"
                    ),
                    format!(
                        "own: nothing below this unit reports {code}, which is collected at level {level}"
                    ),
                );
                let hint = Text::of(
                    "ghi own: số đơn vị báo cáo là toàn bộ số của địa bàn",
                    "write own: what the unit reports is all there is in it",
                );
                finding(Code::TerritoryAtCollectionLevel, raw.place.at(Field::Scope), got, expected, hint)
            });
            return false;
        }
        true
    }

    /// Whether the code is the same unit on the map date, where one was given.
    fn map_date(&mut self, raw: &RawFigure, bad: Fields, unit: UnitId, day: Date) -> bool {
        let Some(text) = raw.map_date.as_deref().filter(|_| !bad.has(Field::MapDate)) else { return true };
        let registry = self.registry;
        let spot = || raw.place.at(Field::MapDate);
        // The written form of a day is a period of its own; nothing else that reads as a day is meant.
        let Ok(Period::Instant(map_date)) = Period::parse(text) else {
            self.findings.add(|| {
                let hint = Text::of(
                    "ghi ngày của bản đồ hành chính mà mã đơn vị thuộc về, hoặc để trống ô",
                    "write the day whose map the unit code is of, or leave the cell empty",
                );
                let expected = Text::of("một ngày, ví dụ 2023-12-14", "a day, as 2023-12-14");
                finding(Code::MalformedMapDate, spot(), text, expected, hint)
            });
            return false;
        };
        let code = &registry.unit(unit).code;
        if registry.unit_on(code, map_date) == UnitLookup::Found(unit) {
            return true;
        }
        self.findings.add(|| {
            let then = match registry.unit_on(code, map_date) {
                UnitLookup::Found(other) if self.grant.covers(registry, other, map_date) => {
                    Text::same(registry.named(other, map_date))
                }
                UnitLookup::Found(_) => {
                    Text::of("một đơn vị khác mang mã này", "another unit with this code")
                }
                _ => Text::of(format!("không có đơn vị mang mã {code}"), format!("no unit with code {code}")),
            };
            let got = Text::of(
                format!("{map_date}, khi đó là {}", then.in_language(Language::Vietnamese)),
                format!("{map_date}, when there is {}", then.in_language(Language::English)),
            );
            let named = registry.named(unit, day);
            let expected = Text::of(
                format!("ngày mà mã này là {named}, như vào ngày {day}"),
                format!("a day on which the code is {named}, as on {day}"),
            );
            let hint = Text::of(
                "đơn vị được tra trên bản đồ hành chính ngày cuối kỳ: hãy dùng mã của bản đồ đó",
                "units are read on the map of the period's last day: use the codes of that map",
            );
            finding(Code::MapDateMismatch, spot(), got, expected, hint)
        });
        false
    }
}

/// A code as it was before a spreadsheet cut its leading zeros.
pub(super) fn padded(code: &str) -> impl Iterator<Item = String> {
    let trimmed = code.trim();
    let padded = (0..=4).map(move |zeros| format!("{}{trimmed}", "0".repeat(zeros)));
    padded.filter(|code| code.len() <= 8)
}

/// Spreadsheets cut leading zeros, which is by far the usual reason for an unknown code.
fn unknown_hint(registry: &Registry, code: &str) -> Text {
    let known: Vec<String> = padded(code)
        .filter_map(|c| match registry.unit_on(&c, Date::MAX) {
            UnitLookup::Unknown => None,
            UnitLookup::Found(unit) => Some(format!("{c} {}", registry.unit(unit).name())),
            UnitLookup::OtherTime(ids) => {
                Some(format!("{c} {}", ids.last().map_or("", |u| registry.unit(*u).name())))
            }
        })
        .collect();
    if known.is_empty() {
        Text::of(
            "tra mã trong danh sách đơn vị, GET /v1/units",
            "look the code up in the list of units, GET /v1/units",
        )
    } else {
        Text::of(
            format!("có phải ý là {}? Bảng tính thường cắt số 0 ở đầu", known.join(" hoặc ")),
            format!("did you mean {}? Spreadsheets cut leading zeros", known.join(" or ")),
        )
    }
}

/// That a code of a unit is expected.
pub(crate) fn code_of_unit() -> Text {
    Text::of(
        "mã đơn vị hành chính do cơ quan thống kê ban hành",
        "the code of a unit, as the statistics office gives it",
    )
}

/// That a unit is expected that is in force on a day.
pub(crate) fn in_force_on(day: Date) -> Text {
    Text::of(format!("đơn vị có hiệu lực vào ngày {day}"), format!("a unit in force on {day}"))
}
