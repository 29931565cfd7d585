//! The hand that puts cards into readers and takes them out, and what it plans.

use super::code::{Code, protocol};
use super::reader::{Fate, Lying, Plan, Reader};
use super::seat::Seat;
use super::service::{Held, Service};
use std::sync::PoisonError;

/// Why the hand cannot do what it is asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HandError {
    /// No such reader.
    #[error("expected a reader from 0 to {last}, found {found}", last = count.saturating_sub(1))]
    NoReader {
        /// The number asked for.
        found: usize,
        /// How many there are.
        count: usize,
    },
    /// There is a card already.
    #[error("reader {reader} holds a card: remove it first, or swap it")]
    Full {
        /// The reader.
        reader: usize,
    },
    /// There is no card.
    #[error("reader {reader} holds no card: insert one first")]
    Empty {
        /// The reader.
        reader: usize,
    },
    /// No card was ever there that could be put back.
    #[error("no card was in reader {reader} yet: name one, as \"card\": \"sim:ecash\"")]
    NoCard {
        /// The reader.
        reader: usize,
    },
    /// The card does not answer to reset.
    #[error("the card in reader {reader} does not answer to reset: its memory failed")]
    Dead {
        /// The reader.
        reader: usize,
    },
}

impl Service {
    /// Puts a card in, or the one that was there before.
    pub(super) fn insert(&self, index: usize, card: Option<Seat>) -> Result<(), HandError> {
        let mut state = self.state();
        let reader = of(&mut state, index)?;
        if reader.card.is_some() {
            return Err(HandError::Full { reader: index });
        }
        let atr = {
            let mut seat = reader.seat.lock().unwrap_or_else(PoisonError::into_inner);
            match (card, seat.as_mut()) {
                (Some(card), _) => *seat = Some(card),
                (None, Some(seat)) => seat.reset().map_err(|_| HandError::Dead { reader: index })?,
                (None, None) => return Err(HandError::NoCard { reader: index }),
            }
            seat.as_ref().map(|seat| seat.atr().to_vec()).unwrap_or_default()
        };
        reader.card = Some(Lying { atr, powered: true });
        reader.changes += 1;
        drop(state);
        self.changed().notify_all();
        Ok(())
    }

    /// Takes the card out.
    pub(super) fn remove(&self, index: usize) -> Result<(), HandError> {
        let mut state = self.state();
        if of(&mut state, index)?.card.is_none() {
            return Err(HandError::Empty { reader: index });
        }
        self.gone(state, index);
        Ok(())
    }

    /// Plans what happens to an exchange, counted from the next one, which is 0.
    pub(super) fn plan(&self, index: usize, after: u64, fate: Fate) -> Result<(), HandError> {
        let mut state = self.state();
        let reader = of(&mut state, index)?;
        let exchange = reader.exchanges.saturating_add(after);
        reader.plans.push(Plan { exchange, fate });
        Ok(())
    }

    /// Forgets what was planned.
    pub(super) fn forget_plans(&self, index: usize) -> Result<(), HandError> {
        of(&mut self.state(), index)?.plans.clear();
        Ok(())
    }

    /// Asks a reader.
    pub(super) fn ask<T>(&self, index: usize, ask: impl FnOnce(&Reader) -> T) -> Result<T, HandError> {
        Ok(ask(of(&mut self.state(), index)?))
    }

    /// How many readers there are.
    pub(super) fn count(&self) -> usize {
        self.state().readers.len()
    }

    /// Tells everyone that the card of a reader is gone.
    pub(super) fn gone(&self, mut state: Held<'_>, index: usize) {
        let reader = &mut state.readers[index];
        if reader.card.take().is_some() {
            reader.changes += 1;
            reader.protocol = protocol::UNDEFINED;
            state.befall_all(index, Code::REMOVED_CARD);
        }
        drop(state);
        self.changed().notify_all();
    }
}

fn of<'a>(state: &'a mut Held<'_>, index: usize) -> Result<&'a mut Reader, HandError> {
    let count = state.readers.len();
    state.readers.get_mut(index).ok_or(HandError::NoReader { found: index, count })
}
