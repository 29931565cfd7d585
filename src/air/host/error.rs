//! Why a message cannot go over a line, or what came over it cannot be used.

use super::{Kind, MessageClass};
use crate::words::iso8583::{Iso8583Error, Mti};

/// What was expected of a message and what came. No variant carries card data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are no message of the dialect, or a value does not fit its field.
    #[error(transparent)]
    Iso8583(#[from] Iso8583Error),
    /// A field that the message must have.
    #[error("expected field {field} ({what}) in a message of type {mti}, found none")]
    Missing {
        /// The field.
        field: u8,
        /// What it holds.
        what: &'static str,
        /// The message's type.
        mti: Mti,
    },
    /// A field that cannot be what it says.
    #[error("expected field {field} to be {expected}")]
    Field {
        /// The field.
        field: u8,
        /// What was expected.
        expected: &'static str,
    },
    /// No row of the kinds fits the message.
    #[error(
        "no kind of request has type {mti}, F3 {processing:?}, F25 {condition:?}, F60.1 {code:?} and F60.3 {network:?}"
    )]
    UnknownKind {
        /// The message's type.
        mti: Mti,
        /// Its processing code.
        processing: String,
        /// Its condition code.
        condition: String,
        /// Its type code.
        code: String,
        /// Its network management code.
        network: String,
    },
    /// A request that no message says.
    #[error("a request of kind {kind:?} cannot be of class {class:?} on a line")]
    Class {
        /// Its kind.
        kind: Kind,
        /// Its class.
        class: MessageClass,
    },
    /// A message that does not answer the one that was sent.
    #[error("expected an answer whose {what} is that of the request, found another")]
    NotItsAnswer {
        /// What differs.
        what: &'static str,
    },
    /// The authentication code is absent or wrong.
    #[error("expected the right message authentication code in field {field}, found {}", if *.is_there { "another" } else { "none" })]
    Mac {
        /// 64 or 128.
        field: u8,
        /// Whether there was a code at all.
        is_there: bool,
    },
    /// Field 52 holds no PIN block of format 0 under the PIN key.
    #[error("expected a PIN of 4 to 12 digits in an ISO 9564 format 0 block (F52), found another block")]
    PinBlock,
    /// A key came whose check value is another: the master keys differ, or the line changed it.
    #[error("expected key check value of the {key} key to fit, it does not: compare the terminal master key")]
    KeyCheck {
        /// Which key.
        key: &'static str,
    },
    /// The host refused to give working keys.
    #[error("the host refused the sign-on with code {code}")]
    SignOnRefused {
        /// Its code.
        code: String,
    },
}
