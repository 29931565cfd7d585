//! `cardwright send`: APDUs as they are, and what they say.

use super::shared::command::{Call, Command, Run};
use super::shared::exchanges::Exchanges;
use super::shared::failure::{Exit, Failure};
use super::shared::scene::{Scene, Want};
use crate::air::link::{Card, Interface};
use crate::base::bytes::parse_hex;
use crate::observers::report::ExchangeReport;
use crate::words::decode::judge;
use crate::words::iso7816::{CommandApdu, Effect};
use clap::Arg;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "send",
    about: "Sends APDUs and shows what came back, decoded",
    effect: Some(Effect::Destroys),
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("HEX")
            .required(true)
            .num_args(1..)
            .help("Command APDUs, each one argument; spaces within quotes do not count"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let commands: Vec<CommandApdu> = call.texts("HEX").map(|text| parse(text)).collect::<Result<_, _>>()?;
    // The worst of them is what the user must allow, before the first is sent.
    let effect = commands.iter().map(|command| judge(command).1).max().unwrap_or(Effect::Reads);
    let want = Want { command: "read", interface: Interface::Contactless, effect, money: false };
    let mut scene = Scene::open(call, want)?;
    let unmask = call.switches.unmask;
    let mut report = if unmask { ExchangeReport::unmasked() } else { ExchangeReport::masked() };
    let mut exchanges = Exchanges::new(unmask);
    let mut told = Vec::new();
    for command in &commands {
        call.output.say(&report.command(command));
        let response = scene.stage.card.transmit(command, &mut scene.context)?;
        call.output.say(&report.response(&response));
        told.push(exchanges.value(command, &response));
    }
    call.output.tell("exchanges", json!(told));
    scene.recording.check()?;
    Ok(Exit::Done)
}

fn parse(text: &str) -> Result<CommandApdu, Failure> {
    let bytes = parse_hex(text).map_err(|cause| Failure::Hex { text: text.into(), cause })?;
    CommandApdu::parse(&bytes).map_err(|cause| Failure::Apdu { text: text.into(), cause })
}
