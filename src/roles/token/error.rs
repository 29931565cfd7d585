//! Why the vault could not do its work. A refusal by a rule is no error of the vault:
//! it is [`TokenError::Refused`], or an answer of the host.

use crate::air::host::{HostError, PreparationError, TokenError};
use crate::base::store::{SealedError, StoreError};
use crate::words::emv::cryptogram::CryptogramError;

/// Why the vault could not do its work; nothing of it has been kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sealed column did not open.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// A key could not be made.
    #[error(transparent)]
    Cryptogram(#[from] CryptogramError),
    /// What the asker may be told.
    #[error(transparent)]
    Told(#[from] TokenError),
    /// The issuer did not answer.
    #[error(transparent)]
    Issuer(#[from] HostError),
    /// The bureau did not prepare.
    #[error(transparent)]
    Bureau(#[from] PreparationError),
    /// A row holds what the program never writes.
    #[error("expected {expected} in the vault's {table}, found {found}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there, without card data.
        found: String,
    },
    /// The vault's keys were changed since it was opened.
    #[error(
        "expected the vault under the key that it was opened with, found it under another: its key was \
         changed; start this program again"
    )]
    KeyChanged,
    /// Every token number that was tried is taken.
    #[error(
        "expected a free number among {tries} tries in the token range {bin}, found none: the range is full"
    )]
    RangeFull {
        /// The range's first digits.
        bin: &'static str,
        /// How many were tried.
        tries: usize,
    },
}

impl From<VaultError> for TokenError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Told(told) => told,
            other => Self::Failed { cause: other.to_string() },
        }
    }
}

impl From<VaultError> for HostError {
    fn from(error: VaultError) -> Self {
        Self::Failed { cause: error.to_string() }
    }
}
