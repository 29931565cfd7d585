//! Application identifiers: ISO/IEC 7816-4 8.2.1.2.

use crate::base::bytes::{Hex, parse_hex};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An application identifier or DF name, 1 to 16 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Aid(Vec<u8>);

impl Aid {
    /// From 1 to 16 bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (1..=16).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The registered application provider identifier, where it is five bytes long.
    pub fn rid(&self) -> Option<[u8; 5]> {
        self.0.get(..5)?.try_into().ok()
    }

    /// Partial name matching: whether this name begins with `prefix`.
    pub fn begins_with(&self, prefix: &[u8]) -> bool {
        self.0.starts_with(prefix)
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aid({self})")
    }
}

impl From<Aid> for String {
    fn from(aid: Aid) -> Self {
        aid.to_string()
    }
}

impl TryFrom<String> for Aid {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = parse_hex(&text).map_err(|error| error.to_string())?;
        Self::new(bytes).ok_or_else(|| format!("expected an AID of 1 to 16 bytes, found {text:?}"))
    }
}
