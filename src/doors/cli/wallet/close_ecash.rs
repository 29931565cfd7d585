//! `cardwright wallet close-ecash`: the rest goes back, and nothing is left.

use super::shared::phone;
use crate::air::link::Interface;
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::person::Person;
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::{Scene, Want};
use crate::observers::report::{outcome_json, outcome_text, recovery_json, recovery_text};
use crate::words::iso7816::Effect;
use crate::world::HostAddress;
use crate::world::wallet::{begin_closing, close_ecash};
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "close-ecash",
    about: "Closes an e-cash account of the phone: the rest returns to its account",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    phone::wallet_argument(line).arg(phone::card_argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut wallet, mut context) = phone::open(call)?;
    let card = call.text("CARD").map(str::to_owned);
    let mut issuer = match call.switches.host()? {
        HostAddress::Tcp(_) => None,
        HostAddress::Local => {
            let store = books::address(call, Need::Asks)?;
            Some(books::open(call, &store, &mut context)?)
        }
    };
    let card = begin_closing(&mut wallet, issuer.as_mut(), card.as_deref(), &mut context)?;
    drop((wallet, issuer));
    phone::put_in_reader(call, Some(&card.name))?;
    let want = Want { command: "wallet", interface: Interface::Contact, effect: call.effect, money: true };
    let mut scene = Scene::open(call, want)?;
    let mut wallet = phone::open_in(call, &mut call.switches.context(Recording::default()))?;
    let mut person = scene.person();
    let closed = close_ecash(&mut wallet, &card.name, &mut scene.stage, &mut person, &mut scene.context)?;
    if !closed.recovered.rows.is_empty() {
        call.output.say(&format!("Settled first:\n{}", recovery_text(&closed.recovered)));
        call.output.tell("settled_first", recovery_json(&closed.recovered));
    }
    for outcome in &closed.unloads {
        call.output.say(&outcome_text(outcome, call.switches.unmask));
    }
    let unloads: Vec<_> =
        closed.unloads.iter().map(|outcome| outcome_json(outcome, call.switches.unmask)).collect();
    call.output.tell("unloads", json!(unloads));
    call.output.tell("card", json!(card.name));
    call.output.tell("closed", json!(closed.waits_for.is_none()));
    scene.recording.check()?;
    scene.stage.check(&mut scene.context)?;
    if matches!(person, Person::Away { wanted: true }) && closed.waits_for.is_some() {
        return Err(Person::away());
    }
    match closed.waits_for {
        None => {
            call.output.say(&format!("{} is closed: nothing of it is left in the phone\n", card.name));
            Ok(Exit::Done)
        }
        Some(reason) => {
            call.output
                .say(&format!("{} is not closed yet: {reason}; run the same command again\n", card.name));
            call.output.tell("waits_for", json!(reason));
            Ok(Exit::RecoveryDue)
        }
    }
}
