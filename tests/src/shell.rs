//! A shell in which one thing after the other is typed, as a person does who follows a page.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long all that is typed may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What one thing that was typed said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// To whoever reads on.
    pub out: String,
    /// Beside it.
    pub err: String,
}

/// A shell with all that was started in it, which ends with it.
#[derive(Debug)]
struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        // There may be nothing left of it.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

impl Shell {
    fn end(&mut self) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            let ended = self.0.try_wait().expect("its state");
            if ended.is_some() || begun.elapsed() > PATIENCE {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Types commands into one bash, in a folder, and gives what each said. Nothing of this process's surroundings is there
/// but the `path`; what is started and goes on is ended with the shell.
///
/// # Panics
/// Where one does not succeed.
pub fn typed(commands: &[String], folder: &Path, path: &OsStr) -> Vec<Said> {
    let said = tempfile::tempdir().expect("a directory");
    let place = |n: usize, what: &str| said.path().join(format!("{n}.{what}"));
    let mut script = "set -euo pipefail\n".to_owned();
    for (n, command) in commands.iter().enumerate() {
        let [out, err, done] = ["out", "err", "done"].map(|what| place(n, what).display().to_string());
        script.push_str(&format!("exec >'{out}' 2>'{err}'\n{command}\n: >'{done}'\n"));
    }
    let file = said.path().join("typed.sh");
    std::fs::write(&file, script).expect("the script");
    let mut bash = Command::new("bash");
    bash.arg(file).current_dir(folder).process_group(0);
    bash.env_clear().env("PATH", path).env("HOME", folder).env("LANG", "C.UTF-8");
    let said_nowhere = bash.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut shell = Shell(said_nowhere.spawn().expect("bash"));
    let ended = shell.end();
    drop(shell);
    let read = |path: PathBuf| {
        std::fs::read(path)
            .map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let said_by = |n: usize| Said { out: read(place(n, "out")), err: read(place(n, "err")) };
    if let Some((n, command)) = commands.iter().enumerate().find(|(n, _)| !place(*n, "done").exists()) {
        let how = ended.map_or_else(|| "did not end".to_owned(), |ended| format!("ended with {ended}"));
        let Said { out, err } = said_by(n);
        panic!("what was typed {how}:\n{command}\nit said:\n{out}\n{err}");
    }
    assert!(ended.is_some_and(|ended| ended.success()), "the shell: {ended:?}");
    (0..commands.len()).map(said_by).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(commands: &[&str]) -> Vec<Said> {
        let folder = tempfile::tempdir().expect("a directory");
        let commands: Vec<String> = commands.iter().map(|command| (*command).to_owned()).collect();
        typed(&commands, folder.path(), &std::env::var_os("PATH").expect("a path"))
    }

    #[test]
    fn what_is_typed_later_knows_what_was_typed_before_and_what_goes_on_ends_with_the_shell() {
        let said = all(&["sleep 1000 &\nrunning=$!\necho 1", "echo 2 >&2", "echo $running"]);
        let outs: Vec<&str> = said.iter().map(|said| said.out.trim()).collect();
        assert_eq!((outs[0], outs[1], said[1].err.as_str()), ("1", "", "2\n"));
        // What has ended has no command line any more, whether or not somebody has taken note of its end.
        let goes_on =
            || std::fs::read(format!("/proc/{}/cmdline", outs[2])).is_ok_and(|line| !line.is_empty());
        let begun = Instant::now();
        while goes_on() {
            assert!(begun.elapsed() < PATIENCE, "{} goes on", outs[2]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    #[should_panic(expected = "false | cat")]
    fn what_does_not_succeed_is_named() {
        all(&["true", "false | cat", "true"]);
    }
}
