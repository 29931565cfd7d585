//! `cardwright upload`: sends offline sales to the host now.

use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::settling;
use crate::words::iso7816::Effect;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "upload",
    about: "Uploads offline sales; the next start would do it too",
    effect: Some(Effect::Reads),
    arguments: no_arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    settling::run(call, "upload", "There is nothing to upload.")
}
