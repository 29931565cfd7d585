//! `cardwright account`: the funding accounts in the issuer's books.

use super::shared::books::{self, Need};
use super::shared::command::{Call, Command, Run, no_arguments};
use super::shared::failure::{Exit, Failure};
use super::shared::holder;
use super::shared::recording::Recording;
use super::shared::transaction::{self, parse_currency};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::observers::report::Columns;
use crate::roles::issuer::{AccountClass, AccountId, AccountSummary, Issuer, NewAccount, Party};
use crate::words::iso4217::{Amount, Currency};
use clap::builder::PossibleValuesParser;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "account",
    about: "Opens, lists and shows the accounts behind cards, and moves money between them",
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
        Command {
            name: "show",
            about: "Shows an account: its class, its limits, and what was used of them today and this year",
            effect: None,
            arguments: show_arguments,
            run: Run::Alone(show),
        },
        Command {
            name: "transfer",
            about: "Moves money from one account to another, as the classes of both allow",
            effect: None,
            arguments: transfer_arguments,
            run: Run::Alone(transfer),
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
        )
        .arg(
            Arg::new("class")
                .long("class")
                .value_name("CLASS")
                .default_value("I")
                .value_parser(PossibleValuesParser::new(AccountClass::ALL.map(AccountClass::word)))
                .help("I (no limits), II or III (spend within limits; figures to be checked, see --limits)"),
        )
        .arg(
            Arg::new("bound").long("bound").value_name("ID").help(
                "The holder's account of class I, which feeds one of class II or III beside the limits",
            ),
        );
    holder::arguments(line)
}

fn show_arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("ID").required(true).help("The account"))
}

fn transfer_arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("FROM").required(true).help("The account that pays"))
        .arg(Arg::new("TO").required(true).help("The account that receives"))
        .arg(transaction::amount_argument().required(true))
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
    let class = AccountClass::parse(call.text("class").unwrap_or_default()).unwrap_or_default();
    let bound = call.text("bound").map(|id| AccountId(id.to_owned()));
    let (mut issuer, mut context) = books(call, Need::Makes)?;
    let account = NewAccount { id, balance, holder: Secret::new(name), class, bound };
    let id = issuer.open_account_of(&account, &mut context)?;
    if let Some(holder) = holder {
        issuer.set_account_holder(&id, &holder, &mut context)?;
    }
    call.output.say(&format!("account {id} of class {class} is open with {balance}\n"));
    call.output.tell("class", json!(class.word()));
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
        let used = account.used.map_or_else(String::new, |(out, _)| {
            let shown = |minor| Amount::new(minor, account.balance.currency);
            format!("  out {} today, {} this year", shown(out.day_minor), shown(out.year_minor))
        });
        columns.row(
            &account.id.0,
            format!("{:>18}  class {:<3}  {holder}{used}", account.balance.to_string(), account.class),
        );
        values.push(account_json(account, holder));
    }
    if accounts.is_empty() {
        call.output.say("No account is open: cardwright account open --balance 500.00\n");
    }
    call.output.say(&columns.to_string());
    call.output.tell("accounts", json!(values));
    Ok(Exit::Done)
}

fn show(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let id = call.text("ID").unwrap_or_default().to_owned();
    let (mut issuer, mut context) = books(call, Need::Asks)?;
    let accounts = issuer.accounts(&mut context)?;
    let Some(account) = accounts.iter().find(|account| account.id.0 == id) else {
        return Err(Failure::Usage(format!(
            "no account {id:?} is open in these books: `cardwright account list` names those that are"
        )));
    };
    let holder = if call.switches.unmask { account.holder.expose() } else { "***" };
    let currency = account.balance.currency;
    let shown = |minor| Amount::new(minor, currency).to_string();
    let limits = issuer.limits().class(account.class);
    let figures = limits.figures(currency).copied();
    let parties = |list: &[Party]| list.iter().map(|party| party.word()).collect::<Vec<_>>();
    let mut columns = Columns::indented(2);
    columns.row("class", account.class).row("holder", holder).row("balance", account.balance);
    columns.row("held", account.held);
    if let Some(bound) = &account.bound {
        columns.row("bound to", bound);
    }
    columns.row("pays", parties(&limits.pays).join(", "));
    columns.row("receives", parties(&limits.receives).join(", "));
    let of =
        |limit: Option<u64>| limit.map_or_else(|| "no limit".into(), |limit| format!("of {}", shown(limit)));
    match (account.used, figures) {
        (Some((out, into)), Some(figures)) => {
            columns.row("most it may hold", figures.balance_minor.map_or("no limit".into(), shown));
            for (what, used, limit) in [
                ("out today", out.day_minor, figures.out_day_minor),
                ("out this year", out.year_minor, figures.out_year_minor),
                ("in today", into.day_minor, figures.in_day_minor),
                ("in this year", into.year_minor, figures.in_year_minor),
            ] {
                columns.row(what, format!("{} {}", shown(used), of(limit)));
            }
        }
        _ => {
            columns
                .row("limits", format!("none for class {} in {currency}: no sums are kept", account.class));
        }
    }
    call.output.say(&format!("account {id}\n{columns}"));
    let mut told = account_json(account, holder);
    told["pays"] = json!(parties(&limits.pays));
    told["receives"] = json!(parties(&limits.receives));
    told["limits"] = figures.map_or(serde_json::Value::Null, |figures| {
        json!({
            "balance_minor": figures.balance_minor,
            "out_day_minor": figures.out_day_minor, "out_year_minor": figures.out_year_minor,
            "in_day_minor": figures.in_day_minor, "in_year_minor": figures.in_year_minor,
        })
    });
    call.output.tell("account", told);
    Ok(Exit::Done)
}

fn transfer(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let id = |name: &str| AccountId(call.text(name).unwrap_or_default().to_owned());
    let (from, to) = (id("FROM"), id("TO"));
    let (mut issuer, mut context) = books(call, Need::Asks)?;
    let accounts = issuer.accounts(&mut context)?;
    let currency = accounts.iter().find(|account| account.id == from).map(|account| account.balance.currency);
    let amount = Amount::parse(call.text("AMOUNT").unwrap_or_default(), currency.unwrap_or(Currency::CNY))?;
    issuer.transfer(&from, &to, amount, &mut context)?;
    call.output.say(&format!("{amount} moved from account {from} to account {to}\n"));
    call.output.tell("amount_minor", json!(amount.minor));
    Ok(Exit::Done)
}

fn account_json(account: &AccountSummary, holder: &str) -> serde_json::Value {
    let used = account.used.map(|(out, into)| {
        json!({
            "out_day_minor": out.day_minor, "out_year_minor": out.year_minor,
            "in_day_minor": into.day_minor, "in_year_minor": into.year_minor,
        })
    });
    json!({
        "id": account.id.0,
        "class": account.class.word(),
        "bound": account.bound.as_ref().map(|bound| &bound.0),
        "balance_minor": account.balance.minor,
        "held_minor": account.held.minor,
        "currency": account.balance.currency.to_string(),
        "holder": holder,
        "used": used,
    })
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
