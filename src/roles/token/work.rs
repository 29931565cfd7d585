//! One piece of the vault's work within one transaction of the store. Events wait here
//! until the transaction is kept, since the store may run the work again.

use super::seals::Seals;
use super::states::Word;
use super::{TokenKeys, TokenRules, VaultError};
use crate::air::host::{Party, TokenError};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::base::store::Tx;

/// The open transaction and all that the work may use.
pub(super) struct Work<'a> {
    pub(super) tx: &'a mut dyn Tx,
    pub(super) context: &'a mut Context,
    pub(super) seals: &'a Seals,
    pub(super) keys: &'a TokenKeys,
    pub(super) rules: &'a TokenRules,
    pub(super) events: Vec<Event>,
}

impl Work<'_> {
    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        self.context.now()
    }

    /// A new id that sorts by time: microseconds, then randomness; 32 digits.
    pub(super) fn new_id(&mut self) -> String {
        let micros = self.now().micros();
        format!("{micros:016x}{}", Hex(&self.context.random::<8>()))
    }

    /// Keeps an event for when the transaction is kept.
    pub(super) fn say(&mut self, name: &'static str, reason: impl Into<String>) {
        self.events.push(Event::new("token", name).because(reason.into()));
    }
}

/// How a party stands in the history.
pub(super) fn by_whom(party: &Party) -> &str {
    match party {
        Party::Wallet(requestor) => requestor.digits(),
        Party::Issuer => "issuer",
    }
}

/// A state out of its column.
pub(super) fn state<S: Word>(table: &'static str, word: &str) -> Result<S, VaultError> {
    S::of_word(word).ok_or_else(|| VaultError::Corrupt {
        table,
        expected: "a state that is known",
        found: word.to_owned(),
    })
}

/// A refusal by a rule.
pub(super) fn refused(reason: impl Into<String>) -> VaultError {
    TokenError::Refused { reason: reason.into() }.into()
}

/// A name that the asker does not have.
pub(super) fn unknown(what: &'static str) -> VaultError {
    TokenError::Unknown { what }.into()
}
