//! `cardwright host rotate`: a new key for the vault of tokens.

use crate::doors::cli::shared::books::{self, Need, token_key, token_key_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::world::rotate_token_key;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "rotate",
    about: "Gives the vault of tokens new keys: all is sealed anew, and found by other hashes",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(token_key_argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let store = books::address(call, Need::Asks)?;
    let key = token_key(call);
    let mut context = call.switches.context(Recording::default());
    let rotation =
        rotate_token_key(&store, key.as_deref(), &mut context).map_err(|cause| books::at(&store, cause))?;
    call.output.say(&format!("{} rows are sealed under a new key\n", rotation.done));
    call.output
        .note("Servers that were running have the old key and refuse tokens: start them again.".to_owned());
    call.output.tell("sealed_rows", json!(rotation.done));
    Ok(Exit::Done)
}
