//! `cardwright wallet code`: the message with the one-time code, as the holder's phone
//! shows it. The phone is simulated, and so the message comes from the issuer's books.

use super::shared::applicant::secret;
use crate::doors::cli::shared::books;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::words::emv::Pan;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "code",
    about: "Shows the one-time code that was sent to the phone of a card's holder",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("pan").long("pan").value_name("NUMBER").help("The card's number")).arg(
        Arg::new("pan-file")
            .long("pan-file")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .conflicts_with("pan")
            .help("A file with the card's number"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let file = call.arguments.get_one::<PathBuf>("pan-file").map(PathBuf::as_path);
    let pan = match call.text("pan") {
        Some(pan) => Some(pan.to_owned().into()),
        None => secret(file, "Card number: ")?,
    };
    let pan = pan.ok_or_else(|| Failure::Usage("no card number: --pan-file FILE".into()))?;
    let pan = Pan::checked(pan.expose()).map_err(crate::world::WorldError::from)?;
    let (mut issuer, mut context) = books::to_ask(call)?;
    match issuer.code_on_phone(&pan, &mut context)? {
        Some(code) => {
            call.output.say(&format!("{}\n", code.expose()));
            call.output.tell("code", json!(code.expose()));
            Ok(Exit::Done)
        }
        None => {
            call.output.say("The phone shows no code that is still good.\n");
            Ok(Exit::Declined)
        }
    }
}
