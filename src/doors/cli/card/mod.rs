//! `cardwright card`: simulated cards that are files.

mod cancel;
mod credit;
mod new;
mod script;
mod serve;
mod show;

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "card",
    about: "Makes, shows and serves simulated cards",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        new::COMMAND,
        show::COMMAND,
        serve::COMMAND,
        credit::COMMAND,
        script::COMMAND,
        cancel::COMMAND,
    ]),
};
