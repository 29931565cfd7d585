//! A PN532 that watches for cards: it searches until one is there, and then asks whether it is
//! still there. A line that breaks is opened again.

use super::command::{Diagnose, Status};
use super::driver::AT_ONCE;
use super::reader::{FoundCard, Pn532Card, Shared, find, let_go, lock, open_chip, prepare};
use crate::air::link::{Card, LinkError, Seen, Sighting, Watcher};
use crate::base::context::Context;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Watches one chip.
pub(super) struct Pn532Watcher {
    path: String,
    name: String,
    /// The chip; `None` while its line is broken.
    chip: Option<Shared>,
    /// Whether the chip is told of.
    is_told: bool,
    found: Option<FoundCard>,
}

impl Pn532Watcher {
    pub(super) fn open(path: &str) -> Result<Self, LinkError> {
        let chip = prepared(path)?;
        let name = lock(&chip).place().to_owned();
        Ok(Self { path: path.into(), name, chip: Some(chip), is_told: false, found: None })
    }

    fn changes(&mut self, chip: &Shared) -> Result<Option<Seen>, LinkError> {
        let mut chip = lock(chip);
        if self.found.is_some() {
            let attention = Diagnose { test: Diagnose::ATTENTION, parameters: Vec::new() };
            if chip.call(&attention, AT_ONCE)?.first() == Some(&Status::OK.0) {
                return Ok(None);
            }
            self.found = None;
            let_go(&mut chip)?;
            return Ok(Some(Seen::CardGone));
        }
        self.found = find(&mut chip)?;
        Ok(self.found.as_ref().map(|found| Seen::Card { atr: found.atr.clone() }))
    }
}

impl Watcher for Pn532Watcher {
    fn look(&mut self, timeout: Duration) -> Result<Vec<Sighting>, LinkError> {
        let Some(chip) = self.chip.take().or_else(|| prepared(&self.path).ok()) else {
            std::thread::sleep(timeout);
            return Ok(Vec::new());
        };
        let mut seen = Vec::new();
        if !std::mem::replace(&mut self.is_told, true) {
            seen.push(Sighting::new(&self.name, Seen::Reader));
        }
        match self.changes(&chip) {
            Ok(change) => {
                self.chip = Some(chip);
                seen.extend(change.map(|change| Sighting::new(&self.name, change)));
            }
            // Whatever a chip does that does not answer as it should, it is begun anew.
            Err(_) => {
                (self.found, self.is_told) = (None, false);
                seen.push(Sighting::new(&self.name, Seen::ReaderGone));
            }
        }
        if seen.is_empty() {
            std::thread::sleep(timeout);
        }
        Ok(seen)
    }

    fn open(&mut self, reader: &str, _context: &mut Context) -> Result<Box<dyn Card>, LinkError> {
        match (&self.chip, &self.found) {
            (Some(chip), Some(found)) => Ok(Box::new(Pn532Card::new(chip, found.clone(), true))),
            _ => Err(LinkError::NoCard { reader: reader.into() }),
        }
    }
}

impl Drop for Pn532Watcher {
    /// The field goes off; where the chip is gone, it has.
    fn drop(&mut self) {
        if let Some(chip) = &self.chip {
            let _ = let_go(&mut lock(chip));
        }
    }
}

fn prepared(path: &str) -> Result<Shared, LinkError> {
    let mut chip = open_chip(path)?;
    prepare(&mut chip)?;
    Ok(Arc::new(Mutex::new(chip)))
}
