//! `cardwright p2p receive`: is paid by whoever is touched.

use super::shared::touch;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::transaction::{amount_argument, currency_argument, parse_currency};
use crate::roles::p2p::transfer::Way;
use crate::words::iso4217::{Amount, Currency};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "receive",
    about: "Is paid by the phone that is touched: this amount, or what the payer names",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    touch::arguments(currency_argument(line.arg(amount_argument())))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let currency = call.text("currency").map_or(Ok(Currency::CNY), parse_currency)?;
    let amount = call.text("AMOUNT").map(|text| Amount::parse(text, currency)).transpose()?;
    touch::touch(call, Way::Receives, amount, false)
}
