//! What a terminal says to a host and what it hears back, as a trait that every
//! host implements, in process or remote.

mod message;

pub use message::{
    Answer, Entry, Host, HostError, Kind, MessageClass, MessageKey, Original, Request, ResponseCode,
    Settlement,
};
