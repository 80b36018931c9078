//! Which known code somebody may have meant.

/// Longer texts are nobody's slip of the pen, and comparing them is not worth the time.
const LONGEST: usize = 80;

/// At most three known codes that differ from a text by few letters, the nearest first.
pub(crate) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let letters: Vec<char> = text.chars().take(LONGEST + 1).collect();
    if letters.is_empty() || letters.len() > LONGEST {
        return vec![];
    }
    let most = (letters.len() / 3).clamp(1, 4);
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|code| {
            let distance = distance(&letters, code);
            // Half of a long code is more than a slip, yet plainly that code.
            let begins = letters.len() >= 4 && code.starts_with(text);
            (distance <= most || begins).then_some((if begins { 0 } else { distance }, code))
        })
        .collect();
    near.sort_unstable();
    near.truncate(3);
    near.into_iter().map(|(_, code)| code).collect()
}

/// Letters to insert, remove or replace to come from one text to the other.
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, y) in b.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, x) in a.iter().enumerate() {
            let replaced = diagonal + usize::from(*x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_codes_come_first_and_far_ones_not_at_all() {
        let known = ["tg01-crime-tips", "tg02-useful-tips", "tt01-outreach-sessions"];
        assert_eq!(nearest("tg01-crime-tip", known.into_iter()), ["tg01-crime-tips"]);
        assert_eq!(nearest("tg01_crime_tips", known.into_iter()), ["tg01-crime-tips"]);
        assert_eq!(nearest("tt01-outr", known.into_iter()), ["tt01-outreach-sessions"]);
        assert!(nearest("households", known.into_iter()).is_empty());
        assert!(nearest("", known.into_iter()).is_empty());
        assert!(nearest(&"x".repeat(10_000), known.into_iter()).is_empty());
    }

    #[test]
    fn distance_counts_single_letters() {
        let of = |a: &str, b| distance(&a.chars().collect::<Vec<_>>(), b);
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("abc", "abc"), 0);
    }
}
