//! GlobalPlatform Card Specification 2.3.1 and EMV Card Personalisation: data
//! groupings, STORE DATA, the secure channel. Nothing of a payment may enter.

pub mod command;
mod dgi;
mod personalisation;
mod secure_channel;

pub use dgi::{Dgi, DgiError};
pub use personalisation::{StoreError, StoredGroupings, store_commands};
pub use secure_channel::{CardChannel, Channel, ChannelError, ChannelKeys, HostChannel};
