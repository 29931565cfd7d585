//! A set of data objects by tag, in the order they were put.

use super::{Tag, encode_into};
use serde::{Deserialize, Serialize};

/// Data objects that a transaction has gathered. Putting a tag again replaces
/// its value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TlvStore(Vec<(Tag, Vec<u8>)>);

impl TlvStore {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a tag.
    pub fn value(&self, tag: Tag) -> Option<&[u8]> {
        self.0.iter().find(|(t, _)| *t == tag).map(|(_, value)| value.as_slice())
    }

    /// The value of a tag where it has exactly `N` bytes.
    pub fn array<const N: usize>(&self, tag: Tag) -> Option<[u8; N]> {
        self.value(tag)?.try_into().ok()
    }

    /// Whether the tag is there.
    pub fn has(&self, tag: Tag) -> bool {
        self.value(tag).is_some()
    }

    /// Puts a value; the earlier one, if any, is returned.
    pub fn put(&mut self, tag: Tag, value: impl Into<Vec<u8>>) -> Option<Vec<u8>> {
        match self.0.iter_mut().find(|(t, _)| *t == tag) {
            Some(slot) => Some(std::mem::replace(&mut slot.1, value.into())),
            None => {
                self.0.push((tag, value.into()));
                None
            }
        }
    }

    /// Adds a value behind those that the tag has; [`Self::value`] gives the first of them.
    pub fn push(&mut self, tag: Tag, value: impl Into<Vec<u8>>) {
        self.0.push((tag, value.into()));
    }

    /// Takes a value out.
    pub fn remove(&mut self, tag: Tag) -> Option<Vec<u8>> {
        let index = self.0.iter().position(|(t, _)| *t == tag)?;
        Some(self.0.remove(index).1)
    }

    /// The data objects in the order they were first put.
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &[u8])> {
        self.0.iter().map(|(tag, value)| (*tag, value.as_slice()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as BER-TLV.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (tag, value) in &self.0 {
            encode_into(&mut out, *tag, value);
        }
        out
    }

    /// Reads data objects that stand side by side; of two with one tag the first stays.
    pub fn parse(bytes: &[u8]) -> Result<Self, super::TlvError> {
        Self::parse_repeating(bytes, &[])
    }

    /// The same, with every value of the tags that may come several times.
    pub fn parse_repeating(bytes: &[u8], repeating: &[Tag]) -> Result<Self, super::TlvError> {
        let mut out = Self::new();
        for element in super::parse(bytes)? {
            if repeating.contains(&element.tag) || !out.has(element.tag) {
                out.push(element.tag, element.value);
            }
        }
        Ok(out)
    }
}

impl<V: Into<Vec<u8>>> FromIterator<(Tag, V)> for TlvStore {
    fn from_iter<I: IntoIterator<Item = (Tag, V)>>(iter: I) -> Self {
        let mut out = Self::new();
        for (tag, value) in iter {
            out.put(tag, value);
        }
        out
    }
}
