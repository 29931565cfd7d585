//! One stream of events for two sinks.

use crate::base::event::{Event, EventSink};

/// Hands every event to both, the first one first.
#[derive(Debug, Clone, Default)]
pub struct Tee<A, B>(pub A, pub B);

impl<A: EventSink, B: EventSink> EventSink for Tee<A, B> {
    fn take(&mut self, event: Event) {
        self.0.take(event.clone());
        self.1.take(event);
    }
}
