//! A figure's breakdown: the side that reports, a member of every partition, and members of overlapping
//! dimensions where the figure is for one.

use std::collections::{BTreeMap, HashMap};

use tonghop_core::dimension::{Breakdown, Dimension, DimensionKind, REPORTER, UNDIVIDED};
use tonghop_core::figure::{Series, place};
use tonghop_core::indicator::Indicator;
use tonghop_core::registry::Registry;
use tonghop_runtime::{Finding, Got, Language, Text};

use super::nearest::nearest;
use crate::finding::{Code, Spot, did_you_mean, finding, shown};
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
    got: Got,
    expected: Text,
    hint: Text,
}

impl Wrong {
    pub(super) fn finding(&self, raw: &RawFigure) -> Finding {
        let spot = match (&raw.place, &raw.breakdown) {
            (Place::Item(_), RawBreakdown::Pairs(_)) if !self.dimension.is_empty() => {
                Spot::path(format!("{}.{}.{}", raw.place, Field::Breakdown.key(), self.dimension))
            }
            _ => raw.place.at(Field::Breakdown),
        };
        finding(self.code, spot, self.got.clone(), self.expected.clone(), self.hint.clone())
    }
}

struct Reader {
    wrong: Vec<Wrong>,
}

impl Reader {
    fn wrong(&mut self, code: Code, dimension: &str, got: impl Into<Got>, expected: Text, hint: Text) {
        self.wrong.push(Wrong { code, dimension: dimension.to_owned(), got: got.into(), expected, hint });
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
                    RawBreakdown::Pairs(_) => format!("{dimension:?}: {member:?}"),
                    RawBreakdown::Text(text) => text.clone(),
                };
                let expected = Text::of("các cặp như reporter=cong-an", "pairs as reporter=cong-an");
                let hint = Text::of(
                    "nêu tiêu thức phân tổ và mục của nó; trong CSV các cặp cách nhau bằng dấu |",
                    "name a dimension and a member of it; in CSV separate such pairs by |",
                );
                self.wrong(Code::MalformedBreakdown, dimension, got, expected, hint);
            } else if pairs.insert(dimension, member).is_some() {
                let hint = Text::of(
                    "mỗi số liệu thuộc một mục của một tiêu thức phân tổ: hãy tách mỗi mục thành một số liệu riêng",
                    "a figure is for one member of a dimension: give each member a figure of its own",
                );
                let got = Text::of(
                    format!("{dimension} lần thứ hai, với {}", shown(member)),
                    format!("{dimension} a second time, with {}", shown(member)),
                );
                let expected = Text::of("mỗi tiêu thức phân tổ một lần", "every dimension once");
                self.wrong(Code::DuplicateDimension, dimension, got, expected, hint);
            }
        }
        pairs
    }

    fn pair(&mut self, registry: &Registry, indicator: Option<&Indicator>, dimension: &str, member: &str) {
        let Some(known) = registry.dimension(dimension) else {
            let codes = registry.dimensions().iter().map(|d| d.code.as_str());
            let hint = match (nearest(dimension, codes).first(), indicator) {
                (Some(near), _) => did_you_mean(&[near]),
                (None, Some(indicator)) => has(indicator),
                (None, None) => Text::of(
                    "tra trong danh sách tiêu thức phân tổ, GET /v1/dimensions",
                    "look it up in the list of dimensions, GET /v1/dimensions",
                ),
            };
            let expected = Text::of("mã của một tiêu thức phân tổ", "the code of a dimension");
            return self.wrong(Code::UnknownDimension, dimension, dimension, expected, hint);
        };
        if let Some(indicator) = indicator
            && !indicator.has_dimension(dimension)
        {
            let (expected, name) = (has(indicator), shown(dimension));
            let hint = Text::of(format!("bỏ {name}"), format!("leave {name} out"));
            return self.wrong(Code::DimensionNotOfIndicator, dimension, dimension, expected, hint);
        }
        if known.member(member).is_none() {
            let hint = match nearest(member, known.members.iter().map(|m| m.code.as_str())).first() {
                Some(near) => did_you_mean(&[near]),
                None if known.member(UNDIVIDED).is_some() => Text::of(
                    format!("ghi {UNDIVIDED} nếu nguồn không tách theo {dimension}"),
                    format!("write {UNDIVIDED} where the source does not split by {dimension}"),
                ),
                None => {
                    Text::of("ghi mã của một trong các mục này", "write the code of one of these members")
                }
            };
            let expected = Text::same(members(known));
            return self.wrong(Code::UnknownMember, dimension, member, expected, hint);
        }
        if let Some(indicator) = indicator
            && dimension == REPORTER
            && !indicator.reporters.is_empty()
            && !indicator.reporters.iter().any(|r| r == member)
        {
            let (sides, code) = (either(&indicator.reporters), &indicator.code);
            let hint = Text::of(
                format!("{code} chỉ do {} báo cáo", sides.in_language(Language::Vietnamese)),
                format!("{code} is reported by {} only", sides.in_language(Language::English)),
            );
            self.wrong(Code::ReporterNotAllowed, dimension, member, sides, hint);
        }
    }

    /// The reporter and a member of every partition have to be there.
    fn complete(&mut self, registry: &Registry, indicator: &Indicator, pairs: &BTreeMap<&str, &str>) {
        let missing = indicator.dimensions.iter().filter(|d| !pairs.contains_key(d.as_str()));
        for dimension in missing {
            if dimension == REPORTER {
                let sides = match indicator.reporters.as_slice() {
                    [] => Text::same(registry.dimension(REPORTER).map(members).unwrap_or_default()),
                    some => either(some),
                };
                let first = indicator.reporters.first().map_or("…", |r| r);
                let hint = Text::of(format!("thêm {REPORTER}={first}"), format!("add {REPORTER}={first}"));
                let expected = Text::of(
                    format!("bên báo cáo: {}", sides.in_language(Language::Vietnamese)),
                    format!("the side that reports: {}", sides.in_language(Language::English)),
                );
                self.wrong(Code::MissingReporter, dimension, Got::nothing(), expected, hint);
            } else if let Some(known) = registry.dimension(dimension)
                && known.kind == DimensionKind::Partition
            {
                let members = members(known);
                let expected = Text::of(
                    format!("một mục của {dimension}: {members}"),
                    format!("a member of {dimension}: {members}"),
                );
                let hint = Text::of(
                    format!("thêm {dimension}={UNDIVIDED} nếu nguồn không tách theo tiêu thức này"),
                    format!("add {dimension}={UNDIVIDED} where the source does not split by it"),
                );
                self.wrong(Code::MissingMember, dimension, Got::nothing(), expected, hint);
            }
        }
    }
}

/// What an indicator is split by.
fn has(indicator: &Indicator) -> Text {
    let (code, all) = (&indicator.code, indicator.dimensions.join(", "));
    match all.as_str() {
        "" => Text::of(format!("{code} không có phân tổ"), format!("{code} has no breakdown")),
        _ => Text::of(format!("{code} có {all}"), format!("{code} has {all}")),
    }
}

fn either(sides: &[String]) -> Text {
    Text::of(sides.join(" hoặc "), sides.join(" or "))
}

fn members(dimension: &Dimension) -> String {
    dimension.members.iter().map(|m| m.code.as_str()).collect::<Vec<_>>().join(", ")
}
