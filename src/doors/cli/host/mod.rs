//! `cardwright host`: the issuer as a server of many terminals, and its books from outside.

mod check;
#[cfg(unix)]
mod control;
mod journal;
mod link;
mod log;
mod rotate;
mod serve;
mod status;
mod terminal;
mod token;

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "host",
    about: "Serves terminals over TCP; shows and checks the issuer's books",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        serve::COMMAND,
        status::COMMAND,
        check::COMMAND,
        journal::COMMAND,
        terminal::COMMAND,
        link::COMMAND,
        token::COMMAND,
        rotate::COMMAND,
    ]),
};
