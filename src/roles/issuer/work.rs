//! One message's work within one transaction of the store. Events wait here
//! until the transaction is kept, since the store may run the work again.

use super::cards::HeldCard;
use super::{IssuerError, KeyTable, Rules};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::base::store::{SealKey, Tx};
use crate::words::iso4217::Amount;
use crate::words::pboc::VerifiedCryptogram;

/// The open transaction and all that the work may use.
pub(super) struct Work<'a> {
    pub(super) tx: &'a mut dyn Tx,
    pub(super) context: &'a mut Context,
    pub(super) seal: &'a SealKey,
    pub(super) keys: &'a KeyTable,
    pub(super) rules: &'a Rules,
    /// The proof that a token service gives instead of the card's own cryptogram.
    pub(super) token: Option<VerifiedCryptogram>,
    pub(super) events: Vec<Event>,
    /// The card that the message is about, once it is held.
    pub(super) held: Option<HeldCard>,
}

impl Work<'_> {
    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        self.context.now()
    }

    /// A new id that sorts by time: microseconds, then randomness.
    pub(super) fn new_id(&mut self) -> String {
        let micros = self.now().micros();
        format!("{micros:016x}{}", Hex(&self.context.random::<6>()))
    }

    /// Keeps an event for when the transaction is kept.
    pub(super) fn say(&mut self, name: &'static str, reason: impl Into<String>) {
        self.events.push(Event::new("issuer", name).because(reason.into()));
    }

    /// Keeps an event about an amount.
    pub(super) fn say_amount(&mut self, name: &'static str, amount: Amount, reason: impl Into<String>) {
        let event = Event::new("issuer", name).because(reason.into()).with_named("amount", amount.to_bcd());
        self.events.push(event);
    }
}

/// A number for a column. What is stored has twelve digits at most.
pub(super) fn column(minor: u64) -> Result<i64, IssuerError> {
    if minor > Amount::MAX_MINOR {
        return Err(IssuerError::AmountTooLarge { found: minor });
    }
    Ok(minor as i64)
}

/// A number out of a column that is never negative.
pub(super) fn minor(table: &'static str, value: i64) -> Result<u64, IssuerError> {
    u64::try_from(value).map_err(|_| IssuerError::Corrupt {
        table,
        expected: "no negative amount",
        found: value.to_string(),
    })
}
