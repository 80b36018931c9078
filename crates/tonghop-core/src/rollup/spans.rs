//! Which periods stand in for the years of a span.

use crate::period::Period;

/// Years covered, by how many spans, and by which.
type Choice = (usize, usize, Vec<(i16, i16)>);

/// The tiles of the span `from..=to`: its years, save where shorter spans for which the unit has a figure stand
/// in their place. Of the sets of such spans that do not overlap it is the one that covers most years; of
/// those the one with the fewest spans; of those the earliest.
pub(super) fn tiles(from: i16, to: i16, reported: &[(i16, i16)]) -> Vec<Period> {
    let years = usize::try_from(i32::from(to) - i32::from(from) + 1).unwrap_or(0);
    // best[i]: of the years from `from + i` on, how many are covered, by how many spans, and by which.
    let mut best: Vec<Choice> = vec![(0, 0, vec![]); years + 1];
    for i in (0..years).rev() {
        let year = from + i as i16;
        let mut here = best[i + 1].clone();
        for &(a, b) in reported {
            if a == year && b <= to && (a, b) != (from, to) {
                let length = usize::try_from(i32::from(b) - i32::from(a) + 1).unwrap_or(0);
                let rest = &best[i + length];
                let mut chosen = vec![(a, b)];
                chosen.extend(&rest.2);
                let candidate = (rest.0 + length, rest.1 + 1, chosen);
                let better =
                    (candidate.0, std::cmp::Reverse(candidate.1)).cmp(&(here.0, std::cmp::Reverse(here.1)));
                if better.is_gt() || (better.is_eq() && candidate.2 < here.2) {
                    here = candidate;
                }
            }
        }
        best[i] = here;
    }
    let mut out = Vec::new();
    let mut year = from;
    for &(a, b) in &best[0].2 {
        out.extend((year..a).map(Period::Year));
        out.push(Period::Span(a, b));
        year = b + 1;
    }
    out.extend((year..=to).map(Period::Year));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from: i16, to: i16, reported: &[(i16, i16)]) -> String {
        tiles(from, to, reported).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn spans_stand_in_for_their_years() {
        assert_eq!(shown(2013, 2016, &[]), "2013 2014 2015 2016");
        assert_eq!(shown(2013, 2016, &[(2013, 2016)]), "2013 2014 2015 2016");
        assert_eq!(shown(2013, 2016, &[(2014, 2015)]), "2013 2014..2015 2016");
    }

    #[test]
    fn most_years_then_fewest_spans_then_the_earliest() {
        assert_eq!(shown(2013, 2017, &[(2013, 2014), (2014, 2017)]), "2013 2014..2017");
        assert_eq!(shown(2013, 2017, &[(2013, 2014), (2015, 2016), (2013, 2016)]), "2013..2016 2017");
        assert_eq!(shown(2013, 2015, &[(2013, 2014), (2014, 2015)]), "2013..2014 2015");
    }
}
