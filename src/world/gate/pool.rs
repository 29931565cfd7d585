//! A pool of issued cards: signing them costs once, and each comes to the gate many times.

use super::mute_card::{Forger, Noise, Replayed};
use super::rider::{RIDERS, RiderRow};
use crate::air::link::{Card, Fault, FaultControl, InProcess, Interface};
use crate::base::context::Context;
use crate::base::env::SystemClock;
use crate::base::store::{SealKey, Sqlite};
use crate::devices::gate::{Book, DenyList, Gate, Line};
use crate::roles::bureau::Authority;
use crate::roles::card::{CardMemory, Order, Profile, Simulator};
use crate::roles::issuer::Issuer;
use crate::roles::terminal::TerminalConfig;
use crate::words::emv::Pan;
use crate::words::iso7816::Effect;
use crate::world::card::{profile_text, read_profile};
use crate::world::issue::{NewCard, copied_memory, issue_order, order_for};
use crate::world::toml_change::TomlChange;
use crate::world::{CardName, ReaderAddress, WorldError, open_sam};

/// What a rider holds to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// A bank card of a profile.
    Card(&'static str),
    /// The same without the announcement that it signs requests on the quick path.
    Legacy(&'static str),
    /// A purse of a profile.
    Purse(&'static str),
    /// No card at all.
    Noise,
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing.
    None,
    /// Too little money: on a purse, or on the account behind a card after few rides.
    Poor,
    /// It is on the deny list.
    Denied,
    /// It is expired.
    Expired,
    /// What can be read of a good one, with another one's keys.
    Copied,
    /// A recording of a good one's first tap.
    Replayed,
    /// It is pulled away.
    Torn,
    /// A copied purse that takes every debit and makes proofs up.
    Forged,
    /// It cannot be read.
    Unreadable,
    /// It has just passed.
    Again,
}

/// What stands on accounts: a ride costs a part of it that nobody reaches.
const FULL_MINOR: u64 = 10_000_000_000;
/// The same of purses: less, since a load limit and four bytes bound them.
const FULL_PURSE_MINOR: u64 = 100_000_000;
/// Rides that a poor account pays, each by itself.
const POOR_RIDES: u64 = 3;
const EXPIRED: [u8; 3] = [0x24, 0x12, 0x31];

/// A card of the pool.
pub(super) struct PoolCard {
    pub(super) card: Box<dyn Card>,
    /// The hand that pulls it.
    pub(super) hand: FaultControl,
    /// Its number, of a card that its issuer knows.
    pub(super) number: Option<Pan>,
    /// Whether its issuer has declined a ride.
    pub(super) declined: bool,
    /// Exchanges of a tap to its end, once there was one.
    pub(super) exchanges: Option<usize>,
    /// What its purse held at first, minor units, where its debits count.
    pub(super) purse_minor: Option<u64>,
}

impl PoolCard {
    fn new(card: Box<dyn Card>, hand: FaultControl, purse_minor: Option<u64>) -> Self {
        Self { card, hand, number: None, declined: false, exchanges: None, purse_minor }
    }
}

/// The cards of every kind.
pub(super) struct Pool {
    pub(super) kinds: Vec<Vec<PoolCard>>,
}

impl Pool {
    /// Issues the cards; denied ones are put on the gate's list.
    pub(super) fn issue(
        issuer: &mut Issuer,
        gate: &mut Gate,
        context: &mut Context,
    ) -> Result<Self, WorldError> {
        let mut kinds = Vec::with_capacity(RIDERS.len());
        for row in RIDERS {
            let mut cards = Vec::with_capacity(row.cards);
            for number in 0..row.cards {
                cards.push(one(row, number, issuer, gate, context)?);
            }
            kinds.push(cards);
        }
        Ok(Self { kinds })
    }
}

fn one(
    row: &RiderRow,
    number: usize,
    issuer: &mut Issuer,
    gate: &mut Gate,
    context: &mut Context,
) -> Result<PoolCard, WorldError> {
    let hand = FaultControl::default();
    let profile = match profile_of(row.hold)? {
        Some(profile) => profile,
        None => {
            let forms: [&[u8]; 3] = [&[0x6A, 0x82], &[0x00], &[0x6F, 0x05, 0x84, 0x00, 0x90, 0x00]];
            let noise = Noise(forms[number % forms.len()]);
            let card = Box::new(InProcess::connect(noise, Interface::Contactless, context));
            return Ok(PoolCard::new(card, hand, None));
        }
    };
    let fare_minor = gate.line().fare_minor;
    let poor_minor = match gate.line().aggregation {
        // The first rides leave less than is to be held for the next ones.
        Some(_) => gate.line().signed().minor,
        None => fare_minor * POOR_RIDES,
    };
    let (account_minor, purse_minor) = match (row.hold, row.flaw) {
        (Hold::Purse(_), Flaw::Poor) => (0, fare_minor - 1),
        (Hold::Purse(_), _) => (0, FULL_PURSE_MINOR),
        (_, Flaw::Poor) => (poor_minor, 0),
        _ => (FULL_MINOR, 0),
    };
    let new = NewCard::with_accounts(issuer, profile, account_minor, purse_minor, context)?;
    let mut order = order_for(&new, context)?;
    if row.flaw == Flaw::Expired {
        order.expiry = EXPIRED;
    }
    let memory = issue_order(&*Authority::test()?, issuer, &new, &order, context)?;
    if row.flaw == Flaw::Denied {
        // A purse has a number of its own.
        let purses = memory.purses(&order.pan).into_iter().map(|purse| purse.number);
        purses.chain([order.pan.clone()]).for_each(|number| gate.deny_list.add(number.expose()));
    }
    let is_copy = matches!(row.flaw, Flaw::Copied | Flaw::Forged);
    let memory = if is_copy { copied(&new, &order, context)? } else { memory };
    let card = InProcess::connect(Simulator::in_memory(memory), Interface::Contactless, context);
    let card: Box<dyn Card> = match row.flaw {
        Flaw::Torn => Box::new(Fault::new(card, hand.clone())),
        Flaw::Replayed => Box::new(recorded(card, context)?),
        // Half of them leave at the debit, and come back with a proof.
        Flaw::Forged => Box::new(Forger::new(card, number % 2 == 1)),
        _ => Box::new(card),
    };
    let counts = matches!(row.hold, Hold::Purse(_)) && !is_copy;
    let number = Some(order.pan);
    Ok(PoolCard { number, ..PoolCard::new(card, hand, counts.then_some(purse_minor)) })
}

/// A copy of the card of an order.
fn copied(new: &NewCard, order: &Order, context: &mut Context) -> Result<CardMemory, WorldError> {
    loop {
        let thief = order_for(new, context)?;
        if let Some(memory) = copied_memory(&new.profile, order, &thief)? {
            return Ok(memory);
        }
    }
}

/// A card that was recorded at another gate.
fn recorded<C: Card>(card: C, context: &mut Context) -> Result<Replayed<C>, WorldError> {
    let seal = SealKey::random(context);
    let book = Book::open(Box::new(Sqlite::in_memory()?), seal.clone())?;
    let (line, config) = (Line::default(), TerminalConfig::default());
    let gate = Gate::new(line, config, DenyList::empty(seal), book, Box::new(SystemClock))?;
    let mut gate = gate.with_sam(security_module(context)?);
    let mut card = Replayed::new(card);
    gate.tap(&mut card, context)?;
    card.play();
    Ok(card)
}

fn profile_of(hold: Hold) -> Result<Option<Profile>, WorldError> {
    let (name, change) = match hold {
        Hold::Card(name) | Hold::Purse(name) => (name, None),
        Hold::Legacy(name) => (name, Some(TomlChange::parse("data.DF61", None))),
        Hold::Noise => return Ok(None),
    };
    let name = CardName::Profile(name.to_owned());
    let failed = |cause| WorldError::Change { file: name.to_string(), cause };
    let changes: Vec<_> = change.into_iter().collect::<Result<_, _>>().map_err(failed)?;
    Ok(Some(read_profile(&name, &profile_text(&name)?, &changes)?))
}

/// A gate's own security module.
pub(super) fn security_module(context: &mut Context) -> Result<Box<dyn Card>, WorldError> {
    let address = ReaderAddress::Simulated(CardName::Profile("psam".into()));
    let seal = |context: &mut Context| Ok(SealKey::random(context));
    open_sam(&address, Effect::Reads, seal, &TerminalConfig::default(), context)
}
