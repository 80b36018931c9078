//! The corpus that is kept, through the functions that are fuzzed; and that nothing is missing of either.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tonghop_fuzz::TARGETS;

/// Bytes of the corpus that is kept.
const MOST_BYTES: u64 = 200_000;

fn fuzz(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(below)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn every_input_that_is_kept_holds() {
    let mut bytes = 0;
    for (name, target) in TARGETS {
        let inputs = files(&fuzz("corpus").join(name));
        assert!(!inputs.is_empty(), "there are no inputs for {name}");
        for input in inputs {
            let content = std::fs::read(&input).expect("an input");
            bytes += content.len() as u64;
            if std::panic::catch_unwind(|| target(&content)).is_err() {
                panic!("{name}: {}", input.display());
            }
        }
        // What is shortest, and what every reader meets.
        target(b"");
        target(&[0; 64]);
        target(&[0xff; 64]);
    }
    assert!(bytes < MOST_BYTES, "{bytes} bytes are kept");
}

#[test]
fn every_target_has_its_file_and_every_file_its_target() {
    let manifest = std::fs::read_to_string(fuzz("Cargo.toml")).expect("the manifest");
    let named: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let there: BTreeSet<String> = files(&fuzz("fuzz_targets"))
        .iter()
        .map(|file| file.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(named, there);
    for name in named {
        let text = std::fs::read_to_string(fuzz(&format!("fuzz_targets/{name}.rs"))).expect("a target");
        assert!(text.contains(&format!("tonghop_fuzz::{name}(bytes)")), "{name} calls another");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not built");
    }
}
