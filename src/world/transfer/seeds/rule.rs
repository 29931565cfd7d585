//! The rules of a transfer by name, phones' and host's in one list.

use crate::roles::p2p::transfer::TransferRule;

/// A rule that can be switched off, to see that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// One of the phones'.
    Phone(TransferRule),
    /// The host's: a transfer is one row.
    OneRow,
}

impl Rule {
    /// Every rule.
    pub fn all() -> impl Iterator<Item = Self> {
        TransferRule::ALL.iter().copied().map(Self::Phone).chain([Self::OneRow])
    }

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Phone(rule) => rule.word(),
            Self::OneRow => "one-row",
        }
    }

    /// The rule of a name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::all().find(|rule| rule.word() == word)
    }
}
