//! The life of a submission: taken once, revised, withdrawn, found odd beside others, and read back.

use serde_json::{Value, json};
use tonghop_proto::ingestion as pb;
use tonghop_proto::ingestion::figure::Statement;
use tonghop_proto::ingestion::{SubmitRequest, SubmitStreamRequest};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::server::{REGISTRY_KEY, Tables, shipped};
use tonghop_tests::{Reply, Server};
use tonic::Code;
use tonic_types::StatusExt;

on_both! {
    a_replay_is_answered_with_the_first_receipt_and_changes_nothing,
    the_same_submission_sent_at_once_by_many_is_taken_once,
    other_content_under_a_key_is_a_conflict_that_names_the_position,
    the_same_content_under_another_key_changes_nothing_and_says_so,
    revisions_and_withdrawals_reach_the_totals_and_stay_readable,
    half_years_do_not_fill_nine_months,
    a_submission_says_how_many_of_its_figures_changed_what,
    a_part_above_its_whole_is_a_finding_and_has_no_ratio_until_revised,
    members_of_a_breakdown_at_different_grains_are_a_finding,
    a_document_is_given_back_byte_for_byte,
    a_dry_run_finds_the_same_and_stores_nothing,
    a_programme_that_is_not_the_indicators_is_a_warning,
    a_reader_can_wait_for_what_was_just_written,
    an_answer_that_did_not_change_is_not_sent_again,
    a_submission_in_pieces_is_one_submission,
    a_stream_whose_line_breaks_goes_on_after_what_came,
    what_came_over_grpc_is_read_back_over_rest,
    a_registry_that_adds_an_indicator_keeps_all_totals,
    a_registry_is_loaded_once_under_a_key_and_another_is_a_conflict,
    a_registry_that_would_leave_figures_without_their_unit_is_refused_and_names_the_position,
    a_registry_that_moves_units_makes_all_totals_anew,
    everything_acknowledged_is_there_after_a_restart,
}

/// Phường Đức Xuân, Thành phố Bắc Kạn.
const COMMUNE: &str = "01840";

fn tips(period: &str, value: &str) -> Value {
    json!({ "unit": COMMUNE, "indicator": "tg01", "period": period, "scope": "own", "value": value,
            "breakdown": { "reporter": "cong-an", "channel": "undivided" } })
}

fn useful(period: &str, value: &str) -> Value {
    json!({ "unit": COMMUNE, "indicator": "tg02", "period": period, "scope": "own", "value": value,
            "breakdown": { "reporter": "cong-an" } })
}

fn submission(figures: &[Value]) -> Value {
    json!({ "source": "test", "figures": figures })
}

/// What became of a submission, once it is rolled up.
async fn effect(server: &Server, reply: &Reply) -> Value {
    let body = reply.json();
    server.wait(reply.position()).await;
    let path = format!("/v1/submissions/{}", body["id"].as_str().unwrap());
    let told = server.get(&path, &[]).await.expect(200);
    assert_eq!(told["state"], "rolled_up");
    told
}

fn counts(new: u32, revised: u32, unchanged: u32, withdrawn: u32) -> Value {
    json!({ "new": new, "revised": revised, "unchanged": unchanged, "withdrawn": withdrawn })
}

async fn a_replay_is_answered_with_the_first_receipt_and_changes_nothing(on: On) {
    let server = Server::start_on(on).await;
    let document = submission(&[tips("2023-M03", "10")]);
    let first = server.push_json("k", &document).await;
    let receipt = first.expect(201);
    let head = server.head().await;
    assert_eq!(receipt["position"].as_i64(), Some(head.position));
    assert_eq!(receipt["digest"].as_str(), Some(head.digest.as_str()));
    for _ in 0..3 {
        assert_eq!(server.push_json("k", &document).await.expect(200), receipt);
    }
    assert_eq!(server.head().await, head);
    server.assert_clean().await;
}

async fn the_same_submission_sent_at_once_by_many_is_taken_once(on: On) {
    let server = std::sync::Arc::new(Server::start_on(on).await);
    let before = server.head().await.position;
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let server = std::sync::Arc::clone(&server);
        sent.spawn(async move { server.push_json("k", &submission(&[tips("2023-M03", "10")])).await });
    }
    let replies = sent.join_all().await;
    let mut statuses: Vec<u16> = replies.iter().map(|r| r.status).collect();
    statuses.sort();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    assert!(replies.iter().all(|r| r.json() == replies[0].json()));
    assert_eq!(server.head().await.position, before + 1);
    server.assert_clean().await;
}

async fn other_content_under_a_key_is_a_conflict_that_names_the_position(on: On) {
    let server = Server::start_on(on).await;
    server.push_json("k", &submission(&[tips("2023-M03", "10")])).await.expect(201);
    let head = server.head().await;
    let conflict = server.push_json("k", &submission(&[tips("2023-M03", "11")])).await;
    let body = conflict.expect(409);
    assert!(body["detail"].as_str().unwrap().contains(&format!("position {}", head.position)), "{body}");
    assert_eq!(server.head().await, head);
    // A key is of one source.
    let other = json!({ "source": "other", "figures": [tips("2023-M03", "11")] });
    assert_eq!(server.push_json("k", &other).await.status, 201);
    server.assert_clean().await;
}

async fn the_same_content_under_another_key_changes_nothing_and_says_so(on: On) {
    let server = Server::start_on(on).await;
    let document = submission(&[tips("2023-M03", "10"), tips("2023-M04", "0")]);
    let first = server.push_json("k", &document).await;
    assert_eq!(effect(&server, &first).await["effect"], counts(2, 0, 0, 0));
    let again = server.push_json("l", &document).await;
    assert_eq!((again.status, again.position()), (201, first.position() + 1));
    assert_eq!(effect(&server, &again).await["effect"], counts(0, 0, 2, 0));
    // What says what stands already is no revision.
    for (period, value) in [("2023-M03", "10"), ("2023-M04", "0")] {
        let figures = server.figures("tg01", COMMUNE, period).await;
        let [one] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!((&one["value"], &one["position"]), (&json!(value), &json!(first.position())), "{one}");
    }
    server.assert_clean().await;
}

async fn half_years_do_not_fill_nine_months(on: On) {
    let server = Server::start_on(on).await;
    let helped = json!({ "unit": COMMUNE, "indicator": "ch01", "period": "2024-H1", "scope": "own", "value": "7",
                         "breakdown": { "reporter": "lien-nganh" } });
    server.report("first-half", json!([helped])).await;
    // The commune is rolled up when it is asked for; the province's and the nation's totals are kept.
    for unit in [COMMUNE, "06", "VN"] {
        for (period, value, reason) in [
            ("2024-H1", json!("7"), Value::Null),
            ("2024-9M", Value::Null, json!("missing")),
            ("2024", json!("7"), Value::Null),
        ] {
            let total = server.total("ch01", unit, period, "").await;
            assert_eq!((&total["value"], &total["reason"]), (&value, &reason), "{unit} {period}: {total}");
        }
    }
    server.assert_clean().await;
}

async fn revisions_and_withdrawals_reach_the_totals_and_stay_readable(on: On) {
    let server = Server::start_on(on).await;
    let mut base = tips("2023-M03", "10");
    base.as_object_mut().unwrap().shift_remove("value");
    let says = |what: Value| {
        let mut figure = base.clone();
        figure.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        figure
    };
    // What is said, its effect, and the commune's total after it: value, qualifier, reason, reported, covered.
    let steps = [
        (json!({ "value": "10" }), counts(1, 0, 0, 0), json!(["10", "exact", null, 1, 1])),
        (
            json!({ "value": "12", "qualifier": "at_least" }),
            counts(0, 1, 0, 0),
            json!(["12", "at_least", null, 1, 1]),
        ),
        (
            json!({ "not_available": "not counted" }),
            counts(0, 1, 0, 0),
            json!([null, null, "not_available", 1, 1]),
        ),
        (json!({ "withdraw": true }), counts(0, 0, 0, 1), json!([null, null, "missing", 0, 0])),
        (json!({ "value": "0" }), counts(1, 0, 0, 0), json!(["0", "exact", null, 1, 1])),
    ];
    for (i, (what, changed, total)) in steps.iter().enumerate() {
        let reply = server.push_json(&format!("k{i}"), &submission(&[says(what.clone())])).await;
        assert_eq!(effect(&server, &reply).await["effect"], *changed, "{what}");
        let told = server.total("tg01", COMMUNE, "2023-M03", "").await;
        let of = |field: &str| told.get(field).cloned().unwrap_or_default();
        let told = json!([of("value"), of("qualifier"), of("reason"), of("reported"), of("covered")]);
        assert_eq!(told, *total, "{what}");
        // The district's month is its communes'.
        let above = server.total("tg01", "058", "2023-M03", "").await;
        assert_eq!((&above["value"], &above["covered"]), (&total[0], &total[4]), "{what}");
    }
    let revisions = server.figures("tg01", COMMUNE, "2023").await;
    let told: Vec<Value> = revisions
        .iter()
        .map(|r| json!([r["position"], r["value"], r["not_available"], r["withdrawn"], r["current"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!([2, "10", null, false, false]),
            json!([3, "12", null, false, false]),
            json!([4, null, "not counted", false, false]),
            json!([5, null, null, true, false]),
            json!([6, "0", null, false, true]),
        ]
    );
    server.assert_clean().await;
}

async fn a_submission_says_how_many_of_its_figures_changed_what(on: On) {
    let server = Server::start_on(on).await;
    let first = [tips("2023-M01", "1"), tips("2023-M02", "2"), tips("2023-M03", "3")];
    server.report("first", json!(first)).await;
    let mut gone = tips("2023-M03", "");
    let keys = gone.as_object_mut().unwrap();
    keys.shift_remove("value");
    keys.insert("withdraw".into(), json!(true));
    let mut never = gone.clone();
    never["period"] = json!("2023-M05");
    let second = [tips("2023-M01", "1"), tips("2023-M02", "20"), gone, tips("2023-M04", "4"), never];
    let reply = server.push_json("second", &submission(&second)).await;
    let mut told = effect(&server, &reply).await;
    // What was never there cannot be taken back.
    assert_eq!(told["effect"], counts(1, 1, 2, 1));
    for field in ["id", "digest", "received_at"] {
        assert!(told[field].is_string());
        told[field] = json!(format!("[{field}]"));
    }
    insta::assert_snapshot!(
        "a_submission_says_how_many_of_its_figures_changed_what",
        serde_json::to_string_pretty(&told).unwrap()
    );
    server.assert_clean().await;
}

async fn a_part_above_its_whole_is_a_finding_and_has_no_ratio_until_revised(on: On) {
    let server = Server::start_on(on).await;
    let whole = server.report("whole", json!([tips("2023-M03", "5")])).await;
    assert_eq!(effect(&server, &whole).await["findings"], json!([]));
    let part = server.report("part", json!([useful("2023-M03", "7")])).await;
    let findings = effect(&server, &part).await["findings"].clone();
    let [finding] = findings.as_array().unwrap().as_slice() else { panic!("{findings}") };
    assert_eq!(
        (&finding["code"], &finding["path"], &finding["got"]),
        (
            &json!("part_exceeds_whole"),
            &json!(format!("{COMMUNE} tg03-useful-tips-rate 2023-M03 own")),
            &json!("7 of 5")
        )
    );
    for unit in [COMMUNE, "058", "VN"] {
        let rate = server.total("tg03", unit, "2023-M03", "").await;
        assert_eq!(
            (&rate["value"], &rate["reason"], &rate["covered"]),
            (&Value::Null, &json!("missing"), &json!(0))
        );
    }
    // The counts themselves stand.
    assert_eq!(server.total("tg02", COMMUNE, "2023-M03", "").await["value"], "7");
    let revised = server.report("revised", json!([useful("2023-M03", "4")])).await;
    assert_eq!(effect(&server, &revised).await["findings"], json!([]));
    let rate = server.total("tg03", COMMUNE, "2023-M03", "").await;
    assert_eq!(
        (&rate["value"], &rate["numerator"], &rate["denominator"], &rate["covered"]),
        (&json!("80.00"), &json!("4"), &json!("5"), &json!(1))
    );
    server.assert_clean().await;
}

async fn members_of_a_breakdown_at_different_grains_are_a_finding(on: On) {
    let server = Server::start_on(on).await;
    let by = |channel: &str, period: &str| {
        let mut figure = tips(period, "5");
        figure["breakdown"]["channel"] = json!(channel);
        figure
    };
    let month = server.report("month", json!([by("press", "2023-M02")])).await;
    assert_eq!(effect(&server, &month).await["findings"], json!([]));
    let quarter = server.report("quarter", json!([by("telephone", "2023-Q1")])).await;
    let findings = effect(&server, &quarter).await["findings"].clone();
    let codes: Vec<&Value> = findings.as_array().unwrap().iter().map(|f| &f["code"]).collect();
    assert_eq!(codes, ["mixed_grain"], "{findings}");
    assert!(findings[0]["path"].as_str().unwrap().contains("2023-Q1"), "{findings}");
    assert!(findings[0]["expected"].as_str().unwrap().contains("2023-M02"), "{findings}");
    server.assert_clean().await;
}

async fn a_document_is_given_back_byte_for_byte(on: On) {
    let server = Server::start_on(on).await;
    let odd = format!("\u{feff}  {}\r\n\t", submission(&[tips("2023-M03", "10")]));
    let headers = [("idempotency-key", "j"), ("content-type", "application/json; charset=utf-8")];
    let json = server.post(&[], &headers, odd.clone()).await.expect(201);
    let csv = "unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme,source_quote\r\n\
               01840,tg01,channel=undivided|reporter=cong-an,2023-M04,own,5,exact,,,\"năm\r\ntin\"\r\n";
    let table = server.push_csv("c", "test", csv).await.expect(201);
    let sent = [(json, odd.as_str(), "application/json; charset=utf-8"), (table, csv, "text/csv")];
    for (receipt, document, media_type) in sent {
        let path = format!("/v1/submissions/{}/document", receipt["id"].as_str().unwrap());
        let kept = server.get(&path, &[]).await;
        assert_eq!((kept.status, kept.header("content-type")), (200, media_type));
        assert_eq!(kept.bytes, document.as_bytes());
    }
    server.assert_clean().await;
}

async fn a_dry_run_finds_the_same_and_stores_nothing(on: On) {
    let server = Server::start_on(on).await;
    let before = server.head().await;
    let headers = [("idempotency-key", "k"), ("content-type", "application/json")];
    let good = submission(&[tips("2023-M03", "10")]);
    let dry = server.post(&[("dry_run", "true")], &headers, good.to_string()).await;
    assert_eq!(dry.expect(200), json!({ "dry_run": true, "figures": 1, "warnings": [] }));
    let bad = submission(&[tips("2023-M03", "-1")]);
    let refused = server.post(&[("dry_run", "true")], &headers, bad.to_string()).await;
    assert_eq!((refused.status, refused.codes()), (422, vec!["negative".to_owned()]));
    assert_eq!(server.head().await, before);
    // Its key was not used.
    assert_eq!(server.push_json("k", &good).await.status, 201);
    server.assert_clean().await;
}

async fn a_programme_that_is_not_the_indicators_is_a_warning(on: On) {
    let server = Server::start_on(on).await;
    let mut figure = tips("2023-M03", "10");
    figure["programmes"] = json!(["CTHD-22"]);
    let reply = server.push_json("k", &submission(&[figure])).await;
    let body = reply.expect(201);
    assert_eq!(body["warnings"][0]["code"], "programme_not_of_indicator");
    assert_eq!(body["warnings"][0]["path"], "figures[0].programmes");
    server.wait(reply.position()).await;
    assert_eq!(server.figures("tg01", COMMUNE, "2023-M03").await[0]["programmes"], json!(["CTHD-22"]));
}

async fn a_reader_can_wait_for_what_was_just_written(on: On) {
    let server = std::sync::Arc::new(Server::start_on(on).await);
    for value in 1..=20 {
        let reply = server
            .push_json(&format!("k{value}"), &submission(&[tips("2023-M03", &value.to_string())]))
            .await;
        let position = reply.position();
        let at_least = position.to_string();
        let parameters =
            [("indicator", "tg01"), ("unit", "VN"), ("period", "2023-M03"), ("at_least", at_least.as_str())];
        let body = server.get("/v1/totals", &parameters).await.expect(200);
        assert_eq!(body["totals"][0]["value"], value.to_string());
        assert!(body["as_of"]["position"].as_i64().unwrap() >= position);
    }
    // Also for what is not there yet.
    let next = server.head().await.position + 1;
    let waiting = tokio::spawn({
        let server = std::sync::Arc::clone(&server);
        async move {
            let at_least = next.to_string();
            let parameters = [
                ("indicator", "tg01"),
                ("unit", "VN"),
                ("period", "2023-M03"),
                ("at_least", at_least.as_str()),
            ];
            server.get("/v1/totals", &parameters).await
        }
    });
    server.push_json("next", &submission(&[tips("2023-M03", "99")])).await.expect(201);
    assert_eq!(waiting.await.unwrap().expect(200)["totals"][0]["value"], "99");
    server.assert_clean().await;
}

async fn an_answer_that_did_not_change_is_not_sent_again(on: On) {
    let server = Server::start_on(on).await;
    server.report("k", json!([tips("2023-M03", "10")])).await;
    let parameters = [("indicator", "tg01"), ("unit", "VN"), ("period", "2023-M03")];
    let first = server.get("/v1/totals", &parameters).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag}");
    for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}")] {
        let again = server.get_unless(&known, "/v1/totals", &parameters).await;
        assert_eq!(
            (again.status, again.bytes.len(), again.header("etag")),
            (304, 0, tag.as_str()),
            "{known}"
        );
    }
    server.report("l", json!([tips("2023-M03", "11")])).await;
    let changed = server.get_unless(&tag, "/v1/totals", &parameters).await;
    assert_eq!(changed.expect(200)["totals"][0]["value"], "11");
    assert_ne!(changed.header("etag"), tag);
}

fn wire(month: u32) -> pb::Figure {
    pb::Figure {
        unit: COMMUNE.into(),
        indicator: "tg02".into(),
        breakdown: "reporter=cong-an".into(),
        period: format!("2023-M{month:02}"),
        scope: "own".into(),
        statement: Some(Statement::Value(month.to_string())),
        ..pb::Figure::default()
    }
}

async fn a_submission_in_pieces_is_one_submission(on: On) {
    let server = Server::start_on(on).await;
    let pieces = || {
        let piece = |months: std::ops::RangeInclusive<u32>| SubmitStreamRequest {
            figures: months.map(wire).collect(),
            ..SubmitStreamRequest::default()
        };
        let first = SubmitStreamRequest {
            idempotency_key: "k".into(),
            source: "test".into(),
            note: "in pieces".into(),
            ..piece(1..=5)
        };
        tokio_stream::iter([first, piece(6..=6), piece(7..=12)])
    };
    let answer = server.ingestion().submit_stream(pieces()).await.unwrap().into_inner();
    let receipt = answer.receipt.unwrap();
    assert_eq!((receipt.position, receipt.figures, receipt.note.as_str()), (2, 12, "in pieces"));
    assert!(!answer.replayed);
    server.wait(2).await;
    let year = server.total("tg02", COMMUNE, "2023", "").await;
    assert_eq!((&year["value"], &year["basis"]), (&json!("78"), &json!("computed")));
    let again = server.ingestion().submit_stream(pieces()).await.unwrap().into_inner();
    assert_eq!((again.replayed, again.receipt.unwrap()), (true, receipt.clone()));
    // In how many pieces it came is no part of the content.
    let whole = SubmitRequest {
        idempotency_key: "k".into(),
        source: "test".into(),
        note: "in pieces".into(),
        figures: (1..=12).map(wire).collect(),
        ..SubmitRequest::default()
    };
    let whole = server.ingestion().submit(whole).await.unwrap().into_inner();
    assert_eq!((whole.replayed, whole.receipt.unwrap()), (true, receipt));
    // One wrong piece, and none of it is stored.
    let wrong = [
        SubmitStreamRequest {
            idempotency_key: "l".into(),
            source: "test".into(),
            figures: vec![wire(1)],
            ..SubmitStreamRequest::default()
        },
        SubmitStreamRequest {
            figures: vec![pb::Figure { unit: "9999".into(), ..wire(2) }],
            ..SubmitStreamRequest::default()
        },
    ];
    let status = server.ingestion().submit_stream(tokio_stream::iter(wrong)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!((violations.len(), violations[0].field.as_str()), (1, "figures[1].unit"));
    assert_eq!(server.head().await.position, 2);
    server.assert_clean().await;
}

async fn a_stream_whose_line_breaks_goes_on_after_what_came(on: On) {
    let server = Server::start_on(on).await;
    let piece = |months: std::ops::RangeInclusive<u32>| SubmitStreamRequest {
        idempotency_key: "k".into(),
        source: "test".into(),
        figures: months.map(wire).collect(),
        ..SubmitStreamRequest::default()
    };
    let over_the_port = async || {
        let address = server.url("/", &[]).to_string();
        let channel = tonic::transport::Channel::from_shared(address).unwrap().connect().await.unwrap();
        pb::ingestion_service_client::IngestionServiceClient::new(channel)
    };
    let progress = async || {
        let asked = pb::GetStreamProgressRequest { idempotency_key: "k".into(), source: "test".into() };
        server.ingestion().get_stream_progress(asked).await.unwrap().into_inner()
    };
    // The line breaks: the connection is gone with all that was sent over it. It may break before anything came.
    let mut held = 0;
    while held == 0 {
        let (sender, messages) = tokio::sync::mpsc::channel(1);
        let mut client = over_the_port().await;
        let sending = tokio::spawn(async move {
            let messages = tokio_stream::wrappers::ReceiverStream::new(messages);
            client.submit_stream(messages).await
        });
        for message in [piece(1..=2), piece(3..=5), piece(6..=7)] {
            sender.send(message).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        sending.abort();
        assert!(sending.await.is_err());
        // It is kept once the break is noticed.
        for _ in 0..50 {
            held = progress().await.held_figures;
            if held > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    assert!([2, 5, 7].contains(&held), "{held}");
    assert_eq!(server.head().await.position, 1, "nothing is stored before the end");

    let rest = SubmitStreamRequest { after_figures: held, ..piece(held + 1..=12) };
    let answer = over_the_port().await.submit_stream(tokio_stream::iter([rest])).await.unwrap().into_inner();
    let receipt = answer.receipt.unwrap();
    assert_eq!((receipt.position, receipt.figures, answer.replayed), (2, 12, false));
    // It is the submission that it is when it comes in one piece.
    let again =
        server.ingestion().submit_stream(tokio_stream::iter([piece(1..=12)])).await.unwrap().into_inner();
    assert_eq!((again.replayed, again.receipt.as_ref()), (true, Some(&receipt)));
    let done = progress().await;
    assert_eq!((done.held_figures, done.receipt), (0, Some(receipt)));
    server.wait(2).await;
    assert_eq!(server.total("tg02", COMMUNE, "2023", "").await["value"], "78");
    server.assert_clean().await;
}

async fn what_came_over_grpc_is_read_back_over_rest(on: On) {
    let server = Server::start_on(on).await;
    let request = SubmitRequest {
        idempotency_key: "k".into(),
        source: "test".into(),
        figures: vec![wire(3)],
        ..SubmitRequest::default()
    };
    let receipt = server.ingestion().submit(request).await.unwrap().into_inner().receipt.unwrap();
    server.wait(receipt.position).await;
    let told = server.get(&format!("/v1/submissions/{}", receipt.id), &[]).await.expect(200);
    let asked = pb::GetSubmissionRequest { id: receipt.id.clone() };
    let over_grpc = server.ingestion().get_submission(asked).await.unwrap().into_inner();
    assert_eq!(over_grpc.receipt, Some(receipt.clone()));
    assert_eq!((over_grpc.state.as_str(), over_grpc.effect.unwrap().new), ("rolled_up", 1));
    assert_eq!(
        told,
        json!({
            "id": receipt.id, "state": "rolled_up", "position": 2, "digest": receipt.digest, "figures": 1,
            "source": "test", "idempotency_key": "k", "received_at": receipt.received_at, "note": "",
            "effect": counts(1, 0, 0, 0), "findings": [],
        })
    );
}

/// The table without the rows for which a test on header and cells holds.
fn without(table: &[u8], unwanted: impl Fn(&dyn Fn(&str) -> String) -> bool) -> Vec<u8> {
    let mut reader = csv::Reader::from_reader(table);
    let header = reader.headers().unwrap().clone();
    let mut writer = csv::Writer::from_writer(vec![]);
    writer.write_record(&header).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let cell = |name: &str| record[header.iter().position(|h| h == name).unwrap()].to_owned();
        if !unwanted(&cell) {
            writer.write_record(&record).unwrap();
        }
    }
    writer.into_inner().unwrap()
}

/// The registry with one more indicator.
fn with_one_more_indicator() -> Tables {
    let mut tables = shipped();
    let indicators = tables.get_mut("indicators.csv").unwrap();
    let text = String::from_utf8(indicators.clone()).unwrap();
    let row = text.lines().find(|l| l.starts_with("tg02-useful-tips,")).unwrap();
    indicators.extend_from_slice(row.replacen("tg02-useful-tips", "tg97-made-for-a-test", 1).as_bytes());
    indicators.push(b'\n');
    tables
}

async fn a_registry_that_adds_an_indicator_keeps_all_totals(on: On) {
    let server = Server::start_on(on).await;
    server.report("k", json!([tips("2023-M03", "10")])).await;
    let before = server.total("tg01", "VN", "2023", "").await;
    let head = server.head().await;

    let dry = server.load("more", with_one_more_indicator(), true).await.unwrap();
    // It is of a programme, whose regimes are about it too from then on.
    let changes = ["indicators: 1 new, 0 changed, 0 gone", "regimes: 0 new, 4 changed, 0 gone"];
    assert_eq!((dry.position, dry.changes.as_slice()), (0, changes.map(str::to_owned).as_slice()));
    assert_eq!(server.head().await, head);
    let unknown = json!({ "unit": COMMUNE, "indicator": "tg97", "period": "2023-M03", "scope": "own",
                          "value": "3", "breakdown": { "reporter": "cong-an" } });
    let refused = server.push_json("new", &submission(std::slice::from_ref(&unknown))).await;
    assert_eq!((refused.status, refused.codes()), (422, vec!["unknown_indicator".to_owned()]));

    let loaded = server.load("more", with_one_more_indicator(), false).await.unwrap();
    assert_eq!((loaded.position, loaded.replayed), (3, false));
    let again = server.load("more", with_one_more_indicator(), false).await.unwrap();
    assert_eq!((again.position, again.replayed, again.id), (3, true, loaded.id));
    server.wait(3).await;
    assert_eq!(server.total("tg01", "VN", "2023", "").await, before);
    server.report("new", json!([unknown])).await;
    assert_eq!(server.total("tg97", "VN", "2023-M03", "").await["value"], "3");
    server.assert_clean().await;
}

async fn a_registry_is_loaded_once_under_a_key_and_another_is_a_conflict(on: On) {
    let server = Server::start_on(on).await;
    let head = server.head().await;
    let again = server.load(REGISTRY_KEY, shipped(), false).await.unwrap();
    assert_eq!((again.position, again.replayed), (1, true));
    let other = server.load(REGISTRY_KEY, with_one_more_indicator(), false).await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists, "{other:?}");
    assert!(other.message().contains("position 1"), "{other:?}");
    assert_eq!(server.head().await, head);
}

async fn a_registry_that_would_leave_figures_without_their_unit_is_refused_and_names_the_position(on: On) {
    let mut server = Server::start_on(on).await;
    server.report("k", json!([tips("2023-M03", "10")])).await;
    let head = server.head().await;
    let successions = without(&shipped()["successions.csv"], |c| c("from_code") == COMMUNE);
    let with_units = |units: Vec<u8>, link: &str| {
        let mut tables = shipped();
        tables.insert("units.csv".into(), units);
        tables.insert("successions.csv".into(), [&successions, link.as_bytes()].concat());
        tables
    };
    // A unit that was is never taken out; that its life ended earlier is for the ledger to say.
    let gone = |c: &dyn Fn(&str) -> String| c("code") == COMMUNE && c("valid_to") == "2025-07-01";
    let removed = without(&shipped()["units.csv"], gone);
    let units = String::from_utf8(shipped()["units.csv"].clone()).unwrap();
    let life = "01840,commune,Phường Đức Xuân,phuong,058,,2025-07-01";
    let shortened = units.replacen(life, &life.replace("2025-07-01", "2020-01-01"), 1);
    assert_ne!(units, shortened);
    let loads = [
        (removed, "", "units.csv 01840", "registry_problem"),
        (
            shortened.into_bytes(),
            "2020-01-01,01840,01843,1,whole\n",
            "ledger position 2",
            "figures_lose_their_unit",
        ),
    ];
    for (units, link, place, code) in loads {
        for dry_run in [true, false] {
            let status = server.load("fewer", with_units(units.clone(), link), dry_run).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            let violations = status.get_details_bad_request().unwrap().field_violations;
            let [found] = violations.as_slice() else { panic!("{violations:?}") };
            assert_eq!(found.field, place, "{found:?}");
            assert!(found.description.starts_with(&format!("{code}: ")), "{found:?}");
            assert!(found.description.contains(COMMUNE), "{found:?}");
        }
    }
    assert_eq!(server.head().await, head);
    // Nothing changed, also for those who start anew.
    server.restart(256).await;
    assert_eq!(server.total("tg01", COMMUNE, "2023-M03", "").await["value"], "10");
    server.assert_clean().await;
}

async fn a_registry_that_moves_units_makes_all_totals_anew(on: On) {
    let server = Server::start_on(on).await;
    server.report("k", json!([tips("2023-M03", "10")])).await;
    assert_eq!(server.total("tg01", "058", "2023-M03", "").await["value"], "10");
    // The commune lies in the next district, and always has.
    let mut tables = shipped();
    let units = String::from_utf8(tables["units.csv"].clone()).unwrap();
    let moved = units.replacen(
        "01840,commune,Phường Đức Xuân,phuong,058,",
        "01840,commune,Phường Đức Xuân,phuong,060,",
        1,
    );
    assert_ne!(units, moved);
    tables.insert("units.csv".into(), moved.into_bytes());
    let loaded = server.load("moved", tables, false).await.unwrap();
    assert!(
        loaded.changes.iter().any(|c| c.starts_with("units: 0 new, 1 changed, 0 gone")),
        "{:?}",
        loaded.changes
    );
    server.wait(loaded.position).await;
    assert_eq!(server.total("tg01", "058", "2023-M03", "").await["reason"], "missing");
    assert_eq!(server.total("tg01", "060", "2023-M03", "").await["value"], "10");
    assert_eq!(server.total("tg01", "VN", "2023-M03", "").await["value"], "10");
    server.assert_clean().await;
}

async fn everything_acknowledged_is_there_after_a_restart(on: On) {
    let mut server = Server::start_on(on).await;
    let reply = server.push_json("k", &submission(&[tips("2023-M03", "10")])).await;
    let receipt = reply.expect(201);
    let head = server.head().await;
    // Whether or not it was rolled up by then.
    server.restart(1).await;
    assert_eq!(server.head().await, head);
    assert_eq!(server.push_json("k", &submission(&[tips("2023-M03", "10")])).await.expect(200), receipt);
    server.wait(head.position).await;
    assert_eq!(server.total("tg01", COMMUNE, "2023-M03", "").await["value"], "10");
    server.assert_clean().await;
}
