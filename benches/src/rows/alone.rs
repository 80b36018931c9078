//! Row 0: ingestion alone, with nobody who rolls up beside it: where a push spends its time.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use tonghop_proto::registry::LoadRegistryRequest;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;

use crate::figures::Month;
use crate::setup::{Engine, Setup, connections, push_all};
use crate::system::SUBMIT;
use crate::table::{Table, percentile};
use crate::wire::{call, connect};
use crate::{Outcome, registry};

/// Killed when dropped.
struct Alone(Child);

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures it.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let binary = setup.tonghop.with_file_name("tonghop-ingestion");
    let mut pushes = Table::new(0, "a push to ingestion alone, durable: p50", "ms", &[]);
    let mut month =
        Table::new(0, format!("a month of {} values to ingestion alone", setup.country.values()), "s", &[]);
    for _ in 0..setup.rounds {
        for engine in &setup.engines {
            let directory = setup.directory()?;
            let database = (*engine == Engine::Postgres).then(|| setup.postgres.database());
            let url = match &database {
                None => format!("sqlite://{}", directory.path().join("ledger.sqlite").display()),
                Some(database) => database.url(),
            };
            let mut command = Command::new(&binary);
            command.args([
                "--access",
                "open",
                "--listen",
                "127.0.0.1:0",
                "--aggregation",
                "http://127.0.0.1:1",
                "--database",
                &url,
            ]);
            let mut child =
                command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
            let mut said = String::new();
            let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
            let _alone = Alone(child);
            output.read_line(&mut said).map_err(|e| e.to_string())?;
            let url = said.trim().rsplit(' ').next().unwrap_or_default().to_owned();
            let channel = connect(&url).await?;
            let request = LoadRegistryRequest {
                source: "synthetic-bench".into(),
                idempotency_key: "registry".into(),
                tables: registry::tables(&setup.registry, setup.country.indicators)?,
                ..LoadRegistryRequest::default()
            };
            RegistryServiceClient::new(channel.clone())
                .load_registry(request)
                .await
                .map_err(|s| s.to_string())?;
            for (values, times) in [(setup.country.indicators, 500), (1200, 500), (10_000, 60)] {
                if !format!("{values} values").contains(&setup.only) {
                    continue;
                }
                let communes = (values / setup.country.indicators).max(1);
                let mut took = vec![];
                for n in 0..times {
                    let from = n * communes % (setup.country.communes.len() - communes);
                    let key = format!("alone-{values}-{n}");
                    let message = setup.country.message(from..from + communes, Month::of(2024, 1), &key);
                    let message = Bytes::from(message);
                    let begun = Instant::now();
                    call(&channel, SUBMIT, message).await?;
                    took.push(begun.elapsed().as_secs_f64() * 1000.0);
                }
                let p50 = percentile(&mut took, 50);
                eprintln!(
                    "  {values} values, {engine}: p50 {p50:.3} ms, p99 {:.3} ms",
                    percentile(&mut took, 99)
                );
                pushes.of(&format!("{values} values, {engine}")).values.push(p50);
            }
            if !"month".contains(&setup.only) {
                continue;
            }
            let messages = setup.messages(Month::of(2024, 0), crate::rows::month::SUBMISSION);
            let channels = connections(&url, 4).await?;
            let begun = Instant::now();
            push_all(&channels, &messages).await?;
            let took = begun.elapsed().as_secs_f64();
            eprintln!("  month, {engine}: {took:.3} s");
            month.of(&engine.to_string()).values.push(took);
        }
    }
    Ok(vec![pushes, month])
}
