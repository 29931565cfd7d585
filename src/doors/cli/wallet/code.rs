//! `cardwright wallet code`: the message with the one-time code, as the holder's phone
//! shows it. The phone is simulated, and so the message comes from the issuer's books.

use crate::doors::cli::shared::books;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::pan;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "code",
    about: "Shows the one-time code that was sent to the phone of a card's holder",
    effect: None,
    arguments: pan::arguments,
    run: Run::Alone(run),
};

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let pan = pan::pan(call)?;
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
