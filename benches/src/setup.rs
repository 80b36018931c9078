//! Where everything is, and fresh systems to measure.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tempfile::TempDir;
use tonghop_proto::query::GetTotalsRequest;
use tonghop_testkit::postgres::{Database, Postgres};
use tonic::transport::Channel;

use crate::Outcome;
use crate::figures::{Country, Month, indicator};
use crate::system::{Kept, SUBMIT, System, position};
use crate::wire::{call, connect};

/// The database under tonghop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        })
    }
}

/// What all rows need.
pub(crate) struct Setup {
    /// The binary that is measured.
    pub(crate) tonghop: PathBuf,
    /// The registry that ships.
    pub(crate) registry: PathBuf,
    /// On the disk that is measured.
    pub(crate) work: PathBuf,
    /// Python with the peers of `peers.py`; none where it is not to be had.
    pub(crate) python: Option<PathBuf>,
    /// How often everything is done.
    pub(crate) rounds: usize,
    pub(crate) engines: Vec<Engine>,
    pub(crate) country: Country,
    pub(crate) postgres: &'static Postgres,
    /// Of history.
    pub(crate) months: usize,
    /// Works whose name has this in it, of a row that has many.
    pub(crate) only: String,
    /// For how long something steady goes on.
    pub(crate) steady: Duration,
}

/// A system with nothing but the registry in it, and what it is kept in.
pub(crate) struct Fresh {
    pub(crate) system: System,
    pub(crate) directory: TempDir,
    /// Goes with this.
    pub(crate) database: Option<Database>,
}

/// How long a position may take to be rolled up.
const PATIENCE: Duration = Duration::from_secs(900);

impl Setup {
    /// A directory that goes when it is dropped.
    pub(crate) fn directory(&self) -> Outcome<TempDir> {
        tempfile::Builder::new().prefix("bench-").tempdir_in(&self.work).map_err(|e| e.to_string())
    }

    /// A system with nothing but the registry in it.
    pub(crate) async fn fresh(&self, engine: Engine) -> Outcome<Fresh> {
        let directory = self.directory()?;
        let database = (engine == Engine::Postgres).then(|| self.postgres.database());
        let kept = match &database {
            None => Kept::Files(directory.path()),
            Some(database) => Kept::Database(&database.url(), directory.path()),
        };
        let system = System::start(&self.tonghop, kept).await?;
        system.load_registry(&self.registry, self.country.indicators).await?;
        Ok(Fresh { system, directory, database })
    }

    /// Submissions of a month as messages, of so many figures each.
    pub(crate) fn messages(&self, month: Month, figures: usize) -> Vec<Bytes> {
        let parts = self.country.submissions(figures).into_iter();
        let message = |range: std::ops::Range<usize>| {
            let key = format!("{}-{}-{}", month.period(), range.start, range.end);
            Bytes::from(self.country.message(range, month, &key))
        };
        parts.map(message).collect()
    }

    /// Who is measured beside the first: its name with the database it is on.
    pub(crate) fn on(&self, what: &str) -> Vec<(Engine, String)> {
        self.engines.iter().map(|engine| (*engine, format!("{what}, {engine}"))).collect()
    }
}

/// Connections, as many as provinces would push over at once.
pub(crate) async fn connections(url: &str, how_many: usize) -> Outcome<Vec<Channel>> {
    let mut all = Vec::with_capacity(how_many);
    for _ in 0..how_many {
        all.push(connect(url).await?);
    }
    Ok(all)
}

/// Pushes messages over some connections, one after the other on each; the last position.
pub(crate) async fn push_all(channels: &[Channel], messages: &[Bytes]) -> Outcome<i64> {
    let mut under_way = tokio::task::JoinSet::new();
    for (first, channel) in channels.iter().enumerate() {
        let mine: Vec<Bytes> = messages.iter().skip(first).step_by(channels.len()).cloned().collect();
        let channel = channel.clone();
        under_way.spawn(async move {
            let mut last = 0;
            for message in mine {
                last = position(call(&channel, SUBMIT, message).await?)?;
            }
            Ok::<i64, String>(last)
        });
    }
    let mut last = 0;
    while let Some(done) = under_way.join_next().await {
        last = last.max(done.map_err(|e| e.to_string())??);
    }
    Ok(last)
}

/// Asks for the nation's total until everything up to a position is in it.
pub(crate) async fn visible(system: &System, period: &str, position: i64) -> Outcome<()> {
    let begun = Instant::now();
    loop {
        let request = GetTotalsRequest {
            indicator: indicator(0),
            unit: "VN".into(),
            period: period.to_owned(),
            at_least: position,
            ..GetTotalsRequest::default()
        };
        match system.totals(request).await {
            Ok(_) => return Ok(()),
            // A reader waits half a minute at most, and asks again.
            Err(error) if begun.elapsed() > PATIENCE => return Err(error),
            Err(_) => {}
        }
    }
}
