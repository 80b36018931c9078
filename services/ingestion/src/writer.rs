//! Group commit: submissions that wait together share one transaction and one flush to disk. What takes time was done
//! with each before it came here, so that while one group is flushed others are made ready.

use std::sync::Arc;

use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::{Appended, Ledger, Prepared, StoreError};
use tracing::Instrument;
use tracing::field::Empty;

use crate::metrics::Measures;

/// Entries that share a transaction at most.
const MOST_ENTRIES: usize = 128;
/// Bytes that share a transaction, save that one entry always fits.
const MOST_BYTES: usize = 16 << 20;
/// Entries that may wait.
const QUEUE: usize = 1024;

struct Waiting {
    entry: Prepared,
    reply: oneshot::Sender<Result<Appended, Failure>>,
}

/// Appends entries in groups.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Waiting>,
}

impl Writer {
    /// Starts the task that appends. `head` is told of every new position.
    pub(crate) fn start(ledger: Ledger, head: Arc<watch::Sender<i64>>, measures: Measures) -> Writer {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(ledger, waiting, head, measures));
        Writer { queue }
    }

    /// Appends an entry, and returns when it is durable. An entry that was begun is finished though the caller
    /// goes away.
    ///
    /// # Errors
    /// Where the queue is full, or the database does not answer.
    pub(crate) async fn append(&self, entry: Prepared) -> Result<Appended, Failure> {
        let span = tracing::info_span!("append", figures = entry.figures(), position = Empty);
        async {
            let appended = self.queued(entry).await?;
            if let Some(receipt) = appended.receipt() {
                tracing::Span::current().record("position", receipt.position);
            }
            Ok(appended)
        }
        .instrument(span)
        .await
    }

    /// How many entries wait, and how many may.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let most = self.queue.max_capacity();
        (most - self.queue.capacity(), most)
    }

    async fn queued(&self, entry: Prepared) -> Result<Appended, Failure> {
        let (reply, answer) = oneshot::channel();
        let full = |_| {
            let detail = Text::of(
                "quá nhiều báo cáo đang chờ; hãy thử lại sau giây lát",
                "too many submissions wait; try again in a moment",
            );
            Failure::new(FailureKind::Unavailable, detail)
        };
        self.queue.try_send(Waiting { entry, reply }).map_err(full)?;
        answer.await.map_err(|_| {
            let detail = Text::of("hệ thống đang dừng; hãy thử lại", "the service is stopping; try again");
            Failure::new(FailureKind::Unavailable, detail)
        })?
    }
}

async fn run(
    ledger: Ledger,
    mut queue: mpsc::Receiver<Waiting>,
    head: Arc<watch::Sender<i64>>,
    measures: Measures,
) {
    while let Some(first) = queue.recv().await {
        let mut bytes = first.entry.bytes();
        let mut group = vec![first];
        while group.len() < MOST_ENTRIES && bytes < MOST_BYTES {
            let Ok(next) = queue.try_recv() else { break };
            bytes += next.entry.bytes();
            group.push(next);
        }
        measures.group_entries.observe(group.len() as f64);
        let begun = Instant::now();
        let (entries, replies): (Vec<_>, Vec<_>) = group.into_iter().map(|w| (w.entry, w.reply)).unzip();
        match append(&ledger, &entries).await {
            Ok(appended) => {
                answer(appended.into_iter().map(Ok).collect(), replies, &head);
            }
            // One entry that the database refuses must not take its neighbours with it.
            Err(error) if !error.is_transient() && replies.len() > 1 => {
                let mut alone = Vec::with_capacity(entries.len());
                for entry in &entries {
                    let one = append(&ledger, std::slice::from_ref(entry)).await.map_err(failure);
                    alone.push(one.and_then(|mut a| a.pop().ok_or_else(|| Failure::internal("no answer"))));
                }
                answer(alone, replies, &head);
            }
            Err(error) => {
                let text = error.to_string();
                let mut causes = vec![failure(error)];
                causes.resize_with(replies.len(), || {
                    Failure::unavailable(
                        Text::of(
                            "không ghi được sổ cái; hãy thử lại với cùng khóa",
                            "the ledger could not be written; try again with the same key",
                        ),
                        text.clone(),
                    )
                });
                answer(causes.into_iter().map(Err).collect(), replies, &head);
            }
        }
        measures.group_seconds.observe(begun.elapsed().as_secs_f64());
    }
}

/// Appends; a lock that another process holds is waited for, once more.
async fn append(ledger: &Ledger, entries: &[Prepared]) -> Result<Vec<Appended>, StoreError> {
    match ledger.append_prepared(entries).await {
        // The key makes it safe: what was committed after all is found again.
        Err(error) if error.is_transient() => {
            tracing::warn!(error = &error as &dyn std::error::Error, "an append is tried again");
            ledger.append_prepared(entries).await
        }
        other => other,
    }
}

fn answer(
    outcomes: Vec<Result<Appended, Failure>>,
    replies: Vec<oneshot::Sender<Result<Appended, Failure>>>,
    head: &watch::Sender<i64>,
) {
    let newest = outcomes
        .iter()
        .flatten()
        .filter_map(|a| a.receipt())
        .map(|receipt| receipt.position)
        .max()
        .unwrap_or(0);
    head.send_if_modified(|known| {
        let moved = newest > *known;
        *known = newest.max(*known);
        moved
    });
    for (outcome, reply) in outcomes.into_iter().zip(replies) {
        // The caller may have gone; the entry stands.
        let _ = reply.send(outcome);
    }
}

/// A database failure as a caller sees it.
pub(crate) fn failure(error: StoreError) -> Failure {
    if error.is_transient() {
        let detail = Text::of(
            "sổ cái không trả lời; hãy thử lại với cùng khóa",
            "the ledger does not answer; try again with the same key",
        );
        Failure::unavailable(detail, error)
    } else {
        Failure::internal(error)
    }
}
