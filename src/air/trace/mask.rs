//! Masking a recording, event by event: when it is written, and when one that was
//! written open is shown.

use super::{Trace, TraceEvent};
use crate::words::decode::Masker;

impl Trace {
    /// The same recording with its card data masked; one that is masked stays as it is.
    #[must_use]
    pub fn masked(mut self) -> Self {
        if self.header.masked {
            return self;
        }
        let mut masker = Masker::new();
        self.header.masked = true;
        self.header.place = masker.text(&self.header.place);
        self.events = self.events.into_iter().map(|event| mask(&mut masker, event)).collect();
        self
    }
}

/// Elements by their rows; words, which must hold no card data, are searched for it.
pub(super) fn mask(masker: &mut Masker, event: TraceEvent) -> TraceEvent {
    if event.is_reset() {
        masker.reset();
    }
    masker.note(&event.elements);
    let elements = event.elements.iter().map(|element| masker.element(element)).collect();
    let name = masker.text(&event.name);
    let reason = masker.text(&event.reason);
    TraceEvent { name, reason, elements, ..event }
}
