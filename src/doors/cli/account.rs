//! `cardwright account`: the funding accounts in the issuer's books.

use super::shared::books::{self, Need};
use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::holder;
use super::shared::recording::Recording;
use super::shared::transaction::parse_currency;
use crate::base::context::Context;
use crate::observers::report::Columns;
use crate::roles::issuer::{AccountId, Issuer};
use crate::words::iso4217::Amount;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "account",
    about: "Opens and lists the accounts behind cards",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        Command {
            name: "open",
            about: "Opens an account; makes the books where there are none",
            effect: None,
            arguments: open_arguments,
            run: Run::Alone(open),
        },
        Command {
            name: "holder",
            about: "Says who holds an account: name, identity number and phone, kept sealed",
            effect: None,
            arguments: holder_arguments,
            run: Run::Alone(note_holder),
        },
        Command {
            name: "list",
            about: "Lists the accounts",
            effect: None,
            arguments: no_arguments,
            run: Run::Alone(list),
        },
    ]),
};

fn open_arguments(line: clap::Command) -> clap::Command {
    let line = line
        .arg(
            Arg::new("balance")
                .long("balance")
                .value_name("AMOUNT")
                .default_value("0")
                .allow_negative_numbers(true)
                .help("What it begins with"),
        )
        .arg(
            Arg::new("currency")
                .long("currency")
                .value_name("CODE")
                .default_value("CNY")
                .help("ISO 4217 number or letters"),
        )
        .arg(Arg::new("id").long("id").value_name("ID").help("Its id; else a random number"))
        .arg(
            Arg::new("holder")
                .long("holder")
                .value_name("NAME")
                .default_value("Test Holder")
                .help("Who holds it; kept sealed"),
        );
    holder::arguments(line)
}

fn open(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let currency = parse_currency(call.text("currency").unwrap_or("CNY"))?;
    let balance = Amount::parse_or_zero(call.text("balance").unwrap_or("0"), currency)?;
    let id = call.text("id").map(str::to_owned);
    if id.as_ref().is_some_and(|id| !is_id(id)) {
        return Err(Failure::Usage(
            "expected an account id of 1 to 32 letters, digits, `-` or `_` after --id".into(),
        ));
    }
    let name = call.text("holder").unwrap_or_default().to_owned();
    let holder = holder::holder(call)?;
    let (mut issuer, mut context) = books(call, Need::Makes)?;
    let id = issuer.open_account(id.as_deref(), balance, &name, &mut context)?;
    if let Some(holder) = holder {
        issuer.set_account_holder(&id, &holder, &mut context)?;
    }
    call.output.say(&format!("account {id} is open with {balance}\n"));
    call.output.tell("id", json!(id.0));
    call.output.tell("balance_minor", json!(balance.minor));
    call.output.tell("currency", json!(currency.to_string()));
    Ok(Exit::Done)
}

fn holder_arguments(line: clap::Command) -> clap::Command {
    let file = Arg::new("file").long("file").value_name("FILE").required(true);
    line.arg(Arg::new("ID").required(true).help("The account's id")).arg(
        file.value_parser(value_parser!(PathBuf)).help(
            "A TOML file with name, identity_number and phone: a card added to a phone is compared to it",
        ),
    )
}

fn note_holder(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = call.arguments.get_one::<PathBuf>("file").cloned().unwrap_or_default();
    let holder = holder::of_file(&path)?;
    let id = AccountId(call.text("ID").unwrap_or_default().to_owned());
    let (mut issuer, mut context) = books(call, Need::Asks)?;
    issuer.set_account_holder(&id, &holder, &mut context)?;
    call.output.say(&format!("the holder of account {id} is noted, sealed\n"));
    call.output.tell("id", json!(id.0));
    Ok(Exit::Done)
}

fn list(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut issuer, mut context) = books(call, Need::Uses)?;
    let accounts = issuer.accounts(&mut context)?;
    let mut columns = Columns::indented(0);
    let mut values = Vec::new();
    for account in &accounts {
        // A name is card data: it shows when it is asked for.
        let holder = if call.switches.unmask { account.holder.expose() } else { "***" };
        columns.row(&account.id.0, format!("{:>18}  {holder}", account.balance.to_string()));
        values.push(json!({
            "id": account.id.0,
            "balance_minor": account.balance.minor,
            "held_minor": account.held.minor,
            "currency": account.balance.currency.to_string(),
            "holder": holder,
        }));
    }
    if accounts.is_empty() {
        call.output.say("No account is open: cardwright account open --balance 500.00\n");
    }
    call.output.say(&columns.to_string());
    call.output.tell("accounts", json!(values));
    Ok(Exit::Done)
}

fn books(call: &mut Call<'_>, need: Need) -> Result<(Issuer, Context), Failure> {
    let store = books::address(call, need)?;
    let mut context = call.switches.context(Recording::default());
    let issuer = books::open(call, &store, &mut context)?;
    Ok((issuer, context))
}

/// Whether a text may be an account's id: it stands in messages and logs.
fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
