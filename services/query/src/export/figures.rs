//! Figures as rows of a file, a part at a time: an indicator, and periods that end within some days.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use tonghop_access::Caller;
use tonghop_core::calendar::day_number;
use tonghop_core::dimension::Breakdown;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::unit::UnitId;
use tonghop_export::{About, MOST_ROWS};
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::TileSelect;

use tonghop_rest::parameters::FiguresFile;

use super::asked::Asking;
use super::stream::{Rows, too_many_rows};
use crate::figures::Wanted;
use crate::moment::When;
use crate::read::read_tile;
use crate::tag::hex;
use crate::{Query, View, ask, store_failure};

/// Days within which the periods of a part end, where all units of the nation are asked for: about a month, so that a
/// part is some ten thousand figures.
const DAYS_OF_NATION: i32 = 31;
/// The same of the units below another.
const DAYS_BELOW: i32 = 366;
/// Parts of one file: some thirty years of all core indicators in every commune.
const MOST_PARTS: usize = 20_000;
/// Series in one reading.
const SERIES_AT_ONCE: usize = 100;
/// Submissions whose names are kept from one part to the next.
const MOST_SUBMISSIONS: usize = 20_000;

/// What is read at once.
struct Part {
    indicator: Arc<Indicator>,
    unit: UnitId,
    /// Last days of its periods, the first and the last of them, counted from 1970-01-01.
    ends: (i32, i32),
}

/// What a submission is called.
#[derive(Clone)]
struct Named {
    submission: String,
    source: String,
    received_at: String,
    digest: String,
}

/// All revisions of some figures up to a position: in order of indicator, of the part's days, then of unit, period,
/// breakdown, scope and position.
pub(super) struct FigureRows {
    query: Arc<Query>,
    caller: Caller,
    period: Period,
    breakdown: Breakdown,
    below: bool,
    review: String,
    as_of: pb::AsOf,
    about: About,
    parts: VecDeque<Part>,
    named: HashMap<i64, Named>,
}

impl FigureRows {
    /// With the rows counted, so that what is too much is refused before anything is sent.
    pub(super) async fn begin(
        query: &Arc<Query>,
        caller: Caller,
        asked: &FiguresFile,
    ) -> Result<FigureRows, Failure> {
        let when =
            When { at_least: asked.at_least, as_of: asked.as_of, review: &asked.review, ..When::default() };
        let view = query.view(&caller, when).await?;
        let period = ask::period(&asked.period)?;
        let breakdown = ask::breakdown(&asked.breakdown)?;
        let parts = parts(&view, asked, period)?;
        let as_of = view.as_of();
        let mut rows = FigureRows {
            query: Arc::clone(query),
            caller,
            period,
            breakdown,
            below: asked.below,
            review: asked.review.clone(),
            as_of,
            about: About::default(),
            parts: parts.into(),
            named: HashMap::new(),
        };
        let mut count = 0;
        for part in &rows.parts {
            rows.read(&view, part, |_, _, revisions| count += revisions.len() as u64).await?;
            if count > MOST_ROWS {
                return Err(too_many_rows(count));
            }
        }
        rows.about = Asking::figures(asked).of(&view, &rows.as_of, count).await?;
        Ok(rows)
    }

    fn wanted<'a>(&'a self, part: &'a Part) -> Wanted<'a> {
        Wanted {
            indicator: &part.indicator,
            unit: part.unit,
            period: self.period,
            breakdown: &self.breakdown,
            below: self.below,
            exactly: false,
        }
    }

    /// Reads a part of a view, figure by figure: the revisions that are up to the position.
    async fn read(
        &self,
        view: &View,
        part: &Part,
        mut each: impl FnMut(UnitId, Period, Vec<pb::FigureRevision>),
    ) -> Result<(), Failure> {
        let registry = &view.registry;
        let wanted = self.wanted(part);
        let calendar = &part.indicator.calendar;
        let (first, last) = calendar.days(self.period);
        let may_see = view.sight.figures_of(&part.indicator);
        let all = view.moment.is_moved() || (self.below && part.unit == registry.nation());
        let keepers = (!all).then(|| vec![registry.unit(registry.keeper(part.unit, last)).key()]);
        for series in view.series_of(&part.indicator, &self.breakdown).chunks(SERIES_AT_ONCE) {
            let select = TileSelect::Series {
                series: series.to_vec(),
                keepers: keepers.clone(),
                from_end: part.ends.0,
                to_end: part.ends.1,
            };
            for tile in view.snapshot.tiles(select).await.map_err(store_failure)? {
                let (series, period, body) = read_tile(&tile)?;
                if calendar.first_day(period) < first {
                    continue;
                }
                let day = calendar.last_day(period);
                for entry in body.entries() {
                    let Some(unit) = view.moment.unit(registry, entry.unit, day) else { continue };
                    let is_below =
                        self.below && registry.map_on(day).ancestry(unit).any(|above| above == part.unit);
                    if (unit == part.unit || is_below) && may_see(unit, day) {
                        each(unit, period, view.entry(&wanted, &series, period, unit, entry));
                    }
                }
            }
        }
        Ok(())
    }

    /// Names the submissions of figures, each looked up once.
    async fn name(&mut self, view: &View, figures: &mut [pb::FigureRevision]) -> Result<(), Failure> {
        if self.named.len() > MOST_SUBMISSIONS {
            self.named.clear();
        }
        let positions: BTreeSet<i64> = figures.iter().map(|f| f.position).collect();
        let unknown: Vec<i64> = positions.into_iter().filter(|p| !self.named.contains_key(p)).collect();
        for effect in view.snapshot.effects(&unknown).await.map_err(store_failure)? {
            self.named.insert(
                effect.position,
                Named {
                    submission: effect.id.to_string(),
                    source: effect.source,
                    received_at: effect.received_at.to_string(),
                    digest: hex(&effect.digest),
                },
            );
        }
        for figure in figures {
            if let Some(named) = self.named.get(&figure.position).cloned() {
                (figure.submission, figure.source) = (named.submission, named.source);
                (figure.received_at, figure.digest) = (named.received_at, named.digest);
            }
        }
        Ok(())
    }
}

/// The indicators asked for, each with the unit that the code means for it, in parts.
fn parts(view: &View, asked: &FiguresFile, period: Period) -> Result<Vec<Part>, Failure> {
    let registry = &view.registry;
    let mut out = Vec::new();
    let mut trouble = None;
    let named = !asked.indicator.is_empty();
    for indicator in indicators(view, asked)? {
        // One unit may be in force on the last day in one calendar and not in another.
        let unit = match ask::unit(registry, &indicator, &asked.unit, period, None) {
            Ok(unit) => unit,
            Err(failure) if named => return Err(failure),
            Err(failure) => {
                trouble = Some(failure);
                continue;
            }
        };
        if !view.sight.has_total(&indicator, unit, period, None) {
            if named {
                return Err(view.sight.out_of_reach());
            }
            continue;
        }
        let (first, last) = indicator.calendar.days(period);
        let (first, last) = (day_number(first), day_number(last));
        let days = match (asked.below, unit == registry.nation()) {
            (true, true) => DAYS_OF_NATION,
            (true, false) => DAYS_BELOW,
            (false, _) => i32::MAX,
        };
        let mut from = first;
        while from <= last {
            if out.len() == MOST_PARTS {
                return Err(too_long(&asked.period));
            }
            let to = from.saturating_add(days - 1).min(last);
            out.push(Part { indicator: Arc::clone(&indicator), unit, ends: (from, to) });
            from = to + 1;
        }
    }
    match trouble {
        Some(failure) if out.is_empty() => Err(failure),
        _ => Ok(out),
    }
}

/// That a period is too long for so many indicators.
fn too_long(period: &str) -> Failure {
    ask::finding(
        FailureKind::TooLarge,
        "period_too_long",
        "period",
        period,
        Text::of("một kỳ vài năm", "a period of some years"),
        Text::of(
            "hỏi kỳ ngắn hơn, hoặc ít chỉ tiêu hơn mỗi lần",
            "ask for a shorter period, or for fewer indicators at once",
        ),
    )
}

/// The named indicators, in the order they are named; else those of a programme, else the core ones.
fn indicators(view: &View, asked: &FiguresFile) -> Result<Vec<Arc<Indicator>>, Failure> {
    let registry = &view.registry;
    if !asked.indicator.is_empty() {
        let mut out: Vec<Arc<Indicator>> = Vec::new();
        for code in asked.indicator.split(',') {
            let indicator = ask::indicator(&view.sight, code)?;
            if out.iter().all(|other| other.code != indicator.code) {
                out.push(indicator);
            }
        }
        return Ok(out);
    }
    let programme = &asked.programme;
    if !programme.is_empty() && registry.programme(programme).is_none() {
        return Err(ask::unknown_programme(programme, ask::listed("/v1/programmes")));
    }
    let all = registry.indicators().iter();
    let wanted = all.filter(|i| if programme.is_empty() { i.core } else { i.programmes.contains(programme) });
    Ok(wanted.filter(|i| view.sight.has_any(i)).cloned().collect())
}

impl Rows for FigureRows {
    type Row = pb::FigureRevision;

    fn as_of(&self) -> &pb::AsOf {
        &self.as_of
    }

    fn about(&self) -> &About {
        &self.about
    }

    async fn next(&mut self) -> Result<Option<Vec<pb::FigureRevision>>, Failure> {
        while let Some(part) = self.parts.pop_front() {
            let (review, pinned) = (self.review.clone(), Some(self.as_of.position));
            let view =
                self.query.view(&self.caller, When { review: &review, pinned, ..When::default() }).await?;
            let mut found = Vec::new();
            let add = |unit: UnitId, period: Period, revisions: Vec<pb::FigureRevision>| {
                found.extend(revisions.into_iter().map(|revision| ((unit, period), revision)));
            };
            self.read(&view, &part, add).await?;
            if found.is_empty() {
                continue;
            }
            found.sort_by(|(a_key, a), (b_key, b)| {
                (a_key, &a.breakdown, &a.scope, a.position).cmp(&(b_key, &b.breakdown, &b.scope, b.position))
            });
            let mut figures: Vec<_> = found.into_iter().map(|(_, figure)| figure).collect();
            self.name(&view, &mut figures).await?;
            return Ok(Some(figures));
        }
        Ok(None)
    }
}
