//! The binaries, as processes of their own.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::binary::binary;
use crate::server::KeyFiles;

/// How long a process may take to stop when it is told to.
const PATIENCE: Duration = Duration::from_secs(30);

/// An address that is free now and given once, outside the range that the system gives to connections, so that none of
/// these is there by the time that somebody listens.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(97);
    let mut ports = (0..10_000).map(|_| {
        let next = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        10_000 + (next % 10_000) as u16
    });
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    format!("127.0.0.1:{}", ports.find(is_free).expect("a free port"))
}

/// A process that serves; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it is reached.
    pub url: String,
    out: Option<JoinHandle<String>>,
    log: Option<JoinHandle<String>>,
}

/// Reads on, so that what is said may go on being said.
fn reading(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was killed says no more.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Process {
    /// Starts a binary, and waits until it says where it listens.
    pub fn start(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Process {
        let mut command = Command::new(binary(name));
        // Who may do what has tests of its own; they say so.
        command.env("TONGHOP_ACCESS", "open");
        command.args(arguments).envs(environment.iter().copied());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let log = reading(child.stderr.take().expect("its log"));
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut said = String::new();
        output.read_line(&mut said).expect("a line");
        let Some(url) = said.trim().rsplit(' ').next().filter(|url| url.starts_with("http")) else {
            let _ = child.kill();
            panic!("{name} said {said:?}, and {}", log.join().expect("its log"));
        };
        Process { url: url.to_owned(), child, out: Some(reading(output)), log: Some(log) }
    }

    /// Starts a binary whose services ask for keys: those of files, and those that are given.
    pub fn guarded(name: &str, arguments: &[&str], environment: &[(&str, &str)], keys: &KeyFiles) -> Process {
        let (administrator, service) = (keys.administrator(), keys.service());
        let path = |path: &'static str, file: &std::path::Path| (path, file.display().to_string());
        let files = [
            ("TONGHOP_ACCESS", "keys".to_owned()),
            path("TONGHOP_ADMIN_KEY_FILE", &administrator),
            path("TONGHOP_SERVICE_KEY_FILE", &service),
        ];
        let mut all: Vec<(&str, &str)> = files.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(environment);
        Process::start(name, arguments, &all)
    }

    /// Tells it to stop; its exit code, and what it logged.
    pub async fn stop(mut self) -> (Option<i32>, String) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill").success());
        let ended = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(status) = self.child.try_wait().expect("its state") {
                    return status.code();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let code = ended.await.expect("it stops in time");
        let said = self.out.take().map(|out| out.join().expect("its output"));
        assert!(said.is_some());
        let log = self.log.take().map(|log| log.join().expect("its log"));
        (code, log.unwrap_or_default())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a binary to its end, as it is typed: its exit code, and what it said on stdout and on stderr. It finds nothing of
/// this process' environment that would say where services are, who asks, or in which language.
///
/// # Panics
/// Where it does not start.
pub async fn typed(name: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(binary(name));
    let said_elsewhere = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in said_elsewhere.filter(|name| name.starts_with("TONGHOP_")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().expect("the binary starts")).await;
    let output = output.expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
