//! Where the money is, and whether it is all there (design: money).

use crate::base::context::Context;
use crate::roles::issuer::{Issuer, IssuerError};
use crate::roles::terminal::CardFacts;
use crate::roles::terminal::journal::{EntryKind, Journal, JournalError, State};
use crate::roles::terminal::purse::PurseBalance;
use crate::words::iso4217::{Amount, Currency};

/// Where the money of one currency is, in minor units. The sum is constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The currency.
    pub currency: Currency,
    /// The funding accounts, what is held of them, and the pending accounts, by the issuer's
    /// books, less what cards are lent by their overdraft limits.
    pub accounts_minor: i64,
    /// The card, by its own word.
    pub card_minor: i64,
    /// Loads that are on their way, and offline payments that are not uploaded.
    pub in_flight_minor: i64,
    /// The merchants, by the issuer's books, less the cash that they took for loads.
    pub merchants_minor: i64,
}

impl Position {
    /// Looks at books, journal and card; the journal of the terminal named `terminal`
    /// counts for what the books cannot know: payments not yet uploaded, scripts that
    /// the card has taken and the issuer has not been told of.
    pub fn of(
        currency: Currency,
        issuer: &mut Issuer,
        journal: &mut Journal,
        terminal: &str,
        card_minor: i64,
        context: &mut Context,
    ) -> Result<Self, PositionError> {
        let books = issuer.books(context)?.of(currency);
        let mut in_flight_minor = books.in_flight_minor;
        let mut taken = Vec::new();
        for row in journal.open_rows()? {
            if row.state == State::CardUpdated && row.amount.currency == currency {
                match row.kind {
                    EntryKind::OfflineSale | EntryKind::PursePurchase => {
                        in_flight_minor += row.amount.minor as i64
                    }
                    _ => taken.push((row.batch, row.trace)),
                }
            }
        }
        for load in issuer.open_loads(context)? {
            let (_, at, batch, trace) = &load.request;
            let has_taken = at == terminal && taken.contains(&(*batch, *trace));
            // In flight for the books and on the card in truth: a load that the card
            // has taken, an unload that it has not.
            if load.amount.currency == currency && has_taken != load.kind.lowers_card() {
                in_flight_minor -= load.amount.minor as i64;
            }
        }
        Ok(Self {
            currency,
            accounts_minor: books.accounts_minor
                + books.pending_minor
                + books.held_minor
                + books.credit_minor,
            card_minor,
            in_flight_minor,
            merchants_minor: books.merchants_minor + books.cash_minor,
        })
    }

    /// All of it.
    pub const fn total_minor(&self) -> i64 {
        self.accounts_minor + self.card_minor + self.in_flight_minor + self.merchants_minor
    }

    /// A part as an amount, with a minus sign where it is negative.
    pub fn show(&self, minor: i64) -> String {
        let sign = if minor < 0 { "-" } else { "" };
        format!("{sign}{}", Amount::new(minor.unsigned_abs(), self.currency))
    }
}

/// The stored balance that a card tells in a currency, minor units; 0 where it has none.
pub(super) fn card_balance(facts: &CardFacts, currency: Currency) -> u64 {
    let sets = facts.applications.iter().flat_map(|application| &application.ecash);
    let ecash = sets.filter(|set| set.currency == currency).filter_map(|set| set.balance.known());
    ecash.map(|amount| amount.minor).sum()
}

/// What a card is worth in a currency, minor units: its electronic cash, and what its purses can
/// spend, with what they are lent.
pub(super) fn card_worth(facts: &CardFacts, currency: Currency) -> i64 {
    let balances = facts.purses.iter().flat_map(|purse| &purse.balances);
    let told = balances.filter(|balance| balance.balance.known().is_some_and(|b| b.currency == currency));
    card_balance(facts, currency) as i64 + told.filter_map(PurseBalance::spendable_minor).sum::<i64>()
}

/// Why the position could not be told.
#[derive(Debug, thiserror::Error)]
pub enum PositionError {
    /// The issuer failed.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
