//! What two phones that touch and their host say of a transfer: certificates, and what is
//! signed with them, as bytes and as NDEF. No state and no decision may enter. Nobody has
//! this in the open: the format is ours, and `roles/p2p/transfer/PROTOCOL.md` is its page.

mod certificate;
mod contents;
mod error;
mod message;
mod signed;

pub use certificate::{Certificate, HostId, PhoneId};
pub use contents::{Agreement, HostOutcome, HostReceipt, Offer, PhoneReceipt, TransferId, Withdrawal};
pub use error::TransferFormatError;
pub use message::{RECORD_TYPE, Refusal, TouchMessage};
pub use signed::{Contents, Signed};
