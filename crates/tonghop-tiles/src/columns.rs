//! Columns of numbers, in as few bits as their largest needs.
//!
//! ```text
//! 0 · number                          all are this number
//! 1, then for every 64 numbers:       width in bits · the numbers, lowest bits first, filled up to a whole byte
//! ```

use crate::bytes::{BodyError, Reader, Writer};

/// Numbers of one width.
const BLOCK: usize = 64;

impl Writer {
    /// Appends a column. Its length is not written.
    pub(crate) fn column(&mut self, numbers: &[u64]) {
        let first = numbers.first().copied().unwrap_or(0);
        if numbers.iter().all(|n| *n == first) {
            self.0.push(0);
            self.unsigned(u128::from(first));
            return;
        }
        self.0.push(1);
        for block in numbers.chunks(BLOCK) {
            let all = block.iter().fold(0, |all, n| all | n);
            let width = u64::BITS - all.leading_zeros();
            self.0.push(width as u8);
            let (mut bits, mut held) = (0u128, 0u32);
            for number in block {
                bits |= u128::from(*number) << held;
                held += width;
                while held >= 8 {
                    self.0.push(bits as u8);
                    bits >>= 8;
                    held -= 8;
                }
            }
            if held > 0 {
                self.0.push(bits as u8);
            }
        }
    }
}

impl Reader<'_> {
    /// Reads a column of some length.
    pub(crate) fn column(&mut self, length: usize) -> Result<Vec<u64>, BodyError> {
        match self.byte()? {
            0 => return Ok(vec![self.number()?; length]),
            1 => {}
            _ => return Err(BodyError::Damaged("an unknown kind of column")),
        }
        let mut out = Vec::with_capacity(length);
        while out.len() < length {
            let many = BLOCK.min(length - out.len());
            let width = u32::from(self.byte()?);
            if width > u64::BITS {
                return Err(BodyError::Damaged("numbers too wide"));
            }
            let bytes = (many * width as usize).div_ceil(8);
            if bytes > self.0.len() {
                return Err(BodyError::Damaged("cut short"));
            }
            let (block, rest) = self.0.split_at(bytes);
            self.0 = rest;
            let mask = u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0);
            let mut block = block.iter();
            let (mut bits, mut held) = (0u128, 0u32);
            for _ in 0..many {
                while held < width {
                    let Some(byte) = block.next() else { break };
                    bits |= u128::from(*byte) << held;
                    held += 8;
                }
                out.push(bits as u64 & mask);
                bits >>= width;
                held -= width;
            }
        }
        Ok(out)
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

    proptest! {
        #[test]
        fn a_column_reads_back(numbers in prop::collection::vec(
            prop_oneof![Just(0), 0..4u64, 0..5000u64, any::<u64>()], 0..300)) {
            let bytes = written(&numbers);
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.column(numbers.len()), Ok(numbers));
            prop_assert!(reader.0.is_empty());
        }

        #[test]
        fn bytes_that_are_no_column_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..80), length in 0..200usize) {
            let _ = Reader(&bytes).column(length);
        }
    }

    #[test]
    fn a_column_takes_what_its_largest_number_needs() {
        assert_eq!(written(&[7; 1000]).len(), 2);
        let numbers: Vec<u64> = (0..180).map(|n| 2000 - n % 2).collect();
        assert_eq!(written(&numbers).len(), 1 + 3 + (2 * 64 * 11 / 8) + (52 * 11_usize).div_ceil(8));
    }
}
