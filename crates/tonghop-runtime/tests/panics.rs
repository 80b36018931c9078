//! A panic is a line of the log, where the log is read by programs.

use std::process::Command;

use serde_json::Value;

/// Tells the process of a test that it is the one to panic.
const PANICS: &str = "TONGHOP_TEST_PANICS";

#[tokio::test]
async fn a_panic_is_a_line_of_the_log() {
    if std::env::var_os(PANICS).is_some() {
        let _telemetry = tonghop_runtime::telemetry::start("test", false).expect("started");
        let span = tracing::info_span!(target: "tonghop_test", "request", operation = "GET /v1/totals");
        let _ = std::thread::spawn(move || span.in_scope(|| panic!("two\nlines"))).join();
        return;
    }
    let this = std::env::current_exe().expect("this test's own path");
    let mut command = Command::new(this);
    command.args(["--exact", "a_panic_is_a_line_of_the_log", "--nocapture"]).env(PANICS, "1");
    let output =
        command.env("TONGHOP_LOG_FORMAT", "json").env("RUST_BACKTRACE", "0").output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {said}")))
        .collect();
    let [line] = &lines[..] else { panic!("{said}") };
    assert_eq!((&line["level"], &line["message"]), (&"ERROR".into(), &"panicked: two\nlines".into()));
    assert!(line["fields"]["place"].as_str().expect("a place").contains("panics.rs:"), "{line}");
    assert_eq!(line["spans"][0]["operation"], "GET /v1/totals");
}
