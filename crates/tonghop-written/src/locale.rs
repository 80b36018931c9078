//! In which way of writing a text is.

/// How numbers are written: what groups thousands, what stands before decimals, and in which language the words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Locale {
    /// `15.000` is fifteen thousand, `2,2` a fraction; "gần 560 nghìn".
    Vietnamese,
    /// `15,000` is fifteen thousand, `2.2` a fraction; "nearly 560 thousand".
    English,
}

impl Locale {
    /// All of them.
    pub const ALL: [Locale; 2] = [Locale::Vietnamese, Locale::English];

    /// By its language's tag (BCP 47), with or without a region: `vi`, `vi-VN`, `en`.
    pub fn from_code(code: &str) -> Option<Locale> {
        match code.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "vi" => Some(Locale::Vietnamese),
            "en" => Some(Locale::English),
            _ => None,
        }
    }

    /// Its language's tag.
    pub fn code(self) -> &'static str {
        match self {
            Locale::Vietnamese => "vi",
            Locale::English => "en",
        }
    }

    /// The other one.
    pub fn other(self) -> Locale {
        match self {
            Locale::Vietnamese => Locale::English,
            Locale::English => Locale::Vietnamese,
        }
    }

    /// What stands between thousands.
    pub fn group_mark(self) -> char {
        match self {
            Locale::Vietnamese => '.',
            Locale::English => ',',
        }
    }

    /// What stands before decimals.
    pub fn decimal_mark(self) -> char {
        self.other().group_mark()
    }
}
