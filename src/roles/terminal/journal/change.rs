//! What may be written to a row of the journal.

use super::entry::CardMark;
use super::kind::EntryKind;
use super::{State, Torn};
use crate::air::host::{Entry as EntryMode, Original};
use crate::base::env::Timestamp;
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;

/// What a row says when it is opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What kind of transaction it is.
    pub kind: EntryKind,
    /// The amount.
    pub amount: Amount,
    /// The card.
    pub card: CardMark,
    /// How the card was read.
    pub mode: EntryMode,
    /// Batch and trace number.
    pub batch: u32,
    /// Trace number.
    pub trace: u32,
    /// When the transaction was made, by the terminal's clock.
    pub at: Timestamp,
    /// The balance read before, in minor units, where the card told it.
    pub balance_before_minor: Option<u64>,
    /// The transaction counter, where it is known already.
    pub atc: Option<u16>,
    /// The chip's data so far (F55).
    pub chip: TlvStore,
    /// Whether the second currency's balance moves (DF79).
    pub second_currency: bool,
    /// The payment that a refund is of.
    pub original: Option<Original>,
}

/// What may be written to a row. Each is durable before the step it names.
#[derive(Debug, Clone)]
pub enum Change {
    /// A row begins.
    Open(Box<Opening>),
    /// The host approved.
    Authorised {
        /// The transaction counter of the cryptogram.
        atc: u16,
        /// The card's balance once the script has landed, in minor units.
        balance_after_minor: Option<u64>,
        /// The chip's data of the request.
        chip: TlvStore,
    },
    /// A purchase is of another kind than it began as: the card asked for its issuer, or
    /// the issuer could not be asked. Nothing has moved.
    Turned(EntryKind),
    /// The card is about to be told to change.
    Sending,
    /// The card is about to be asked for a cryptogram that can be asked for again.
    Asking {
        /// What is needed for that.
        torn: Box<Torn>,
        /// The row that asked for it first, or this one: its record goes.
        replaced: (u32, u32),
        /// How many earlier records are kept.
        most: usize,
    },
    /// The card answered: its cryptogram is not asked for again.
    Answered,
    /// The card's answer never came.
    InDoubt,
    /// The card has changed; with the data that proves it to the host.
    CardUpdated {
        /// The transaction counter.
        atc: Option<u16>,
        /// The chip's data of the sale or the script result.
        chip: Option<TlvStore>,
    },
    /// Card and host agree.
    Confirmed,
    /// To be undone.
    ReversalDue {
        /// Why.
        reason: &'static str,
    },
    /// Undone.
    Reversed,
    /// Nothing moved, and the issuer is to be told of it.
    AdviceDue {
        /// Why it was declined.
        reason: &'static str,
        /// The chip's data of the advice.
        chip: TlvStore,
    },
    /// The issuer has been told that nothing moved.
    Advised,
    /// Nothing moved.
    Declined {
        /// Why.
        reason: &'static str,
    },
}

impl Change {
    /// The state that the change leads to; `None` where it leaves it.
    pub const fn state(&self) -> Option<State> {
        match self {
            Self::Open(_) => Some(State::Started),
            Self::Authorised { .. } => Some(State::Authorised),
            Self::Sending | Self::Turned(_) | Self::Asking { .. } | Self::Answered => None,
            Self::InDoubt => Some(State::InDoubt),
            Self::CardUpdated { .. } => Some(State::CardUpdated),
            Self::Confirmed => Some(State::Confirmed),
            Self::ReversalDue { .. } => Some(State::ReversalDue),
            Self::Reversed => Some(State::Reversed),
            Self::AdviceDue { .. } => Some(State::AdviceDue),
            Self::Declined { .. } | Self::Advised => Some(State::Declined),
        }
    }
}
