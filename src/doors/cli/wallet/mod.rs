//! `cardwright wallet`: the phone as a card. Its tokens, its e-cash accounts, its lock.

mod add;
mod change;
mod close_ecash;
mod code;
mod default;
mod list;
mod lock;
mod open_ecash;
mod pay;
/// What several of them need.
mod shared {
    pub(super) mod applicant;
    pub(super) mod phone;
}
mod unlock;

use super::shared::command::{Command, Run, no_arguments};
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "wallet",
    about: "The phone as a card: tokens, e-cash accounts, a lock, a default card",
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
        add::COMMAND,
        code::COMMAND,
        change::SUSPEND,
        change::RESUME,
        change::REMOVE,
        change::LOST_DEVICE,
        change::RENEW,
        change::REPLENISH,
        change::REPLACE_CARD,
    ]),
};
