//! Why a phone cannot go on. What the other phone may say wrong is no error: it is refused.

use super::state::TransferState;
use crate::base::crypto::CryptoError;
use crate::base::store::{SealedError, StoreError};
use crate::roles::p2p::llcp::LlcpError;
use crate::roles::p2p::snep::SnepError;
use crate::words::transfer::TransferFormatError;

/// Why a phone cannot go on. What it has promised is in its book: touch again, or settle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// Its store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it keeps sealed does not open.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// Its own key failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// What it keeps or was given cannot be read or believed.
    #[error(transparent)]
    Format(#[from] TransferFormatError),
    /// The link failed.
    #[error(transparent)]
    Link(#[from] LlcpError),
    /// The other phone does not take a message.
    #[error("the other phone does not take a message: {0}")]
    Snep(#[from] SnepError),
    /// A touch that ended before anything was agreed to.
    #[error("nothing has moved: {cause}; touch again")]
    Broken {
        /// What broke it off.
        cause: String,
    },
    /// No host knows the phone yet.
    #[error(
        "expected a phone that a host has opened, found one without a certificate: `cardwright p2p open`"
    )]
    NotOpened,
    /// A certificate of another key.
    #[error("expected a certificate of this phone's key, found one of phone {found}")]
    OtherPhone {
        /// Whose it is.
        found: String,
    },
    /// A transfer that cannot become what it was to become.
    #[error("transfer {id} is {from} and cannot become {to}")]
    Transition {
        /// Which.
        id: String,
        /// How it stands.
        from: TransferState,
        /// What it was to become.
        to: TransferState,
    },
    /// A row holds what the program never writes.
    #[error("expected {expected} in the phone's book, found {found}")]
    Corrupt {
        /// What should stand there.
        expected: &'static str,
        /// What does.
        found: String,
    },
}
