//! What Prometheus reads of a running system is there, is right, and is what the operators' page says it is.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use tonghop_proto::ingestion::GetHeadRequest;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::Server;
use tonghop_tests::exposition::Exposition;

on_both! {
    what_was_pushed_is_what_is_counted,
}

async fn scrape(server: &Server) -> Exposition {
    let reply = server.get("/metrics", &[]).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    Exposition::read(&reply.text()).unwrap_or_else(|wrong| panic!("{wrong}\n{}", reply.text()))
}

fn figure(period: &str, value: &str) -> serde_json::Value {
    json!({
        "unit": "01864", "indicator": "tg02", "period": period, "scope": "own", "value": value,
        "breakdown": { "reporter": "cong-an" }
    })
}

#[track_caller]
fn assert_value(read: &Exposition, name: &str, labels: &[(&str, &str)], expected: f64) {
    // Whole numbers far below where a float would round.
    assert_eq!(read.value(name, labels), expected, "{name} {labels:?}");
}

async fn what_was_pushed_is_what_is_counted(on: On) {
    let server = Server::start_on(on).await;
    // The registry lies at position 1 already.
    let first = json!([figure("2024-M05", "12"), figure("2024-M06", "7")]);
    server.report("first", first.clone()).await;
    let again = json!({ "source": "test", "figures": first });
    server.push_json("first", &again).await.expect(200);
    let wrong = json!({ "source": "test", "figures": [figure("2024-M05", "minus one")] });
    server.push_json("wrong", &wrong).await.expect(422);
    let tried = server.post(&[("dry_run", "true")], &[("idempotency-key", "tried")], again.to_string()).await;
    tried.expect(200);
    server.report("second", json!([figure("2024-M07", "3")])).await;
    server.total("tg02", "VN", "2024-M05", "").await;
    assert_eq!(server.get("/nothing/here/1", &[]).await.status, 404);
    server.get("/nothing/here/2", &[]).await;

    let read = scrape(&server).await;
    for (outcome, count) in [
        ("accepted", 2.),
        ("replayed", 1.),
        ("refused", 1.),
        ("dry_run", 1.),
        ("unavailable", 0.),
        ("failed", 0.),
    ] {
        assert_value(&read, "tonghop_submissions_total", &[("outcome", outcome)], count);
    }
    assert_value(&read, "tonghop_figures_accepted_total", &[], 3.);
    for position in
        ["tonghop_ledger_head_position", "tonghop_checkpoint_position", "tonghop_query_watch_position"]
    {
        assert_value(&read, position, &[], 3.);
    }
    let requests = |operation, status| [("operation", operation), ("transport", "rest"), ("status", status)];
    let submit = "POST /v1/submissions";
    for (status, count) in [("201", 2.), ("200", 2.), ("422", 1.)] {
        assert_value(&read, "tonghop_requests_total", &requests(submit, status), count);
    }
    let of_submit = [("operation", submit), ("transport", "rest")];
    assert_value(&read, "tonghop_request_duration_seconds_count", &of_submit, 5.);
    // Whatever is asked for that is not there counts as one thing.
    assert_value(&read, "tonghop_requests_total", &requests("GET unmatched", "404"), 2.);
    // The replay was appended with the others, and found to be there.
    assert_value(&read, "tonghop_ledger_group_entries_sum", &[], 3.);
    assert_value(&read, "tonghop_batch_entries_sum", &[], 2.);
    for (name, value) in [
        ("tonghop_lag_positions", 0.),
        ("tonghop_ledger_reachable", 1.),
        ("tonghop_lease_held", 1.),
        ("tonghop_rollup_halted", 0.),
        ("tonghop_fenced_writes_total", 0.),
        ("tonghop_query_watch_connected", 1.),
        ("tonghop_query_wait_timeouts_total", 0.),
        ("tonghop_ledger_queue_entries", 0.),
        ("tonghop_ledger_queue_max_entries", 1024.),
    ] {
        assert_value(&read, name, &[], value);
    }
    assert_value(&read, "tonghop_lag_seconds", &[], 0.);
    assert!(read.value("tonghop_query_views_total", &[]) >= 1.);
    assert!(read.value("tonghop_lease_epoch", &[]) >= 1.);
    for (database, role, most) in [
        ("ledger", "writer", 1.),
        ("ledger", "reader", 12.),
        ("tiles", "writer", 1.),
        ("tiles", "reader", 12.),
    ] {
        let pool = [("database", database), ("role", role)];
        let of = |what: &str| read.value(&format!("tonghop_database_connections_{what}"), &pool);
        assert_value(&read, "tonghop_database_connections_max", &pool, most);
        assert!(0. <= of("idle") && of("idle") <= of("open") && of("open") <= most, "{pool:?}");
    }
    assert!(read.value("tonghop_process_resident_memory_bytes", &[]) > 1e6);
    assert!(read.value("tonghop_process_open_fds", &[]) > 3.);
    assert_value(&read, "tonghop_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.);
}

#[tokio::test]
async fn the_ledger_says_since_when_what_is_not_rolled_up_waits() {
    let server = Server::start().await;
    let reply = server.report("first", json!([figure("2024-M05", "12")])).await;
    let received =
        server.get(&format!("/v1/submissions/{}", reply.json()["id"].as_str().unwrap()), &[]).await;
    let received = received.expect(200)["received_at"].clone();
    let mut ledger = LedgerServiceClient::new(server.channel());
    for (after, since) in [(Some(1), received.as_str().unwrap()), (Some(2), ""), (Some(9), ""), (None, "")] {
        let head =
            ledger.get_head(GetHeadRequest { after_position: after }).await.expect("the head").into_inner();
        assert_eq!((head.position, head.next_received_at.as_str()), (2, since), "{after:?}");
    }
}

fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tonghop_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_metric_that_operators_are_told_of_exists_and_every_one_there_is_they_are_told_of() {
    let server = Server::start().await;
    server.report("first", json!([figure("2024-M05", "12")])).await;
    let read = scrape(&server).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let text =
        |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    // What the page says of metrics stands in its tables.
    let page = text("docs/operations.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let (page, alerts) = (names_in(&rows.concat()), names_in(&text("deploy/prometheus-alerts.yml")));
    assert!(alerts.len() > 10, "{alerts:?}");
    for (place, named) in [("docs/operations.md", &page), ("deploy/prometheus-alerts.yml", &alerts)] {
        for name in named {
            assert!(read.types.contains_key(read.family(name)), "{place} names {name}, which does not exist");
        }
    }
    for family in read.types.keys() {
        assert!(page.contains(family), "docs/operations.md does not say what {family} is");
    }
}
