//! A clock that only moves when told, and random bytes from a seed.

use super::{Clock, Entropy, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::time::Duration;

/// A clock that starts at a given time and moves by the latency of each exchange.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedClock(Timestamp);

impl SimulatedClock {
    /// A clock that shows `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self(start)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn elapse(&mut self, duration: Duration) {
        self.0 = self.0.plus(duration);
    }
}

/// Random bytes from a seed: the same seed gives the same bytes.
#[derive(Debug, Clone)]
pub struct SeededEntropy(ChaCha20Rng);

impl SeededEntropy {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_bytes_again() {
        let draw = |seed| {
            let mut bytes = [0; 16];
            SeededEntropy::new(seed).fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn the_clock_moves_only_when_told() {
        let mut clock = SimulatedClock::starting_at(Timestamp::from_micros(5));
        clock.elapse(Duration::from_millis(2));
        assert_eq!(clock.now(), Timestamp::from_micros(2005));
    }
}
