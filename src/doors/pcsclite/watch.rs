//! Watching readers: SCardGetStatusChange and SCardCancel.

use super::code::{Code, state};
use super::service::{Service, State};
use std::sync::PoisonError;
use std::time::Duration;

/// The name under which readers that come and go are watched; here none does.
const READERS_COME_AND_GO: &str = r"\\?PnP?\Notification";

/// What a program thinks of a reader, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The reader's name.
    pub reader: String,
    /// What the program thinks: bits of [`state`].
    pub thought: u64,
    /// What is so.
    pub event: u64,
    /// The answer to reset of the card that is there.
    pub atr: Vec<u8>,
}

impl Service {
    /// `SCardGetStatusChange`: fills in what is so, as soon as one reader is other than
    /// the program thinks. Without a `timeout` it waits for as long as it takes.
    pub fn watch(
        &self,
        context: i64,
        timeout: Option<Duration>,
        watched: &mut [Watched],
    ) -> Result<(), Code> {
        if watched.iter().all(|row| row.thought & state::IGNORE != 0) {
            return Ok(());
        }
        let mut held = self.state();
        held.context(context)?;
        let known = |row: &Watched| is_special(&row.reader) || held.reader_named(&row.reader).is_some();
        if !watched.iter().all(known) {
            return Err(Code::UNKNOWN_READER);
        }
        held.context(context)?.waiting += 1;
        let quiet = |state: &mut State| {
            let cancelled = state.contexts.get(&context).is_none_or(|context| context.cancelled);
            !look(state, watched) && !cancelled
        };
        let mut held = match timeout {
            Some(timeout) => {
                self.changed()
                    .wait_timeout_while(held, timeout, quiet)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            None => self.changed().wait_while(held, quiet).unwrap_or_else(PoisonError::into_inner),
        };
        let context = held.context(context)?;
        context.waiting -= 1;
        if context.waiting == 0 && std::mem::take(&mut context.cancelled) {
            return Err(Code::CANCELLED);
        }
        if look(&held, watched) { Ok(()) } else { Err(Code::TIMEOUT) }
    }

    /// `SCardCancel`: ends a wait that is under way; without one it does nothing.
    pub fn cancel(&self, context: i64) -> Result<(), Code> {
        let mut held = self.state();
        let context = held.context(context)?;
        context.cancelled = context.waiting > 0;
        drop(held);
        self.changed().notify_all();
        Ok(())
    }
}

/// Writes down what is so; whether anything is other than the program thinks.
fn look(state: &State, watched: &mut [Watched]) -> bool {
    let mut other = false;
    for row in watched {
        row.event = 0;
        let reader = state.reader_named(&row.reader).map(|index| &state.readers[index]);
        let Some(reader) = reader.filter(|_| row.thought & state::IGNORE == 0) else { continue };
        row.event = reader.event_state(row.thought);
        row.atr = reader.card.as_ref().map(|card| card.atr.clone()).unwrap_or_default();
        other |= row.event & state::CHANGED != 0;
    }
    other
}

fn is_special(name: &str) -> bool {
    name.eq_ignore_ascii_case(READERS_COME_AND_GO)
}
