//! `tonghop report`: what is done with units' reports, and which there are.

use clap::{Args, Subcommand};
use tonghop_proto::ingestion::{ActOnReportsRequest, ListReportsRequest};
use tonghop_proto::json::reports as shown;
use uuid::Uuid;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::json;
use crate::output::{say, say_all};
use crate::table::{Align, Table};
use crate::trouble::Trouble;

/// What can be done with reports.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Hand reports in.
    Submit(ActArguments),
    /// Approve them: each level above in its turn.
    Approve(ApproveArguments),
    /// Give them back, with a reason.
    Return(ActArguments),
    /// Open them again.
    Reopen(ActArguments),
    /// Close a period: figures of these units and all below them are taken no more.
    Close(ActArguments),
    /// Open a closed period again, for good or until a time.
    Open(OpenArguments),
    /// Which reports there are, and what became of them.
    List(ListArguments),
}

/// What every act takes.
#[derive(Debug, Args)]
pub struct ActArguments {
    /// Code of the regime.
    #[arg(long)]
    pub regime: String,
    /// A period of the regime.
    #[arg(long)]
    pub period: String,
    /// Codes of units, separated by commas.
    #[arg(long, value_delimiter = ',', required_unless_present = "below", conflicts_with = "below")]
    pub units: Vec<String>,
    /// All that report below this unit, itself included.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub below: String,
    /// Why; nothing is returned without a reason.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// The idempotency key; a new one where it is left out.
    #[arg(long)]
    pub idempotency_key: Option<String>,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What `report approve` takes.
#[derive(Debug, Args)]
pub struct ApproveArguments {
    /// In the name of which level; of whichever is next, where it is left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub level: String,
    /// What every act takes.
    #[command(flatten)]
    pub act: ActArguments,
}

/// What `report open` takes.
#[derive(Debug, Args)]
pub struct OpenArguments {
    /// Until when, as 2026-12-05T17:00:00+07:00; for good, where it is left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub until: String,
    /// What every act takes.
    #[command(flatten)]
    pub act: ActArguments,
}

/// What `report list` takes.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Code of the regime.
    #[arg(long)]
    pub regime: String,
    /// A period of the regime.
    #[arg(long)]
    pub period: String,
    /// The unit and those below it; the nation, where it is left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub unit: String,
    /// Only those in this state: open, returned, submitted, approved, published.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub state: String,
    /// Also all that happened to each; with --json.
    #[arg(long, requires = "json")]
    pub history: bool,
    /// JSON in the shape of the REST interface.
    #[arg(long)]
    pub json: bool,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Does what was asked.
///
/// # Errors
/// Where it is refused.
pub async fn run(command: ReportCommand) -> Result<(), Trouble> {
    match command {
        ReportCommand::Submit(arguments) => act("submit", arguments, "", "").await,
        ReportCommand::Approve(ApproveArguments { level, act: arguments }) => {
            act("approve", arguments, &level, "").await
        }
        ReportCommand::Return(arguments) => act("return", arguments, "", "").await,
        ReportCommand::Reopen(arguments) => act("reopen", arguments, "", "").await,
        ReportCommand::Close(arguments) => act("close", arguments, "", "").await,
        ReportCommand::Open(OpenArguments { until, act: arguments }) => {
            act("open", arguments, "", &until).await
        }
        ReportCommand::List(arguments) => list(arguments).await,
    }
}

async fn act(act: &str, arguments: ActArguments, level: &str, until: &str) -> Result<(), Trouble> {
    let client = Client::connect(&arguments.server).await?;
    let request = ActOnReportsRequest {
        idempotency_key: arguments.idempotency_key.unwrap_or_else(|| Uuid::now_v7().to_string()),
        act: act.to_owned(),
        regime: arguments.regime,
        period: arguments.period,
        units: arguments.units,
        below: arguments.below,
        level: level.to_owned(),
        reason: arguments.reason,
        until: until.to_owned(),
    };
    let acted = client.act_on_reports(request).await?;
    for count in &acted.states {
        let by = if count.level.is_empty() { String::new() } else { format!(" by {}", count.level) };
        let units = if count.units == 1 { "unit" } else { "units" };
        let was = if acted.replayed { " (as before, under the same key)" } else { "" };
        say(format_args!("{} {units}: {}{by}{was}", count.units, count.state));
    }
    if let Some(receipt) = &acted.receipt {
        let (id, position, digest) = (&receipt.id, receipt.position, &receipt.digest);
        say(format_args!("receipt {id} at position {position}, digest {digest}"));
    }
    Ok(())
}

async fn list(arguments: ListArguments) -> Result<(), Trouble> {
    let client = Client::connect(&arguments.server).await?;
    let mut request = ListReportsRequest {
        regime: arguments.regime,
        period: arguments.period,
        unit: arguments.unit,
        state: arguments.state,
        history: arguments.history,
        ..ListReportsRequest::default()
    };
    let mut whole = client.reports().list_reports(request.clone()).await?.into_inner();
    while !whole.next_page_token.is_empty() {
        request.page_token = std::mem::take(&mut whole.next_page_token);
        let page = client.reports().list_reports(request.clone()).await?.into_inner();
        whole.reports.extend(page.reports);
        whole.next_page_token = page.next_page_token;
    }
    if arguments.json {
        say(json::pretty(&shown::reports(&whole)));
        return Ok(());
    }
    let l = Align::Left;
    let mut table = Table::new(&[
        ("unit", l),
        ("name", l),
        ("state", l),
        ("awaits", l),
        ("since", l),
        ("by", l),
        ("reason", l),
    ]);
    for report in whole.reports {
        let state = match report.approved_by.as_str() {
            "" => report.state,
            by => format!("{} by {by}", report.state),
        };
        let row =
            vec![report.unit, report.name, state, report.awaits, report.since, report.by, report.reason];
        table.push(row);
    }
    say_all(table.lines(0));
    for closing in whole.closings {
        let until =
            if closing.until.is_empty() { String::new() } else { format!(" until {}", closing.until) };
        let by = if closing.by.is_empty() { String::new() } else { format!(" by {}", closing.by) };
        say(format_args!("{} {}{until} at {}{by}", closing.unit, closing.state, closing.at));
    }
    Ok(())
}
