//! Readers behind the PC/SC daemon as they come and go: PC/SC Part 5, SCardGetStatusChange with
//! the reader name that stands for hot-plug. A daemon that ends is waited for.

use super::reader::{connect, fitting, names, text};
use super::trouble::{establish, unavailable};
use crate::air::link::{Card, LinkError, ReaderOptions, Seen, Sighting, Watcher};
use crate::base::context::Context;
use pcsc::{Error, PNP_NOTIFICATION, ReaderState, State};
use std::time::Duration;

/// Watches the readers whose name holds `part`.
pub(super) fn watch(part: &str) -> Result<Box<dyn Watcher>, LinkError> {
    let context = Some(establish()?);
    Ok(Box::new(PcscWatcher { context, part: part.into(), known: Vec::new() }))
}

struct PcscWatcher {
    /// The way to the daemon; `None` while there is none.
    context: Option<pcsc::Context>,
    part: String,
    known: Vec<Known>,
}

/// A reader as it was seen last.
struct Known {
    state: ReaderState,
    card: CardState,
}

/// What the daemon said of a reader's card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct CardState {
    is_there: bool,
    /// How often a card came or went.
    count: u32,
}

impl Watcher for PcscWatcher {
    fn look(&mut self, timeout: Duration) -> Result<Vec<Sighting>, LinkError> {
        let Some(context) = self.context.take().or_else(|| establish().ok()) else {
            std::thread::sleep(timeout);
            return Ok(Vec::new());
        };
        match self.changes(&context, timeout) {
            Ok(changes) => {
                self.context = Some(context);
                Ok(changes)
            }
            // The daemon has gone, and its readers with it.
            Err(LinkError::Unavailable { .. }) => {
                Ok(self.known.drain(..).map(|known| gone(&known)).collect())
            }
            Err(error) => Err(error),
        }
    }

    fn open(&mut self, reader: &str, _context: &mut Context) -> Result<Box<dyn Card>, LinkError> {
        let known = self.known.iter().find(|known| text(known.state.name()) == reader);
        match (known, &self.context) {
            (Some(known), Some(context)) => connect(context, known.state.name(), ReaderOptions::default()),
            _ => Err(LinkError::NoCard { reader: reader.into() }),
        }
    }
}

impl PcscWatcher {
    fn changes(&mut self, context: &pcsc::Context, timeout: Duration) -> Result<Vec<Sighting>, LinkError> {
        let all = names(context)?;
        let fitting = fitting(&all, &self.part);
        let mut seen = Vec::new();
        self.known.retain(|known| {
            let is_there = fitting.iter().any(|name| name.as_c_str() == known.state.name());
            if !is_there {
                seen.push(gone(known));
            }
            is_there
        });
        for name in fitting {
            if !self.known.iter().any(|known| known.state.name() == name.as_c_str()) {
                seen.push(Sighting::new(text(&name), Seen::Reader));
                let state = ReaderState::new(name, State::UNAWARE);
                self.known.push(Known { state, card: CardState::default() });
            }
        }
        // A reader that is new is asked at once.
        let timeout = if seen.is_empty() { timeout } else { Duration::ZERO };
        let (mut states, cards): (Vec<_>, Vec<_>) =
            self.known.drain(..).map(|known| (known.state, known.card)).unzip();
        states.push(ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE));
        let answer = context.get_status_change(timeout, &mut states);
        self.known = states.into_iter().zip(cards).map(|(state, card)| Known { state, card }).collect();
        match answer {
            Ok(()) => self.known.iter_mut().for_each(|known| known.tell(&mut seen)),
            // It may have gone between the two questions: the next look tells.
            Err(Error::Timeout | Error::UnknownReader | Error::ReaderUnavailable) => {}
            Err(error) => return Err(unavailable("watching the readers", error)),
        }
        Ok(seen)
    }
}

impl Known {
    /// Says what is new at this reader, and keeps it.
    fn tell(&mut self, seen: &mut Vec<Sighting>) {
        let state = self.state.event_state();
        self.state.sync_current_state();
        if state.intersects(State::UNKNOWN | State::UNAVAILABLE) {
            return;
        }
        let now = CardState { is_there: state.contains(State::PRESENT), count: self.state.event_count() };
        let was = std::mem::replace(&mut self.card, now);
        let name = text(self.state.name());
        for change in changes(was, now) {
            let change = match change {
                Change::Gone => Seen::CardGone,
                Change::Came => Seen::Card { atr: self.state.atr().to_vec() },
            };
            seen.push(Sighting::new(name.clone(), change));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Came,
    Gone,
}

/// What happened between two states. A card may have gone and another come.
fn changes(was: CardState, now: CardState) -> Vec<Change> {
    match (was.is_there, now.is_there) {
        (false, true) => vec![Change::Came],
        (true, false) => vec![Change::Gone],
        (true, true) if was.count != now.count => vec![Change::Gone, Change::Came],
        _ => Vec::new(),
    }
}

fn gone(known: &Known) -> Sighting {
    Sighting::new(text(known.state.name()), Seen::ReaderGone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_was_changed_between_two_looks_is_two_changes() {
        let state = |is_there, count| CardState { is_there, count };
        assert_eq!(changes(state(false, 0), state(true, 1)), [Change::Came]);
        assert_eq!(changes(state(true, 1), state(true, 3)), [Change::Gone, Change::Came]);
        assert_eq!(changes(state(true, 3), state(false, 4)), [Change::Gone]);
        assert!(changes(state(true, 1), state(true, 1)).is_empty());
        // One that came and went again was not seen.
        assert!(changes(state(false, 0), state(false, 2)).is_empty());
    }
}
