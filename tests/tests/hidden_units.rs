//! Where nothing is to be had without a key, a key tells nothing of units that it does not hold for, not even whether there
//! are such: whatever code its holder names, reports and who owes them are refused in the same words.

use reqwest::Method;
use serde_json::{Value, json};
use tonghop_access::Access;
use tonghop_proto::ingestion::report_service_client::ReportServiceClient;
use tonghop_proto::ingestion::{ActOnReportsRequest, ListReportsRequest};
use tonghop_proto::query::GetComplianceRequest;
use tonghop_testkit::postgres::On;
use tonghop_tests::server::ADMINISTRATOR;
use tonghop_tests::{Api, Server};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A regime that ships; communes report under it.
const REGIME: &str = "ctph07-thang";
/// On the map of before the merger of 1 July 2025, and on that of after it.
const BEFORE: &str = "2024-M05";
const AFTER: &str = "2025-M10";

/// A key with a role for units.
async fn holder(server: &Server, role: &str, units: &[&str]) -> Api {
    let administrator = server.holding(ADMINISTRATOR);
    let wanted = json!({ "source": format!("{role}-{}", units.join("-")), "roles": [role], "units": units });
    let name = format!("{role} {}", units.join(" "));
    let headers = [("idempotency-key", name.as_str()), ("content-type", "application/json")];
    let given = administrator.send("/v1/keys", &[], &headers, wanted.to_string()).await.expect(201);
    server.holding(given["secret"].as_str().expect("a secret"))
}

/// A question that names a unit, over either transport.
#[derive(Clone, Copy, Debug)]
enum Question {
    Reports,
    Compliance,
    /// What is done with the units themselves, and with all below one.
    Act(&'static str),
    ActBelow(&'static str),
}

const READING: [Question; 2] = [Question::Reports, Question::Compliance];

impl Question {
    /// Status and body over REST, with the code that was asked for out of them.
    async fn rest(self, api: &Api, unit: &str, period: &str) -> (u16, String) {
        let parameters = [("regime", REGIME), ("period", period), ("unit", unit)];
        let act = |act: &str, units: Value, below: &str| {
            json!({ "act": act, "regime": REGIME, "period": period, "units": units, "below": below,
                    "reason": if act == "return" { "x" } else { "" } })
        };
        let (method, path, body) = match self {
            Question::Reports => (Method::GET, "/v1/reports", None),
            Question::Compliance => (Method::GET, "/v1/compliance", None),
            Question::Act(name) => (Method::POST, "/v1/reports", Some(act(name, json!([unit]), ""))),
            Question::ActBelow(name) => (Method::POST, "/v1/reports", Some(act(name, json!([]), unit))),
        };
        let reply = match body {
            None => api.call(method, path, &parameters, &[], vec![]).await,
            Some(body) => {
                let headers = [("idempotency-key", "an act"), ("content-type", "application/json")];
                api.call(method, path, &[], &headers, body.to_string().into_bytes()).await
            }
        };
        (reply.status, reply.text().replace(&format!("\"{unit}\""), "CODE"))
    }

    /// Code, message and places of findings over gRPC, with the code that was asked for out of them.
    async fn grpc(self, api: &Api, unit: &str, period: &str) -> (Code, String) {
        let act = |act: &str, units: &[&str], below: &str| ActOnReportsRequest {
            idempotency_key: "an act".into(),
            act: act.into(),
            regime: REGIME.into(),
            period: period.into(),
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
            below: below.into(),
            reason: if act == "return" { "x" } else { "" }.into(),
            ..Default::default()
        };
        let mut reports = ReportServiceClient::new(api.held());
        let answer = match self {
            Question::Reports => {
                let (regime, period, unit) = (REGIME.into(), period.into(), unit.into());
                let asked = ListReportsRequest { regime, period, unit, ..Default::default() };
                reports.list_reports(asked).await.map(drop)
            }
            Question::Compliance => {
                let (regime, period, unit) = (REGIME.into(), period.into(), unit.into());
                let asked = GetComplianceRequest { regime, period, unit, ..Default::default() };
                api.query().get_compliance(asked).await.map(drop)
            }
            Question::Act(name) => reports.act_on_reports(act(name, &[unit], "")).await.map(drop),
            Question::ActBelow(name) => reports.act_on_reports(act(name, &[], unit)).await.map(drop),
        };
        let said = |status: &Status| {
            let found = status.get_details_bad_request().map(|found| found.field_violations);
            format!("{} {found:?}", status.message()).replace(&format!("\"{unit}\""), "CODE")
        };
        answer.map_or_else(|status| (status.code(), said(&status)), |()| (Code::Ok, String::new()))
    }
}

/// Codes that are none of Hà Nội's units: Bắc Kạn and a commune of it, what never was one, what looks like a commune's, what
/// is longer than any; and the nation, which is above it.
const OTHERS: [&str; 6] = ["06", "01864", "99", "99999", "123456789", "VN"];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_code_it_is_a_key_that_does_not_hold_for_it_is_refused_in_the_same_words() {
    let server = Server::guarded(On::Sqlite, Access::Closed).await;
    let acts: [(&str, &[Question]); 4] = [
        ("read_internal", &[]),
        ("report", &[Question::Act("submit"), Question::ActBelow("submit"), Question::Act("reopen")]),
        ("approve", &[Question::Act("approve"), Question::ActBelow("return"), Question::ActBelow("close")]),
        ("administer", &[Question::Act("close"), Question::ActBelow("open")]),
    ];
    for (role, acts) in acts {
        let outsider = holder(&server, role, &["01"]).await;
        for question in READING.iter().chain(acts) {
            for (period, others) in [(BEFORE, &OTHERS[..]), (AFTER, &["06", "10", "19", "99", "99999"][..])] {
                let first = question.rest(&outsider, others[0], period).await;
                assert_eq!(first.0, 403, "{role} {question:?} {period}: {}", first.1);
                let first_called = question.grpc(&outsider, others[0], period).await;
                assert_eq!(first_called.0, Code::PermissionDenied, "{role} {question:?} {period}");
                for other in &others[1..] {
                    let what = format!("{role} {question:?} {period} {other}");
                    assert_eq!(question.rest(&outsider, other, period).await, first, "{what}");
                    assert_eq!(question.grpc(&outsider, other, period).await, first_called, "{what}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_in_particular_is_asked_for_a_key_whatever_code_it_is() {
    let server = Server::guarded(On::Sqlite, Access::Closed).await;
    for question in READING.into_iter().chain([Question::Act("submit"), Question::ActBelow("close")]) {
        let first = question.rest(&server, OTHERS[0], BEFORE).await;
        let first_called = question.grpc(&server, OTHERS[0], BEFORE).await;
        assert_eq!((first.0, first_called.0), (401, Code::Unauthenticated), "{question:?}: {}", first.1);
        for other in &OTHERS[1..] {
            assert_eq!(question.rest(&server, other, BEFORE).await, first, "{question:?} {other}");
            assert_eq!(question.grpc(&server, other, BEFORE).await, first_called, "{question:?} {other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_its_own_units_a_key_is_told_what_is_wrong() {
    let server = Server::guarded(On::Sqlite, Access::Closed).await;
    let (own, national) =
        (holder(&server, "read_internal", &["06"]).await, holder(&server, "read_internal", &["VN"]).await);
    for question in READING {
        for unit in ["06", "01864"] {
            assert_eq!(question.rest(&own, unit, BEFORE).await.0, 200, "{question:?} {unit}");
            assert_eq!(question.grpc(&own, unit, BEFORE).await.0, Code::Ok, "{question:?} {unit}");
        }
        // Its province went into another: the code it held for is known to have been one.
        let (status, said) = question.rest(&own, "06", AFTER).await;
        assert!(status == 422 && said.contains("unit_not_in_force"), "{question:?}: {status} {said}");
        let (code, said) = question.grpc(&own, "06", AFTER).await;
        assert!(code == Code::InvalidArgument && said.contains("unit_not_in_force"), "{question:?}: {said}");
        // Whoever has the whole nation is told that there is none.
        let (status, said) = question.rest(&national, "99999", BEFORE).await;
        assert!(
            [404, 422].contains(&status) && said.contains("unknown_unit"),
            "{question:?}: {status} {said}"
        );
        assert_eq!(question.rest(&national, "06", BEFORE).await.0, 200, "{question:?}");
    }
}
