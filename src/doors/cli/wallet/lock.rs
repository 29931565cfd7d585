//! `cardwright wallet lock`: no card answers, but for the one for express transit.

use super::shared::phone;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "lock",
    about: "Locks the phone: no card answers but the one for express transit",
    effect: None,
    arguments: phone::wallet_argument,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut wallet, mut context) = phone::open(call)?;
    wallet.lock(&mut context)?;
    let express = wallet.phone()?.express_card;
    let told = express.as_ref().map_or("no card answers".into(), |card| format!("only {card} answers"));
    call.output.say(&format!("the phone is locked: {told}\n"));
    call.output.tell("express_card", json!(express));
    Ok(Exit::Done)
}
