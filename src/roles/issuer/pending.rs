//! Pending accounts (待补登): money for a card, such as wages or subsidies, that
//! waits until the card is loaded with it.

use super::ledger::Book;
use super::work::Work;
use super::{AccountId, IssuerError};
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};

impl Work<'_> {
    /// Credits a card's pending account, from an account or from outside the books.
    pub(super) fn credit_pending(
        &mut self,
        pan: &Pan,
        psn: u8,
        amount: Amount,
        from: Option<&AccountId>,
    ) -> Result<(), IssuerError> {
        let card = self.find_card(pan.expose(), psn)?.ok_or(IssuerError::NoSuchCard { psn })?;
        let linked = self.find_linked(&card.id, amount.currency)?;
        if linked.and_then(|linked| linked.ecash).is_none() {
            return Err(IssuerError::Order {
                expected: "a card with electronic cash in the currency",
                found: amount.currency.to_string(),
            });
        }
        if let Some(from) = from {
            let found = self.account_currency(&from.0)?;
            if found != amount.currency {
                let (id, expected) = (from.0.clone(), amount.currency);
                return Err(IssuerError::AccountCurrency { id, expected, found });
            }
        }
        self.open_book_once(Book::Pending(&card.id), amount.currency)?;
        let source = from.map_or(Book::Opening, |from| Book::Account(&from.0));
        if !self.transfer("pending credited", &card.id, source, Book::Pending(&card.id), amount)? {
            return Err(IssuerError::Order {
                expected: "an account that holds the amount",
                found: format!("less than {amount}"),
            });
        }
        self.say_amount("Pending Credited", amount, "it waits for the card's next load from pending");
        Ok(())
    }

    /// What waits for a card.
    pub(super) fn pending_of(
        &mut self,
        pan: &Pan,
        psn: u8,
        currency: Currency,
    ) -> Result<Amount, IssuerError> {
        let card = self.find_card(pan.expose(), psn)?.ok_or(IssuerError::NoSuchCard { psn })?;
        let minor = self.balance_minor(Book::Pending(&card.id), currency)?;
        Ok(Amount::new(super::work::minor("balance", minor)?, currency))
    }
}
