//! `cardwright terminal`: terminal files.

mod import;

use super::shared::command::{Command, Run, no_arguments};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "terminal",
    about: "Makes terminal files, which --terminal names",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[import::COMMAND]),
};
