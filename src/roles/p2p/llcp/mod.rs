//! Logical Link Control Protocol (NFC Forum LLCP 1.3): one link, services and connections
//! over it. What the connections carry does not enter, nor what carries the link.

mod connection;
mod error;
mod link;
mod look_up;
mod parameter;
mod pdu;
mod service;

pub use connection::{ConnectionState, DisconnectReason};
pub use error::LlcpError;
pub use link::{Destination, Handle, Link};
pub use parameter::{LinkParameters, MAGIC, Parameters};
pub use pdu::{Pdu, PduType, Sap};
pub use service::Terms;
