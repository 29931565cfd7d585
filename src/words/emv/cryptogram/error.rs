//! Why a cryptogram, a MAC or a PIN block could not be made.

use crate::base::crypto::CryptoError;
use crate::words::tlv::Tag;

/// What a cryptogram version needed and what it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptogramError {
    /// A data element of the cryptogram's input is absent.
    #[error(
        "{version}: expected element {tag} for the cryptogram, found none; supply it or choose a version without it"
    )]
    MissingElement {
        /// The cryptogram version's name.
        version: &'static str,
        /// The element's tag.
        tag: Tag,
    },
    /// A data element of the cryptogram's input has another length.
    #[error("{version}: expected {expected_bytes} bytes of element {tag}, found {found_bytes}")]
    ElementLength {
        /// The cryptogram version's name.
        version: &'static str,
        /// The element's tag.
        tag: Tag,
        /// Bytes expected.
        expected_bytes: usize,
        /// Bytes found.
        found_bytes: usize,
    },
    /// Issuer application data too short to hold the CVR (bytes 4 to 7).
    #[error(
        "{version}: expected the CVR in bytes 4 to 7 of issuer application data (9F10), found {found_bytes} bytes"
    )]
    NoCvr {
        /// The cryptogram version's name.
        version: &'static str,
        /// Bytes found.
        found_bytes: usize,
    },
    /// A script MAC of a length outside 4 to 8 bytes (EMV Book 2 clause 9.2.1).
    #[error("expected a script MAC of 4 to 8 bytes, found {found_bytes}")]
    ScriptMacLength {
        /// Bytes asked for.
        found_bytes: usize,
    },
    /// More proprietary authentication data than ARPC method 2 takes.
    #[error("expected at most 8 bytes of proprietary authentication data, found {found_bytes}")]
    ProprietaryAuthenticationData {
        /// Bytes found.
        found_bytes: usize,
    },
    /// The version has no such calculation.
    #[error("{version} defines no {what}; choose another version")]
    NotDefined {
        /// The cryptogram version's name.
        version: &'static str,
        /// What was asked for.
        what: &'static str,
    },
    /// A PIN that is not 4 to 12 decimal digits. Its digits are not repeated.
    #[error("expected a PIN of 4 to 12 decimal digits, found {found_characters} characters")]
    Pin {
        /// How many characters came.
        found_characters: usize,
    },
    /// Enciphered command data that does not open: another key, another ATC, or damage.
    #[error("enciphered command data does not open: {reason} at byte {offset}")]
    Enciphered {
        /// What was expected there.
        reason: &'static str,
        /// Where in the deciphered data, from 0.
        offset: usize,
    },
    /// The arithmetic below refused its input.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}
