//! Tiles and summaries held in memory while figures are put into them.
//!
//! Everything is kept and fetched by the year: a push of one month touches the tiles of one province in one
//! year, however long the history is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use tonghop_core::calendar::{Calendar, day_number};
use tonghop_core::figure::{Series, SeriesFigures};
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::rollup::plain::Tally;
use tonghop_core::unit::UnitId;
use tonghop_store::{Snapshot, Summary, Tile, TileKey, TileSelect};
use tonghop_tiles::{SummaryBody, TileBody};

use crate::AggregationError;
use crate::cores::{Each, on_all_cores};
use crate::held_summary::HeldSummary;
use crate::series::{Known, Place, SeriesId, SeriesTable};

/// A tile that is held.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) body: TileBody,
    /// What it comes to where it is plain, once somebody asked.
    pub(crate) tally: OnceLock<Option<Tally>>,
    /// The last position at which figures were put in that are not written yet.
    dirty: Option<i64>,
}

/// The tiles of a place.
#[derive(Debug, Default)]
pub(crate) struct PlaceShelf {
    tiles: BTreeMap<Period, Held>,
    fetched: bool,
    used: u64,
}

/// The summaries of a series and year.
#[derive(Debug, Default)]
struct SummaryShelf {
    held: BTreeMap<Period, HeldSummary>,
    fetched: bool,
    used: u64,
}

/// What is held.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    places: FxHashMap<Place, PlaceShelf>,
    summaries: FxHashMap<(SeriesId, i16), SummaryShelf>,
    dirty_places: FxHashSet<Place>,
    dirty_summaries: FxHashSet<(SeriesId, i16)>,
    /// Nothing is stored anywhere else: a rebuild from the ledger.
    complete: bool,
    /// Counts batches.
    now: u64,
}

/// Memory that may be held between batches, in bytes.
const HELD_AT_MOST: usize = 256 << 20;
/// What remains where it was more.
const KEPT: usize = HELD_AT_MOST / 4 * 3;
/// Batches between two looks at what is held.
const LOOK_AFTER: u64 = 16;
/// About what an entry of a tile takes, a tile besides its entries, and a cell of a summary.
const ENTRY: usize = 32;
const TILE: usize = 400;
const CELL: usize = 400;

impl PlaceShelf {
    /// Puts figures of a position into the tile of a period; says whether that changed anything.
    pub(crate) fn put(
        &mut self,
        period: Period,
        position: i64,
        put: impl FnOnce(&mut TileBody) -> bool,
    ) -> bool {
        let held = self.tiles.entry(period).or_default();
        let changed = put(&mut held.body);
        if changed {
            held.dirty = Some(position);
            held.tally = OnceLock::new();
        }
        changed
    }

    fn weight(&self) -> usize {
        self.tiles.values().map(|held| TILE + ENTRY * held.body.len()).sum()
    }
}

impl SummaryShelf {
    fn weight(&self) -> usize {
        self.held.values().map(|held| CELL * held.count()).sum()
    }
}

/// What has to be held before figures are put in.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) places: FxHashSet<Place>,
    pub(crate) summaries: FxHashSet<(SeriesId, i16)>,
}

/// Queries that fetch places: the days, the series, and the provinces.
type Queries = BTreeMap<((i32, i32), BTreeSet<SeriesId>), Vec<UnitId>>;

impl Shelves {
    /// For a rebuild: what is not held does not exist.
    pub(crate) fn complete() -> Shelves {
        Shelves { complete: true, ..Shelves::default() }
    }

    /// Forgets what was not used for the longest time, if much is held. To be called between batches only.
    pub(crate) fn bound(&mut self) {
        self.now += 1;
        if self.complete || !self.now.is_multiple_of(LOOK_AFTER) {
            return;
        }
        let places = self.places.values().map(|p| (p.used, p.weight()));
        let summaries = self.summaries.values().map(|s| (s.used, s.weight()));
        let mut all: Vec<(u64, usize)> = places.chain(summaries).collect();
        if all.iter().map(|(_, weight)| weight).sum::<usize>() <= HELD_AT_MOST {
            return;
        }
        all.sort_unstable_by_key(|(used, _)| std::cmp::Reverse(*used));
        let mut kept = 0;
        let fits = all.iter().take_while(|(_, weight)| {
            kept += weight;
            kept <= KEPT
        });
        let since = fits.last().map_or(self.now, |(used, _)| *used);
        // What was used at one time goes or stays together. What the last batch touched may not be written yet.
        let stays = |used: u64| used > since || used + 1 >= self.now;
        self.places.retain(|_, p| stays(p.used));
        self.summaries.retain(|_, s| stays(s.used));
    }

    /// What is held of these is not to be forgotten soon.
    pub(crate) fn use_now(&mut self, needs: &Needs) {
        for place in &needs.places {
            if let Some(shelf) = self.places.get_mut(place) {
                shelf.used = self.now;
            }
        }
        for summaries in &needs.summaries {
            if let Some(shelf) = self.summaries.get_mut(summaries) {
                shelf.used = self.now;
            }
        }
    }

    /// Whether some of these are not held.
    pub(crate) fn lack(&self, needs: &Needs) -> bool {
        let place = |place| self.places.get(place).is_none_or(|shelf| !shelf.fetched);
        let summaries = |of| self.summaries.get(of).is_none_or(|shelf| !shelf.fetched);
        !self.complete && (needs.places.iter().any(place) || needs.summaries.iter().any(summaries))
    }

    /// Fetches what is needed and not held: tiles of places, and summaries of the series in the same years.
    pub(crate) async fn fetch(
        &mut self,
        registry: &Registry,
        table: &mut SeriesTable,
        snapshot: &Snapshot,
        needs: &Needs,
    ) -> Result<(), AggregationError> {
        for (((from_end, to_end), series), keepers) in self.missing(table, &needs.places) {
            let series: Vec<String> = series.iter().map(|s| table.get(*s).text.clone()).collect();
            for series in series.chunks(100) {
                let select = TileSelect::Series {
                    series: series.to_vec(),
                    keepers: Some(keepers.iter().map(|k| registry.unit(*k).key()).collect()),
                    from_end,
                    to_end,
                };
                for tile in snapshot.tiles(select).await? {
                    self.hold_tile(registry, table, tile)?;
                }
            }
        }
        let mut queries: BTreeMap<(i32, i32), Vec<String>> = BTreeMap::new();
        for (series, year) in &needs.summaries {
            let shelf = self.summaries.entry((*series, *year)).or_default();
            shelf.used = self.now;
            if !std::mem::replace(&mut shelf.fetched, true) {
                let known = table.get(*series);
                let days = year_days(&known.indicator.calendar, *year);
                queries.entry(days).or_default().push(known.text.clone());
            }
        }
        for ((from, to), series) in queries {
            for series in series.chunks(100) {
                for summary in snapshot.summaries(series, from, to).await? {
                    self.hold_summary(registry, table, summary)?;
                }
            }
        }
        Ok(())
    }

    /// One query for all provinces of which the same series are missing for the same days.
    fn missing(&mut self, table: &SeriesTable, places: &FxHashSet<Place>) -> Queries {
        let mut missing: BTreeMap<((i32, i32), UnitId), BTreeSet<SeriesId>> = BTreeMap::new();
        for place in places {
            let shelf = self.places.entry(*place).or_default();
            shelf.used = self.now;
            if !std::mem::replace(&mut shelf.fetched, true) {
                let days = year_days(&table.get(place.series).indicator.calendar, place.year);
                missing.entry((days, place.keeper)).or_default().insert(place.series);
            }
        }
        let mut queries = Queries::new();
        for ((days, keeper), series) in missing {
            queries.entry((days, series)).or_default().push(keeper);
        }
        queries
    }

    fn hold_tile(
        &mut self,
        registry: &Registry,
        table: &mut SeriesTable,
        tile: Tile,
    ) -> Result<(), AggregationError> {
        let damaged = |what: String| AggregationError::Damaged { row: format!("{:?}", tile.key), what };
        let keeper = registry.unit_by_key(&tile.key.keeper);
        let keeper = keeper.ok_or_else(|| damaged("no such unit".into()))?;
        let period = Period::parse(&tile.key.period).map_err(|e| damaged(e.to_string()))?;
        let body = TileBody::decode(&tile.body).map_err(|e| damaged(e.to_string()))?;
        let (series, year) = labels(registry, table, &tile.key.series, period).map_err(damaged)?;
        let shelf = self.places.entry(Place { series, keeper, year }).or_default();
        shelf.tiles.insert(period, Held { body, ..Held::default() });
        Ok(())
    }

    fn hold_summary(
        &mut self,
        registry: &Registry,
        table: &mut SeriesTable,
        summary: Summary,
    ) -> Result<(), AggregationError> {
        let damaged = |what: String| AggregationError::Damaged {
            row: format!("{} {}", summary.series, summary.period),
            what,
        };
        let period = Period::parse(&summary.period).map_err(|e| damaged(e.to_string()))?;
        let body = SummaryBody::decode(&summary.body).map_err(|e| damaged(e.to_string()))?;
        let (series, year) = labels(registry, table, &summary.series, period).map_err(damaged)?;
        let held = HeldSummary::of(registry, body);
        self.summaries.entry((series, year)).or_default().held.insert(period, held);
        Ok(())
    }

    /// Puts figures of a position into a tile by a function that says whether anything changed; says so too.
    pub(crate) fn put(
        &mut self,
        place: Place,
        period: Period,
        position: i64,
        put: impl FnOnce(&mut TileBody) -> bool,
    ) -> bool {
        let shelf = self.places.entry(place).or_default();
        shelf.used = self.now;
        let changed = shelf.put(period, position, put);
        if changed {
            self.dirty_places.insert(place);
        }
        changed
    }

    /// Takes the tiles of a place down, for figures to be put into them on any thread; to be [put back](Self::put_back).
    pub(crate) fn take_down(&mut self, place: &Place) -> PlaceShelf {
        self.places.remove(place).unwrap_or_default()
    }

    /// Puts the tiles of a place back, with whether they were changed.
    pub(crate) fn put_back(&mut self, place: Place, mut shelf: PlaceShelf, changed: bool) {
        shelf.used = self.now;
        self.places.insert(place, shelf);
        if changed {
            self.dirty_places.insert(place);
        }
    }

    /// The tiles of a place, by period.
    pub(crate) fn tiles(&self, place: &Place) -> impl Iterator<Item = (Period, &Held)> {
        self.places.get(place).into_iter().flat_map(|shelf| shelf.tiles.iter().map(|(p, held)| (*p, held)))
    }

    /// Adds the current figures of a place.
    pub(crate) fn add_figures(&self, figures: &mut SeriesFigures, place: &Place) {
        for (period, held) in self.tiles(place) {
            held.body.add_to(figures, period, i64::MAX);
        }
    }

    /// The summary of a series and period that ends in a year.
    pub(crate) fn summary(&self, series: SeriesId, year: i16, period: Period) -> Option<&HeldSummary> {
        self.summaries.get(&(series, year))?.held.get(&period)
    }

    /// The summary to set cells of at a position.
    pub(crate) fn summary_mut(
        &mut self,
        series: SeriesId,
        year: i16,
        period: Period,
        position: i64,
    ) -> &mut HeldSummary {
        self.dirty_summaries.insert((series, year));
        let shelf = self.summaries.entry((series, year)).or_default();
        shelf.used = self.now;
        let held = shelf.held.entry(period).or_default();
        held.touch(position);
        held
    }

    /// What was written since the last call, as rows.
    pub(crate) fn take_dirty(
        &mut self,
        registry: &Registry,
        table: &SeriesTable,
    ) -> (Vec<Tile>, Vec<Summary>) {
        let mut dirty_tiles: Vec<(Place, Period, i64)> = Vec::new();
        for place in std::mem::take(&mut self.dirty_places) {
            for (period, held) in self.places.get_mut(&place).into_iter().flat_map(|s| &mut s.tiles) {
                let position = held.dirty.take().filter(|_| !held.body.is_empty());
                dirty_tiles.extend(position.map(|position| (place, *period, position)));
            }
        }
        let mut dirty_summaries: Vec<((SeriesId, i16), Period, i64)> = Vec::new();
        for of in std::mem::take(&mut self.dirty_summaries) {
            for (period, held) in self.summaries.get_mut(&of).into_iter().flat_map(|s| &mut s.held) {
                dirty_summaries.extend(held.take_dirty().map(|position| (of, *period, position)));
            }
        }
        let end_day = |known: &Known, period| day_number(known.indicator.calendar.last_day(period));
        let tiles = on_all_cores(Each::Little, &dirty_tiles, |(place, period, position)| {
            let known = table.get(place.series);
            let held = self.places.get(place).and_then(|shelf| shelf.tiles.get(period));
            held.map(|held| Tile {
                key: TileKey {
                    keeper: registry.unit(place.keeper).key(),
                    end_day: end_day(known, *period),
                    period: period.to_string(),
                    series: known.text.clone(),
                },
                position: *position,
                body: held.body.encode(),
            })
        });
        let summaries = on_all_cores(Each::Little, &dirty_summaries, |((series, year), period, position)| {
            let known = table.get(*series);
            self.summary(*series, *year, *period).map(|held| Summary {
                end_day: end_day(known, *period),
                series: known.text.clone(),
                period: period.to_string(),
                position: *position,
                body: held.encode(),
            })
        });
        (tiles.into_iter().flatten().collect(), summaries.into_iter().flatten().collect())
    }
}

/// The number of a row's series, and the year in which its period ends.
fn labels(
    registry: &Registry,
    table: &mut SeriesTable,
    series: &str,
    period: Period,
) -> Result<(SeriesId, i16), String> {
    let series = Series::parse(series).ok_or_else(|| "not a series".to_owned())?;
    let id =
        table.id(registry, &series).ok_or_else(|| "the registry does not know its indicator".to_owned())?;
    let calendar = &table.get(id).indicator.calendar;
    Ok((id, calendar.year_of(calendar.last_day(period))))
}

fn year_days(calendar: &Calendar, year: i16) -> (i32, i32) {
    let (first, last) = calendar.days(Period::Year(year));
    (day_number(first), day_number(last))
}
