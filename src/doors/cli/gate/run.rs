//! `cardwright gate run`: a gate at a reader.

use super::deny::write_delta;
use super::simulate::{config_argument, line_of};
use crate::air::host::{Host, Timeouts};
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::devices::gate::{Gate, Uploaded};
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::folder::Passing;
use crate::doors::cli::shared::journal::{gate_folder, key};
use crate::doors::cli::shared::purse::module_at;
use crate::doors::cli::shared::recording::Recording;
use crate::doors::cli::shared::scene::{card_seal_key, is_fresh};
use crate::observers::report::{passage_json, passage_line, upload_json, upload_line};
use crate::roles::issuer::Issuer;
use crate::roles::terminal::TerminalConfig;
use crate::words::iso7816::Effect;
use crate::world::gate::open_gate;
use crate::world::{CardName, HostAddress, Permit, ReaderAddress, WorldError, open_card, remote_host};
use clap::{Arg, ArgAction, value_parser};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "run",
    about: "Lets the card at the reader pass: a purse pays before it does (PBOC compound purchase, with a \
            security module), a bank card must be authentic; keeps the ride, and tells or asks the issuer after \
            that; exit code 1 if the gate stays shut",
    effect: Some(Effect::Changes),
    arguments,
    run: Run::Alone(run),
};

/// The profile of the fresh card, where no reader is named.
const FRESH: &str = "unionpay-transit";
/// The profile of the security module, where none is named.
const MODULE: &str = "psam";
/// Between two taps a card is taken away.
const AWAY: Duration = Duration::from_secs(1);

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(config_argument())
        .arg(
            Arg::new("taps")
                .long("taps")
                .value_name("N")
                .default_value("1")
                .value_parser(value_parser!(u32).range(1..))
                .help("After so many taps it ends; with --wait each may take so long to come"),
        )
        .arg(
            Arg::new("deny-list")
                .long("deny-list")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The deny list, as `cardwright gate deny` makes it"),
        )
        .arg(
            Arg::new("delta")
                .long("delta")
                .value_name("FILE")
                .requires("deny-list")
                .value_parser(value_parser!(PathBuf))
                .help("Writes what the issuers' answers change of the deny list, for `cardwright gate deny --apply`"),
        )
        .arg(
            Arg::new("keep")
                .long("keep")
                .action(ArgAction::SetTrue)
                .help("Keeps the rides for a later run instead of asking the issuer now"),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut line = line_of(call)?;
    let named = call.switches.reader()?;
    let reader = named.clone().unwrap_or_else(|| ReaderAddress::Simulated(CardName::Profile(FRESH.into())));
    if named.is_none() {
        call.output.note(format!(
            "No reader is named: this is a fresh simulated {FRESH} card, in memory, with an account of its own."
        ));
    }
    let recording = Recording::create(&call.switches)?;
    let mut context = call.switches.context(recording.clone());
    let (mut issuer, remote) = match call.switches.asked_host()? {
        HostAddress::Tcp(address) => (None, Some((address, key(&call.switches)?))),
        HostAddress::Local => {
            let need = if is_fresh(&reader) { Need::Fresh } else { Need::Uses };
            let store = books::address(call, need)?;
            (Some(books::open(call, &store, &mut context)?), None)
        }
    };
    if let Some((_, key)) = &remote {
        (line.terminal, line.merchant) = (key.terminal.clone(), key.merchant.clone());
    }
    let config = call.switches.config()?;
    let deny_list = call.arguments.get_one::<PathBuf>("deny-list").cloned();
    // A card in memory and its issuer end with the process: what it owes could never be paid.
    let passing = is_fresh(&reader) && remote.is_none() && call.switches.state.is_none();
    let passing = passing.then(|| Passing::new("gate")).transpose()?;
    let folder = match &passing {
        Some(passing) => passing.path().to_owned(),
        None => gate_folder(&call.switches, &line.terminal)?,
    };
    let mut gate = open_gate(&folder, line, config.clone(), deny_list.as_deref(), &mut context)?;
    match sam_address(call, &reader)? {
        Some(address) => {
            gate = gate.with_sam(module_at(&call.switches, &address, &config, &mut context)?);
        }
        None if gate.line().purse.is_some() => {
            call.output.note("No security module is named (--sam): purses are passed over.".to_owned());
        }
        None => {}
    }
    let done = passages(call, &mut gate, &reader, &config, issuer.as_mut(), &recording, &mut context);
    let uploaded = match call.flag("keep") {
        true => Ok(Uploaded::default()),
        false => match (&mut issuer, remote) {
            (Some(issuer), _) => upload(&mut gate, issuer, &mut context),
            (None, Some((address, key))) => {
                upload(&mut gate, &mut remote_host(&address, &key, Timeouts::default())?, &mut context)
            }
            (None, None) => Ok(Uploaded::default()),
        },
    };
    let (exit, uploaded) = (done?, uploaded?);
    if uploaded.asked > 0 {
        call.output.say(&upload_line(&uploaded));
    }
    call.output.tell("upload", upload_json(&uploaded));
    if let Some(path) = call.arguments.get_one::<PathBuf>("delta") {
        write_delta(call, path, &uploaded.delta(&gate.deny_list))?;
    }
    Ok(exit)
}

/// Where the security module is: a simulated card gets a simulated one, where none is named.
fn sam_address(call: &Call<'_>, reader: &ReaderAddress) -> Result<Option<ReaderAddress>, Failure> {
    Ok(match (&call.switches.sam, reader) {
        (Some(named), _) => Some(ReaderAddress::parse(named)?),
        (None, ReaderAddress::Driver { .. }) => None,
        (None, _) => Some(ReaderAddress::Simulated(CardName::Profile(MODULE.into()))),
    })
}

fn upload(gate: &mut Gate, host: &mut dyn Host, context: &mut Context) -> Result<Uploaded, Failure> {
    Ok(gate.upload_all(host, context).map_err(WorldError::from)?)
}

/// Tap after tap.
fn passages(
    call: &mut Call<'_>,
    gate: &mut Gate,
    reader: &ReaderAddress,
    config: &TerminalConfig,
    mut issuer: Option<&mut Issuer>,
    recording: &Recording,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let taps = call.arguments.get_one::<u32>("taps").copied().unwrap_or(1);
    // A gate that takes purses debits them.
    let wants = if gate.takes_purses() { Effect::Changes } else { Effect::Spends };
    let permit = Permit { wants, allowed: call.switches.allow };
    let mut told = Vec::new();
    let mut exit = Exit::Done;
    for tap in 0..taps {
        if tap > 0 && matches!(reader, ReaderAddress::Driver { .. }) {
            std::thread::sleep(AWAY);
        }
        let opened = open_card(
            reader,
            call.switches.interface,
            Interface::Contactless,
            permit,
            call.switches.options(),
            |context: &mut Context| card_seal_key(&call.switches, reader, context),
            issuer.as_deref_mut(),
            config,
            context,
        );
        let mut opened = opened?;
        recording.begin(Some(opened.card.activation()), &call.switches, context)?;
        let passage = gate.tap(opened.card.as_mut(), context).map_err(WorldError::from)?;
        call.output.say(&passage_line(&passage, call.switches.unmask));
        told.push(passage_json(&passage, call.switches.unmask));
        if !passage.is_open() {
            exit = Exit::Declined;
        }
    }
    call.output.tell("taps", json!(told));
    recording.check()?;
    Ok(exit)
}
