//! Variable-length integers and strings.

/// Why bytes are not a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Written by another version.
    #[error("version {0} of the format is not known")]
    Version(u8),
    /// Cut short, or not a body at all.
    #[error("the bytes are damaged: {0}")]
    Damaged(&'static str),
}

/// A number with a sign as one without, which is small where the number is near zero.
pub(crate) fn zigzag(number: i128) -> u128 {
    ((number << 1) ^ (number >> 127)) as u128
}

/// Back from [`zigzag`].
pub(crate) fn from_zigzag(number: u128) -> i128 {
    (number >> 1) as i128 ^ -((number & 1) as i128)
}

/// Appends numbers and texts.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn unsigned(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.0.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn signed(&mut self, value: i128) {
        self.unsigned(zigzag(value));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.unsigned(text.len() as u128);
        self.0.extend_from_slice(text.as_bytes());
    }
}

/// Reads them back.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn byte(&mut self) -> Result<u8, BodyError> {
        let (first, rest) = self.0.split_first().ok_or(BodyError::Damaged("cut short"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u128, BodyError> {
        let mut value = 0u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            if shift == 126 && part > 3 {
                break;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BodyError::Damaged("a number too long"))
    }

    pub(crate) fn signed(&mut self) -> Result<i128, BodyError> {
        Ok(from_zigzag(self.unsigned()?))
    }

    pub(crate) fn number<T: TryFrom<u128>>(&mut self) -> Result<T, BodyError> {
        T::try_from(self.unsigned()?).map_err(|_| BodyError::Damaged("a number out of range"))
    }

    pub(crate) fn small<T: TryFrom<i128>>(&mut self) -> Result<T, BodyError> {
        T::try_from(self.signed()?).map_err(|_| BodyError::Damaged("a number out of range"))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, BodyError> {
        let length: usize = self.number()?;
        if length > self.0.len() {
            return Err(BodyError::Damaged("cut short"));
        }
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| BodyError::Damaged("a text that is not UTF-8"))
    }

    /// A count of things that take at least a byte each, so that no count can ask for more memory than there are bytes.
    pub(crate) fn count(&mut self) -> Result<usize, BodyError> {
        let count: usize = self.number()?;
        if count > self.0.len() { Err(BodyError::Damaged("a count past the end")) } else { Ok(count) }
    }
}
