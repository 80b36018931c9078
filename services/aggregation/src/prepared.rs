//! A submission taken apart: which figures go to which tile.

use tonghop_core::figure::{Leaf, place};
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::record::Columns;
use tonghop_store::{Entry, Receipt};

use rustc_hash::FxHashMap;

use crate::AggregationError;
use crate::cores::{Each, on_all_cores};
use crate::series::{Place, SeriesId, SeriesTable};

/// A submission taken apart.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) receipt: Receipt,
    pub(crate) columns: Columns,
    /// Of each heading of the columns, where its figures belong.
    pub(crate) headings: Vec<Headed>,
    /// The unit of each figure.
    pub(crate) units: Vec<Option<UnitId>>,
    /// The tiles that figures go to.
    pub(crate) parts: Vec<Part>,
    /// Figures by number, those of each part together, in the order given.
    order: Vec<u32>,
}

/// Where the figures under one heading belong.
#[derive(Debug)]
pub(crate) struct Headed {
    pub(crate) series: SeriesId,
    pub(crate) leaf: Leaf,
    /// The leaf's members, as a tile has them.
    pub(crate) members: String,
    /// The year in which the period ends.
    pub(crate) year: i16,
    /// Programmes, as a tile has them.
    pub(crate) programmes: String,
}

/// The figures of a submission that go to one tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) place: Place,
    pub(crate) period: Period,
    from: usize,
    to: usize,
}

/// Takes submissions apart.
///
/// # Errors
/// Where the record of one makes no sense.
pub(crate) fn prepare(
    registry: &Registry,
    table: &mut SeriesTable,
    entries: Vec<Entry>,
) -> Result<Vec<Prepared>, AggregationError> {
    let damaged = |receipt: &Receipt, what: String| {
        let row = format!("ledger position {}", receipt.position);
        AggregationError::Damaged { row, what }
    };
    let read = on_all_cores(Each::Much, &entries, |entry| {
        let columns = Columns::decode(&entry.record).map_err(|e| e.to_string())?;
        let units = columns.units_on(registry).map_err(|e| e.to_string())?;
        Ok::<_, String>((columns, units))
    });
    let mut headed = Vec::with_capacity(entries.len());
    for (entry, read) in entries.iter().zip(read) {
        let (columns, units) = read.map_err(|what| damaged(&entry.receipt, what))?;
        let (headings, epochs) =
            headings(registry, table, &columns).map_err(|what| damaged(&entry.receipt, what))?;
        headed.push((columns, units, headings, epochs));
    }
    let sorted = on_all_cores(Each::Much, &headed, |(columns, units, headings, epochs)| {
        parts(registry, columns, headings, epochs, units)
    });
    let all = entries.into_iter().zip(headed).zip(sorted);
    let prepared = all.map(|((entry, (columns, units, headings, _)), (parts, order))| Prepared {
        receipt: entry.receipt,
        columns,
        headings,
        units,
        parts,
        order,
    });
    Ok(prepared.collect())
}

/// Where the figures under each heading belong, and the map of its period's last day.
fn headings(
    registry: &Registry,
    table: &mut SeriesTable,
    columns: &Columns,
) -> Result<(Vec<Headed>, Vec<usize>), String> {
    let indicators = columns.indicators(registry).map_err(|e| e.to_string())?;
    let mut headings = Vec::with_capacity(indicators.len());
    let mut epochs = Vec::with_capacity(indicators.len());
    for (heading, indicator) in columns.headings().iter().zip(indicators) {
        let (series, leaf) = place(registry, indicator, &heading.breakdown);
        let day = indicator.calendar.last_day(heading.period);
        epochs.push(registry.epoch(day));
        headings.push(Headed {
            series: table.id(registry, &series).ok_or_else(|| format!("series {series}"))?,
            members: leaf.members.to_string(),
            leaf,
            year: indicator.calendar.year_of(day),
            programmes: heading.programmes.join("|"),
        });
    }
    Ok((headings, epochs))
}

impl Prepared {
    /// The numbers of the figures of a part.
    pub(crate) fn figures(&self, part: &Part) -> &[u32] {
        &self.order[part.from..part.to]
    }
}

/// Sorts figures by tile.
fn parts(
    registry: &Registry,
    columns: &Columns,
    headings: &[Headed],
    epochs: &[usize],
    units: &[Option<UnitId>],
) -> (Vec<Part>, Vec<u32>) {
    let mut parts: Vec<Part> = Vec::new();
    let mut numbers: FxHashMap<(Place, Period), u32> = FxHashMap::default();
    // Of each heading, the keepers met and their parts: most often one.
    let mut known: Vec<Vec<(UnitId, u32)>> = vec![Vec::new(); headings.len()];
    let mut part_of: Vec<(u32, u32)> = Vec::with_capacity(units.len());
    for (figure, (unit, heading)) in units.iter().zip(columns.heading()).enumerate() {
        let Some(unit) = unit else { continue };
        let at = *heading as usize;
        let keeper = registry.keeper_on(*unit, epochs[at]);
        let part = match known[at].iter().find(|(k, _)| *k == keeper) {
            Some((_, part)) => *part,
            None => {
                let Headed { series, year, .. } = headings[at];
                let (place, period) = (Place { series, keeper, year }, columns.headings()[at].period);
                let part = *numbers.entry((place, period)).or_insert_with(|| {
                    parts.push(Part { place, period, from: 0, to: 0 });
                    parts.len() as u32 - 1
                });
                known[at].push((keeper, part));
                part
            }
        };
        parts[part as usize].to += 1;
        part_of.push((part, figure as u32));
    }
    let mut from = 0;
    for part in &mut parts {
        let many = part.to;
        (part.from, part.to) = (from, from);
        from += many;
    }
    let mut order = vec![0; part_of.len()];
    for (part, figure) in part_of {
        let part = &mut parts[part as usize];
        order[part.to] = figure;
        part.to += 1;
    }
    (parts, order)
}
