//! The terminal's journal: a row per transaction that moves money, with a state
//! that is durable before the step it names (design: money). Nothing that moves
//! money is known only in memory.

mod book;
mod change;
mod entry;
mod kind;
mod message;
mod settlement;
mod state;
mod torn;

pub use book::{Journal, JournalError};
pub use change::{Change, Opening};
pub use entry::{CardMark, Entry};
pub use kind::EntryKind;
pub use settlement::{Batch, BatchState};
pub use state::{State, TRANSITIONS};
pub use torn::Torn;
