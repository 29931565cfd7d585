//! How a transfer stands in one phone.

use crate::base::bytes::Secret;
use crate::base::env::Timestamp;
use crate::words::iso4217::Amount;
use crate::words::transfer::{PhoneId, TransferId};
use std::fmt;

/// Which side of it a phone is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// It pays.
    Pays,
    /// It is paid.
    Receives,
}

impl Way {
    /// Its word in columns and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pays => "pays",
            Self::Receives => "receives",
        }
    }

    /// The side of a column.
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Pays, Self::Receives].into_iter().find(|way| way.word() == word)
    }
}

/// How a transfer stands. Each is written before the step that it names is told to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransferState {
    /// The payee offers it; the payer may agree.
    Offered,
    /// The payee holds the payer's agreement.
    Kept,
    /// The payer has agreed, and does not know whether the payee holds it: in doubt.
    Agreed,
    /// The payer knows that the payee holds it.
    Acknowledged,
    /// The host says that the money has moved.
    Booked,
    /// The host says that it has not, and will not.
    Refused,
}

impl TransferState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Offered, Self::Kept, Self::Agreed, Self::Acknowledged, Self::Booked, Self::Refused];

    /// Its word in columns and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Kept => "kept",
            Self::Agreed => "agreed",
            Self::Acknowledged => "acknowledged",
            Self::Booked => "booked",
            Self::Refused => "refused",
        }
    }

    /// Whether the host has said what became of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Booked | Self::Refused)
    }

    /// Whether the holder is shown a success: the money has moved, or will without them.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Kept | Self::Acknowledged | Self::Booked)
    }

    /// The state of a column.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether it may become another one.
    pub(super) const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Offered, Self::Kept) | (Self::Agreed, Self::Acknowledged) => true,
            (from, Self::Booked | Self::Refused) => !from.is_final(),
            _ => false,
        }
    }
}

impl fmt::Display for TransferState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A transfer as one phone keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Which.
    pub id: TransferId,
    /// Which side this phone is on.
    pub way: Way,
    /// How it stands.
    pub state: TransferState,
    /// The phone on the other side.
    pub other: PhoneId,
    /// Its holder, as the host certifies.
    pub other_name: Secret<String>,
    /// How much.
    pub amount: Amount,
    /// When the offer was made.
    pub made: Timestamp,
    /// Until when the offer may be agreed to.
    pub expires: Timestamp,
    /// Why it stands so, in the host's words, where it has said any.
    pub reason: String,
}
