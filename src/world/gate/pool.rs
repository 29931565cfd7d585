//! A pool of issued cards: signing them costs once, and each comes to the gate many times.

use super::mute_card::{Noise, Replayed};
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
use crate::world::card::{profile_text, read_profile};
use crate::world::issue::{NewCard, copied_memory, issue_order, order_for};
use crate::world::toml_change::TomlChange;
use crate::world::{CardName, WorldError};

/// How a card of a kind is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Make {
    /// As its profile has it, with a full account.
    Good(&'static str),
    /// Without the announcement that it signs requests on the quick path.
    Legacy,
    /// Good, with an account for few rides.
    Poor,
    /// Good, and on the deny list.
    Denied,
    /// Expired.
    Expired,
    /// What can be read of a good card, with another card's keys.
    Copied,
    /// A recording of a good card's first tap.
    Replayed,
    /// Good, and pulled away.
    Torn,
    /// No card at all.
    Unreadable,
    /// A good card that has just passed.
    Again,
}

/// The profile of cards that are good in themselves.
const PROFILE: &str = "unionpay-transit";
/// What stands on accounts: a ride costs a part of it that nobody reaches.
const FULL_MINOR: u64 = 10_000_000_000;
/// Rides that a poor account pays.
pub(super) const POOR_RIDES: u64 = 3;
const EXPIRED: [u8; 3] = [0x24, 0x12, 0x31];

/// A card of the pool.
pub(super) struct PoolCard {
    pub(super) card: Box<dyn Card>,
    /// The hand that pulls it.
    pub(super) hand: FaultControl,
    /// How often the gate opened for it.
    pub(super) rides: u64,
    /// Whether its issuer has declined a ride.
    pub(super) declined: bool,
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
    if row.make == Make::Unreadable {
        let forms: [&[u8]; 3] = [&[0x6A, 0x82], &[0x00], &[0x6F, 0x05, 0x84, 0x00, 0x90, 0x00]];
        let noise = Noise(forms[number % forms.len()]);
        let card = Box::new(InProcess::connect(noise, Interface::Contactless, context));
        return Ok(PoolCard { card, hand, rides: 0, declined: false });
    }
    let profile = profile_of(row.make)?;
    let account_minor = match row.make {
        Make::Poor => gate.line().fare_minor * POOR_RIDES,
        _ => FULL_MINOR,
    };
    let new = NewCard::with_accounts(issuer, profile, account_minor, 0, context)?;
    let mut order = order_for(&new, context)?;
    if row.make == Make::Expired {
        order.expiry = EXPIRED;
    }
    let memory = issue_order(&*Authority::test()?, issuer, &new, &order, context)?;
    if row.make == Make::Denied {
        gate.deny_list.add(order.pan.expose());
    }
    let memory = match row.make {
        Make::Copied => copied(&new, &order, context)?,
        _ => memory,
    };
    let card = InProcess::connect(Simulator::in_memory(memory), Interface::Contactless, context);
    let card: Box<dyn Card> = match row.make {
        Make::Torn => Box::new(Fault::new(card, hand.clone())),
        Make::Replayed => Box::new(recorded(card, context)?),
        _ => Box::new(card),
    };
    Ok(PoolCard { card, hand, rides: 0, declined: false })
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
    let mut gate = Gate::new(line, config, DenyList::empty(seal), book, Box::new(SystemClock))?;
    let mut card = Replayed::new(card);
    gate.tap(&mut card, context)?;
    card.play();
    Ok(card)
}

fn profile_of(make: Make) -> Result<Profile, WorldError> {
    let name = CardName::Profile(match make {
        Make::Good(name) => name.to_owned(),
        _ => PROFILE.to_owned(),
    });
    let change = match make {
        Make::Legacy => Some(TomlChange::parse("data.DF61", None)),
        _ => None,
    };
    let failed = |cause| WorldError::Change { file: name.to_string(), cause };
    let changes: Vec<_> = change.into_iter().collect::<Result<_, _>>().map_err(failed)?;
    read_profile(&name, &profile_text(&name)?, &changes)
}
