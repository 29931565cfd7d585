//! `cardwright p2p open`: lets the issuer know a phone.

use super::shared::phone;
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::roles::issuer::AccountId;
use crate::words::iso4217::{Amount, Currency};
use crate::world::transfer::{OFFLINE_LIMIT_MINOR, enrol_phone};
use clap::Arg;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "open",
    about: "Opens a phone for an account: its key, made here, moves the account's money from now on",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("account")
            .long("account")
            .value_name("ID")
            .required(true)
            .help("The account behind it, in the issuer's books"),
    )
    .arg(
        Arg::new("name")
            .long("name")
            .value_name("NAME")
            .default_value("Test Holder")
            .help("The holder as other phones show it"),
    )
    .arg(
        Arg::new("offline-limit")
            .long("offline-limit")
            .value_name("AMOUNT")
            .help("How much it may promise before the host has heard of it; else 1000.00"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let account = AccountId(call.text("account").unwrap_or_default().to_owned());
    let name = call.text("name").unwrap_or_default().to_owned();
    let store = books::address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let mut issuer = books::open(call, &store, &mut context)?;
    let accounts = issuer.accounts(&mut context)?;
    let currency = accounts.iter().find(|row| row.id == account).map(|row| row.balance.currency);
    let limit = match call.text("offline-limit") {
        Some(text) => Amount::parse_or_zero(text, currency.unwrap_or(Currency::CNY))?.minor,
        None => OFFLINE_LIMIT_MINOR,
    };
    let (mut own, _lock) = phone::make(call, &mut context)?;
    enrol_phone(&mut own, &mut issuer, &account, &name, limit, &mut context)?;
    let id = own.id().to_string();
    call.output.say(&format!("phone {id} is open for account {account}\n"));
    call.output.tell("phone", json!(id));
    call.output.tell("account", json!(account.0));
    call.output.tell("offline_limit_minor", json!(limit));
    Ok(Exit::Done)
}
