//! All services in containers, behind one door: the same answers as in one process, and no more rights than needed.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tonghop_proto::ingestion::{Document, SubmitRequest};
use tonghop_proto::query::GetTotalsRequest;
use tonghop_tests::compose::{Docker, SERVICES};
use tonghop_tests::gazetteer::rows;
use tonghop_tests::rest::ageless;
use tonghop_tests::{Api, Server, Stack, wire};

/// Where the position of the report is asked for, so that it is waited for.
const AT_LEAST: i64 = 2;
const NATION: &str = "VN";
const PROVINCE: &str = "06";

fn the_report() -> Vec<u8> {
    tonghop::shipped::reports(None).expect("the report ships").remove(0).1
}

/// The total of every row of the report, for its province and for the nation, over REST and over gRPC.
async fn answers(api: &Api) -> Vec<(Value, Value)> {
    let mut answers = vec![];
    for row in rows(&the_report()) {
        for unit in [PROVINCE, NATION] {
            let (indicator, period, breakdown) = (&row["indicator"], &row["period"], &row["breakdown"]);
            let at_least = AT_LEAST.to_string();
            let all = [
                ("indicator", indicator.as_str()),
                ("unit", unit),
                ("period", period),
                ("breakdown", breakdown),
                ("at_least", &at_least),
            ];
            let given: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let rest = api.get("/v1/totals", &given).await.expect(200);
            let request = GetTotalsRequest {
                indicator: indicator.clone(),
                unit: unit.to_owned(),
                period: period.clone(),
                breakdown: breakdown.clone(),
                at_least: AT_LEAST,
                ..GetTotalsRequest::default()
            };
            let answer = api.query().get_totals(request).await.expect("an answer").into_inner();
            let grpc = json!({
                "as_of": wire::as_of(&answer.as_of),
                "totals": answer.totals.iter().map(wire::total).collect::<Vec<_>>(),
                "count": answer.count,
                "next": null,
            });
            answers.push((without_the_time(rest), without_the_time(grpc)));
        }
    }
    answers
}

fn without_the_time(answer: Value) -> Value {
    let mut answer = ageless(answer);
    assert!(answer["as_of"]["time"].take().is_string(), "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_main_job_through_the_door_gives_the_same_answers_as_in_one_process() {
    let Some(stack) = Stack::start().await else { return };
    let server = Server::start().await;
    for api in [&*stack, &*server] {
        let receipt = api.push_csv("report-2023", "congan-backan", the_report()).await;
        receipt.expect(201);
        assert_eq!((receipt.position(), &receipt.json()["figures"]), (AT_LEAST, &json!(15)));
    }
    let (apart, in_one) = (answers(&stack).await, answers(&server).await);
    assert_eq!(apart.len(), 30);
    assert_eq!(apart, in_one);
    for (rest, grpc) in &apart {
        assert_eq!(rest, grpc);
    }

    // As the README has it.
    let national = ["tonghop", "totals", "--indicator", "tg01", "--unit", NATION, "--period", "2013..2023"];
    let table = stack.exec("query-1", &[&national as &[&str], &["--by", "children"]].concat());
    let bac_kan = table.lines().find(|line| line.contains("Bắc Kạn")).unwrap_or_else(|| panic!("{table}"));
    assert!(bac_kan.contains("37.853"), "{table}");

    // The same push over gRPC, in whatever replica it arrives, is a replay of the one over REST.
    let again = SubmitRequest {
        source: "congan-backan".into(),
        idempotency_key: "report-2023".into(),
        document: Some(Document {
            media_type: "text/csv".into(),
            content: the_report(),
            ..Document::default()
        }),
        ..SubmitRequest::default()
    };
    for _ in 0..4 {
        let replay = stack.ingestion().submit(again.clone()).await.expect("a receipt").into_inner();
        assert!(replay.replayed, "{replay:?}");
        assert_eq!(replay.receipt.map(|receipt| receipt.position), Some(AT_LEAST));
    }
    stack.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stack_needs_no_writable_root_no_root_user_and_no_capability() {
    let Some(stack) = Stack::start().await else { return };
    for service in SERVICES.into_iter().chain(["registry"]) {
        let of = stack.inspect(service, "{{json .HostConfig}}");
        assert_eq!(of["ReadonlyRootfs"], true, "{service}");
        assert_eq!(of["Privileged"], false, "{service}");
        assert_eq!((&of["CapDrop"], &of["CapAdd"]), (&json!(["ALL"]), &Value::Null), "{service}");
        assert!(
            of["SecurityOpt"].as_array().is_some_and(|all| all.contains(&json!("no-new-privileges:true")))
        );
        assert!(of["Memory"].as_i64().is_some_and(|bytes| bytes > 0), "{service}");
        assert!(of["PidsLimit"].as_i64().is_some_and(|processes| processes > 0), "{service}");
    }
    for service in SERVICES {
        // Of the process itself: every user id, every set of capabilities, and what it can still gain.
        let status = stack.exec(service, &["cat", "/proc/1/status"]);
        let line = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_else(|| panic!("{service}: {status}"));
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(!line("Uid:").contains(&"0".to_owned()), "{service}: {:?}", line("Uid:"));
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(line(set), ["0000000000000000"], "{service} {set}");
        }
        assert_eq!(line("NoNewPrivs:"), ["1"], "{service}");
        let written = stack.exec(service, &["sh", "-c", "touch /usr/here"]);
        assert!(written.contains("Read-only file system"), "{service}: {written}");
        assert_eq!(stack.state(service)["Health"]["Status"], "healthy", "{service}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_door_keeps_to_itself_what_is_for_those_who_run_it() {
    let Some(stack) = Stack::start().await else { return };
    for path in ["/metrics", "/active"] {
        let reply = stack.get(path, &[]).await;
        assert_eq!((reply.status, reply.header("content-type")), (404, "application/problem+json"), "{path}");
    }
    assert_eq!(stack.get("/healthz", &[]).await.text(), "ok\n");
    assert_eq!(stack.get("/readyz", &[]).await.text(), "ready\n");

    for service in ["query-1", "query-2"] {
        stack.stop(service);
    }
    let away = stack.get("/v1/totals", &[("indicator", "tg01"), ("unit", "VN"), ("period", "2023")]).await;
    assert_eq!(
        (away.status, away.header("content-type")),
        (503, "application/problem+json"),
        "{}",
        away.text()
    );
    assert_eq!((away.json()["status"].as_i64(), away.header("retry-after")), (Some(503), "2"));
    assert_eq!(stack.get("/readyz", &[]).await.status, 503);
    assert_eq!(stack.get("/v1/units", &[("limit", "1")]).await.status, 200, "the others go on");
    let status = stack.query().get_totals(GetTotalsRequest::default()).await.expect_err("nobody is there");
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");

    // One that is made anew has another address, and is found.
    stack.recreate("query-2");
    let question = [("indicator", "tg01"), ("unit", "VN"), ("period", "2023")];
    let found = tokio::time::timeout(Duration::from_secs(30), async {
        while stack.get("/v1/totals", &question).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    found.await.expect("the door finds it");
}

#[test]
fn compose_takes_the_file_with_the_images_of_either_way() {
    let Some(docker) = Docker::there() else { return };
    for more in [&[] as &[&str], &["--env-file", "deploy/air-gapped.env"]] {
        let mut command: Command = docker.compose("tonghop-test-config");
        let output = command.args(more).args(["config", "--services"]).output().expect("it runs");
        let mut services: Vec<String> =
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        services.sort();
        let mut expected: Vec<&str> = SERVICES.into_iter().chain(["registry"]).collect();
        expected.sort();
        assert_eq!(services, expected, "{}", String::from_utf8_lossy(&output.stderr));
    }
}
