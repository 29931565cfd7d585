//! `cardwright card serve`: a simulated card on a reader, for any program.

use crate::air::link::{Activation, Interface};
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::kept_file;
use crate::roles::card;
use crate::world::{CardName, TargetAddress, open_simulated, open_target, seal_key};
use clap::Arg;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "serve",
    about: "Puts a simulated card on a reader, so that any program reads it",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("ADDRESS").required(true).help("sim:PROFILE, sim:FILE.toml, sim:FILE.card or wallet:DIR"),
    )
    .arg(
        Arg::new("on")
            .long("on")
            .value_name("TARGET")
            .required(true)
            .help("Where: vpcd:HOST:PORT, as vpcd:127.0.0.1:35963"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let name = CardName::parse_served(call.text("ADDRESS").unwrap_or_default())?;
    let address = TargetAddress::parse(call.text("on").unwrap_or_default())?;
    let interface = call.switches.interface.unwrap_or(Interface::Contactless);
    let file = kept_file(&name)?;
    let recording = Recording::create(&call.switches)?;
    let mut context = call.switches.context(recording.clone());
    // A fresh card needs an issuer who knows it; a card in a file has one already.
    let store = books::address(call, Need::Fresh)?;
    let mut issuer = books::open(call, &store, &mut context)?;
    let seal = call.switches.seal_key.clone();
    let seal = |context: &mut _| seal_key(seal.as_deref(), file.as_deref(), context);
    let mut card = open_simulated(&name, seal, &mut issuer, &mut context)?;
    let mut target = open_target(&address)?;
    let known = Activation {
        interface,
        atr: Vec::new(),
        place: format!("{name} on {}", target.place()),
        real: false,
    };
    recording.begin(Some(&known), &call.switches, &context)?;
    let (shown, place) = (name.to_string(), target.place().to_owned());
    call.output
        .say(&format!("{shown} is on {place}, {interface}; it ends with the reader, or with Ctrl-C\n"));
    card::serve(&mut card, interface, target.as_mut(), &mut context, &|| true)?;
    call.output.say("the reader has gone\n");
    call.output.tell("served", json!(shown));
    recording.check()?;
    Ok(Exit::Done)
}
