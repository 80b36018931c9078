//! The OpenAPI document: every route is in it, its examples are answered as it says, and a program that tries what it
//! says finds nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tonghop_access::Access;
use tonghop_export::Format;
use tonghop_ingestion::fair::Traffic;
use tonghop_tests::openapi::{DOCUMENT, conforms, operations};
use tonghop_tests::server::ADMINISTRATOR;
use tonghop_tests::{Reply, Server, tools};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every route that the sources name: path, and methods.
fn routes() -> BTreeSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut files = vec![];
    for under in ["services", "crates"] {
        for package in std::fs::read_dir(root.join(under)).expect("packages") {
            sources(&package.expect("a package").path().join("src"), &mut files);
        }
    }
    let mut out = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        let code = text.split("#[cfg(test)]").next().expect("its beginning");
        // Pages for people are no part of REST.
        let inside = file.strip_prefix(root).expect("a file of the workspace");
        if inside.components().any(|part| part.as_os_str() == "dashboard") {
            continue;
        }
        for rest in code.split(".route(").skip(1) {
            let rest = rest.trim_start();
            let Some(path) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                assert!(
                    rest.starts_with("&path("),
                    "{}: a route that is not read: {rest:.60}",
                    file.display()
                );
                continue;
            };
            let end = rest.find(".route(").unwrap_or(rest.len());
            let handler = &rest[path.len()..end];
            let found = ["get", "post", "put", "delete"].iter().filter(|method| {
                handler.match_indices(&format!("{method}(")).any(|(at, _)| {
                    !handler[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
                })
            });
            let methods: Vec<_> = found.collect();
            assert!(!methods.is_empty(), "{}: no method is read for {path}", file.display());
            out.extend(methods.iter().map(|method| (path.to_owned(), (**method).to_owned())));
        }
    }
    for (table, format) in
        ["totals", "figures"].iter().flat_map(|table| Format::ALL.map(|format| (table, format)))
    {
        out.insert((format!("/v1/export/{table}.{}", format.extension()), "get".to_owned()));
    }
    out
}

/// Paths as they are routed: with each format in its place.
fn routed(path: &str, operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    match parameters.clone().find(|p| p["name"] == "format") {
        None => vec![path.to_owned()],
        Some(format) => {
            let all = format["schema"]["enum"].as_array().expect("formats");
            all.iter().map(|f| path.replace("{format}", f.as_str().expect("a format"))).collect()
        }
    }
}

#[test]
fn every_route_is_in_the_document_and_the_other_way_round() {
    let said: BTreeSet<(String, String)> = operations()
        .into_iter()
        .flat_map(|(path, method, operation)| {
            routed(&path, operation).into_iter().map(move |path| (path, method.clone()))
        })
        .collect();
    assert_eq!(said, routes());
    assert!(said.len() > 30, "{}", said.len());
}

/// What says how a process is, whatever else it has to do.
const HOW_IT_IS: [&str; 4] = ["/healthz", "/readyz", "/active", "/metrics"];

#[test]
fn what_is_refused_for_now_is_described_where_it_may_come_with_when_to_try_again() {
    let (mut rationed, mut away, mut bounded) = (vec![], vec![], vec![]);
    for (path, method, operation) in operations() {
        let name = format!("{method} {path}");
        let answers = &operation["responses"];
        for (status, all) in [("429", &mut rationed), ("503", &mut away), ("413", &mut bounded)] {
            let answer = &answers[status];
            if answer["content"]["application/problem+json"].is_null() {
                continue;
            }
            let wait = &answer["headers"]["Retry-After"];
            let said = (&wait["schema"]["type"], &wait["schema"]["minimum"]);
            match status {
                "413" => assert!(wait.is_null(), "{name}: no time makes it smaller"),
                _ => assert_eq!(said, (&json!("integer"), &json!(1)), "{name}: {status}"),
            }
            all.push(name.clone());
        }
    }
    // What one key may send is rationed for submissions alone; any process may be away, or have too much to do.
    assert_eq!(rationed, ["post /v1/submissions"]);
    let served: Vec<String> = operations()
        .into_iter()
        .filter(|(path, ..)| !HOW_IT_IS.contains(&path.as_str()))
        .map(|(path, method, _)| format!("{method} {path}"))
        .collect();
    assert_eq!(away, served);
    for (path, method, operation) in operations() {
        let name = format!("{method} {path}");
        assert!(operation["requestBody"].is_null() || bounded.contains(&name), "{name}");
    }
}

/// A server with the real report of Bắc Kạn, and the submission's id.
async fn with_the_report() -> (Server, String) {
    let server = Server::start().await;
    let (_, report) = tonghop::shipped::reports(None).expect("the report ships").remove(0);
    let reply = server.push_csv("report-2023", "congan-backan", report).await;
    let id = reply.expect(201)["id"].as_str().expect("an id").to_owned();
    server.wait(reply.position()).await;
    // `/readyz` says so once it has looked.
    for _ in 0..100 {
        if server.status("/readyz").await == Some(200) {
            return (server, id);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is not ready");
}

/// A parameter's example as it goes into an address.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A key that there is.
async fn key(server: &Server) -> String {
    let wanted = json!({ "source": "x", "roles": ["report"], "units": ["06"] });
    let headers = [("idempotency-key", "to be revoked"), ("content-type", "application/json")];
    let given = server.send("/v1/keys", &[], &headers, wanted.to_string()).await;
    given.json()["key"]["key"].as_str().expect("a key").to_owned()
}

/// Sends an operation with the examples that the document gives.
async fn sent(server: &Server, path: &str, method: &str, operation: &Value, id: &str) -> Reply {
    // A key has an id of its own kind, and is there when it is revoked.
    let id = if path.starts_with("/v1/keys/") { key(server).await } else { id.to_owned() };
    let (mut path, mut query, mut headers) = (path.replace("{id}", &id), vec![], vec![]);
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, example) = (plain(&parameter["name"]), plain(&parameter["example"]));
        if parameter["example"].is_null() {
            assert!(parameter["required"] != true, "{method} {path}: {name} has no example");
            continue;
        }
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
            Some("query") => query.push((name, example)),
            Some("header") => headers.push((name, example)),
            other => panic!("{path}: {other:?}"),
        }
    }
    let query: Vec<(&str, &str)> =
        query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if method == "get" {
        return server.get(&path, &query).await;
    }
    if method == "delete" {
        return server.call(reqwest::Method::DELETE, &path, &query, &[], vec![]).await;
    }
    let (media_type, content) = operation["requestBody"]["content"]
        .as_object()
        .and_then(|content| content.iter().find(|(_, of)| of["example"].is_object()))
        .unwrap_or_else(|| panic!("{path}: no example of a body"));
    headers.push(("content-type".to_owned(), media_type.clone()));
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    server.send(&path, &query, &headers, content["example"].to_string()).await
}

#[tokio::test]
async fn every_example_is_answered_as_the_document_says() {
    let (server, id) = with_the_report().await;
    let mut checked = 0;
    for (path, method, operation) in operations() {
        // Its answer has no end.
        if path == "/v1/watch" {
            continue;
        }
        for path in routed(&path, operation) {
            let name = format!("{method} {path}");
            let reply = sent(&server, &path, &method, operation, &id).await;
            let wanted = if method == "post" { 201 } else { 200 };
            assert_eq!(reply.status, wanted, "{name}: {}", reply.text());
            conforms(&name, operation, &reply);
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

#[tokio::test]
async fn answers_of_every_kind_have_the_shape_that_the_document_gives_them() {
    let (server, id) = with_the_report().await;
    let of = |path: &str| &DOCUMENT["paths"][path]["get"];
    let question = |more: &[(&'static str, &'static str)]| {
        [&[("indicator", "tg01"), ("unit", "06"), ("period", "2013..2023")][..], more].concat()
    };
    for (path, parameters) in [
        ("/v1/totals", question(&[("map", "2025-07-01"), ("by", "periods")])),
        ("/v1/totals", question(&[("compare", "previous,last_year"), ("share", "nation"), ("rank", "true")])),
        ("/v1/totals", vec![("by", "indicators"), ("unit", "06"), ("period", "2013..2023")]),
        (
            "/v1/totals",
            vec![
                ("programme", "CTPH-09"),
                ("unit", "VN"),
                ("period", "2013..2023"),
                ("by", "indicators,children"),
            ],
        ),
        ("/v1/totals", vec![("indicator", "ll03"), ("unit", "06"), ("period", "2023")]),
        ("/v1/totals", vec![("indicator", "mh05"), ("unit", "VN"), ("period", "2023")]),
        (
            "/v1/totals",
            vec![("indicator", "tg01"), ("unit", "19"), ("period", "2013..2023"), ("map", "2025-07-01")],
        ),
        (
            "/v1/totals/explain",
            vec![("indicator", "tg01"), ("unit", "19"), ("period", "2013..2023"), ("map", "2025-07-01")],
        ),
        (
            "/v1/totals/tree",
            vec![("indicator", "tg01"), ("unit", "19"), ("period", "2013..2023"), ("map", "2025-07-01")],
        ),
        (
            "/v1/coverage",
            vec![("indicator", "tg01"), ("unit", "VN"), ("period", "2013..2023"), ("map", "2025-07-01")],
        ),
        (
            "/v1/figures",
            vec![("indicator", "tg01"), ("unit", "VN"), ("period", "2013..2023"), ("below", "true")],
        ),
        ("/v1/map/diff", vec![("from", "2025-06-30"), ("to", "2025-07-01")]),
        ("/v1/units", vec![("code", "24")]),
        ("/v1/indicators", vec![]),
        // Refused.
        ("/v1/totals", question(&[("by", "nothing")])),
        ("/v1/totals", question(&[("limit", "many")])),
        ("/v1/totals", question(&[("map", "2000-01-01")])),
        ("/v1/totals", vec![("indicator", "none"), ("unit", "06"), ("period", "2024")]),
        ("/v1/figures", question(&[("cursor", "none")])),
        ("/v1/units", vec![("date", "today")]),
    ] {
        let reply = server.get(path, &parameters).await;
        conforms(&format!("{path} {parameters:?}"), of(path), &reply);
    }
    let effect = server.get(&format!("/v1/submissions/{id}"), &[]).await;
    assert_eq!(effect.json()["state"], "rolled_up");
    conforms("a submission", of("/v1/submissions/{id}"), &effect);
    conforms("none", of("/v1/submissions/{id}"), &server.get("/v1/submissions/none", &[]).await);

    let post = &DOCUMENT["paths"]["/v1/submissions"]["post"];
    let example = &post["requestBody"]["content"]["application/json"]["example"];
    conforms("a submission", post, &server.push_json("once", example).await);
    let again = server.push_json("once", example).await;
    assert_eq!(again.status, 200);
    conforms("the same again", post, &again);
    let other = server.push_json("once", &json!({ "source": "congan-backan", "figures": [] })).await;
    conforms("other content, or nothing", post, &other);
    let dry = server
        .post(
            &[("dry_run", "true")],
            &[("idempotency-key", "dry"), ("content-type", "application/json")],
            example.to_string(),
        )
        .await;
    assert_eq!(dry.json()["dry_run"], true);
    conforms("a dry run", post, &dry);
    conforms("not JSON", post, &server.push_json("bad", &json!([])).await);
    conforms("no key", post, &server.post(&[], &[("content-type", "application/json")], "{}").await);
    let image = server.post(&[], &[("idempotency-key", "i"), ("content-type", "image/png")], "x").await;
    assert_eq!(image.status, 415);
    conforms("an image", post, &image);
}

#[tokio::test]
async fn what_is_turned_away_has_the_shape_that_the_document_gives_it() {
    let post = &DOCUMENT["paths"]["/v1/submissions"]["post"];
    let document = json!({ "figures": [] });
    let bytes = document.to_string().len() as u64;
    // A key may have a quarter of the memory, and nobody more than all of it.
    for (body_bytes, status) in [(2 * bytes, 429), (bytes - 1, 503)] {
        let server = Server::taking(Access::Keys, Traffic { body_bytes, ..Traffic::default() }).await;
        let reply = server.holding(ADMINISTRATOR).push_json("a", &document).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        conforms("turned away", post, &reply);
    }
    let server = Server::start().await;
    let large = server.push_json("large", &json!("x".repeat(33 << 20))).await;
    assert_eq!(large.status, 413);
    conforms("too large", post, &large);
}

#[tokio::test]
async fn the_document_and_its_page_are_served() {
    let server = Server::empty(256).await;
    let served = server.get("/openapi.json", &[]).await;
    assert_eq!(served.expect(200), *DOCUMENT);
    assert_eq!(server.get_unless(served.header("etag"), "/openapi.json", &[]).await.status, 304);
    let page = server.get("/docs", &[]).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let text = page.text();
    for (path, _, operation) in operations() {
        assert!(
            text.contains(
                operation["summary"].as_str().expect("a summary").split('`').next().expect("words")
            ),
            "{path}"
        );
    }
}

/// What schemathesis holds an answer to. That whatever fits the schemas is taken is not among it: what a code or a
/// period may be, the registry says.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      unsupported_method,missing_required_header";

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_tries_what_the_document_says_finds_nothing_else() {
    let Some(python) = tools::python() else { return };
    let (server, _) = with_the_report().await;
    let folder = tempfile::tempdir().expect("a directory");
    let mut command = std::process::Command::new(&python);
    command
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", "patience")
        .env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("python"))
        .env("NO_PROXY", "127.0.0.1")
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("{}/openapi.json", server.base()))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "10"])
        .args(["--seed", "20260101", "--generation-deterministic", "--request-timeout", "30"])
        // Its answer has no end.
        .args(["--exclude-path", "/v1/watch", "--no-color", "--warnings", "off"]);
    let output = tokio::task::spawn_blocking(move || tools::run(&mut command)).await.expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    assert!(said.contains("Fuzzing"), "{said}");
    server.assert_clean().await;
}
