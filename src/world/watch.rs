//! Watches the readers of an address, and lets a card that comes be read, and nothing more.

use super::address::ReaderAddress;
use super::card::reader_driver;
use super::error::WorldError;
use crate::air::link::{Card, Guard, Record, Sighting, T0, Watcher};
use crate::base::context::Context;
use crate::words::decode::judge;
use crate::words::iso7816::Effect;
use std::time::Duration;

/// Readers that are watched.
pub struct Watch(Box<dyn Watcher>);

impl Watch {
    /// Watches the readers of an address; `None` where it names a simulated card, which neither
    /// comes nor goes.
    pub fn open(address: &ReaderAddress) -> Result<Option<Self>, WorldError> {
        match address {
            ReaderAddress::Simulated(_) | ReaderAddress::Recording(_) => Ok(None),
            ReaderAddress::Driver { scheme, rest } => Ok(Some(Self((reader_driver(scheme)?.watch)(rest)?))),
        }
    }

    /// What has changed, oldest first; waits at most so long.
    pub fn look(&mut self, timeout: Duration) -> Result<Vec<Sighting>, WorldError> {
        Ok(self.0.look(timeout)?)
    }

    /// Opens the card that was seen at a reader. Commands that do more than read are refused.
    pub fn open_card(&mut self, reader: &str, context: &mut Context) -> Result<Box<dyn Card>, WorldError> {
        let card = self.0.open(reader, context)?;
        Ok(Box::new(Record(Guard::new(T0(card), judge, Effect::Reads))))
    }
}
