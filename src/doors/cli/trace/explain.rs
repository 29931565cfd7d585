//! `cardwright trace explain`: a recorded transaction as a story.

use super::shared::file;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::{explain_json, explain_text};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "explain",
    about: "Tells a recorded transaction step by step: what was decided, by which rule, from which data",
    effect: None,
    arguments: file::argument,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let trace = file::open(call)?;
    call.output.say(&explain_text(&trace));
    call.output.tell("story", explain_json(&trace));
    Ok(Exit::Done)
}
