//! `tonghop key`: keys of reporting systems.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use tonghop_proto::access::{IssueKeyRequest, IssueKeyResponse, Key, ListKeysRequest, RevokeKeyRequest};
use uuid::Uuid;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::json;
use crate::output::{say, say_all};
use crate::table::{Align, Table};
use crate::trouble::Trouble;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Give a key to a reporting system. It is shown once.
    Create(CreateArguments),
    /// The keys there are, whether they hold or not.
    List(ListArguments),
    /// Give a key in the place of another, which goes on for a while.
    Rotate(RotateArguments),
    /// Take a key back: from then on it is none.
    Revoke(RevokeArguments),
}

/// What both ways of giving a key take.
#[derive(Debug, Args)]
pub struct MakingArguments {
    /// When it ends: a day, at whose beginning in Việt Nam it does, or a time; a year from now where it is left out.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub expires: String,
    /// A note that stays with it. No names of persons.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub note: String,
    /// Idempotency key: asked for again with the same, no second key is made.
    #[arg(long)]
    pub idempotency_key: Option<String>,
    /// Into a file that only you can read, in place of showing what its holder sends.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub out: Option<PathBuf>,
    /// JSON in the shape of the REST interface.
    #[arg(long)]
    pub json: bool,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What `key create` takes.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// The reporting system, as congan-backan.
    #[arg(long)]
    pub source: String,
    /// What it may do: report, approve, read_internal, administer; separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "report")]
    pub role: Vec<String>,
    /// Codes of units that it holds for, with all below; separated by commas. VN is the nation.
    #[arg(long, value_delimiter = ',')]
    pub unit: Vec<String>,
    /// Sides whose figures it may report, as cong-an; separated by commas. Left out: all.
    #[arg(long, value_delimiter = ',')]
    pub side: Vec<String>,
    /// How it is made.
    #[command(flatten)]
    pub making: MakingArguments,
}

/// What `key rotate` takes.
#[derive(Debug, Args)]
pub struct RotateArguments {
    /// What the key is known by, of which `key list` tells.
    pub id: String,
    /// For how many hours the one that is replaced goes on.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub overlap: u32,
    /// How the new one is made.
    #[command(flatten)]
    pub making: MakingArguments,
}

/// What `key list` takes.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only those of one source.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub source: String,
    /// JSON in the shape of the REST interface.
    #[arg(long)]
    pub json: bool,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What `key revoke` takes.
#[derive(Debug, Args)]
pub struct RevokeArguments {
    /// What the key is known by, of which `key list` tells; what its holder sends is never asked for.
    pub id: String,
    /// Why.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub note: String,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Does what was asked.
///
/// # Errors
/// Where it is refused.
pub async fn run(command: KeyCommand) -> Result<(), Trouble> {
    match command {
        KeyCommand::Create(CreateArguments { source, role, unit, side, making }) => {
            let request = IssueKeyRequest {
                source,
                roles: role,
                units: unit,
                sides: side,
                ..IssueKeyRequest::default()
            };
            make(request, making).await
        }
        KeyCommand::Rotate(RotateArguments { id, overlap, making }) => {
            let request =
                IssueKeyRequest { replaces: id, overlap_hours: Some(overlap), ..IssueKeyRequest::default() };
            make(request, making).await
        }
        KeyCommand::List(arguments) => list(arguments).await,
        KeyCommand::Revoke(arguments) => revoke(arguments).await,
    }
}

async fn make(request: IssueKeyRequest, making: MakingArguments) -> Result<(), Trouble> {
    let client = Client::connect(&making.server).await?;
    // Before there is a key that nobody could keep.
    let out = making.out.as_deref().map(private).transpose()?;
    let request = IssueKeyRequest {
        idempotency_key: making.idempotency_key.unwrap_or_else(|| Uuid::now_v7().to_string()),
        expires_at: making.expires,
        note: making.note,
        ..request
    };
    let given = client.access().issue_key(request).await?.into_inner();
    if making.json {
        say(json::pretty(&answer(&given)));
        return Ok(());
    }
    let key = given.key.clone().unwrap_or_default();
    say_all(lines(&key));
    if given.secret.is_empty() {
        say("it was given before, and what its holder sends was shown then: rotate it where that is lost");
    } else if let (Some(mut out), Some(file)) = (out, &making.out) {
        writeln!(out, "{}", given.secret)
            .and_then(|()| out.sync_all())
            .map_err(|error| unwritten(file, &error))?;
        say(format_args!("what its holder sends is in {}, and kept nowhere else", file.display()));
    } else {
        say("what its holder sends; it is shown this once and kept nowhere:");
        say(&given.secret);
    }
    Ok(())
}

/// A new file that only its owner can read.
fn private(file: &Path) -> Result<File, Trouble> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    opened.map_err(|error| unwritten(file, &error))
}

fn unwritten(file: &Path, error: &std::io::Error) -> Trouble {
    Trouble::refused(format!("{} cannot be written: {error}", file.display()))
}

fn answer(given: &IssueKeyResponse) -> serde_json::Value {
    let mut body =
        json!({ "key": given.key.as_ref().map(shown).unwrap_or_default(), "position": given.position });
    if !given.secret.is_empty() {
        body["secret"] = given.secret.clone().into();
    }
    body
}

fn lines(key: &Key) -> Vec<String> {
    let list = |all: &[String], none: &str| if all.is_empty() { none.to_owned() } else { all.join(", ") };
    let mut lines = vec![
        format!("key {} of {}, {}", key.key, key.source, key.state),
        format!("  roles    {}", list(&key.roles, "none")),
        format!("  units    {}", list(&key.units, "none")),
        format!("  sides    {}", list(&key.sides, "all")),
        format!("  expires  {}", key.expires_at),
    ];
    if !key.replaces.is_empty() {
        lines.push(format!("  replaces {}", key.replaces));
    }
    if !key.revoked_at.is_empty() {
        lines.push(format!("  revoked  {}", key.revoked_at));
    }
    lines
}

fn shown(key: &Key) -> serde_json::Value {
    let some = |text: &str| if text.is_empty() { None } else { Some(text.to_owned()) };
    json!({
        "key": key.key, "state": key.state, "source": key.source, "roles": key.roles, "units": key.units,
        "sides": key.sides, "issued_at": key.issued_at, "expires_at": key.expires_at,
        "revoked_at": some(&key.revoked_at), "replaces": some(&key.replaces), "note": key.note,
    })
}

async fn list(arguments: ListArguments) -> Result<(), Trouble> {
    let client = Client::connect(&arguments.server).await?;
    let mut request = ListKeysRequest { source: arguments.source, ..ListKeysRequest::default() };
    let mut keys = vec![];
    loop {
        let page = client.access().list_keys(request.clone()).await?.into_inner();
        keys.extend(page.keys);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if arguments.json {
        say(json::pretty(&json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>() })));
        return Ok(());
    }
    let l = Align::Left;
    let heads = ["key", "state", "source", "roles", "units", "sides", "expires", "note"];
    let mut table = Table::new(&heads.map(|head| (head, l)));
    for key in keys {
        let sides = if key.sides.is_empty() { "all".to_owned() } else { key.sides.join(",") };
        let (roles, units) = (key.roles.join(","), key.units.join(","));
        table.push(vec![key.key, key.state, key.source, roles, units, sides, key.expires_at, key.note]);
    }
    say_all(table.lines(0));
    Ok(())
}

async fn revoke(arguments: RevokeArguments) -> Result<(), Trouble> {
    let client = Client::connect(&arguments.server).await?;
    let request = RevokeKeyRequest { key: arguments.id, note: arguments.note };
    let revoked = client.access().revoke_key(request).await?.into_inner();
    say_all(lines(&revoked.key.unwrap_or_default()));
    if revoked.replayed {
        say("it was revoked before");
    }
    Ok(())
}
