//! Why the issuer could not do its work. A decline is no error: it is an answer.

use crate::air::host::HostError;
use crate::base::store::{SealedError, StoreError};
use crate::words::emv::cryptogram::CryptogramError;
use crate::words::iso4217::Currency;
use crate::words::transfer::TransferFormatError;

/// Why the issuer could not do its work; nothing of it has been kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sealed column did not open.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// A cryptogram, ARPC or script MAC could not be made.
    #[error(transparent)]
    Cryptogram(#[from] CryptogramError),
    /// A row holds what the program never writes.
    #[error("expected {expected} in the issuer's {table}, found {found}; run the issuer's check")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there, without card data.
        found: String,
    },
    /// No such account.
    #[error("expected an account that is open, found none with id {id}; open it first")]
    NoSuchAccount {
        /// The id asked for.
        id: String,
    },
    /// The account's id is taken.
    #[error("expected a free account id, found that {id} is open already")]
    AccountExists {
        /// The id.
        id: String,
    },
    /// No such card.
    #[error("expected a card on file, found none with this PAN and sequence number {psn:02X}")]
    NoSuchCard {
        /// The sequence number asked for.
        psn: u8,
    },
    /// The card is on file already.
    #[error("expected a new card, found one with this PAN and sequence number {psn:02X} on file")]
    CardExists {
        /// Its sequence number.
        psn: u8,
    },
    /// An order that contradicts itself or the account.
    #[error("card order: expected {expected}, found {found}")]
    Order {
        /// What it should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// Account and card speak of different money.
    #[error("expected an account in {expected}, found account {id} in {found}")]
    AccountCurrency {
        /// The account.
        id: String,
        /// The card's currency.
        expected: Currency,
        /// The account's.
        found: Currency,
    },
    /// A phone's certificate or a receipt could not be made.
    #[error(transparent)]
    Transfer(#[from] TransferFormatError),
    /// A key under which another phone is known.
    #[error("expected a phone with a new key, found one that is open already: make a key for each phone")]
    PhoneExists,
    /// A limit of an account does not allow it.
    #[error("refused: {reason}")]
    Refused {
        /// The limit.
        reason: String,
    },
    /// Another message has the key. Never told: whoever gets it looks that message up.
    #[error("expected a message key that is free, found it taken; look at what took it")]
    KeyTaken,
    /// More minor units than twelve digits.
    #[error("expected at most twelve digits of minor units, found {found}")]
    AmountTooLarge {
        /// The amount.
        found: u64,
    },
}

impl From<IssuerError> for HostError {
    fn from(error: IssuerError) -> Self {
        Self::Failed { cause: error.to_string() }
    }
}
