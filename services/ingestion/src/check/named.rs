//! Units, indicators, dimensions and members that are named by their names, as people fill them in.
//!
//! A code is always tried first. A name is never guessed: where it fits several, all of them are listed with their
//! codes.

use std::borrow::Cow;
use std::collections::HashMap;

use tonghop_core::Date;
use tonghop_core::indicator::Indicator;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_runtime::{Finding, Text};
use tonghop_written::name::{UnitName, fold};

use crate::finding::{Code, Spot, finding};
use crate::submission::RawBreakdown;

/// How many candidates a finding lists.
const LISTED: usize = 8;

/// The names of units of every time, without their kinds.
#[derive(Debug)]
pub(super) struct UnitNames(HashMap<String, Vec<Named>>);

/// A name that a unit had for a time.
#[derive(Debug)]
struct Named {
    name: UnitName,
    unit: UnitId,
    from: Date,
    to: Date,
}

/// What a name says of units.
pub(super) enum NamedUnit {
    /// No unit ever had it.
    Unknown,
    /// It is the name of this one.
    One(UnitId),
    /// It is the name of several, or of none on that day.
    Refused(Box<Finding>),
}

/// Whether a text may be a name: codes have digits or capital letters alone.
pub(super) fn may_be_name(text: &str) -> bool {
    text.chars().any(|c| c.is_alphabetic() && !c.is_ascii_uppercase()) || text.contains(' ')
}

impl UnitNames {
    /// Of all units of a registry.
    pub(super) fn of(registry: &Registry) -> UnitNames {
        let mut names: HashMap<String, Vec<Named>> = HashMap::new();
        for unit in registry.units() {
            for stage in &unit.stages {
                let name = UnitName::of(&stage.name);
                let bare = name.bare().to_owned();
                names.entry(bare).or_default().push(Named {
                    name,
                    unit: unit.id,
                    from: stage.from,
                    to: stage.to,
                });
            }
        }
        UnitNames(names)
    }

    /// The unit of a name on a day, at or below another where that is given. Of units that are not the sender's on a day
    /// nothing is known.
    pub(super) fn find(
        &self,
        registry: &Registry,
        text: &str,
        day: Date,
        within: Option<UnitId>,
        yours: impl Fn(UnitId, Date) -> bool,
        spot: impl Fn() -> Spot,
    ) -> NamedUnit {
        let asked = UnitName::of(text);
        let fitting: Vec<&Named> =
            self.0.get(asked.bare()).into_iter().flatten().filter(|named| named.name.fits(&asked)).collect();
        let is_then = |n: &Named| n.from <= day && day < n.to;
        let fitting: Vec<&Named> = fitting
            .into_iter()
            .filter(|n| yours(n.unit, if is_then(n) { day } else { registry.unit(n.unit).from() }))
            .collect();
        if fitting.is_empty() {
            return NamedUnit::Unknown;
        }
        let map = registry.map_on(day);
        let inside =
            |unit: UnitId| within.is_none_or(|within| map.ancestry(unit).any(|above| above == within));
        let mut then: Vec<UnitId> =
            fitting.iter().filter(|n| is_then(n) && inside(n.unit)).map(|n| n.unit).collect();
        then.sort_unstable();
        then.dedup();
        match then.as_slice() {
            [one] => NamedUnit::One(*one),
            [] => {
                let mut ever: Vec<UnitId> = fitting.iter().map(|n| n.unit).collect();
                ever.sort_unstable();
                ever.dedup();
                let within = within.filter(|within| yours(*within, day));
                NamedUnit::Refused(Box::new(not_then(registry, text, day, within, &ever, spot())))
            }
            several => NamedUnit::Refused(Box::new(ambiguous(text, &listed(registry, several, day), spot()))),
        }
    }
}

/// Units with their codes, and the unit each is in.
fn listed(registry: &Registry, units: &[UnitId], day: Date) -> Vec<String> {
    let said = |id: UnitId| {
        let unit = registry.unit(id);
        let name = |id: UnitId| {
            let unit = registry.unit(id);
            unit.stage(day).map_or_else(|| unit.name().to_owned(), |stage| stage.name.clone())
        };
        let parent = unit.parent.filter(|p| *p != registry.nation()).map(|p| format!(" ({})", name(p)));
        format!("{} {}{}", unit.code, name(id), parent.unwrap_or_default())
    };
    units.iter().map(|id| said(*id)).collect()
}

fn together(all: &[String], or: &str) -> String {
    let mut text = all.iter().take(LISTED).cloned().collect::<Vec<_>>().join(or);
    if all.len() > LISTED {
        text.push_str(" …");
    }
    text
}

/// That a name fits several.
pub(super) fn ambiguous(text: &str, candidates: &[String], spot: Spot) -> Finding {
    let count = candidates.len();
    let expected = Text::of(
        format!("tên của đúng một nơi hoặc một mục; tên này có {count}"),
        format!("a name of exactly one; this one fits {count}"),
    );
    let hint = Text::of(
        format!("ghi mã thay cho tên: {}", together(candidates, " hoặc ")),
        format!("write the code in place of the name: {}", together(candidates, " or ")),
    );
    finding(Code::AmbiguousName, spot, text, expected, hint)
}

fn not_then(
    registry: &Registry,
    text: &str,
    day: Date,
    within: Option<UnitId>,
    ever: &[UnitId],
    spot: Spot,
) -> Finding {
    let known = listed(registry, ever, Date::MAX);
    let (within_vi, within_en) = match within {
        Some(within) => {
            let name = registry.unit(within).name();
            (format!(" thuộc {name}"), format!(" in {name}"))
        }
        None => (String::new(), String::new()),
    };
    let expected = Text::of(
        format!("đơn vị{within_vi} có tên này vào ngày {day}, ngày cuối của kỳ"),
        format!("a unit{within_en} of this name on {day}, the last day of the period"),
    );
    let hint = Text::of(
        format!("kiểm tra tên và kỳ báo cáo; tên này là của {}", together(&known, ", ")),
        format!("check the name and the period; of this name there is or was {}", together(&known, ", ")),
    );
    finding(Code::UnitNotInForce, spot, text, expected, hint)
}

/// The unit whose code or name a text is, on a day, where it is one only.
pub(super) fn unit(registry: &Registry, names: &UnitNames, text: &str, day: Date) -> Option<UnitId> {
    match registry.unit_on(text, day) {
        UnitLookup::Found(unit) => Some(unit),
        _ => match names.find(registry, text, day, None, |_, _| true, Spot::default) {
            NamedUnit::One(unit) => Some(unit),
            _ => None,
        },
    }
}

/// Indicators of a name, in either language.
pub(super) fn indicators<'r>(registry: &'r Registry, text: &str) -> Vec<&'r Indicator> {
    let asked = fold(text);
    let named = |i: &&'r Indicator| fold(&i.name_vi) == asked || fold(&i.name_en) == asked;
    registry.indicators().iter().map(AsRef::as_ref).filter(named).collect()
}

/// A breakdown with the names of dimensions and members as their codes; what is no name of one only stays.
pub(super) fn breakdown<'t>(registry: &Registry, raw: &'t RawBreakdown) -> Cow<'t, RawBreakdown> {
    let RawBreakdown::Text(text) = raw else { return Cow::Borrowed(raw) };
    if !text.chars().any(|c| !c.is_ascii() || c.is_whitespace() || c.is_ascii_uppercase()) {
        return Cow::Borrowed(raw);
    }
    let pairs = text.split('|').map(|pair| {
        let Some((dimension, member)) = pair.split_once('=') else { return pair.to_owned() };
        let known = registry.dimension(dimension.trim()).or_else(|| {
            let asked = fold(dimension);
            only(
                registry
                    .dimensions()
                    .iter()
                    .filter(|d| fold(&d.name_vi) == asked || fold(&d.name_en) == asked),
            )
        });
        let Some(known) = known else { return pair.to_owned() };
        let code = known.member(member.trim()).or_else(|| {
            let asked = fold(member);
            only(known.members.iter().filter(|m| fold(&m.name_vi) == asked || fold(&m.name_en) == asked))
        });
        format!("{}={}", known.code, code.map_or(member, |m| &m.code))
    });
    Cow::Owned(RawBreakdown::Text(pairs.collect::<Vec<_>>().join("|")))
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}
