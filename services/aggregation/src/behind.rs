//! Threads that work behind everybody who waits for an answer.
//!
//! Rolling up takes all processors that it is given. Who pushes or asks is not to wait for it: these threads have a
//! low claim to a processor that does not starve them. They stay, with the memory that they have: threads that come and
//! go make the system clear pages for each.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::AggregationError;

/// How much lower the claim is: with 10, a tenth of that of a thread with the usual one.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// As many threads as there are processors, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Behind(ThreadPool);

impl Behind {
    /// Starts them.
    ///
    /// # Panics
    /// Where the system has no room for a thread.
    pub(crate) fn start() -> Behind {
        let pool = ThreadPoolBuilder::new()
            .thread_name(|number| format!("roll-up {number}"))
            .start_handler(|_| give_way())
            .build();
        Behind(pool.expect("room for threads"))
    }

    /// Does some work there; what it does [on all cores](crate::cores) is done there, too.
    ///
    /// # Errors
    /// Where it panics: done again it would end the same, so that is for people to see.
    pub(crate) async fn done<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AggregationError> {
        let (reply, done) = oneshot::channel();
        self.0.spawn(move || {
            // Whoever waited may have gone.
            let _ = reply.send(catch_unwind(AssertUnwindSafe(work)));
        });
        let cut = || AggregationError::Cut("its thread has ended".to_owned());
        done.await.map_err(|_| cut())?.map_err(|panic| AggregationError::Damaged {
            row: "what is rolled up next".into(),
            what: format!("a fault of this program: {}", said(&*panic)),
        })
    }
}

/// Work that takes long, on threads of its own.
///
/// # Errors
/// As [`Behind::done`].
pub(crate) async fn alone<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AggregationError> {
    Behind::start().done(work).await
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

/// On Linux the claim is a thread's own. Where it cannot be lowered, everything else is as ever.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "rolling up has the same claim to processors as all others");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::{Each, on_all_cores};

    #[tokio::test]
    async fn a_fault_of_the_program_halts_rolling_up_in_place_of_being_met_again_and_again() {
        let behind = Behind::start();
        let sum = behind.done(|| 1 + 1).await.expect("a sum");
        assert_eq!(sum, 2);
        let ended = behind.done(|| -> u32 { panic!("a unit without a place") }).await;
        let Err(AggregationError::Damaged { what, .. }) = ended else { panic!("{ended:?}") };
        assert!(
            what.contains("a fault of this program") && what.contains("a unit without a place"),
            "{what}"
        );
        // The threads are there for what comes next.
        assert_eq!(behind.done(|| 7).await.expect("a number"), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn all_of_them_give_way_and_nobody_else() {
        let own = || rustix::process::nice(0).expect("its claim");
        let here = own();
        let many: Vec<u32> = (0..4096).collect();
        let there = move || on_all_cores(Each::Little, &many, |_| own());
        let there = alone(there).await.expect("claims");
        assert_eq!(there, vec![(here + NICE).min(19); 4096]);
        assert_eq!(own(), here);
    }
}
