//! Breakdown dimensions, and which members a figure names.

use std::fmt;

/// The dimension that says which side reported.
pub const REPORTER: &str = "reporter";
/// The member that stands for what a source did not split (không tách).
pub const UNDIVIDED: &str = "undivided";

/// How the members of a dimension relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DimensionKind {
    /// Members exclude one another, so they add up.
    Partition,
    /// Members overlap, so they are never summed.
    Overlapping,
}

/// A member of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its code, unique in its dimension.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name.
    pub name_en: String,
}

/// A way in which an indicator can be split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its code.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name.
    pub name_en: String,
    /// How its members relate.
    pub kind: DimensionKind,
    /// Its members, by code.
    pub members: Vec<Member>,
}

impl Dimension {
    /// The member of a code.
    pub fn member(&self, code: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.code == code)
    }
}

/// Dimensions with the member named of each; sorted, each dimension at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Breakdown(Vec<(String, String)>);

impl Breakdown {
    /// From pairs of dimension and member.
    ///
    /// # Errors
    /// The name of a dimension that is there twice.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Breakdown, String> {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort();
        match pairs.windows(2).find(|w| w[0].0 == w[1].0) {
            Some(twice) => Err(twice[0].0.clone()),
            None => Ok(Breakdown(pairs)),
        }
    }

    /// Reads `dimension=member|dimension=member`; the empty text is the empty breakdown.
    ///
    /// # Errors
    /// The part that is not `dimension=member`, or the dimension that is there twice.
    pub fn parse(text: &str) -> Result<Breakdown, String> {
        if text.is_empty() {
            return Ok(Breakdown::default());
        }
        let pairs = text.split('|').map(|part| match part.split_once('=') {
            Some((dimension, member)) if !dimension.is_empty() && !member.is_empty() => {
                Ok((dimension.to_owned(), member.to_owned()))
            }
            _ => Err(part.to_owned()),
        });
        Breakdown::new(pairs.collect::<Result<Vec<_>, _>>()?)
    }

    /// The member named of a dimension.
    pub fn member(&self, dimension: &str) -> Option<&str> {
        self.0.iter().find(|(d, _)| d == dimension).map(|(_, m)| m.as_str())
    }

    /// Dimensions and members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(d, m)| (d.as_str(), m.as_str()))
    }

    /// Whether no dimension is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Only the dimensions that pass.
    pub fn only(&self, mut keep: impl FnMut(&str) -> bool) -> Breakdown {
        Breakdown(self.0.iter().filter(|(d, _)| keep(d)).cloned().collect())
    }

    /// With one more dimension named, or its member replaced.
    pub fn with(&self, dimension: &str, member: &str) -> Breakdown {
        let mut pairs: Vec<_> = self.0.iter().filter(|(d, _)| d != dimension).cloned().collect();
        pairs.push((dimension.to_owned(), member.to_owned()));
        pairs.sort();
        Breakdown(pairs)
    }

    /// Whether everything this one names, the other names alike.
    pub fn within(&self, other: &Breakdown) -> bool {
        self.iter().all(|(d, m)| other.member(d) == Some(m))
    }
}

impl fmt::Display for Breakdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (dimension, member)) in self.iter().enumerate() {
            write!(f, "{}{dimension}={member}", if i == 0 { "" } else { "|" })?;
        }
        Ok(())
    }
}
