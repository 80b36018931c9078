//! `tonghop demo`: the main job in one go, from a province's report to the national view.

mod month;
mod national;
mod report;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tonghop_proto::registry::{Dimension, Indicator, LoadRegistryRequest};

use crate::client::Client;
use crate::commands::registry::key_of;
use crate::commands::totals::document;
use crate::commands::up::{start_at, unless_told, until_told};
use crate::output::{say, say_all};
use crate::rows::Names;
use crate::shipped;
use crate::trouble::Trouble;
use crate::up::Running;
use crate::{json, words};

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Print the totals alone, as JSON.
    #[arg(long)]
    pub json: bool,
    /// Leave it running until Ctrl-C.
    #[arg(long)]
    pub keep: bool,
    /// A directory with registry/ and reports/ in place of what ships.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Address for REST and gRPC; left out, 127.0.0.1:8080 with --keep, else any free port.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
}

/// The period of the national view: the ten years of the programme that the real report looks back on.
const YEARS: &str = "2013..2023";

/// Where the demo prints: nowhere but at its end, where stdout is for a program.
#[derive(Clone, Copy, Debug)]
struct Teller {
    quiet: bool,
}

impl Teller {
    fn say(self, text: impl std::fmt::Display) {
        if !self.quiet {
            say(text);
        }
    }

    fn say_all<T: std::fmt::Display>(self, lines: impl IntoIterator<Item = T>) {
        if !self.quiet {
            say_all(lines);
        }
    }

    fn heading(self, text: &str) {
        self.say("");
        self.say(text);
        self.say("═".repeat(text.chars().count()));
    }
}

/// What the services say of the registry.
#[derive(Debug)]
struct Catalogue {
    indicators: Vec<Indicator>,
    dimensions: Vec<Dimension>,
    names: Names,
}

impl Catalogue {
    async fn of(client: &Client) -> Result<Catalogue, Trouble> {
        let (indicators, dimensions) = (client.indicators().await?, client.dimensions().await?);
        Ok(Catalogue { names: Names::new(&indicators), indicators, dimensions })
    }

    fn indicator(&self, code: &str) -> Option<&Indicator> {
        let short = |i: &&Indicator| i.code == code || i.code.split('-').next() == Some(code);
        self.indicators.iter().find(short)
    }

    /// The Vietnamese name of a member.
    fn member<'a>(&'a self, dimension: &str, member: &'a str) -> &'a str {
        let dimension = self.dimensions.iter().find(|d| d.code == dimension);
        let found = dimension.and_then(|d| d.members.iter().find(|m| m.code == member));
        found.map_or(member, |m| m.name_vi.as_str())
    }
}

/// Runs the demo.
///
/// # Errors
/// Where a step is refused, or what was pushed is not what is read back.
pub async fn run(arguments: DemoArguments) -> Result<(), Trouble> {
    let directory = tempfile::Builder::new()
        .prefix("tonghop-demo-")
        .tempdir()
        .map_err(|error| Trouble::refused(format!("no temporary directory: {error}")))?;
    let port = if arguments.keep { 8080 } else { 0 };
    let listen = arguments.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let running = start_at(directory.path().to_path_buf(), listen).await?;
    let client = running.administered()?;
    let shown = unless_told(show(&client, &arguments, &running)).await;
    drop(client);
    let outcome = match shown {
        Ok(()) if arguments.keep => until_told().await,
        other => other,
    };
    running.stop().await;
    outcome
}

async fn show(client: &Client, arguments: &DemoArguments, running: &Running) -> Result<(), Trouble> {
    let address = running.address;
    let teller = Teller { quiet: arguments.json };
    let began = Instant::now();
    teller.say(format_args!("tonghop demo · temporary data · services on http://{address}"));

    let directory = arguments.data.as_deref();
    load_registry(client, shipped::registry(directory)?, teller).await?;
    let catalogue = Catalogue::of(client).await?;
    let report = report::push(client, directory, teller).await?;
    let month = month::push(client, &catalogue, teller).await?;
    client.rolled_up(month.position, |_| {}).await?;
    teller.say(format_args!(
        "rolled up to position {} after {}",
        month.position,
        words::seconds(began.elapsed())
    ));

    let national = national::show(client, &catalogue, &report.programmes, month.position, teller).await?;
    let provinces = report::show(client, &catalogue, &report, month.position, teller).await?;
    let synthetic = month::show(client, &catalogue, &month, teller).await?;
    if arguments.json {
        say(json::pretty(&document(national.iter().chain(&provinces).map(json::total).chain(synthetic))));
        return Ok(());
    }
    where_next(arguments, running, teller);
    Ok(())
}

async fn load_registry(
    client: &Client,
    tables: std::collections::HashMap<String, Vec<u8>>,
    teller: Teller,
) -> Result<(), Trouble> {
    let mut files: Vec<shipped::File> = tables.clone().into_iter().collect();
    files.sort();
    let loaded = client
        .load_registry(LoadRegistryRequest {
            source: "demo".to_owned(),
            idempotency_key: key_of(&files),
            note: "both maps and the whole catalogue".to_owned(),
            tables,
            dry_run: false,
        })
        .await
        .map_err(|t| t.at("registry"))?;
    teller.say(format_args!("registry loaded at position {}", loaded.position));
    teller.say_all(loaded.changes.iter().take(12).map(|change| format!("  {change}")));
    Ok(())
}

fn where_next(arguments: &DemoArguments, running: &Running, teller: Teller) {
    let address = running.address;
    teller.heading("Where to look next");
    if arguments.keep {
        let url = format!("http://{address}");
        teller.say_all([
            format!("  dashboard   {url}/"),
            format!("  tonghop totals --url {url} --indicator tg01 --unit VN --period {YEARS} --by children"),
            format!("  tonghop explain --url {url} --indicator tt03 --unit VN --period {YEARS}"),
            format!("  tonghop totals --url {url} --unit 19 --period 2024-M05 --by indicators  (SYNTHETIC)"),
            format!("  tonghop verify --url {url} --key-file {}", running.administrator_key.display()),
            format!("  curl '{url}/v1/totals?indicator=tg01&unit=VN&period={YEARS}'"),
            "  Ctrl-C stops it and removes its data.".to_owned(),
        ]);
    } else {
        teller.say_all([
            "  tonghop demo --keep     the same, left running, to be asked over REST and gRPC",
            "  tonghop up              with data that stays; then tonghop registry load data/registry",
            "  tonghop push FILE…      your own report; data/reports/ shows the columns",
        ]);
    }
    teller.say("  README.md, ARCHITECTURE.md   what it is, and the way of one figure through it");
}
