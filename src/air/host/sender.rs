//! Who is at the other end of a line, by what its messages say: a terminal, or an
//! institution that forwards for many. A key proves it; nothing here does.

use super::WireError;
use super::request_message::key_of;
use super::{MessageClass, MessageKey};
use crate::words::iso8583::{Dialect, Message};

/// One who has a master key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Sender {
    /// A terminal (F41) of a merchant (F42).
    Terminal {
        /// F41.
        terminal: String,
        /// F42.
        merchant: String,
    },
    /// An institution that forwards (F33): its messages are of terminals that it answers for.
    Link {
        /// F33, digits.
        institution: String,
    },
}

impl Sender {
    /// Who a message says it is from.
    pub(super) fn of(message: &Message, dialect: &Dialect) -> Result<Self, WireError> {
        if let Some(institution) = message.text(33) {
            return Ok(Self::Link { institution: institution.to_owned() });
        }
        let MessageKey { terminal, merchant, .. } = key_of(message, MessageClass::Request, dialect)?;
        Ok(Self::Terminal { terminal, merchant })
    }

    /// What its working keys are made for. No terminal has the name of a link: it would be
    /// longer than F41.
    pub fn label(&self) -> String {
        match self {
            Self::Terminal { terminal, .. } => terminal.clone(),
            Self::Link { institution } => format!("institution {institution}"),
        }
    }
}
