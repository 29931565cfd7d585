//! Pending accounts (待补登): money for a card, such as wages or subsidies, that
//! waits until the card is loaded with it.

use super::ledger::Book;
use super::limits::{Party, Way};
use super::usage::Movement;
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
        if linked.as_ref().and_then(|linked| linked.ecash).is_none() {
            return Err(IssuerError::Order {
                expected: "a card with electronic cash in the currency",
                found: amount.currency.to_string(),
            });
        }
        let own = linked.and_then(|linked| linked.account);
        let movement = match from {
            Some(from) => Some(self.out_of(from, own.as_deref() == Some(&from.0), amount)?),
            None => None,
        };
        self.open_book_once(Book::Pending(&card.id), amount.currency)?;
        let source = from.map_or(Book::Opening, |from| Book::Account(&from.0));
        if !self.transfer("pending credited", &card.id, source, Book::Pending(&card.id), amount)? {
            return Err(IssuerError::Order {
                expected: "an account that holds the amount",
                found: format!("less than {amount}"),
            });
        }
        if let Some(movement) = &movement {
            self.count(movement)?;
        }
        self.say_amount("Pending Credited", amount, "it waits for the card's next load from pending");
        Ok(())
    }

    /// What a credit takes out of an account, where its class allows it.
    fn out_of<'b>(
        &mut self,
        from: &'b AccountId,
        own: bool,
        amount: Amount,
    ) -> Result<Movement<'b>, IssuerError> {
        let found = self.account_currency(&from.0)?;
        if found != amount.currency {
            let (id, expected) = (from.0.clone(), amount.currency);
            return Err(IssuerError::AccountCurrency { id, expected, found });
        }
        let (class, _) = self.class_of(&from.0)?;
        let party = if own { Party::OwnCard } else { Party::OtherCard };
        let movement = Movement { account: &from.0, class, way: Way::Out, party, amount, at: self.now() };
        self.must_allow(&movement)?;
        Ok(movement)
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
