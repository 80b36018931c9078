//! What is said to those who are turned away.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tonghop_runtime::{Failure, FailureKind, Text};

use super::gate::Full;

/// Why somebody is turned away, and how long they had better wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More requests a second than a key may send.
    Requests(Duration),
    /// More bytes a second.
    Bytes(Duration),
    /// Too much of the lane waits.
    Lane(Duration),
    /// Too much of all waits.
    All(Duration),
    /// Too many bodies of the lane, or too much of them, come in at once.
    LaneBodies,
    /// Too much of all comes in at once.
    AllBodies,
    /// The body came too slowly.
    Slow,
}

/// The words by which they are counted.
const REASONS: [&str; 7] =
    ["requests_rate", "bytes_rate", "lane_full", "all_full", "lane_bodies", "all_bodies", "slow_body"];

/// How long somebody is told to wait at least and at most.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

impl Refusal {
    fn reason(self) -> &'static str {
        REASONS[match self {
            Refusal::Requests(_) => 0,
            Refusal::Bytes(_) => 1,
            Refusal::Lane(_) => 2,
            Refusal::All(_) => 3,
            Refusal::LaneBodies => 4,
            Refusal::AllBodies => 5,
            Refusal::Slow => 6,
        }]
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Refusal {
        match full {
            Full::Lane(waited) => Refusal::Lane(waited),
            Full::All(waited) => Refusal::All(waited),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        use FailureKind::{TooMany, Unavailable};
        let (kind, wait, vi, en) = match refusal {
            Refusal::Requests(wait) => (
                TooMany,
                wait,
                "khóa này gửi quá nhiều yêu cầu mỗi giây; hãy chờ rồi gửi lại",
                "this key sends too many requests a second; wait and send again",
            ),
            Refusal::Bytes(wait) => (
                TooMany,
                wait,
                "khóa này gửi quá nhiều dữ liệu mỗi giây; hãy chờ rồi gửi lại",
                "this key sends too much data a second; wait and send again",
            ),
            Refusal::Lane(wait) => (
                TooMany,
                wait,
                "quá nhiều báo cáo của hệ thống này đang chờ; hãy chờ phản hồi trước khi gửi tiếp, rồi gửi lại với cùng khóa chống trùng",
                "too many submissions of this system wait already: await their answers before sending more, then send again with the same idempotency key",
            ),
            Refusal::All(wait) => (
                Unavailable,
                wait,
                "quá nhiều báo cáo đang chờ; hãy gửi lại sau với cùng khóa chống trùng",
                "too many submissions wait; send again later with the same idempotency key",
            ),
            Refusal::LaneBodies => (
                TooMany,
                SHORTEST,
                "hệ thống này đang gửi quá nhiều dữ liệu cùng lúc; hãy gửi lần lượt",
                "this system sends too much at once: send one after the other",
            ),
            Refusal::AllBodies => (
                Unavailable,
                SHORTEST,
                "quá nhiều dữ liệu đang được gửi đến cùng lúc; hãy gửi lại sau với cùng khóa chống trùng",
                "too much comes in at once; send again later with the same idempotency key",
            ),
            Refusal::Slow => (
                Unavailable,
                SHORTEST,
                "nội dung được gửi đến quá chậm; hãy gửi lại với cùng khóa chống trùng, nếu cần thì chia nhỏ",
                "the body came too slowly: send again with the same idempotency key, in smaller parts if need be",
            ),
        };
        Failure::new(kind, Text::of(vi, en)).with_retry_after(wait.clamp(SHORTEST, LONGEST))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// How many were turned away.
#[derive(Clone, Debug)]
pub(crate) struct Refused(Family<Reason, Counter>);

impl Default for Refused {
    fn default() -> Refused {
        let family = Family::<Reason, Counter>::default();
        for reason in REASONS {
            // There from the beginning, so that the first of its kind shows as a change.
            drop(family.get_or_create(&Reason { reason }));
        }
        Refused(family)
    }
}

impl Refused {
    pub(super) fn count(&self, refusal: Refusal) {
        self.0.get_or_create(&Reason { reason: refusal.reason() }).inc();
    }

    /// Shows them.
    pub(crate) fn register(&self, registry: &mut prometheus_client::registry::Registry) {
        registry.register(
            "submissions_turned_away",
            "Requests that were told to come again, by reason: what of their sender's or of all there was too much of",
            self.0.clone(),
        );
    }
}
