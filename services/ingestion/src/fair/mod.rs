//! So that nobody starves another: what is taken in, in whose turn, and how much of it at once.
//!
//! A push passes, in this order: the rate of its sender, before its body is read; the memory for its body, while that
//! comes; the hand, for as long as it is worked on, until it is durable; and the processors, while it is read and checked.
//! Whoever has to wait waits in a [`Lane`], and lanes are served in turns. Where nobody waits each of these is a lock that
//! nobody else holds.
//!
//! | module | idea |
//! |---|---|
//! | `lane` | for whom something is done |
//! | `queue` | whose turn it is |
//! | `gate` | a bounded number of works at once |
//! | `rate` | how much a second |
//! | `arrivals` | bodies while they come: their memory, their number, their time |
//! | `metered` | the same for gRPC's |
//! | `settings` | how much an operator lets in |
//! | `refusal` | what is said to those who are turned away |

mod arrivals;
mod gate;
mod lane;
mod metered;
mod queue;
mod rate;
mod refusal;
mod settings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tonghop_access::{Caller, Identity};
use tonghop_runtime::Failure;

use crate::media_type;
use crate::service::{Arrived, JSON, WIRE};
use arrivals::Arrivals;
pub(crate) use arrivals::{Arriving, Held};
pub(crate) use gate::Pass;
use gate::{Bounds, Gate};
pub(crate) use lane::Lane;
pub use metered::Metered;
use rate::Bucket;
pub use rate::Rate;
use refusal::Refusal;
pub(crate) use refusal::Refused;
pub use settings::{Traffic, TrafficArguments};

/// What is in hand at once: enough to fill the writer's groups, little enough that whoever comes next does not wait for long.
const IN_HAND: Bounds = Bounds {
    at_once: 256,
    cost_at_once: 48 << 20,
    of_lane_at_once: 64,
    cost_of_lane_at_once: 12 << 20,
    waiting: 2048,
    of_lane_waiting: 256,
};

/// What a push costs beside its bytes: its entry in the ledger, its place in a group.
const EACH: u64 = 4 << 10;

/// Lanes whose rates are remembered before those that have rested are forgotten.
const MOST_REMEMBERED: usize = 4096;

/// Lets submissions in.
#[derive(Debug)]
pub(crate) struct Admission {
    traffic: Traffic,
    arrivals: Arc<Arrivals>,
    in_hand: Gate,
    short: Gate,
    long: Gate,
    rates: Mutex<HashMap<Lane, Buckets>>,
    pub(crate) refused: Refused,
}

#[derive(Clone, Copy, Debug)]
struct Buckets {
    requests: Bucket,
    bytes: Bucket,
}

impl Admission {
    /// For a process that computes on so many threads.
    pub(crate) fn new(traffic: Traffic, threads: usize) -> Admission {
        let working = |at_once: usize| Bounds {
            at_once,
            cost_at_once: u64::MAX,
            of_lane_at_once: usize::MAX,
            cost_of_lane_at_once: u64::MAX,
            // What is in hand is bounded already.
            waiting: usize::MAX,
            of_lane_waiting: usize::MAX,
        };
        Admission {
            traffic,
            arrivals: Arrivals::new(traffic.body_bytes),
            in_hand: Gate::new(IN_HAND),
            short: Gate::new(working(threads.max(1))),
            // One is left for what is short.
            long: Gate::new(working(threads.saturating_sub(1).max(1))),
            rates: Mutex::default(),
            refused: Refused::default(),
        }
    }

    /// A body begins to come; `declared` is how long it says that it is.
    ///
    /// # Errors
    /// Where its sender has sent too much of late, or too much comes in at once.
    pub(crate) fn begin(&self, caller: &Caller, declared: Option<u64>) -> Result<Arc<Held>, Failure> {
        let lane = Lane::of_caller(caller);
        if let Some(lane) = lane.as_ref().filter(|_| is_bounded(caller)) {
            self.within_rate(lane).map_err(|refusal| self.refuse(refusal))?;
        }
        self.arrivals.begin(lane, declared).map_err(|refusal| self.refuse(refusal))
    }

    /// A body while it comes.
    pub(crate) fn arriving<B>(self: &Arc<Self>, body: B, held: Arc<Held>) -> Arriving<B> {
        Arriving::new(body, held, Arc::clone(self))
    }

    /// Waits until a submission may be taken in hand. It is let go when what is returned is dropped.
    ///
    /// # Errors
    /// Where too many wait.
    pub(crate) async fn admit(&self, lane: &Lane, bytes: usize) -> Result<Pass, Failure> {
        let cost = EACH + bytes as u64;
        self.in_hand.pass(lane, cost).await.map_err(|full| self.refuse(full.into()))
    }

    /// Waits for a processor, for what takes well under a millisecond.
    pub(crate) async fn short(&self, lane: &Lane, bytes: usize) -> Result<Pass, Failure> {
        self.short.pass(lane, EACH + bytes as u64).await.map_err(|full| self.refuse(full.into()))
    }

    /// Waits for a processor, for what takes longer.
    pub(crate) async fn long(&self, lane: &Lane, bytes: usize) -> Result<Pass, Failure> {
        self.long.pass(lane, EACH + bytes as u64).await.map_err(|full| self.refuse(full.into()))
    }

    /// How many submissions wait, and how many are in hand.
    pub(crate) fn load(&self) -> (usize, usize) {
        self.in_hand.load()
    }

    /// Bytes of bodies in memory.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.arrivals.bytes()
    }

    fn refuse(&self, refusal: Refusal) -> Failure {
        self.refused.count(refusal);
        refusal.into()
    }

    fn within_rate(&self, lane: &Lane) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.len() >= MOST_REMEMBERED {
            rates.retain(|_, of| !(of.requests.is_full(now) && of.bytes.is_full(now)));
        }
        let full = Bucket::full(now);
        let of = rates.entry(lane.clone()).or_insert(Buckets { requests: full, bytes: full });
        if let Some(wait) = of.requests.wait(self.traffic.requests, now) {
            return Err(Refusal::Requests(wait));
        }
        if let Some(wait) = of.bytes.wait(self.traffic.bytes, now) {
            return Err(Refusal::Bytes(wait));
        }
        of.requests.take(self.traffic.requests, 1, now);
        Ok(())
    }

    /// Bytes of a lane have come.
    fn came(&self, lane: &Lane, bytes: u64) {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = rates.get_mut(lane) {
            of.bytes.take(self.traffic.bytes, bytes, Instant::now());
        }
    }
}

/// Whether a caller is held to a rate. Nobody is where nobody has to say who they are.
fn is_bounded(caller: &Caller) -> bool {
    matches!(caller.identity(), Identity::Key { .. } | Identity::Token { .. })
}

/// The lane of a submission: its sender's, else that of the reporting system that it names.
pub(crate) fn lane(caller: &Caller, arrived: &Arrived) -> Lane {
    Lane::of_caller(caller).unwrap_or_else(|| {
        let named = match media_type::essence(&arrived.media_type).as_str() {
            _ if !arrived.source.is_empty() => arrived.source.as_str(),
            JSON => lane::named_first(&arrived.document),
            WIRE => crate::wire::named_first(&arrived.document),
            _ => "",
        };
        Lane::of_source(named)
    })
}

/// The lane of a submission that is not opened yet.
pub(crate) fn lane_of_message(caller: &Caller, message: &[u8]) -> Lane {
    Lane::of_caller(caller).unwrap_or_else(|| Lane::of_source(crate::wire::named_first(message)))
}
