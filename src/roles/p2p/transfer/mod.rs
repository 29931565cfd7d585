//! Tap-to-transfer (碰一碰): two phones touch, the payer confirms, and money moves between
//! two accounts once. Bytes and time come in, actions go out; what carries them, and how the
//! host books, do not enter.
#![doc = include_str!("PROTOCOL.md")]

mod ask;
mod book;
mod error;
mod inbox;
mod payee;
mod payer;
mod phone;
mod rules;
mod schema;
mod settle;
mod state;
mod touch;

pub use ask::{Ask, Confirmation};
pub use error::TransferError;
pub use phone::{Own, Phone};
pub use rules::{TransferRule, TransferRules};
pub use settle::{Settled, settle};
pub use state::{Transfer, TransferState, Way};
pub use touch::{Task, Touch, TouchEnd};

/// The service of a phone that is told to pay, as LLCP looks it up.
pub const PAYER_SERVICE: &str = "urn:nfc:xsn:cardwright:payer";
/// The service of a phone that is told to receive.
pub const PAYEE_SERVICE: &str = "urn:nfc:xsn:cardwright:payee";
