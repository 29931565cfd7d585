//! `cardwright p2p`: two phones touch, and money moves between two accounts.

mod list;
mod open;
mod pay;
mod receive;
mod settle;
/// What the commands share.
mod shared {
    pub(super) mod around;
    pub(super) mod phone;
    pub(super) mod told;
    pub(super) mod touch;
}

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "p2p",
    about: "Moves money between two phones that touch, asking the host at once or later",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[open::COMMAND, pay::COMMAND, receive::COMMAND, settle::COMMAND, list::COMMAND]),
};
