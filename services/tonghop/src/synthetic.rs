//! Made-up figures from a fixed seed. They are SYNTHETIC and say so wherever they go: in the note of every
//! submission, in its source, and in every heading they are shown under.
//!
//! A value follows from the seed, the unit, the indicator and the period, and from nothing else: not from the
//! order in which values are drawn, and not from a clock.

use tonghop_core::decimal::format_decimal;
use tonghop_proto::ingestion::{Figure, figure::Statement};

/// The seed.
pub const SEED: u64 = 0x746f_6e67_2068_6f70;
/// The source that synthetic submissions name.
pub const SOURCE: &str = "synthetic-demo";
/// The note they carry.
pub const NOTE: &str = "SYNTHETIC figures from a fixed seed";

/// splitmix64.
#[derive(Clone, Copy, Debug)]
pub struct Draws(u64);

impl Draws {
    /// Draws that follow from a seed and some words.
    pub fn of(seed: u64, words: &[&str]) -> Draws {
        // FNV-1a, with a byte between words that is in none of them.
        let bytes = words.iter().flat_map(|w| w.bytes().chain([0xff]));
        let hash =
            seed.to_le_bytes().into_iter().chain(bytes).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        Draws(hash)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn within(&mut self, least: u64, most: u64) -> u64 {
        let room = u128::from(most.saturating_sub(least)) + 1;
        let part = (u128::from(self.bits()) * room) >> 64;
        least + u64::try_from(part).unwrap_or(0)
    }
}

/// What a unit reports of one indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Code of the indicator.
    pub indicator: String,
    /// Period of the figures.
    pub period: String,
    /// The value is split over these.
    pub breakdowns: Vec<String>,
    /// Decimals of the indicator.
    pub decimals: u8,
    /// The least it can be, in units of the last decimal.
    pub least: u64,
    /// The most it can be.
    pub most: u64,
    /// Other lines of which this is a part, so that it cannot be more.
    pub part_of: Vec<usize>,
    /// A qualifier other than exact, for one figure in so many.
    pub qualifier: Option<(&'static str, u64)>,
}

/// A chain of parts of parts is followed this far; a catalogue's is one long.
const DEPTH: usize = 8;

/// What a unit has of line `at`, in units of the last decimal.
pub fn value(seed: u64, lines: &[Line], at: usize, unit: &str) -> u64 {
    fn follow(seed: u64, lines: &[Line], at: usize, unit: &str, depth: usize) -> u64 {
        let Some(line) = lines.get(at).filter(|_| depth > 0) else { return 0 };
        let wholes = line.part_of.iter().map(|whole| follow(seed, lines, *whole, unit, depth - 1));
        let most = wholes.fold(line.most, u64::min);
        let mut draws = Draws::of(seed, &[unit, &line.indicator, &line.period]);
        draws.within(line.least.min(most), most)
    }
    follow(seed, lines, at, unit, DEPTH)
}

/// The figures of a unit for line `at`, of scope own.
pub fn figures(seed: u64, lines: &[Line], at: usize, unit: &str) -> Vec<Figure> {
    let Some(line) = lines.get(at) else { return vec![] };
    let mut rest = value(seed, lines, at, unit);
    let mut draws = Draws::of(seed, &[unit, &line.indicator, &line.period, "split"]);
    let mut out = vec![];
    for (i, breakdown) in line.breakdowns.iter().enumerate() {
        let share = if i + 1 == line.breakdowns.len() { rest } else { draws.within(0, rest) };
        rest -= share;
        let qualifier = match line.qualifier {
            Some((code, one_in)) if draws.within(1, one_in) == 1 => code,
            _ => "exact",
        };
        out.push(figure(line, unit, "own", breakdown, share, qualifier));
    }
    out
}

/// One figure.
pub fn figure(line: &Line, unit: &str, scope: &str, breakdown: &str, value: u64, qualifier: &str) -> Figure {
    Figure {
        unit: unit.to_owned(),
        indicator: line.indicator.clone(),
        breakdown: breakdown.to_owned(),
        period: line.period.clone(),
        scope: scope.to_owned(),
        statement: Some(Statement::Value(format_decimal(i128::from(value), line.decimals))),
        qualifier: qualifier.to_owned(),
        programmes: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        let line = |indicator: &str, most, part_of: Option<usize>| Line {
            indicator: indicator.into(),
            period: "2024-M05".into(),
            breakdowns: vec![
                "channel=in-person|reporter=cong-an".into(),
                "channel=tip-box|reporter=cong-an".into(),
            ],
            decimals: 0,
            least: 0,
            most,
            part_of: part_of.into_iter().collect(),
            qualifier: Some(("about", 5)),
        };
        vec![line("tg01-crime-tips", 12, None), line("tg02-useful-tips", 99, Some(0))]
    }

    fn text(seed: u64) -> String {
        let mut out = String::new();
        for unit in 5400..5600 {
            for at in 0..2 {
                for f in figures(seed, &lines(), at, &format!("{unit:05}")) {
                    let Some(Statement::Value(value)) = f.statement else { panic!("no value") };
                    let cells = [f.unit, f.indicator, f.breakdown, f.period, f.scope, value, f.qualifier];
                    out.push_str(&cells.join(","));
                    out.push('\n');
                }
            }
        }
        out
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(text(SEED), text(SEED));
        assert_ne!(text(SEED), text(SEED + 1));
        assert_eq!(
            crate::commands::push::key_of(text(SEED).as_bytes()),
            "sha256-383dd19578b3dfc61e6b8c49277b1afa3f98028a3b1c18caabbda1fea5a237fa"
        );
    }

    #[test]
    fn splitmix64_is_splitmix64() {
        let mut draws = Draws(1_234_567);
        assert_eq!(draws.bits(), 6_457_827_717_110_365_317);
        assert_eq!(draws.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn figures_are_codes_and_numbers_and_name_nobody() {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "M-_=|,.\n".contains(c);
        assert!(text(SEED).chars().all(allowed));
    }

    #[test]
    fn a_part_is_never_more_than_its_whole_and_shares_add_up() {
        for unit in 0..500 {
            let unit = format!("{unit:05}");
            let whole = value(SEED, &lines(), 0, &unit);
            assert!(whole <= 12 && value(SEED, &lines(), 1, &unit) <= whole);
            let shares = figures(SEED, &lines(), 0, &unit).into_iter().map(|f| match f.statement {
                Some(Statement::Value(value)) => value.parse::<u64>().unwrap(),
                _ => panic!("no value"),
            });
            assert_eq!(shares.sum::<u64>(), whole);
        }
    }

    #[test]
    fn draws_keep_within_their_bounds_and_reach_them() {
        let mut draws = Draws::of(SEED, &["bounds"]);
        let seen: std::collections::BTreeSet<u64> = (0..200).map(|_| draws.within(3, 6)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(draws.within(7, 7), 7);
    }
}
