//! What people are told, in Vietnamese and in English.

use std::fmt;

/// A sentence, or a part of one, in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

impl Words {
    /// The same in Vietnamese and in English.
    pub fn of(vi: impl Into<String>, en: impl Into<String>) -> Words {
        Words { vi: vi.into(), en: en.into() }
    }

    /// Several, with something between them.
    pub fn joined(all: &[Words], between: &str) -> Words {
        let join = |of: fn(&Words) -> &str| all.iter().map(of).collect::<Vec<_>>().join(between);
        Words { vi: join(|w| &w.vi), en: join(|w| &w.en) }
    }
}

/// In English, for whoever operates the system.
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}
