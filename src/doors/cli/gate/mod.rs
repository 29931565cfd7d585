//! `cardwright gate`: a transit gate, with a reader or played with simulated riders.

mod deny;
mod run;
mod simulate;
mod taps;

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "gate",
    about: "Is a transit gate: lets authentic cards pass, and asks their issuers later",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[run::COMMAND, taps::COMMAND, simulate::COMMAND, deny::COMMAND]),
};
