//! Which unit a figure is of: codes are reused, so a code means nothing without a day.

use tonghop_core::Date;
use tonghop_core::figure::Scope;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;

use super::Checker;
use crate::finding::{Code, finding};
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
        let code = self.required(raw, bad, Field::Unit, &raw.unit, "the code of a unit")?;
        let registry = self.registry;
        let spot = || raw.place.at(Field::Unit);
        // Any day tells a code that never was from one that is not in force.
        let day = indicator.zip(period).map(|(i, p)| i.calendar.last_day(p));
        let found = registry.unit_on(code, day.unwrap_or(Date::MIN));
        let unit = match self.yours(raw, code, day, found)? {
            UnitLookup::Unknown => {
                self.findings.add(|| {
                    let expected = "the code of a unit, as the statistics office gives it";
                    finding(Code::UnknownUnit, spot(), code, expected, unknown_hint(registry, code))
                });
                return None;
            }
            UnitLookup::OtherTime(ids) => {
                let (day, period) = day.zip(period)?;
                self.findings.add(|| {
                    let expected = match period {
                        Period::Instant(_) => format!("a unit in force on {day}"),
                        _ => format!("a unit in force on {day}, the last day of {period}"),
                    };
                    finding(
                        Code::UnitNotInForce,
                        spot(),
                        code,
                        expected,
                        registry.code_at_other_times(&ids, day),
                    )
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
                    Some(above) => format!("report it for {}", registry.named(above, day)),
                    None => "report it for the unit above".to_owned(),
                };
                let got =
                    format!("{}, of level {}", registry.named(id, day), registry.level_code(unit.level));
                let expected =
                    format!("a unit of level {level} or above: {} is collected there", indicator.code);
                finding(Code::UnitBelowCollectionLevel, raw.place.at(Field::Unit), got, expected, hint)
            });
            return false;
        }
        if scope == Some(Scope::Territory) && registry.collects(id, day, collection) {
            self.findings.add(|| {
                let got = format!("territory for {}", registry.named(id, day));
                let expected = format!(
                    "own: nothing below this unit reports {}, which is collected at level {}",
                    indicator.code,
                    registry.level_code(collection)
                );
                let hint = "write own: what the unit reports is all there is in it";
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
                let hint = "write the day whose map the unit code is of, or leave the cell empty";
                finding(Code::MalformedMapDate, spot(), text, "a day, as 2023-12-14", hint)
            });
            return false;
        };
        if registry.unit_on(&raw.unit, map_date) == UnitLookup::Found(unit) {
            return true;
        }
        self.findings.add(|| {
            let then = match registry.unit_on(&raw.unit, map_date) {
                UnitLookup::Found(other) if self.grant.covers(registry, other, map_date) => {
                    registry.named(other, map_date)
                }
                UnitLookup::Found(_) => "another unit with this code".to_owned(),
                _ => format!("no unit with code {}", raw.unit),
            };
            let got = format!("{map_date}, when there is {then}");
            let expected = format!("a day on which the code is {}, as on {day}", registry.named(unit, day));
            let hint = "units are read on the map of the period's last day: use the codes of that map";
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
fn unknown_hint(registry: &Registry, code: &str) -> String {
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
        "look the code up in the list of units, GET /v1/units".to_owned()
    } else {
        format!("did you mean {}? Spreadsheets cut leading zeros", known.join(" or "))
    }
}
