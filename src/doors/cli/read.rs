//! `cardwright read`: what the card is.

use super::shared::command::{Call, Command, Run};
use super::shared::failure::{Exit, Failure};
use super::shared::scene::{Scene, Want};
use crate::air::link::Interface;
use crate::observers::report::{card_facts_json, card_facts_text};
use crate::roles::terminal::Depth;
use crate::words::iso7816::Effect;
use clap::{Arg, ArgAction};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "read",
    about: "Names every application on the card and shows what it tells",
    effect: Some(Effect::Reads),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("full")
            .long("full")
            .action(ArgAction::SetTrue)
            .help("Sends GPO too, with amount 0; that spends one ATC of each application"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (depth, effect) = match call.flag("full") {
        true => (Depth::Full, Effect::Spends),
        false => (Depth::Quick, Effect::Reads),
    };
    // Who asks for --full has given leave to spend.
    call.switches.allow = call.switches.allow.max(effect);
    let want = Want { command: "read", interface: Interface::Contactless, effect, money: false };
    let mut scene = Scene::open(call, want)?;
    let facts = scene.stage.read(depth, &mut scene.context)?;
    call.output.say(&card_facts_text(&facts, call.switches.unmask));
    call.output.tell("card", card_facts_json(&facts, call.switches.unmask));
    scene.recording.check()?;
    Ok(Exit::Done)
}
