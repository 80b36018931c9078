//! A total opened into what it was taken from, and these parts in their turn, down to figures and submissions.
//!
//! The tree is bounded in depth, in parts under one node and in nodes altogether; each node that is not whole says how
//! to go on. One level of it is read at a time, all of it at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tonghop_access::Caller;
use tonghop_core::Date;
use tonghop_core::decimal::format_decimal;
use tonghop_core::dimension::{Breakdown, REPORTER};
use tonghop_core::period::Period;
use tonghop_core::quantity::Sum;
use tonghop_core::question::{Plan, Prepared, Question, Total, plan, plan_for_any};
use tonghop_core::rollup::{Along, Cell, Taken};
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind, Text};

use crate::cursor::Cursor;
use crate::explain::set_aside;
use crate::figures::Wanted;
use crate::moment::When;
use crate::read::{self, Answer, Shelf};
use crate::{Query, View, ask, given};

/// Levels of parts where nothing is asked, and at most.
const DEPTH: (u32, u32) = (3, 8);
/// Parts under one node where nothing is asked, and at most.
const WIDTH: (u32, u32) = (20, 200);
/// Nodes of one tree at most, but that the parts of one node are always there.
const MOST_NODES: usize = 1000;
/// Revisions at one node at most.
const MOST_REVISIONS: usize = 200;

impl Query {
    /// Opens a total into its parts, and these in their turn.
    ///
    /// # Errors
    /// What is wrong with the request, or that the caller may not ask it.
    pub async fn explain_tree(
        &self,
        caller: &Caller,
        request: &pb::ExplainTreeRequest,
    ) -> Result<pb::ExplainTreeResponse, Failure> {
        let bounds = Bounds {
            depth: bounded("depth", request.depth, DEPTH)?,
            width: bounded("limit", request.width, WIDTH)? as usize,
        };
        let as_of = request.as_of.to_string();
        let words = [
            &request.indicator,
            &request.unit,
            &request.period,
            &request.breakdown,
            &request.map,
            as_of.as_str(),
            &request.review,
        ];
        let (token, place) = request.page_token.split_once('~').unwrap_or((&request.page_token, ""));
        let cursor = Cursor::read(token, &words)?;
        let when = When {
            at_least: request.at_least,
            as_of: request.as_of,
            review: &request.review,
            pinned: cursor.pinned,
            ..When::default()
        };
        let view = self.view(caller, when).await?;
        let mut asked = view.question(request)?;
        if cursor.pinned.is_some() {
            let malformed = || {
                let (code, token) = ("malformed_cursor", &request.page_token);
                let expected = Text::of("`more` của một nút", "the `more` of a node");
                let hint =
                    Text::of("dùng `more` của một nút trong cây", "give the `more` of a node of the tree");
                ask::finding(FailureKind::NotUnderstood, code, "cursor", token, expected, hint)
            };
            asked = view.place(&asked, place).ok_or_else(malformed)?;
            asked.start = cursor.start;
        }
        let mut tree = Tree { nodes: vec![], view: &view, bounds, cursor };
        let root = tree.grow(asked).await?;
        Ok(pb::ExplainTreeResponse { as_of: Some(view.as_of()), root: Some(root) })
    }
}

fn bounded(name: &str, given: u32, (usual, most): (u32, u32)) -> Result<u32, Failure> {
    match given {
        0 => Ok(usual),
        given if given <= most => Ok(given),
        given => Err(ask::finding(
            FailureKind::NotUnderstood,
            "too_many",
            name,
            given.to_string(),
            Text::of(format!("từ 1 đến {most}"), format!("1 to {most}")),
            Text::of(
                "mở phần còn lại bằng `more` của nút đó",
                "open what is left with the `more` of its node",
            ),
        )),
    }
}

#[derive(Clone, Copy)]
struct Bounds {
    depth: u32,
    width: usize,
}

/// One node that is to be opened.
#[derive(Clone)]
struct Part {
    plan: Arc<Plan>,
    unit: UnitId,
    breakdown: Breakdown,
    /// Of an origin.
    share: String,
    /// How many of its own parts were shown before.
    start: usize,
    depth: u32,
}

/// A node that was opened.
struct Opened {
    answer: Answer,
    cells: Vec<Cell<Sum>>,
    used: Used,
}

/// What a total was taken from.
enum Used {
    Nothing,
    Whole,
    /// Children, those with something in them first.
    Units(Vec<UnitId>),
    Time(Vec<Period>),
}

/// What grows.
struct Tree<'a> {
    nodes: Vec<Node>,
    view: &'a View,
    bounds: Bounds,
    cursor: Cursor,
}

struct Node {
    shown: pb::ExplainNode,
    /// The places of its parts among all nodes.
    parts: Vec<usize>,
}

impl Tree<'_> {
    async fn grow(&mut self, root: Part) -> Result<pb::ExplainNode, Failure> {
        let mut level: Vec<(Option<usize>, Part)> = vec![(None, root)];
        while !level.is_empty() {
            let parts: Vec<Part> = level.iter().map(|(_, part)| part.clone()).collect();
            let opened = self.view.open(&parts).await?;
            let mut next = vec![];
            for ((above, part), (opened, figures)) in level.into_iter().zip(opened) {
                let place = self.nodes.len();
                if let Some(above) = above {
                    self.nodes[above].parts.push(place);
                }
                next.extend(self.add(place, part, opened, figures)?);
            }
            level = next;
        }
        let mut nodes: Vec<Option<Node>> = std::mem::take(&mut self.nodes).into_iter().map(Some).collect();
        let mut root = take(&mut nodes, 0);
        let mut all: Vec<&mut pb::ExplainNode> = vec![&mut root];
        let mut figures: Vec<&mut Vec<pb::FigureRevision>> = vec![];
        while let Some(node) = all.pop() {
            figures.push(&mut node.figures);
            all.extend(node.parts.iter_mut());
        }
        self.view.name_submissions(figures).await?;
        Ok(root)
    }

    /// Adds a node, and says which parts of it are to be opened next.
    fn add(
        &mut self,
        place: usize,
        part: Part,
        opened: Opened,
        figures: Vec<pb::FigureRevision>,
    ) -> Result<Vec<(Option<usize>, Part)>, Failure> {
        let Part { plan, unit, breakdown, share, start, depth } = &part;
        let decimals = plan.indicator.decimals;
        let map = plan.map.map(|map| map.day);
        if !self.view.sight.has_total(&plan.indicator, *unit, plan.period, map) {
            let total = Some(self.view.shown(plan, *unit, breakdown, opened.answer));
            let (share, used) = (share.clone(), "nothing".to_owned());
            let shown = pb::ExplainNode { total, share, used, ..pb::ExplainNode::default() };
            self.nodes.push(Node { shown, parts: vec![] });
            return Ok(vec![]);
        }
        let Opened { answer, cells, used } = opened;
        let (name, parts) = self.view.parts(&part, used)?;
        let own = match cells.as_slice() {
            [cell] if name == "units" && !cell.collects => cell.own.value(),
            _ => None,
        };
        let mut shown = pb::ExplainNode {
            own: own.map(|own| format_decimal(own.value, decimals)),
            set_aside: cells.iter().flat_map(|cell| set_aside(plan, cell)).collect(),
            total: Some(self.view.shown(plan, *unit, breakdown, answer)),
            used: name.to_owned(),
            share: share.clone(),
            figures,
            parts_count: u32::try_from(parts.len()).unwrap_or(u32::MAX),
            ..pb::ExplainNode::default()
        };
        let (count, width) = (parts.len(), self.bounds.width);
        let room = *depth == 0 || self.nodes.len() < MOST_NODES;
        let opens =
            if room && *depth < self.bounds.depth { width.min(count.saturating_sub(*start)) } else { 0 };
        if start + opens < count {
            shown.more = self.more(&part, start + opens);
        }
        self.nodes.push(Node { shown, parts: vec![] });
        let next = parts.into_iter().skip(*start).take(opens);
        Ok(next.map(|next| (Some(place), Part { depth: depth + 1, ..next })).collect())
    }

    /// What opens a node again, with its parts from one on.
    fn more(&self, part: &Part, start: usize) -> String {
        let plan = &part.plan;
        let unit = self.view.registry.unit(part.unit).key();
        let map = plan.map.map(|map| map.day.to_string()).unwrap_or_default();
        let place = format!("{unit}~{}~{}~{map}", plan.period, part.breakdown);
        format!("{}~{place}", self.cursor.at(self.view.position(), start))
    }
}

/// A node with all below it; each is taken once.
fn take(nodes: &mut [Option<Node>], at: usize) -> pb::ExplainNode {
    let Some(Node { mut shown, parts }) = nodes.get_mut(at).and_then(Option::take) else {
        return pb::ExplainNode::default();
    };
    shown.parts = parts.into_iter().map(|part| take(nodes, part)).collect();
    shown
}

impl View {
    /// The node at which a tree begins.
    fn question(&self, request: &pb::ExplainTreeRequest) -> Result<Part, Failure> {
        let map = ask::map(&request.map)?;
        let period = ask::period(&request.period)?;
        let breakdown = ask::breakdown(&request.breakdown)?;
        let indicator = ask::indicator(&self.sight, &request.indicator)?;
        let unit = ask::unit(&self.registry, &indicator, &request.unit, period, map)?;
        self.sight.may_ask(&indicator, unit, period, map)?;
        let question =
            Question { unit, indicator: indicator.code.clone(), breakdown: breakdown.clone(), period, map };
        let plan = Arc::new(plan(&self.registry, &question).map_err(|r| ask::refused(&r))?);
        Ok(Part { plan, unit, breakdown, share: String::new(), start: 0, depth: 0 })
    }

    /// The node that a `more` names.
    fn place(&self, root: &Part, place: &str) -> Option<Part> {
        let mut words = place.splitn(4, '~');
        let unit = self.registry.unit_by_key(words.next()?)?;
        let period = Period::parse(words.next()?).ok()?;
        let breakdown = Breakdown::parse(words.next()?).ok()?;
        let map = match words.next()? {
            "" => None,
            day => Some(day.parse().ok()?),
        };
        let plan = self.planned(&root.plan, &breakdown, period, map)?;
        plan.admits(&self.registry, unit).ok()?;
        Some(Part { plan, unit, breakdown, ..root.clone() })
    }

    fn planned(
        &self,
        near: &Plan,
        breakdown: &Breakdown,
        period: Period,
        map: Option<Date>,
    ) -> Option<Arc<Plan>> {
        plan_for_any(&self.registry, &near.indicator.code, breakdown, period, map).ok().map(Arc::new)
    }

    /// The parts of a node, and what they are.
    fn parts(&self, part: &Part, used: Used) -> Result<(&'static str, Vec<Part>), Failure> {
        let Part { plan, unit, breakdown, .. } = part;
        let registry = &self.registry;
        let of = |plan: &Arc<Plan>, unit: UnitId| Part {
            plan: Arc::clone(plan),
            unit,
            breakdown: breakdown.clone(),
            share: String::new(),
            start: 0,
            depth: 0,
        };
        if plan.told_on(registry) != plan.epoch(registry) {
            let Some(reported) = self.planned(plan, breakdown, plan.period, None) else {
                return Ok(("nothing", vec![]));
            };
            let origins = plan.shares_of(registry, *unit).into_iter();
            let origins =
                origins.map(|(unit, share)| Part { share: share.to_string(), ..of(&reported, unit) });
            return Ok(("origins", origins.collect()));
        }
        if plan.sides.len() > 1 {
            let sides = plan.indicator.reporters.iter().filter_map(|side| {
                let breakdown = breakdown.with(REPORTER, side);
                let plan = self.planned(plan, &breakdown, plan.period, None)?;
                Some(Part { breakdown, ..of(&plan, *unit) })
            });
            return Ok(("sides", sides.collect()));
        }
        Ok(match used {
            Used::Nothing => ("nothing", vec![]),
            Used::Whole => ("whole", vec![]),
            Used::Units(units) => ("units", units.into_iter().map(|unit| of(plan, unit)).collect()),
            Used::Time(periods) => {
                let map = &registry.maps()[plan.told_on(registry)];
                let mut parts = vec![];
                for period in periods {
                    let day = plan.indicator.calendar.last_day(period);
                    // A tile that ends before the unit began is that of what the unit goes back to.
                    let reads_back = registry.epoch(day) < plan.told_on(registry);
                    let map = map.from.filter(|_| reads_back);
                    let planned = self.planned(plan, breakdown, period, map);
                    let planned = planned.filter(|plan| plan.admits(registry, *unit).is_ok());
                    parts.extend(planned.map(|plan| of(&plan, *unit)));
                }
                ("time", parts)
            }
        })
    }

    /// Opens the nodes of one level, in their order: each with its figures, whose submissions are not named yet.
    async fn open(&self, parts: &[Part]) -> Result<Vec<(Opened, Vec<pb::FigureRevision>)>, Failure> {
        let mut by_plan: Vec<(Arc<Plan>, Vec<usize>)> = vec![];
        let mut known: HashMap<usize, usize> = HashMap::new();
        for (place, part) in parts.iter().enumerate() {
            let at = *known.entry(read::name(&part.plan)).or_insert_with(|| {
                by_plan.push((Arc::clone(&part.plan), vec![]));
                by_plan.len() - 1
            });
            by_plan[at].1.push(place);
        }
        let units: Vec<Vec<UnitId>> = by_plan
            .iter()
            .map(|(_, places)| places.iter().map(|place| parts[*place].unit).collect())
            .collect();
        let needed: Vec<(&Plan, &[UnitId])> =
            by_plan.iter().zip(&units).map(|((plan, _), units)| (&**plan, units.as_slice())).collect();
        let shelf = Arc::new(self.shelf(&needed).await?);
        let mut figures: Vec<Vec<pb::FigureRevision>> = vec![vec![]; parts.len()];
        for (plan, places) in &by_plan {
            let of_plan: HashMap<UnitId, usize> =
                places.iter().map(|place| (parts[*place].unit, *place)).collect();
            self.revisions_on(&shelf, plan, &of_plan, &mut figures)?;
        }
        let on = Arc::clone(&shelf);
        let opening = tokio::task::spawn_blocking(move || {
            let mut out = vec![];
            for ((plan, places), units) in by_plan.into_iter().zip(units) {
                for (place, opened) in places.into_iter().zip(opened(&on, &plan, &units)?) {
                    out.push((place, opened));
                }
            }
            Ok::<_, Failure>(out)
        });
        let mut out = opening.await.map_err(Failure::internal)??;
        out.sort_by_key(|(place, _)| *place);
        Ok(out.into_iter().map(|(_, opened)| opened).zip(figures).collect())
    }

    /// Figures of some units for exactly a plan's period (of a stock: within it), each to its unit's place.
    fn revisions_on(
        &self,
        shelf: &Shelf,
        plan: &Plan,
        of: &HashMap<UnitId, usize>,
        out: &mut [Vec<pb::FigureRevision>],
    ) -> Result<(), Failure> {
        let units: HashSet<UnitId> = of.keys().copied().collect();
        for asked in plan.asked().filter(|asked| !asked.indicator.from_map) {
            let mut breakdown = asked.members.clone();
            for (dimension, member) in asked.series.tags.iter() {
                breakdown = breakdown.with(dimension, member);
            }
            if let Some(reporter) = &asked.reporter {
                breakdown = breakdown.with(REPORTER, reporter);
            }
            let stock = asked.indicator.is_stock();
            let may_see = self.sight.figures_of(&asked.indicator);
            for (period, body) in shelf.bodies(plan, asked, &units)? {
                if !stock && period != plan.period {
                    continue;
                }
                let day = asked.indicator.calendar.last_day(period);
                for entry in body.entries() {
                    let Some(unit) = self.moment.unit(&self.registry, entry.unit, day) else { continue };
                    let Some(place) = of.get(&unit).filter(|_| may_see(unit, day)) else { continue };
                    let wanted = Wanted {
                        indicator: &asked.indicator,
                        unit,
                        period,
                        breakdown: &breakdown,
                        below: false,
                        exactly: !stock,
                    };
                    let revisions = self.entry(&wanted, &asked.series, period, unit, entry);
                    let room = MOST_REVISIONS.saturating_sub(out[*place].len());
                    out[*place].extend(revisions.into_iter().take(room));
                }
            }
        }
        Ok(())
    }
}

/// Opens units of one plan.
fn opened(shelf: &Shelf, plan: &Plan, units: &[UnitId]) -> Result<Vec<Opened>, Failure> {
    let registry = shelf.registry();
    let figures = shelf.figures(plan, units)?;
    let prepared = Prepared::new(registry, plan, &figures);
    let is_restated = plan.told_on(registry) != plan.epoch(registry);
    let map = &registry.maps()[plan.told_on(registry)];
    let open = |unit: &UnitId| {
        let total = prepared.total(*unit);
        let given = match &total {
            Ok(total) if !read::adds_up(total) => given::below(registry, plan, *unit, &figures),
            _ => vec![],
        };
        let ways = if is_restated || total.is_err() { vec![] } else { prepared.ways(*unit) };
        let used = match ways.as_slice() {
            [(Taken::Whole, _)] => Used::Whole,
            // A bare percentage stands where a declared whole would.
            _ if matches!(&total, Ok(t) if t.value.is_some() && t.pair.is_none() && is_ratio(plan)) => {
                Used::Whole
            }
            [(Taken::Parts, Along::Time)] => Used::Time(prepared.tiles(*unit)),
            [(Taken::Parts, Along::Units)] => {
                let children = map.children(*unit).iter().copied();
                let collected =
                    children.filter(|child| registry.unit(*child).level <= plan.indicator.collection_level);
                let has_something = |child: &UnitId| prepared.total(*child).is_ok_and(|t| is_something(&t));
                let (mut first, rest): (Vec<UnitId>, Vec<UnitId>) = collected.partition(has_something);
                first.extend(rest);
                Used::Units(first)
            }
            _ => Used::Nothing,
        };
        let cells = if is_restated || total.is_err() { vec![] } else { prepared.cells(*unit) };
        Opened { answer: Answer { total, given, approved: None }, cells, used }
    };
    Ok(units.iter().map(open).collect())
}

fn is_ratio(plan: &Plan) -> bool {
    matches!(plan.indicator.kind, tonghop_core::indicator::Kind::Ratio(_))
}

fn is_something(total: &Total) -> bool {
    total.value.is_some() || total.reported > 0 || total.whole.is_some() || total.parts.is_some()
}
