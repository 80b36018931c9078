//! The binary by itself.

use std::process::Command;

#[test]
fn it_says_what_it_takes_and_what_it_lacks() {
    let run = |argument: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tonghop-aggregation"));
        command
            .arg(argument)
            .env_remove("TONGHOP_DATABASE")
            .env("TONGHOP_ACCESS", "open")
            .output()
            .expect("it runs")
    };
    let help = run("--help");
    let text = String::from_utf8(help.stdout).expect("a text");
    assert!(help.status.success() && text.contains("TONGHOP_DATABASE"), "{text}");
    let bare = run("--listen=127.0.0.1:0");
    let text = String::from_utf8(bare.stderr).expect("a text");
    assert!(bare.status.code() == Some(2) && text.contains("--database <URL>"), "{text}");
    let wrong = run("--database=mysql://host/database");
    let text = String::from_utf8(wrong.stderr).expect("a text");
    assert!(
        wrong.status.code() == Some(1) && text.contains("must begin with sqlite: or postgres:"),
        "{text}"
    );
}
