//! What people are told, they are told in the language they ask for: the same codes, the same over REST and gRPC.

use serde_json::{Value, json};
use tonghop_proto::ingestion::{Document, SubmitRequest};
use tonghop_proto::query::GetTotalsRequest;
use tonghop_tests::{Reply, Server};
use tonic::{Request, Status};
use tonic_types::StatusExt;

/// Phường Đức Xuân, Thành phố Bắc Kạn.
const COMMUNE: &str = "01840";

fn figure(changes: Value) -> Value {
    let mut figure = json!({ "unit": COMMUNE, "indicator": "tg01", "period": "2024-M03", "scope": "own", "value": "5",
                             "breakdown": { "reporter": "cong-an", "channel": "undivided" } });
    figure.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    figure
}

async fn push(server: &Server, language: &str, document: &Value) -> Reply {
    let headers =
        [("idempotency-key", "k"), ("content-type", "application/json"), ("accept-language", language)];
    server.post(&[], &headers, document.to_string()).await
}

async fn push_over_grpc(server: &Server, language: &'static str, document: &Value) -> Status {
    let mut request = Request::new(SubmitRequest {
        idempotency_key: "k".into(),
        document: Some(Document {
            media_type: "application/json".into(),
            content: document.to_string().into_bytes(),
            locale: String::new(),
        }),
        ..SubmitRequest::default()
    });
    request.metadata_mut().insert("accept-language", language.parse().expect("a value"));
    server.ingestion().submit(request).await.expect_err("it is refused")
}

/// Whether a text has letters that Vietnamese has and English has not.
fn is_vietnamese(text: &str) -> bool {
    text.chars().any(|c| c.is_alphabetic() && !c.is_ascii())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_has_the_same_codes_and_places_in_both_languages_over_both_transports() {
    let server = Server::start().await;
    let cases = [
        json!({ "unit": "9999" }),
        json!({ "unit": "19", "period": "2026-M03", "indicator": "zz99" }),
        json!({ "period": "03/2024" }),
        json!({ "value": "1.5" }),
        json!({ "value": "-1" }),
        json!({ "scope": "all" }),
        json!({ "qualifier": "some" }),
        json!({ "breakdown": {} }),
        json!({ "valu": "1" }),
        json!({ "value": 1.5 }),
    ];
    for case in cases {
        let document = json!({ "source": "test", "figures": [figure(case.clone())] });
        let (vi, en) =
            (push(&server, "vi-VN,vi;q=0.9", &document).await, push(&server, "en", &document).await);
        assert_eq!((vi.status, en.status), (422, 422), "{case}: {}", vi.text());
        assert_eq!(vi.findings(), en.findings(), "{case}");
        for (reply, language) in [(&vi, "vi"), (&en, "en")] {
            assert_eq!(
                (reply.header("content-language"), reply.header("vary")),
                (language, "accept-language")
            );
        }
        assert_eq!(
            push(&server, "fr", &document).await.json(),
            en.json(),
            "English, where neither is asked for"
        );
        let (vi, en) = (vi.json(), en.json());
        assert!(is_vietnamese(vi["title"].as_str().unwrap()) && vi["title"] != en["title"]);
        for (vi, en) in vi["findings"].as_array().unwrap().iter().zip(en["findings"].as_array().unwrap()) {
            assert!(is_vietnamese(vi["hint"].as_str().unwrap()), "{vi}");
            assert_ne!(vi["hint"], en["hint"]);
        }
        for (language, problem) in [("vi", &vi), ("en", &en)] {
            let status = push_over_grpc(&server, language, &document).await;
            assert_eq!(status.message(), problem["detail"].as_str().unwrap());
            let details = status.get_details_bad_request().expect("findings").field_violations;
            let findings = problem["findings"].as_array().unwrap();
            assert_eq!(details.len(), findings.len());
            for (violation, finding) in details.iter().zip(findings) {
                for part in ["code", "expected", "hint"] {
                    assert!(violation.description.contains(finding[part].as_str().unwrap()), "{violation:?}");
                }
            }
        }
    }
    server.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_refused_in_the_language_it_is_asked_in_and_kept_answers_are_of_one_language() {
    let server = Server::start().await;
    let ask = async |language: &str, path: &str| {
        let request = reqwest::Client::new().get(format!("{}{path}", server.base()));
        let response = request.header("accept-language", language).send().await.expect("an answer");
        let said = response.headers()["content-language"].to_str().expect("text").to_owned();
        (said, response.text().await.expect("a body"))
    };
    let path = "/v1/totals?indicator=nothing&unit=VN&period=2024";
    for language in ["vi", "en"] {
        let (said, body) = ask(language, path).await;
        assert_eq!(said, language);
        assert_eq!(is_vietnamese(&body), language == "vi", "{body}");
    }
    // One of several that is refused says why in its row, in an answer that is kept.
    let path = format!(
        "/v1/totals?indicator=tg01,tg06&unit={COMMUNE}&period=2024-M03&by=indicators,breakdown&dimension=channel"
    );
    let (_, body) = ask("en", &path).await;
    let english: Value = serde_json::from_str(&body).expect("JSON");
    for _ in 0..3 {
        for language in ["vi", "en"] {
            let (said, body) = ask(language, &path).await;
            assert_eq!(said, language);
            let body: Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(body["count"], english["count"]);
        }
    }
    for language in ["vi", "en"] {
        let mut request = Request::new(GetTotalsRequest {
            indicator: "nothing".into(),
            unit: "VN".into(),
            period: "2024".into(),
            ..GetTotalsRequest::default()
        });
        request.metadata_mut().insert("accept-language", language.parse().expect("a value"));
        let status = server.query().get_totals(request).await.expect_err("it is refused");
        assert_eq!(is_vietnamese(status.message()), language == "vi", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_cannot_be_shown_says_why_in_the_language_of_the_page() {
    let server = Server::start().await;
    for (language, told) in [("vi", "mã của một đơn vị"), ("en", "the code of a unit")] {
        let parameters = [("unit", "9999"), ("period", "2024"), ("lang", language)];
        let page = server.get("/unit", &parameters).await;
        assert_eq!((page.status, page.header("content-language")), (404, language));
        assert!(page.text().contains(told), "{}", page.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_when_it_was_rolled_up_is_told_in_either_language() {
    let server = Server::start().await;
    server.report("whole", json!([figure(json!({}))])).await;
    let breakdown = json!({ "reporter": "cong-an" });
    let part = figure(json!({ "indicator": "tg02", "value": "7", "breakdown": breakdown }));
    let reply = server.report("part", json!([part])).await;
    let path = format!("{}/v1/submissions/{}", server.base(), reply.json()["id"].as_str().expect("an id"));
    let mut hints = vec![];
    for language in ["vi", "en"] {
        let request = reqwest::Client::new().get(&path).header("accept-language", language);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.headers()["content-language"], language);
        let body: Value = response.json().await.expect("JSON");
        let [finding] = body["findings"].as_array().expect("findings").as_slice() else { panic!("{body}") };
        assert_eq!(finding["code"], "part_exceeds_whole");
        assert_eq!(finding.as_object().expect("an object").len(), 5, "{finding}");
        hints.push(finding["hint"].as_str().expect("text").to_owned());
    }
    assert_eq!(hints.iter().map(|hint| is_vietnamese(hint)).collect::<Vec<_>>(), [true, false]);
}
