//! `cardwright wallet`: the phone as a card. Its cards, its lock, its e-cash accounts.

mod close_ecash;
mod default;
mod list;
mod lock;
mod open_ecash;
mod pay;
/// What several of them need.
mod shared {
    pub(super) mod phone;
}
mod unlock;

use super::shared::command::{Command, Run, no_arguments};
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "wallet",
    about: "The phone as a card: e-cash accounts, a lock, a default card",
    effect: Some(Effect::Changes),
    arguments: no_arguments,
    run: Run::OneOf(&[
        list::LIST,
        list::SHOW,
        default::COMMAND,
        lock::COMMAND,
        unlock::COMMAND,
        open_ecash::COMMAND,
        close_ecash::COMMAND,
        pay::COMMAND,
    ]),
};
