//! `cardwright p2p pay`: pays whoever is touched.

use super::shared::touch;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::transaction::{amount_argument, currency_argument, parse_currency};
use crate::roles::p2p::transfer::Way;
use crate::words::iso4217::{Amount, Currency};
use clap::{Arg, ArgAction};
use std::io::IsTerminal;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pay",
    about: "Pays the phone that is touched, once its holder's name and the amount are confirmed",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let line = currency_argument(line.arg(amount_argument().required(true)));
    touch::arguments(line).arg(
        Arg::new("yes")
            .long("yes")
            .action(ArgAction::SetTrue)
            .help("Pays whoever is touched, without asking: for scripts"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let currency = call.text("currency").map_or(Ok(Currency::CNY), parse_currency)?;
    let amount = Amount::parse(call.text("AMOUNT").unwrap_or_default(), currency)?;
    let yes = call.flag("yes");
    if !yes && !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is here who could confirm the payee: run it in a terminal, or add --yes".into(),
        ));
    }
    touch::touch(call, Way::Pays, Some(amount), yes)
}
