//! The stack of docker-compose.yml while its parts die, stall and lose each other.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use tonghop_proto::ingestion::TailRequest;
use tonghop_tests::Stack;
use tonghop_tests::load::{Answered, Seen, client, push, pushing, reading, reading_grpc};

/// How long something may take to come about that nobody promised a time for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long after the active aggregation was killed another one is active.
const FAILOVER: Duration = Duration::from_secs(5);

const AGGREGATIONS: [&str; 2] = ["aggregation-1", "aggregation-2"];

/// Waits for something; how long it took.
async fn wait(what: &str, within: Duration, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    begun.elapsed()
}

/// The status of a path of one replica; none where it does not answer.
async fn status(stack: &Stack, service: &str, path: &str) -> Option<u16> {
    let url = format!("{}{path}", stack.api(service).base().to_owned());
    let asked = client().get(url).timeout(Duration::from_secs(1)).send().await;
    asked.ok().map(|response| response.status().as_u16())
}

/// Which aggregation rolls up, and which stands by.
async fn active(stack: &Stack) -> (&'static str, &'static str) {
    let begun = Instant::now();
    loop {
        let mut found = vec![];
        for service in AGGREGATIONS {
            found.push(status(stack, service, "/active").await == Some(200));
        }
        match found.as_slice() {
            [true, false] => return (AGGREGATIONS[0], AGGREGATIONS[1]),
            [false, true] => return (AGGREGATIONS[1], AGGREGATIONS[0]),
            other => assert!(begun.elapsed() < PATIENCE, "not one active aggregation: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// That every push that was answered is in the ledger, each once, with nothing else; and that totals are what the
/// ledger makes them.
async fn assert_nothing_lost(stack: &Stack, answered: &[Answered]) {
    let http = client();
    let mut positions = BTreeSet::new();
    for one in answered {
        let id = one.receipt["id"].as_str().expect("an id");
        let kept = http
            .get(format!("{}/v1/submissions/{id}", stack.base().to_owned()))
            .send()
            .await
            .expect("an answer");
        let kept: Value = serde_json::from_slice(&kept.bytes().await.expect("a body")).expect("JSON");
        for field in ["position", "digest"] {
            assert_eq!(kept[field], one.receipt[field], "{}: {kept}", one.key);
        }
        assert!(positions.insert(one.position()), "{} has the position of another", one.key);
    }
    let head = stack.head().await.position;
    // The registry is the first entry.
    assert_eq!(positions.into_iter().collect::<Vec<_>>(), (2..=head).collect::<Vec<_>>());
    stack.assert_clean().await;
}

/// How often a push had to be sent again.
fn repeated(answered: &[Answered]) -> usize {
    answered.iter().map(|one| one.repeated).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_through_both_ingestions_leave_a_dense_ledger_and_a_tail_misses_nothing() {
    let Some(stack) = Stack::start().await else { return };
    let mut ledger = stack.api("ingestion-1").ledger();
    let tail = tokio::spawn(async move {
        let request = TailRequest { after_position: 0, until_head: false, heartbeats: true };
        let mut stream = ledger.tail(request).await.expect("a tail").into_inner();
        let mut seen = vec![];
        while seen.len() < 801 {
            let message = stream.message().await.expect("a message").expect("the tail goes on");
            seen.extend(message.receipt.map(|receipt| (receipt.position, receipt.id)));
        }
        seen
    });
    let writers = (0..4).map(|writer| {
        let base = stack.api(if writer % 2 == 0 { "ingestion-1" } else { "ingestion-2" }).base().to_owned();
        tokio::spawn(async move {
            let http = client();
            let source = format!("writer-{writer}");
            let mut all = vec![];
            for n in 0..200 {
                all.push(push(&http, &base, &source, &n.to_string(), n).await);
            }
            all
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut answered = vec![];
    for writer in writers {
        let own = writer.await.expect("a writer");
        assert!(own.is_sorted_by_key(Answered::position), "a writer's own pushes are in its order");
        answered.extend(own);
    }
    let seen =
        tokio::time::timeout(PATIENCE, tail).await.expect("the tail comes to its end").expect("a tail");
    let positions: Vec<i64> = seen.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (1..=801).collect::<Vec<i64>>());
    answered.sort_by_key(Answered::position);
    let ids: Vec<&str> = answered.iter().map(|one| one.receipt["id"].as_str().expect("an id")).collect();
    assert_eq!(seen[1..].iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ids);
    assert_nothing_lost(&stack, &answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_or_stopped_the_active_aggregation_is_followed_by_the_standby() {
    let Some(stack) = Stack::start().await else { return };
    let (pushes, more) = (pushing(stack.base().to_owned(), "a"), pushing(stack.base().to_owned(), "b"));
    let reads = reading(stack.base().to_owned());
    let (first, second) = active(&stack).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    // Killed in the middle of its work.
    stack.kill(first);
    let takes_over = async || status(&stack, second, "/active").await == Some(200);
    println!("active after {:?}", wait("the standby is active", FAILOVER, takes_over).await);
    stack.start_again(first);
    wait("the killed one is back", PATIENCE, async || status(&stack, first, "/readyz").await == Some(200))
        .await;
    assert_eq!(active(&stack).await, (second, first), "the killed one comes back as standby");

    // Stopped, past its lease; what it does when it goes on is fenced off.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stack.pause(second);
    wait("the other is active", PATIENCE, async || status(&stack, first, "/active").await == Some(200)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    stack.resume(second);
    let gives_in = async || status(&stack, second, "/active").await == Some(503);
    wait("the one that was stopped finds that it is not active", PATIENCE, gives_in).await;
    assert_eq!(active(&stack).await, (first, second));
    // What it tries is refused by the fence or, where it was stopped in a transaction, by the end of that.
    let refused = ["another process is active now", "idle-in-transaction timeout"];
    let tried = async || {
        let log = stack.logs(second);
        refused.iter().any(|why| log.contains(why))
    };
    wait("what it tries is refused", PATIENCE, tried).await;

    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut answered = pushes.end().await;
    answered.extend(more.end().await);
    let Seen { answers, failures, .. } = reads.end().await;
    assert!(answers > 100 && failures.is_empty(), "{answers} answers, {failures:?}");
    assert_eq!(repeated(&answered), 0, "aggregation is no trouble of those who push");
    assert_nothing_lost(&stack, &answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_was_acknowledged_is_lost_while_postgresql_is_away() {
    let Some(stack) = Stack::start().await else { return };
    let (pushes, more) = (pushing(stack.base().to_owned(), "a"), pushing(stack.base().to_owned(), "b"));
    let reads = reading(stack.base().to_owned());
    tokio::time::sleep(Duration::from_secs(2)).await;
    stack.restart("postgres");
    tokio::time::sleep(Duration::from_secs(5)).await;
    stack.stop("postgres");
    tokio::time::sleep(Duration::from_secs(20)).await;
    stack.start_again("postgres");
    let both_ways = async || {
        let asked = client().get(format!("{}/readyz", stack.base().to_owned())).send().await;
        asked.is_ok_and(|response| response.status() == 200)
    };
    wait("the door is open again", PATIENCE, both_ways).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut answered = pushes.end().await;
    answered.extend(more.end().await);
    let seen = reads.end().await;
    println!(
        "{} pushes repeated {} times; {} reads failed",
        answered.len(),
        repeated(&answered),
        seen.failures.len()
    );
    // Those that failed meanwhile were told to come again.
    assert!(seen.failures.iter().all(|f| f.starts_with("503")), "{:#?}", seen.failures);
    assert_nothing_lost(&stack, &answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_keep_coming_and_say_how_old_they_are_while_links_are_cut() {
    let Some(stack) = Stack::start().await else { return };
    let http = client();
    let at_door = stack.base().to_owned();
    let reads = reading(stack.base().to_owned());
    let before = push(&http, &at_door, "cut", "before", 1).await;
    stack.wait(before.position()).await;

    // Aggregation does not hear of the ledger.
    for service in AGGREGATIONS {
        stack.cut(service, "ledger");
    }
    let during = push(&http, &at_door, "cut", "during", 2).await;
    let as_of = async || {
        let url = format!("{at_door}/v1/totals?indicator=tg02&unit=01864&period=2024-M05");
        let answer = client().get(url).send().await.expect("an answer");
        let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        (answer["as_of"].clone(), answer["totals"][0]["value"].clone())
    };
    let says = async || as_of().await.0["stale_seconds"].as_i64().is_some_and(|seconds| seconds >= 6);
    wait("answers say how old they are", PATIENCE, says).await;
    let (old, value) = as_of().await;
    assert_eq!((old["position"].as_i64(), value), (Some(before.position()), "1".into()));
    for service in AGGREGATIONS {
        stack.heal(service, "ledger");
    }
    let caught_up = async || {
        let (as_of, value) = as_of().await;
        as_of["stale_seconds"].is_null()
            && value == "2"
            && as_of["position"].as_i64() == Some(during.position())
    };
    wait("all catch up by themselves", PATIENCE, caught_up).await;

    // Query and ingestion do not hear of aggregation.
    for service in AGGREGATIONS {
        stack.cut(service, "totals");
    }
    let later = push(&http, &at_door, "cut", "later", 3).await;
    let position = later.position().to_string();
    let parameters =
        [("indicator", "tg02"), ("unit", "01864"), ("period", "2024-M05"), ("at_least", position.as_str())];
    let answer = stack.get("/v1/totals", &parameters).await.expect(200);
    assert_eq!(
        answer["totals"][0]["value"], "3",
        "what was written is read, without a word from aggregation"
    );
    assert!(answer["as_of"]["stale_seconds"].is_null(), "{answer}");
    for service in AGGREGATIONS {
        stack.heal(service, "totals");
    }
    // The stream of changes is there again by itself.
    let watched = async || {
        let asked = client().get(format!("{at_door}/v1/watch")).timeout(Duration::from_secs(2)).send().await;
        asked.is_ok_and(|response| response.status() == 200)
    };
    wait("changes can be watched again", PATIENCE, watched).await;

    let seen = reads.end().await;
    assert!(seen.answers > 100 && seen.failures.is_empty(), "{} answers, {:?}", seen.answers, seen.failures);
    assert!(seen.stalest >= 6, "{seen:?}");
    assert_nothing_lost(&stack, &[before, during, later]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_read_fails_and_no_push_is_lost_while_every_service_is_restarted() {
    let Some(stack) = Stack::start().await else { return };
    let (pushes, more) = (pushing(stack.base().to_owned(), "a"), pushing(stack.base().to_owned(), "b"));
    let (rest, grpc) = (reading(stack.base().to_owned()), reading_grpc(stack.channel()));
    for service in ["ingestion-1", "ingestion-2", "aggregation-1", "aggregation-2", "query-1", "query-2"] {
        stack.restart(service);
        wait(service, PATIENCE, async || status(&stack, service, "/readyz").await == Some(200)).await;
        // As long as who operates it would wait: until the door has seen it too.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let mut answered = pushes.end().await;
    answered.extend(more.end().await);
    let (rest, grpc) = (rest.end().await, grpc.end().await);
    println!(
        "{} pushes, repeated {} times; {} and {} reads",
        answered.len(),
        repeated(&answered),
        rest.answers,
        grpc.answers
    );
    assert!(rest.answers > 100 && rest.failures.is_empty(), "REST: {:#?}", rest.failures);
    assert!(grpc.answers > 100 && grpc.failures.is_empty(), "gRPC: {:#?}", grpc.failures);
    assert_nothing_lost(&stack, &answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_pushed_through_any_replica_is_read_through_any_other() {
    let Some(stack) = Stack::start().await else { return };
    let http = client();
    for n in 0..24 {
        let through = ["ingestion-1", "ingestion-2"][n % 2];
        let pushed = push(&http, stack.api(through).base(), "both", &n.to_string(), n).await;
        for reader in ["query-1", "query-2"] {
            let url = format!(
                "{}/v1/totals?indicator=tg02&unit=01864&period=2024-M05&at_least={}",
                stack.api(reader).base().to_owned(),
                pushed.position()
            );
            let answer = http.get(url).send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
            let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
            assert_eq!(answer["totals"][0]["value"], n.to_string(), "{through}, {reader}: {answer}");
            assert!(answer["as_of"]["position"].as_i64() >= Some(pushed.position()), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dump_restored_elsewhere_is_the_same_ledger_with_the_same_totals() {
    let Some(stack) = Stack::start().await else { return };
    let http = client();
    let mut answered = vec![];
    for n in 0..20 {
        answered.push(push(&http, stack.base(), "kept", &n.to_string(), n).await);
    }
    stack.wait(21).await;
    let parameters = [("indicator", "tg02"), ("unit", "VN"), ("period", "2024-M05"), ("at_least", "21")];
    let total = stack.get("/v1/totals", &parameters).await.expect(200);
    let head = stack.head().await;
    // As docs/operations.md says it, while pushes may go on.
    let dump = ["pg_dump", "--username=tonghop", "--format=custom", "tonghop"];
    let dump = stack.exec_with("postgres", &dump, &[]);
    drop(stack);

    let Some(elsewhere) = Stack::start().await else { return };
    let services = ["ingestion-1", "ingestion-2", "aggregation-1", "aggregation-2", "query-1", "query-2"];
    for service in services {
        elsewhere.stop(service);
    }
    let admin = "--username=tonghop";
    let database = ["--maintenance-db=postgres", "tonghop"];
    elsewhere.exec_with("postgres", &[&["dropdb", admin, "--force"], &database as &[&str]].concat(), &[]);
    elsewhere.exec_with("postgres", &[&["createdb", admin], &database as &[&str]].concat(), &[]);
    elsewhere.exec_with("postgres", &["pg_restore", admin, "--dbname=tonghop", "--exit-on-error"], &dump);
    for service in services {
        elsewhere.start_again(service);
    }
    let open = async || {
        let asked = client().get(format!("{}/readyz", elsewhere.base())).send().await;
        asked.is_ok_and(|response| response.status() == 200)
    };
    wait("the door is open", PATIENCE, open).await;
    assert_eq!(elsewhere.head().await, head);
    assert_eq!(elsewhere.get("/v1/totals", &parameters).await.expect(200)["totals"], total["totals"]);
    assert_nothing_lost(&elsewhere, &answered).await;
    // And it goes on.
    let next = push(&http, elsewhere.base(), "kept", "next", 99).await;
    assert_eq!(next.position(), 22);
}
