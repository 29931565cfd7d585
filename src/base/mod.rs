//! The ground floor: bytes, time, randomness, cryptography, events, storage.
//! No payment word and no role may enter.

pub mod bytes;
pub mod context;
pub mod crypto;
pub mod env;
pub mod event;
pub mod store;
