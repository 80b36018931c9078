//! PostgreSQL for tests: a server that the test process starts for itself, with a new database for every test.
//!
//! The server listens on a Unix socket in a temporary directory only, so that processes do not meet. It is made
//! when a test first asks for it, and goes, with its directory, when the process ends, however it ends: a shell
//! that waits for the end of its input stops it. Its collation is a language's, not that of bytes, so that what
//! relies on the order of bytes shows.
//!
//! A test that holds on every database takes an [`On`], and [`on_both!`](crate::on_both) runs it on each.

use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Set, tests fail where PostgreSQL is missing; they pass it over otherwise.
pub const REQUIRED: &str = "TONGHOP_REQUIRE_POSTGRES";

/// The database that a test runs on.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// Files of the test's own.
    Sqlite,
    /// A server, where a test takes databases of its own.
    Postgres(&'static Postgres),
}

impl On {
    /// PostgreSQL; nothing, and a loud line about it, where it is not installed.
    ///
    /// # Panics
    /// Where it does not start, or is missing although it is required.
    pub fn postgres() -> Option<On> {
        static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
        SERVER.get_or_init(|| Postgres::start(&NOTHING_FLUSHED)).as_ref().map(On::Postgres)
    }
}

/// Makes tests of functions that take an [`On`](crate::postgres::On): one on SQLite and one on PostgreSQL each.
///
/// A function that is not listed is never called, which the compiler tells.
#[macro_export]
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test($crate::postgres::On::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                if let Some(on) = $crate::postgres::On::postgres() {
                    super::$test(on).await;
                }
            })+
        }
    };
}

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    databases: AtomicU64,
    /// Its input ends with this process.
    _shell: Child,
}

/// A database that goes when this is dropped.
#[derive(Debug)]
pub struct Database {
    server: &'static Postgres,
    name: String,
}

/// Runs the server until the input ends. `$0` is the directory, the rest the command.
const UNTIL_THE_INPUT_ENDS: &str =
    r#""$@" >"$0/log" 2>&1 & cat >/dev/null; kill -INT $!; wait $!; rm -rf "$0""#;

/// Settings of a server from which nothing has to outlive its process, so that nothing is flushed.
const NOTHING_FLUSHED: [&str; 3] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];

impl Postgres {
    /// A server with settings of its own, each as `name=value`; nothing, and a loud line about it, where PostgreSQL
    /// is not installed.
    ///
    /// # Panics
    /// As [`On::postgres`].
    pub fn start(settings: &[&str]) -> Option<Postgres> {
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os(REQUIRED).is_none(),
                "PostgreSQL is not installed, and {REQUIRED} is set"
            );
            // Not by a macro, whose output the test harness would keep to itself.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: PostgreSQL is not installed (Debian: postgresql); nothing is tested on it. \
                 {REQUIRED}=1 makes this a failure."
            );
            return None;
        };
        let directory = tempfile::Builder::new().prefix("tonghop-pg").tempdir().expect("a directory").keep();
        let as_user = as_user(&directory);
        let program = |name: &str| {
            let words = as_user.iter().cloned().chain([programs.join(name).display().to_string()]);
            words.collect::<Vec<String>>()
        };
        let data = directory.join("data");
        let initdb = program("initdb");
        let mut made = Command::new(&initdb[0]);
        made.args(&initdb[1..]).arg("-D").arg(&data).current_dir("/");
        made.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        made.args(["--locale-provider=icu", "--icu-locale=vi"]);
        run(made);

        let mut shell = Command::new("sh");
        shell.args(["-c", UNTIL_THE_INPUT_ENDS]).arg(&directory).args(program("postgres"));
        shell.arg("-D").arg(&data).arg("-k").arg(&directory);
        for setting in ["listen_addresses=", "max_connections=500"].iter().chain(settings) {
            shell.args(["-c", setting]);
        }
        // In a group of its own, so that Ctrl-C leaves it to stop the server.
        shell.current_dir("/").process_group(0).stdin(Stdio::piped());
        shell.stdout(Stdio::null()).stderr(Stdio::null());
        let shell = shell.spawn().expect("a shell");
        let server = Postgres { programs, directory, databases: AtomicU64::new(0), _shell: shell };
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        for _ in 0..600 {
            let mut ready = self.client("pg_isready");
            if ready.stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start:\n{log}");
    }

    fn client(&self, program: &str) -> Command {
        let mut client = Command::new(self.programs.join(program));
        client.arg("-h").arg(&self.directory).args(["-U", "postgres", "-d", "postgres"]);
        client
    }

    fn sql(&self, statement: &str) {
        let mut psql = self.client("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        run(psql);
    }

    /// A new database, with nothing in it.
    pub fn database(&'static self) -> Database {
        self.database_like("template1")
    }

    fn database_like(&'static self, template: &str) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Database { server: self, name }
    }
}

impl Database {
    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("postgres://postgres@localhost/{}?host={}", self.name, self.server.directory.display())
    }

    /// A new database with what is in this one, to which nobody may be connected.
    pub fn copy(&self) -> Database {
        self.server.database_like(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.sql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&in_path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    places.extend(versions.into_iter().rev().map(|version| version.join("bin")));
    let all = ["initdb", "postgres", "psql", "pg_isready"];
    places.into_iter().find(|place| all.iter().all(|program| place.join(program).is_file()))
}

/// What goes before a command so that it runs as a user the server accepts, which root is not; the directory
/// becomes that user's.
fn as_user(directory: &Path) -> Vec<String> {
    let number = |arguments: &[&str]| -> u32 {
        let output = Command::new("id").args(arguments).output().expect("the program id");
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().unwrap_or_else(|_| panic!("no number from id {arguments:?}: {output:?}"))
    };
    if number(&["-u"]) != 0 {
        return vec![];
    }
    let (user, group) = (number(&["-u", "postgres"]), number(&["-g", "postgres"]));
    chown(directory, Some(user), Some(group)).expect("the directory is handed over");
    let words = ["setpriv", &format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"];
    words.map(str::to_owned).to_vec()
}

fn run(mut command: Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{error}", output.status);
}
