//! `tonghop verify`: the ledger's chain, and every total from scratch.

use tonghop_proto::aggregation::VerifyRequest;
use tonghop_proto::ingestion::{GetHeadRequest, VerifyChainRequest};

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::output::say;
use crate::progress::Progress;
use crate::trouble::Trouble;
use crate::words;

/// Verifies, and says what was found.
///
/// # Errors
/// Where the chain is broken or a total differs, or it cannot be found out.
pub async fn run(server: ServerArguments) -> Result<(), Trouble> {
    let client = Client::connect(&server).await?;
    let chain = client.ledger().verify_chain(VerifyChainRequest {}).await?.into_inner();
    if !chain.broken.is_empty() {
        return Err(Trouble::refused(format!("the ledger's chain is broken: {}", chain.broken)));
    }
    say(format_args!("ledger   {} entries, every digest holds", words::number(&chain.entries.to_string())));
    say(format_args!("digest   {}", chain.digest));

    let head = client.ledger().get_head(GetHeadRequest::default()).await?.into_inner();
    let mut progress =
        Progress::new("recomputing from the ledger", u64::try_from(head.position).unwrap_or(0), false);
    let mut answers = client.aggregation().verify(VerifyRequest {}).await?.into_inner();
    let last = loop {
        let Some(answer) = answers.message().await? else {
            progress.finish();
            return Err(Trouble::refused("the comparison ended before it was done"));
        };
        progress.reach(u64::try_from(answer.position).unwrap_or(0));
        if answer.done {
            break answer;
        }
    };
    progress.finish();
    if !last.differences.is_empty() {
        let reason = format!(
            "totals differ from what the ledger says, in {} places at position {}{}",
            last.differences.len(),
            last.position,
            if last.differences.len() >= 100 { " or more; here are the first" } else { "" },
        );
        return Err(Trouble::refused(reason).with_findings(last.differences));
    }
    say(format_args!(
        "totals   {} tiles and {} totals recomputed at position {}, no difference",
        words::number(&last.tiles.to_string()),
        words::number(&last.summaries.to_string()),
        last.position
    ));
    Ok(())
}
