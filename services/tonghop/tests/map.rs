//! Maps on the command line: the real binary against running services.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tonghop::shipped;
use tonghop::up::{self, UpOptions};

struct Shell {
    url: String,
}

impl Shell {
    /// Runs the binary against the services.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tonghop"));
        command.args(arguments).args(["--url", &self.url]).output().expect("the binary runs")
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }
}

fn write(directory: &Path, files: &[(&str, &str)]) -> String {
    std::fs::create_dir_all(directory).unwrap();
    for (name, text) in files {
        std::fs::write(directory.join(name), text).unwrap();
    }
    directory.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reform_is_shown_loaded_and_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = up::start(UpOptions::new(data.path(), listen)).await.unwrap();
    let shell = Shell { url: format!("http://{}", running.address) };
    let whole = data.path().join("whole");
    std::fs::create_dir_all(&whole).unwrap();
    for (name, bytes) in shipped::registry(None).unwrap() {
        std::fs::write(whole.join(name), bytes).unwrap();
    }
    let told = shell.done(&["registry", "load", whole.to_str().unwrap()]);
    assert!(told.contains("from 2025-07-01 on:") && told.contains("loaded at position 1"), "{told}");

    // SYNTHETIC: a commune is joined to its neighbour, and a province is renamed.
    let reform = write(
        &data.path().join("reform"),
        &[
            (
                "changes.csv",
                "date,change,code,level,name,kind,parent_code\n2027-01-01,renamed,19,province,Thành phố Thái Nguyên,thanh_pho_trung_uong,\n",
            ),
            ("successions.csv", "date,from_code,to_code,share,basis\n2027-01-01,01840,01843,1,whole\n"),
        ],
    );
    let told = shell.done(&["registry", "load", &reform, "--dry-run"]);
    for part in [
        "from 2027-01-01 on:",
        "is called Thành phố Thái Nguyên",
        "now 01843 Phường Bắc Kạn",
        "now 01843 Phường Bắc Kạn; made of 01840 Phường Đức Xuân, 01843 Phường Bắc Kạn",
        "successions: 1 new, 0 gone",
        "dry run: nothing was changed",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let shown: Value =
        serde_json::from_str(&shell.done(&["registry", "load", &reform, "--dry-run", "--json"])).unwrap();
    assert_eq!((&shown["position"], &shown["map"][0]["total"]), (&Value::Null, &3.into()));
    let loaded: Value = serde_json::from_str(&shell.done(&["registry", "load", &reform, "--json"])).unwrap();
    assert_eq!((&loaded["position"], &loaded["map"]), (&2.into(), &shown["map"]));
    let told = shell.done(&["registry", "load", &reform]);
    assert!(told.contains("already loaded, at position 2"), "{told}");

    let told = shell.done(&["map", "diff", "2025-06-30", "2027-01-01", "--unit", "19"]);
    for part in [
        "from the map of 2025-06-30 to the map of 2027-01-01",
        "now 19 Thành phố Thái Nguyên",
        "19 is now Thành phố Thái Nguyên",
        "made of 06 Tỉnh Bắc Kạn, 19 Tỉnh Thái Nguyên",
        "19 was Tỉnh Thái Nguyên",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let diff: Value =
        serde_json::from_str(&shell.done(&["map", "diff", "2025-06-30", "2025-07-01", "--json"])).unwrap();
    assert_eq!(diff["units"].as_array().map(Vec::len), Some(13_990), "all pages are one document");
    assert_eq!(diff["next"], Value::Null);
    assert!(shell.done(&["map", "diff", "2025-07-01", "2025-12-31"]).contains("no unit is different"));

    let gone = "06 was Tỉnh Bắc Kạn until 2025-06-30; from 2025-07-01 its territory is 19 ";
    let asked = ["map", "diff", "2026-01-01", "2026-02-01", "--unit", "06"];
    assert!(shell.refused(&asked).contains(gone));
    let asked = ["totals", "--indicator", "tg01", "--unit", "06", "--period", "2026"];
    assert!(shell.refused(&asked).contains(gone));
    assert!(shell.refused(&["map", "diff", "yesterday", "2026-02-01"]).contains("a day, as 2025-07-01"));
    let wrong = write(
        &data.path().join("wrong"),
        &[(
            "changes.csv",
            "date,change,code,level,name,kind,parent_code\n2027-01-01,ends,06,,,,\n2027-01-01,moves,19,,,,VN\n",
        )],
    );
    let told = shell.refused(&["registry", "load", &wrong]);
    assert!(told.starts_with("2 things are wrong with this registry; nothing was changed"), "{told}");
    assert!(
        told.contains("changes.csv 2027-01-01 06") && told.contains("changes.csv 2027-01-01 19"),
        "{told}"
    );
    running.stop().await;
}
