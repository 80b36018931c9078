//! The binaries of the workspace, for tests that run them as processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// A binary of the workspace, as this test was built. Cargo makes it for the tests of its own package; where it is
/// missing, or older than its sources because this test runs alone, cargo is asked for it.
pub fn binary(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this test's own path");
    let path = this.parent().and_then(Path::parent).expect("the target directory").join(name);
    if !is_current(&path) {
        // Of the whole workspace: of its package alone, dependencies have other features and are built again.
        let made =
            Command::new(env!("CARGO")).args(["build", "--quiet", "--workspace", "--bin", name]).status();
        assert!(made.expect("cargo").success(), "{name} does not build");
    }
    path
}

/// Whether a binary is there and newer than all that went into it, by what cargo wrote beside it.
fn is_current(binary: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|of| of.modified()).ok();
    let Some(built) = changed(binary) else { return false };
    let Ok(list) = std::fs::read_to_string(binary.with_extension("d")) else { return false };
    let sources =
        list.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, sources)| sources);
    // A file that is gone has no time, and is a change as well.
    sources.split(' ').all(|source| changed(Path::new(source)).is_some_and(|at: SystemTime| at <= built))
}
