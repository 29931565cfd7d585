//! `cardwright pay`: a payment, offline where the card can; cash, and cash with a payment.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::purse;
use super::shared::transaction::{self, Deal};
use crate::words::iso7816::Effect;
use clap::{Arg, ArgAction};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "pay",
    about: "Pays with the card",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
    };
    purse::compound_argument(purse::argument(transaction::arguments(line)))
        .arg(flag("cash", "The amount is taken as cash: by contact, the issuer is asked"))
        .arg(
            Arg::new("cashback")
                .long("cashback")
                .value_name("AMOUNT")
                .conflicts_with("cash")
                .help("Cash besides, such as 5.00; the card pays both together, by contact"),
        )
        .arg(flag("online", "The merchant wants the issuer asked (by contact)"))
        .arg(
            Arg::new("application").long("application").value_name("AID").help(
                "The application to pay with, or the beginning of its name; else the card's preference",
            ),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    if call.arguments.contains_id(purse::COMPOUND) {
        return purse::pay_compound(call);
    }
    let cashback = call.text("cashback").map(str::to_owned);
    let (is_cash, forced_online) = (call.flag("cash"), call.flag("online"));
    transaction::run(call, Deal::Sell { cashback, is_cash, forced_online })
}
