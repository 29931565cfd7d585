//! The traits of a link: what a terminal holds, what lists and opens cards, and
//! what a served card answers on.

use crate::base::context::Context;
use crate::words::iso7816::{ApduError, CommandApdu, Effect, ResponseApdu};
use std::fmt;
use std::time::Duration;

/// How a card is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interface {
    /// Contacts: ISO/IEC 7816-3.
    Contact,
    /// Radio: ISO/IEC 14443-4.
    Contactless,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contact => "contact",
            Self::Contactless => "contactless",
        })
    }
}

/// What a link knows of a card once it is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// How it is reached.
    pub interface: Interface,
    /// Its answer to reset; a reader makes one up for a contactless card.
    pub atr: Vec<u8>,
    /// Where it is, for people: `simulated card ecash`, a reader's name.
    pub place: String,
    /// Whether it is a card that this program did not make: effects above
    /// reading then need leave.
    pub real: bool,
}

/// What only a reader knows of a card on radio.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RadioIdentity {
    /// Its identifier: UID or NFCID1 of type A, PUPI of type B.
    pub uid: Vec<u8>,
    /// Its ATS, as far as the reader tells it: whole, or its historical bytes alone
    /// (PC/SC Part 3, 3.2.2.1.3); empty for type B.
    pub ats: Vec<u8>,
}

/// Why a link did not carry an exchange.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The card went away, or its answer was lost: it may or may not have acted.
    #[error("the card was removed {during}: put it back and run `cardwright recover`")]
    Removed {
        /// Which exchange, in words.
        during: String,
    },
    /// No card is in the reader.
    #[error("no card in {reader}: insert or present one, or add --wait")]
    NoCard {
        /// The reader.
        reader: String,
    },
    /// No reader fits the name.
    #[error("no reader fits {wanted:?}; there {}", readers_there(found))]
    NoReader {
        /// What was asked for.
        wanted: String,
        /// What is there.
        found: Vec<String>,
    },
    /// More than one reader fits.
    #[error("{wanted:?} fits several readers: {}; name one, as --reader pcsc:NAME-PART", found.join(", "))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The readers that fit.
        found: Vec<String>,
    },
    /// A library, daemon or permission is missing.
    #[error("{missing}: {remedy}")]
    Unavailable {
        /// What is missing.
        missing: String,
        /// What to do.
        remedy: String,
    },
    /// No answer in time.
    #[error("no answer {during} within {timeout_ms} ms")]
    Timeout {
        /// Which exchange, in words.
        during: String,
        /// The time allowed.
        timeout_ms: u64,
    },
    /// The bytes that came are no APDU.
    #[error("{during}: {source}")]
    Garbled {
        /// Which exchange, in words.
        during: String,
        /// What is wrong with them.
        source: ApduError,
    },
    /// The card kept announcing more data.
    #[error("the card announced more data (61xx or 6Cxx) {rounds} times in a row: giving up")]
    Endless {
        /// How often.
        rounds: u32,
    },
    /// The command would do more to a real card than was allowed.
    #[error(
        "{command} {effect} on a card that is not a test card of ours: add --allow {effect} to permit it"
    )]
    NotAllowed {
        /// The command, by name or header.
        command: String,
        /// What it would do.
        effect: Effect,
    },
    /// Another device, not a card, has parted.
    #[error("the other device at {place} has parted: bring the two together again")]
    Parted {
        /// Where it was.
        place: String,
    },
    /// Another device said what its protocol does not have there.
    #[error("{during}: expected {expected}, found {found}")]
    Protocol {
        /// Which exchange, in words.
        during: String,
        /// What the standard has there.
        expected: String,
        /// What came.
        found: String,
    },
    /// The transport failed.
    #[error("{doing}: {cause}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        cause: String,
    },
}

impl LinkError {
    /// Whether an exchange with the card failed, which another presentment may mend.
    pub const fn is_lost_exchange(&self) -> bool {
        matches!(
            self,
            Self::Removed { .. }
                | Self::NoCard { .. }
                | Self::Timeout { .. }
                | Self::Garbled { .. }
                | Self::Endless { .. }
        )
    }

    /// No answer in this time. `during` says of whom, or in which exchange.
    pub(super) fn timeout(during: String, timeout: Duration) -> Self {
        Self::Timeout { during, timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX) }
    }

    /// No other device has come to a place in this time.
    pub(super) fn nobody(place: &str, timeout: Duration) -> Self {
        Self::timeout(format!("of another device at {place}"), timeout)
    }

    /// Words that the protocol does not have there.
    pub(super) fn protocol(
        during: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Protocol { during: during.into(), expected: expected.into(), found: found.into() }
    }
}

fn readers_there(found: &[String]) -> String {
    if found.is_empty() { "is none".into() } else { format!("are: {}", found.join(", ")) }
}

/// A card as a terminal holds it.
pub trait Card: Send {
    /// What the link knows of the card.
    fn activation(&self) -> &Activation;

    /// Sends a command and waits for the answer.
    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError>;

    /// Resets the card; a card that was away and is back is active again.
    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError>;

    /// What its reader knows of it as a card on radio; `None` where it is none, or its reader does
    /// not say. The card itself is not asked, so that it is no exchange.
    fn radio_identity(&mut self, _context: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        Ok(None)
    }
}

/// Something that lists and opens cards.
pub trait Reader: Send {
    /// Its name.
    fn name(&self) -> &str;

    /// Whether a card is there now.
    fn has_card(&mut self) -> Result<bool, LinkError>;

    /// Waits until a card is there, at most so long; `false` when none came.
    fn wait_for_card(&mut self, timeout: Duration) -> Result<bool, LinkError>;

    /// Opens the card that is there.
    fn connect(&mut self, context: &mut Context) -> Result<Box<dyn Card>, LinkError>;
}

/// What the far side of a target asks of the card that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetRequest {
    /// Switch on, or reset: volatile memory is lost.
    PowerOn,
    /// Switch off.
    PowerOff,
    /// Send the answer to reset.
    Atr,
    /// A command APDU, as bytes.
    Command(Vec<u8>),
    /// The far side has gone for good.
    Gone,
}

/// Where a card can be served: the opposite of [`Card`].
pub trait Target: Send {
    /// Where it is, for people.
    fn place(&self) -> &str;

    /// Whether it is radio; a recording of a real card never goes there.
    fn is_radio(&self) -> bool;

    /// Waits for the next request.
    ///
    /// # Errors
    /// [`LinkError::Timeout`] where nothing came for a while, and it may still come: who
    /// serves says whether to go on. Any other one ends the place.
    fn receive(&mut self, context: &mut Context) -> Result<TargetRequest, LinkError>;

    /// Answers [`TargetRequest::Atr`] or [`TargetRequest::Command`].
    fn send(&mut self, answer: &[u8], context: &mut Context) -> Result<(), LinkError>;
}

impl<C: Card + ?Sized> Card for Box<C> {
    fn activation(&self) -> &Activation {
        (**self).activation()
    }

    fn transmit(&mut self, command: &CommandApdu, context: &mut Context) -> Result<ResponseApdu, LinkError> {
        (**self).transmit(command, context)
    }

    fn reset(&mut self, context: &mut Context) -> Result<(), LinkError> {
        (**self).reset(context)
    }

    fn radio_identity(&mut self, context: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        (**self).radio_identity(context)
    }
}
