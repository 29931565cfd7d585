//! Transactions with a purse (PBOC ED/EP) from the command line: the same verbs as for bank cards.

use super::command::Call;
use super::failure::{Exit, Failure};
use super::scene::{Scene, Want, card_seal_key, must_exist};
use super::switches::Switches;
use super::transaction;
use crate::air::link::{Card, Interface};
use crate::base::bytes::{Hex, parse_hex};
use crate::base::context::Context;
use crate::roles::terminal::purse::{
    CappRecord, PurchaseKind, PurseBalance, PurseChange, PurseChoice, PurseFacts,
};
use crate::roles::terminal::{Depth, Flow, TerminalConfig};
use crate::words::iso4217::Amount;
use crate::words::iso7816::Aid;
use crate::words::pboc::CityLayout;
use crate::words::pboc::purse::PurseId;
use crate::world::{CardName, ReaderAddress, open_sam};
use clap::{Arg, ArgAction};
use serde_json::json;

/// Which purse of the card.
const PURSE: &str = "purse";

/// What a line names: one of the card's purse applications, its deposit or purse, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::doors::cli) struct Named {
    application: PurseChoice,
    purse: Option<PurseId>,
}

/// The argument that names a purse.
pub(in crate::doors::cli) fn argument(line: clap::Command) -> clap::Command {
    line.arg(Arg::new(PURSE).long(PURSE).value_name("PURSE").value_parser(parse).help(
        "Pays or loads a purse, not electronic cash: ed, the electronic deposit, or ep, the electronic purse (where \
         nothing is named); of a card with several purses one by its name, such as t-union or city-union, or by its AID \
         as `cardwright read` shows it; both together as city-union:ep",
    ))
}

/// A purse as the line has it.
fn parse(text: &str) -> Result<Named, String> {
    let kind = |word: &str| PurseId::ALL.into_iter().find(|purse| purse.word().eq_ignore_ascii_case(word));
    if let Some(purse) = kind(text) {
        return Ok(Named { application: PurseChoice::First, purse: Some(purse) });
    }
    let (name, word) = text.split_once(':').unzip();
    let purse = word
        .map(|word| kind(word).ok_or_else(|| format!("expected ed or ep after the colon, found {word:?}")));
    let name = name.unwrap_or(text);
    let layout = CityLayout::of_word(&name.to_ascii_lowercase()).map(PurseChoice::Layout);
    let application = layout.or_else(|| Aid::try_from(name.to_owned()).ok().map(PurseChoice::Name));
    let application = application.ok_or_else(|| {
        let words: Vec<&str> = CityLayout::all().iter().map(|layout| layout.word).collect();
        format!("expected ed, ep, an AID of 1 to 16 bytes or one of {}, found {name:?}", words.join(", "))
    })?;
    Ok(Named { application, purse: purse.transpose()? })
}

/// The overdraft limit that is wanted.
pub(in crate::doors::cli) const OVERDRAFT: &str = "overdraft";

/// The argument that names an overdraft limit. It is a load's, since the bank gives the card
/// money by it: what the card can spend is raised, or cut, with the same proofs.
pub(in crate::doors::cli) fn overdraft_argument(line: clap::Command) -> clap::Command {
    line.arg(Arg::new(OVERDRAFT).long(OVERDRAFT).value_name("LIMIT").conflicts_with("from").help(
        "Instead of an amount: what the deposit (ED) of a purse card may be overdrawn by from now on, \
                 such as 200.00; 0 takes it back",
    ))
}

/// The records that a purchase writes.
pub(in crate::doors::cli) const COMPOUND: &str = "compound";

/// The argument that names them.
pub(in crate::doors::cli) fn compound_argument(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new(COMPOUND)
            .long(COMPOUND)
            .value_name("FILE:ID:HEX")
            .action(ArgAction::Append)
            .conflicts_with_all(["cash", "cashback", "online", "application"])
            .help(
                "A compound purchase with the electronic purse: a record that lands with the debit, such as \
                 1E:00:06...; file and identifier are hexadecimal, 00 is a new record of a ring; may be given \
                 several times, and the amount may be 0",
            ),
    )
}

/// The purse that the line names.
pub(in crate::doors::cli) fn named(call: &Call<'_>) -> Option<Named> {
    call.arguments.try_get_one::<Named>(PURSE).ok().flatten().cloned()
}

/// Has the terminal take the purse application that the line names. The transaction is one of `own`
/// alone; where the line names the other of the two, that is an error.
fn choose(call: &Call<'_>, scene: &mut Scene, own: PurseId, what: &str) -> Result<(), Failure> {
    let Named { application, purse } = named(call).unwrap_or_default();
    if let Some(other) = purse.filter(|purse| *purse != own) {
        let (own, other) = (own.word(), other.word());
        return Err(Failure::Usage(format!("{what} is the {own}'s alone, found --purse {other}")));
    }
    scene.stage.purse = application;
    Ok(())
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
    let Named { application, purse } = named(call).unwrap_or_default();
    let purse = purse.unwrap_or(default);
    scene.stage.purse = application;
    let mut person = scene.person();
    let result = match flow {
        Flow::Pay | Flow::Cash => {
            seat_sam(call, scene)?;
            let kind = if flow == Flow::Cash { PurchaseKind::Cash } else { PurchaseKind::Simple };
            scene.stage.pay_with_purse(purse, kind, amount, &mut person, &mut scene.context)
        }
        Flow::Load | Flow::Unload => {
            let (change, amount) = match (flow, amount.minor) {
                (Flow::Unload, 0) => (PurseChange::Unload, all(scene, purse, amount)?),
                (Flow::Unload, _) => (PurseChange::Unload, amount),
                _ => (PurseChange::Load, amount),
            };
            scene.stage.change_purse(purse, change, amount, &mut person, &mut scene.context)
        }
        _ => {
            return Err(Failure::Usage("a purse is paid with, loaded and unloaded, and nothing else".into()));
        }
    };
    let done = result.map_err(|cause| transaction::broken_off(cause, scene))?;
    transaction::end(call, scene, done, &person)
}

/// Pays with the purse and writes records in one; then shows them as the card has them.
pub(in crate::doors::cli) fn pay_compound(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let currency = transaction::currency(call, call.switches.config()?.currency)?;
    let amount = Amount::parse_or_zero(call.text("AMOUNT").unwrap_or_default(), currency)?;
    let given = call.arguments.get_many::<String>(COMPOUND).unwrap_or_default();
    let records = given.map(|text| record(text)).collect::<Result<Vec<_>, _>>()?;
    let want = Want { command: "pay", interface: Interface::Contactless, effect: call.effect, money: true };
    let mut scene = Scene::open(call, want)?;
    choose(call, &mut scene, PurseId::PURSE, "a compound purchase")?;
    seat_sam(call, &mut scene)?;
    let mut person = scene.person();
    let kind = PurchaseKind::Compound(records.clone());
    let result = scene.stage.pay_with_purse(PurseId::PURSE, kind, amount, &mut person, &mut scene.context);
    let done = result.map_err(|cause| transaction::broken_off(cause, &mut scene))?;
    let written = match done.1.verdict.is_success() {
        true => scene.stage.written_records(&records, &mut scene.context)?,
        false => Vec::new(),
    };
    let exit = transaction::end(call, &mut scene, done, &person)?;
    for CappRecord { sfi, id, data } in &written {
        call.output.say(&format!("  record {sfi:02X}:{id:02X}:{}\n", Hex(data)));
    }
    let json = |row: &CappRecord| json!({ "file": format!("{:02X}", row.sfi), "id": format!("{:02X}", row.id), "data": Hex(&row.data).to_string() });
    call.output.tell("records", written.iter().map(json).collect::<Vec<_>>().into());
    Ok(exit)
}

/// A record as the line has it.
fn record(text: &str) -> Result<CappRecord, Failure> {
    let wrong = |expected: &str| Failure::Usage(format!("--compound {text}: expected {expected}"));
    let mut parts = text.splitn(3, ':');
    let (Some(file), Some(id), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong("FILE:ID:HEX, such as 17:02:0211"));
    };
    let byte = |text: &str| u8::from_str_radix(text, 16).ok();
    let sfi = byte(file).filter(|sfi| (1..=30).contains(sfi)).ok_or_else(|| wrong("a file 01 to 1E"))?;
    let id = byte(id).ok_or_else(|| wrong("an identifier 00 to FF"))?;
    let data = parse_hex(data).ok().filter(|data| (1..=255).contains(&data.len()));
    Ok(CappRecord { sfi, id, data: data.ok_or_else(|| wrong("1 to 255 bytes of hexadecimal digits"))? })
}

/// Changes the overdraft limit of the card's deposit.
pub(in crate::doors::cli) fn set_overdraft(call: &mut Call<'_>, limit: &str) -> Result<Exit, Failure> {
    let currency = transaction::currency(call, call.switches.config()?.currency)?;
    let limit = Amount::parse_or_zero(limit, currency)?;
    let want = Want { command: "load", interface: Interface::Contact, effect: call.effect, money: true };
    let mut scene = Scene::open(call, want)?;
    choose(call, &mut scene, PurseId::DEPOSIT, "an overdraft limit")?;
    let mut person = scene.person();
    let (purse, change) = (PurseId::DEPOSIT, PurseChange::Overdraft);
    let result = scene.stage.change_purse(purse, change, limit, &mut person, &mut scene.context);
    let done = result.map_err(|cause| transaction::broken_off(cause, &mut scene))?;
    transaction::end(call, &mut scene, done, &person)
}

/// All that a purse holds of the holder's own money.
fn all(scene: &mut Scene, purse: PurseId, nothing: Amount) -> Result<Amount, Failure> {
    let selected = scene.stage.expect_purse(&mut scene.context)?;
    let facts = scene.stage.read(Depth::Quick, &mut scene.context)?;
    let is_meant = |facts: &&PurseFacts| {
        facts.number.known().and_then(|number| number.account().ok()).as_ref() == Some(&selected.number)
    };
    let balances = facts.purses.iter().find(is_meant).map(|purse| purse.balances.as_slice());
    let mut balances = balances.unwrap_or_default().iter();
    let own = balances.find(|balance| balance.purse == purse.0).and_then(PurseBalance::own_minor);
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
