//! Transactions with a purse (PBOC ED/EP) from the command line: the same verbs as for bank cards.

use super::command::Call;
use super::failure::{Exit, Failure};
use super::scene::{Scene, card_seal_key, must_exist};
use super::switches::Switches;
use super::transaction;
use crate::air::link::Card;
use crate::base::context::Context;
use crate::roles::terminal::purse::{PurchaseKind, PurseBalance};
use crate::roles::terminal::{Depth, Flow, TerminalConfig};
use crate::words::iso4217::Amount;
use crate::words::pboc::purse::PurseId;
use crate::world::{CardName, ReaderAddress, open_sam};
use clap::Arg;

/// Which purse of the card.
const PURSE: &str = "purse";

/// The argument that names a purse.
pub(in crate::doors::cli) fn argument(line: clap::Command) -> clap::Command {
    line.arg(Arg::new(PURSE).long(PURSE).value_name("ED|EP").value_parser(["ed", "ep"]).help(
        "Of a purse card: the electronic deposit (ed) or the electronic purse (ep, where nothing is named)",
    ))
}

/// The purse that the line names.
pub(in crate::doors::cli) fn named(call: &Call<'_>) -> Option<PurseId> {
    match call.arguments.try_get_one::<String>(PURSE) {
        Ok(Some(word)) if word == "ed" => Some(PurseId::DEPOSIT),
        Ok(Some(_)) => Some(PurseId::PURSE),
        Ok(None) | Err(_) => None,
    }
}

/// Runs a flow with a purse.
pub(in crate::doors::cli) fn run(
    call: &mut Call<'_>,
    scene: &mut Scene,
    flow: Flow,
    amount: Amount,
) -> Result<Exit, Failure> {
    // Cash is the deposit's alone, and few purses are unloaded.
    let default = if matches!(flow, Flow::Cash | Flow::Unload) { PurseId::DEPOSIT } else { PurseId::PURSE };
    let purse = named(call).unwrap_or(default);
    let mut person = scene.person();
    let result = match flow {
        Flow::Pay | Flow::Cash => {
            seat_sam(call, scene)?;
            let kind = if flow == Flow::Cash { PurchaseKind::Cash } else { PurchaseKind::Simple };
            scene.stage.pay_with_purse(purse, kind, amount, &mut person, &mut scene.context)
        }
        Flow::Load | Flow::Unload => {
            let unloads = flow == Flow::Unload;
            let amount = match (unloads, amount.minor) {
                (true, 0) => all(scene, purse, amount)?,
                _ => amount,
            };
            scene.stage.transfer_purse(purse, unloads, amount, &mut person, &mut scene.context)
        }
        _ => {
            return Err(Failure::Usage("a purse is paid with, loaded and unloaded, and nothing else".into()));
        }
    };
    let done = result.map_err(|cause| transaction::broken_off(cause, scene))?;
    transaction::end(call, scene, done, &person)
}

/// All that a purse holds of the holder's own money.
fn all(scene: &mut Scene, purse: PurseId, nothing: Amount) -> Result<Amount, Failure> {
    let facts = scene.stage.read(Depth::Quick, &mut scene.context)?;
    let balances = facts.purses.first().map(|purse| purse.balances.as_slice()).unwrap_or_default();
    let own = balances.iter().find(|balance| balance.purse == purse.0).and_then(PurseBalance::own_minor);
    match own.and_then(|minor| u64::try_from(minor).ok()).filter(|minor| *minor > 0) {
        Some(minor) => Ok(Amount::new(minor, nothing.currency)),
        None => Err(Failure::Usage(format!("the card's {} holds nothing", purse.word()))),
    }
}

/// Puts the security module into the terminal.
fn seat_sam(call: &Call<'_>, scene: &mut Scene) -> Result<(), Failure> {
    let Some(text) = &call.switches.sam else {
        return Err(Failure::Usage(
            "a purse is paid with before the terminal's security module: name one, --sam sim:psam".into(),
        ));
    };
    let address = ReaderAddress::parse(text)?;
    scene.stage.sam = Some(module_at(&call.switches, &address, &scene.stage.config, &mut scene.context)?);
    Ok(())
}

/// The security module at an address.
pub(in crate::doors::cli) fn module_at(
    switches: &Switches,
    address: &ReaderAddress,
    config: &TerminalConfig,
    context: &mut Context,
) -> Result<Box<dyn Card>, Failure> {
    if let ReaderAddress::Simulated(CardName::File(path)) = address {
        must_exist(path)?;
    }
    let seal = |context: &mut Context| card_seal_key(switches, address, context);
    Ok(open_sam(address, switches.allow, seal, config, context)?)
}
