//! Names, compared by what they say.
//!
//! One name is written in many ways: composed or decomposed, Hoà or Hòa, "Thành phố" or "TP.", with a hyphen, a dash
//! or neither. All of them [fold](fold) to one text. Marks are never dropped: Hà, Hạ and Ha are three names.

use unicode_normalization::UnicodeNormalization;

/// What kinds of units are called before their names, folded, with the ways they are shortened. Longer ones first
/// where one begins another.
const KINDS: &[(&str, &[&str])] = &[
    ("tỉnh", &["tỉnh", "t."]),
    ("thành phố", &["thành phố", "tp.", "tp"]),
    ("quận", &["quận", "q."]),
    ("huyện", &["huyện", "h."]),
    ("thị xã", &["thị xã", "tx.", "tx"]),
    ("thị trấn", &["thị trấn", "tt.", "tt"]),
    ("xã", &["xã", "x."]),
    ("phường", &["phường", "p."]),
    ("đặc khu", &["đặc khu", "đk."]),
];

/// Tone marks of Vietnamese; the marks of letters (â, ă, ê, ô, ơ, ư) are not among them.
fn is_tone(c: char) -> bool {
    matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}')
}

/// The text by which names are compared.
///
/// Lower case, NFC; tone marks stand at the end of their word, since both Hoà and Hòa are right; what only looks like
/// a đ is one; hyphens and dashes are spaces, quotation marks are left out, and spaces are single.
pub fn fold(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut word = String::new();
    let mut tones = String::new();
    let mut end_word = |word: &mut String, tones: &mut String| {
        if !word.is_empty() || !tones.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
            out.push_str(tones);
            word.clear();
            tones.clear();
        }
    };
    for c in name.nfc().flat_map(char::to_lowercase).nfd() {
        match c {
            c if is_tone(c) => tones.push(c),
            // Eth and the African d, which look the same as capitals.
            'ð' | 'ɖ' => word.push('đ'),
            '\'' | '’' | '‘' | 'ʼ' | '`' => word.push('\''),
            '"' | '“' | '”' | '„' | '«' | '»' => {}
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' => end_word(&mut word, &mut tones),
            '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
            c if c.is_whitespace() => end_word(&mut word, &mut tones),
            c => word.push(c),
        }
    }
    end_word(&mut word, &mut tones);
    out.nfc().collect()
}

/// The name of a unit, its kind apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnitName {
    kind: Option<&'static str>,
    /// The name without its kind, folded.
    bare: String,
}

impl UnitName {
    /// Takes a name apart: "TP. Hà Nội" is the thành phố Hà Nội.
    pub fn of(name: &str) -> UnitName {
        let folded = fold(name);
        let found = KINDS.iter().find_map(|(kind, ways)| {
            ways.iter().find_map(|way| {
                let rest = folded.strip_prefix(&fold(way))?;
                let apart = way.ends_with('.') || rest.starts_with(' ');
                let rest = rest.trim_start();
                (apart && !rest.is_empty()).then(|| (*kind, rest.to_owned()))
            })
        });
        match found {
            Some((kind, bare)) => UnitName { kind: Some(kind), bare },
            None => UnitName { kind: None, bare: folded },
        }
    }

    /// The name without its kind, folded.
    pub fn bare(&self) -> &str {
        &self.bare
    }

    /// Whether both may be the name of one unit: the same name, and no other kind. "Hà Nội" fits "Thành phố Hà Nội";
    /// "Xã Tân Phú" does not fit "Phường Tân Phú". A number is a name only with its kind: "1" fits nothing.
    pub fn fits(&self, other: &UnitName) -> bool {
        let numbered = self.bare.bytes().all(|b| b.is_ascii_digit());
        let kinds = match (self.kind, other.kind) {
            (Some(a), Some(b)) => a == b,
            _ => !numbered,
        };
        kinds && self.bare == other.bare
    }
}
