//! One type describes a command for both ends: the terminal builds it and reads
//! the answer, the card reads it and builds the answer.

use super::{ArgumentError, Arguments, CommandApdu, Parameter, ResponseApdu, StatusWord};
use crate::base::bytes::{Hex, Truncated};
use crate::base::event::Element;
use crate::words::tlv::{Tag, TlvError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a command may do to a card that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Leaves the card as it was.
    Reads,
    /// Uses up an application transaction counter value, which has 65,535.
    Spends,
    /// Changes a balance, a log or data.
    Changes,
    /// Costs a PIN try, or blocks.
    Destroys,
}

impl Effect {
    /// Every effect, mildest first.
    pub const ALL: &'static [Self] = &[Self::Reads, Self::Spends, Self::Changes, Self::Destroys];

    /// The word of the switch `--allow`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Spends => "spends",
            Self::Changes => "changes",
            Self::Destroys => "destroys",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why bytes are not this command or its answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Another class, instruction or parameter.
    #[error("expected {expected} for {command}, found {found:?}")]
    Header {
        /// The command.
        command: &'static str,
        /// What it looks like.
        expected: &'static str,
        /// What came.
        found: CommandApdu,
    },
    /// Data of another length.
    #[error("expected {expected} bytes of {what} for {command}, found {found}")]
    Length {
        /// The command.
        command: &'static str,
        /// Which data.
        what: &'static str,
        /// In words: `8 to 16`.
        expected: &'static str,
        /// How many came.
        found: usize,
    },
    /// The data ended early.
    #[error("{command}: {source}")]
    Truncated {
        /// The command.
        command: &'static str,
        /// Where.
        source: Truncated,
    },
    /// The data is no TLV.
    #[error("{command}: {source}")]
    Tlv {
        /// The command.
        command: &'static str,
        /// Where.
        source: TlvError,
    },
    /// A data object that must be there is not.
    #[error("{command}: expected data object {tag} in the answer, found {}", Hex(found))]
    Missing {
        /// The command.
        command: &'static str,
        /// The data object.
        tag: Tag,
        /// The whole answer; short enough to print.
        found: Vec<u8>,
    },
    /// The card refused.
    #[error("{command}: the card answered {status}")]
    Refused {
        /// The command.
        command: &'static str,
        /// Its status word.
        status: StatusWord,
    },
}

/// A command, described once for both ends.
pub trait ApduCommand: Sized {
    /// Its name in the specification.
    const NAME: &'static str;
    /// The clause that rules it.
    const CLAUSE: &'static str;
    /// A shorter name for scripts, where people use one.
    const SHORT_NAME: Option<&'static str> = None;
    /// How a script writes it; a value without its parameter's name goes to the first
    /// parameter that has none yet.
    const PARAMETERS: &'static [Parameter];
    /// The data that a successful answer carries.
    type Response;

    /// Whether this APDU is this command, by class, instruction and parameters.
    fn matches(apdu: &CommandApdu) -> bool;

    /// What it may do to the card.
    fn effect(&self) -> Effect;

    /// The command of the values that a script gives.
    fn from_arguments(arguments: &Arguments) -> Result<Self, ArgumentError>;

    /// The APDU.
    fn to_apdu(&self) -> CommandApdu;

    /// Reads the APDU.
    fn from_apdu(apdu: &CommandApdu) -> Result<Self, CommandError>;

    /// The data of a successful answer.
    fn encode_response(response: &Self::Response) -> Vec<u8>;

    /// Reads the data of a successful answer.
    fn decode_response(&self, data: &[u8]) -> Result<Self::Response, CommandError>;

    /// The elements that the command carries.
    fn elements(&self) -> Vec<Element>;

    /// The elements that the answer carries.
    fn response_elements(&self, response: &Self::Response) -> Vec<Element>;

    /// Reads a whole answer: 9000 and data, else [`CommandError::Refused`].
    fn answer(&self, response: &ResponseApdu) -> Result<Self::Response, CommandError> {
        if !response.status.is_ok() {
            return Err(CommandError::Refused { command: Self::NAME, status: response.status });
        }
        self.decode_response(&response.data)
    }
}

/// A command's row in a registry: what an observer needs, without its type.
#[derive(Clone, Copy)]
pub struct CommandRow {
    /// Its name in the specification.
    pub name: &'static str,
    /// A shorter name for scripts.
    pub short_name: Option<&'static str>,
    /// The clause that rules it.
    pub clause: &'static str,
    /// How a script writes it.
    pub parameters: &'static [Parameter],
    /// Whether an APDU is this command.
    pub matches: fn(&CommandApdu) -> bool,
    /// The APDU of the values that a script gives.
    pub from_arguments: fn(&Arguments) -> Result<CommandApdu, ArgumentError>,
    /// What it may do to a card.
    pub effect: fn(&CommandApdu) -> Result<Effect, CommandError>,
    /// The elements of a command.
    pub elements: fn(&CommandApdu) -> Result<Vec<Element>, CommandError>,
    /// The elements of the answer to a command.
    pub response_elements: fn(&CommandApdu, &[u8]) -> Result<Vec<Element>, CommandError>,
}

impl CommandRow {
    /// The row of a command.
    pub const fn of<T: ApduCommand>() -> Self {
        Self {
            name: T::NAME,
            short_name: T::SHORT_NAME,
            clause: T::CLAUSE,
            parameters: T::PARAMETERS,
            matches: T::matches,
            from_arguments: |arguments| Ok(T::from_arguments(arguments)?.to_apdu()),
            effect: |apdu| Ok(T::from_apdu(apdu)?.effect()),
            elements: |apdu| Ok(T::from_apdu(apdu)?.elements()),
            response_elements: |apdu, data| {
                let command = T::from_apdu(apdu)?;
                let response = command.decode_response(data)?;
                Ok(command.response_elements(&response))
            },
        }
    }
}

impl fmt::Debug for CommandRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandRow({})", self.name)
    }
}
