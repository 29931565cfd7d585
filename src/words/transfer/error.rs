//! Why bytes are no part of a transfer, or are not to be believed.

use crate::base::bytes::Truncated;
use crate::base::crypto::CryptoError;
use crate::words::ndef::NdefError;

/// Why bytes are no part of a transfer, or are not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferFormatError {
    /// They end too early.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// They are no NDEF message.
    #[error(transparent)]
    Ndef(#[from] NdefError),
    /// A value that cannot be.
    #[error("expected {expected} at offset {offset}, found {found}; the other phone speaks another version")]
    Malformed {
        /// What may stand there.
        expected: &'static str,
        /// What does.
        found: String,
        /// Where, from the start of what was read.
        offset: usize,
    },
    /// A signature is wrong, or the key under it is none.
    #[error("expected the signature of its key under the {what}, found another: it is not to be believed")]
    Signature {
        /// What was signed.
        what: &'static str,
    },
    /// What is to be signed cannot be written or signed.
    #[error("the {what} cannot be signed: {cause}")]
    Unsigned {
        /// What was to be signed.
        what: &'static str,
        /// Why not.
        cause: CryptoError,
    },
    /// A text that is too long for its place.
    #[error("expected a {what} of 1 to {most} bytes, found {found}")]
    Text {
        /// Which.
        what: &'static str,
        /// The most it may have.
        most: usize,
        /// How many there are.
        found: usize,
    },
}
