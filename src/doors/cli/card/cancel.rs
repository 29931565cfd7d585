//! `cardwright card cancel`: a card out of use for good, and its tokens with it.

use crate::doors::cli::shared::books::{self, Need, token_key_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::must_exist;
use crate::doors::cli::shared::tokens;
use crate::roles::card::CardFile;
use crate::world::seal_key;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "cancel",
    about: "Takes a card out of use for good at its issuer; its tokens end with it",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("FILE").required(true).value_parser(value_parser!(PathBuf)).help("FILE.card"))
        .arg(token_key_argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = call.arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
    must_exist(&path)?;
    let store = books::address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let seal = seal_key(call.switches.seal_key.as_deref(), Some(&path), &mut context)?;
    let (_file, memory) = CardFile::open(&path, seal)?;
    let Some(pan) = memory.pan() else {
        return Err(Failure::Usage(format!("{}: the card has no PAN", path.display())));
    };
    let mut issuer = books::open(call, &store, &mut context)?;
    if !issuer.cancel_card(&pan, memory.psn(), &mut context)? {
        call.output.say(&format!("the card {pan} is not on the issuer's file, or has been replaced\n"));
        return Ok(Exit::Declined);
    }
    call.output.say(&format!("the card {pan} is cancelled\n"));
    call.output.tell("cancelled", json!(pan.to_string()));
    tokens::follow_card(call, &store, &pan, &mut context)?;
    Ok(Exit::Done)
}
