//! `cardwright wallet pay`: a tap with a card of the phone.

use super::shared::phone;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::transaction::{self, Deal};
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;
use clap::Arg;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pay",
    about: "Pays with a card of the phone, by tap",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    phone::wallet_argument(transaction::arguments(line)).arg(
        Arg::new("card")
            .long("card")
            .value_name("NAME")
            .help("The card's name in the phone; else the default card"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let card = call.text("card").map(str::to_owned);
    phone::put_in_reader(call, card.as_deref())?;
    transaction::run(call, Deal::Amount(Flow::Pay))
}
