//! The operating system's clock and randomness. The only place that asks for them.

use super::{Clock, Entropy, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The system's wall clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn elapse(&mut self, _duration: Duration) {}
}

/// The operating system's random bytes.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        // Without randomness there are no keys and no nonces: going on would be worse than ending.
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}
