//! Finds every application on a card.

use super::application::Reader;
use super::facts::{CardFacts, CardKind, Fact};
use crate::air::link::{Card, LinkError};
use crate::base::context::Context;
use crate::roles::terminal::config::TerminalConfig;
use crate::roles::terminal::purse::{Found, by_file, by_name, is_blocked, read_purse};
use crate::words::emv::{Fci, directory_entries};
use crate::words::iso7816::command::{ReadRecord, Select};
use crate::words::iso7816::{Aid, ApduCommand, Atr, StatusWord};
use crate::words::pboc::{CityLayout, is_purse};

/// How much of a card is spent for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// Nothing: SELECT, GET DATA and READ RECORD alone.
    Quick,
    /// One transaction counter value an application: GET PROCESSING OPTIONS with
    /// amount 0, never the offline path.
    Full,
}

/// Most applications that are looked at, and that "next" is followed to.
const APPLICATION_LIMIT: usize = 24;

/// Names that are asked for besides those of the directories and the terminal:
/// registered providers whose partial name finds whatever stands under it.
const WELL_KNOWN: &[&[u8]] = &[
    &[0xA0, 0x00, 0x00, 0x03, 0x33],
    &[0xA0, 0x00, 0x00, 0x00, 0x03],
    &[0xA0, 0x00, 0x00, 0x00, 0x04],
    &[0xA0, 0x00, 0x00, 0x00, 0x25],
    &[0xA0, 0x00, 0x00, 0x00, 0x65],
    &[0xA0, 0x00, 0x00, 0x01, 0x52],
    &[0xA0, 0x00, 0x00, 0x06, 0x32],
    &[0xA0, 0x00, 0x00, 0x00, 0x03, 0x86, 0x98, 0x07, 0x01],
];

/// Reads what a card is.
pub fn read(
    card: &mut dyn Card,
    config: &TerminalConfig,
    depth: Depth,
    context: &mut Context,
) -> Result<CardFacts, LinkError> {
    let activation = card.activation().clone();
    let storage = Atr::parse(&activation.atr).ok().and_then(|atr| atr.storage_card());
    let radio = match card.radio_identity(context)? {
        Some(identity) => Fact::Known(identity),
        None => Fact::Absent("no card on radio, or its reader does not tell".into()),
    };
    let mut facts = CardFacts {
        place: activation.place,
        interface: activation.interface,
        atr: activation.atr,
        kind: CardKind::Chip,
        radio,
        applications: Vec::new(),
        purses: Vec::new(),
        remarks: Vec::new(),
    };
    if let Some((standard, name)) = storage {
        facts.kind = CardKind::Storage { name: storage_name(standard, name) };
        facts.remarks.push("a storage card: it has no ISO/IEC 7816-4 applications to read".into());
        return Ok(facts);
    }
    let mut purses = Vec::new();
    for (name, blocked) in find(card, config, &mut facts.remarks, context)? {
        if is_purse(&name) {
            purses.extend(by_name(card, &name, context)?);
            continue;
        }
        let reader = Reader { card: &mut *card, config, depth, context: &mut *context };
        if let Some(application) = reader.read(name, blocked)? {
            facts.applications.push(application);
        }
    }
    if purses.is_empty() {
        purses.extend(by_file(card, context)?);
    }
    // In the order in which one is chosen to pay with.
    purses.sort_by_key(Found::rank);
    for found in purses {
        facts.purses.push(read_purse(card, found, context)?);
    }
    if facts.applications.is_empty() && facts.purses.is_empty() {
        facts.remarks.push("no application found by PPSE, PSE or any name that was asked for".into());
    }
    Ok(facts)
}

/// Every application's full name, in the order it was found, and whether it is blocked.
fn find(
    card: &mut dyn Card,
    config: &TerminalConfig,
    remarks: &mut Vec<String>,
    context: &mut Context,
) -> Result<Vec<(Aid, bool)>, LinkError> {
    let mut found: Vec<(Aid, bool)> = Vec::new();
    let mut add = |name: Aid, blocked| {
        if found.len() < APPLICATION_LIMIT && !found.iter().any(|(known, _)| *known == name) {
            found.push((name, blocked));
        }
    };
    for directory in [b"2PAY.SYS.DDF01", b"1PAY.SYS.DDF01"] {
        let Some(name) = Aid::new(directory.as_slice()) else { continue };
        let answer = card.transmit(&Select::first(name.clone()).to_apdu(), context)?;
        if answer.status == StatusWord::NOT_SUPPORTED {
            remarks.push(format!("SELECT answered {}: the card may be blocked", answer.status));
        }
        if !answer.status.is_ok() {
            continue;
        }
        match Fci::parse(&answer.data, &name) {
            Ok(fci) => {
                for entry in fci.entries {
                    add(entry.name, false);
                }
                for name in directory_records(card, fci.directory_sfi, context)? {
                    add(name, false);
                }
            }
            Err(error) => remarks.push(error.to_string()),
        }
    }
    let names = config.aids().map(Aid::as_bytes).chain(WELL_KNOWN.iter().copied());
    for name in names.filter_map(Aid::new) {
        let mut ask = Select::first(name.clone());
        let mut last = None;
        for _ in 0..APPLICATION_LIMIT {
            let answer = card.transmit(&ask.to_apdu(), context)?;
            let blocked = is_blocked(&answer);
            if !answer.status.is_ok() && !blocked {
                break;
            }
            match Fci::parse(&answer.data, &name) {
                Ok(fci) if last.as_ref() != Some(&fci.df_name) => {
                    add(fci.df_name.clone(), blocked);
                    if fci.df_name == name {
                        break;
                    }
                    last = Some(fci.df_name);
                }
                // The same one again: this card does not know "next".
                Ok(_) => break,
                Err(_) if blocked => {
                    add(name.clone(), true);
                    break;
                }
                // It is read without one.
                Err(_) if is_purse(&name) => break,
                Err(error) => {
                    let remark = format!("{name}: {error}");
                    if !remarks.contains(&remark) {
                        remarks.push(remark);
                    }
                    break;
                }
            }
            ask = Select::next(name.clone());
        }
    }
    find_purses(card, &mut found, context)?;
    Ok(found)
}

/// Purses that no partial name has found, or whose answer to SELECT is no FCI.
fn find_purses(
    card: &mut dyn Card,
    found: &mut Vec<(Aid, bool)>,
    context: &mut Context,
) -> Result<(), LinkError> {
    for name in CityLayout::all().iter().flat_map(CityLayout::names) {
        if found.len() == APPLICATION_LIMIT
            || found.iter().any(|(known, _)| known.begins_with(name.as_bytes()))
        {
            continue;
        }
        let answer = card.transmit(&Select::first(name.clone()).to_apdu(), context)?;
        let blocked = is_blocked(&answer);
        if answer.status.is_ok() || blocked {
            let full = Fci::parse(&answer.data, name).map(|fci| fci.df_name);
            found.push((full.unwrap_or_else(|_| name.clone()), blocked));
        }
    }
    Ok(())
}

/// The names in the records of a PSE directory (EMV Book 1 12.2.3).
fn directory_records(
    card: &mut dyn Card,
    sfi: Option<u8>,
    context: &mut Context,
) -> Result<Vec<Aid>, LinkError> {
    let mut names = Vec::new();
    let Some(sfi) = sfi.filter(|sfi| (1..=10).contains(sfi)) else { return Ok(names) };
    for record in 1..=10 {
        let ask = ReadRecord { sfi, record };
        let Ok(bytes) = ask.answer(&card.transmit(&ask.to_apdu(), context)?) else { break };
        let Ok(entries) = directory_entries(&bytes) else { break };
        names.extend(entries.into_iter().map(|entry| entry.name));
    }
    Ok(names)
}

/// PC/SC Part 3 Supplement: standard and card name of a storage card.
fn storage_name(standard: u8, name: u16) -> String {
    match (standard, name) {
        (_, 0x0001) => "MIFARE Classic 1K".into(),
        (_, 0x0002) => "MIFARE Classic 4K".into(),
        (_, 0x0003) => "MIFARE Ultralight".into(),
        (_, 0x0026) => "MIFARE Mini".into(),
        (_, 0x003A) => "MIFARE Ultralight C".into(),
        (0x11, _) => "FeliCa".into(),
        (standard, name) => format!("unnamed storage card (standard {standard:02X}, name {name:04X})"),
    }
}
