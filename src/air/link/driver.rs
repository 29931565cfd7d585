//! What a driver puts in the registry: the first part of the addresses it opens, and
//! the way to open one.

use super::{LinkError, Reader, Target, Watcher};
use std::time::Duration;

/// Opens the reader that the rest of an address names.
pub type OpenReader = fn(rest: &str, options: ReaderOptions) -> Result<Box<dyn Reader>, LinkError>;

/// Readers of one kind, named `SCHEME` or `SCHEME:REST` in an address.
pub struct ReaderDriver {
    /// The part of an address before the colon: `pcsc`.
    pub scheme: &'static str,
    /// What may follow the colon, for help texts.
    pub rest: &'static str,
    /// Opens the reader that the rest of an address names; empty asks for the one
    /// that holds a card.
    pub open: OpenReader,
    /// Watches the readers that the rest of an address fits; empty means all of them.
    pub watch: fn(rest: &str) -> Result<Box<dyn Watcher>, LinkError>,
    /// The readers that are there now.
    pub list: fn() -> Result<Vec<ReaderStatus>, LinkError>,
    /// What an empty list means, for people.
    pub nothing_there: &'static str,
}

/// How the card in a reader is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReaderOptions {
    /// How long to wait for a card where the reader is empty; `None` does not wait.
    pub wait: Option<Duration>,
    /// Whether other programs may hold the card, too. Their commands wait until ours are done.
    pub is_shared: bool,
    /// The protocol by contact; `None` leaves it to card and reader.
    pub protocol: Option<Protocol>,
}

impl ReaderOptions {
    /// For a card that may still be on its way; all else as usual.
    pub fn waiting(wait: Option<Duration>) -> Self {
        Self { wait, ..Self::default() }
    }
}

/// A transmission protocol by contact: ISO/IEC 7816-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// By bytes, clause 10.
    T0,
    /// By blocks, clause 11.
    T1,
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
