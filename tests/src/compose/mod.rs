//! All services in containers of their own, as `docker-compose.yml` has them, and ways to break them.
//!
//! A [`Stack`] is a Compose project of a test's own: its networks, its database, a free port for its door. It speaks
//! the words of [`Api`], through the door. There is one at a time on a machine, for its sake: a test never starts a
//! second one while it holds the first. It goes, with all that was in it, when it is dropped, or when the test's
//! process ends, however it ends: a shell that waits for the end of its input takes it down. Of a test that fails,
//! the last lines of every log are printed.
//!
//! What breaks it waits for Docker and blocks its thread, so these tests need several:
//! `#[tokio::test(flavor = "multi_thread", worker_threads = 4)]`.

mod docker;
mod faults;
mod images;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use docker::{Docker, REQUIRED};
use images::{Images, locked};

use crate::Api;

/// Every service that goes on running.
pub const SERVICES: [&str; 8] = [
    "postgres",
    "ingestion-1",
    "ingestion-2",
    "aggregation-1",
    "aggregation-2",
    "query-1",
    "query-2",
    "door",
];

/// How long a service may take to be as it should.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(100);
/// Lines of each log that are printed of a test that fails.
const LINES: &str = "60";

/// Waits for the end of its input, then removes all of project `$0`. If nothing was said before, the test's process
/// died, and what it had begun may still be coming up.
const UNTIL_THE_INPUT_ENDS: &str = r#"
said=$(cat)
remove() {
    of="label=com.docker.compose.project=$0"
    docker ps --all --quiet --filter "$of" | xargs -r docker rm --force --volumes
    docker network ls --quiet --filter "$of" | xargs -r docker network rm
    docker volume ls --quiet --filter "$of" | xargs -r docker volume rm --force
}
remove
[ -n "$said" ] || for again in 1 2 3 4 5 6; do sleep 5; remove; done
"#;

/// The services of `docker-compose.yml`, running.
#[derive(Debug)]
pub struct Stack {
    docker: &'static Docker,
    images: &'static Images,
    project: String,
    port: u16,
    door: Api,
    /// Aliases of who was cut off a network, by service and network.
    cut: Mutex<BTreeMap<(String, String), Vec<String>>>,
    end: Child,
    _alone: File,
}

impl Deref for Stack {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.door
    }
}

impl Stack {
    /// A stack with the registry that ships, at position 1, every service healthy; nothing, and a loud line about
    /// it, where there is no Docker.
    ///
    /// # Panics
    /// Where it does not come up, or Docker is missing although it is required.
    pub async fn start() -> Option<Stack> {
        tokio::task::spawn_blocking(Stack::started).await.expect("it starts")
    }

    fn started() -> Option<Stack> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let docker = Docker::there()?;
        let images = Images::made(docker);
        let alone = locked("stack");
        let count = STARTED.fetch_add(1, Ordering::Relaxed);
        let project = format!("tonghop-test-{}-{count}", std::process::id());
        let mut shell = Command::new("sh");
        shell.args(["-c", UNTIL_THE_INPUT_ENDS, &project]);
        // In a group of its own, so that Ctrl-C leaves it to do its work.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let end = shell.spawn().expect("a shell");
        let port = free_port();
        let door = Api::at(format!("http://127.0.0.1:{port}"));
        let stack = Stack { docker, images, project, port, door, cut: Mutex::default(), end, _alone: alone };
        stack.compose(&["up", "-d", "--no-build"]);
        for service in SERVICES {
            stack.healthy(service);
        }
        stack.until("the registry is loaded", || {
            let state = stack.state("registry");
            state["Status"] == "exited" && state["ExitCode"] == 0
        });
        Some(stack)
    }

    /// A Compose command on this stack's project.
    fn compose(&self, arguments: &[&str]) -> String {
        let mut command = self.docker.compose(&self.project);
        command.env("TONGHOP_PORT", self.port.to_string()).env("TONGHOP_IMAGE", &self.images.service);
        // Who may do what has tests of its own.
        command.env("TONGHOP_ACCESS", "open");
        command.env("TONGHOP_POSTGRES_IMAGE", &self.images.postgres);
        command.env("TONGHOP_DOOR_IMAGE", &self.images.door);
        docker::said(command.args(arguments))
    }

    /// A service's address of its own, past the door.
    ///
    /// # Panics
    /// Where it has none, because it does not run or is cut off from everything.
    pub fn api(&self, service: &str) -> Api {
        let port = match service.split('-').next() {
            Some("ingestion") => 8081,
            Some("aggregation") => 8082,
            Some("query") => 8083,
            _ => panic!("{service} does not speak REST or gRPC itself"),
        };
        let networks: Value = self.inspect(service, "{{json .NetworkSettings.Networks}}");
        let networks = networks.as_object().expect("networks").values();
        let mut addresses = networks.filter_map(|network| network["IPAddress"].as_str());
        let address = addresses.find(|address| !address.is_empty());
        Api::at(format!("http://{}:{port}", address.unwrap_or_else(|| panic!("{service} has no address"))))
    }

    /// The aggregation that holds the lease, as each of the two says itself; none where neither does.
    pub async fn active(&self) -> Option<&'static str> {
        for service in ["aggregation-1", "aggregation-2"] {
            if self.state(service)["Running"] == true
                && self.api(service).status("/active").await == Some(200)
            {
                return Some(service);
            }
        }
        None
    }

    /// Runs a program in a service's container; what it says, on both outputs.
    pub fn exec(&self, service: &str, command: &[&str]) -> String {
        let container = self.container(service);
        self.docker.says(&[&["exec", &container], command].concat())
    }

    /// Runs a program in a service's container on some input; what it says on stdout.
    ///
    /// # Panics
    /// With what it says on stderr, where it fails.
    pub fn exec_with(&self, service: &str, command: &[&str], input: &[u8]) -> Vec<u8> {
        self.docker.run_with(&[&["exec", "-i", &self.container(service)], command].concat(), input)
    }

    /// The last lines of what a service wrote.
    pub fn logs(&self, service: &str) -> String {
        self.docker.says(&["logs", "--tail", LINES, &self.container(service)])
    }

    /// Something of a container, by a template of `docker inspect` that gives JSON.
    pub fn inspect(&self, service: &str, template: &str) -> Value {
        let text = self.docker.run(&["inspect", "--format", template, &self.container(service)]);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{template}: {error}: {text}"))
    }

    /// The state of a service's container, as Docker has it.
    pub fn state(&self, service: &str) -> Value {
        self.inspect(service, "{{json .State}}")
    }

    /// Waits until a service says that it is ready.
    ///
    /// # Panics
    /// Where it takes too long.
    pub fn healthy(&self, service: &str) {
        self.until(&format!("{service} is healthy"), || {
            let state = self.state(service);
            state["Running"] == true && state["Health"]["Status"] == "healthy"
        });
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "it does not come about that {what}");
            std::thread::sleep(PAUSE);
        }
    }

    fn container(&self, service: &str) -> String {
        self.found(service).unwrap_or_else(|| panic!("{service} has no container"))
    }

    fn found(&self, service: &str) -> Option<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        let all = ["ps", "--all", "--quiet", "--no-trunc", "--filter", &project, "--filter", &service];
        self.docker.says(&all).lines().next().map(str::to_owned)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for service in SERVICES.into_iter().chain(["registry"]) {
                if self.found(service).is_some() {
                    eprintln!("== {service}\n{}", self.logs(service));
                }
            }
        }
        if let Some(mut input) = self.end.stdin.take() {
            // The shell does its work when the input ends, whatever was said.
            let _ = input.write_all(b"done\n");
        }
        let _ = self.end.wait();
    }
}

/// A port that is free now, outside the range that the system gives to connections, so that it is free again when
/// the door starts anew.
fn free_port() -> u16 {
    let first = std::process::id() % 10_000;
    let mut ports = (0..10_000).map(|next| 20_000 + ((first + next) % 10_000) as u16);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
