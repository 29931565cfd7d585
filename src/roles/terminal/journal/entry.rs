//! A row of the journal as it stands.

use super::State;
use super::change::Opening;
use super::kind::EntryKind;
use crate::air::host::{Entry as EntryMode, Original, Side};
use crate::base::env::Timestamp;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};
use crate::words::tlv::TlvStore;
use serde::{Deserialize, Serialize};

/// Which card a row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardMark {
    /// Its PAN.
    pub pan: Pan,
    /// Its PAN sequence number.
    pub psn: u8,
}

/// A row as it stands.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Trace number; the row's name within its batch.
    pub trace: u32,
    /// Batch number.
    pub batch: u32,
    /// What kind of transaction it is.
    pub kind: EntryKind,
    /// How far it has come.
    pub state: State,
    /// Whether the card was told to change: then only proof closes the row.
    pub sent: bool,
    /// The amount.
    pub amount: Amount,
    /// The card.
    pub card: CardMark,
    /// How the card was read.
    pub mode: EntryMode,
    /// The transaction counter, once known.
    pub atc: Option<u16>,
    /// Balance before, minor units.
    pub balance_before_minor: Option<u64>,
    /// Balance once the card has changed, minor units.
    pub balance_after_minor: Option<u64>,
    /// Which of the card's balances.
    pub second_currency: bool,
    /// The chip's data for messages.
    pub chip: TlvStore,
    /// When the row was opened.
    pub at: Timestamp,
    /// Why it was declined or is to be undone.
    pub reason: String,
    /// The payment that a refund is of.
    pub original: Option<Original>,
}

impl From<Opening> for Entry {
    fn from(opening: Opening) -> Self {
        Self {
            trace: opening.trace,
            batch: opening.batch,
            kind: opening.kind,
            state: State::Started,
            sent: false,
            amount: opening.amount,
            card: opening.card,
            mode: opening.mode,
            atc: opening.atc,
            balance_before_minor: opening.balance_before_minor,
            balance_after_minor: None,
            second_currency: opening.second_currency,
            chip: opening.chip,
            at: opening.at,
            reason: String::new(),
            original: opening.original,
        }
    }
}

impl Entry {
    /// How its batch counts the row: on its side once the host has approved it, an
    /// offline sale once the card has given its certificate; not where it was undone or
    /// is to be. What is in doubt counts as the host has booked it.
    pub fn side(&self) -> Option<Side> {
        let counts = match self.state {
            State::Confirmed => true,
            State::CardUpdated => {
                !self.kind.is_offline_sale()
                    || self.chip.has(tag::APPLICATION_CRYPTOGRAM)
                    || self.chip.has(tag::PURSE_TAC)
            }
            State::Authorised | State::InDoubt => !self.kind.is_offline_sale(),
            State::Started | State::ReversalDue | State::AdviceDue | State::Reversed | State::Declined => {
                false
            }
        };
        self.kind.request_kind().side().filter(|_| counts)
    }
}

/// What a row keeps sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct SealedPart {
    pub(super) pan: String,
    pub(super) psn: u8,
    pub(super) chip: TlvStore,
    #[serde(default)]
    pub(super) original: Option<Original>,
}

/// Columns of a row that are not sealed, as the table holds them.
pub(super) fn mode_word(mode: EntryMode) -> &'static str {
    match mode {
        EntryMode::Contact => "contact",
        EntryMode::ContactlessQuick => "contactless quick",
        EntryMode::ContactlessFull => "contactless full",
    }
}

pub(super) fn mode_from_word(word: &str) -> Option<EntryMode> {
    [EntryMode::Contact, EntryMode::ContactlessQuick, EntryMode::ContactlessFull]
        .into_iter()
        .find(|mode| mode_word(*mode) == word)
}

pub(super) fn amount(minor: i64, currency: i64) -> Amount {
    Amount::new(minor.unsigned_abs(), Currency(u16::try_from(currency).unwrap_or_default()))
}
