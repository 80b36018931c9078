//! Files of totals and figures: as other people's tools read them, they say what the API answers.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use tonghop_proto::query::GetTotalsRequest;
use tonghop_tests::gazetteer::rows as table;
use tonghop_tests::{Reply, Server, tools};

const FORMATS: [&str; 6] = ["csv", "json", "ndjson", "xlsx", "parquet", "arrow"];
const MONTH: &str = "2024-M05";
const QUARTER: &str = "2024-Q2";
const REASON: &str = "=HYPERLINK(\"http://example.invalid\")";
/// The largest figure there is: two of them have more digits than a double keeps.
const LARGEST: &str = "999999999999999";

/// Communes of the province 19 on the map of the month.
async fn communes(server: &Server) -> Vec<String> {
    let mut out = vec![];
    let districts =
        server.get("/v1/units", &[("date", "2024-05-14"), ("parent", "19")]).await.expect(200)["units"]
            .clone();
    for district in districts.as_array().expect("districts") {
        let code = district["code"].as_str().expect("a code");
        let below = server.get("/v1/units", &[("date", "2024-05-14"), ("parent", code)]).await.expect(200);
        out.extend(below["units"].as_array().expect("communes").iter().map(|u| u["code"].clone()));
    }
    out.iter().map(|code| code.as_str().expect("a code").to_owned()).collect()
}

/// SYNTHETIC figures: counts, kilograms with three decimals, two that are as large as can be, one that is not
/// available for a reason that looks like a formula, one revised and one withdrawn.
async fn with_figures() -> Server {
    let server = Server::start().await;
    let communes = communes(&server).await;
    let figure = |unit: &str, indicator: &str, period: &str, value: Value| {
        let mut figure = json!({
            "unit": unit, "indicator": indicator, "period": period, "scope": "own",
            "breakdown": { "reporter": "cong-an" },
        });
        figure.as_object_mut().expect("an object").extend(value.as_object().expect("an object").clone());
        figure
    };
    let mut figures = vec![];
    for (i, unit) in communes.iter().enumerate() {
        let value = match i {
            0 | 1 => json!({ "value": LARGEST }),
            2 => json!({ "not_available": REASON }),
            _ => {
                json!({ "value": (i * 7 % 90).to_string(), "qualifier": if i % 9 == 0 { "about" } else { "exact" } })
            }
        };
        figures.push(figure(unit, "tg02", MONTH, value));
        if i % 3 != 0 {
            figures.push(figure(
                unit,
                "tg09",
                QUARTER,
                json!({ "value": format!("{}.{:03}", i % 5, i * 37 % 1000) }),
            ));
        }
    }
    let document = json!({ "source": "synthetic-test", "figures": figures });
    server.push_json("figures", &document).await.expect(201);
    let revised = [
        figure(&communes[5], "tg02", MONTH, json!({ "value": "123456" })),
        figure(&communes[6], "tg02", MONTH, json!({ "withdraw": true })),
    ];
    server.report("revised", json!(revised)).await;
    server
}

const CHILDREN: [(&str, &str); 4] =
    [("indicator", "tg02"), ("unit", "19"), ("period", MONTH), ("by", "children")];
const KILOGRAMS: [(&str, &str); 4] =
    [("indicator", "tg09"), ("unit", "19"), ("period", QUARTER), ("by", "children")];
const REPORTED: [(&str, &str); 4] =
    [("indicator", "tg02,tg09"), ("unit", "VN"), ("period", QUARTER), ("below", "true")];

async fn file(server: &Server, table: &str, format: &str, parameters: &[(&str, &str)]) -> Reply {
    let reply = server.get(&format!("/v1/export/{table}.{format}"), parameters).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// What the API answers, all pages of it.
async fn answered(server: &Server, table: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
    let mut out = vec![];
    let mut cursor = String::new();
    loop {
        let page = [parameters, &[("limit", "40"), ("cursor", cursor.as_str())]].concat();
        let body = server.get(&format!("/v1/{table}"), &page).await.expect(200);
        out.extend(body[table].as_array().expect("rows").clone());
        match body["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return out,
        }
    }
}

/// Writes a file down, for tools to read.
fn saved(reply: &Reply, format: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join(format!("file.{format}"));
    std::fs::write(&path, &reply.bytes).expect("written");
    (folder, path)
}

/// What a table's row says of a total or figure, in the words of the API; what is empty is null.
fn said(row: &Value, columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| row[*column].as_str().unwrap_or_default().to_owned()).collect()
}

const COLUMNS: [&str; 9] =
    ["unit_code", "indicator", "period", "value", "qualifier", "reason", "basis", "covered", "expected"];

/// The same of an answer of the API.
fn expected(total: &Value) -> Vec<String> {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let of = |column: &&str| match *column {
        "unit_code" => plain(&total["unit"]["code"]),
        column => plain(&total[column]),
    };
    COLUMNS.iter().map(of).collect()
}

/// The exact sum of values with the same number of decimals.
fn sum<'a>(values: impl Iterator<Item = &'a str>) -> i128 {
    values.map(|value| value.replace('.', "").parse::<i128>().expect("a decimal")).sum()
}

#[tokio::test]
async fn text_formats_say_what_the_api_answers() {
    let server = with_figures().await;
    for parameters in [CHILDREN, KILOGRAMS] {
        let totals = answered(&server, "totals", &parameters).await;
        assert!(totals.len() > 5);
        let json = file(&server, "totals", "json", &parameters).await.json();
        assert_eq!(json["totals"], json!(totals));
        assert_eq!((&json["as_of"]["position"], &json["rows"]), (&json!(3), &json!(totals.len())));
        assert_eq!((&json["asked"]["by"], &json["synthetic"]), (&json!("children"), &json!(true)));
        let lines = file(&server, "totals", "ndjson", &parameters).await.text();
        for (line, total) in lines.lines().zip(&totals) {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(line.as_object_mut().expect("an object").remove("as_of"), Some(json!(3)));
            assert_eq!(&line, total);
        }
        assert_eq!(lines.lines().count(), totals.len());
        let csv = table(&file(&server, "totals", "csv", &parameters).await.bytes);
        let csv: Vec<Vec<String>> = csv.iter().map(|r| COLUMNS.map(|c| r[c].clone()).to_vec()).collect();
        assert_eq!(csv, totals.iter().map(expected).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn figures_of_several_indicators_are_in_one_file_every_revision() {
    let server = with_figures().await;
    let mut figures = vec![];
    for indicator in ["tg02", "tg09"] {
        let parameters = [("indicator", indicator), ("unit", "VN"), ("period", QUARTER), ("below", "true")];
        figures.extend(answered(&server, "figures", &parameters).await);
    }
    let json = file(&server, "figures", "json", &REPORTED).await;
    assert_eq!(json.json()["figures"], json!(figures));
    assert_eq!(json.header("tonghop-rows"), figures.len().to_string());
    assert!(figures.iter().any(|f| f["withdrawn"] == true) && figures.iter().any(|f| f["current"] == false));
    let programme = [("programme", "CTPH-09"), ("unit", "19"), ("period", MONTH), ("below", "true")];
    let of_programme = file(&server, "figures", "json", &programme).await.json();
    let of_month =
        answered(&server, "figures", &[("indicator", "tg02"), programme[1], programme[2], programme[3]])
            .await;
    assert_eq!(of_programme["figures"], json!(of_month));
}

#[tokio::test]
async fn dataframes_and_databases_read_the_columnar_files_exactly() {
    let server = with_figures().await;
    let Some(python) = tools::python() else { return };
    for (parameters, value) in [(CHILDREN, "decimal128(38, 0)"), (KILOGRAMS, "decimal128(38, 3)")] {
        let totals = answered(&server, "totals", &parameters).await;
        let wanted: Vec<Vec<String>> = totals.iter().map(expected).collect();
        let wanted_sum = sum(totals.iter().filter_map(|t| t["value"].as_str()));
        for (format, library) in [("parquet", "pandas"), ("parquet", "duckdb"), ("arrow", "feather")] {
            let (_folder, path) = saved(&file(&server, "totals", format, &parameters).await, format);
            let read = tools::rows(&python, library, &path);
            let rows = read["rows"].as_array().expect("rows");
            assert_eq!(read["count"], json!(totals.len()), "{library}");
            assert_eq!(rows.iter().map(|r| said(r, &COLUMNS)).collect::<Vec<_>>(), wanted, "{library}");
            assert_eq!(sum(read["sum"].as_str().into_iter()), wanted_sum, "{library}");
            if library == "duckdb" {
                assert_eq!(
                    (&read["types"]["covered"], &read["types"]["newest"]),
                    (&json!("BIGINT"), &json!("DATE"))
                );
            } else {
                assert_eq!(read["types"]["value"], json!(value), "{library}");
                assert_eq!(read["metadata"]["tonghop.as_of.position"], json!("3"), "{library}");
                assert_eq!(read["metadata"]["tonghop.synthetic"], json!("true"), "{library}");
            }
        }
    }
    let figures = file(&server, "figures", "json", &REPORTED).await.json();
    let figures = figures["figures"].as_array().expect("figures");
    let with_decimals =
        |value: &str| if value.contains('.') { value.to_owned() } else { format!("{value}.000") };
    let values: Vec<String> = figures.iter().filter_map(|f| f["value"].as_str()).map(with_decimals).collect();
    let wanted = sum(values.iter().map(String::as_str));
    for (format, library) in [("parquet", "pandas"), ("parquet", "duckdb"), ("arrow", "feather")] {
        let (_folder, path) = saved(&file(&server, "figures", format, &REPORTED).await, format);
        let read = tools::rows(&python, library, &path);
        // Indicators that are mixed share the scale of the one with most decimals.
        assert_eq!(sum(read["sum"].as_str().into_iter()), wanted, "{library}");
        let first = &read["rows"][0];
        assert!(first["received_at"].as_str().expect("a time").ends_with('Z'), "{first}");
        let reasons = read["rows"].as_array().expect("rows").iter().filter(|r| r["not_available"] == REASON);
        assert_eq!(reasons.count(), 1, "no format for programs changes a text");
    }
}

#[tokio::test]
async fn spreadsheets_open_the_workbook_with_its_notes() {
    let server = with_figures().await;
    let totals = answered(&server, "totals", &CHILDREN).await;
    let wanted: Vec<Vec<String>> = totals.iter().map(expected).collect();
    let reply = file(&server, "totals", "xlsx", &CHILDREN).await;
    assert_eq!(&reply.bytes[..2], b"PK");
    let figures = file(&server, "figures", "xlsx", &[&REPORTED[..], &[("lang", "en")]].concat()).await;
    if let Some(python) = tools::python() {
        let (_folder, path) = saved(&reply, "xlsx");
        let read = tools::rows(&python, "openpyxl", &path);
        let rows = read["rows"].as_array().expect("rows");
        assert_eq!(rows.iter().map(|r| said(r, &COLUMNS)).collect::<Vec<_>>(), wanted);
        assert_eq!(read["sheets"], json!(["Số tổng hợp", "Ghi chú"]));
        assert!(read["notes"]["Tính đến"].as_str().expect("a note").contains("mục 3 của sổ cái"));
        assert!(read["notes"]["SYNTHETIC"].as_str().expect("a note").contains("GIẢ LẬP"));
        assert_eq!((&read["notes"]["by"], &read["notes"]["unit"]), (&json!("children"), &json!("19")));
        assert!(read["notes"]["at_least"].as_str().expect("a qualifier").contains("không thấp hơn"));
        // What was not asked for is out of sight, and still there.
        let hidden = read["hidden"].as_array().expect("columns");
        assert!(hidden.contains(&json!("rank_place")) && !hidden.contains(&json!("value")), "{hidden:?}");
        // Counts are numbers, but for what a double does not keep.
        let kinds = read["kinds"].as_array().expect("kinds");
        for (row, kind) in rows.iter().zip(kinds) {
            let digits = row["value"].as_str().map_or(0, str::len);
            let wanted = if row["value"].is_null() || digits <= 15 { "n" } else { "s" };
            assert_eq!(kind["value"], wanted, "{row}");
        }
        assert!(kinds.iter().any(|kind| kind["value"] == "s"), "two of the largest make a longer one");

        let (_folder, path) = saved(&figures, "xlsx");
        let read = tools::rows(&python, "openpyxl", &path);
        assert_eq!(read["sheets"], json!(["Figures", "Notes"]));
        let rows = read["rows"].as_array().expect("rows");
        let at = rows.iter().position(|r| r["not_available"] == REASON).expect("the reason as it was given");
        assert_eq!(read["kinds"][at]["not_available"], "s", "a text, no formula");
        assert!(read["headings"].as_array().expect("headings").contains(&json!("Why it is not available")));
    }
    if let Some(libreoffice) = tools::libreoffice() {
        let (_folder, path) = saved(&reply, "xlsx");
        let converted = tools::converted(&libreoffice, &path);
        let mut reader = csv::Reader::from_reader(converted.as_slice());
        let headings = reader.headers().expect("headings").clone();
        assert_eq!((&headings[0], &headings[8]), ("Mã đơn vị", "Giá trị"));
        let lines: Vec<csv::StringRecord> = reader.records().map(|line| line.expect("a line")).collect();
        let said: Vec<(&str, &str)> = lines.iter().map(|line| (&line[0], &line[8])).collect();
        let wanted: Vec<(&str, &str)> = wanted.iter().map(|row| (row[0].as_str(), row[3].as_str())).collect();
        assert_eq!(said, wanted);
    }
}

#[tokio::test]
async fn what_begins_like_a_formula_is_shown_and_not_run() {
    let server = with_figures().await;
    let reply = file(&server, "figures", "csv", &[&REPORTED[..], &[("bom", "true")]].concat()).await;
    let text = reply.text();
    let rest = text.strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(!rest.contains('\u{feff}'));
    let rows = table(rest.as_bytes());
    let reasons: Vec<&str> =
        rows.iter().map(|r| r["not_available"].as_str()).filter(|r| !r.is_empty()).collect();
    assert_eq!(reasons, [format!("'{REASON}")]);
    assert!(!file(&server, "figures", "csv", &REPORTED).await.text().starts_with('\u{feff}'));
}

#[tokio::test]
async fn a_file_says_as_of_when_it_is_and_is_not_sent_twice() {
    let server = with_figures().await;
    for format in FORMATS {
        let reply = file(&server, "totals", format, &CHILDREN).await;
        let again = file(&server, "totals", format, &CHILDREN).await;
        assert!(
            !reply.bytes.is_empty() && reply.bytes == again.bytes,
            "{format}: the same question has the same bytes for an answer"
        );
        let tag = reply.header("etag");
        assert_eq!((reply.header("tonghop-as-of"), again.header("etag")), ("3", tag), "{format}");
        let name = format!("attachment; filename=\"tonghop-totals-tg02-19-2024-M05-as-of-3.{format}\"");
        assert_eq!(reply.header("content-disposition"), name);
        let known = server.get_unless(tag, &format!("/v1/export/totals.{format}"), &CHILDREN).await;
        assert_eq!((known.status, known.bytes.len(), known.header("etag")), (304, 0, tag), "{format}");
    }
    let other = file(&server, "totals", "csv", &[&CHILDREN[..], &[("lang", "en")]].concat()).await;
    assert_ne!(other.header("etag"), file(&server, "totals", "csv", &CHILDREN).await.header("etag"));
    assert_eq!(other.header("content-type"), "text/csv; charset=utf-8");
}

#[tokio::test]
async fn the_command_line_writes_the_same_file_or_none() {
    let server = with_figures().await;
    let endpoint = tonic::transport::Endpoint::from_shared(server.base().to_owned()).expect("an address");
    let client = tonghop::client::Client::over(endpoint.connect_lazy(), None).expect("a client");
    let channel = client.channel();
    let folder = tempfile::tempdir().expect("a directory");
    let question = |indicator: &str| GetTotalsRequest {
        indicator: indicator.to_owned(),
        unit: "19".to_owned(),
        period: MONTH.to_owned(),
        by: "children".to_owned(),
        ..GetTotalsRequest::default()
    };
    for format in FORMATS {
        let path = folder.path().join(format!("tips.{format}"));
        let bytes = tonghop::file::fetch(channel.clone(), &question("tg02"), &path).await.expect("a file");
        let written = std::fs::read(&path).expect("it is there");
        assert_eq!(written.len() as u64, bytes);
        assert!(written == file(&server, "totals", format, &CHILDREN).await.bytes, "{format}");
    }
    let path = folder.path().join("none.csv");
    let refused = tonghop::file::fetch(channel, &question("none"), &path).await.expect_err("a refusal");
    assert!(refused.lines()[0].starts_with("indicator: got \"none\""), "{:?}", refused.lines());
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_anything_is_sent() {
    let server = Server::start().await;
    let refused = async |table: &str, parameters: &[(&str, &str)]| {
        let reply = server.get(&format!("/v1/export/{table}.parquet"), parameters).await;
        assert_eq!(reply.header("content-type"), "application/problem+json", "{}", reply.text());
        (reply.status, reply.codes())
    };
    let codes = |codes: &[&str]| codes.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        refused("totals", &[("indicator", "none"), ("unit", "VN"), ("period", "2024")]).await,
        (404, codes(&["unknown_indicator"]))
    );
    assert_eq!(
        refused("figures", &[("indicator", "tg02"), ("unit", "none"), ("period", "2024")]).await,
        (404, codes(&["unknown_unit"]))
    );
    assert_eq!(
        refused("figures", &[("programme", "none"), ("unit", "VN"), ("period", "2024")]).await,
        (404, codes(&["unknown_programme"]))
    );
    assert_eq!(
        refused("figures", &[("unit", "VN"), ("period", "last year")]).await,
        (400, codes(&["malformed_period"]))
    );
    assert_eq!(
        refused("figures", &[("unit", "VN"), ("period", "1950..2080"), ("below", "true")]).await.0,
        413,
        "more parts than are read for one file"
    );
    assert_eq!(refused("totals", &[("unit", "VN"), ("cursor", "1")]).await, (400, vec![]));
    assert_eq!(refused("totals", &[("lang", "fr")]).await, (400, vec![]));
}
