//! Simple NDEF Exchange Protocol (NFC Forum SNEP 1.0): messages are put to a server and
//! got from one, over a connection of LLCP. What a message says does not enter.

mod client;
mod frame;
mod server;
mod transfer;

pub use client::{Client, SnepError};
pub use frame::{Frame, Request, Response, VERSION};
pub use server::{Answer, Server, Shelf};

/// The name of the default server (5.1).
pub const DEFAULT_SERVER: &str = "urn:nfc:sn:snep";
/// The most bytes of a message that is taken from the other device.
pub const MOST_BYTES: u32 = 1 << 20;
