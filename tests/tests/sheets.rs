//! Reports as people keep them: workbooks of other people's programs, forms that are filled in, CSV of spreadsheets.
//! Each is pushed right or refused by cell.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use serde_json::{Value, json};
use tonghop::arguments::Arguments;
use tonghop::commands;
use tonghop::trouble::Trouble;
use tonghop_ingestion::XLSX;
use tonghop_proto::ingestion::{Document, SubmitRequest};
use tonghop_tests::{Reply, Server, tools};

const MONTH: &str = "2024-M05";

/// Runs a command as it would be typed, against a server.
async fn typed(server: &Server, line: &[&str]) -> Result<(), Trouble> {
    let line = ["tonghop"].into_iter().chain(line.iter().copied()).chain(["--url", server.base()]);
    commands::run(Arguments::try_parse_from(line).expect("typed right").command).await
}

async fn push(server: &Server, key: &str, locale: &str, file: &Path) -> Reply {
    let path = format!("/v1/submissions?source=synthetic-sheets&locale={locale}");
    let headers = [("idempotency-key", key), ("content-type", XLSX)];
    server.post_to(&path, &headers, std::fs::read(file).expect("a file")).await
}

fn made(python: &Path, arguments: &[&str]) {
    tools::run(tools::script(python, "workbooks.py").args(arguments));
}

/// Where each finding stands, and its code.
fn places(reply: &Reply) -> Vec<(String, String)> {
    let all = reply.json()["findings"].as_array().cloned().unwrap_or_default();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    all.iter().map(|finding| (text(finding, "path"), text(finding, "code"))).collect()
}

async fn values(server: &Server, unit: &str) -> Vec<(String, String)> {
    let parameters = [("indicator", "tg02"), ("unit", unit), ("period", MONTH)];
    let figures = server.get("/v1/figures", &parameters).await.expect(200)["figures"].clone();
    let text = |figure: &Value, key: &str| figure[key].as_str().unwrap_or_default().to_owned();
    let figures = figures.as_array().expect("figures");
    figures.iter().map(|figure| (text(figure, "value"), text(figure, "qualifier"))).collect()
}

#[tokio::test]
async fn a_workbook_of_openpyxl_is_refused_by_cell_and_taken_when_put_right() {
    let server = Server::start().await;
    let Some(python) = tools::python() else { return };
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("traps.xlsx");
    made(&python, &["traps", file.to_str().expect("a path")]);
    let refused = push(&server, "traps", "vi", &file).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let at = |row: u32, code: &str| (format!("'Số liệu'!F{row}"), code.to_owned());
    let expected = [
        at(6, "formula_without_value"),
        at(7, "date_cell"),
        at(8, "boolean_cell"),
        at(9, "error_cell"),
        at(10, "shown_otherwise"),
        at(11, "part_and_whole"),
        at(12, "percent_for_count"),
        at(13, "number_of_other_locale"),
        at(14, "words_beside_number"),
    ];
    assert_eq!(places(&refused), expected);
    let first = &refused.json()["findings"][0];
    assert_eq!((&first["line"], &first["column"]), (&json!(6), &json!("F")));
    // Nothing was stored, also of what was right.
    assert_eq!(values(&server, "01840").await, []);
    // Without a locale the numbers as text are refused as well.
    let undeclared = places(&push(&server, "undeclared", "", &file).await);
    assert!(undeclared.contains(&at(4, "number_needs_locale")), "{undeclared:?}");
    assert!(undeclared.contains(&at(5, "number_needs_locale")), "{undeclared:?}");
}

#[tokio::test]
async fn a_form_with_merged_headings_and_decomposed_names_is_taken() {
    let server = Server::start().await;
    let Some(python) = tools::python() else { return };
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("form.xlsx");
    made(&python, &["form", file.to_str().expect("a path"), "Trong đó: số tin có giá trị"]);
    let reply = push(&server, "form", "vi", &file).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    server.wait(reply.position()).await;
    // There is a Chợ Mới in An Giang, too; the form is of Bắc Kạn.
    assert_eq!(values(&server, "065").await, [("1332".to_owned(), "exact".to_owned())]);
    assert_eq!(values(&server, "061").await, [("12".to_owned(), "exact".to_owned())]);
    assert_eq!(values(&server, "058").await, [("15".to_owned(), "at_least".to_owned())]);
    assert_eq!(values(&server, "893").await, []);
    // Kept as it came.
    let path = format!("/v1/submissions/{}/document", reply.json()["id"].as_str().expect("an id"));
    let document = server.get(&path, &[]).await;
    assert_eq!(document.bytes, std::fs::read(&file).expect("a file"));
    assert_eq!(document.header("content-type"), format!("{XLSX};locale=vi"));
    // The same again is a replay; in another locale it is other content.
    assert_eq!(push(&server, "form", "vi", &file).await.status, 200);
    assert_eq!(push(&server, "form", "en", &file).await.status, 409);
    // The same file over gRPC is the same submission.
    let request = SubmitRequest {
        idempotency_key: "form".into(),
        source: "synthetic-sheets".into(),
        document: Some(Document {
            media_type: XLSX.into(),
            content: std::fs::read(&file).expect("a file"),
            locale: "vi".into(),
        }),
        ..SubmitRequest::default()
    };
    let again = server.ingestion().submit(request).await.expect("taken").into_inner();
    assert!(again.replayed);
}

#[tokio::test]
async fn a_form_is_written_filled_in_and_pushed_as_it_is() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a directory");
    let folder = folder.path();
    let to = folder.to_str().expect("a path");
    let line =
        ["form", to, "--unit", "058", "--children", "--period", MONTH, "--indicator", "tg02,tg09,tg01"];
    typed(&server, &line).await.expect("written");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a directory").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let names: Vec<_> =
        files.iter().map(|file| file.file_name().unwrap_or_default().to_string_lossy()).collect();
    assert_eq!(names[0], "01834_2024-M05.xlsx", "{names:?}");
    let form = folder.join("01840_2024-M05.xlsx");
    // Nothing filled in says nothing.
    assert_eq!(push(&server, "empty", "", &form).await.codes(), ["empty_submission"]);
    let Some(python) = tools::python() else { return };
    let filled = folder.join("filled.xlsx");
    let fill = |values: Value| {
        made(
            &python,
            &["fill", form.to_str().expect("a path"), filled.to_str().expect("a path"), &values.to_string()],
        );
    };
    // tg09 is collected by the quarter, so the month's form has two rows.
    fill(json!({ "9,6": "gần 1.332", "10,7": "chưa tổng hợp" }));
    let path = filled.to_str().expect("a path");
    typed(&server, &["push", path, "--source", "synthetic-form", "--dry-run"]).await.expect("found good");
    assert_eq!(values(&server, "01840").await, []);
    typed(&server, &["push", path, "--source", "synthetic-form"]).await.expect("taken");
    server.wait(server.head().await.position).await;
    let tips = [("indicator", "tg01"), ("unit", "01840"), ("period", MONTH)];
    let tips = server.get("/v1/figures", &tips).await.expect(200);
    assert_eq!(
        (&tips["figures"][0]["value"], &tips["figures"][0]["qualifier"]),
        (&json!("1332"), &json!("at_most"))
    );
    let useful =
        server.get("/v1/figures", &[("indicator", "tg02"), ("unit", "01840"), ("period", MONTH)]).await;
    assert_eq!(useful.expect(200)["figures"][0]["not_available"], json!("chưa tổng hợp"));
    // A cell that cannot be read is named.
    fill(json!({ "9,6": "1,332" }));
    let trouble = typed(&server, &["push", path, "--source", "synthetic-form"]).await.expect_err("refused");
    let said = trouble.lines().join("\n");
    assert!(said.contains("'Biểu'!F9") && said.contains("1332"), "{said}");
    // The form says that its numbers are Vietnamese.
    let contradicted = push(&server, "contradicted", "en", &filled).await;
    assert_eq!(contradicted.codes(), ["contradiction"]);
    // The old format is not sent at all.
    let old = folder.join("old.xls");
    std::fs::write(&old, b"x").expect("written");
    assert!(typed(&server, &["push", old.to_str().expect("a path")]).await.is_err());
}

#[tokio::test]
async fn what_libreoffice_makes_of_a_csv_is_taken_or_refused_by_cell() {
    let server = Server::start().await;
    let (Some(python), Some(libreoffice)) = (tools::python(), tools::libreoffice()) else { return };
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("report.csv");
    made(&python, &["csv", file.to_str().expect("a path")]);
    // As CSV with semicolons, as a spreadsheet in Vietnamese saves it.
    let pushed = |locale: &'static str, document: Vec<u8>| {
        let path = format!("/v1/submissions?source=synthetic-csv&dry_run=true&locale={locale}");
        let server = &server;
        async move {
            server.post_to(&path, &[("idempotency-key", "csv"), ("content-type", "text/csv")], document).await
        }
    };
    let document = std::fs::read(&file).expect("a file");
    let reply = pushed("vi", document).await;
    assert_eq!(reply.codes(), ["fraction_for_count"], "{}", reply.text());
    // Columns 1 to 4 as text; the values as they are read in Vietnamese (1066), in English (1033), and as text.
    for (name, language, columns, expected) in [
        ("vietnamese", "1066", "1/2/2/2/3/2/4/2/5/2", vec![("F4".to_owned(), "fraction_for_count")]),
        // English makes 1.332 of it, a fraction that is no thousand.
        (
            "english",
            "1033",
            "1/2/2/2/3/2/4/2/5/2",
            vec![("F3".to_owned(), "fraction_for_count"), ("F4".to_owned(), "fraction_for_count")],
        ),
        ("text", "1066", "1/2/2/2/3/2/4/2/5/2/6/2", vec![("F4".to_owned(), "fraction_for_count")]),
    ] {
        let to = folder.path().join(name);
        std::fs::create_dir_all(&to).expect("a directory");
        let profile = format!("-env:UserInstallation=file://{}", folder.path().join("profile").display());
        let filter = format!("--infilter=CSV:59,34,76,1,{columns},{language},false,true");
        tools::run(
            Command::new(&libreoffice)
                .args([profile.as_str(), "--headless", &filter, "--convert-to", "xlsx", "--outdir"])
                .arg(&to)
                .arg(&file),
        );
        let reply = push(&server, name, "vi", &to.join("report.xlsx")).await;
        let found: Vec<(String, String)> = places(&reply)
            .into_iter()
            .map(|(path, code)| (path.rsplit('!').next().unwrap_or_default().to_owned(), code))
            .collect();
        let expected: Vec<(String, String)> =
            expected.into_iter().map(|(cell, code)| (cell, code.to_owned())).collect();
        assert_eq!(found, expected, "{name}: {}", reply.text());
    }
}
