//! The seat of a script: a card and the data of a terminal. Who sits there plays the
//! terminal by hand.

use super::card::{Opened, Permit, load_profile, open_card};
use super::error::WorldError;
use super::issue::{DEFAULT_PIN, NewCard, new_card_memory, order_for};
use super::{CardName, ReaderAddress};
use crate::air::link::{Card, InProcess, Interface, Record, T0};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::SealKey;
use crate::roles::card::{CardMemory, Profile, Simulator};
use crate::roles::terminal::{Purpose, TerminalConfig, terminal_data};
use crate::words::dictionary::tag;
use crate::words::emv::Ttq;
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a fresh card begins with: 100.00.
const BALANCE_MINOR: u64 = 10_000;
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

/// Fresh cards by name: each is personalised once, and every seat gets a copy.
#[derive(Default)]
pub struct FreshCards {
    cards: Mutex<Vec<(CardName, Arc<CardMemory>)>>,
    /// Profiles that stand in no file of this machine, by the path of that of another.
    profiles: Vec<(PathBuf, Profile)>,
}

impl FreshCards {
    /// Fresh cards; a profile's file that is among `profiles` is taken from there.
    pub fn with_profiles(profiles: Vec<(PathBuf, Profile)>) -> Self {
        Self { profiles, ..Self::default() }
    }

    /// A fresh card of a profile; it stands on no issuer's file.
    pub fn card(&self, name: &CardName) -> Result<Simulator, WorldError> {
        let known = |cards: &[(CardName, Arc<CardMemory>)]| {
            cards.iter().find(|row| row.0 == *name).map(|row| Arc::clone(&row.1))
        };
        // Personalising takes long: others are not kept waiting for it, and the first counts.
        let found = known(&self.cards.lock().unwrap_or_else(PoisonError::into_inner));
        let memory = match found {
            Some(memory) => memory,
            None => {
                let made = Arc::new(personalised(self.profile(name)?)?);
                let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
                known(&cards).unwrap_or_else(|| {
                    cards.push((name.clone(), Arc::clone(&made)));
                    made
                })
            }
        };
        Ok(Simulator::in_memory((*memory).clone()))
    }

    fn profile(&self, name: &CardName) -> Result<Profile, WorldError> {
        let known = |path: &PathBuf| self.profiles.iter().find(|row| row.0 == *path);
        match name {
            CardName::ProfileFile(path) => {
                known(path).map_or_else(|| load_profile(name), |row| Ok(row.1.clone()))
            }
            _ => load_profile(name),
        }
    }
}

impl Seat {
    /// A seat before a fresh simulated card.
    pub fn before_fresh(
        cards: &FreshCards,
        name: &CardName,
        interface: Interface,
        config: &TerminalConfig,
        context: &mut Context,
    ) -> Result<Self, WorldError> {
        let card = InProcess::connect(cards.card(name)?, interface, context);
        Ok(Self::before(Box::new(Record(T0(card))), config, context))
    }

    /// A seat before the card at an address that is kept, or is in a reader.
    pub fn before_kept(
        address: &ReaderAddress,
        interface: Interface,
        permit: Permit,
        wait: Option<Duration>,
        seal: impl FnOnce(&mut Context) -> Result<SealKey, WorldError>,
        config: &TerminalConfig,
        context: &mut Context,
    ) -> Result<Self, WorldError> {
        let Opened { card, .. } =
            open_card(address, Some(interface), interface, permit, wait, seal, None, config, context)?;
        Ok(Self::before(card, config, context))
    }

    fn before(card: Box<dyn Card>, config: &TerminalConfig, context: &mut Context) -> Self {
        let purpose = Purpose {
            amount: Amount::new(0, config.currency),
            other_minor: 0,
            transaction_type: 0,
            takes_ecash: true,
            is_contact: card.activation().interface == Interface::Contact,
            at: context.now(),
            trace: 1,
        };
        let mut data = terminal_data(config, &purpose, context);
        data.put(tag::TVR, [0; 5]);
        let qualifiers = match card.activation().interface {
            Interface::Contact => Some(Ttq::default().with(Ttq::CONTACT).0),
            Interface::Contactless => config.combinations.iter().find_map(|row| row.ttq).map(|ttq| ttq.0),
        };
        data.put(tag::TTQ, qualifiers.unwrap_or_default());
        Self { card, data, default_ddol: config.default_ddol.0.clone() }
    }
}

fn personalised(profile: Profile) -> Result<CardMemory, WorldError> {
    let pin = Secret::new(DEFAULT_PIN.into());
    let card = NewCard { profile, pin, balance_minor: BALANCE_MINOR, accounts: Vec::new() };
    let order = order_for(&card, &mut Context::simulated(CARD_SEED, Discard))?;
    new_card_memory(&card.profile, &order)
}
