//! Watches a world: counts the ways that journal rows take, and boils down all that
//! happens to one number, by which two plays of one seed are compared.

use crate::base::event::{ElementKey, Event, EventSink};
use crate::roles::terminal::journal::State;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A way from one state of a journal row to another.
pub type Transition = (State, State);

/// How often rows took which way.
pub type Transitions = BTreeMap<Transition, u64>;

/// The witness; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<Mutex<Seen>>);

#[derive(Debug)]
struct Seen {
    transitions: Transitions,
    looks_away: bool,
    certificates: usize,
    digest: u64,
}

impl Witness {
    /// The ways that rows took so far.
    pub fn transitions(&self) -> Transitions {
        self.seen().transitions.clone()
    }

    /// Transaction certificates that cards made at GENERATE AC so far.
    pub fn certificates(&self) -> usize {
        self.seen().certificates
    }

    /// All that happened so far, as one number.
    pub fn digest(&self) -> u64 {
        self.seen().digest
    }

    /// Whether to count no ways for a while.
    pub fn look_away(&self, away: bool) {
        self.seen().looks_away = away;
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Witness {
    fn take(&mut self, event: Event) {
        let mut seen = self.seen();
        seen.digest(&event);
        let state = |name| {
            let word = std::str::from_utf8(event.named_value(name)?).ok()?;
            State::from_word(word)
        };
        if event.speaker == "journal"
            && !seen.looks_away
            && let (Some(from), Some(to)) = (state("state before"), state("state"))
        {
            *seen.transitions.entry((from, to)).or_default() += 1;
        }
        if event.speaker == "card" && event.name == "first GENERATE AC: TC" {
            seen.certificates += 1;
        }
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            transitions: Transitions::new(),
            looks_away: false,
            certificates: 0,
            digest: 0xCBF2_9CE4_8422_2325,
        }
    }
}

impl Seen {
    fn digest(&mut self, event: &Event) {
        self.mix(&event.at.micros().to_le_bytes());
        for text in [event.speaker, &event.name, event.clause, &event.reason] {
            self.mix(text.as_bytes());
        }
        for element in &event.elements {
            match &element.key {
                ElementKey::Tag(tag) => self.mix(&tag.to_le_bytes()),
                ElementKey::Named(name) => self.mix(name.as_bytes()),
            }
            self.mix(&element.value);
        }
    }

    /// FNV-1a over words of eight bytes, the length first, so that no two fields run together.
    fn mix(&mut self, bytes: &[u8]) {
        let mut take = |word: u64| self.digest = (self.digest ^ word).wrapping_mul(0x0000_0100_0000_01B3);
        take(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            // The product only carries upwards: the high bits must come down again.
            take(u64::from_le_bytes(word).rotate_left(29) ^ u64::from_le_bytes(word));
        }
        self.digest ^= self.digest >> 31;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_ways_and_tells_worlds_apart() {
        let event = |from: State, to: State| {
            let event = Event::new("journal", "state").with_named("state", to.word());
            event.with_named("state before", from.word())
        };
        let (mut one, mut other) = (Witness::default(), Witness::default());
        one.take(event(State::Started, State::Authorised));
        other.take(event(State::Started, State::Declined));
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.transitions(), Transitions::from([((State::Started, State::Authorised), 1)]));
        one.look_away(true);
        one.take(event(State::Authorised, State::InDoubt));
        assert_eq!(one.transitions().len(), 1);
        let mut again = Witness::default();
        again.take(event(State::Started, State::Authorised));
        assert_ne!(one.digest(), again.digest(), "what is not counted is seen all the same");
        again.take(event(State::Authorised, State::InDoubt));
        assert_eq!(one.digest(), again.digest());
    }
}
