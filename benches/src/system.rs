//! tonghop itself: the release binary, spoken to over loopback.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tonghop_proto::aggregation::aggregation_service_client::AggregationServiceClient;
use tonghop_proto::aggregation::{GetStatusRequest, RebuildRequest};
use tonghop_proto::ingestion::SubmitResponse;
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_proto::query::{GetTotalsRequest, GetTotalsResponse, Total};
use tonghop_proto::registry::LoadRegistryRequest;
use tonghop_proto::registry::registry_service_client::RegistryServiceClient;
use tonic::transport::Channel;

use crate::figures::{Country, Expected, Month, indicator};
use crate::wire::{Http, call, connect};
use crate::{Outcome, registry};

/// Where a submission goes.
pub(crate) const SUBMIT: &str = "/tonghop.ingestion.v1.IngestionService/Submit";
/// Where a question goes.
pub(crate) const GET_TOTALS: &str = "/tonghop.query.v1.QueryService/GetTotals";

/// A running one; stopped when dropped.
#[derive(Debug)]
pub(crate) struct System {
    child: Child,
    pub(crate) url: String,
    pub(crate) channel: Channel,
}

/// What is kept where.
#[derive(Clone, Debug)]
pub(crate) enum Kept<'a> {
    /// SQLite files in a directory.
    Files(&'a Path),
    /// A PostgreSQL database; the directory is for the log.
    Database(&'a str, &'a Path),
}

impl System {
    /// Starts it on what is there, and waits until it listens.
    pub(crate) async fn start(binary: &Path, kept: Kept<'_>) -> Outcome<System> {
        let mut command = Command::new(binary);
        command.args(["up", "--access", "open", "--listen", "127.0.0.1:0"]);
        let directory = match kept {
            Kept::Files(directory) => {
                command.arg("--data-dir").arg(directory);
                directory
            }
            Kept::Database(url, directory) => {
                command.args(["--database", url]);
                directory
            }
        };
        let log = File::create(directory.join("log")).map_err(|e| e.to_string())?;
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(|e| format!("{}: {e}", binary.display()))?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut output = BufReader::new(output);
        let mut said = String::new();
        output.read_line(&mut said).map_err(|e| e.to_string())?;
        let Some(url) = said.trim().rsplit(' ').next().filter(|url| url.starts_with("http://")) else {
            let _ = child.kill();
            let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
            return Err(format!("{} does not start: {said}{log}", binary.display()));
        };
        // What it says later is read and not kept, so that it may go on saying it.
        let url = url.to_owned();
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let channel = connect(&url).await?;
        Ok(System { child, url, channel })
    }

    /// Loads the registry that is measured with, and waits until it is in force.
    pub(crate) async fn load_registry(&self, shipped: &Path, indicators: usize) -> Outcome<()> {
        let tables = registry::tables(shipped, indicators)?;
        let request = LoadRegistryRequest {
            source: "synthetic-bench".into(),
            idempotency_key: "registry".into(),
            tables,
            ..LoadRegistryRequest::default()
        };
        let mut client = RegistryServiceClient::new(self.channel.clone());
        let answer = client.load_registry(request).await.map_err(|s| format!("the registry: {s}"))?;
        self.rolled_up(answer.into_inner().position).await
    }

    /// Pushes an encoded submission; the position in its receipt.
    pub(crate) async fn push(&self, message: Bytes) -> Outcome<i64> {
        let answer = call(&self.channel, SUBMIT, message).await?;
        position(answer)
    }

    /// An HTTP connection to it.
    pub(crate) async fn http(&self) -> Outcome<Http> {
        Http::connect(&self.url).await
    }

    /// Waits until everything up to a position is rolled up.
    pub(crate) async fn rolled_up(&self, position: i64) -> Outcome<()> {
        let mut client = AggregationServiceClient::new(self.channel.clone());
        for _ in 0..3000 {
            let status =
                client.get_status(GetStatusRequest {}).await.map_err(|s| s.to_string())?.into_inner();
            if !status.halted.is_empty() {
                return Err(format!("rolling up is halted: {}", status.halted));
            }
            if status.position >= position {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("position {position} is not rolled up after five minutes"))
    }

    /// Everything again from the ledger.
    pub(crate) async fn rebuild(&self) -> Outcome<()> {
        let mut client = AggregationServiceClient::new(self.channel.clone());
        client.rebuild(RebuildRequest {}).await.map_err(|s| format!("rebuild: {s}"))?;
        Ok(())
    }

    /// Asks for totals, all pages.
    pub(crate) async fn totals(&self, request: GetTotalsRequest) -> Outcome<Vec<Total>> {
        let mut client = QueryServiceClient::new(self.channel.clone()).max_decoding_message_size(usize::MAX);
        let (mut out, mut token) = (Vec::new(), String::new());
        loop {
            let request = GetTotalsRequest { page_token: token, page_size: 500, ..request.clone() };
            let GetTotalsResponse { totals, next_page_token, .. } =
                client.get_totals(request).await.map_err(|s| format!("totals: {s}"))?.into_inner();
            out.extend(totals);
            if next_page_token.is_empty() {
                return Ok(out);
            }
            token = next_page_token;
        }
    }

    /// Compares what it says of a period with what must come out: the nation by indicator, every province of some
    /// indicators, and how many cells are in it. What differs is said.
    pub(crate) async fn agrees(
        &self,
        country: &Country,
        period: &str,
        expected: &Expected,
        at_least: i64,
    ) -> Outcome<Result<(), String>> {
        let ask = |unit: &str| GetTotalsRequest {
            unit: unit.to_owned(),
            period: period.to_owned(),
            at_least,
            ..GetTotalsRequest::default()
        };
        let by_indicator = GetTotalsRequest { by: "indicators".into(), ..ask("VN") };
        let nation = self.totals(by_indicator).await?;
        if nation.len() != country.indicators {
            return Ok(Err(format!("{} indicators of the nation", nation.len())));
        }
        for (total, sum) in nation.iter().zip(&expected.nation) {
            if total.value.as_deref() != Some(&sum.to_string()) || total.covered != expected.cells {
                return Ok(Err(format!(
                    "{} of the nation is {:?} over {} cells, not {sum} over {}",
                    total.indicator, total.value, total.covered, expected.cells
                )));
            }
        }
        for at in [0, country.indicators / 2, country.indicators - 1] {
            let children = GetTotalsRequest { by: "children".into(), indicator: indicator(at), ..ask("VN") };
            for total in self.totals(children).await? {
                let code = total.unit.map(|u| u.code).unwrap_or_default();
                let province = country.provinces.iter().position(|c| *c == code);
                let sum = province.map(|p| expected.provinces[p][at]);
                if total.value != sum.map(|s| s.to_string()) {
                    return Ok(Err(format!(
                        "{} of {code} is {:?}, not {sum:?}",
                        total.indicator, total.value
                    )));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Compares one district and one commune of each of some provinces, in one month.
    pub(crate) async fn agrees_below(&self, country: &Country, month: Month) -> Outcome<Result<(), String>> {
        for commune in (0..country.communes.len()).step_by(country.communes.len() / 5) {
            let (at, one) = (commune % country.indicators, &country.communes[commune]);
            let of_district: i64 = (0..country.communes.len())
                .filter(|c| country.communes[*c].district == one.district)
                .map(|c| crate::figures::value(c, at, month))
                .sum();
            let own = crate::figures::value(commune, at, month);
            for (code, sum) in [(&country.districts[one.district], of_district), (&one.code, own)] {
                let request = GetTotalsRequest {
                    indicator: indicator(at),
                    unit: code.clone(),
                    period: month.period(),
                    ..GetTotalsRequest::default()
                };
                let total = self.totals(request).await?;
                let said = total.first().and_then(|t| t.value.clone());
                if said.as_deref() != Some(&sum.to_string()) {
                    return Ok(Err(format!("{} of {code} is {said:?}, not {sum}", indicator(at))));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Its resident memory in bytes: now, and at its peak.
    pub(crate) fn memory(&self) -> Outcome<(u64, u64)> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
        };
        let both = of("VmRSS:").zip(of("VmHWM:")).ok_or_else(|| format!("{path} does not say"))?;
        Ok((both.0 * 1024, both.1 * 1024))
    }

    /// Stops it in order.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        told.map_err(|e| e.to_string())?;
        self.child.wait().map_err(|e| e.to_string())?;
        Ok(())
    }
}

/// The position in the receipt that answers a submission.
pub(crate) fn position(answer: Bytes) -> Outcome<i64> {
    let answer = SubmitResponse::decode(answer).map_err(|e| e.to_string())?;
    Ok(answer.receipt.ok_or("no receipt")?.position)
}

impl Drop for System {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
