//! Why a fixture could not do what a test asks.

use crate::air::link::LinkError;
use crate::base::bytes::HexError;
use crate::roles::card::CardError;
use crate::roles::terminal::TerminalError;
use crate::words::iso7816::ApduError;
use crate::world::WorldError;

/// Why a fixture could not do what a test asks.
#[derive(Debug, thiserror::Error)]
pub enum TestingError {
    /// A command is not hexadecimal text.
    #[error("expected a command APDU in hexadecimal text: {0}")]
    Hex(#[from] HexError),
    /// Bytes are no command APDU.
    #[error("expected a command APDU: {0}")]
    Apdu(#[from] ApduError),
    /// The card gave no answer: it was pulled.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The stage could not be set, or a scene broke off.
    #[error(transparent)]
    World(WorldError),
}

impl TestingError {
    /// Whether the card was pulled, and so may or may not have acted.
    pub fn is_pulled(&self) -> bool {
        match self {
            Self::Link(error)
            | Self::World(WorldError::Link(error) | WorldError::Terminal(TerminalError::Link(error))) => {
                matches!(error, LinkError::Removed { .. })
            }
            _ => false,
        }
    }
}

impl From<WorldError> for TestingError {
    fn from(error: WorldError) -> Self {
        Self::World(error)
    }
}

impl From<CardError> for TestingError {
    fn from(error: CardError) -> Self {
        Self::World(error.into())
    }
}
