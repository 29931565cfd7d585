//! Readers and cards that come and go: what a driver tells who watches. What a card is,
//! is for others to find out.

use super::{Card, LinkError};
use crate::base::context::Context;
use std::time::Duration;

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// At which reader.
    pub reader: String,
    /// What.
    pub seen: Seen,
}

/// What is seen at a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    Reader,
    /// It has gone, and a card with it that was there.
    ReaderGone,
    /// A card is there.
    Card {
        /// Its answer to reset; empty where it does not answer.
        atr: Vec<u8>,
    },
    /// The card has gone.
    CardGone,
}

/// Watches readers of one kind.
pub trait Watcher: Send {
    /// What has changed since the last look, oldest first; what is there already has changed at
    /// the first one. Waits at most so long; nothing where nothing changed.
    ///
    /// # Errors
    /// What keeps it from looking for good. A reader, or the daemon behind it, that goes away is a
    /// sighting, and looked for again.
    fn look(&mut self, timeout: Duration) -> Result<Vec<Sighting>, LinkError>;

    /// Opens the card that was seen at a reader.
    fn open(&mut self, reader: &str, context: &mut Context) -> Result<Box<dyn Card>, LinkError>;
}

impl Sighting {
    /// A sighting.
    pub(super) fn new(reader: impl Into<String>, seen: Seen) -> Self {
        Self { reader: reader.into(), seen }
    }
}
