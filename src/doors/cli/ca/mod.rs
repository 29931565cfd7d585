//! `cardwright ca`: test certification authorities, and their public keys for terminals.

mod export;
mod new;

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "ca",
    about: "Makes test certification authorities and gives out their public keys",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[new::COMMAND, export::COMMAND]),
};
