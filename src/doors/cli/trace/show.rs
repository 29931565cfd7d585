//! `cardwright trace show`: every line of a recording, with its exchanges to the bit.

use super::shared::file;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::{trace_listing_json, trace_listing_text};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "show",
    about: "Lists every event of a recording, with its exchanges to the bit",
    effect: None,
    arguments: file::argument,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let trace = file::open(call)?;
    call.output.say(&trace_listing_text(&trace));
    call.output.tell("events", trace_listing_json(&trace));
    Ok(Exit::Done)
}
