//! What the environment asks for, and the cards that it names.

use super::log::Log;
use super::reader::Reader;
use super::seat::Seat;
use super::service::Service;
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::base::event::{Discard, EventSink};
use crate::roles::issuer::Issuer;
use crate::world::{CardName, StoreAddress, WorldError, open_books, open_simulated, seal_key};
use std::env;
use std::path::PathBuf;

/// The card in the one reader, where nobody names one.
const FRESH: &str = "sim:ecash";

/// What the variables `CARDWRIGHT_...` ask for.
pub(super) struct Setup {
    /// Where the socket of the hand is.
    pub control: Option<PathBuf>,
    readers: Vec<Option<CardName>>,
    cards: Cards,
    waits: bool,
}

/// Makes cards and opens them.
pub(super) struct Cards {
    interface: Interface,
    seed: Option<u64>,
    store: StoreAddress,
    seal: Option<PathBuf>,
    /// Who knows the fresh ones; opened with the first of them.
    issuer: Option<Issuer>,
    opened: u64,
}

/// Why there are no readers.
#[derive(Debug, thiserror::Error)]
pub(super) enum SetupError {
    /// A variable cannot be read.
    #[error("{variable}: {cause}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// A card's file is not there.
    #[error("there is no file {0}: make a card with `cardwright card new ecash FILE.card`")]
    NoFile(String),
    /// A card could not be opened.
    #[error(transparent)]
    World(#[from] WorldError),
}

impl Setup {
    /// Reads the environment.
    pub(super) fn of_environment() -> Result<Self, SetupError> {
        let wrong = |variable, cause: String| SetupError::Variable { variable, cause };
        let readers = CardName::parse_seats(&text("CARDWRIGHT_READER").unwrap_or_else(|| FRESH.into()))
            .map_err(|error| wrong("CARDWRIGHT_READER", error.to_string()))?;
        let interface = match text("CARDWRIGHT_INTERFACE").as_deref() {
            None | Some("contactless") => Interface::Contactless,
            Some("contact") => Interface::Contact,
            Some(other) => {
                let cause = format!("expected contact or contactless, found {other:?}");
                return Err(wrong("CARDWRIGHT_INTERFACE", cause));
            }
        };
        let seed = text("CARDWRIGHT_SEED").map(|seed| seed.parse::<u64>()).transpose();
        let seed = seed.map_err(|error| wrong("CARDWRIGHT_SEED", error.to_string()))?;
        let store = text("CARDWRIGHT_STORE").map(|store| StoreAddress::parse(&store)).transpose();
        let store = store.map_err(|error| wrong("CARDWRIGHT_STORE", error.to_string()))?;
        let seal = env::var_os("CARDWRIGHT_SEAL_KEY").map(PathBuf::from);
        let store = store.unwrap_or(StoreAddress::Memory);
        Ok(Self {
            control: env::var_os("CARDWRIGHT_CONTROL").map(PathBuf::from),
            readers,
            cards: Cards { interface, seed, store, seal, issuer: None, opened: 0 },
            // The switch of pcsc-lite for programs that would rather be told than wait.
            waits: env::var_os("PCSCLITE_NO_BLOCKING").is_none(),
        })
    }

    /// What a test asks for.
    #[cfg(test)]
    pub(super) fn seeded(readers: &str, seed: u64) -> Self {
        let (interface, store) = (Interface::Contactless, StoreAddress::Memory);
        let cards = Cards { interface, seed: Some(seed), store, seal: None, issuer: None, opened: 0 };
        Self { control: None, readers: CardName::parse_seats(readers).unwrap(), cards, waits: true }
    }

    /// Opens every card: the service, and what makes more cards for it.
    pub(super) fn open(mut self) -> Result<(Service, Cards), SetupError> {
        let mut readers = Vec::new();
        let mut seats = Vec::new();
        for (number, name) in self.readers.iter().enumerate() {
            let reader = Reader::empty(format!("Cardwright {number:02} 00"));
            let seat = name.as_ref().map(|name| self.cards.open(name, None, &reader.log)).transpose()?;
            readers.push(reader);
            seats.push(seat);
        }
        let service = Service::new(readers, self.waits);
        for (number, seat) in seats.into_iter().enumerate() {
            if let Some(seat) = seat {
                // Each reader is there and empty, so that nothing stands against it.
                let _ = service.insert(number, Some(seat));
            }
        }
        Ok((service, self.cards))
    }
}

impl Cards {
    /// Opens a card, which tells `log` what it does.
    pub(super) fn open(
        &mut self,
        name: &CardName,
        interface: Option<Interface>,
        log: &Log,
    ) -> Result<Seat, SetupError> {
        let mut making = self.context(Discard);
        let file = name.kept_in();
        if let Some(file) = file.as_deref().filter(|file| !file.exists()) {
            return Err(SetupError::NoFile(file.display().to_string()));
        }
        if file.is_none() && self.issuer.is_none() {
            self.issuer = Some(open_books(&self.store, self.seal.as_deref(), &mut making)?);
        }
        let named = self.seal.clone();
        let seal = |context: &mut Context| seal_key(named.as_deref(), file.as_deref(), context);
        let card = open_simulated(name, seal, self.issuer.as_mut(), &mut making)?;
        Ok(Seat::new(card, interface.unwrap_or(self.interface), self.context(log.clone())))
    }

    /// Clock and randomness for one card: with a seed the same for the same card.
    fn context(&mut self, events: impl EventSink + 'static) -> Context {
        self.opened += 1;
        match self.seed {
            Some(seed) => Context::simulated(seed.wrapping_add(self.opened), events),
            None => Context::system(events),
        }
    }
}

/// A variable that is set and not empty.
fn text(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|text| !text.is_empty())
}
