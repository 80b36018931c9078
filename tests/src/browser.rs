//! A real browser: Chromium without a screen, spoken to over WebDriver.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Set, tests fail where the browser is missing; they pass it over otherwise.
pub const REQUIRED: &str = "TONGHOP_REQUIRE_BROWSER";

/// How a browser is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which language it asks for, as `vi`.
    pub language: &'static str,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

/// A running browser with its driver; both go when it is dropped.
#[derive(Debug)]
pub struct Browser {
    /// What it is told.
    pub client: Client,
    driver: Child,
    _profile: TempDir,
}

/// A program of the path.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|place| place.join(name)).find(|program| program.is_file())
}

/// Says loudly that a test is passed over, unless that is not allowed.
///
/// # Panics
/// Where the browser is required.
pub fn pass_over(why: &str) {
    assert!(std::env::var_os(REQUIRED).is_none(), "{why}, and {REQUIRED} is set");
    // Not by a macro, whose output the test harness would keep to itself.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {why}; nothing is tested in a browser. {REQUIRED}=1 makes this a failure."
    );
}

impl Browser {
    /// Starts one; nothing, and a loud line about it, where it is not installed.
    ///
    /// # Panics
    /// Where it does not start, or is missing although it is required.
    pub async fn start(options: &Options) -> Option<Browser> {
        let found = program("chromium").zip(program("chromedriver"));
        let Some((chromium, chromedriver)) = found else {
            pass_over("Chromium is not installed (Debian: chromium, chromium-driver)");
            return None;
        };
        let profile = tempfile::Builder::new().prefix("tonghop-browser").tempdir().expect("a directory");
        let mut command = Command::new(chromedriver);
        // In a group of its own, so that all that it starts goes with it.
        command.arg("--port=0").process_group(0).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("the driver starts");
        let mut output = BufReader::new(driver.stdout.take().expect("its output"));
        let port = loop {
            let mut line = String::new();
            let read = output.read_line(&mut line).expect("a line");
            assert!(read > 0, "the driver ended before it said where it listens");
            let said = line.trim().trim_end_matches('.').split_once("started successfully on port ");
            if let Some(port) = said.and_then(|(_, port)| port.parse::<u16>().ok()) {
                break port;
            }
        };
        // What it says later is not waited for, but has to go somewhere.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let mut preferences = json!({ "intl.accept_languages": options.language });
        if !options.scripts {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let arguments = [
            "--headless=new".to_owned(),
            // It runs as whoever runs the tests, which may be root.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--force-device-scale-factor=1".to_owned(),
            format!("--lang={}", options.language),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let mut capabilities = Map::new();
        capabilities.insert(
            "goog:chromeOptions".to_owned(),
            json!({ "binary": chromium, "args": arguments, "prefs": preferences }),
        );
        // Nothing from outside is loaded, so a proxy has no part in it.
        capabilities.insert("proxy".to_owned(), json!({ "proxyType": "direct" }));
        let connected = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                end(&mut driver);
                panic!("the browser does not start: {error}");
            }
        };
        Some(Browser { client, driver, _profile: profile })
    }

    /// Makes the page so wide, and so high.
    ///
    /// # Errors
    /// As the driver answers.
    pub async fn resize(&self, width: u32, height: u32) -> Result<(), CmdError> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.client.issue_cmd(DevTools("Emulation.setDeviceMetricsOverride", size)).await.map(drop)
    }

    /// Evaluates an expression in the page.
    ///
    /// # Panics
    /// Where that fails.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.client.execute(&script, vec![]).await.unwrap_or_else(|e| panic!("{expression}: {e}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.driver);
    }
}

/// Ends a driver with all that it started.
fn end(driver: &mut Child) {
    let group = format!("-{}", driver.id());
    // It may have ended.
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = driver.wait();
}

/// A command of the browser's developer tools.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}
