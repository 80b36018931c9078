//! `tonghop review`: names for what the totals were.

use clap::{Args, Subcommand};
use serde_json::json;
use tonghop_proto::ingestion::FreezeReviewRequest;
use tonghop_proto::query::ListReviewsRequest;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::json;
use crate::output::{say, say_all};
use crate::table::{Align, Table};
use crate::trouble::Trouble;

/// What can be done with reviews.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// Give a name to everything there is, or there was up to a position: questions asked with --review NAME are
    /// answered the same for ever.
    Freeze(FreezeArguments),
    /// Which reviews there are.
    List(ListArguments),
}

/// What `review freeze` takes.
#[derive(Debug, Args)]
pub struct FreezeArguments {
    /// Its name, a short code: so-ket-2028.
    pub name: String,
    /// The position of the ledger; everything there is, where it is left out.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub position: i64,
    /// What people are to read.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub note: String,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What `review list` takes.
#[derive(Debug, Args)]
pub struct ListArguments {
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
pub async fn run(command: ReviewCommand) -> Result<(), Trouble> {
    match command {
        ReviewCommand::Freeze(arguments) => freeze(arguments).await,
        ReviewCommand::List(arguments) => list(arguments).await,
    }
}

async fn freeze(arguments: FreezeArguments) -> Result<(), Trouble> {
    let client = Client::connect(&arguments.server).await?;
    let FreezeArguments { name, position, note, .. } = arguments;
    let frozen = client.ingestion().freeze_review(FreezeReviewRequest { name, position, note }).await?;
    let frozen = frozen.into_inner();
    let was = if frozen.replayed { "was frozen before" } else { "is frozen" };
    say(format_args!("review {} {was}: everything up to position {}", frozen.name, frozen.position));
    if let Some(receipt) = &frozen.receipt {
        say(format_args!(
            "receipt {} at position {}, digest {}",
            receipt.id, receipt.position, receipt.digest
        ));
    }
    Ok(())
}

async fn list(arguments: ListArguments) -> Result<(), Trouble> {
    let client = Client::connect(&arguments.server).await?;
    let (mut request, mut reviews) = (ListReviewsRequest::default(), vec![]);
    loop {
        let page = client.query().list_reviews(request.clone()).await?.into_inner();
        reviews.extend(page.reviews);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if arguments.json {
        say(json::pretty(&json!({ "reviews": reviews.iter().map(json::review).collect::<Vec<_>>() })));
        return Ok(());
    }
    let (l, r) = (Align::Left, Align::Right);
    let mut table = Table::new(&[("name", l), ("position", r), ("frozen", l), ("note", l)]);
    for review in reviews {
        table.push(vec![review.name, review.position.to_string(), review.frozen_at, review.note]);
    }
    say_all(table.lines(0));
    Ok(())
}
