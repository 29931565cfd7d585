//! Tags: ISO/IEC 8825-1 8.1.2, as EMV Book 3 B1 restricts them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A BER-TLV tag of one to three bytes, held as one big-endian number: `9F79`
/// is `Tag(0x9F79)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Tag(pub u32);

impl Tag {
    /// Whether the value is a list of data objects (bit 6 of the first byte).
    pub fn is_constructed(self) -> bool {
        self.bytes().0[0] & 0x20 != 0
    }

    /// The bytes on the wire and how many of them count.
    fn bytes(self) -> ([u8; 4], usize) {
        let raw = self.0.to_be_bytes();
        let skip = raw.iter().take(3).take_while(|byte| **byte == 0).count();
        let mut out = [0; 4];
        out[..4 - skip].copy_from_slice(&raw[skip..]);
        (out, 4 - skip)
    }

    /// The bytes on the wire.
    pub fn to_bytes(self) -> Vec<u8> {
        let (bytes, length) = self.bytes();
        bytes[..length].to_vec()
    }

    /// Number of bytes on the wire.
    pub fn length_bytes(self) -> usize {
        self.bytes().1
    }

    /// Reads hexadecimal text that is exactly one tag.
    pub fn parse_text(text: &str) -> Option<Self> {
        let bytes = crate::base::bytes::parse_hex(text).ok()?;
        let (rest, tag) = super::element::tag(&bytes).ok()?;
        rest.is_empty().then_some(tag)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, length) = self.bytes();
        crate::base::bytes::Hex(&bytes[..length]).fmt(f)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.to_string()
    }
}

impl TryFrom<String> for Tag {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse_text(&text).ok_or_else(|| format!("expected a tag such as 9F79, found {text:?}"))
    }
}
