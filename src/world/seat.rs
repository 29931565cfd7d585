//! The seat of a script: a card and the data of a terminal. Who sits there plays the
//! terminal by hand.

use super::card::{Opened, Permit, open_card, profile_text, read_profile};
use super::error::WorldError;
use super::issue::{DEFAULT_PIN, NewCard, new_card_memory, on_file, order_for, order_of};
use super::planted::{Fault, Planted};
use super::{CardName, ReaderAddress, TomlChange};
use crate::air::link::{Card, InProcess, Interface, ReaderOptions, Record, T0};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::SealKey;
use crate::roles::card::{CardMemory, Profile, Simulator};
use crate::roles::issuer::Issuer;
use crate::roles::terminal::{Purpose, TerminalConfig, terminal_data};
use crate::words::dictionary::tag;
use crate::words::emv::Ttq;
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What a fresh card begins with: 100.00.
const BALANCE_MINOR: u64 = 10_000;
/// What is in each of the accounts behind it, where an issuer keeps some: 500.00.
const ACCOUNT_MINOR: u64 = 50_000;
/// The seed of fresh cards: all of one profile have one PAN, whatever is played on them.
const CARD_SEED: u64 = 1;

/// A card, and the terminal's data before it.
pub struct Seat {
    /// The card.
    pub card: Box<dyn Card>,
    /// The terminal's data elements.
    pub data: TlvStore,
    /// The list by which a card without a DDOL (9F49) signs.
    pub default_ddol: Vec<u8>,
}

/// A fresh card that is wanted: a profile, and what is changed in it before it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct FreshCard {
    /// The profile.
    pub name: CardName,
    /// Changes to its first application.
    pub changes: Vec<TomlChange>,
}

/// Fresh cards: each is personalised once, and every seat gets a copy.
#[derive(Default)]
pub struct FreshCards {
    cards: Mutex<Vec<(FreshCard, Arc<CardMemory>)>>,
    /// Profiles that stand in no file of this machine: the path on another one, and the text.
    profiles: Vec<(String, String)>,
}

impl FreshCards {
    /// Fresh cards; a profile's file that is among `profiles` is taken from there.
    pub fn with_profiles(profiles: Vec<(String, String)>) -> Self {
        Self { profiles, ..Self::default() }
    }

    /// A fresh card; it stands on no issuer's file.
    pub fn card(&self, wanted: &FreshCard) -> Result<Simulator, WorldError> {
        Ok(Simulator::in_memory((*self.memory(wanted)?).clone()))
    }

    /// A fresh card with 500.00 in the accounts behind it, on an issuer's file.
    pub fn issued(
        &self,
        wanted: &FreshCard,
        issuer: &mut Issuer,
        context: &mut Context,
    ) -> Result<Simulator, WorldError> {
        let memory = self.memory(wanted)?;
        let profile = memory.profile().clone();
        let new = NewCard::with_accounts(issuer, profile, ACCOUNT_MINOR, BALANCE_MINOR, context)?;
        let no_pan = || WorldError::Profile { profile: new.profile.name.clone(), what: "PAN" };
        let order = order_of(&new, memory.pan().ok_or_else(no_pan)?);
        on_file(&new, &order, &memory).iter().try_for_each(|order| issuer.order_card(order, context))?;
        Ok(Simulator::in_memory((*memory).clone()))
    }

    fn memory(&self, wanted: &FreshCard) -> Result<Arc<CardMemory>, WorldError> {
        let known = |cards: &[(FreshCard, Arc<CardMemory>)]| {
            cards.iter().find(|row| row.0 == *wanted).map(|row| Arc::clone(&row.1))
        };
        // Personalising takes long: others are not kept waiting for it, and the first counts.
        let found = known(&self.cards.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(memory) = found {
            return Ok(memory);
        }
        let made = Arc::new(personalised(self.profile(wanted)?)?);
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known(&cards).unwrap_or_else(|| {
            cards.push((wanted.clone(), Arc::clone(&made)));
            made
        }))
    }

    fn profile(&self, FreshCard { name, changes }: &FreshCard) -> Result<Profile, WorldError> {
        let sent = match name {
            CardName::ProfileFile(path) => self.profiles.iter().find(|row| Path::new(&row.0) == path),
            _ => None,
        };
        let text = sent.map_or_else(|| profile_text(name), |(_, text)| Ok(text.clone()))?;
        read_profile(name, &text, changes)
    }
}

impl From<CardName> for FreshCard {
    fn from(name: CardName) -> Self {
        Self { name, changes: Vec::new() }
    }
}

impl Seat {
    /// A seat before a fresh simulated card.
    pub fn before_fresh(
        cards: &FreshCards,
        wanted: &FreshCard,
        interface: Interface,
        config: &TerminalConfig,
        context: &mut Context,
    ) -> Result<Self, WorldError> {
        let card = InProcess::connect(cards.card(wanted)?, interface, context);
        Ok(Self::before(Box::new(Record(T0(card))), config, context))
    }

    /// A seat before the card at an address that is kept, or is in a reader.
    pub fn before_kept(
        address: &ReaderAddress,
        interface: Interface,
        permit: Permit,
        options: ReaderOptions,
        seal: impl FnOnce(&mut Context) -> Result<SealKey, WorldError>,
        config: &TerminalConfig,
        context: &mut Context,
    ) -> Result<Self, WorldError> {
        let Opened { card, .. } =
            open_card(address, Some(interface), interface, permit, options, seal, None, config, context)?;
        Ok(Self::before(card, config, context))
    }

    /// The same seat, its card with a planted fault.
    #[must_use]
    pub fn planted(self, fault: &'static Fault) -> Self {
        Self { card: Box::new(Planted::new(self.card, fault)), ..self }
    }

    /// A seat before a card that is open.
    pub fn before(card: Box<dyn Card>, config: &TerminalConfig, context: &mut Context) -> Self {
        let data = terminal_elements(config, card.activation().interface, context);
        Self { card, data, default_ddol: config.default_ddol.0.clone() }
    }
}

/// The data elements of a terminal before a card, for no amount yet.
pub(super) fn terminal_elements(
    config: &TerminalConfig,
    interface: Interface,
    context: &mut Context,
) -> TlvStore {
    let purpose = Purpose {
        amount: Amount::new(0, config.currency),
        other_minor: 0,
        transaction_type: 0,
        takes_ecash: true,
        is_contact: interface == Interface::Contact,
        at: context.now(),
        trace: 1,
    };
    let mut data = terminal_data(config, &purpose, context);
    data.put(tag::TVR, [0; 5]);
    let qualifiers = match interface {
        Interface::Contact => Some(Ttq::default().with(Ttq::CONTACT).0),
        Interface::Contactless => config.combinations.iter().find_map(|row| row.ttq).map(|ttq| ttq.0),
    };
    data.put(tag::TTQ, qualifiers.unwrap_or_default());
    data
}

fn personalised(profile: Profile) -> Result<CardMemory, WorldError> {
    let pin = Secret::new(DEFAULT_PIN.into());
    let card = NewCard { profile, pin, balance_minor: BALANCE_MINOR, accounts: Vec::new() };
    let order = order_for(&card, &mut Context::simulated(CARD_SEED, Discard))?;
    new_card_memory(&card.profile, &order)
}
