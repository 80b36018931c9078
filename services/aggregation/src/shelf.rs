//! Tiles and summaries held in memory while figures are put into them.
//!
//! Everything is kept and fetched by the year: a push of one month touches the tiles of one province in one
//! year, however long the history is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tonghop_core::calendar::{Calendar, day_number};
use tonghop_core::figure::{Series, SeriesFigures};
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_store::{Snapshot, Summary, Tile, TileKey, TileSelect};
use tonghop_tiles::{SummaryBody, TileBody};

use crate::AggregationError;

/// One year of one series in one province, or of the nation's own figures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) series: Series,
    pub(crate) keeper: UnitId,
    pub(crate) year: i16,
}

/// What is held of one series.
#[derive(Debug, Default)]
struct SeriesShelf {
    tiles: BTreeMap<(UnitId, Period), TileBody>,
    tile_years: BTreeSet<(UnitId, i16)>,
    summaries: BTreeMap<Period, SummaryBody>,
    summary_years: BTreeSet<i16>,
}

/// What is held.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    by_series: HashMap<Series, SeriesShelf>,
    dirty_tiles: BTreeMap<(Series, UnitId, Period), i64>,
    dirty_summaries: BTreeMap<(Series, Period), i64>,
    /// Nothing is stored anywhere else: a rebuild from the ledger.
    complete: bool,
    held: usize,
}

/// How many entries and cells may be held between batches.
const HELD_AT_MOST: usize = 2_000_000;

impl Shelves {
    /// For a rebuild: what is not held does not exist.
    pub(crate) fn complete() -> Shelves {
        Shelves { complete: true, ..Shelves::default() }
    }

    /// Forgets what is held, if it is much. To be called between batches only.
    pub(crate) fn bound(&mut self) {
        if !self.complete && self.held > HELD_AT_MOST {
            *self = Shelves::default();
        }
    }

    /// Fetches what is needed and not held: tiles of places, and summaries of the series in the same years.
    pub(crate) async fn fetch(
        &mut self,
        registry: &Registry,
        snapshot: &Snapshot,
        tiles: &BTreeSet<Place>,
        summaries: &BTreeSet<(Series, i16)>,
    ) -> Result<(), AggregationError> {
        if self.complete {
            return Ok(());
        }
        // One query for all series of the same days and province.
        let mut queries: BTreeMap<(i32, i32, UnitId), Vec<&Place>> = BTreeMap::new();
        for place in tiles {
            let shelf = self.by_series.entry(place.series.clone()).or_default();
            if shelf.tile_years.insert((place.keeper, place.year)) {
                let (from, to) = year_days(calendar(registry, &place.series)?, place.year);
                queries.entry((from, to, place.keeper)).or_default().push(place);
            }
        }
        for ((from_end, to_end, keeper), places) in queries {
            for places in places.chunks(100) {
                let select = TileSelect::Series {
                    series: places.iter().map(|p| p.series.to_string()).collect(),
                    keepers: Some(vec![registry.unit(keeper).key()]),
                    from_end,
                    to_end,
                };
                for tile in snapshot.tiles(select).await? {
                    self.hold_tile(registry, tile)?;
                }
            }
        }
        let mut queries: BTreeMap<(i32, i32), Vec<String>> = BTreeMap::new();
        for (series, year) in summaries {
            let shelf = self.by_series.entry(series.clone()).or_default();
            if shelf.summary_years.insert(*year) {
                let days = year_days(calendar(registry, series)?, *year);
                queries.entry(days).or_default().push(series.to_string());
            }
        }
        for ((from, to), series) in queries {
            for series in series.chunks(100) {
                for summary in snapshot.summaries(series, from, to).await? {
                    self.hold_summary(summary)?;
                }
            }
        }
        Ok(())
    }

    fn hold_tile(&mut self, registry: &Registry, tile: Tile) -> Result<(), AggregationError> {
        let damaged = |what: String| AggregationError::Damaged { row: format!("{:?}", tile.key), what };
        let series = Series::parse(&tile.key.series).ok_or_else(|| damaged("not a series".into()))?;
        let keeper = registry.unit_by_key(&tile.key.keeper);
        let keeper = keeper.ok_or_else(|| damaged("no such unit".into()))?;
        let period = Period::parse(&tile.key.period).map_err(|e| damaged(e.to_string()))?;
        let body = TileBody::decode(&tile.body).map_err(|e| damaged(e.to_string()))?;
        self.held += body.entries().len();
        self.by_series.entry(series).or_default().tiles.insert((keeper, period), body);
        Ok(())
    }

    fn hold_summary(&mut self, summary: Summary) -> Result<(), AggregationError> {
        let damaged = |what: String| AggregationError::Damaged {
            row: format!("{} {}", summary.series, summary.period),
            what,
        };
        let series = Series::parse(&summary.series).ok_or_else(|| damaged("not a series".into()))?;
        let period = Period::parse(&summary.period).map_err(|e| damaged(e.to_string()))?;
        let body = SummaryBody::decode(&summary.body).map_err(|e| damaged(e.to_string()))?;
        self.held += body.cells.len();
        self.by_series.entry(series).or_default().summaries.insert(period, body);
        Ok(())
    }

    /// The tile to put figures into at a position.
    pub(crate) fn tile_mut(
        &mut self,
        series: &Series,
        keeper: UnitId,
        period: Period,
        position: i64,
    ) -> &mut TileBody {
        self.dirty_tiles.insert((series.clone(), keeper, period), position);
        self.held += 1;
        self.by_series.entry(series.clone()).or_default().tiles.entry((keeper, period)).or_default()
    }

    /// The tiles of a series in a province whose period ends in a year.
    pub(crate) fn tiles_in<'a>(
        &'a self,
        calendar: &'a Calendar,
        series: &Series,
        keeper: UnitId,
        year: i16,
    ) -> impl Iterator<Item = (Period, &'a TileBody)> {
        let (first, last) = calendar.days(Period::Year(year));
        let tiles = self.by_series.get(series).map(|s| &s.tiles);
        tiles.into_iter().flatten().filter_map(move |((k, period), body)| {
            let day = calendar.last_day(*period);
            (*k == keeper && first <= day && day <= last).then_some((*period, body))
        })
    }

    /// Adds the current figures of a series in a province, of periods that end in a year.
    pub(crate) fn add_figures_in(
        &self,
        figures: &mut SeriesFigures,
        calendar: &Calendar,
        series: &Series,
        keeper: UnitId,
        year: i16,
    ) {
        for (period, body) in self.tiles_in(calendar, series, keeper, year) {
            body.add_to(figures, period, i64::MAX);
        }
    }

    /// Summaries of a series.
    pub(crate) fn summaries(&self, series: &Series) -> impl Iterator<Item = (Period, &SummaryBody)> {
        let shelf = self.by_series.get(series);
        shelf.into_iter().flat_map(|s| s.summaries.iter().map(|(p, body)| (*p, body)))
    }

    /// The summary to write cells into at a position.
    pub(crate) fn summary_mut(&mut self, series: &Series, period: Period, position: i64) -> &mut SummaryBody {
        self.dirty_summaries.insert((series.clone(), period), position);
        self.held += 1;
        self.by_series.entry(series.clone()).or_default().summaries.entry(period).or_default()
    }

    /// What was written since the last call, as rows.
    pub(crate) fn take_dirty(
        &mut self,
        registry: &Registry,
    ) -> Result<(Vec<Tile>, Vec<Summary>), AggregationError> {
        let mut tiles = Vec::with_capacity(self.dirty_tiles.len());
        for ((series, keeper, period), position) in std::mem::take(&mut self.dirty_tiles) {
            let body = self.by_series.get(&series).and_then(|s| s.tiles.get(&(keeper, period)));
            let Some(body) = body.filter(|b| !b.entries().is_empty()) else { continue };
            tiles.push(Tile {
                key: TileKey {
                    keeper: registry.unit(keeper).key(),
                    end_day: day_number(calendar(registry, &series)?.last_day(period)),
                    period: period.to_string(),
                    series: series.to_string(),
                },
                position,
                body: body.encode(),
            });
        }
        let mut summaries = Vec::with_capacity(self.dirty_summaries.len());
        for ((series, period), position) in std::mem::take(&mut self.dirty_summaries) {
            let body = self.by_series.get(&series).and_then(|s| s.summaries.get(&period));
            let Some(body) = body else { continue };
            summaries.push(Summary {
                end_day: day_number(calendar(registry, &series)?.last_day(period)),
                series: series.to_string(),
                period: period.to_string(),
                position,
                body: body.encode(),
            });
        }
        Ok((tiles, summaries))
    }
}

/// The calendar that the periods of a series are read in.
pub(crate) fn calendar<'a>(
    registry: &'a Registry,
    series: &Series,
) -> Result<&'a Calendar, AggregationError> {
    let indicator = registry.indicator(&series.indicator);
    indicator.map(|i| &*i.calendar).ok_or_else(|| AggregationError::Damaged {
        row: series.to_string(),
        what: "the registry does not know its indicator".into(),
    })
}

fn year_days(calendar: &Calendar, year: i16) -> (i32, i32) {
    let (first, last) = calendar.days(Period::Year(year));
    (day_number(first), day_number(last))
}
