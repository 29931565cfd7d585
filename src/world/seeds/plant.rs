//! Bugs that are planted on purpose, to see that the worlds find them. Each is a
//! wrapper around a healthy role.

use super::carried::Carried;
use super::withheld::{Until, WithheldDb};
use crate::air::host::{
    Answer, Attended, Host, HostError, Kind, MessageClass, Request, ResponseCode, Settlement, Verb, send,
};
use crate::base::context::Context;
use crate::base::store::{Db, Value};
use crate::roles::issuer::{AccountId, Issuer};
use crate::roles::terminal::journal::{Change, Journal, JournalError, State};
use crate::words::emv::Pan;
use crate::words::iso4217::Currency;
use std::collections::HashSet;

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plant {
    /// The issuer takes the amount of a message that comes twice from the account twice.
    BooksTwice,
    /// The issuer approves a reversal that comes before its original, and forgets it.
    ForgetsReversal,
    /// The issuer answers that it gave back what it does not know.
    GuessesSettlement,
    /// The issuer approves an uploaded sale and does not book it.
    SwallowsUpload,
    /// The terminal reverses what is in doubt.
    ReversesDoubt,
    /// The terminal writes its journal after the step that a row names.
    JournalsLate,
    /// The card answers before its memory is written, and forgets when it is pulled.
    CardWritesLate,
}

/// The accounts behind the cards, by PAN and currency.
type Accounts = Vec<(Pan, Currency, AccountId)>;

impl Plant {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::BooksTwice,
        Self::ForgetsReversal,
        Self::GuessesSettlement,
        Self::SwallowsUpload,
        Self::ReversesDoubt,
        Self::JournalsLate,
        Self::CardWritesLate,
    ];

    /// Its name: `books-twice`, `reverses-doubt` ...
    pub const fn word(self) -> &'static str {
        match self {
            Self::BooksTwice => "books-twice",
            Self::ForgetsReversal => "forgets-reversal",
            Self::GuessesSettlement => "guesses-settlement",
            Self::SwallowsUpload => "swallows-upload",
            Self::ReversesDoubt => "reverses-doubt",
            Self::JournalsLate => "journals-late",
            Self::CardWritesLate => "card-writes-late",
        }
    }

    /// The one of a name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|plant| plant.word() == word)
    }

    /// The issuer as this bug makes it.
    pub(super) fn host(plant: Option<Self>, issuer: Issuer, cards: &[Carried]) -> Box<dyn Host> {
        match plant {
            Some(Self::BooksTwice) => {
                let accounts: Accounts = cards
                    .iter()
                    .flat_map(|card| {
                        let of = |(currency, id): &(Currency, AccountId)| {
                            Some((card.pan.clone()?, *currency, id.clone()))
                        };
                        card.accounts.iter().filter_map(of).collect::<Vec<_>>()
                    })
                    .collect();
                Box::new(BooksTwice { issuer, accounts, seen: HashSet::new() })
            }
            Some(Self::ForgetsReversal) => {
                let mut seen = HashSet::new();
                Box::new(Attended::by(issuer, move |host, verb, request, context| {
                    let mut key = request.key.clone();
                    key.class = MessageClass::Request;
                    match verb {
                        Verb::Reverse if !seen.contains(&key) => {
                            Ok(Answer::new(ResponseCode::APPROVED, "nothing is known of it"))
                        }
                        _ => {
                            seen.insert(key);
                            send(verb, host, request, context)
                        }
                    }
                }))
            }
            Some(Self::GuessesSettlement) => {
                Box::new(Attended::by(issuer, |host, verb, request, context| {
                    let mut answer = send(verb, host, request, context)?;
                    if answer.settlement == Some(Settlement::Open) {
                        answer.settlement = Some(Settlement::Returned);
                    }
                    Ok(answer)
                }))
            }
            Some(Self::SwallowsUpload) => {
                Box::new(Attended::by(issuer, |host, verb, request, context| match request.kind {
                    Kind::OfflineSale => Ok(Answer::new(ResponseCode::APPROVED, "noted")),
                    _ => send(verb, host, request, context),
                }))
            }
            _ => Box::new(issuer),
        }
    }

    /// The journal's store as this bug makes it.
    pub(super) fn store(plant: Option<Self>, store: Box<dyn Db>) -> Box<dyn Db> {
        match plant {
            Some(Self::JournalsLate) => {
                let is_row = |sql: &str, _: &[Value]| sql.contains("journal_row");
                Box::new(WithheldDb::new(store, is_row, Until::NextUse))
            }
            _ => store,
        }
    }

    /// What the terminal does before anything else.
    pub(super) fn before_the_step(
        plant: Option<Self>,
        journal: &mut Journal,
        context: &mut Context,
    ) -> Result<(), JournalError> {
        if plant != Some(Self::ReversesDoubt) {
            return Ok(());
        }
        for row in journal.open_rows()? {
            if row.sent && row.state.may_become(State::ReversalDue) {
                let change = Change::ReversalDue { reason: "no answer" };
                journal.write((row.batch, row.trace), &change, context)?;
            }
        }
        Ok(())
    }
}

/// [`Plant::BooksTwice`].
struct BooksTwice {
    issuer: Issuer,
    accounts: Accounts,
    seen: HashSet<crate::air::host::MessageKey>,
}

impl BooksTwice {
    fn book_again(&mut self, request: &Request, context: &mut Context) {
        let of = |row: &&(Pan, Currency, AccountId)| {
            row.0.expose() == request.pan.expose() && row.1 == request.amount.currency
        };
        if let Some((pan, _, account)) = self.accounts.iter().find(of) {
            // An account that holds less is left alone.
            let _ = self.issuer.credit_pending(pan, request.psn, request.amount, Some(account), context);
        }
    }
}

impl Host for BooksTwice {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        let answer = self.issuer.authorise(request, context)?;
        if !self.seen.insert(request.key.clone()) && answer.code.is_approved() {
            self.book_again(request, context);
        }
        Ok(answer)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.issuer.advise(request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.issuer.reverse(request, context)
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
