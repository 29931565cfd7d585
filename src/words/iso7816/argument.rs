//! How a command is written in words: its parameters, and the values that a script
//! gives them. Reading the script's text is not done here.

use crate::words::tlv::Tag;
use std::fmt;

/// One parameter of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in scripts, lower case.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: ParameterKind,
    /// Whether it may be left out.
    pub optional: bool,
}

/// What the value of a parameter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A decimal number, from and to.
    Number(u32, u32),
    /// Bytes in hexadecimal, shortest and longest.
    Bytes(usize, usize),
    /// A tag.
    Tag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Decimal digits, fewest and most.
    Digits(usize, usize),
    /// The name alone, without a value.
    Flag,
    /// Bytes that a list of the card's asks for: where none are given, they are gathered
    /// by the list whose turn it is.
    Gathered(&'static [Tag]),
}

impl Parameter {
    /// A parameter that must be given.
    pub const fn required(name: &'static str, kind: ParameterKind) -> Self {
        Self { name, kind, optional: false }
    }

    /// A parameter that may be left out.
    pub const fn optional(name: &'static str, kind: ParameterKind) -> Self {
        Self { name, kind, optional: true }
    }
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(from, to) => write!(f, "a number from {from} to {to}"),
            Self::Bytes(from, to) if from == to => write!(f, "{from} bytes in hexadecimal"),
            Self::Bytes(from, to) => write!(f, "{from} to {to} bytes in hexadecimal"),
            Self::Tag => f.write_str("a tag such as 9F79"),
            Self::Word(words) => write!(f, "one of {}", words.join(", ")),
            Self::Digits(from, to) => write!(f, "{from} to {to} digits"),
            Self::Flag => f.write_str("nothing after it"),
            Self::Gathered(_) => f.write_str("bytes in hexadecimal"),
        }
    }
}

/// The value of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Of [`ParameterKind::Number`].
    Number(u32),
    /// Of [`ParameterKind::Bytes`] and [`ParameterKind::Gathered`].
    Bytes(Vec<u8>),
    /// Of [`ParameterKind::Tag`].
    Tag(Tag),
    /// Of [`ParameterKind::Word`] and [`ParameterKind::Digits`].
    Text(String),
    /// Of [`ParameterKind::Flag`].
    Flag,
}

/// Why values make no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// A parameter that must be there is not, or has a value of another kind.
    #[error("{command}: expected {parameter}, found none")]
    Missing {
        /// The command.
        command: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A value that the command does not know.
    #[error("{command}: expected {expected} for {parameter}, found {found:?}")]
    Unfit {
        /// The command.
        command: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// What it takes.
        expected: String,
        /// What came.
        found: String,
    },
}

/// The values that a script gives to a command, by parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    command: &'static str,
    values: Vec<(&'static str, Argument)>,
}

impl Arguments {
    /// No values yet, for the command of this name.
    pub fn new(command: &'static str) -> Self {
        Self { command, values: Vec::new() }
    }

    /// Gives a parameter its value.
    pub fn put(&mut self, parameter: &'static str, value: Argument) {
        self.values.push((parameter, value));
    }

    /// Whether a parameter has a value.
    pub fn has(&self, parameter: &str) -> bool {
        self.values.iter().any(|(name, _)| *name == parameter)
    }

    /// A number within a byte, where it is given.
    pub fn byte(&self, parameter: &'static str) -> Result<Option<u8>, ArgumentError> {
        let Some(number) = self.number(parameter) else { return Ok(None) };
        u8::try_from(number)
            .map(Some)
            .map_err(|_| self.unfit(parameter, "a number from 0 to 255".into(), number.to_string()))
    }

    /// A number within a byte.
    pub fn needed_byte(&self, parameter: &'static str) -> Result<u8, ArgumentError> {
        self.byte(parameter)?.ok_or(self.missing(parameter))
    }

    /// A number, where it is given.
    pub fn number(&self, parameter: &str) -> Option<u32> {
        self.values.iter().find_map(|(name, value)| match value {
            Argument::Number(number) if *name == parameter => Some(*number),
            _ => None,
        })
    }

    /// Bytes, where they are given.
    pub fn bytes(&self, parameter: &str) -> Option<&[u8]> {
        self.values.iter().find_map(|(name, value)| match value {
            Argument::Bytes(bytes) if *name == parameter => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// Bytes.
    pub fn needed_bytes(&self, parameter: &'static str) -> Result<&[u8], ArgumentError> {
        self.bytes(parameter).ok_or(self.missing(parameter))
    }

    /// Exactly `N` bytes.
    pub fn array<const N: usize>(&self, parameter: &'static str) -> Result<[u8; N], ArgumentError> {
        let bytes = self.needed_bytes(parameter)?;
        bytes
            .try_into()
            .map_err(|_| self.unfit(parameter, format!("{N} bytes"), format!("{} bytes", bytes.len())))
    }

    /// A tag.
    pub fn tag(&self, parameter: &'static str) -> Result<Tag, ArgumentError> {
        let given = self.values.iter().find_map(|(name, value)| match value {
            Argument::Tag(tag) if *name == parameter => Some(*tag),
            _ => None,
        });
        given.ok_or(self.missing(parameter))
    }

    /// A word or digits, where they are given.
    pub fn text(&self, parameter: &str) -> Option<&str> {
        self.values.iter().find_map(|(name, value)| match value {
            Argument::Text(text) if *name == parameter => Some(text.as_str()),
            _ => None,
        })
    }

    /// The error of a value that does not fit.
    pub fn unfit(&self, parameter: &'static str, expected: String, found: String) -> ArgumentError {
        ArgumentError::Unfit { command: self.command, parameter, expected, found }
    }

    /// The error of a value that is not there.
    pub fn missing(&self, parameter: &'static str) -> ArgumentError {
        ArgumentError::Missing { command: self.command, parameter }
    }
}
