//! The fixture for tests in Rust: a card, a terminal and a host in three lines, the hand
//! that pulls the card, and what was said, decoded. It reads no environment.

mod error;
mod fixture;

pub use crate::air::link::{FaultPoint, Interface};
pub use error::TestingError;
pub use fixture::{Fixture, NewFixture};
