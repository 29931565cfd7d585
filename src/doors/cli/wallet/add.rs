//! `cardwright wallet add`: a physical card goes into the phone, as a token.

use super::shared::applicant::Person;
use super::shared::phone;
use crate::air::host::KeyKind;
use crate::devices::wallet::{Added, DirectWire, NewToken, Provisioning, resend_code};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::pan::{self, secret};
use crate::doors::cli::shared::{holder, tokens};
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "add",
    about: "Puts a card into the phone as a token: terms, identification, personalisation, activation",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    pan::arguments(phone::wallet_argument(line))
        .arg(file("holder", "A TOML file with name, identity_number and phone, instead of being asked"))
        .arg(file("code-file", "A file with the one-time code, instead of being asked"))
        .arg(file(
            "rules",
            "The rules by which the service approves, asks for a code or refuses; see src/roles/token/decision.toml",
        ))
        .arg(flag("accept-terms", "Accepts the terms without being asked"))
        .arg(flag("resend", "Has another code sent"))
        .arg(flag(
            "limited-use",
            "Keys that sign a few payments and are replenished, not in a secure element",
        ))
        .arg(Arg::new("name").long("name").value_name("NAME").help("The card's name in the phone"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = |name| call.arguments.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let new = NewToken {
        name: call.text("name").map(str::to_owned),
        pan: pan::pan(call)?,
        keys: if call.flag("limited-use") { KeyKind::LimitedUse } else { KeyKind::SecureElement },
    };
    let mut person = Person {
        accepts: call.flag("accept-terms"),
        holder: path("holder").map(holder::of_file).transpose()?,
        code: match path("code-file") {
            Some(file) => secret(Some(file), "")?,
            None => None,
        },
        heard: Vec::new(),
    };
    let (mut service, mut context) = tokens::open(call)?;
    let mut wallet = phone::open_or_make(call, &mut context)?;
    if let (true, Some(name)) = (call.flag("resend"), &new.name) {
        resend_code(&mut wallet, name, &mut context)?;
    }
    let mut provisioning = Provisioning {
        wallet: &mut wallet,
        service: &mut service,
        applicant: &mut person,
        wire: &mut DirectWire,
    };
    let added = provisioning.add(&new, &mut context);
    person.heard.into_iter().for_each(|heard| call.output.note(heard));
    match added? {
        Added::Active(token) => {
            call.output.say(&format!(
                "{} is active: token ***{} stands for the card ***{}\n",
                token.name, token.token_last_four, token.last_four
            ));
            call.output.tell("state", json!("active"));
            call.output.tell("card", phone::token_json(&token));
            Ok(Exit::Done)
        }
        Added::Waits { name, what } => {
            call.output.say(&format!("{name} waits for {what}: give it and run the same command again\n"));
            call.output.tell("state", json!("waits"));
            call.output.tell("card", json!({ "name": name }));
            call.output.tell("waits_for", json!(what));
            Ok(Exit::RecoveryDue)
        }
        Added::Refused { reason } => {
            call.output.say(&format!("refused: {reason}\n"));
            call.output.tell("state", json!("refused"));
            call.output.tell("reason", json!(reason));
            Ok(Exit::Declined)
        }
    }
}
