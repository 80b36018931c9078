//! Totals: one rectangle, or the same question over units, periods, members and indicators.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonghop_access::Caller;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, Language};
use tracing::Instrument;

use crate::beside::{Beside, Wanted};
use crate::cursor::{self, Cursor};
use crate::moment::When;
use crate::pivot::{Cell, Group, Pivot};
use crate::sight::not_permitted;
use crate::view;
use crate::{Query, View, approved, ask};

/// Totals that a paged request may come to.
pub(crate) const MOST_PAGED: usize = 20_000;
/// Totals that a stream may come to.
const MOST_STREAMED: usize = 1_000_000;
/// Totals of a stream that are answered at once.
const STREAMED_AT_ONCE: usize = 2000;
/// Totals of a stream that wait for a slow reader.
const QUEUE: usize = 64;

/// A request, read as far as it can be before the totals are looked at.
pub(crate) struct Asked<'a> {
    request: &'a pb::GetTotalsRequest,
    cursor: Cursor,
    beside: Beside,
    approved_only: bool,
}

impl<'a> Asked<'a> {
    pub(crate) fn read(request: &'a pb::GetTotalsRequest) -> Result<Asked<'a>, Failure> {
        let beside = Beside::read(request)?;
        let rank = if request.rank { "rank" } else { "" };
        let (last, as_of) = (request.last.to_string(), request.as_of.to_string());
        let words = [
            &request.indicator,
            &request.unit,
            &request.period,
            &request.breakdown,
            &request.by,
            &request.by_dimension,
            &request.map,
            &request.programme,
            &request.level,
            last.as_str(),
            &request.compare,
            &request.share,
            rank,
            as_of.as_str(),
            &request.review,
            &request.figures,
        ];
        let cursor = Cursor::read(&request.page_token, &words)?;
        let approved_only = approved::only(&request.figures)?;
        Ok(Asked { request, cursor, beside, approved_only })
    }

    /// Where the page goes on after the first `end` of `all` totals.
    pub(crate) fn next(&self, position: i64, end: usize, all: usize) -> String {
        self.cursor.next(position, end, all)
    }

    fn when(&self) -> When<'a> {
        When {
            at_least: self.request.at_least,
            as_of: self.request.as_of,
            review: &self.request.review,
            pinned: self.cursor.pinned,
            approved_only: self.approved_only,
        }
    }
}

/// Totals that go on as long as there are more and somebody reads them.
pub(crate) type Totals = ReceiverStream<Result<pb::StreamTotalsResponse, Failure>>;

impl Query {
    /// Answers a request for totals.
    ///
    /// # Errors
    /// What is wrong with the request, that the caller may not ask it; that nothing was reported is an answer.
    pub async fn totals(
        &self,
        caller: &Caller,
        request: &pb::GetTotalsRequest,
    ) -> Result<pb::GetTotalsResponse, Failure> {
        let asked = Asked::read(request)?;
        let view = self.view(caller, asked.when()).await?;
        let pivot = Pivot::read(&view.sight, request, MOST_PAGED)?;
        let page = pivot.page(asked.cursor.start, cursor::size(request.page_size));
        let totals = view.totals(&pivot, page, &asked.beside).await?;
        let end = asked.cursor.start.saturating_add(page.len());
        Ok(pb::GetTotalsResponse {
            as_of: Some(view.as_of()),
            totals,
            next_page_token: asked.next(view.position(), end, pivot.count()),
            count: pivot.count() as u64,
        })
    }

    /// Answers a request for totals with all of them, one after the other, as of one position. Some at a time are
    /// worked out while the reader takes those before.
    ///
    /// # Errors
    /// What is wrong with the request, that the caller may not ask it. What goes wrong later ends the stream.
    pub async fn totals_on(
        self: &Arc<Self>,
        caller: Caller,
        request: pb::GetTotalsRequest,
    ) -> Result<Totals, Failure> {
        let asked = Asked::read(&request)?;
        let view = self.view(&caller, asked.when()).await?;
        let pivot = Pivot::read(&view.sight, &request, MOST_STREAMED)?;
        // The first are answered before the stream begins, so that a wrong question fails as a whole.
        let first = pivot.page(asked.cursor.start, STREAMED_AT_ONCE);
        let start = asked.cursor.start.saturating_add(first.len());
        let first = view.totals(&pivot, first, &asked.beside).await?;
        let (as_of, beside) = (view.as_of(), asked.beside);
        // A reader may be slow, and a view holds a connection.
        drop(view);
        let (sender, receiver) = mpsc::channel(QUEUE);
        let this = Arc::clone(self);
        let streaming = async move {
            tokio::select! {
                // Who reads slowly does not keep the process.
                () = this.stop.told() => drop(sender.try_send(Err(Failure::stopping()))),
                ended = this.send_on(&sender, &caller, &request, &pivot, first, start, as_of, &beside) => {
                    if let Err(failure) = ended {
                        let _ = sender.send(Err(failure)).await;
                    }
                }
            }
        };
        tokio::spawn(Language::spoken().speaking(streaming).in_current_span());
        Ok(ReceiverStream::new(receiver))
    }

    /// Sends what is there already, then the rest, some at a time. Ends early where nobody reads any more.
    #[expect(clippy::too_many_arguments, reason = "the state of one stream, which nothing else has")]
    async fn send_on(
        &self,
        sender: &mpsc::Sender<Result<pb::StreamTotalsResponse, Failure>>,
        caller: &Caller,
        request: &pb::GetTotalsRequest,
        pivot: &Pivot,
        mut totals: Vec<pb::Total>,
        mut start: usize,
        as_of: pb::AsOf,
        beside: &Beside,
    ) -> Result<(), Failure> {
        let approved_only = approved::only(&request.figures)?;
        let pinned = Some(as_of.position);
        let when = When { review: &request.review, pinned, approved_only, ..When::default() };
        loop {
            for total in totals {
                let message = pb::StreamTotalsResponse { as_of: Some(as_of.clone()), total: Some(total) };
                if sender.send(Ok(message)).await.is_err() {
                    return Ok(());
                }
            }
            let next = pivot.page(start, STREAMED_AT_ONCE);
            if next.is_empty() {
                return Ok(());
            }
            start += next.len();
            totals = self.view(caller, when).await?.totals(pivot, next, beside).await?;
        }
    }
}

impl View {
    /// Some totals of a request, with what was asked for beside each.
    async fn totals(&self, pivot: &Pivot, page: &[Cell], beside: &Beside) -> Result<Vec<pb::Total>, Failure> {
        let mut wanted = Wanted::new(&self.sight);
        let mut asked = Vec::with_capacity(page.len());
        for cell in page {
            let group = pivot.group(cell);
            let may_see = self.sight.has_total(&group.indicator, cell.unit, group.period, group.map);
            let plan = group.plan.as_ref().ok().filter(|_| may_see);
            asked.push(plan.map(|plan| {
                let at = wanted.answer(cell.unit, plan);
                (at, beside.want(&mut wanted, group, plan, cell.unit))
            }));
        }
        let answers = self.answer(wanted.items()).await?;
        let mut places = beside.places();
        let mut out = Vec::with_capacity(page.len());
        for (cell, asked) in page.iter().zip(asked) {
            let shown = match (&pivot.group(cell).plan, asked) {
                (Ok(plan), Some((at, needed))) => {
                    let answer = answers.get(at).ok_or_else(|| Failure::internal("an answer is missing"))?;
                    if let (Err(refusal), true) = (&answer.total, pivot.is_whole) {
                        return Err(ask::refused(refusal));
                    }
                    let breakdown = &pivot.group(cell).breakdown;
                    let shown = self.shown(plan, cell.unit, breakdown, answer.clone());
                    places.beside(shown, plan, at, needed, &answers)
                }
                (Err(refusal), _) if pivot.is_whole => return Err(ask::refused(refusal)),
                (Err(refusal), _) => {
                    let Group { indicator, breakdown, period, map, .. } = pivot.group(cell);
                    let frame = view::frame(&self.registry, indicator, cell.unit, breakdown, *period, *map);
                    pb::Total { refused: ask::said(refusal).to_string(), ..frame }
                }
                (Ok(_), None) if pivot.is_whole => return Err(self.sight.out_of_reach()),
                (Ok(_), None) => {
                    let Group { indicator, breakdown, period, map, .. } = pivot.group(cell);
                    let frame = view::frame(&self.registry, indicator, cell.unit, breakdown, *period, *map);
                    pb::Total { refused: not_permitted(), ..frame }
                }
            };
            out.push(pb::Total { territory_break: cell.is_break, ..shown });
        }
        Ok(out)
    }
}
