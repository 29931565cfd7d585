//! `cardwright wallet open-ecash`: a small e-cash account in the phone.

use super::shared::phone;
use crate::base::bytes::Secret;
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::transaction::{self, Deal};
use crate::roles::issuer::AccountId;
use crate::roles::terminal::Flow;
use crate::words::iso7816::Effect;
use crate::world::DEFAULT_PIN;
use crate::world::wallet::{NewEcash, open_ecash};
use clap::Arg;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "open-ecash",
    about: "Opens a small e-cash account in the phone, and loads it from its account",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let line = line.arg(transaction::amount_argument().help("What is loaded at once, such as 50.00"));
    phone::wallet_argument(line)
        .arg(
            Arg::new("account")
                .long("account")
                .value_name("ID")
                .required(true)
                .help("The account that loads it, and gets the rest back"),
        )
        .arg(Arg::new("name").long("name").value_name("NAME").help("The card's name in the phone"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let pin = call.switches.pin()?;
    if pin.is_none() {
        call.output.note(format!("Its PIN is {DEFAULT_PIN}, as no --pin-file was named."));
    }
    let pin = pin.unwrap_or_else(|| Secret::new(DEFAULT_PIN.into()));
    let new = NewEcash {
        name: call.text("name").map(str::to_owned),
        account: AccountId(call.text("account").unwrap_or_default().to_owned()),
        pin: pin.clone(),
    };
    let store = books::address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let mut issuer = books::open(call, &store, &mut context)?;
    let mut wallet = phone::open_or_make(call, &mut context)?;
    let name = open_ecash(&mut wallet, &mut issuer, &new, &mut context)?;
    let card = wallet.card(Some(&name))?;
    call.output.say(&format!("{name}: {} ***{}, {}\n", card.kind.word(), card.last_four, card.state));
    call.output.tell("card", json!(name));
    if call.text("AMOUNT").is_none() {
        return Ok(Exit::Done);
    }
    drop((wallet, issuer));
    call.switches.chosen_pin = Some(pin);
    phone::put_in_reader(call, Some(&name))?;
    transaction::run(call, Deal::Amount(Flow::Load))
}
