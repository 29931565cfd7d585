//! Opens a card at an address, with the wrappers that every card gets: whole
//! answers (T=0), a guard on real cards, and the recording.

use super::TomlChange;
use super::address::{CardName, ReaderAddress};
use super::books::read_text;
use super::error::WorldError;
use super::issue::{NewCard, issue_card, new_card_memory, order_for};
use super::recorded::open_replay;
use super::wallet::open_wallet;
use crate::air::link::{
    Card, Guard, InProcess, Interface, LinkError, READERS, Reader, ReaderDriver, ReaderOptions, Record, T0,
};
use crate::base::context::Context;
use crate::base::store::SealKey;
use crate::roles::card::{CardFile, Profile, Simulator};
use crate::roles::issuer::Issuer;
use crate::roles::terminal::{Depth, TerminalConfig, read};
use crate::words::decode::judge;
use crate::words::iso7816::Effect;
use std::time::Duration;

/// What a fresh simulated card begins with: 100.00 on it, 500.00 behind it.
const FRESH_BALANCE_MINOR: u64 = 10_000;
const FRESH_ACCOUNT_MINOR: u64 = 50_000;

/// What may be done to a card that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// The worst that the command is going to do.
    pub wants: Effect,
    /// The worst that the user allows.
    pub allowed: Effect,
}

/// What a card turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A fresh simulated card that the issuer knows, of this profile.
    Fresh(String),
    /// A simulated card whose memory is a file, in a phone or not.
    File,
    /// A recording that plays its card: no money is on it.
    Recording,
    /// A card in a reader.
    Reader,
}

/// An open card.
pub struct Opened {
    /// The link to it.
    pub card: Box<dyn Card>,
    /// What it is.
    pub origin: Origin,
}

/// Opens the card at an address. A fresh card is put on the issuer's file, and needs one.
/// `options` are for a card in a reader.
#[expect(clippy::too_many_arguments, reason = "each is one switch of the command line")]
pub fn open_card<'a>(
    address: &ReaderAddress,
    interface: Option<Interface>,
    default_interface: Interface,
    permit: Permit,
    options: ReaderOptions,
    seal: impl FnOnce(&mut Context) -> Result<SealKey, WorldError>,
    issuer: impl Into<Option<&'a mut Issuer>>,
    config: &TerminalConfig,
    context: &mut Context,
) -> Result<Opened, WorldError> {
    let over = interface.unwrap_or(default_interface);
    match address {
        ReaderAddress::Simulated(name) => {
            let card = open_simulated(name, seal, issuer, context)?;
            let origin = match name {
                CardName::File(_) | CardName::Wallet(..) => Origin::File,
                _ => Origin::Fresh(card.memory().profile().name.clone()),
            };
            let card = InProcess::connect(card, over, context);
            Ok(Opened { card: Box::new(Record(T0(card))), origin })
        }
        ReaderAddress::Recording(path) => {
            let card = open_replay(path)?;
            let over = interface.or(card.interface()).unwrap_or(default_interface);
            let card = InProcess::connect(card, over, context);
            Ok(Opened { card: Box::new(Record(T0(card))), origin: Origin::Recording })
        }
        ReaderAddress::Driver { scheme, rest } => {
            let mut reader = (reader_driver(scheme)?.open)(rest, options)?;
            wait_for_card(reader.as_mut(), options.wait)?;
            let card = reader.connect(context)?;
            let real = card.activation().real;
            let first = if real { permit.allowed.min(permit.wants) } else { Effect::Destroys };
            let mut guarded = Guard::new(T0(card), judge, first);
            if real && permit.wants > permit.allowed {
                admit(&mut guarded, permit, config, context)?;
            }
            Ok(Opened { card: Box::new(Record(guarded)), origin: Origin::Reader })
        }
    }
}

/// Opens a simulated card by itself. A fresh one is put on the issuer's file, and needs one.
pub fn open_simulated<'a>(
    name: &CardName,
    seal: impl FnOnce(&mut Context) -> Result<SealKey, WorldError>,
    issuer: impl Into<Option<&'a mut Issuer>>,
    context: &mut Context,
) -> Result<Simulator, WorldError> {
    if let CardName::File(path) = name {
        let (file, memory) = CardFile::open(path, seal(context)?)?;
        return Ok(Simulator::new(memory, file));
    }
    if let CardName::Wallet(folder, card) = name {
        return Ok(open_wallet(folder, seal(context)?, context)?.simulator(card.as_deref())?);
    }
    let issuer = issuer.into().ok_or(WorldError::NoIssuer)?;
    let profile = load_profile(name)?;
    let new = NewCard::with_accounts(issuer, profile, FRESH_ACCOUNT_MINOR, FRESH_BALANCE_MINOR, context)?;
    Ok(Simulator::in_memory(issue_card(issuer, &new, context)?))
}

/// Opens the terminal's security module at an address: a simulated one, which no issuer knows, or
/// one in a reader.
pub fn open_sam(
    address: &ReaderAddress,
    allowed: Effect,
    seal: impl FnOnce(&mut Context) -> Result<SealKey, WorldError>,
    config: &TerminalConfig,
    context: &mut Context,
) -> Result<Box<dyn Card>, WorldError> {
    let name = match address {
        ReaderAddress::Simulated(name) => name,
        _ => {
            let permit = Permit { wants: Effect::Changes, allowed };
            let contact = Interface::Contact;
            let opened = open_card(
                address,
                None,
                contact,
                permit,
                ReaderOptions::default(),
                seal,
                None,
                config,
                context,
            )?;
            return Ok(opened.card);
        }
    };
    let module = match name {
        CardName::Profile(_) | CardName::ProfileFile(_) => {
            let card = NewCard::without_accounts(load_profile(name)?);
            let order = order_for(&card, context)?;
            let mut memory = new_card_memory(&card.profile, &order)?;
            memory.start_modules_at(u32::from_be_bytes(context.random()) >> 1);
            Simulator::in_memory(memory)
        }
        CardName::File(_) | CardName::Wallet(..) => open_simulated(name, seal, None, context)?,
    };
    Ok(Box::new(Record(T0(InProcess::connect(module, Interface::Contact, context)))))
}

/// A card in our own test range needs no leave; any other is refused here, before
/// the first command above what was allowed.
fn admit<C: Card>(
    guarded: &mut Guard<C>,
    permit: Permit,
    config: &TerminalConfig,
    context: &mut Context,
) -> Result<(), WorldError> {
    let facts = read(guarded, config, Depth::Quick, context)?;
    let pans = facts.applications.iter().filter_map(|a| a.pan.known());
    let purses = facts.purses.iter().map(|purse| purse.number.known()?.account().ok());
    let pans: Vec<_> = pans.cloned().map(Some).chain(purses).collect();
    if !pans.is_empty() && pans.iter().flatten().filter(|pan| pan.is_test()).count() == pans.len() {
        guarded.allow(Effect::Destroys);
        return Ok(());
    }
    let command = "this command".to_owned();
    Err(LinkError::NotAllowed { command, effect: permit.wants }.into())
}

/// The driver of a kind of readers.
pub(super) fn reader_driver(scheme: &str) -> Result<&'static ReaderDriver, WorldError> {
    let driver = READERS.iter().find(|driver| driver.scheme == scheme);
    driver.ok_or_else(|| WorldError::NoDriver { scheme: scheme.into() })
}

fn wait_for_card(reader: &mut dyn Reader, wait: Option<Duration>) -> Result<(), WorldError> {
    let there = match wait {
        Some(timeout) => reader.wait_for_card(timeout)?,
        None => reader.has_card()?,
    };
    if there { Ok(()) } else { Err(LinkError::NoCard { reader: reader.name().into() }.into()) }
}

/// The profile that an address names.
pub fn load_profile(name: &CardName) -> Result<Profile, WorldError> {
    read_profile(name, &profile_text(name)?, &[])
}

/// The text of the profile that an address names.
pub(super) fn profile_text(name: &CardName) -> Result<String, WorldError> {
    match name {
        CardName::Profile(name) => Ok(Profile::text_of(name)?.to_owned()),
        CardName::ProfileFile(path) | CardName::File(path) | CardName::Wallet(path, _) => read_text(path)
            .map_err(|cause| WorldError::File {
                doing: "read",
                path: path.display().to_string(),
                cause: cause.to_string(),
            }),
    }
}

/// A profile of its text, its first application changed. `name` is for who reads an error.
pub(super) fn read_profile(
    name: &CardName,
    text: &str,
    changes: &[TomlChange],
) -> Result<Profile, WorldError> {
    if changes.is_empty() {
        return Ok(Profile::parse(text)?);
    }
    let failed = |cause| WorldError::Change { file: name.to_string(), cause };
    Ok(Profile::parse(&changed(text, changes).map_err(failed)?)?)
}

/// A profile's text with its first application changed.
fn changed(text: &str, changes: &[TomlChange]) -> Result<String, String> {
    let mut file: toml::Table = toml::from_str(text).map_err(|cause| cause.message().to_owned())?;
    let applications = file.get_mut("application").and_then(toml::Value::as_array_mut);
    let first = applications.and_then(|list| list.first_mut()?.as_table_mut()).ok_or("no application")?;
    changes.iter().try_for_each(|change| change.apply(first))?;
    Ok(file.to_string())
}
