//! `cardwright pn532 serve`: a PN532 on a pseudo-terminal.

use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::{kept_file, simulated_card};
use crate::world::{AirAddress, ChipAddress, Lies, open_chip};
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::time::Duration;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "serve",
    about: "Puts a simulated PN532 on a pseudo-terminal, with a card before it or other programs around it",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("on").long("on").value_name("LINE").required(true).help(
        "Where its host finds it: pty:PATH, a link that is made there; programs open PATH as a serial port",
    ))
    .arg(Arg::new("air").long("air").value_name("AIR").required(true).help(
        "What is near: a card (sim:PROFILE, sim:FILE.toml, sim:FILE.card, wallet:DIR), or whoever else speaks \
         at udp:HOST:PORT, in the format of nfcpy",
    ))
    .arg(
        Arg::new("type-b").long("type-b").action(ArgAction::SetTrue).help("The card is of type B instead of A"),
    )
    .arg(
        Arg::new("stay")
            .long("stay")
            .value_name("MS")
            .value_parser(value_parser!(u64))
            .help("The card is taken away so long after it was found first"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let chip = ChipAddress::parse(call.text("on").unwrap_or_default())?;
    let air = AirAddress::parse(call.text("air").unwrap_or_default())?;
    if let AirAddress::Simulated(name) = &air {
        kept_file(name)?;
    }
    let stay = call.arguments.get_one::<u64>("stay").copied().map(Duration::from_millis);
    let lies = Lies { is_type_b: call.flag("type-b"), stay };
    let mut context = call.switches.context(Recording::default());
    let open = |name: &_, context: &mut _| simulated_card(name, call, context);
    let mut simulated = open_chip(&chip.0, &air, lies, open, &mut context)?;
    let (path, near) = (chip.0.display().to_string(), call.text("air").unwrap_or_default().to_owned());
    call.output.say(&format!("a PN532 is at {path}, near it {near}; it ends with Ctrl-C\n"));
    call.output.tell("chip", json!({ "line": path, "air": near }));
    simulated.run(&mut context, &|| true)?;
    Ok(Exit::Done)
}
