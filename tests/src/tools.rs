//! Other people's programs, which read what this one writes or speak to it: Python with its libraries, LibreOffice, curl.
//!
//! Where one is missing, its checks are passed over, and that is said; where `TONGHOP_REQUIRE_…` is set they fail.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Says that something is passed over.
///
/// # Panics
/// Where it must not be.
fn missing(what: &str, required: &str, how: &str) {
    assert!(std::env::var_os(required).is_none(), "{what} is missing, and {required} is set: {how}");
    eprintln!("SKIPPED: {what} is missing, so what is done with it is not checked here: {how}");
}

/// Python with `tests/python/requirements.txt`: that of `TONGHOP_PYTHON`, else of `target/python`.
pub fn python() -> Option<PathBuf> {
    let path = std::env::var_os("TONGHOP_PYTHON")
        .map_or_else(|| root().join("target/python/bin/python"), PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    let how =
        "python3 -m venv target/python && target/python/bin/pip install -r tests/python/requirements.txt";
    missing(&format!("Python ({})", path.display()), "TONGHOP_REQUIRE_PYTHON", how);
    None
}

fn on_path(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).map(|folder| folder.join(program)).find(|path| path.exists())
}

/// LibreOffice without a screen.
pub fn libreoffice() -> Option<PathBuf> {
    let found = on_path("soffice");
    if found.is_none() {
        missing("LibreOffice", "TONGHOP_REQUIRE_LIBREOFFICE", "apt-get install libreoffice-calc-nogui");
    }
    found
}

/// curl.
pub fn curl() -> Option<PathBuf> {
    let found = on_path("curl");
    if found.is_none() {
        missing("curl", "TONGHOP_REQUIRE_CURL", "apt-get install curl");
    }
    found
}

/// Runs a program that has to succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said =
        || [output.stdout.clone(), output.stderr.clone()].map(|s| String::from_utf8_lossy(&s).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, said().join("\n"));
    output
}

/// A script of `tests/python`, to be given arguments.
pub fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(root().join("tests/python").join(name));
    command
}

/// A file as one of Python's libraries reads it: see `tests/python/rows.py`.
pub fn rows(python: &Path, library: &str, file: &Path) -> Value {
    let output = run(script(python, "rows.py").arg(library).arg(file));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The first sheet of a workbook as LibreOffice converts it to CSV, its numbers not as they are shown but as they are.
pub fn converted(libreoffice: &Path, workbook: &Path) -> Vec<u8> {
    let folder = workbook.parent().expect("a folder");
    let profile = format!("-env:UserInstallation=file://{}", folder.join("profile").display());
    let form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false";
    let mut command = Command::new(libreoffice);
    command
        .args([profile.as_str(), "--headless", "--convert-to", form, "--outdir"])
        .arg(folder)
        .arg(workbook);
    run(&mut command);
    std::fs::read(workbook.with_extension("csv")).expect("what LibreOffice made")
}
