//! The extended application on the card (JR/T 0025.14): files of industries, segment billing
//! and offline pre-authorisation. How an ordinary quick payment is decided is in `quick`.

mod commands;
mod completion;
mod decision;
mod file;

pub(super) use commands::{append, note_read, prove, read, update};
pub(super) use completion::{Extension, complete};
pub(super) use decision::{Extended, Left, extended, may_begin};
pub(super) use file::{CappFileProfile, CappMemory, Place, check};
