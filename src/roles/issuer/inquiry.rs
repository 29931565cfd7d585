//! Balance inquiry: what the linked account may spend. Nothing moves.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::decision::Refusal;
use super::ledger::Book;
use super::present::Presented;
use super::work::{Work, minor};
use crate::air::host::{Request, ResponseCode};
use crate::words::iso4217::Amount;

impl Work<'_> {
    /// Answers an inquiry.
    pub(super) fn authorise_inquiry(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let presented = match self.present(request) {
            Ok(presented) => presented,
            Err(Stop::Refuse(refusal)) => return Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => return Err(error),
        };
        let acted = match self.tell_balance(request, &presented) {
            Ok(balance) => {
                let mut answer = self.approved(&presented.verified, "the account's available balance")?;
                answer.balance = Some(balance);
                Acted::nothing(answer)
            }
            Err(Stop::Refuse(refusal)) => self.refuse(request, &presented, refusal)?,
            Err(Stop::Fail(error)) => return Err(error),
        };
        self.with_script(acted, &presented)
    }

    fn tell_balance(&mut self, request: &Request, presented: &Presented) -> Result<Amount, Stop> {
        let linked = self.admit(request, &presented.card, true)?;
        let account = linked.account.ok_or_else(|| {
            Refusal::new(ResponseCode::INVALID_TRANSACTION, "the card has no linked account")
        })?;
        let currency = request.amount.currency;
        let balance = self.balance_minor(Book::Account(&account), currency)?;
        Ok(Amount::new(minor("balance", balance)?, currency))
    }
}
