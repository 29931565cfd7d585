//! `cardwright lua`: interprets the Lua of one case for another `cardwright`, which plays it.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use crate::observers::script::lua::interpret;
use std::io::BufReader;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "lua",
    about: "Interprets the Lua of one case for `cardwright test`, which starts it",
    effect: None,
    // Nobody types it.
    arguments: |line| line.hide(true),
    run: Run::Alone(run),
};

fn run(_: &mut Call<'_>) -> Result<Exit, Failure> {
    let input = Box::new(BufReader::new(std::io::stdin()));
    interpret(input, Box::new(std::io::stdout())).map_err(Failure::Usage)?;
    Ok(Exit::Done)
}
