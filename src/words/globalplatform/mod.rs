//! GlobalPlatform Card Specification 2.3.1 and EMV Card Personalisation: data
//! groupings, STORE DATA, the secure channel. Nothing of a payment may enter.

pub mod command;
mod dgi;
mod secure_channel;

pub use dgi::{Dgi, DgiError};
pub use secure_channel::{ChannelError, ChannelKeys, SecureChannel};
