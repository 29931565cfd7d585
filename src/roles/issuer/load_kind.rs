//! Why a script writes a card's balance, or a host's MAC2 a purse's. Where the money of such a row is, may not enter.

use super::IssuerError;
use crate::air::host::{Kind, Side};

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
    /// Raise of a deposit's overdraft limit: the bank lends the card what it is raised by.
    OverdraftRaise,
    /// Cut of a deposit's overdraft limit: the card gives up what it is cut by.
    OverdraftCut,
}

impl LoadKind {
    const ALL: [Self; 8] = [
        Self::Linked,
        Self::Cash,
        Self::Pending,
        Self::NonLinked,
        Self::CashVoid,
        Self::Unload,
        Self::OverdraftRaise,
        Self::OverdraftCut,
    ];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Cash => "cash",
            Self::Pending => "pending",
            Self::NonLinked => "non-linked",
            Self::CashVoid => "cash void",
            Self::Unload => "unload",
            Self::OverdraftRaise => "overdraft raise",
            Self::OverdraftCut => "overdraft cut",
        }
    }

    /// Whether the card can spend less afterwards.
    pub const fn lowers_card(self) -> bool {
        matches!(self, Self::CashVoid | Self::Unload | Self::OverdraftCut)
    }

    /// How a terminal's batch counts it; none of a limit, which moves no money of the holder's.
    pub(super) const fn side(self) -> Option<Side> {
        match self {
            Self::Linked | Self::Cash | Self::Pending | Self::NonLinked => Some(Side::Debit),
            Self::CashVoid | Self::Unload => Some(Side::Credit),
            Self::OverdraftRaise | Self::OverdraftCut => None,
        }
    }

    /// Tag 9C, which the card signs: the first two digits of the processing code.
    pub(super) const fn transaction_type(self) -> u8 {
        match self {
            Self::Linked | Self::Pending => 0x60,
            Self::Cash => 0x63,
            Self::NonLinked => 0x62,
            Self::CashVoid => 0x17,
            Self::Unload => 0x61,
            // Purses sign none.
            Self::OverdraftRaise | Self::OverdraftCut => 0x00,
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
