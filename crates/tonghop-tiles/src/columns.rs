//! Columns of numbers, in as few bits as they need.
//!
//! ```text
//! 0 · number                          all are this number
//! 1, then for every 64 numbers:       head · base, if there is one · the numbers less the base, lowest bits first,
//!                                     filled up to a whole byte
//! 2, then for every run of one number: its length · the number
//!
//! head: width in bits + 128, if there is a base
//! ```
//!
//! Base, lengths and the numbers of runs are in base-128 groups, lowest first. Of these forms the shortest is written, and
//! of two as short the first, so that equal columns have equal bytes.

use crate::bytes::{BodyError, Reader, Writer};

/// Numbers of one width.
const BLOCK: usize = 64;
/// In a block's head: the numbers are less a base.
const BASED: u8 = 128;
/// Of columns with shorter runs than this, on average, runs are not tried: each takes two bytes and more.
const SHORTEST_RUN: usize = 8;

/// How many bits a number takes.
fn width_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// How many bytes some numbers of one width take.
fn bytes_of(many: usize, width: u32) -> usize {
    (many * width as usize).div_ceil(8)
}

impl Writer {
    /// Appends a column. Its length is not written.
    pub(crate) fn column(&mut self, numbers: &[u64]) {
        let runs = 1 + numbers.windows(2).filter(|pair| pair[0] != pair[1]).count();
        if runs == 1 {
            self.0.push(0);
            self.unsigned(u128::from(numbers.first().copied().unwrap_or(0)));
            return;
        }
        let start = self.0.len();
        self.0.push(1);
        numbers.chunks(BLOCK).for_each(|block| self.block(block));
        if runs <= numbers.len() / SHORTEST_RUN {
            let end = self.0.len();
            self.0.push(2);
            for run in numbers.chunk_by(|a, b| a == b) {
                self.unsigned(run.len() as u128);
                self.unsigned(u128::from(run[0]));
            }
            let shorter = if self.0.len() - end < end - start { start..end } else { end..self.0.len() };
            self.0.drain(shorter);
        }
    }

    fn block(&mut self, block: &[u64]) {
        let (lowest, highest) =
            block.iter().fold((u64::MAX, 0), |(low, high), n| (low.min(*n), high.max(*n)));
        let (plain, based) = (width_of(highest), width_of(highest - lowest));
        let base_takes = (width_of(lowest) as usize).div_ceil(7);
        let many = block.len();
        let (base, width) = if base_takes + bytes_of(many, based) < bytes_of(many, plain) {
            self.0.push(based as u8 | BASED);
            self.unsigned(u128::from(lowest));
            (lowest, based)
        } else {
            self.0.push(plain as u8);
            (0, plain)
        };
        let (mut bits, mut held) = (0u128, 0u32);
        for number in block {
            bits |= u128::from(number - base) << held;
            held += width;
            if held >= u64::BITS {
                self.0.extend_from_slice(&(bits as u64).to_le_bytes());
                bits >>= u64::BITS;
                held -= u64::BITS;
            }
        }
        self.0.extend_from_slice(&bits.to_le_bytes()[..held.div_ceil(8) as usize]);
    }
}

/// Some numbers as they are written, at most [`BLOCK`].
struct Block<'a> {
    base: u64,
    width: u32,
    packed: &'a [u8],
}

impl Block<'_> {
    /// The `at`th number, of `padded`: what is packed, and 16 bytes after it.
    fn number(&self, padded: &[u8], at: usize) -> Result<u64, BodyError> {
        let bit = at * self.width as usize;
        let mut around = [0; 16];
        around.copy_from_slice(&padded[bit / 8..bit / 8 + 16]);
        let mask = u64::MAX.checked_shr(u64::BITS - self.width).unwrap_or(0);
        let number = (u128::from_le_bytes(around) >> (bit % 8)) as u64 & mask;
        self.base.checked_add(number).ok_or(BodyError::Damaged("a number too large"))
    }

    /// What is packed, with room after it.
    fn padded(&self) -> [u8; BLOCK * 8 + 16] {
        let mut padded = [0; BLOCK * 8 + 16];
        padded[..self.packed.len()].copy_from_slice(self.packed);
        padded
    }
}

impl<'a> Reader<'a> {
    /// Reads a column of some length.
    pub(crate) fn column(&mut self, length: usize) -> Result<Vec<u64>, BodyError> {
        match self.byte()? {
            0 => Ok(vec![self.number()?; length]),
            1 => {
                let mut out = Vec::with_capacity(length);
                while out.len() < length {
                    let many = BLOCK.min(length - out.len());
                    let block = self.block(many)?;
                    let padded = block.padded();
                    for at in 0..many {
                        out.push(block.number(&padded, at)?);
                    }
                }
                Ok(out)
            }
            2 => {
                let mut out = Vec::with_capacity(length);
                while out.len() < length {
                    let run = self.run(length - out.len())?;
                    out.resize(out.len() + run, self.number()?);
                }
                Ok(out)
            }
            _ => Err(BodyError::Damaged("an unknown kind of column")),
        }
    }

    /// Reads one number of a column of some length, and passes over the others; all of them, where none is wanted or it
    /// is past the end.
    pub(crate) fn one_of_column(
        &mut self,
        length: usize,
        wanted: Option<usize>,
    ) -> Result<Option<u64>, BodyError> {
        let (mut passed, mut found) = (0, None);
        let place =
            |passed: usize, many: usize| wanted.and_then(|at| at.checked_sub(passed)).filter(|at| *at < many);
        match self.byte()? {
            0 => {
                let number = self.number()?;
                found = place(0, length).map(|_| number);
            }
            1 => {
                while passed < length {
                    let many = BLOCK.min(length - passed);
                    let block = self.block(many)?;
                    if let Some(at) = place(passed, many) {
                        found = Some(block.number(&block.padded(), at)?);
                    }
                    passed += many;
                }
            }
            2 => {
                while passed < length {
                    let run = self.run(length - passed)?;
                    let number = self.number()?;
                    found = found.or(place(passed, run).map(|_| number));
                    passed += run;
                }
            }
            _ => return Err(BodyError::Damaged("an unknown kind of column")),
        }
        Ok(found)
    }

    fn block(&mut self, many: usize) -> Result<Block<'a>, BodyError> {
        let head = self.byte()?;
        let base = if head & BASED == 0 { 0 } else { self.number()? };
        let width = u32::from(head & !BASED);
        if width > u64::BITS {
            return Err(BodyError::Damaged("numbers too wide"));
        }
        let (packed, rest) =
            self.0.split_at_checked(bytes_of(many, width)).ok_or(BodyError::Damaged("cut short"))?;
        self.0 = rest;
        Ok(Block { base, width, packed })
    }

    /// The length of a run, of at most as many numbers as are left.
    fn run(&mut self, left: usize) -> Result<usize, BodyError> {
        let run: usize = self.number()?;
        if (1..=left).contains(&run) { Ok(run) } else { Err(BodyError::Damaged("a run of no such length")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(numbers: &[u64]) -> Vec<u8> {
        let mut out = Writer::default();
        out.column(numbers);
        out.0
    }

    /// Numbers of many sizes; of one size, far from zero; in runs.
    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        let mixed = prop_oneof![Just(0), 0..4u64, 0..5000u64, any::<u64>()];
        let run = (any::<u64>(), 1..60usize).prop_map(|(number, many)| vec![number; many]);
        prop_oneof![
            prop::collection::vec(mixed, 0..300),
            (any::<u32>(), prop::collection::vec(0..40u64, 0..300))
                .prop_map(|(base, all)| all.into_iter().map(|n| u64::from(base) + n).collect()),
            prop::collection::vec(run, 0..6).prop_map(|runs| runs.concat()),
        ]
    }

    proptest! {
        #[test]
        fn a_column_reads_back_whole_and_one_by_one(numbers in numbers()) {
            let bytes = written(&numbers);
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.column(numbers.len()), Ok(numbers.clone()));
            prop_assert!(reader.0.is_empty());
            for (at, number) in numbers.iter().enumerate() {
                let mut reader = Reader(&bytes);
                prop_assert_eq!(reader.one_of_column(numbers.len(), Some(at)), Ok(Some(*number)));
                prop_assert!(reader.0.is_empty());
            }
        }

        #[test]
        fn bytes_that_are_no_column_do_no_harm(
            bytes in prop::collection::vec(any::<u8>(), 0..80), length in 0..200usize, at in 0..200usize,
        ) {
            let whole = Reader(&bytes).column(length);
            let one = Reader(&bytes).one_of_column(length, Some(at));
            if let Ok(whole) = whole {
                prop_assert_eq!(one, Ok(whole.get(at).copied()));
            }
        }
    }

    #[test]
    fn a_column_takes_what_its_numbers_need() {
        assert_eq!(written(&[7; 1000]).len(), 2);
        let small: Vec<u64> = (0..180).map(|n| n % 1500).collect();
        assert_eq!(written(&small).len(), 1 + 3 + 6 * 8 + 1 + 6 * 8 + 2 + (52 * 6_usize).div_ceil(8));
        let far: Vec<u64> = (0..128).map(|n| 1_000_000 + n % 2).collect();
        assert_eq!(written(&far).len(), 1 + 2 * (1 + 3 + 8), "a bit for each, and a base for each block");
        let runs = [vec![40; 90], vec![3000; 69]].concat();
        assert_eq!(written(&runs).len(), 1 + (1 + 1) + (1 + 2), "as runs");
    }

    #[test]
    fn a_run_past_the_end_or_of_nothing_is_refused() {
        for bytes in [[2, 4, 1], [2, 0, 1]] {
            assert_eq!(Reader(&bytes).column(3), Err(BodyError::Damaged("a run of no such length")));
            let passed = Reader(&bytes).one_of_column(3, None);
            assert_eq!(passed, Err(BodyError::Damaged("a run of no such length")));
        }
    }
}
