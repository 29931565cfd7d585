//! A card of the phone as its row has it.

use super::{CardState, WalletError};
use crate::base::bytes::Secret;
use crate::base::store::{Row, SealKey, Sealed};
use serde::de::DeserializeOwned;

/// What the sealed part of a row is for.
pub(super) const DETAIL: &str = "wallet.card";

/// The columns of [`WalletCard::of_row`], in order.
pub(super) const COLUMNS: &str = "name, kind, state, last_four, detail";

/// What kind of card it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardKind {
    /// A small electronic cash account.
    Ecash,
    /// A token that stands for a physical card.
    Token,
}

impl CardKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Ecash, Self::Token];

    /// Its word, in the store and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ecash => "e-cash account",
            Self::Token => "token",
        }
    }

    /// How names of cards of this kind begin where nobody chose one.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Ecash => "ecash",
            Self::Token => "card",
        }
    }
}

/// A card of the phone.
#[derive(Debug, Clone)]
pub struct WalletCard {
    /// Its name in this phone.
    pub name: String,
    /// What it is.
    pub kind: CardKind,
    /// How it stands.
    pub state: CardState,
    /// The last four digits of the number that it shows a terminal.
    pub last_four: String,
    detail: Secret<Vec<u8>>,
}

impl WalletCard {
    /// What its kind keeps of it, as it was written.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, WalletError> {
        serde_json::from_slice(self.detail.expose())
            .map_err(|_| WalletError::Column { name: self.name.clone(), column: "detail" })
    }

    /// Refuses a card of another kind than `kind`.
    pub fn must_be(&self, kind: CardKind) -> Result<(), WalletError> {
        if self.kind == kind {
            return Ok(());
        }
        let (expected, found) = (kind.word(), self.kind.word());
        Err(WalletError::Kind { name: self.name.clone(), expected, found })
    }

    pub(super) fn of_row(row: &Row, seal: &SealKey) -> Result<Self, WalletError> {
        let name = row.text(0)?.to_owned();
        let unexpected = |column| WalletError::Column { name: name.clone(), column };
        let kind = CardKind::ALL.iter().copied().find(|kind| row.text(1).is_ok_and(|w| w == kind.word()));
        let state = CardState::from_word(row.text(2)?);
        Ok(Self {
            kind: kind.ok_or_else(|| unexpected("kind"))?,
            state: state.ok_or_else(|| unexpected("state"))?,
            last_four: row.text(3)?.to_owned(),
            detail: Sealed(row.bytes(4)?.to_vec()).open(seal, DETAIL)?,
            name,
        })
    }
}
