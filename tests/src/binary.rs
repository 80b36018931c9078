//! The binaries of the workspace, for tests that run them as processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// A binary of the workspace, as this test was built. `cargo test --workspace` has made it for the tests of its own package;
/// where it is missing, or older than what it may be made of because this test runs alone, cargo is asked for it.
pub fn binary(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this test's own path");
    let path = this.parent().and_then(Path::parent).expect("the target directory").join(name);
    if !is_current(&path) {
        // That takes a while: without the tests' own dependencies, others have fewer features and are built again.
        let made =
            Command::new(env!("CARGO")).args(["build", "--quiet", "--workspace", "--bin", name]).status();
        assert!(made.expect("cargo").success(), "{name} does not build");
    }
    path
}

/// What binaries are made of, below the workspace's root.
const SOURCES: [&str; 4] = ["crates", "proto", "data", "Cargo.lock"];

/// Whether a binary is there and newer than all that may go into it.
fn is_current(binary: &Path) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let Some(built) = changed(binary) else { return false };
    // `tonghop` has all services in it.
    let services = root.join("services");
    let name = binary.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let own = name.strip_prefix("tonghop-").map_or(services.clone(), |service| services.join(service));
    let sources = SOURCES.iter().map(|below| root.join(below)).chain([own]);
    sources.into_iter().all(|source| newest(&source).is_some_and(|at| at <= built))
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|of| of.modified()).ok()
}

/// When the last change was made to a file, or to one below a folder; what only tests and benchmarks have is passed over.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return changed(path);
    }
    let entries = path.read_dir().ok()?.map(|entry| entry.expect("an entry").path());
    let of_tests = |path: &PathBuf| {
        path.file_name().is_some_and(|name| ["tests", "benches", "examples"].iter().any(|own| name == *own))
    };
    entries.filter(|path| !of_tests(path)).filter_map(|path| newest(&path)).max()
}
