//! What a driver puts in the registry: the first part of the addresses it opens, and
//! the way to open one.

use super::{LinkError, Reader, Target};

/// Readers of one kind, named `SCHEME` or `SCHEME:REST` in an address.
pub struct ReaderDriver {
    /// The part of an address before the colon: `pcsc`.
    pub scheme: &'static str,
    /// What may follow the colon, for help texts.
    pub rest: &'static str,
    /// Opens the reader that the rest of an address names; empty asks for the one
    /// that holds a card.
    pub open: fn(rest: &str) -> Result<Box<dyn Reader>, LinkError>,
    /// The readers that are there now.
    pub list: fn() -> Result<Vec<ReaderStatus>, LinkError>,
    /// What an empty list means, for people.
    pub nothing_there: &'static str,
}

/// Targets of one kind, named `SCHEME:REST` in an address.
pub struct TargetDriver {
    /// The part of an address before the colon: `vpcd`.
    pub scheme: &'static str,
    /// What follows the colon, for help texts.
    pub rest: &'static str,
    /// Opens the target that the rest of an address names.
    pub open: fn(rest: &str) -> Result<Box<dyn Target>, LinkError>,
}

/// A reader that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderStatus {
    /// Its name.
    pub name: String,
    /// The answer to reset of the card in it, if it holds one.
    pub card: Option<Vec<u8>>,
}
