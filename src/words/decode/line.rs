//! One line of an explanation. How it is shown is the caller's matter.

use crate::words::tlv::Tag;
use std::borrow::Cow;

/// One element, bit or part, at its place in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How deep it stands, from 0.
    pub depth: usize,
    /// Where it begins, in bytes from the start of what is explained.
    pub offset: usize,
    /// Its tag, where it has one.
    pub tag: Option<Tag>,
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its bytes; empty for a template, whose parts follow, and for a bit.
    pub value: Vec<u8>,
    /// What the bytes say; empty where they say nothing more.
    pub meaning: String,
}

impl Line {
    /// A line without tag, value and meaning.
    pub fn new(depth: usize, offset: usize, name: impl Into<Cow<'static, str>>) -> Self {
        Self { depth, offset, tag: None, name: name.into(), value: Vec::new(), meaning: String::new() }
    }

    /// The line of a set bit: byte from 1, bit 8 to 1, of a field that begins at `start`.
    pub fn bit(depth: usize, start: usize, byte: u8, bit: u8, words: &'static str) -> Self {
        let offset = start + usize::from(byte).saturating_sub(1);
        Self::new(depth, offset, format!("byte {byte} bit {bit}")).meaning(words)
    }

    /// Gives the tag.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Gives the bytes.
    #[must_use]
    pub fn value(mut self, value: impl Into<Vec<u8>>) -> Self {
        self.value = value.into();
        self
    }

    /// Gives the meaning.
    #[must_use]
    pub fn meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = meaning.into();
        self
    }
}
