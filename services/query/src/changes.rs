//! What changes, as it changes.
//!
//! What is told is looked up in the totals themselves: everything that was changed after the last position told. The
//! word that something moved only says when to look. So nothing is missed whatever becomes of that word, a slow reader
//! is told in one message what many pushes changed, and anybody may go on from any position, at any replica.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonghop_access::Caller;
use tonghop_core::figure::Series;
use tonghop_core::indicator::Kind;
use tonghop_core::period::Period;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::{Changed, TileSelect};
use tracing::Instrument;

use crate::moment::When;
use crate::read::read_tile;
use crate::sight::Sight;
use crate::territory::Territory;
use crate::{Query, View, ask, store_failure};

/// Between two messages to one reader at least: what changes meanwhile is told together.
const PAUSE: Duration = Duration::from_millis(100);
/// How soon a reader's database is tried again that did not answer.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is looked whether a reader's key still holds, where nothing moves.
const LOOK_AT_KEY: Duration = Duration::from_secs(1);
/// Indicators that one reader may name.
const MOST_INDICATORS: usize = 200;
/// Tiles that are gone through for one message.
const MOST_TILES: u64 = 20_000;
/// Tiles that are opened for one message, to see whose figures changed.
const MOST_OPENED: usize = 2000;
/// Changes listed in one message.
const MOST_CHANGES: usize = 1000;

/// What somebody wants to hear of.
#[derive(Clone, Debug)]
struct Asked {
    /// Codes of indicators as they were named.
    indicators: Vec<String>,
    unit: String,
}

/// Changes that go on as long as somebody hears them.
pub(crate) type Changes = ReceiverStream<Result<pb::WatchResponse, Failure>>;

impl Query {
    /// What changes of what is asked for, from a position on. The stream ends with a failure where this replica goes
    /// away: whoever watches calls again, from the position of the last message.
    ///
    /// # Errors
    /// What is wrong with the request, or that the caller may not ask it; where the totals cannot be read now.
    pub(crate) async fn changes(
        self: &Arc<Self>,
        caller: Caller,
        request: pb::WatchRequest,
    ) -> Result<Changes, Failure> {
        let from = request.from;
        if let Some(from) = from.filter(|from| *from < 0) {
            return Err(ask::finding(
                FailureKind::NotUnderstood,
                "malformed_position",
                "from",
                from.to_string(),
                Text::of("một vị trí của sổ cái, từ 0", "a position of the ledger, from 0"),
                Text::of(
                    "bỏ trống để nghe những thay đổi từ bây giờ",
                    "leave it out to hear of what changes from now on",
                ),
            ));
        }
        let words = ask::list("indicator", &request.indicator, MOST_INDICATORS)?;
        let asked = Asked { indicators: words.into_iter().map(str::to_owned).collect(), unit: request.unit };
        let view = self.view(&caller, When::default()).await?;
        asked.check(&view.sight)?;
        let now = view.position();
        let told = from.unwrap_or(now);
        // The first message says where the stream begins.
        let first = match told.cmp(&now) {
            std::cmp::Ordering::Less => Some(view.changes_after(told, &asked).await?),
            std::cmp::Ordering::Equal => Some(Heard::default().message(&view)),
            std::cmp::Ordering::Greater => None,
        };
        drop(view);
        // One at a time: what a slow reader has not taken yet is told with what came since.
        let (sender, receiver) = mpsc::channel(1);
        let this = Arc::clone(self);
        let watching = async move {
            tokio::select! {
                () = sender.closed() => {}
                // Who reads slowly does not keep the process.
                () = this.stop.told() => drop(sender.try_send(Err(Failure::stopping()))),
                () = this.tell(&sender, &caller, &asked, first, told) => {}
            }
        };
        tokio::spawn(watching.in_current_span());
        Ok(ReceiverStream::new(receiver))
    }

    /// Tells one reader, until it has gone.
    async fn tell(
        &self,
        sender: &mpsc::Sender<Result<pb::WatchResponse, Failure>>,
        caller: &Caller,
        asked: &Asked,
        mut next: Option<pb::WatchResponse>,
        mut told: i64,
    ) {
        let mut reached = self.reached.subscribe();
        let mut is_first = next.is_none();
        loop {
            if let Some(message) = next.take() {
                told = message.as_of.as_ref().map_or(told, |as_of| as_of.position);
                if sender.send(Ok(message)).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
            // Its sender lives as long as this service. A key may be taken back while nothing moves.
            let moves = reached.wait_for(|reached| *reached > told || (is_first && *reached == told));
            let moved = tokio::time::timeout(LOOK_AT_KEY, moves).await.map(|moved| moved.is_ok());
            match moved {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => match caller.still(&self.authority.keys(), (self.now)()) {
                    Ok(()) => continue,
                    Err(failure) => {
                        let _ = sender.send(Err(failure)).await;
                        return;
                    }
                },
            }
            // A place is taken before it is looked, so that what is told is not old when it is taken.
            let Ok(place) = sender.reserve().await else { return };
            let looked = async {
                let view = self.view(caller, When::default()).await?;
                // The word may come before the database shows it.
                if view.position() < told || (view.position() == told && !is_first) {
                    return Ok(None);
                }
                view.changes_after(told, asked).await.map(Some)
            };
            match looked.await {
                Ok(Some(message)) if is_first || !message.changes.is_empty() || message.everything => {
                    (is_first, next) = (false, Some(message));
                    drop(place);
                }
                Ok(Some(message)) => {
                    told = message.as_of.as_ref().map_or(told, |as_of| as_of.position);
                }
                Ok(None) => tokio::time::sleep(PAUSE).await,
                Err(failure) if failure.kind() == FailureKind::Unavailable => {
                    tracing::debug!(%failure, "what changed is looked for again");
                    tokio::time::sleep(AGAIN).await;
                }
                Err(failure) => {
                    place.send(Err(failure));
                    return;
                }
            }
        }
    }
}

impl Asked {
    /// Whether there is what is asked for, and whoever asks may hear of it.
    fn check(&self, sight: &Sight) -> Result<(), Failure> {
        let registry = sight.registry();
        for code in &self.indicators {
            ask::indicator(sight, code)?;
        }
        ask::bounded("unit", &self.unit)?;
        let is_known = self.unit.is_empty()
            || registry.unit_on(&self.unit, jiff::civil::Date::MIN) != UnitLookup::Unknown;
        if is_known {
            return Ok(());
        }
        Err(ask::finding(
            FailureKind::NotFound,
            "unknown_unit",
            "unit",
            &self.unit,
            ask::code_of_unit(),
            ask::listed("/v1/units"),
        ))
    }

    /// The indicators whose figures are heard of: those named, and what ratios among them are made of. None for all.
    fn indicators(&self, registry: &Registry) -> Option<HashSet<String>> {
        if self.indicators.is_empty() {
            return None;
        }
        let mut all = HashSet::new();
        for indicator in self.indicators.iter().filter_map(|code| registry.indicator(code)) {
            all.insert(indicator.code.clone());
            if let Kind::Ratio(ratio) = &indicator.kind {
                let parts = ratio.numerator.iter().chain(&ratio.denominator);
                all.extend(parts.filter_map(|code| registry.indicator(code)).map(|part| part.code.clone()));
            }
        }
        Some(all)
    }
}

/// The units whose figures are heard of, on each map.
struct Below<'a> {
    registry: &'a Registry,
    on: Vec<HashSet<UnitId>>,
}

impl<'a> Below<'a> {
    /// The units that carry a code on any map, and those that they go back to. None for the nation, which is all.
    fn of(registry: &'a Registry, code: &str) -> Option<Below<'a>> {
        if code.is_empty() || registry.unit(registry.nation()).code == code {
            return None;
        }
        let mut on = vec![HashSet::new(); registry.maps().len()];
        for unit in registry.units().iter().filter(|unit| unit.code == code) {
            let Some(told_on) = registry.maps().iter().rposition(|map| map.has(unit.id)) else { continue };
            let territory = Territory { registry, unit: unit.id, told_on };
            for (epoch, on) in on.iter_mut().enumerate().take(told_on + 1) {
                on.extend(territory.on(epoch));
            }
        }
        Some(Below { registry, on })
    }

    /// Whether a unit lies below one of them, or is one, on the map of a day.
    fn has(&self, unit: UnitId, day: jiff::civil::Date) -> bool {
        let epoch = self.registry.epoch(day);
        self.registry.maps()[epoch].ancestry(unit).any(|unit| self.on[epoch].contains(&unit))
    }

    /// Who keeps their figures.
    fn keepers(&self) -> HashSet<String> {
        let mut all = HashSet::new();
        for (map, units) in self.registry.maps().iter().zip(&self.on) {
            let day = map.from.unwrap_or(jiff::civil::Date::MIN);
            all.extend(units.iter().map(|unit| self.registry.unit(self.registry.keeper(*unit, day)).key()));
        }
        all
    }
}

/// What changed.
#[derive(Debug, Default)]
struct Heard {
    changes: BTreeSet<(String, String, String)>,
    series: BTreeSet<String>,
    everything: bool,
}

impl Heard {
    fn add(&mut self, series: &Series, period: Period) {
        if self.changes.len() >= MOST_CHANGES {
            self.everything = true;
            return;
        }
        self.series.insert(series.to_string());
        self.changes.insert((series.indicator.clone(), series.tags.to_string(), period.to_string()));
    }

    fn message(self, view: &View) -> pb::WatchResponse {
        let change = |(indicator, breakdown, period)| pb::Change { indicator, breakdown, period };
        pb::WatchResponse {
            as_of: Some(pb::AsOf { stale_seconds: None, ..view.as_of() }),
            changed: self.series.into_iter().collect(),
            changes: self.changes.into_iter().map(change).collect(),
            everything: self.everything,
        }
    }
}

impl View {
    /// What changed after a position, of what is asked for.
    async fn changes_after(&self, position: i64, asked: &Asked) -> Result<pb::WatchResponse, Failure> {
        let mut heard = Heard::default();
        if self.snapshot.checkpoint().registry_position.is_some_and(|at| at > position) {
            heard.everything = true;
            return Ok(heard.message(self));
        }
        let registry = &self.registry;
        let (indicators, below) = (asked.indicators(registry), Below::of(registry, &asked.unit));
        let keepers = below.as_ref().map(Below::keepers);
        let changed = self.snapshot.changed_after(position, MOST_TILES + 1).await.map_err(store_failure)?;
        heard.everything = changed.len() as u64 > MOST_TILES;
        let is_asked = |changed: &&Changed| {
            let indicator = changed.key.series.split('|').next().unwrap_or_default();
            let may_hear = registry.indicator(indicator).is_some_and(|known| self.sight.has_any(known));
            may_hear
                && indicators.as_ref().is_none_or(|all| all.contains(indicator))
                && keepers.as_ref().is_none_or(|all| all.contains(&changed.key.keeper))
        };
        let keys: Vec<_> = changed.iter().filter(is_asked).map(|changed| changed.key.clone()).collect();
        if keys.len() > MOST_OPENED {
            heard.everything = true;
            return Ok(heard.message(self));
        }
        if keys.is_empty() {
            return Ok(heard.message(self));
        }
        let tiles = self.snapshot.tiles(TileSelect::Keys(keys)).await.map_err(store_failure)?;
        for tile in tiles {
            let (series, period, body) = read_tile(&tile)?;
            let Some(indicator) = registry.indicator(&series.indicator) else { continue };
            let day = indicator.calendar.last_day(period);
            let may_see = self.sight.figures_of(indicator);
            let is_new = |entry: tonghop_tiles::Entry<'_>| {
                entry.latest().position > position
                    && below.as_ref().is_none_or(|below| below.has(entry.unit, day))
                    && may_see(entry.unit, day)
            };
            if body.entries().any(is_new) {
                heard.add(&series, period);
            }
        }
        Ok(heard.message(self))
    }
}
