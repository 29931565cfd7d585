//! `cardwright wallet default`: which card answers.

use super::shared::phone;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use clap::{Arg, ArgAction};
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "default",
    about: "Chooses the card that answers, or the one for express transit",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    phone::wallet_argument(line)
        .arg(Arg::new("CARD").required_unless_present("no-express").help("The card's name in the phone"))
        .arg(flag("express", "The card for express transit: it answers while the phone is locked"))
        .arg(
            flag("no-express", "No card answers while the phone is locked")
                .conflicts_with_all(["CARD", "express"]),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut wallet, mut context) = phone::open(call)?;
    let card = call.text("CARD").map(str::to_owned);
    match (&card, call.flag("express")) {
        (Some(card), false) => wallet.set_default(card, &mut context)?,
        (card, _) => wallet.set_express(card.as_deref(), &mut context)?,
    }
    let phone = wallet.phone()?;
    let word = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".into());
    call.output.say(&format!(
        "default card {}, express transit {}\n",
        word(&phone.default_card),
        word(&phone.express_card)
    ));
    call.output.tell("default_card", json!(phone.default_card));
    call.output.tell("express_card", json!(phone.express_card));
    Ok(Exit::Done)
}
