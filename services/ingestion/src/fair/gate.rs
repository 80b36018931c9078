//! A bounded number of works at once, let in as [`FairQueue`] says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::lane::Lane;
use super::queue::FairQueue;

/// What a turn is worth: about what a usual push costs.
const QUANTUM: u64 = 256 << 10;

/// How much is done at once, and how much may wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Works at once.
    pub(super) at_once: usize,
    /// Their cost, save that one of any cost always goes on.
    pub(super) cost_at_once: u64,
    /// Works of one lane at once.
    pub(super) of_lane_at_once: usize,
    /// Their cost, save that one of any cost always goes on.
    pub(super) cost_of_lane_at_once: u64,
    /// Works that may wait.
    pub(super) waiting: usize,
    /// Works of one lane that may wait.
    pub(super) of_lane_waiting: usize,
}

/// Why nobody is let in, and how long what is first has waited by now: about as long will it take until there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Too much of this lane waits.
    Lane(Duration),
    /// Too much waits altogether.
    All(Duration),
}

/// Lets works in.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: FairQueue<Lane, Waiting>,
    of_lane: HashMap<Lane, Load>,
    all: Load,
    /// Names what waits.
    number: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    works: usize,
    cost: u64,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    reply: oneshot::Sender<Pass>,
}

/// A work that was let in; it is done when this is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Shared>,
    lane: Lane,
    cost: u64,
}

/// What waits, for as long as somebody waits for it.
struct Place<'a> {
    gate: &'a Shared,
    lane: &'a Lane,
    number: u64,
}

impl Gate {
    pub(super) fn new(bounds: Bounds) -> Gate {
        let queue = FairQueue::new(QUANTUM);
        let state = State { queue, of_lane: HashMap::new(), all: Load::default(), number: 0 };
        Gate(Arc::new(Shared { bounds, state: Mutex::new(state) }))
    }

    /// Waits for the lane's turn. Where nothing waits and there is room, that is at once.
    ///
    /// # Errors
    /// Where too much waits.
    pub(super) async fn pass(&self, lane: &Lane, cost: u64) -> Result<Pass, Full> {
        let (number, let_in) = {
            let mut state = self.0.lock();
            if state.queue.len() == 0
                && may(&self.0.bounds, &state.of_lane, lane, cost)
                && fits(&self.0.bounds, state.all, cost)
            {
                return Ok(self.0.let_in(&mut state, lane.clone(), cost));
            }
            let now = Instant::now();
            if state.queue.len_of(lane) >= self.0.bounds.of_lane_waiting {
                let first = state.queue.first_of(lane).map(|w| w.since);
                return Err(Full::Lane(first.map_or(Duration::ZERO, |since| now - since)));
            }
            if state.queue.len() >= self.0.bounds.waiting {
                let first = state.queue.firsts().map(|w| w.since).min();
                return Err(Full::All(first.map_or(Duration::ZERO, |since| now - since)));
            }
            state.number += 1;
            let number = state.number;
            let (reply, let_in) = oneshot::channel();
            state.queue.push(lane.clone(), number, cost, Waiting { since: now, reply });
            // Others may wait for their own lane only.
            self.0.go_on(state);
            (number, let_in)
        };
        let place = Place { gate: &self.0, lane, number };
        let pass = let_in.await;
        // It was let in: there is nothing to take out any more.
        std::mem::forget(place);
        Ok(pass.unwrap_or_else(|_| unreachable!("what is taken out of the queue is let in")))
    }

    /// How many wait, in how many lanes, and how many were let in.
    pub(super) fn load(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.queue.len(), state.all.works)
    }
}

/// Whether a lane may have one more at once.
fn may(bounds: &Bounds, of_lane: &HashMap<Lane, Load>, lane: &Lane, cost: u64) -> bool {
    of_lane.get(lane).is_none_or(|load| {
        load.works < bounds.of_lane_at_once && load.cost.saturating_add(cost) <= bounds.cost_of_lane_at_once
    })
}

/// Whether there is room for one more.
fn fits(bounds: &Bounds, all: Load, cost: u64) -> bool {
    all.works == 0 || (all.works < bounds.at_once && all.cost.saturating_add(cost) <= bounds.cost_at_once)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_in(self: &Arc<Shared>, state: &mut State, lane: Lane, cost: u64) -> Pass {
        for load in [&mut state.all, state.of_lane.entry(lane.clone()).or_default()] {
            load.works += 1;
            load.cost += cost;
        }
        Pass { gate: Arc::clone(self), lane, cost }
    }

    /// Lets in whatever there is room for.
    fn go_on(self: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
        let mut gone = Vec::new();
        loop {
            let State { queue, of_lane, all, .. } = &mut *state;
            let next = queue.next(|lane, cost| may(&self.bounds, of_lane, lane, cost));
            // The next one is waited for: smaller ones of others could keep it out for ever.
            let Some((_, cost)) = next else { break };
            if !fits(&self.bounds, *all, cost) {
                break;
            }
            let Some((lane, cost, waiting)) = queue.take() else { break };
            let pass = self.let_in(&mut state, lane, cost);
            if let Err(pass) = waiting.reply.send(pass) {
                gone.push(pass);
            }
        }
        // Each of these gives its room back, for which it takes the lock.
        drop(state);
        drop(gone);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.all.works -= 1;
        state.all.cost -= self.cost;
        if let Some(load) = state.of_lane.get_mut(&self.lane) {
            load.works -= 1;
            load.cost -= self.cost;
            if load.works == 0 {
                state.of_lane.remove(&self.lane);
            }
        }
        self.gate.go_on(state);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        drop(self.gate.lock().queue.remove(self.lane, self.number));
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn bounds() -> Bounds {
        Bounds {
            at_once: 3,
            cost_at_once: 300,
            of_lane_at_once: 2,
            cost_of_lane_at_once: 200,
            waiting: 4,
            of_lane_waiting: 2,
        }
    }

    fn lane(name: &str) -> Lane {
        Lane::of_source(name)
    }

    /// What a work comes to without waiting.
    fn now<T>(work: impl Future<Output = T>) -> Option<T> {
        match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_there_is_room_nobody_waits() {
        let gate = Gate::new(bounds());
        let (a, b) = (lane("a"), lane("b"));
        let first = now(gate.pass(&a, 1000)).expect("at once").expect("let in: one always is");
        assert!(now(gate.pass(&b, 1)).is_none(), "there is no room beside it");
        assert_eq!(gate.load(), (0, 1), "nobody waits any more");
        drop(first);
        let _two = [now(gate.pass(&a, 100)), now(gate.pass(&a, 100))]
            .map(|pass| pass.expect("at once").expect("in"));
        assert!(now(gate.pass(&a, 1)).is_none(), "a lane does not take all the room");
        let _other = now(gate.pass(&b, 100)).expect("at once").expect("in");
        assert_eq!(gate.load(), (0, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_is_full_is_told_how_long_and_another_still_waits_its_turn() {
        let gate = Gate::new(bounds());
        let (a, b) = (lane("a"), lane("b"));
        let room: Vec<Pass> = [gate.pass(&a, 100).await, gate.pass(&a, 100).await, gate.pass(&b, 100).await]
            .map(|pass| pass.expect("in"))
            .into();
        let wait = |lane: &Lane| {
            let (gate, lane) = (gate.clone(), lane.clone());
            tokio::spawn(async move { gate.pass(&lane, 100).await })
        };
        let waiting = [wait(&a), wait(&a)];
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(gate.pass(&a, 1).await.err(), Some(Full::Lane(Duration::from_secs(7))));
        let others = [wait(&b), wait(&b)];
        tokio::task::yield_now().await;
        assert_eq!(gate.load(), (4, 3));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(gate.pass(&lane("c"), 1).await.err(), Some(Full::All(Duration::from_secs(9))));
        drop(room);
        for work in waiting.into_iter().chain(others) {
            drop(work.await.expect("it ends").expect("let in"));
        }
        assert_eq!(gate.load(), (0, 0));
        assert!(gate.0.lock().of_lane.is_empty(), "nothing is kept of lanes in which nothing is");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_while_waiting_leaves_no_trace() {
        let gate = Gate::new(bounds());
        let a = lane("a");
        let room = gate.pass(&a, 1000).await.expect("in");
        let left = tokio::time::timeout(Duration::from_secs(1), gate.pass(&a, 1)).await;
        assert!(left.is_err());
        assert_eq!(gate.load(), (0, 1));
        // Gone in the moment in which it was let in.
        let mut leaving = Box::pin(gate.pass(&a, 1));
        assert!(now(&mut leaving).is_none());
        drop(room);
        drop(leaving);
        assert_eq!(gate.load(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_times_the_load_in_one_lane_leaves_the_others_their_turns() {
        let gate = Gate::new(Bounds { at_once: 1, of_lane_waiting: 100, waiting: 1000, ..bounds() });
        let heavy = lane("heavy");
        let begin = gate.pass(&heavy, 1).await.expect("in");
        let done = Arc::new(Mutex::new(Vec::new()));
        let work = |lane: Lane, name: &'static str| {
            let (gate, done) = (gate.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let _pass = gate.pass(&lane, QUANTUM).await.expect("in");
                done.lock().expect("a lock").push(name);
            })
        };
        let mut all: Vec<_> = (0..40).map(|_| work(heavy.clone(), "heavy")).collect();
        tokio::task::yield_now().await;
        all.push(work(lane("a"), "a"));
        all.push(work(lane("b"), "b"));
        tokio::task::yield_now().await;
        drop(begin);
        for one in all {
            one.await.expect("done");
        }
        let order = done.lock().expect("a lock").clone();
        assert_eq!(order.len(), 42);
        let at = |name| order.iter().position(|done| *done == name).expect("it is done");
        assert!(at("a") <= 2 && at("b") <= 2, "{order:?}");
    }
}
