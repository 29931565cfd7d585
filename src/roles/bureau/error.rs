//! Why the bureau cannot make a certificate.

use crate::base::crypto::CryptoError;
use crate::words::emv::certificate::{CertificateError, KeyTextError};

/// What is wrong with an authority or with what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BureauError {
    /// The text is no authority: TOML, an unknown key, a missing one.
    #[error("certification authority: {cause}")]
    Toml {
        /// What the reader of TOML says.
        cause: String,
    },
    /// A value of it is of another form.
    #[error("certification authority: expected {expected} in {field}")]
    Value {
        /// The field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A key of it cannot be read.
    #[error("certification authority: {field}: {cause}")]
    Key {
        /// The field.
        field: &'static str,
        /// What is wrong.
        cause: KeyTextError,
    },
    /// A length of a key that does not fit the others.
    #[error("expected {what} of {at_least} to {at_most} bits, an even number of bytes, found {found}")]
    Bits {
        /// Which key.
        what: &'static str,
        /// Fewest bits.
        at_least: u32,
        /// Most bits.
        at_most: u32,
        /// What was asked for.
        found: u32,
    },
    /// A key could not be made.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A card of a provider that the authority does not serve.
    #[error("expected an application of a provider that the certification authority serves, found {}", crate::base::bytes::Hex(.found))]
    Provider {
        /// Registered application provider of the card's application.
        found: [u8; 5],
    },
}
