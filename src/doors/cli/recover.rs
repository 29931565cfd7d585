//! `cardwright recover`: settles what is open, and says what is still due.

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::settling;
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "recover",
    about: "Settles transactions that broke off, with the card where one is named",
    effect: Some(Effect::Reads),
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    settling::run(call, "recover", "Nothing is open.")
}
