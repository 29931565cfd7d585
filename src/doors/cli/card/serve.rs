//! `cardwright card serve`: a simulated card on a reader, for any program.

use crate::air::link::{Activation, Interface};
use crate::base::context::Context;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::{kept_file, simulated_card};
use crate::roles::card::{self, Simulated};
use crate::world::{CardName, ReaderAddress, TargetAddress, open_replay, open_target};
use clap::Arg;
use serde_json::json;
use std::fmt;
use std::path::PathBuf;

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
        Arg::new("ADDRESS")
            .required(true)
            .help("sim:PROFILE, sim:FILE.toml, sim:FILE.card, wallet:DIR or replay:FILE"),
    )
    .arg(
        Arg::new("on")
            .long("on")
            .value_name("TARGET")
            .required(true)
            .help("Where: vpcd:HOST:PORT, as vpcd:127.0.0.1:35963; pn532:DEVICE; or udp:HOST:PORT"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let served = served(call)?;
    let address = TargetAddress::parse(call.text("on").unwrap_or_default())?;
    let recording = Recording::create(&call.switches)?;
    let mut context = call.switches.context(recording.clone());
    let (mut card, recorded) = open(&served, call, &mut context)?;
    let interface = call.switches.interface.or(recorded).unwrap_or(Interface::Contactless);
    let mut target = open_target(&address)?;
    let known = Activation {
        interface,
        atr: Vec::new(),
        place: format!("{served} on {}", target.place()),
        real: false,
    };
    recording.begin(Some(&known), &call.switches, &context)?;
    let (shown, place) = (served.to_string(), target.place().to_owned());
    call.output
        .say(&format!("{shown} is on {place}, {interface}; it ends with the reader, or with Ctrl-C\n"));
    card::serve(card.as_mut(), interface, target.as_mut(), &mut context, &|| true)?;
    call.output.say("the reader has gone\n");
    call.output.tell("served", json!(shown));
    recording.check()?;
    Ok(Exit::Done)
}

/// What is served.
enum Served {
    Card(CardName),
    Recording(PathBuf),
}

fn served(call: &Call<'_>) -> Result<Served, Failure> {
    let text = call.text("ADDRESS").unwrap_or_default();
    if let Ok(ReaderAddress::Recording(path)) = ReaderAddress::parse(text) {
        return Ok(Served::Recording(path));
    }
    let name = CardName::parse_served(text)?;
    kept_file(&name)?;
    Ok(Served::Card(name))
}

/// The card, and how it was reached where it is a recording.
fn open(
    served: &Served,
    call: &mut Call<'_>,
    context: &mut Context,
) -> Result<(Box<dyn Simulated>, Option<Interface>), Failure> {
    let name = match served {
        Served::Card(name) => name,
        Served::Recording(path) => {
            let card = open_replay(path)?;
            let over = card.interface();
            return Ok((Box::new(card), over));
        }
    };
    Ok((simulated_card(name, call, context)?, None))
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(name) => name.fmt(f),
            Self::Recording(path) => write!(f, "replay:{}", path.display()),
        }
    }
}
