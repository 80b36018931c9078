//! Rules of plausibility: an error refuses, a warning is taken and stays with its figures, and what only meets in the
//! ledger is found when it is rolled up.

use serde_json::{Value, json};
use tonghop_proto::ingestion::{Document, GetSubmissionRequest, SubmitRequest};
use tonghop_proto::query::ListFiguresRequest;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::{Reply, Server};

on_both! {
    a_warning_is_in_the_receipt_in_the_submission_and_beside_its_figures,
    an_error_refuses_what_contradicts_itself_and_is_a_finding_of_what_contradicts_others,
    a_balance_is_held_against_the_period_before,
    a_dry_run_warns_of_the_same_and_stores_nothing,
}

/// Phường Đức Xuân, Thành phố Bắc Kạn.
const COMMUNE: &str = "01840";

fn outreach(indicator: &str, value: &str) -> Value {
    json!({ "unit": COMMUNE, "indicator": indicator, "period": "2024-M03", "scope": "own", "value": value,
            "breakdown": { "reporter": "cong-an", "channel": "undivided", "venue": "undivided" } })
}

fn models(indicator: &str, period: &str, value: &str) -> Value {
    let mut breakdown = json!({ "reporter": "lien-nganh", "model-type": "undivided" });
    match indicator {
        "mh02" => breakdown["entity-class"] = json!("undivided"),
        "mh07" => breakdown["discontinue-reason"] = json!("undivided"),
        _ => {}
    }
    json!({ "unit": COMMUNE, "indicator": indicator, "period": period, "scope": "own", "value": value,
            "breakdown": breakdown })
}

/// A stock of a year.
fn year(indicator: &str, value: &str, breakdown: Value) -> Value {
    json!({ "unit": COMMUNE, "indicator": indicator, "period": "2024", "scope": "own", "value": value,
            "breakdown": breakdown })
}

fn submission(figures: &[Value]) -> Value {
    json!({ "source": "test", "figures": figures })
}

fn codes(findings: &Value) -> Vec<&str> {
    findings.as_array().into_iter().flatten().filter_map(|f| f["code"].as_str()).collect()
}

/// The findings of a submission, once it is rolled up.
async fn findings(server: &Server, reply: &Reply) -> Value {
    let body = reply.expect(201);
    server.wait(reply.position()).await;
    let path = format!("/v1/submissions/{}", body["id"].as_str().expect("an id"));
    server.get(&path, &[]).await.expect(200)["findings"].clone()
}

async fn a_warning_is_in_the_receipt_in_the_submission_and_beside_its_figures(on: On) {
    let server = Server::start_on(on).await;
    let figures = [outreach("tt01", "2"), outreach("tt02", "2000")];
    let reply = server.push_json("much", &submission(&figures)).await;
    let warnings = reply.expect(201)["warnings"].clone();
    assert_eq!(codes(&warnings), ["implausible"]);
    assert_eq!(warnings[0]["path"], "figures[1].value");
    assert_eq!(
        warnings[0]["got"],
        format!("tt02-outreach-attendances = 2000, tt01-outreach-sessions = 2 for unit {COMMUNE}")
    );
    let kept = findings(&server, &reply).await;
    assert_eq!(codes(&kept), ["implausible"]);
    assert_eq!(kept[0]["path"], format!("{COMMUNE} tt02-outreach-attendances 2024-M03 own"));
    assert_eq!(
        kept[0]["expected"],
        "tt02-outreach-attendances / tt01-outreach-sessions between 10 and 500 (rule \
         pr11-attendances-per-session)"
    );
    let id = reply.json()["id"].as_str().expect("an id").to_owned();
    let over_grpc = server.ingestion().get_submission(GetSubmissionRequest { id }).await;
    let over_grpc = over_grpc.expect("an answer").into_inner().findings;
    assert_eq!((over_grpc.len(), over_grpc[0].got.as_str()), (1, kept[0]["got"].as_str().expect("text")));
    for indicator in ["tt01", "tt02"] {
        let beside = server.figures(indicator, COMMUNE, "2024-M03").await;
        assert_eq!(beside.len(), 1);
        assert_eq!(beside[0]["findings"], kept, "{indicator}");
        let request = ListFiguresRequest {
            indicator: indicator.into(),
            unit: COMMUNE.into(),
            period: "2024-M03".into(),
            ..ListFiguresRequest::default()
        };
        let listed = server.query().list_figures(request).await.expect("an answer").into_inner().figures;
        assert_eq!(listed[0].findings, over_grpc, "{indicator}");
    }
    // A revision has its own findings; what was said of the one before stays with that.
    let right = server.push_json("right", &submission(&[outreach("tt02", "60")])).await;
    assert_eq!(right.json()["warnings"], json!([]));
    assert_eq!(findings(&server, &right).await, json!([]));
    let both = server.figures("tt02", COMMUNE, "2024-M03").await;
    let said: Vec<_> = both.iter().map(|f| (f["value"].as_str(), codes(&f["findings"]))).collect();
    assert_eq!(said, [(Some("2000"), vec!["implausible"]), (Some("60"), vec![])]);
    server.assert_clean().await;
}

async fn an_error_refuses_what_contradicts_itself_and_is_a_finding_of_what_contradicts_others(on: On) {
    let server = Server::start_on(on).await;
    let (whole, part) = (year("ms02", "3", json!({})), year("nh04", "5", json!({ "reporter": "mttq" })));
    let both = submission(&[part.clone(), whole.clone()]);
    let refused = server.push_json("both", &both).await;
    assert_eq!((refused.status, refused.codes()), (422, vec!["implausible".to_owned()]));
    let request = SubmitRequest {
        idempotency_key: "both".into(),
        document: Some(Document {
            media_type: "application/json".into(),
            content: both.to_string().into_bytes(),
            ..Document::default()
        }),
        ..SubmitRequest::default()
    };
    let status = server.ingestion().submit(request).await.expect_err("it is refused");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().starts_with("implausible: "), "{status}");

    let first = server.push_json("whole", &submission(&[whole])).await;
    assert_eq!(findings(&server, &first).await, json!([]));
    let second = server.push_json("part", &submission(&[part])).await;
    assert_eq!(second.json()["warnings"], json!([]), "one side alone is nothing to warn of");
    let found = findings(&server, &second).await;
    assert_eq!(codes(&found), ["implausible"]);
    assert_eq!(
        found[0]["got"],
        format!("nh04-areas-unity-festival = 5, ms02-residential-areas = 3 for {COMMUNE}")
    );
    let beside = server.figures("ms02", COMMUNE, "2024").await;
    assert_eq!(beside[0]["findings"], Value::Null, "the one that was right when it came");
    server.assert_clean().await;
}

async fn a_balance_is_held_against_the_period_before(on: On) {
    let server = Server::start_on(on).await;
    let opening = server.push_json("opening", &submission(&[models("mh02", "2023-H1", "10")])).await;
    assert_eq!(findings(&server, &opening).await, json!([]));
    let half = |closing: &str| {
        submission(&[
            models("mh02", "2023-H2", closing),
            models("mh04", "2023-H2", "4"),
            models("mh05", "2023-H2", "1"),
            models("mh07", "2023-H2", "2"),
        ])
    };
    let wrong = server.push_json("wrong", &half("15")).await;
    let found = findings(&server, &wrong).await;
    assert_eq!(codes(&found), ["implausible"]);
    assert!(found[0]["got"].as_str().is_some_and(|got| got.contains("previous mh02-model-points = 10")));
    let right = server.push_json("right", &half("13")).await;
    assert_eq!(findings(&server, &right).await, json!([]));
    server.assert_clean().await;
}

async fn a_dry_run_warns_of_the_same_and_stores_nothing(on: On) {
    let server = Server::start_on(on).await;
    let before = server.head().await;
    let document = submission(&[outreach("tt01", "2"), outreach("tt02", "2000")]);
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let dry = server.post(&[("dry_run", "true")], &headers, document.to_string()).await.expect(200);
    assert_eq!(server.head().await, before);
    let real = server.push_json("k", &document).await.expect(201);
    assert_eq!(dry["warnings"], real["warnings"]);
    assert_eq!(codes(&dry["warnings"]), ["implausible"]);
}
