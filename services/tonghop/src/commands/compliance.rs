//! `tonghop compliance`: who owes a report, by when, and what became of it.

use clap::Args;
use tonghop_proto::json::reports as shown;
use tonghop_proto::query::GetComplianceRequest;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::json;
use crate::output::{say, say_all};
use crate::table::{Align, Table};
use crate::trouble::Trouble;

/// What `compliance` takes.
#[derive(Debug, Args)]
pub struct ComplianceArguments {
    /// Code of the regime.
    #[arg(long)]
    pub regime: String,
    /// A period of the regime.
    #[arg(long)]
    pub period: String,
    /// The unit and those below it; the nation, where it is left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub unit: String,
    /// Whose part is meant: the level that reports, where it is left out, or one that approves.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub level: String,
    /// Only these: due, late, returned, submitted, approved, published; of a level that approves due, late, waiting, done.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub state: String,
    /// Wait until everything up to this position is in.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub at_least: i64,
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
pub async fn run(arguments: ComplianceArguments) -> Result<(), Trouble> {
    let client = Client::connect(&arguments.server).await?;
    let mut request = GetComplianceRequest {
        regime: arguments.regime,
        period: arguments.period,
        unit: arguments.unit,
        level: arguments.level,
        state: arguments.state,
        at_least: arguments.at_least,
        ..GetComplianceRequest::default()
    };
    let mut whole = client.query().get_compliance(request.clone()).await?.into_inner();
    while !whole.next_page_token.is_empty() {
        request.page_token = std::mem::take(&mut whole.next_page_token);
        let page = client.query().get_compliance(request.clone()).await?.into_inner();
        whole.units.extend(page.units);
        whole.next_page_token = page.next_page_token;
    }
    if arguments.json {
        say(json::pretty(&shown::compliance(&whole)));
        return Ok(());
    }
    let counts: Vec<String> =
        whole.counts.iter().map(|count| format!("{} {}", count.units, count.state)).collect();
    let due =
        if whole.due.is_empty() { "no day is laid down".to_owned() } else { format!("due {}", whole.due) };
    say(format_args!("on {}, {due}: {}", whole.on, counts.join(", ")));
    let (l, r) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("unit", l),
        ("name", l),
        ("state", l),
        ("days late", r),
        ("awaits", l),
        ("figures of", r),
        ("reason", l),
    ]);
    for owed in whole.units {
        let unit = owed.unit.unwrap_or_default();
        let has = match owed.reports {
            0 => format!("{} of {}", owed.indicators_reported, owed.indicators),
            reports => format!("{} of {reports} reports", owed.approved),
        };
        let days = owed.days_late.map(|days| days.to_string()).unwrap_or_default();
        table.push(vec![unit.code, unit.name, owed.state, days, owed.awaits, has, owed.reason]);
    }
    say_all(table.lines(0));
    Ok(())
}
