//! How much somebody may send a second: a token bucket, kept as the time at which it is full again (the generic cell rate
//! algorithm of ITU-T I.371). Pure: time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What comes back a second; nothing is bounded where this is 0.
    pub per_second: u64,
    /// What may be taken at once after a rest.
    pub burst: u64,
}

impl Rate {
    fn time_of(self, amount: u64) -> Duration {
        let nanos = u128::from(amount) * 1_000_000_000 / u128::from(self.per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// What somebody took of a [`Rate`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(now: Instant) -> Bucket {
        Bucket { full_at: now }
    }

    /// How long until there is something to take again; nothing where there is now.
    pub(super) fn wait(&self, rate: Rate, now: Instant) -> Option<Duration> {
        if rate.per_second == 0 {
            return None;
        }
        let owed = self.full_at.saturating_duration_since(now);
        // It is empty when it takes as long to be full again as a whole burst does.
        let one = rate.time_of(1);
        let most = rate.time_of(rate.burst.max(1)).saturating_sub(one);
        (owed > most).then(|| owed - most)
    }

    /// Takes, also more than there is: the next one waits for it.
    pub(super) fn take(&mut self, rate: Rate, amount: u64, now: Instant) {
        if rate.per_second > 0 {
            let from = self.full_at.max(now);
            // Longer than this nobody is made to wait for what was taken once.
            let most = now + Duration::from_secs(3600);
            self.full_at = from.checked_add(rate.time_of(amount)).map_or(most, |at| at.min(most));
        }
    }

    /// Whether nothing is missing.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let (rate, start) = (Rate { per_second: 10, burst: 5 }, Instant::now());
        let mut bucket = Bucket::full(start);
        for _ in 0..5 {
            assert_eq!(bucket.wait(rate, start), None);
            bucket.take(rate, 1, start);
        }
        assert_eq!(bucket.wait(rate, start), Some(Duration::from_millis(100)));
        let later = start + Duration::from_millis(100);
        assert_eq!(bucket.wait(rate, later), None);
        bucket.take(rate, 1, later);
        assert_eq!(bucket.wait(rate, later), Some(Duration::from_millis(100)));
        assert!(!bucket.is_full(later) && bucket.is_full(start + Duration::from_secs(1)));
    }

    #[test]
    fn what_is_larger_than_a_burst_passes_once_and_is_paid_for_after() {
        let (rate, start) = (Rate { per_second: 100, burst: 200 }, Instant::now());
        let mut bucket = Bucket::full(start);
        assert_eq!(bucket.wait(rate, start), None);
        bucket.take(rate, 1000, start);
        assert_eq!(bucket.wait(rate, start), Some(Duration::from_millis(8010)));
    }

    #[test]
    fn nothing_is_bounded_where_nothing_is_said() {
        let (rate, start) = (Rate { per_second: 0, burst: 0 }, Instant::now());
        let mut bucket = Bucket::full(start);
        bucket.take(rate, u64::MAX, start);
        assert_eq!(bucket.wait(rate, start), None);
        // The largest amounts there are overflow nothing.
        let rate = Rate { per_second: 1, burst: u64::MAX };
        bucket.take(rate, u64::MAX, start);
        bucket.take(rate, u64::MAX, start);
        assert_eq!(bucket.wait(rate, start), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn never_more_than_a_burst_and_what_came_back_and_who_waits_as_told_is_let_in(
            per_second in 1..1000u64, burst in 1..1000u64, pauses in vec(0..2_000_000u64, 1..200),
        ) {
            let (rate, start) = (Rate { per_second, burst }, Instant::now());
            let (mut now, mut taken) = (start, 0u64);
            let mut bucket = Bucket::full(start);
            for micros in pauses {
                now += Duration::from_micros(micros);
                if let Some(wait) = bucket.wait(rate, now) {
                    prop_assert_eq!(bucket.wait(rate, now + wait), None);
                } else {
                    bucket.take(rate, 1, now);
                    taken += 1;
                }
                let came_back = (now - start).as_micros() * u128::from(per_second) / 1_000_000 + 1;
                prop_assert!(u128::from(taken) <= u128::from(burst) + came_back);
            }
        }
    }
}
