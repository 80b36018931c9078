//! Bodies while they come. A body holds memory for the bytes that are there and no place where work is done, it may not
//! take for ever, and one sender's do not take all the memory.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tonghop_runtime::{Failure, FailureKind, Text};

use super::Admission;
use super::lane::Lane;
use super::refusal::Refusal;

/// How long a body may pause, and how long it may take in all. A pause is no reason to give up an unsteady line, the time
/// in all is what 32 MiB take over one of a megabit a second.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(280);
/// Bodies of one sender at once.
const MOST_OF_LANE: usize = 128;

/// The bodies that are there.
#[derive(Debug)]
pub(super) struct Arrivals {
    most: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: u64,
    of_lane: HashMap<Lane, (usize, u64)>,
}

/// A body's memory, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    arrivals: Arc<Arrivals>,
    /// None where nobody has to say who they are: then all have all.
    lane: Option<Lane>,
    bytes: Mutex<u64>,
}

impl Arrivals {
    pub(super) fn new(most: u64) -> Arc<Arrivals> {
        Arc::new(Arrivals { most, state: Mutex::default() })
    }

    /// What one sender's bodies may hold.
    fn most_of_lane(&self) -> u64 {
        self.most / 4
    }

    pub(super) fn begin(
        self: &Arc<Self>,
        lane: Option<Lane>,
        declared: Option<u64>,
    ) -> Result<Arc<Held>, Refusal> {
        let declared = declared.unwrap_or(0);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.bytes.saturating_add(declared) > self.most {
            return Err(Refusal::AllBodies);
        }
        if let Some(lane) = &lane {
            let (count, bytes) = state.of_lane.get(lane).copied().unwrap_or_default();
            if count >= MOST_OF_LANE || bytes.saturating_add(declared) > self.most_of_lane() {
                return Err(Refusal::LaneBodies);
            }
            state.of_lane.insert(lane.clone(), (count + 1, bytes));
        }
        Ok(Arc::new(Held { arrivals: Arc::clone(self), lane, bytes: Mutex::new(0) }))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl Held {
    /// More bytes are there.
    fn more(&self, bytes: u64) -> Result<(), Refusal> {
        let mut state = self.arrivals.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.bytes.saturating_add(bytes) > self.arrivals.most {
            return Err(Refusal::AllBodies);
        }
        if let Some(lane) = &self.lane
            && let Some((_, of_lane)) = state.of_lane.get_mut(lane)
        {
            if of_lane.saturating_add(bytes) > self.arrivals.most_of_lane() {
                return Err(Refusal::LaneBodies);
            }
            *of_lane += bytes;
        }
        state.bytes += bytes;
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.arrivals.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes -= bytes;
        if let Some(lane) = &self.lane
            && let Some((count, of_lane)) = state.of_lane.get_mut(lane)
        {
            *count -= 1;
            *of_lane -= bytes;
            if *count == 0 {
                state.of_lane.remove(lane);
            }
        }
    }
}

/// A body while it comes.
#[derive(Debug)]
pub(crate) struct Arriving<B> {
    body: B,
    held: Arc<Held>,
    admission: Arc<Admission>,
    until: Instant,
    /// Runs while nothing comes.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether it came too slowly.
    is_given_up: bool,
}

impl<B> Arriving<B> {
    pub(super) fn new(body: B, held: Arc<Held>, admission: Arc<Admission>) -> Arriving<B> {
        Arriving { body, held, admission, until: Instant::now() + LONGEST, pause: None, is_given_up: false }
    }

    /// What is still to come of it, of which nothing is held; nothing where it came too slowly to be waited for.
    pub(crate) fn rest(self) -> Option<B> {
        (!self.is_given_up).then_some(self.body)
    }

    fn came(&self, bytes: usize) -> Result<(), Failure> {
        let bytes = bytes as u64;
        self.held.more(bytes).map_err(|refusal| self.admission.refuse(refusal))?;
        if let Some(lane) = &self.held.lane {
            self.admission.came(lane, bytes);
        }
        Ok(())
    }
}

impl<B> Body for Arriving<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.pause = None;
                let counted = frame.data_ref().map_or(Ok(()), |data| self.came(data.remaining()));
                Poll::Ready(Some(counted.map(|()| frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(broken(&error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let until = self.until;
                let pause = self.pause.get_or_insert_with(|| {
                    let longest = (Instant::now() + LONGEST_PAUSE).min(until);
                    Box::pin(tokio::time::sleep_until(longest))
                });
                match pause.as_mut().poll(context) {
                    Poll::Ready(()) => {
                        self.is_given_up = true;
                        Poll::Ready(Some(Err(self.admission.refuse(Refusal::Slow))))
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn broken(error: &impl std::fmt::Display) -> Failure {
    Failure::new(
        FailureKind::NotUnderstood,
        Text::of(format!("nội dung bị ngắt giữa chừng: {error}"), format!("the body broke off: {error}")),
    )
}
