//! Row 2: under a steady load, how long after its acknowledgement a push is in the nation's total.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonghop_proto::query::GetTotalsRequest;
use tonghop_proto::query::query_service_client::QueryServiceClient;

use crate::Outcome;
use crate::figures::{Month, indicator};
use crate::rows::push::message;
use crate::setup::{Fresh, Setup, connections};
use crate::system::{SUBMIT, position};
use crate::table::{Table, percentile};
use crate::wire::call;

/// Values a second.
const RATE: u64 = 20_000;
/// Values in a push.
const VALUES: u64 = 1200;
/// Connections that take turns.
const CONNECTIONS: usize = 8;
/// How many of the slowest are told of, with when they were sent: whether they come at the beginning or now and then.
const WORST: usize = 10;

/// Measures it.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let mut table = Table::new(
        2,
        format!("from acknowledgement to the nation's total, at {RATE} values a second"),
        "ms",
        &[],
    );
    table.notes.push(format!(
        "pushes of {VALUES} values for {} s a round; whoever pushed asks for the nation's total with at_least = its position",
        setup.steady.as_secs()
    ));
    for round in 0..setup.rounds.min(3) {
        eprintln!("row 2, steady: round {} of {}", round + 1, setup.rounds.min(3));
        for (engine, name) in setup.on("tonghop") {
            let Fresh { system, .. } = &setup.fresh(engine).await?;
            let channels = connections(&system.url, CONNECTIONS).await?;
            let pushes = (setup.steady.as_millis() as u64 * RATE / VALUES / 1000) as usize;
            let messages: Vec<_> = (0..pushes).map(|n| message(&setup.country, n)).collect();
            let mut under_way = JoinSet::new();
            let begun = Instant::now();
            for (n, message) in messages.into_iter().enumerate() {
                let due = begun + Duration::from_micros(n as u64 * VALUES * 1_000_000 / RATE);
                tokio::time::sleep_until(due.into()).await;
                let channel = channels[n % channels.len()].clone();
                under_way.spawn(async move {
                    let at_least = position(call(&channel, SUBMIT, message).await?)?;
                    let acknowledged = Instant::now();
                    let request = GetTotalsRequest {
                        indicator: indicator(0),
                        unit: "VN".into(),
                        period: Month::of(2024, 0).period(),
                        at_least,
                        ..GetTotalsRequest::default()
                    };
                    // One that waits in vain has waited for as long as a reader may.
                    let _ = QueryServiceClient::new(channel).get_totals(request).await;
                    let late = acknowledged.duration_since(due).as_secs_f64() * 1000.0;
                    let seen = acknowledged.elapsed().as_secs_f64() * 1000.0;
                    Ok::<_, String>((due.duration_since(begun).as_secs_f64(), late, seen))
                });
            }
            let (mut acknowledged, mut seen, mut worst) = (vec![], vec![], vec![]);
            while let Some(done) = under_way.join_next().await {
                let (due, late, took) = done.map_err(|e| e.to_string())??;
                acknowledged.push(late);
                seen.push(took);
                worst.push((took, due));
            }
            worst.sort_by(|a, b| b.0.total_cmp(&a.0));
            let worst: Vec<String> =
                worst.iter().take(WORST).map(|(took, due)| format!("{took:.0} ms at {due:.1} s")).collect();
            let (p50, p99) = (percentile(&mut seen, 50), percentile(&mut seen, 99));
            eprintln!("  {name}: p50 {p50:.1} ms, p99 {p99:.1} ms of {pushes} pushes; {}", worst.join(", "));
            table.of(&format!("{name}, p50")).values.push(p50);
            table.of(&format!("{name}, p99")).values.push(p99);
            table.of(&format!("{name}, acknowledged p99")).values.push(percentile(&mut acknowledged, 99));
        }
    }
    for (_, name) in setup.on("tonghop") {
        table.at_most(&format!("{name}, p99"), None, 100.0);
    }
    Ok(vec![table])
}
