//! Taking JSON apart one level at a time, with every value as the text it was written in.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tonghop_runtime::Text;

use crate::finding::shown;

/// What came of taking an object or array apart.
pub(super) enum Read {
    /// Every entry was given.
    Done,
    /// It is of another type.
    Other,
    /// A key is not a text: half of a surrogate pair.
    Broken(serde_json::Error),
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Gives every key with its value, in order, until `take` says that it is enough.
pub(super) fn each_entry<'a>(
    value: &'a RawValue,
    take: impl FnMut(Cow<'a, str>, &'a RawValue) -> bool,
) -> Read {
    struct Entries<F>(F);
    impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue) -> bool> Visitor<'de> for Entries<F> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                if !(self.0)(key, value) {
                    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                    break;
                }
            }
            Ok(())
        }
    }
    if !value.get().starts_with('{') {
        return Read::Other;
    }
    let mut from = serde_json::Deserializer::from_str(value.get());
    (&mut from).deserialize_map(Entries(take)).map_or_else(Read::Broken, |()| Read::Done)
}

/// Gives every element in order, until `take` says that it is enough.
pub(super) fn each_element<'a>(value: &'a RawValue, take: impl FnMut(&'a RawValue) -> bool) -> Read {
    struct Elements<F>(F);
    impl<'de, F: FnMut(&'de RawValue) -> bool> Visitor<'de> for Elements<F> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
            while let Some(value) = seq.next_element::<&'de RawValue>()? {
                if !(self.0)(value) {
                    while seq.next_element::<IgnoredAny>()?.is_some() {}
                    break;
                }
            }
            Ok(())
        }
    }
    if !value.get().starts_with('[') {
        return Read::Other;
    }
    let mut from = serde_json::Deserializer::from_str(value.get());
    (&mut from).deserialize_seq(Elements(take)).map_or_else(Read::Broken, |()| Read::Done)
}

/// What a value is, for people.
pub(super) fn kind(value: &RawValue) -> Text {
    let text = shown(value.get());
    match text.as_bytes().first() {
        Some(b'{') => Text::of("một đối tượng JSON", "an object"),
        Some(b'[') => Text::of("một mảng", "an array"),
        Some(b'"') => Text::of(format!("văn bản {text}"), format!("the text {text}")),
        Some(b't' | b'f' | b'n') => Text::same(text),
        _ => Text::of(format!("số {text}"), format!("the number {text}")),
    }
}
