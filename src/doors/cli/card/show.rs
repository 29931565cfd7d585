//! `cardwright card show`: what a card's file holds.

use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::must_exist;
use crate::observers::report::{card_file_json, card_file_text};
use crate::roles::card::CardFile;
use crate::world::seal_key;
use clap::{Arg, value_parser};
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "show",
    about: "Shows what a card's file holds, without its keys",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("FILE").required(true).value_parser(value_parser!(PathBuf)).help("FILE.card"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = call.arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
    must_exist(&path)?;
    let mut context = call.switches.context(Recording::default());
    let seal = seal_key(call.switches.seal_key.as_deref(), Some(&path), &mut context)?;
    let (_file, memory) = CardFile::open(&path, seal)?;
    call.output.say(&card_file_text(&memory, call.switches.unmask));
    call.output.tell("card", card_file_json(&memory, call.switches.unmask));
    Ok(Exit::Done)
}
