//! `cardwright certify`: a certification set on a card or terminal, and the folder that
//! proves what ran.

mod attach;
mod init;
mod run;
/// What its commands share.
mod shared {
    pub(super) mod session;
}
mod verify;

use super::shared::command::{Command, Run, no_arguments};
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "certify",
    about: "Runs a set of cases with ids and clauses on a product and keeps the evidence; it certifies nothing",
    effect: Some(Effect::Destroys),
    arguments: no_arguments,
    run: Run::OneOf(&[init::COMMAND, run::COMMAND, attach::COMMAND, verify::COMMAND]),
};
