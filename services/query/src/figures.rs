//! What was reported: every figure and every revision of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tonghop_access::Caller;
use tonghop_core::calendar::day_number;
use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::{Breakdown, DimensionKind, REPORTER};
use tonghop_core::figure::Series;
use tonghop_core::indicator::{Indicator, ReporterOverlap};
use tonghop_core::period::Period;
use tonghop_core::unit::UnitId;
use tonghop_proto::finding::{self, shown};
use tonghop_proto::ingestion::Finding;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, Language};
use tonghop_store::TileSelect;
use tonghop_tiles::{Entry, Revision, Said};

use crate::cursor::{self, Cursor};
use crate::moment::When;
use crate::read::read_tile;
use crate::tag::hex;
use crate::{Query, View, ask, store_failure, view};

/// Which figures are wanted.
pub(crate) struct Wanted<'a> {
    pub(crate) indicator: &'a Arc<Indicator>,
    pub(crate) unit: UnitId,
    pub(crate) period: Period,
    /// Members that a figure must name; of others any will do.
    pub(crate) breakdown: &'a Breakdown,
    /// Also those of units below.
    pub(crate) below: bool,
    /// Only those of exactly the period, not those within it.
    pub(crate) exactly: bool,
}

impl Query {
    /// Lists figures with all their revisions, newest position last within each figure.
    ///
    /// # Errors
    /// What is wrong with the request, or that the caller may not ask it.
    pub async fn list_figures(
        &self,
        caller: &Caller,
        request: &pb::ListFiguresRequest,
    ) -> Result<pb::ListFiguresResponse, Failure> {
        let below = if request.below { "below" } else { "" };
        let as_of = request.as_of.to_string();
        let words = [
            &request.indicator,
            &request.unit,
            &request.period,
            &request.breakdown,
            below,
            as_of.as_str(),
            &request.review,
        ];
        let cursor = Cursor::read(&request.page_token, &words)?;
        let when = When {
            at_least: request.at_least,
            as_of: request.as_of,
            review: &request.review,
            pinned: cursor.pinned,
            ..When::default()
        };
        let view = self.view(caller, when).await?;
        let period = ask::period(&request.period)?;
        let breakdown = ask::breakdown(&request.breakdown)?;
        let indicator = ask::indicator(&view.sight, &request.indicator)?;
        let unit = ask::unit(&view.registry, &indicator, &request.unit, period, None)?;
        view.sight.may_ask(&indicator, unit, period, None)?;
        let wanted = Wanted {
            indicator: &indicator,
            unit,
            period,
            breakdown: &breakdown,
            below: request.below,
            exactly: false,
        };
        let all = view.revisions(&wanted).await?;
        let end = all.len().min(cursor.start.saturating_add(cursor::size(request.page_size)));
        let figures = all.get(cursor.start..end).unwrap_or_default().to_vec();
        Ok(pb::ListFiguresResponse {
            as_of: Some(view.as_of()),
            figures: view.with_submissions(figures).await?,
            next_page_token: cursor.next(view.position(), end, all.len()),
        })
    }
}

impl View {
    /// Revisions without their submissions.
    pub(crate) async fn revisions(&self, wanted: &Wanted<'_>) -> Result<Vec<pb::FigureRevision>, Failure> {
        let registry = &self.registry;
        let indicator = wanted.indicator;
        let (first, last) = indicator.calendar.days(wanted.period);
        let nation = registry.nation();
        let keepers = if self.moment.is_moved() || (wanted.below && wanted.unit == nation) {
            None
        } else {
            Some(vec![registry.unit(registry.keeper(wanted.unit, last)).key()])
        };
        let series: Vec<String> = self.series_of(indicator, wanted.breakdown);
        let may_see = self.sight.figures_of(indicator);
        let mut found: BTreeMap<(UnitId, Period, String, u8, i64), pb::FigureRevision> = BTreeMap::new();
        for series in series.chunks(100) {
            let select = TileSelect::Series {
                series: series.to_vec(),
                keepers: keepers.clone(),
                from_end: day_number(first),
                to_end: day_number(last),
            };
            for tile in self.snapshot.tiles(select).await.map_err(store_failure)? {
                let (series, period, body) = read_tile(&tile)?;
                let inside = indicator.calendar.first_day(period) >= first;
                if !inside || (wanted.exactly && period != wanted.period) {
                    continue;
                }
                for entry in body.entries() {
                    let day = indicator.calendar.last_day(period);
                    let Some(unit) = self.moment.unit(registry, entry.unit, day) else { continue };
                    let here = if wanted.below {
                        registry.map_on(day).ancestry(unit).any(|u| u == wanted.unit)
                    } else {
                        unit == wanted.unit
                    };
                    if here && may_see(unit, day) {
                        for shown in self.entry(wanted, &series, period, unit, entry) {
                            let key =
                                (unit, period, shown.breakdown.clone(), entry.scope as u8, shown.position);
                            found.insert(key, shown);
                        }
                    }
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// The series of an indicator whose figures can name what is wanted.
    pub(crate) fn series_of(&self, indicator: &Indicator, breakdown: &Breakdown) -> Vec<String> {
        let registry = &self.registry;
        let overlapping = |d: &String| {
            d != REPORTER && registry.dimension(d).is_some_and(|d| d.kind == DimensionKind::Overlapping)
        };
        let mut tags: BTreeSet<Breakdown> = BTreeSet::from([Breakdown::default()]);
        for dimension in indicator.dimensions.iter().filter(|d| overlapping(d)) {
            let members: Vec<&str> = match breakdown.member(dimension) {
                Some(member) => vec![member],
                None => {
                    let members = registry.dimension(dimension).map_or(&[][..], |d| &d.members);
                    members.iter().map(|m| m.code.as_str()).collect()
                }
            };
            let mut more: BTreeSet<Breakdown> =
                tags.iter().flat_map(|t| members.iter().map(|m| t.with(dimension, m))).collect();
            if breakdown.member(dimension).is_none() {
                more.extend(tags);
            }
            tags = more;
        }
        if indicator.overlap != ReporterOverlap::Single {
            let sides: Vec<&str> = match breakdown.member(REPORTER) {
                Some(side) => vec![side],
                None => indicator.reporters.iter().map(String::as_str).collect(),
            };
            tags = tags.iter().flat_map(|t| sides.iter().map(|s| t.with(REPORTER, s))).collect();
        }
        tags.into_iter().map(|tags| Series { indicator: indicator.code.clone(), tags }.to_string()).collect()
    }

    /// The revisions of a figure that are wanted.
    pub(crate) fn entry(
        &self,
        wanted: &Wanted<'_>,
        series: &Series,
        period: Period,
        unit: UnitId,
        entry: Entry<'_>,
    ) -> Vec<pb::FigureRevision> {
        let members = Breakdown::parse(entry.members).unwrap_or_default();
        let limit = self.moment.limit();
        let newest = entry.as_of(limit).map(|r| r.position);
        let show = |revision: Revision<&str>| {
            let mut breakdown = members.clone();
            for (dimension, member) in series.tags.iter() {
                breakdown = breakdown.with(dimension, member);
            }
            if !revision.reporter.is_empty() {
                breakdown = breakdown.with(REPORTER, revision.reporter);
            }
            if !wanted.breakdown.within(&breakdown) {
                return None;
            }
            let mut shown = pb::FigureRevision {
                unit: Some(view::unit_ref(&self.registry, unit, wanted.indicator.calendar.last_day(period))),
                indicator: wanted.indicator.code.clone(),
                breakdown: breakdown.to_string(),
                period: period.to_string(),
                scope: entry.scope.code().into(),
                current: Some(revision.position) == newest,
                position: revision.position,
                programmes: revision
                    .programmes
                    .split('|')
                    .filter(|p| !p.is_empty())
                    .map(str::to_owned)
                    .collect(),
                ..pb::FigureRevision::default()
            };
            match revision.said {
                Said::Value(value, qualifier) => {
                    shown.value = Some(format_decimal(i128::from(value), wanted.indicator.decimals));
                    shown.qualifier = qualifier.code().into();
                }
                Said::NotAvailable(reason) => shown.not_available_reason = reason.to_owned(),
                Said::Withdrawn => shown.withdrawn = true,
            }
            Some(shown)
        };
        entry.revisions().filter(|r| r.position <= limit).filter_map(show).collect()
    }

    /// Names the submission of each revision.
    pub(crate) async fn with_submissions(
        &self,
        mut figures: Vec<pb::FigureRevision>,
    ) -> Result<Vec<pb::FigureRevision>, Failure> {
        self.name_submissions(vec![&mut figures]).await?;
        Ok(figures)
    }

    /// The same for several lists at once.
    pub(crate) async fn name_submissions(
        &self,
        figures: Vec<&mut Vec<pb::FigureRevision>>,
    ) -> Result<(), Failure> {
        let positions: BTreeSet<i64> = figures.iter().flat_map(|of| of.iter().map(|f| f.position)).collect();
        let positions: Vec<i64> = positions.into_iter().collect();
        let effects = self.snapshot.effects(&positions).await.map_err(store_failure)?;
        let by_position: BTreeMap<i64, _> = effects.iter().map(|e| (e.position, e)).collect();
        let mut kept: BTreeMap<i64, BTreeMap<String, Vec<Finding>>> = BTreeMap::new();
        for effect in effects.iter().filter(|effect| !effect.findings.is_empty()) {
            kept.insert(effect.position, kept_with(&effect.findings)?);
        }
        let vietnamese = Language::spoken() == Language::Vietnamese;
        for figure in figures.into_iter().flatten() {
            if let Some(effect) = by_position.get(&figure.position) {
                figure.submission = effect.id.to_string();
                figure.source = effect.source.clone();
                figure.received_at = effect.received_at.to_string();
                figure.digest = hex(&effect.digest);
            }
            if let Some(kept) = kept.get(&figure.position).filter(|kept| !kept.is_empty()) {
                let unit = figure.unit.as_ref().map_or("", |unit| &unit.code);
                let named = format!("{unit} {} {} {}", figure.indicator, figure.period, figure.scope);
                let found = kept.get(&named).into_iter().flatten();
                figure.findings = found.map(|found| shown(found.clone(), vietnamese)).collect();
            }
        }
        Ok(())
    }
}

/// The findings of a submission that are kept with its figures, by figure.
fn kept_with(stored: &[u8]) -> Result<BTreeMap<String, Vec<Finding>>, Failure> {
    let stored = finding::stored(stored).map_err(Failure::internal)?;
    let mut out: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for mut finding in stored {
        for figure in std::mem::take(&mut finding.about) {
            out.entry(figure).or_default().push(finding.clone());
        }
    }
    Ok(out)
}
