//! `cardwright world`: proofs that money cannot be lost, played in simulated worlds.

mod run;
mod seeds;
mod tear;
mod transfer;
mod without;

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "world",
    about: "Plays simulated worlds in which things go wrong, and checks the money",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[run::COMMAND, tear::COMMAND, transfer::COMMAND]),
};
