//! What is fuzzed: for every kind of bytes that come from outside, a function that reads them in every way in which they
//! are read, and holds what must hold whatever they are. It panics where that does not hold.
//!
//! `fuzz/` gives these functions to libFuzzer; `tests/corpus.rs` gives them the corpus that is kept there, with every run
//! of the tests. To add one: the function, its row in [`TARGETS`], a file in `fuzz/fuzz_targets` that calls it, and a few
//! inputs in `fuzz/corpus`; the test says what is missing.

mod asked;
mod kept;
mod registry;
mod submissions;
mod words;

pub use asked::{headers, question, token};
pub use kept::{access_record, bodies, document, record, report_record};
pub use registry::{registry_message, registry_tables, small, small_message};
pub use submissions::{csv, json, wire, xlsx};
pub use words::{key, parameters, rules, words, written};

/// A function that is fuzzed.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("access_record", access_record),
    ("bodies", bodies),
    ("csv", csv),
    ("document", document),
    ("headers", headers),
    ("json", json),
    ("key", key),
    ("parameters", parameters),
    ("question", question),
    ("record", record),
    ("registry_message", registry_message),
    ("registry_tables", registry_tables),
    ("report_record", report_record),
    ("rules", rules),
    ("token", token),
    ("wire", wire),
    ("words", words),
    ("written", written),
    ("xlsx", xlsx),
];
