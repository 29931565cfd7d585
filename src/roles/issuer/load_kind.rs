//! Why a script writes a card's balance. Where the money of such a row is, may not enter.

use super::IssuerError;
use crate::air::host::Kind;

/// Why a script writes a card's balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoadKind {
    /// Load from the linked account.
    Linked,
    /// Load that was paid in cash.
    Cash,
    /// Load from the card's pending account.
    Pending,
    /// Load from the account of another card.
    NonLinked,
    /// Void of a load that was paid in cash.
    CashVoid,
    /// Unload to the linked account.
    Unload,
}

impl LoadKind {
    const ALL: [Self; 6] =
        [Self::Linked, Self::Cash, Self::Pending, Self::NonLinked, Self::CashVoid, Self::Unload];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Cash => "cash",
            Self::Pending => "pending",
            Self::NonLinked => "non-linked",
            Self::CashVoid => "cash void",
            Self::Unload => "unload",
        }
    }

    /// Whether the script writes a lower balance.
    pub const fn lowers_card(self) -> bool {
        matches!(self, Self::CashVoid | Self::Unload)
    }

    /// Tag 9C, which the card signs: the first two digits of the processing code.
    pub(super) const fn transaction_type(self) -> u8 {
        match self {
            Self::Linked | Self::Pending => 0x60,
            Self::Cash => 0x63,
            Self::NonLinked => 0x62,
            Self::CashVoid => 0x17,
            Self::Unload => 0x61,
        }
    }

    /// What a request asks for, where it asks for a script.
    pub(super) const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::LinkedLoad => Some(Self::Linked),
            Kind::CashLoad => Some(Self::Cash),
            Kind::PendingLoad => Some(Self::Pending),
            Kind::NonLinkedLoad => Some(Self::NonLinked),
            Kind::CashLoadVoid => Some(Self::CashVoid),
            Kind::UnloadScript => Some(Self::Unload),
            _ => None,
        }
    }

    /// The kind of a word in the table.
    pub(super) fn of_word(word: &str) -> Result<Self, IssuerError> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| IssuerError::Corrupt {
            table: "load",
            expected: "a kind of load or unload",
            found: word.to_owned(),
        })
    }
}
