//! The hand's language: one JSON object a line, one a line back. A program under test is
//! not needed to understand it; its test is.

use super::hand::HandError;
use super::reader::Fate;
use super::seat::Seat;
use super::service::Service;
use super::setup::{Cards, SetupError};
use crate::air::link::{FaultPoint, Interface};
use crate::base::bytes::{Hex, HexError, parse_hex};
use crate::observers::report::card_file_json;
use crate::world::{AddressError, CardName};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest delay that can be planned.
const LONGEST_DELAY_MS: u64 = 600_000;

/// What can be asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    /// Puts a card in: a new one, or the one that was there before.
    Insert {
        #[serde(default)]
        reader: usize,
        card: Option<String>,
        interface: Option<Way>,
    },
    /// Takes the card out.
    Remove {
        #[serde(default)]
        reader: usize,
    },
    /// Takes the card out and puts another in.
    Swap {
        #[serde(default)]
        reader: usize,
        card: String,
        interface: Option<Way>,
    },
    /// Takes the card out in the middle of an exchange that is to come.
    Pull {
        #[serde(default)]
        reader: usize,
        /// Counted from the next one, which is 0.
        #[serde(default)]
        exchange: u64,
        at: Point,
    },
    /// Makes an exchange that is to come slow.
    Delay {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        exchange: u64,
        ms: u64,
    },
    /// Answers an exchange that is to come in the card's place.
    Answer {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        exchange: u64,
        bytes: String,
    },
    /// Leaves an exchange that is to come without an answer.
    Mute {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        exchange: u64,
    },
    /// Forgets what was planned.
    Forget {
        #[serde(default)]
        reader: usize,
    },
    /// Tells the readers and what lies in them.
    Readers,
    /// Tells what the card remembers.
    Card {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        unmask: bool,
    },
    /// Tells what was said and done, decoded.
    Events {
        #[serde(default)]
        reader: usize,
        #[serde(default)]
        since: u64,
        #[serde(default)]
        unmask: bool,
    },
}

/// How a card is reached.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Contact,
    Contactless,
}

/// A point of an exchange.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Point {
    BeforeCommand,
    AnswerLost,
    AfterAnswer,
}

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    /// It is no request.
    #[error("expected a request, as {{\"do\": \"remove\"}}: {0}")]
    Request(#[from] serde_json::Error),
    /// No address of a card.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No card at the address.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The hand cannot.
    #[error(transparent)]
    Hand(#[from] HandError),
    /// No bytes.
    #[error("bytes: {0}")]
    Bytes(#[from] HexError),
    /// A delay that nobody would wait for.
    #[error("expected a delay of at most {LONGEST_DELAY_MS} ms, found {0}")]
    Delay(u64),
}

/// Answers requests.
pub(super) struct Control {
    cards: Mutex<Cards>,
}

impl Control {
    pub(super) fn new(cards: Cards) -> Self {
        Self { cards: Mutex::new(cards) }
    }

    /// Does what a line asks and tells what came of it: `ok`, and either what was asked
    /// for or `error`.
    pub(super) fn answer(&self, service: &Service, line: &str) -> String {
        let done = serde_json::from_str(line).map_err(ControlError::from);
        let mut told = match done.and_then(|request| self.act(service, request)) {
            Ok(told) => told,
            Err(error) => json!({ "error": error.to_string() }),
        };
        told["ok"] = json!(told.get("error").is_none());
        told.to_string()
    }

    fn act(&self, service: &Service, request: Request) -> Result<Value, ControlError> {
        let planned = |reader, exchange, fate| -> Result<Value, ControlError> {
            service.plan(reader, exchange, fate)?;
            Ok(json!({}))
        };
        match request {
            Request::Insert { reader, card, interface } => {
                let seat = card.map(|card| self.open(service, reader, &card, interface)).transpose()?;
                service.insert(reader, seat)?;
                Ok(json!({}))
            }
            Request::Remove { reader } => {
                service.remove(reader)?;
                Ok(json!({}))
            }
            Request::Swap { reader, card, interface } => {
                let seat = self.open(service, reader, &card, interface)?;
                service.remove(reader)?;
                service.insert(reader, Some(seat))?;
                Ok(json!({}))
            }
            Request::Pull { reader, exchange, at } => planned(reader, exchange, Fate::Pull(at.into())),
            Request::Delay { ms, .. } if ms > LONGEST_DELAY_MS => Err(ControlError::Delay(ms)),
            Request::Delay { reader, exchange, ms } => {
                planned(reader, exchange, Fate::Delay(Duration::from_millis(ms)))
            }
            Request::Answer { reader, exchange, bytes } => {
                planned(reader, exchange, Fate::Answer(parse_hex(&bytes)?))
            }
            Request::Mute { reader, exchange } => planned(reader, exchange, Fate::Mute),
            Request::Forget { reader } => {
                service.forget_plans(reader)?;
                Ok(json!({}))
            }
            Request::Readers => {
                let readers = (0..service.count()).map(|number| told_reader(service, number));
                Ok(json!({ "readers": readers.collect::<Result<Vec<_>, _>>()? }))
            }
            Request::Card { reader, unmask } => {
                let seat = service.ask(reader, |reader| reader.seat.clone())?;
                let seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
                let seat = seat.as_ref().ok_or(HandError::NoCard { reader })?;
                let interface = seat.interface().to_string();
                Ok(json!({ "card": card_file_json(seat.memory(), unmask), "interface": interface }))
            }
            Request::Events { reader, since, unmask } => {
                let log = service.ask(reader, |reader| reader.log.clone())?;
                let (events, next) = log.told(since, unmask);
                Ok(json!({ "events": events, "next": next }))
            }
        }
    }

    fn open(
        &self,
        service: &Service,
        reader: usize,
        card: &str,
        interface: Option<Way>,
    ) -> Result<Seat, ControlError> {
        let log = service.ask(reader, |reader| reader.log.clone())?;
        let name = CardName::parse_served(card)?;
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(cards.open(&name, interface.map(Interface::from), &log)?)
    }
}

fn told_reader(service: &Service, number: usize) -> Result<Value, HandError> {
    service.ask(number, |reader| {
        let atr = reader.card.as_ref().map(|card| Hex(&card.atr).to_string());
        json!({ "reader": number, "name": reader.name, "atr": atr, "exchanges": reader.exchanges })
    })
}

impl From<Way> for Interface {
    fn from(way: Way) -> Self {
        match way {
            Way::Contact => Self::Contact,
            Way::Contactless => Self::Contactless,
        }
    }
}

impl From<Point> for FaultPoint {
    fn from(point: Point) -> Self {
        match point {
            Point::BeforeCommand => Self::BeforeCommand,
            Point::AnswerLost => Self::AnswerLost,
            Point::AfterAnswer => Self::AfterAnswer,
        }
    }
}
