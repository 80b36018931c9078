//! Docker and Compose as programs that are run.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// Set, tests fail where Docker is missing; they pass it over otherwise.
pub const REQUIRED: &str = "TONGHOP_REQUIRE_DOCKER";

/// How long a command may take, in seconds: making the base images is the longest.
const LONGEST: &str = "900";

/// Docker, with the Compose that is there.
#[derive(Debug)]
pub struct Docker {
    compose: &'static [&'static str],
}

/// The repository.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

impl Docker {
    /// Docker; nothing, and a loud line about it, where it is not installed or its daemon does not answer.
    ///
    /// # Panics
    /// Where it is missing although it is required.
    pub fn there() -> Option<&'static Docker> {
        static DOCKER: OnceLock<Option<Docker>> = OnceLock::new();
        DOCKER.get_or_init(|| found().map_err(|why| skipped(&why)).ok()).as_ref()
    }

    /// What a docker command says.
    ///
    /// # Panics
    /// With what it said, where it fails.
    pub fn run(&self, arguments: &[&str]) -> String {
        said(bounded("docker").args(arguments))
    }

    /// What a docker command says on stdout that is given some input.
    ///
    /// # Panics
    /// With what it says on stderr, where it fails.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = bounded("docker");
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut stdin = child.stdin.take().expect("its input");
        let output = std::thread::scope(|threads| {
            // Beside the reading: it may say much before it has taken all. What it does not take shows in how it ends.
            threads.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
        });
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{error}", output.status);
        output.stdout
    }

    /// Whether a docker command succeeds.
    pub fn succeeds(&self, arguments: &[&str]) -> bool {
        bounded("docker").args(arguments).output().is_ok_and(|output| output.status.success())
    }

    /// Everything that a docker command says, on both outputs, however it ends.
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = bounded("docker").args(arguments).output();
        output.map_or_else(|error| error.to_string(), |output| both(&output))
    }

    /// A Compose command in the repository.
    pub fn compose(&self, project: &str) -> Command {
        let (program, words) = self.compose.split_first().expect("a program");
        let mut command = bounded(program);
        command.args(words).args(["-p", project]).current_dir(root());
        command
    }
}

/// A command that is ended when it takes too long, so that no test waits for Docker for ever.
fn bounded(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args([LONGEST, program]);
    command
}

/// What a command says on stdout.
///
/// # Panics
/// With all that it said, where it fails.
pub(super) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, both(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn both(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

fn found() -> Result<Docker, String> {
    let answers = |words: &[&str]| {
        let (program, arguments) = words.split_first().expect("a program");
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    if !answers(&["docker", "version"]) {
        return Err("no Docker daemon answers (Debian: docker.io; a user must be in the group docker)".into());
    }
    let plugin = [&["docker", "compose"] as &[_], &["docker-compose"]];
    let compose = plugin.into_iter().find(|words| answers(&[words, &["version"] as &[_]].concat()));
    let compose = compose.ok_or("Docker has no Compose (Debian: docker-compose)")?;
    Ok(Docker { compose })
}

/// Says loudly that tests with Docker are passed over; they fail where they are required.
///
/// # Panics
/// Where they are required.
pub(super) fn skipped(why: &str) {
    assert!(std::env::var_os(REQUIRED).is_none(), "{why}, and {REQUIRED} is set");
    // Not by a macro, whose output the test harness would keep to itself.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {why}; nothing is tested in containers. {REQUIRED}=1 makes this a failure."
    );
}
