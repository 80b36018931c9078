//! `tonghop load-month`: one month of every commune and core indicator, SYNTHETIC, through the public API; for
//! measuring, and as the documented bulk run.

pub(super) mod plan;
mod reading;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::task::JoinSet;
use tonghop_core::decimal::format_decimal;
use tonghop_core::period::Period;
use tonghop_proto::ingestion::{Figure, SubmitRequest};
use tonghop_proto::query::GetTotalsRequest;
use tonghop_proto::registry::{Indicator, LoadRegistryRequest};
use tonghop_runtime::tls::TlsClientArguments;

use self::plan::Plan;
use crate::arguments::{KeyArguments, ServerArguments};
use crate::client::Client;
use crate::commands::registry::key_of;
use crate::commands::up::{start_at, unless_told};
use crate::output::{say, say_all};
use crate::progress::Progress;
use crate::rows::{self, Names, Shown};
use crate::shipped;
use crate::synthetic::{NOTE, SEED, SOURCE};
use crate::trouble::Trouble;
use crate::up::Running;
use crate::words;

/// What `load-month` takes.
#[derive(Debug, Args)]
pub struct LoadMonthArguments {
    /// The month, in the calendar of the coordination programmes. In 2024-M08 all core indicators are in force,
    /// and every year it lies in ends on the map of before July 2025.
    #[arg(long, default_value = "2024-M08", value_parser = month)]
    pub period: Period,
    /// Address of services that run already; left out, its own are started on temporary data.
    #[arg(long)]
    pub url: Option<String>,
    /// Whose key, where they run already.
    #[command(flatten)]
    pub key: KeyArguments,
    /// TLS of an https:// address.
    #[command(flatten)]
    pub tls: TlsClientArguments,
    /// Loads the same month a year later too, and measures how long it takes to read that one as reported and this one
    /// restated to the map of 1 July 2025: every core indicator in every commune and province.
    #[arg(long)]
    pub restated: bool,
    /// Submissions under way at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
}

fn month(text: &str) -> Result<Period, String> {
    match Period::parse(text) {
        Ok(period @ Period::Month(..)) => Ok(period),
        Ok(_) => Err("a month is wanted, as 2024-M08".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Indicators whose national totals are shown at the end, by short code.
const SHOWN: [&str; 6] = ["tg01", "tt02", "tg09", "ll03", "at11", "ll11"];

/// Pushes the month and measures.
///
/// # Errors
/// Where a submission is refused, or a total is not what was pushed.
pub async fn run(arguments: LoadMonthArguments) -> Result<(), Trouble> {
    if let Some(url) = &arguments.url {
        let (key, tls) = (arguments.key.clone(), arguments.tls.clone());
        let server = ServerArguments { url: url.clone(), key, tls };
        return load(&Client::connect(&server).await?, &arguments, false).await;
    }
    let directory = tempfile::Builder::new()
        .prefix("tonghop-load-")
        .tempdir()
        .map_err(|error| Trouble::refused(format!("no temporary directory: {error}")))?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running: Running = start_at(directory.path().to_path_buf(), listen).await?;
    let client = running.administered()?;
    let outcome = unless_told(load(&client, &arguments, true)).await;
    drop(client);
    running.stop().await;
    outcome
}

async fn load(client: &Client, arguments: &LoadMonthArguments, own: bool) -> Result<(), Trouble> {
    if own {
        load_registry(client).await?;
    }
    let indicators = client.indicators().await?;
    let (plan, position) = load_one(client, &indicators, arguments, arguments.period, own).await?;
    if arguments.restated {
        let later = reading::a_year_later(arguments.period);
        let (after, position) = load_one(client, &indicators, arguments, later, false)
            .await
            .map(|(p, at)| (p, at.max(position)))?;
        reading::compare(client, &plan, &after, position).await?;
    }
    Ok(())
}

/// Loads one month and measures; its plan, and the position up to which it is in.
async fn load_one(
    client: &Client,
    indicators: &[Indicator],
    arguments: &LoadMonthArguments,
    month: Period,
    own: bool,
) -> Result<(Arc<Plan>, i64), Trouble> {
    let plan = Plan::make(client, indicators, month).await?;
    say(format_args!(
        "SYNTHETIC month {}: {} units in {} submissions, {} core indicators in force of {}",
        month,
        words::number(&plan.units.to_string()),
        words::number(&plan.batches.len().to_string()),
        plan.lines.len(),
        plan.core
    ));
    say_all(plan.left_out.iter().map(|why| format!("  left out: {why}")));

    let began = Instant::now();
    let plan = Arc::new(plan);
    let pushed = push_all(client, &plan, month, arguments.concurrency).await?;
    let acknowledged = began.elapsed();
    let mut progress = Progress::new("rolling up", u64::try_from(pushed.position).unwrap_or(0), false);
    client.rolled_up(pushed.position, |at| progress.reach(u64::try_from(at).unwrap_or(0))).await?;
    progress.finish();
    measured(&pushed, acknowledged, began.elapsed(), own);
    show_totals(client, &plan, &pushed, &Names::new(indicators), own).await?;
    Ok((plan, pushed.position))
}

async fn load_registry(client: &Client) -> Result<(), Trouble> {
    let tables = shipped::registry(None)?;
    let mut files: Vec<shipped::File> = tables.clone().into_iter().collect();
    files.sort();
    let loaded = client
        .load_registry(LoadRegistryRequest {
            source: "load-month".to_owned(),
            idempotency_key: key_of(&files),
            tables,
            ..LoadRegistryRequest::default()
        })
        .await?;
    say(format_args!("registry loaded at position {}", loaded.position));
    Ok(())
}

/// What was pushed, summed up.
struct Pushed {
    position: i64,
    submissions: u64,
    figures: u64,
    replayed: u64,
    /// Sum of each line over all units, in units of the last decimal.
    sums: Vec<u64>,
}

async fn push_all(
    client: &Client,
    plan: &Arc<Plan>,
    period: Period,
    concurrency: u8,
) -> Result<Pushed, Trouble> {
    let mut pushed =
        Pushed { position: 0, submissions: 0, figures: 0, replayed: 0, sums: vec![0; plan.lines.len()] };
    let mut progress = Progress::new("SYNTHETIC submissions", plan.batches.len() as u64, false);
    let mut under_way = JoinSet::new();
    let mut next = 0;
    loop {
        while next < plan.batches.len() && under_way.len() < usize::from(concurrency) {
            let (client, plan, at) = (client.clone(), Arc::clone(plan), next);
            under_way.spawn(async move { push(&client, &plan, at, period).await });
            next += 1;
        }
        let Some(done) = under_way.join_next().await else { break };
        let one = done.map_err(|error| Trouble::refused(format!("a submission broke off: {error}")))??;
        pushed.position = pushed.position.max(one.position);
        pushed.submissions += 1;
        pushed.figures += one.figures;
        pushed.replayed += one.replayed;
        for (sum, more) in pushed.sums.iter_mut().zip(one.sums) {
            *sum += more;
        }
        progress.step();
    }
    progress.finish();
    Ok(pushed)
}

async fn push(client: &Client, plan: &Plan, at: usize, period: Period) -> Result<Pushed, Trouble> {
    let batch = &plan.batches[at];
    let (figures, sums): (Vec<Figure>, Vec<u64>) = plan.figures(batch);
    let count = figures.len() as u64;
    let response = client
        .submit(SubmitRequest {
            idempotency_key: format!("synthetic-load-{SEED:x}-{period}-{}-{}", batch.level, batch.code),
            source: SOURCE.to_owned(),
            note: NOTE.to_owned(),
            figures,
            ..SubmitRequest::default()
        })
        .await
        .map_err(|trouble| trouble.at(&format!("SYNTHETIC submission of {} {}", batch.level, batch.code)))?;
    Ok(Pushed {
        position: response.receipt.map_or(0, |r| r.position),
        submissions: 1,
        figures: count,
        replayed: u64::from(response.replayed),
        sums,
    })
}

fn measured(pushed: &Pushed, acknowledged: Duration, rolled_up: Duration, own: bool) {
    let replayed = match pushed.replayed {
        0 => String::new(),
        n => format!(", {} of them taken before", words::number(&n.to_string())),
    };
    say(format_args!("submissions   {}{replayed}", words::number(&pushed.submissions.to_string())));
    say(format_args!("figures       {}", words::number(&pushed.figures.to_string())));
    say(format_args!("acknowledged  {}", words::seconds(acknowledged)));
    say(format_args!("rolled up     {}", words::seconds(rolled_up)));
    if own {
        match std::fs::read_to_string("/proc/self/status").ok().as_deref().and_then(peak) {
            Some(peak) => say(format_args!("peak memory   {peak}, services and this client together")),
            None => say("peak memory   not known on this system"),
        }
    }
}

/// The peak of resident memory from a process's status.
fn peak(status: &str) -> Option<String> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(format!("{} MiB", words::number(&(kilobytes / 1024).to_string())))
}

/// Shows a few national totals; where nothing else is in the ledger they must be what was pushed.
async fn show_totals(
    client: &Client,
    plan: &Plan,
    pushed: &Pushed,
    names: &Names,
    own: bool,
) -> Result<(), Trouble> {
    let (mut totals, mut wrong) = (vec![], vec![]);
    for short in SHOWN {
        let found = plan.lines.iter().position(|l| l.indicator.split('-').next() == Some(short));
        let Some(at) = found else { continue };
        let line = &plan.lines[at];
        let request = GetTotalsRequest {
            indicator: line.indicator.clone(),
            unit: "VN".to_owned(),
            period: line.period.clone(),
            breakdown: plan.sides[at].clone(),
            at_least: pushed.position,
            ..GetTotalsRequest::default()
        };
        let expected = format_decimal(i128::from(pushed.sums[at]), line.decimals);
        for total in client.totals(request).await?.1 {
            if own && total.value.as_deref() != Some(expected.as_str()) {
                let got = total.value.clone().unwrap_or_else(|| total.reason.clone());
                wrong.push(format!("{}: the total is {got}, {expected} was pushed", line.indicator));
            }
            totals.push(total);
        }
    }
    say("SYNTHETIC national totals:");
    let shown = Shown { unit: false, ..Shown::ALL };
    say_all(rows::totals(&totals, names, shown));
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Trouble::refused("national totals are not what was pushed").with_findings(wrong))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_a_process_status() {
        assert_eq!(
            peak("Name:\ttonghop\nVmHWM:\t 1234567 kB\nVmRSS:\t 1 kB\n").as_deref(),
            Some("1.205 MiB")
        );
        assert_eq!(peak("Name:\ttonghop\n"), None);
    }

    #[test]
    fn only_a_month_is_a_month() {
        assert_eq!(month("2024-M05"), Ok(Period::Month(2024, 5)));
        assert!(month("2024").is_err());
        assert!(month("May").is_err());
    }
}
