//! For whom something is done.

use std::sync::Arc;

use tonghop_access::{Caller, Identity};

/// Those who wait for one another, and for nobody else: the holder of a key, the subject of a token, or, where nobody has
/// to say who they are, a reporting system by its name. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane(Arc<str>);

impl Lane {
    /// The lane of a caller who said who they are; nothing where they did not have to.
    pub(super) fn of_caller(caller: &Caller) -> Option<Lane> {
        match caller.identity() {
            Identity::Key { .. } | Identity::Token { .. } | Identity::Administrator => {
                Some(Lane(caller.actor().into()))
            }
            Identity::Anonymous | Identity::Open | Identity::Service => None,
        }
    }

    /// The lane of a reporting system, as far as it is known before a submission is read.
    pub(super) fn of_source(source: &str) -> Lane {
        Lane(format!("source:{source}").into())
    }
}

/// Most bytes of a source that are looked at for its lane.
const LONGEST: usize = 200;

/// The reporting system that a JSON document names where documents usually do, at its very beginning; empty where it does
/// not. Whoever is let in is told apart by what they say of themselves, and nothing is decided on it but whose turn it is.
pub(super) fn named_first(document: &[u8]) -> &str {
    let start = document.len().min(LONGEST + 64);
    let text = document[..start].trim_ascii_start();
    let named = || {
        let rest = text.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"source\"")?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
        (end <= LONGEST && rest[end] == b'"').then(|| std::str::from_utf8(&rest[..end]).ok())?
    };
    named().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_s_source_is_known_where_it_comes_first() {
        for (document, source) in [
            (r#"{"source":"congan-backan","figures":[]}"#, "congan-backan"),
            (" {\n \"source\" : \"Tỉnh A\", ", "Tỉnh A"),
            (r#"{"figures":[],"source":"x"}"#, ""),
            (r#"{"source":"a\"b"}"#, ""),
            (r#"{"source":"never ends"#, ""),
            (r#"{"source":5}"#, ""),
            ("", ""),
        ] {
            assert_eq!(named_first(document.as_bytes()), source, "{document}");
        }
        assert_eq!(named_first(format!("{{\"source\":\"{}\"}}", "x".repeat(300)).as_bytes()), "");
    }

    #[test]
    fn a_caller_has_a_lane_of_their_own() {
        let key = |id: &str| {
            Caller::new(Identity::Key { key: id.into() }, Some("x".into()), tonghop_access::Grant::default())
        };
        assert_eq!(Lane::of_caller(&key("a")), Lane::of_caller(&key("a")));
        assert_ne!(Lane::of_caller(&key("a")), Lane::of_caller(&key("b")));
        assert_eq!(Lane::of_caller(&Caller::open()), None);
        // Nobody takes a key's lane by a name.
        assert_ne!(Lane::of_caller(&key("a")), Some(Lane::of_source("key:a")));
    }
}
