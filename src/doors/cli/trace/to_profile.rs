//! `cardwright trace to-profile`: a card like a recorded one, with keys of our own.

use super::shared::file;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::world::profile_of;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "to-profile",
    about: "Makes a profile of a simulated card that shows what the recorded one did, signed by our own test CA",
    effect: None,
    arguments: |line| file::argument(line).arg(file::out("toml")),
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let trace = file::open(call)?;
    let profile = profile_of(&trace)?;
    file::write(call, "toml", profile.as_bytes())?;
    Ok(Exit::Done)
}
