//! Cardwright plays every side of a payment or transit card transaction: the
//! terminal, the card, and the issuer behind them.
//!
//! The crate is a house of floors; a room may use rooms on lower floors only.
//!
//! | floor | what lives there |
//! |---|---|
//! | [`base`] | bytes, clock and entropy, cryptography, events, the store |
//! | [`words`] | what is said: TLV, APDU, data elements, e-cash, messages |
//! | [`air`] | what carries it: links to cards, hosts, recordings |
//! | [`roles`] | who speaks: terminal, card, issuer, bureau |
//! | [`devices`] | what is made of roles: a phone |
//! | [`world`] | the stage that seats roles on an air |
//! | [`observers`] | who watches and tells |
//! | [`doors`] | the command line, the drop-in PC/SC library, the fixture for tests |

pub mod air;
pub mod base;
pub mod devices;
pub mod doors;
pub mod observers;
pub mod roles;
pub mod words;
pub mod world;

/// The fixture for tests in Rust.
pub use doors::testing;
