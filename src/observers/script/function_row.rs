//! What a function of the language is, and what it may know of the case that calls it.
//! It reads and works out; it sends nothing.

use super::value::{Value, ValueError};
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::CryptogramError;
use crate::words::iso4217::Currency;
use crate::words::tlv::{Tag, TlvError};

/// A function: a row of the registry.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// What it gives.
    pub about: &'static str,
    /// Fewest arguments.
    pub least: usize,
    /// Most arguments.
    pub most: usize,
    /// What it does; as many arguments as it takes are given.
    pub call: fn(&[Value], &mut dyn Surroundings) -> Result<Value, FunctionError>,
}

/// What a function may know of the case.
pub trait Surroundings {
    /// A data element that the terminal has or the card has given.
    fn element(&self, tag: Tag) -> Option<Vec<u8>>;

    /// The first cryptogram of the transaction: scripts and the issuer's answer rest on it.
    fn first_cryptogram(&self) -> Option<[u8; 8]>;

    /// The terminal's currency.
    fn currency(&self) -> Currency;

    /// Today and so many days more, YYMMDD.
    fn date(&self, days: u32) -> [u8; 3];

    /// Bytes from the seed.
    fn random(&mut self, length: usize) -> Vec<u8>;
}

/// Why a function gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// An argument of another kind.
    #[error("{what}: {cause}")]
    Argument {
        /// Which.
        what: &'static str,
        /// What is wrong with it.
        cause: ValueError,
    },
    /// An argument out of range.
    #[error("expected {expected} for the {what}, found {found}")]
    Range {
        /// Which.
        what: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A data element that nobody has given.
    #[error("expected data element {tag}, and neither the card nor the terminal has given it so far")]
    Element {
        /// Which.
        tag: Tag,
    },
    /// A name that is not known.
    #[error("there is no {what} called {found:?}; there are {known}")]
    Name {
        /// What kind of name.
        what: &'static str,
        /// What was written.
        found: String,
        /// What there is.
        known: String,
    },
    /// A cryptogram could not be worked out.
    #[error(transparent)]
    Cryptogram(#[from] CryptogramError),
    /// Bytes are no list.
    #[error("{what}: {cause}")]
    Tlv {
        /// Which.
        what: &'static str,
        /// What is wrong.
        cause: TlvError,
    },
}

impl Function {
    /// Whether it takes so many arguments.
    pub fn takes(&self, count: usize) -> bool {
        (self.least..=self.most).contains(&count)
    }

    /// How many arguments it takes, in words.
    pub fn count(&self) -> String {
        let plural =
            |count: usize| if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") };
        match (self.least, self.most) {
            (least, most) if least == most => plural(least),
            (least, usize::MAX) => format!("at least {}", plural(least)),
            (least, most) => format!("{least} to {}", plural(most)),
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Function({})", self.name)
    }
}

/// The bytes of an argument.
pub(super) fn bytes(value: &Value, what: &'static str) -> Result<Vec<u8>, FunctionError> {
    value.bytes().map_err(|cause| FunctionError::Argument { what, cause })
}

/// Exactly `N` bytes of an argument.
pub(super) fn array<const N: usize>(value: &Value, what: &'static str) -> Result<[u8; N], FunctionError> {
    value.array(what).map_err(|cause| FunctionError::Argument { what, cause })
}

/// A number of an argument, from 0 to `most`.
pub(super) fn count(value: &Value, what: &'static str, most: usize) -> Result<usize, FunctionError> {
    let number = value.number().map_err(|cause| FunctionError::Argument { what, cause })?;
    usize::try_from(number).ok().filter(|number| *number <= most).ok_or_else(|| FunctionError::Range {
        what,
        expected: format!("a number from 0 to {most}"),
        found: number.to_string(),
    })
}

/// A data element that must have been given.
pub(super) fn element(tag: Tag, surroundings: &dyn Surroundings) -> Result<Vec<u8>, FunctionError> {
    surroundings.element(tag).ok_or(FunctionError::Element { tag })
}

/// The first cryptogram of the transaction, which must have been given.
pub(super) fn first_cryptogram(surroundings: &dyn Surroundings) -> Result<[u8; 8], FunctionError> {
    surroundings.first_cryptogram().ok_or(FunctionError::Element { tag: tag::APPLICATION_CRYPTOGRAM })
}

/// A data element of exactly `N` bytes that must have been given.
pub(super) fn element_array<const N: usize>(
    tag: Tag,
    surroundings: &dyn Surroundings,
) -> Result<[u8; N], FunctionError> {
    array(&Value::Bytes(element(tag, surroundings)?), "data element")
}
