//! Bugs that are planted on purpose, to see that the worlds of phones find them. Each is a
//! wrapper around a healthy host or around a phone's store.

use crate::air::host::{Answer, Attended, Host, Kind, Request, ResponseCode, send};
use crate::base::store::{Db, Value};
use crate::roles::issuer::{AccountId, Issuer};
use crate::roles::p2p::transfer::TransferState;
use crate::words::dictionary::tag;
use crate::words::transfer::{Offer, PhoneId, Signed};
use crate::world::seeds::{Until, WithheldDb};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plant {
    /// The host moves the money again when it is told a second time.
    BooksTwice,
    /// The host approves what a phone tells it, and books nothing.
    SwallowsTransfer,
    /// A phone does not count its agreements: all have one number.
    NumbersAlike,
    /// A phone says that it keeps an agreement, and does not.
    ForgetsKept,
    /// A phone writes its book after the step that a row names.
    WritesLate,
}

impl Plant {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::BooksTwice, Self::SwallowsTransfer, Self::NumbersAlike, Self::ForgetsKept, Self::WritesLate];

    /// Its name: `books-twice`, `forgets-kept` ...
    pub const fn word(self) -> &'static str {
        match self {
            Self::BooksTwice => "books-twice",
            Self::SwallowsTransfer => "swallows-transfer",
            Self::NumbersAlike => "numbers-alike",
            Self::ForgetsKept => "forgets-kept",
            Self::WritesLate => "writes-late",
        }
    }

    /// The one of a name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|plant| plant.word() == word)
    }

    /// The host as this bug makes it; `books` are its own, and `accounts` those of the phones.
    pub(super) fn host(
        plant: Option<Self>,
        issuer: Issuer,
        mut books: Issuer,
        accounts: Vec<(PhoneId, AccountId)>,
    ) -> Box<dyn Host> {
        match plant {
            Some(Self::BooksTwice) => {
                Box::new(Attended::by(issuer, move |host, verb, request: &Request, context| {
                    let offer = request.chip.value(tag::TRANSFER_OFFER).map(Signed::<Offer>::parse);
                    let Some(Ok(offer)) = offer else { return send(verb, host, request, context) };
                    let id = offer.id().to_string();
                    let rows = books.phone_transfers(context).unwrap_or_default();
                    let answer = send(verb, host, request, context)?;
                    let account = |phone| accounts.iter().find(|row| row.0 == phone).map(|row| &row.1);
                    let Offer { payer, payee, amount, .. } = offer.contents;
                    if rows.iter().any(|row| row.is_booked && row.id == id)
                        && let (Some(from), Some(to)) = (account(payer), account(payee))
                    {
                        // An account that holds less is left alone.
                        let _ = books.transfer(from, to, amount, context);
                    }
                    Ok(answer)
                }))
            }
            Some(Self::SwallowsTransfer) => {
                Box::new(Attended::by(issuer, |host, verb, request: &Request, context| match request.kind {
                    Kind::PhoneTransfer => Ok(Answer::new(ResponseCode::APPROVED, "noted")),
                    _ => send(verb, host, request, context),
                }))
            }
            _ => Box::new(issuer),
        }
    }

    /// A phone's store as this bug makes it.
    pub(super) fn store(plant: Option<Self>, store: Box<dyn Db>) -> Box<dyn Db> {
        let is_count = |sql: &str, _: &[Value]| sql.contains("SET sequence");
        let is_kept = |sql: &str, values: &[Value]| {
            sql.starts_with("UPDATE transfer SET state")
                && values.contains(&TransferState::Kept.word().into())
        };
        let is_row = |sql: &str, _: &[Value]| sql.contains("transfer ");
        match plant {
            Some(Self::NumbersAlike) => Box::new(WithheldDb::new(store, is_count, Until::Never)),
            Some(Self::ForgetsKept) => Box::new(WithheldDb::new(store, is_kept, Until::Never)),
            Some(Self::WritesLate) => Box::new(WithheldDb::new(store, is_row, Until::NextUse)),
            _ => store,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_has_a_name_of_its_own() {
        for plant in Plant::ALL {
            assert_eq!(Plant::from_word(plant.word()), Some(*plant));
        }
        assert_eq!(Plant::from_word("none"), None);
    }
}
