//! The real binary, killed at random moments of a push, loses nothing that it acknowledged and keeps nothing
//! by halves.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tonghop::shipped;
use tonghop_proto::aggregation::VerifyRequest;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::ingestion::ingestion_service_client::IngestionServiceClient;
use tonghop_proto::ingestion::ledger_service_client::LedgerServiceClient;
use tonghop_proto::ingestion::{Figure, SubmitRequest, TailRequest, VerifyChainRequest, figure::Statement};
use tonghop_proto::query::GetTotalsRequest;
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_proto::registry::LoadRegistryRequest;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonic::transport::Channel;

/// How often the process is killed.
const KILLS: u64 = 50;
/// Figures of a submission.
const FIGURES: usize = 30;
/// Submissions under way at once.
const WRITERS: u64 = 4;

/// A process of its own, killed when dropped.
struct Server {
    process: Child,
    channel: Channel,
    /// What it says goes on being read, so that it may go on saying it.
    _output: BufReader<ChildStdout>,
}

impl Server {
    async fn start(data: &Path) -> Server {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tonghop"))
            .args(["up", "--access", "open", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut output = BufReader::new(process.stdout.take().expect("its output is read"));
        let address = output
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let at = line.find("http://127.0.0.1:")?;
                Some(line[at..].split_whitespace().next()?.trim_end_matches(['/', ',', '.']).to_owned())
            })
            .expect("it says where it listens");
        let endpoint = Channel::from_shared(address).expect("an address");
        let channel = endpoint.connect().await.expect("it is listening when it says so");
        Server { process, channel, _output: output }
    }

    fn kill(&mut self) {
        self.process.kill().expect("SIGKILL");
        self.process.wait().expect("it is gone");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Communes of the map before July 2025, from the tables that ship.
fn communes() -> Vec<String> {
    let units = shipped::registry(None).expect("tables ship").remove("units.csv").expect("the units ship");
    let text = String::from_utf8(units).expect("UTF-8");
    // Before July 2025: no first day, and that last one.
    let rows = text.lines().filter(|l| l.contains(",commune,") && l.contains(",,2025-07-01,"));
    rows.map(|l| l.split(',').next().unwrap_or("").to_owned()).collect()
}

/// The `n`-th submission: no two say anything of the same unit and month.
fn submission(communes: &[String], n: u64) -> SubmitRequest {
    let figures = (0..FIGURES as u64)
        .map(|i| {
            let place = n * FIGURES as u64 + i;
            let commune = &communes[(place % communes.len() as u64) as usize];
            let month = place / communes.len() as u64 % 12 + 1;
            Figure {
                unit: commune.clone(),
                indicator: "tg02".into(),
                breakdown: "reporter=cong-an".into(),
                period: format!("2024-M{month:02}"),
                scope: "own".into(),
                statement: Some(Statement::Value((place % 97).to_string())),
                ..Figure::default()
            }
        })
        .collect();
    SubmitRequest {
        idempotency_key: format!("kill-{n}"),
        source: "kill-test".into(),
        figures,
        ..SubmitRequest::default()
    }
}

fn sum(n: u64) -> u64 {
    (0..FIGURES as u64).map(|i| (n * FIGURES as u64 + i) % 97).sum()
}

/// Pushes without pause until the process is gone.
async fn push(
    channel: Channel,
    communes: Arc<Vec<String>>,
    next: Arc<Mutex<u64>>,
    acknowledged: Arc<Mutex<BTreeSet<u64>>>,
) {
    let mut client = IngestionServiceClient::new(channel);
    loop {
        let n = {
            let mut next = next.lock().expect("no panic holds it");
            *next += 1;
            *next - 1
        };
        match client.submit(submission(&communes, n)).await {
            Ok(answer) => {
                let receipt = answer.into_inner().receipt.expect("an accepted submission has a receipt");
                assert_eq!(receipt.figures as usize, FIGURES);
                acknowledged.lock().expect("no panic holds it").insert(n);
            }
            Err(_) => return,
        }
    }
}

/// What the ledger holds, by submission: how often, and how many figures.
async fn ledger(channel: &Channel) -> (BTreeMap<u64, Vec<u32>>, i64) {
    let mut client = LedgerServiceClient::new(channel.clone());
    let request = TailRequest { after_position: 0, until_head: true, heartbeats: false };
    let mut stream = client.tail(request).await.expect("a tail").into_inner();
    let (mut held, mut position): (BTreeMap<u64, Vec<u32>>, i64) = (BTreeMap::new(), 0);
    while let Some(entry) = stream.message().await.expect("an entry") {
        let receipt = entry.receipt.expect("a receipt");
        assert_eq!(receipt.position, position + 1, "positions are dense and in order");
        position = receipt.position;
        if let Some(n) = receipt.idempotency_key.strip_prefix("kill-") {
            held.entry(n.parse().expect("a number")).or_default().push(receipt.figures);
        }
    }
    (held, position)
}

async fn national(channel: &Channel, position: i64) -> Option<String> {
    let request = GetTotalsRequest {
        indicator: "tg02".into(),
        unit: "VN".into(),
        period: "2024".into(),
        at_least: position,
        ..GetTotalsRequest::default()
    };
    let answer =
        QueryServiceClient::new(channel.clone()).get_totals(request).await.expect("an answer").into_inner();
    assert!(answer.as_of.expect("as_of").position >= position);
    answer.totals[0].value.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_has_what_it_acknowledged_once_and_nothing_by_halves() {
    let directory = tempfile::tempdir().expect("a directory");
    let communes = Arc::new(communes());
    assert_eq!(communes.len(), 10_035);
    let next = Arc::new(Mutex::new(0u64));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let mut numbers = Numbers(1);

    let mut server = Server::start(directory.path()).await;
    let load = LoadRegistryRequest {
        source: "kill-test".into(),
        idempotency_key: "registry".into(),
        tables: shipped::registry(None).expect("tables ship"),
        ..LoadRegistryRequest::default()
    };
    RegistryServiceClient::new(server.channel.clone()).load_registry(load).await.expect("the registry loads");

    let mut as_of = 0;
    for kill in 0..KILLS {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                tokio::spawn(push(
                    server.channel.clone(),
                    Arc::clone(&communes),
                    Arc::clone(&next),
                    Arc::clone(&acknowledged),
                ))
            })
            .collect();
        tokio::time::sleep(Duration::from_micros(numbers.below(150_000))).await;
        server.kill();
        for writer in writers {
            writer.await.expect("a writer ends by itself");
        }
        server = Server::start(directory.path()).await;
        let (held, position) = ledger(&server.channel).await;
        let acknowledged = acknowledged.lock().expect("no panic holds it").clone();
        for n in &acknowledged {
            assert_eq!(
                held.get(n),
                Some(&vec![FIGURES as u32]),
                "kill {kill}: submission {n} was acknowledged"
            );
        }
        for (n, entries) in &held {
            assert_eq!(entries, &vec![FIGURES as u32], "kill {kill}: submission {n} is there whole and once");
        }
        assert!(position >= as_of, "the ledger never goes back");
        as_of = position;
        if kill % 10 == 9 {
            let expected: u64 = held.keys().map(|n| sum(*n)).sum();
            assert_eq!(national(&server.channel, position).await, Some(expected.to_string()), "kill {kill}");
        }
    }

    let acknowledged = acknowledged.lock().expect("no panic holds it").clone();
    assert!(
        acknowledged.len() as u64 > KILLS,
        "pushes got through between the kills: {}",
        acknowledged.len()
    );
    let (held, position) = ledger(&server.channel).await;
    // What was under way when it died may be there or not; sent again under its key it is there once.
    let begun = *next.lock().expect("no panic holds it");
    for n in 0..begun {
        let answer =
            IngestionServiceClient::new(server.channel.clone()).submit(submission(&communes, n)).await;
        let answer = answer.expect("a repeated submission is answered").into_inner();
        assert_eq!(answer.replayed, held.contains_key(&n), "submission {n}");
    }
    let (held, position) = {
        let after = ledger(&server.channel).await;
        assert!(after.1 >= position);
        after
    };
    let expected: u64 = held.keys().map(|n| sum(*n)).sum();
    assert_eq!(national(&server.channel, position).await, Some(expected.to_string()));

    let chain = LedgerServiceClient::new(server.channel.clone()).verify_chain(VerifyChainRequest {}).await;
    let chain = chain.expect("the chain is walked").into_inner();
    assert_eq!((chain.entries, chain.broken.as_str()), (position, ""));
    let mut steps = AggregationServiceClient::new(server.channel.clone())
        .verify(VerifyRequest {})
        .await
        .expect("the totals are recomputed")
        .into_inner();
    let mut last = None;
    while let Some(step) = steps.message().await.expect("a step") {
        last = Some(step);
    }
    let last = last.expect("an end");
    assert!(last.done && last.tiles > 0 && last.summaries > 0);
    assert_eq!(last.differences, Vec::<String>::new());
    assert_eq!(last.position, position);
}
