//! Row 5: reading totals, warm and cold, over gRPC and REST.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use tokio::task::JoinSet;
use tonghop_proto::query::GetTotalsRequest;
use tonic::transport::Channel;

use crate::Outcome;
use crate::figures::{Month, indicator};
use crate::peers::echo::{ECHO, Echoing, question};
use crate::peers::point::{self, Called};
use crate::registry::PROGRAMME;
use crate::rows::month::SUBMISSION;
use crate::setup::{Fresh, Setup, connections, push_all};
use crate::system::GET_TOTALS;
use crate::table::{Table, percentile};
use crate::wire::{Http, call, call_each};

/// Connections of gRPC clients, over which calls are spread.
const CONNECTIONS: usize = 2;
/// What costs a call through tonghop's port and nothing else.
const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// Callers of a dashboard at once.
const CALLERS: usize = 200;

fn ask(indicator_at: usize, unit: &str, period: &str) -> GetTotalsRequest {
    GetTotalsRequest {
        indicator: indicator(indicator_at),
        unit: unit.to_owned(),
        period: period.to_owned(),
        ..GetTotalsRequest::default()
    }
}

fn encoded(request: &GetTotalsRequest) -> Bytes {
    request.encode_to_vec().into()
}

/// Calls one after the other on each of some lanes, for a while; calls a second, and how long each took in ms.
async fn calls(
    channels: &[Channel],
    in_flight: usize,
    method: &'static str,
    questions: Arc<Vec<Bytes>>,
    lasting: Duration,
    pause: Duration,
) -> Outcome<(f64, Vec<f64>)> {
    let mut lanes = JoinSet::new();
    let begun = Instant::now();
    for lane in 0..in_flight {
        let (channel, questions) = (channels[lane % channels.len()].clone(), Arc::clone(&questions));
        lanes.spawn(async move {
            let mut took = Vec::new();
            let mut next = lane;
            // Callers do not come all at once.
            tokio::time::sleep(pause * lane as u32 / in_flight as u32).await;
            while begun.elapsed() < lasting {
                let asked = Instant::now();
                call(&channel, method, questions[next % questions.len()].clone()).await?;
                took.push(asked.elapsed().as_secs_f64() * 1000.0);
                next += in_flight;
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
            Ok::<_, String>(took)
        });
    }
    let mut all = Vec::new();
    while let Some(lane) = lanes.join_next().await {
        all.extend(lane.map_err(|e| e.to_string())??);
    }
    Ok((all.len() as f64 / begun.elapsed().as_secs_f64(), all))
}

/// The same over HTTP/1.1, a connection for each lane.
async fn gets(url: &str, in_flight: usize, path: &str, lasting: Duration) -> Outcome<f64> {
    let mut lanes = JoinSet::new();
    let mut https = Vec::new();
    for _ in 0..in_flight {
        https.push(Http::connect(url).await?);
    }
    let begun = Instant::now();
    for mut http in https {
        let path = path.to_owned();
        lanes.spawn(async move {
            let mut count = 0_u64;
            while begun.elapsed() < lasting {
                http.ask("GET", &path, &[], Bytes::new()).await?;
                count += 1;
            }
            Ok::<_, String>(count)
        });
    }
    let mut all = 0;
    while let Some(lane) = lanes.join_next().await {
        all += lane.map_err(|e| e.to_string())??;
    }
    Ok(all as f64 / begun.elapsed().as_secs_f64())
}

/// Measures it.
pub(crate) async fn run(setup: &Setup) -> Outcome<Vec<Table>> {
    let country = &setup.country;
    let month = Month::of(2024, 0);
    let lasting = Duration::from_millis(if setup.rounds == 1 { 500 } else { 1500 });
    let echo = Echoing::start()?;
    let echo_channels = connections(&echo.grpc, CONNECTIONS).await?;
    let mut systems = Vec::new();
    for (engine, name) in setup.on("tonghop") {
        let fresh = setup.fresh(engine).await?;
        let channels = connections(&fresh.system.url, CONNECTIONS).await?;
        let last = push_all(&channels, &setup.messages(month, SUBMISSION)).await?;
        fresh.system.rolled_up(last).await?;
        systems.push((engine, name, fresh, channels));
    }
    let Some((_, _, first, _)) = systems.first() else { return Ok(vec![]) };
    let period = month.period();
    let one = encoded(&ask(0, "VN", &period));
    let provinces = encoded(&GetTotalsRequest { by: "children".into(), ..ask(0, "VN", &period) });
    let programme = |unit: &str| {
        encoded(&GetTotalsRequest {
            indicator: String::new(),
            programme: PROGRAMME.into(),
            by: "indicators".into(),
            ..ask(0, unit, &period)
        })
    };
    let size = async |question: &Bytes| -> Outcome<usize> {
        Ok(call(&first.system.channel, GET_TOTALS, question.clone()).await?.len())
    };
    let mut tables = Vec::new();
    for (what, asked, wanted) in
        [("one total", &one, 0.85), ("all 63 provinces of an indicator", &provinces, 0.6)]
    {
        let answer = size(asked).await?;
        let bare = Arc::new(vec![question(asked.len(), answer)]);
        let asked = Arc::new(vec![asked.clone()]);
        for in_flight in [1, 16, 64] {
            let work = format!("{what} over gRPC, {in_flight} in flight");
            if !work.contains(&setup.only) {
                continue;
            }
            let mut table = Table::new(5, work, "/s", &["bare tonic echo"]);
            table.notes.push(format!("answers of {answer} bytes; warm; {CONNECTIONS} connections"));
            for _ in 0..setup.rounds {
                let (rate, _) =
                    calls(&echo_channels, in_flight, ECHO, Arc::clone(&bare), lasting, Duration::ZERO)
                        .await?;
                table.of("bare tonic echo").values.push(rate);
                for (_, name, _, channels) in &systems {
                    let (rate, _) =
                        calls(channels, in_flight, GET_TOTALS, Arc::clone(&asked), lasting, Duration::ZERO)
                            .await?;
                    table.of(name).values.push(rate);
                }
                let health = Arc::new(vec![Bytes::new()]);
                let (rate, _) =
                    calls(&systems[0].3, in_flight, HEALTH, health, lasting, Duration::ZERO).await?;
                table.of("tonghop's health check, which looks nothing up").values.push(rate);
            }
            said(&table);
            for (_, name, ..) in &systems {
                table.at_least(name, Some("bare tonic echo"), wanted);
            }
            tables.push(table);
        }
    }
    if "one total over REST".contains(&setup.only) {
        tables.push(rest(setup, &systems, &echo, &period, lasting).await?);
    }
    if "cold".contains(&setup.only) {
        let echo = Called { channels: echo_channels, question: question(one.len(), size(&one).await?) };
        tables.extend(cold(setup, &systems, &echo, lasting).await?);
    }
    if !"programme".contains(&setup.only) {
        return Ok(tables);
    }

    let mut table = Table::new(
        5,
        format!("all {} indicators of a programme in one call, {CALLERS} callers", country.indicators),
        "ms",
        &[],
    );
    let units: Vec<Bytes> =
        std::iter::once("VN").chain(country.provinces.iter().map(String::as_str)).map(programme).collect();
    table.notes.push(format!(
        "answers of about {} bytes, of the nation and of every province in turn; each caller asks again 200 ms after the \
         answer, and, beside it, at once",
        size(&units[0]).await?
    ));
    let units = Arc::new(units);
    for _ in 0..setup.rounds {
        for (_, name, _, channels) in &systems {
            for (how, pause) in [("", Duration::from_millis(200)), (", at once", Duration::ZERO)] {
                let (rate, mut took) =
                    calls(channels, CALLERS, GET_TOTALS, Arc::clone(&units), lasting * 2, pause).await?;
                let p99 = percentile(&mut took, 99);
                eprintln!("  {name}{how}: programme p99 {p99:.1} ms at {rate:.0}/s");
                table.of(&format!("{name}, p50{how}")).values.push(percentile(&mut took, 50));
                table.of(&format!("{name}, p99{how}")).values.push(p99);
            }
        }
    }
    for (_, name, ..) in &systems {
        table.at_most(&format!("{name}, p99"), None, 20.0);
    }
    tables.push(table);
    Ok(tables)
}

type Systems = [(crate::setup::Engine, String, Fresh, Vec<Channel>)];

/// One total over REST.
async fn rest(
    setup: &Setup,
    systems: &Systems,
    echo: &Echoing,
    period: &str,
    lasting: Duration,
) -> Outcome<Table> {
    let path = format!("/v1/totals?indicator={}&unit=VN&period={period}", indicator(0));
    let Some((_, _, first, _)) = systems.first() else { return Err("no system".to_owned()) };
    let answer = first.system.http().await?.ask("GET", &path, &[], Bytes::new()).await?;
    let mut table = Table::new(5, "one total over REST, 16 connections", "/s", &["bare axum answer"]);
    table.notes.push(format!("answers of {} bytes, warm", answer.len()));
    for _ in 0..setup.rounds {
        let rate = gets(&echo.http, 16, &format!("/json/{}", answer.len()), lasting).await?;
        table.of("bare axum answer").values.push(rate);
        for (_, name, fresh, _) in systems {
            table.of(name).values.push(gets(&fresh.system.url, 16, &path, lasting).await?);
        }
    }
    said(&table);
    for (_, name, ..) in systems {
        table.at_least(name, Some("bare axum answer"), 0.7);
    }
    Ok(table)
}

/// Totals that nobody has asked for before.
async fn cold(setup: &Setup, systems: &Systems, echo: &Called, lasting: Duration) -> Outcome<Vec<Table>> {
    let country = &setup.country;
    let mut tables = Vec::new();
    for (engine, name, _, channels) in systems {
        let sqlx = format!("sqlx, point read, {engine}");
        let both = format!("sqlx, point read, and a bare tonic echo, {engine}");
        let mut table =
            Table::new(5, format!("one total nobody has asked for, {engine}, 16 in flight"), "/s", &[&sqlx]);
        table
            .notes
            .push("sqlx reads a row of the same size by its key, in the client's own process; with the echo it is what a service that does nothing else comes to".to_owned());
        let point = point::Point::new(setup, *engine).await?;
        let mut questions: Vec<Bytes> = Vec::new();
        for period in ["2024-M01", "2024-Q1", "2024-H1", "2024-9M", "2024"] {
            for at in 0..country.indicators {
                let units = std::iter::once("VN").chain(country.provinces.iter().map(String::as_str));
                questions.extend(units.map(|unit| encoded(&ask(at, unit, period))));
            }
        }
        let mut from = 0;
        for _ in 0..setup.rounds {
            table.of(&sqlx).values.push(point.rate(16, lasting, None).await?);
            table.of(&both).values.push(point.rate(16, lasting, Some(echo)).await?);
            // Each is asked once: as many as may be needed, and no more than there are.
            let these: Vec<Bytes> =
                questions.iter().skip(from).take(questions.len() / setup.rounds).cloned().collect();
            from += these.len();
            let begun = Instant::now();
            let count = these.len();
            call_each(channels, 16, GET_TOTALS, these).await?;
            table.of(name).values.push(count as f64 / begun.elapsed().as_secs_f64());
        }
        said(&table);
        table.at_least(name, Some(&sqlx), 0.5);
        tables.push(table);
    }
    Ok(tables)
}

fn said(table: &Table) {
    for one in &table.contestants {
        let values: Vec<String> = one.values.iter().map(|v| format!("{v:.0}")).collect();
        eprintln!("  {}: {}: {}", table.work, one.name, values.join(" "));
    }
}
