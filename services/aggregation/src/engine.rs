//! Puts ledger entries into tiles and totals. The same engine serves the incremental path, which fetches what
//! a batch touches, and a rebuild, which starts from nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use rustc_hash::{FxHashMap, FxHashSet};
use tonghop_core::period::Period;
use tonghop_core::registry::Registry;
use tonghop_proto::aggregation::GetEffectResponse;
use tonghop_proto::record;
use tonghop_proto::{ingestion as pb, registry_draft};
use tonghop_store::{Effect, Entry, EntryKind, Receipt, Snapshot, Summary, Tile};
use tonghop_tiles::{Heading, Put, Said, TileBody};

use crate::AggregationError;
use crate::cores::{Each, on_all_cores};
use crate::implausible::Rules;
use crate::prepared::{Part, Prepared, prepare};
use crate::series::{Place, SeriesId, SeriesTable};
use crate::shelf::{Needs, PlaceShelf, Shelves};
use crate::summarise::{Touched, read_for, summarise};
use crate::whole_findings::Ratios;

/// What a batch changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) tiles: Vec<Tile>,
    pub(crate) summaries: Vec<Summary>,
    pub(crate) effects: Vec<Effect>,
    /// Series whose totals changed.
    pub(crate) series: BTreeSet<String>,
}

/// Tiles and totals in the making.
#[derive(Debug)]
pub(crate) struct Engine {
    registry: Arc<Registry>,
    table: SeriesTable,
    shelves: Shelves,
    ratios: Ratios,
    rules: Rules,
    /// Whose totals are not worked out yet.
    touched: FxHashMap<Place, Touched>,
}

/// The tiles of a place, taken down for figures to be put into them on any thread.
#[derive(Debug)]
struct Down<'a> {
    place: Place,
    /// What goes there, with the number of its submission, in order.
    parts: Vec<(usize, &'a Part)>,
    shelf: Mutex<PlaceShelf>,
}

/// Reads a registry entry.
pub(crate) fn read_registry(record: &[u8]) -> Result<Registry, AggregationError> {
    let damaged = |what: String| AggregationError::Damaged { row: "registry".into(), what };
    registry_draft::read(record).map_err(|e| damaged(e.to_string()))
}

impl Engine {
    /// The incremental path.
    pub(crate) fn new(registry: Arc<Registry>) -> Engine {
        Engine::with(registry, Shelves::default())
    }

    /// From nothing: what is not held does not exist.
    pub(crate) fn from_nothing(registry: Arc<Registry>) -> Engine {
        Engine::with(registry, Shelves::complete())
    }

    fn with(registry: Arc<Registry>, shelves: Shelves) -> Engine {
        let (table, ratios) = Default::default();
        let rules = Rules::of(&registry);
        Engine { registry, table, shelves, ratios, rules, touched: FxHashMap::default() }
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Takes submissions apart.
    pub(crate) fn prepare(&mut self, mut entries: Vec<Entry>) -> Result<Vec<Prepared>, AggregationError> {
        entries.retain(|e| e.receipt.kind == EntryKind::Submission);
        prepare(&self.registry, &mut self.table, entries)
    }

    /// All that putting these in will touch.
    pub(crate) fn needs(&mut self, prepared: &[Prepared]) -> Needs {
        let nation = self.registry.nation();
        let mut needs = Needs::default();
        let mut touched: FxHashSet<Place> = FxHashSet::default();
        for one in prepared {
            for Part { place, .. } in &one.parts {
                if touched.insert(*place) {
                    needs.places.extend(read_for(&self.registry, &self.table, place));
                    needs.places.insert(Place { keeper: nation, ..*place });
                    needs.summaries.insert((place.series, place.year));
                }
            }
            needs.places.extend(self.ratios.places(&self.registry, &mut self.table, one));
            needs.places.extend(self.rules.places(&self.registry, &mut self.table, one));
        }
        self.shelves.bound();
        self.shelves.use_now(&needs);
        needs
    }

    /// Whether some of it has to be fetched.
    pub(crate) fn lacks(&self, needs: &Needs) -> bool {
        self.shelves.lack(needs)
    }

    /// Fetches what is not held.
    pub(crate) async fn fetch(&mut self, snapshot: &Snapshot, needs: &Needs) -> Result<(), AggregationError> {
        self.shelves.fetch(&self.registry, &mut self.table, snapshot, needs).await
    }

    /// Puts submissions in, in order, and works out what that changes.
    pub(crate) fn put(&mut self, prepared: &[Prepared]) -> Changes {
        let effects = self.take_in(prepared);
        let mut changes = self.work_out();
        changes.effects = effects;
        changes
    }

    /// Puts submissions in, in order; their totals wait to be [worked out](Self::work_out).
    pub(crate) fn take_in(&mut self, prepared: &[Prepared]) -> Vec<Effect> {
        // Most pushes come alone: there is nobody to go in together with.
        if let [one] = prepared {
            return vec![self.take_one(one)];
        }
        // What is found about a submission is found among the figures as they were then.
        let looked_into: Vec<bool> = prepared.iter().map(|one| self.is_looked_into(one)).collect();
        let mut effects = Vec::with_capacity(prepared.len());
        let mut from = 0;
        for run in looked_into.chunk_by(|a, b| !a && !b) {
            let these = &prepared[from..from + run.len()];
            from += run.len();
            match these {
                [one] => effects.push(self.take_one(one)),
                many => effects.extend(self.take_together(many)),
            }
        }
        effects
    }

    /// Whether something may be found about the figures of a submission once they are in.
    fn is_looked_into(&mut self, one: &Prepared) -> bool {
        let mut known: Option<(SeriesId, Period)> = None;
        one.parts.iter().any(|part| {
            let of = (part.place.series, part.period);
            if known.replace(of) == Some(of) {
                return false;
            }
            let code = &self.table.get(of.0).indicator.code;
            self.rules.speak_of(code) || self.ratios.speak_of(&self.registry, code, of.1)
        })
    }

    /// Puts submissions in about which nothing is found: what goes to different places does so on all cores, what goes to
    /// one in order.
    fn take_together(&mut self, prepared: &[Prepared]) -> Vec<Effect> {
        let mut numbers: FxHashMap<Place, usize> = FxHashMap::default();
        let mut places: Vec<Down<'_>> = Vec::new();
        for (number, one) in prepared.iter().enumerate() {
            for part in &one.parts {
                let at = *numbers.entry(part.place).or_insert_with(|| {
                    let shelf = Mutex::new(self.shelves.take_down(&part.place));
                    places.push(Down { place: part.place, parts: Vec::new(), shelf });
                    places.len() - 1
                });
                places[at].parts.push((number, part));
            }
        }
        let done = on_all_cores(Each::Little, &places, |down| {
            let mut shelf = down.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let put_one = |(number, part): &(usize, &Part)| {
                let (one, mut counts) = (&prepared[*number], pb::Effect::default());
                let into = |tile: &mut TileBody| {
                    if tile.is_empty() {
                        let more = down.parts.iter().filter(|(_, more)| more.period == part.period);
                        tile.expect(more.map(|(number, part)| prepared[*number].figures(part).len()).sum());
                    }
                    put(tile, one, part, &mut counts)
                };
                let changed = shelf.put(part.period, one.receipt.position, into);
                (*number, counts, changed.then_some(part.period))
            };
            down.parts.iter().map(put_one).collect::<Vec<_>>()
        });
        let mut counts = vec![pb::Effect::default(); prepared.len()];
        for (Down { place, shelf, .. }, done) in places.into_iter().zip(done) {
            let changed = done.iter().any(|(.., period)| period.is_some());
            self.shelves.put_back(place, shelf.into_inner().unwrap_or_else(PoisonError::into_inner), changed);
            for (number, one, changed) in done {
                let all = &mut counts[number];
                all.new += one.new;
                all.revised += one.revised;
                all.unchanged += one.unchanged;
                all.withdrawn += one.withdrawn;
                if let Some(period) = changed {
                    let position = prepared[number].receipt.position;
                    self.touched.entry(place).or_default().add(period, position);
                }
            }
        }
        prepared.iter().zip(counts).map(|(one, counts)| effect_of(&one.receipt, counts, vec![])).collect()
    }

    /// Works out all totals that wait for it.
    pub(crate) fn work_out(&mut self) -> Changes {
        let touched = std::mem::take(&mut self.touched);
        summarise(&self.registry, &self.table, &mut self.shelves, &touched);
        let series: FxHashSet<SeriesId> = touched.keys().map(|place| place.series).collect();
        let (tiles, summaries) = self.shelves.take_dirty(&self.registry, &self.table);
        let series = series.into_iter().map(|id| self.table.get(id).text.clone()).collect();
        Changes { tiles, summaries, effects: vec![], series }
    }

    fn take_one(&mut self, one: &Prepared) -> Effect {
        let position = one.receipt.position;
        let mut counts = pb::Effect::default();
        for part in &one.parts {
            let into = |tile: &mut TileBody| {
                tile.expect(one.figures(part).len());
                put(tile, one, part, &mut counts)
            };
            if self.shelves.put(part.place, part.period, position, into) {
                self.touched.entry(part.place).or_default().add(part.period, position);
            }
        }
        let mut findings = self.ratios.find(&self.registry, &self.table, &self.shelves, one);
        findings.extend(self.rules.find(&self.registry, &self.table, &self.shelves, one));
        effect_of(&one.receipt, counts, findings)
    }
}

/// Puts the figures of a part into their tile; says whether that changes anything.
fn put(tile: &mut TileBody, one: &Prepared, part: &Part, counts: &mut pb::Effect) -> bool {
    let mut changes = false;
    // Few headings go to one tile.
    let mut known: Vec<(u32, Heading)> = Vec::new();
    for figure in one.figures(part) {
        let at = *figure as usize;
        let Some(unit) = one.units[at] else { continue };
        let number = one.columns.heading()[at];
        let heading = match known.iter().find(|(known, _)| *known == number) {
            Some((_, heading)) => *heading,
            None => {
                let heading = heading_in(tile, one, number as usize);
                known.push((number, heading));
                heading
            }
        };
        let put = tile.put(unit, heading, one.receipt.position, one.columns.value()[at]);
        *match put {
            Put::New => &mut counts.new,
            Put::Revised => &mut counts.revised,
            Put::Unchanged => &mut counts.unchanged,
            Put::Withdrawn => &mut counts.withdrawn,
        } += 1;
        changes |= put != Put::Unchanged;
    }
    changes
}

/// A heading of a submission as a tile has it.
fn heading_in(tile: &mut TileBody, one: &Prepared, number: usize) -> Heading {
    let (given, headed) = (&one.columns.headings()[number], &one.headings[number]);
    let said = match &given.said {
        record::Said::Value(qualifier) => Said::Value(0, *qualifier),
        record::Said::NotAvailable(reason) => Said::NotAvailable(reason.as_str()),
        record::Said::Withdrawn => Said::Withdrawn,
    };
    let reporter = headed.leaf.reporter.as_deref().unwrap_or_default();
    tile.heading(given.scope, &headed.members, said, reporter, &headed.programmes)
}

/// An entry's effect as it is stored.
pub(crate) fn effect_of(receipt: &Receipt, counts: pb::Effect, findings: Vec<pb::Finding>) -> Effect {
    Effect {
        position: receipt.position,
        id: receipt.id,
        kind: receipt.kind,
        source: receipt.source.clone(),
        idempotency_key: receipt.idempotency_key.clone(),
        received_at: receipt.received_at,
        digest: receipt.digest,
        figures: receipt.figures,
        new: counts.new,
        revised: counts.revised,
        unchanged: counts.unchanged,
        withdrawn: counts.withdrawn,
        note: receipt.note.clone(),
        findings: GetEffectResponse { rolled_up: true, effect: None, findings }.encode_to_vec(),
    }
}
