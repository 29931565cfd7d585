//! `cardwright host rotate`: a new key for the vault of tokens.

use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::world::rotate_token_key;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "rotate",
    about: "Seals every card number in the vault of tokens anew, under a new key",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(token_key_argument())
}

/// `--token-key`.
pub(super) fn token_key_argument() -> Arg {
    Arg::new("token-key")
        .long("token-key")
        .value_name("FILE")
        .env("CARDWRIGHT_TOKEN_KEY")
        .value_parser(value_parser!(PathBuf))
        .help("The key that seals the vault of tokens; else cardwright-tokens.key beside the books")
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let store = books::address(call, Need::Asks)?;
    let key = call.arguments.get_one::<PathBuf>("token-key").cloned();
    let mut context = call.switches.context(Recording::default());
    let rotation =
        rotate_token_key(&store, key.as_deref(), &mut context).map_err(|cause| books::at(&store, cause))?;
    call.output.say(&format!("{} rows are sealed under a new key\n", rotation.done));
    call.output.note("Servers that were running have the old key: start them again.".to_owned());
    call.output.tell("sealed_rows", json!(rotation.done));
    Ok(Exit::Done)
}
