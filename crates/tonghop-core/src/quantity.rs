//! Values with qualifiers, and how they add.

/// How the source put a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Qualifier {
    /// As counted.
    #[default]
    Exact,
    /// trên, hơn, ít nhất.
    AtLeast,
    /// gần, dưới.
    AtMost,
    /// khoảng, xấp xỉ.
    About,
}

impl Qualifier {
    /// The qualifier of a sum of two values.
    pub fn and(self, other: Qualifier) -> Qualifier {
        match (self, other) {
            (Qualifier::Exact, q) | (q, Qualifier::Exact) => q,
            (a, b) if a == b => a,
            _ => Qualifier::About,
        }
    }

    /// The code used on the wire and in files.
    pub fn code(self) -> &'static str {
        match self {
            Qualifier::Exact => "exact",
            Qualifier::AtLeast => "at_least",
            Qualifier::AtMost => "at_most",
            Qualifier::About => "about",
        }
    }

    /// Reads a code; `None` for any other text.
    pub fn from_code(code: &str) -> Option<Qualifier> {
        [Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About]
            .into_iter()
            .find(|q| q.code() == code)
    }
}

/// A sum of figures: its value, the part of it that is exact, and how the whole is to be read. Both numbers
/// are in units of the indicator's last decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The sum of the values.
    pub value: i128,
    /// The sum of the exact ones among them.
    pub exact: i128,
    /// The qualifier of the sum.
    pub qualifier: Qualifier,
}

impl Sum {
    /// One reported value.
    pub fn of(value: i64, qualifier: Qualifier) -> Sum {
        let value = i128::from(value);
        Sum { value, exact: if qualifier == Qualifier::Exact { value } else { 0 }, qualifier }
    }
}

/// Numerator and denominator of a ratio, which speak of the same units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// What is above the line.
    pub numerator: Sum,
    /// What is below it.
    pub denominator: Sum,
}

/// What the roll-up adds: plain sums, or the pairs of a ratio. It never looks inside: which figures count is
/// decided by which are there, not by what they say.
pub trait Amount: Clone + Default + PartialEq + std::fmt::Debug {
    /// Adds another amount to this one.
    fn add(&mut self, other: &Self);
}

impl Amount for Sum {
    fn add(&mut self, other: &Sum) {
        self.value += other.value;
        self.exact += other.exact;
        self.qualifier = self.qualifier.and(other.qualifier);
    }
}

impl Amount for Pair {
    fn add(&mut self, other: &Pair) {
        self.numerator.add(&other.numerator);
        self.denominator.add(&other.denominator);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_qualifier_of_a_sum_is_the_weakest_common_one() {
        use Qualifier::*;
        assert_eq!(Exact.and(Exact), Exact);
        assert_eq!(Exact.and(AtLeast), AtLeast);
        assert_eq!(AtMost.and(AtMost), AtMost);
        assert_eq!(AtLeast.and(AtMost), About);
        assert_eq!(About.and(AtLeast), About);
    }

    #[test]
    fn a_sum_keeps_its_exact_part() {
        let mut sum = Sum::of(2100, Qualifier::AtLeast);
        sum.add(&Sum::of(40, Qualifier::Exact));
        assert_eq!(sum, Sum { value: 2140, exact: 40, qualifier: Qualifier::AtLeast });
    }
}
