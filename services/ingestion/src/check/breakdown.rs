//! A figure's breakdown: the side that reports, a member of every partition, and members of overlapping
//! dimensions where the figure is for one.

use std::collections::{BTreeMap, HashMap};

use tonghop_core::dimension::{Breakdown, Dimension, DimensionKind, REPORTER, UNDIVIDED};
use tonghop_core::figure::{Series, place};
use tonghop_core::indicator::Indicator;
use tonghop_core::registry::Registry;
use tonghop_runtime::Finding;

use super::nearest::nearest;
use crate::finding::{Code, Spot, finding};
use crate::submission::{Field, Place, RawBreakdown, RawFigure};

/// A breakdown that an indicator can have.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) breakdown: Breakdown,
    /// The number of its place among all series: figures of one unit, period and scope with one number have
    /// one key.
    pub(super) number: u32,
    /// Whether it names a member of an overlapping dimension other than the reporter.
    pub(super) tagged: bool,
}

/// A place among all series.
pub(super) type Address = (Series, Breakdown);

/// Something wrong with a breakdown, wherever it stands.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    code: Code,
    dimension: String,
    got: String,
    expected: String,
    hint: String,
}

impl Wrong {
    pub(super) fn finding(&self, raw: &RawFigure) -> Finding {
        let spot = match (&raw.place, &raw.breakdown) {
            (Place::Item(_), RawBreakdown::Pairs(_)) if !self.dimension.is_empty() => {
                Spot::path(format!("{}.{}.{}", raw.place, Field::Breakdown.key(), self.dimension))
            }
            _ => raw.place.at(Field::Breakdown),
        };
        finding(self.code, spot, &self.got, self.expected.clone(), self.hint.clone())
    }
}

struct Reader {
    wrong: Vec<Wrong>,
}

impl Reader {
    fn wrong(
        &mut self,
        code: Code,
        dimension: &str,
        got: &str,
        expected: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.wrong.push(Wrong {
            code,
            dimension: dimension.to_owned(),
            got: got.to_owned(),
            expected: expected.into(),
            hint: hint.into(),
        });
    }
}

/// Reads a breakdown. Without an indicator only dimensions and members are checked, and there is no result.
pub(super) fn read(
    registry: &Registry,
    indicator: Option<&Indicator>,
    raw: &RawBreakdown,
    numbers: &mut HashMap<Address, u32>,
) -> Result<Placed, Vec<Wrong>> {
    let mut reader = Reader { wrong: Vec::new() };
    let pairs = reader.pairs(raw);
    for (dimension, member) in &pairs {
        reader.pair(registry, indicator, dimension, member);
    }
    let Some(indicator) = indicator else { return Err(reader.wrong) };
    // What could not be read may be what seems to be missing.
    if !reader.wrong.iter().any(|w| w.code == Code::MalformedBreakdown) {
        reader.complete(registry, indicator, &pairs);
    }
    if !reader.wrong.is_empty() {
        return Err(reader.wrong);
    }
    let owned = pairs.iter().map(|(d, m)| ((*d).to_owned(), (*m).to_owned()));
    let Ok(breakdown) = Breakdown::new(owned) else { unreachable!("the keys of a map are there once") };
    let (series, leaf) = place(registry, indicator, &breakdown);
    let tagged = series.tags.iter().any(|(d, _)| d != REPORTER);
    let next = numbers.len() as u32;
    let number = *numbers.entry((series, leaf.members)).or_insert(next);
    Ok(Placed { breakdown, number, tagged })
}

impl Reader {
    fn pairs<'b>(&mut self, raw: &'b RawBreakdown) -> BTreeMap<&'b str, &'b str> {
        let mut pairs = BTreeMap::new();
        let read: Vec<(&str, &str)> = match raw {
            RawBreakdown::Pairs(all) => all.iter().map(|(d, m)| (d.as_str(), m.as_str())).collect(),
            RawBreakdown::Text(text) if text.is_empty() => vec![],
            RawBreakdown::Text(text) => {
                text.split('|').map(|part| part.split_once('=').unwrap_or((part, ""))).collect()
            }
        };
        for (dimension, member) in read {
            if dimension.is_empty() || member.is_empty() {
                let got = match raw {
                    RawBreakdown::Pairs(_) => format!("{dimension:?} with the member {member:?}"),
                    RawBreakdown::Text(text) => text.clone(),
                };
                let hint = "name a dimension and a member of it; in CSV separate such pairs by |";
                self.wrong(Code::MalformedBreakdown, dimension, &got, "pairs as reporter=cong-an", hint);
            } else if pairs.insert(dimension, member).is_some() {
                let hint = "a figure is for one member of a dimension: give each member a figure of its own";
                let got = format!("{dimension} a second time, with {member}");
                self.wrong(Code::DuplicateDimension, dimension, &got, "every dimension once", hint);
            }
        }
        pairs
    }

    fn pair(&mut self, registry: &Registry, indicator: Option<&Indicator>, dimension: &str, member: &str) {
        let Some(known) = registry.dimension(dimension) else {
            let codes = registry.dimensions().iter().map(|d| d.code.as_str());
            let hint = match (nearest(dimension, codes).first(), indicator) {
                (Some(near), _) => format!("did you mean {near}?"),
                (None, Some(indicator)) => format!("{} has {}", indicator.code, list(&indicator.dimensions)),
                (None, None) => "look it up in the list of dimensions, GET /v1/dimensions".to_owned(),
            };
            return self.wrong(Code::UnknownDimension, dimension, dimension, "the code of a dimension", hint);
        };
        if let Some(indicator) = indicator
            && !indicator.has_dimension(dimension)
        {
            let expected = format!("{} has {}", indicator.code, list(&indicator.dimensions));
            let hint = format!("leave {dimension} out");
            return self.wrong(Code::DimensionNotOfIndicator, dimension, dimension, expected, hint);
        }
        if known.member(member).is_none() {
            let hint = match nearest(member, known.members.iter().map(|m| m.code.as_str())).first() {
                Some(near) => format!("did you mean {near}?"),
                None if known.member(UNDIVIDED).is_some() => {
                    format!("write {UNDIVIDED} where the source does not split by {dimension}")
                }
                None => "write the code of one of these members".to_owned(),
            };
            let expected = members(known);
            return self.wrong(Code::UnknownMember, dimension, member, expected, hint);
        }
        if let Some(indicator) = indicator
            && dimension == REPORTER
            && !indicator.reporters.is_empty()
            && !indicator.reporters.iter().any(|r| r == member)
        {
            let expected = indicator.reporters.join(" or ");
            let hint = format!("{} is reported by {expected} only", indicator.code);
            self.wrong(Code::ReporterNotAllowed, dimension, member, expected, hint);
        }
    }

    /// The reporter and a member of every partition have to be there.
    fn complete(&mut self, registry: &Registry, indicator: &Indicator, pairs: &BTreeMap<&str, &str>) {
        let missing = indicator.dimensions.iter().filter(|d| !pairs.contains_key(d.as_str()));
        for dimension in missing {
            if dimension == REPORTER {
                let sides = match indicator.reporters.as_slice() {
                    [] => registry.dimension(REPORTER).map(members).unwrap_or_default(),
                    some => some.join(" or "),
                };
                let hint = format!("add {REPORTER}={}", indicator.reporters.first().map_or("…", |r| r));
                let expected = format!("the side that reports: {sides}");
                self.wrong(Code::MissingReporter, dimension, "nothing", expected, hint);
            } else if let Some(known) = registry.dimension(dimension)
                && known.kind == DimensionKind::Partition
            {
                let expected = format!("a member of {dimension}: {}", members(known));
                let hint = format!("add {dimension}={UNDIVIDED} where the source does not split by it");
                self.wrong(Code::MissingMember, dimension, "nothing", expected, hint);
            }
        }
    }
}

fn list(dimensions: &[String]) -> String {
    if dimensions.is_empty() { "no breakdown".to_owned() } else { dimensions.join(", ") }
}

fn members(dimension: &Dimension) -> String {
    dimension.members.iter().map(|m| m.code.as_str()).collect::<Vec<_>>().join(", ")
}
