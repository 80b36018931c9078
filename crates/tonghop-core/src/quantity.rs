//! Values with qualifiers, and how they add.

use crate::lineage::{WHOLE, apportion};

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
    /// All of them, each at its own number.
    pub const ALL: [Qualifier; 4] =
        [Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About];

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
        Qualifier::ALL.into_iter().find(|q| q.code() == code)
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
        Sum::of_alike(i128::from(value), qualifier)
    }

    /// Values that come to `value` and are all to be read in one way.
    pub fn of_alike(value: i128, qualifier: Qualifier) -> Sum {
        Sum { value, exact: if qualifier == Qualifier::Exact { value } else { 0 }, qualifier }
    }

    fn scale(&mut self, factor: i128) {
        self.value *= factor;
        self.exact *= factor;
    }
}

/// Numerator and denominator of a ratio, which speak of the same units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// What is above the line.
    pub numerator: Sum,
    /// What is below it.
    pub denominator: Sum,
    /// How many times both are counted in millionths: once for each change of map that divided a unit, since shares of
    /// a pair are not rounded. No larger than needed.
    pub millionths: u8,
}

/// What a side may come to before it is no longer said in finer parts, which leaves room for sums of 100,000 of them.
const FINEST: i128 = 10i128.pow(27);

impl Pair {
    fn sides(&mut self) -> [&mut Sum; 2] {
        [&mut self.numerator, &mut self.denominator]
    }

    fn may_be_finer(&self) -> bool {
        [self.numerator, self.denominator].iter().all(|side| side.value.abs() < FINEST)
    }

    /// Both sides in millionths up to `times` times, as far as there is room.
    fn finer(mut self, times: u8) -> Pair {
        while self.millionths < times && self.may_be_finer() {
            self.sides().into_iter().for_each(|side| side.scale(i128::from(WHOLE)));
            self.millionths += 1;
        }
        self
    }

    /// Both sides in millionths no more than `times` times; what is finer is cut.
    fn coarser(mut self, times: u8) -> Pair {
        while self.millionths > times {
            for side in self.sides() {
                side.value /= i128::from(WHOLE);
                side.exact /= i128::from(WHOLE);
            }
            self.millionths -= 1;
        }
        self
    }

    /// In as few millionths as both sides can be said in.
    fn reduced(mut self) -> Pair {
        let whole = i128::from(WHOLE);
        while self.millionths > 0
            && [self.numerator, self.denominator].iter().all(|s| s.value % whole == 0 && s.exact % whole == 0)
        {
            self = self.coarser(self.millionths - 1);
        }
        self
    }
}

/// What the roll-up adds: plain sums, or the pairs of a ratio. It never looks inside: which figures count is
/// decided by which are there, not by what they say.
pub trait Amount: Clone + Default + PartialEq + std::fmt::Debug {
    /// Adds another amount to this one.
    fn add(&mut self, other: &Self);

    /// The part of it that one of several heirs has, by shares that sum to [`WHOLE`].
    fn share(&self, shares: &[u32], at: usize) -> Self;
}

impl Amount for Sum {
    fn add(&mut self, other: &Sum) {
        self.value += other.value;
        self.exact += other.exact;
        self.qualifier = self.qualifier.and(other.qualifier);
    }

    /// Whole units of the last decimal, so that all parts sum to the amount. The exact part of a part is never more
    /// than the part.
    fn share(&self, shares: &[u32], at: usize) -> Sum {
        let value = apportion(self.value, shares)[at];
        Sum { value, exact: apportion(self.exact, shares)[at].min(value), ..*self }
    }
}

impl Amount for Pair {
    fn add(&mut self, other: &Pair) {
        let finest = self.millionths.max(other.millionths);
        let (sum, other) = (self.finer(finest), other.finer(finest));
        let common = sum.millionths.min(other.millionths);
        let (mut sum, other) = (sum.coarser(common), other.coarser(common));
        sum.numerator.add(&other.numerator);
        sum.denominator.add(&other.denominator);
        *self = sum.reduced();
    }

    /// Unrounded, as long as there is room.
    fn share(&self, shares: &[u32], at: usize) -> Pair {
        let mut part = *self;
        if !part.may_be_finer() {
            let (numerator, denominator) =
                (self.numerator.share(shares, at), self.denominator.share(shares, at));
            return Pair { numerator, denominator, ..*self }.reduced();
        }
        part.sides().into_iter().for_each(|side| side.scale(i128::from(shares[at])));
        part.millionths += 1;
        part.reduced()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(numerator: i64, denominator: i64) -> Pair {
        let sum = |value| Sum::of(value, Qualifier::Exact);
        Pair { numerator: sum(numerator), denominator: sum(denominator), millionths: 0 }
    }

    #[test]
    fn shares_of_a_pair_are_not_rounded_and_sum_to_it() {
        let shares = [333_333, 666_667];
        let mut both = pair(10, 7).share(&shares, 0);
        assert_eq!((both.numerator.value, both.millionths), (3_333_330, 1));
        both.add(&pair(10, 7).share(&shares, 1));
        assert_eq!(both, pair(10, 7));
        both.add(&pair(1, 1).share(&[500_000, 500_000], 0));
        assert_eq!(
            (both.numerator.value, both.denominator.value, both.millionths),
            (10_500_000, 7_500_000, 1)
        );
    }

    #[test]
    fn pairs_that_are_divided_again_and_again_stay_within_128_bits() {
        let mut part = pair(crate::decimal::MAX_FIGURE, crate::decimal::MAX_FIGURE);
        for _ in 0..40 {
            part = part.share(&[333_333, 666_667], 1);
            part.add(&pair(crate::decimal::MAX_FIGURE, crate::decimal::MAX_FIGURE));
        }
        assert_eq!(part.numerator, part.denominator);
    }

    #[test]
    fn the_exact_part_of_a_share_is_never_more_than_the_share() {
        let sum = Sum { value: 2, exact: 1, qualifier: Qualifier::AtLeast };
        let shares = [340_000, 330_000, 330_000];
        let parts: Vec<_> = (0..3).map(|at| sum.share(&shares, at)).map(|s| (s.value, s.exact)).collect();
        assert_eq!(parts, [(1, 1), (1, 0), (0, 0)]);
    }

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
