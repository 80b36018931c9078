//! How much an operator lets in.

use clap::Args;

use super::Rate;

/// How much is taken in, of all and of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Requests of one key.
    pub requests: Rate,
    /// Bytes of one key.
    pub bytes: Rate,
    /// Bytes of bodies in memory at once: those that come in, and those that wait.
    pub body_bytes: u64,
}

/// Requests a second of one key, and for how many seconds of that it may send at once.
const REQUESTS: u64 = 100;
const REQUESTS_AT_ONCE: u64 = 10;
/// Bytes a second of one key, and for how many seconds of that it may send at once.
const BYTES: u64 = 16 << 20;
const BYTES_AT_ONCE: u64 = 32;
/// Mebibytes of bodies.
const BODY_MEMORY: u64 = 256;

/// What a process is told of it; left out, it is as much as a province sends at its busiest, several times over: the
/// figures of all its communes for a year are some tens of megabytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct TrafficArguments {
    /// Pushes a second that one key may send, and ten seconds' worth of them at once; 0 for any number [default: 100].
    #[arg(long, value_name = "REQUESTS", env = "TONGHOP_RATE_REQUESTS")]
    pub rate_requests: Option<u64>,
    /// Bytes a second that one key may push, and 32 seconds' worth of them at once; 0 for any number [default: 16777216].
    #[arg(long, value_name = "BYTES", env = "TONGHOP_RATE_BYTES")]
    pub rate_bytes: Option<u64>,
    /// Memory for submissions that come in and wait, in MiB; one key's have a quarter of it [default: 256].
    #[arg(long, value_name = "MIB", env = "TONGHOP_BODY_MEMORY")]
    pub body_memory: Option<u64>,
}

impl TrafficArguments {
    /// These, and where they say nothing, others.
    pub fn or(self, others: TrafficArguments) -> TrafficArguments {
        TrafficArguments {
            rate_requests: self.rate_requests.or(others.rate_requests),
            rate_bytes: self.rate_bytes.or(others.rate_bytes),
            body_memory: self.body_memory.or(others.body_memory),
        }
    }
}

impl From<TrafficArguments> for Traffic {
    fn from(told: TrafficArguments) -> Traffic {
        let rate =
            |per_second: u64, seconds: u64| Rate { per_second, burst: per_second.saturating_mul(seconds) };
        Traffic {
            requests: rate(told.rate_requests.unwrap_or(REQUESTS), REQUESTS_AT_ONCE),
            bytes: rate(told.rate_bytes.unwrap_or(BYTES), BYTES_AT_ONCE),
            // Less than one key's largest submission needs would refuse it for ever.
            body_bytes: told
                .body_memory
                .unwrap_or(BODY_MEMORY)
                .max(LEAST_BODY_MEMORY)
                .saturating_mul(1 << 20),
        }
    }
}

/// Mebibytes of bodies at least: four times the largest message.
const LEAST_BODY_MEMORY: u64 = 160;

impl Default for Traffic {
    fn default() -> Traffic {
        TrafficArguments::default().into()
    }
}
