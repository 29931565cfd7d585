//! How a card of the phone stands, and every way between the states.

use std::fmt;

/// How a card stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardState {
    /// It is being made: it does not answer.
    Making,
    /// It answers.
    Active,
    /// It is there and does not answer.
    Suspended,
    /// It is being closed: its money goes back, and nothing else is done with it.
    Closing,
    /// It is empty and being removed; what is left of it goes.
    Removing,
}

/// Every way. A card that is gone has no row.
const WAYS: &[(CardState, CardState)] = &[
    (CardState::Making, CardState::Active),
    (CardState::Making, CardState::Removing),
    (CardState::Active, CardState::Suspended),
    (CardState::Suspended, CardState::Active),
    (CardState::Active, CardState::Closing),
    (CardState::Suspended, CardState::Closing),
    (CardState::Active, CardState::Removing),
    (CardState::Suspended, CardState::Removing),
    (CardState::Closing, CardState::Removing),
];

impl CardState {
    /// Every state.
    pub const ALL: &'static [Self] =
        &[Self::Making, Self::Active, Self::Suspended, Self::Closing, Self::Removing];

    /// Whether there is a way.
    pub fn may_become(self, next: Self) -> bool {
        WAYS.contains(&(self, next))
    }

    /// Its word, in the store and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Making => "being made",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closing => "being closed",
            Self::Removing => "being removed",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.word() == word)
    }
}

impl fmt::Display for CardState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
