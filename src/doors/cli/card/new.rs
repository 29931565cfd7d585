//! `cardwright card new`: a card in a file, on the issuer's file.

use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::doors::cli::shared::books::{self, Need, token_key_argument};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::must_exist;
use crate::doors::cli::shared::{holder, tokens};
use crate::observers::report::{card_file_json, card_file_text};
use crate::roles::card::{CardFile, CardStorage, Profile};
use crate::roles::issuer::{AccountId, Issuer};
use crate::words::iso4217::{Amount, Currency};
use crate::world::{
    CardName, DEFAULT_PIN, FormerCard, NewCard, ReaderAddress, issue_card, issue_card_under, load_profile,
    open_authority, renew_card, replace_card, seal_key,
};
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "new",
    about: "Makes a card in a file and puts it in the issuer's books",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let line = line
        .arg(Arg::new("PROFILE").required(true).help(
            "ecash, ecash-dual, debit, unionpay-credit, unionpay-sm, mastercard-like, or a profile of your own, FILE.toml",
        ))
        .arg(
            Arg::new("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The card's file, FILE.card; one that is there is not touched"),
        )
        .arg(
            Arg::new("account")
                .long("account")
                .value_name("ID")
                .action(ArgAction::Append)
                .help("The account that loads it; once for each currency"),
        )
        .arg(
            Arg::new("balance")
                .long("balance")
                .value_name("AMOUNT")
                .default_value("0")
                .allow_negative_numbers(true)
                .help("The electronic cash that it begins with"),
        )
        .arg(Arg::new("ca").long("ca").value_name("FOLDER").value_parser(value_parser!(PathBuf)).help(
            "The certification authority (`ca new`) that signs for it; else the built-in test authority",
        ))
        .arg(
            Arg::new("replaces")
                .long("replaces")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The card (FILE.card) whose place it takes: that one is out of use, its tokens stay"),
        )
        .arg(
            Arg::new("renews")
                .long("renews")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("replaces")
                .help("The same with the number kept: next sequence number, five years longer"),
        )
        .arg(token_key_argument())
        .arg(
            Arg::new("holder")
                .long("holder")
                .value_name("NAME")
                .requires("identity-number")
                .help("Who holds it, where it is not the account's holder; kept sealed"),
        );
    holder::arguments(line)
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = call.arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
    must_be_free(&path)?;
    let profile = profile(call.text("PROFILE").unwrap_or_default())?;
    let balance = Amount::parse_or_zero(call.text("balance").unwrap_or("0"), Currency::CNY)?;
    let holder = holder::holder(call)?;
    let pin = call.switches.pin()?;
    let chosen = pin.is_some();
    let ids: Vec<String> = call.texts("account").cloned().collect();
    let store = books::address(call, Need::Makes)?;
    let mut context = call.switches.context(Recording::default());
    let mut issuer = books::open(call, &store, &mut context)?;
    let accounts = accounts(&mut issuer, &ids, &mut context)?;
    let card = NewCard {
        profile,
        pin: pin.unwrap_or_else(|| Secret::new(DEFAULT_PIN.into())),
        balance_minor: balance.minor,
        accounts,
    };
    let authority = call.arguments.get_one::<PathBuf>("ca").cloned();
    let seal_file = call.switches.seal_key.clone();
    let authority = authority.map(|folder| open_authority(&folder, seal_file.as_deref(), &mut context));
    let authority = authority.transpose()?;
    let seal = seal_key(seal_file.as_deref(), Some(&path), &mut context)?;
    let former = |name, context: &mut Context| {
        let file: Option<&PathBuf> = call.arguments.get_one(name);
        file.map(|old| former_card(old, seal_file.as_deref(), context)).transpose()
    };
    let replaced = former("replaces", &mut context)?;
    let renewed = former("renews", &mut context)?;
    // Its place first: what the books say that a card holds, a card must hold.
    let mut file = CardFile::reserve(&path, seal)?;
    let memory = match (&replaced, &renewed, &authority) {
        (Some(old), _, authority) => replace_card(authority.as_ref(), &mut issuer, old, &card, &mut context)?,
        (_, Some(old), authority) => renew_card(authority.as_ref(), &mut issuer, old, &card, &mut context)?,
        (_, _, Some(authority)) => issue_card_under(authority, &mut issuer, &card, &mut context)?,
        (_, _, None) => issue_card(&mut issuer, &card, &mut context)?,
    };
    if let (Some(holder), Some(pan)) = (holder, memory.pan()) {
        issuer.set_card_holder(&pan, memory.psn(), &holder, &mut context)?;
    }
    file.commit(&memory, &mut context)?;

    let shown = path.display().to_string();
    call.output.say(&format!("{shown} is a new card\n{}", card_file_text(&memory, call.switches.unmask)));
    if !chosen {
        call.output.note(format!("Its PIN is {DEFAULT_PIN}, as no --pin-file was named."));
    }
    if ids.is_empty() {
        call.output.note("No account is linked to it (--account ID): it can pay and cannot be loaded.");
    }
    if let Some(old) = replaced.or(renewed) {
        call.output.say(&format!(
            "The card {}, sequence number {:02}, is out of use: this one has taken its place.\n",
            old.pan, old.psn
        ));
        tokens::follow_card(call, &store, &old.pan, &mut context)?;
    }
    call.output.say(&format!("Read it: cardwright read --reader sim:{shown}\n"));
    call.output.tell("file", json!(shown));
    call.output.tell("card", card_file_json(&memory, call.switches.unmask));
    Ok(Exit::Done)
}

/// The card in a file, whose place another takes.
fn former_card(path: &Path, seal: Option<&Path>, context: &mut Context) -> Result<FormerCard, Failure> {
    must_exist(path)?;
    let seal = seal_key(seal, Some(path), context)?;
    let (_file, memory) = CardFile::open(path, seal)?;
    FormerCard::of(&memory)
        .ok_or_else(|| Failure::Usage(format!("{}: the card has no PAN or no expiry", path.display())))
}

/// The file must end so that `sim:FILE.card` finds it, and must not be there.
fn must_be_free(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    if path.extension().is_none_or(|ending| ending != "card") {
        return Err(Failure::Usage(format!("expected a file that ends in .card, found {shown}")));
    }
    if path.exists() {
        return Err(Failure::Usage(format!("{shown} is there already: name another file")));
    }
    Ok(())
}

fn profile(name: &str) -> Result<Profile, Failure> {
    match ReaderAddress::parse(&format!("sim:{name}"))? {
        ReaderAddress::Simulated(name @ (CardName::Profile(_) | CardName::ProfileFile(_))) => {
            Ok(load_profile(&name)?)
        }
        _ => Err(Failure::Usage(format!("expected a profile's name or FILE.toml, found {name:?}"))),
    }
}

/// Each account with its currency.
fn accounts(
    issuer: &mut Issuer,
    ids: &[String],
    context: &mut Context,
) -> Result<Vec<(Currency, AccountId)>, Failure> {
    let open = issuer.accounts(context)?;
    let mut linked: Vec<(Currency, AccountId)> = Vec::new();
    for id in ids {
        let Some(account) = open.iter().find(|account| account.id.0 == *id) else {
            return Err(Failure::Usage(format!(
                "no account {id:?} is open in these books: `cardwright account list` names those that are"
            )));
        };
        let currency = account.balance.currency;
        if linked.iter().any(|(of, _)| *of == currency) {
            return Err(Failure::Usage(format!(
                "two accounts in {currency}: a card has one for each currency"
            )));
        }
        linked.push((currency, account.id.clone()));
    }
    Ok(linked)
}
