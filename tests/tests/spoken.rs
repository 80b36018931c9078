//! The command line is answered in the language that it asks for, by whatever it speaks to: findings, refusals, receipts.

use tonghop_tests::Server;
use tonghop_tests::process::typed;

/// Whether a text has letters that Vietnamese has and English has not.
fn is_vietnamese(text: &str) -> bool {
    text.chars().any(|c| c.is_alphabetic() && !c.is_ascii())
}

const HEADER: &str = "unit_code,indicator,breakdown,period,scope,value\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_and_receipts_of_a_push_are_told_in_the_language_that_is_asked_for() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a directory");
    let put = |name: &str, lines: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{HEADER}{lines}")).expect("written");
        path.display().to_string()
    };
    let wrong = put(
        "wrong.csv",
        "01840,tg02,reporter=cong-an,2024-M05,own,1.5\n99999,tg02,reporter=cong-an,2024-M05,own,1\n\
         01840,zz99,,05/2024,all,-1\n",
    );
    let right = put("right.csv", "01840,tg02,reporter=cong-an,2024-M05,own,7\n");
    let push = async |file: &str, language: &str, more: &[&str]| {
        let command = ["--lang", language, "push", file, "--source", "test", "--url", server.base()];
        typed("tonghop", &[&command[..], more].concat()).await
    };
    let mut refusals = vec![];
    for language in ["vi", "en"] {
        let (code, out, err) = push(&wrong, language, &[]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        let lines: Vec<String> = err.lines().map(str::to_owned).collect();
        // The reason first, then a finding a line: each of them in that language.
        assert!(lines.len() > 4, "{err}");
        for line in &lines {
            let words = line.replace(&wrong, "");
            assert_eq!(is_vietnamese(&words), language == "vi", "{line}");
        }
        for code in ["fraction_for_count", "unknown_unit", "unknown_indicator", "malformed_period"] {
            assert!(err.contains(code), "{code}: {err}");
        }
        refusals.push(lines.len());
    }
    assert_eq!(refusals[0], refusals[1], "the same findings");
    for (language, dry, taken, replayed) in [
        ("vi", "sẽ được nhận", "đã nhận ở vị trí 2", "đã nhận từ trước"),
        ("en", "would be taken", "taken at position 3", "already taken"),
    ] {
        let key = ["--idempotency-key", language];
        let (code, out, err) = push(&right, language, &[&key[..], &["--dry-run"]].concat()).await;
        assert!(code == Some(0) && out.contains(dry), "{out} {err}");
        for expected in [taken, replayed] {
            let (code, out, err) = push(&right, language, &key).await;
            assert!(code == Some(0) && out.contains(expected), "{out} {err}");
        }
    }
    server.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_are_refusals_of_other_commands() {
    let server = Server::start().await;
    for command in [
        &["totals", "--indicator", "none", "--unit", "VN", "--period", "2024"][..],
        &["explain", "--indicator", "tg01", "--unit", "9999", "--period", "2024"],
        &["compliance", "--regime", "none", "--period", "2024-M05"],
        &["report", "submit", "--regime", "none", "--period", "2024-M05", "--units", "01840"],
        &["review", "freeze", "no name"],
        &["key", "create", "--source", "x", "--unit", "99999"],
        &["map", "diff", "2025-07-01", "2025-06-30"],
    ] {
        let said = async |language: &str| {
            let (code, _, err) =
                typed("tonghop", &[&["--lang", language], command, &["--url", server.base()]].concat()).await;
            assert_eq!(code, Some(1), "{command:?}: {err}");
            err
        };
        let (vi, en) = (said("vi").await, said("en").await);
        assert!(is_vietnamese(&vi), "{command:?}: {vi}");
        assert!(!is_vietnamese(&en), "{command:?}: {en}");
        assert_eq!(vi.lines().count(), en.lines().count(), "{vi}\n{en}");
    }
}
