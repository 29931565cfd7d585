//! The one context argument, always last: clock, entropy and events.

use crate::base::env::{Clock, Entropy, OsEntropy, SeededEntropy, SimulatedClock, SystemClock, Timestamp};
use crate::base::event::{Event, EventSink};
use std::time::Duration;

/// What acts takes `&mut Context` last; nothing stores it.
pub struct Context {
    clock: Box<dyn Clock>,
    entropy: Box<dyn Entropy>,
    events: Box<dyn EventSink>,
}

impl Context {
    /// A context of the given parts.
    pub fn new(clock: Box<dyn Clock>, entropy: Box<dyn Entropy>, events: Box<dyn EventSink>) -> Self {
        Self { clock, entropy, events }
    }

    /// The operating system's clock and randomness.
    pub fn system(events: impl EventSink + 'static) -> Self {
        Self::new(Box::new(SystemClock), Box::new(OsEntropy), Box::new(events))
    }

    /// A simulated clock that starts at 2026-11-21 08:00:00 UTC, and randomness
    /// from `seed`: the same seed replays the same world.
    pub fn simulated(seed: u64, events: impl EventSink + 'static) -> Self {
        let start = Timestamp::from_micros(1_795_248_000_000_000);
        Self::new(
            Box::new(SimulatedClock::starting_at(start)),
            Box::new(SeededEntropy::new(seed)),
            Box::new(events),
        )
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Says that an exchange took this long.
    pub fn elapse(&mut self, duration: Duration) {
        self.clock.elapse(duration);
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// Stamps the time on an event and hands it to the sink.
    pub fn emit(&mut self, mut event: Event) {
        event.at = self.clock.now();
        self.events.take(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Collector;

    #[test]
    fn stamps_the_time_on_events() {
        let collector = Collector::default();
        let mut context = Context::simulated(1, collector.clone());
        context.elapse(Duration::from_micros(3));
        context.emit(Event::new("terminal", "Start"));
        assert_eq!(collector.events()[0].at, context.now());
        assert_eq!(context.now().to_string(), "2026-11-21 08:00:00");
    }
}
