//! `cardwright pn532`: the chip PN532, simulated.

mod serve;

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pn532",
    about: "Plays the NFC chip PN532 for any program that drives one",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[serve::COMMAND]),
};
