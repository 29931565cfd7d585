//! An offline sale is uploaded (JR/T 0025.13; F60.1 36). The TC is verified again;
//! the sale is known by card, counter and TC, so two ways of uploading never book
//! it twice.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::claim::Proven;
use super::decision::{self, Refusal, ToldBalance, Verified, Wanted};
use super::ledger::Book;
use super::work::{Work, column};
use crate::air::host::{Answer, Request, ResponseCode};
use crate::words::iso4217::{Amount, Currency};

impl Work<'_> {
    /// Books a sale once.
    pub(super) fn advise_sale(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        match self.take_sale(request) {
            Ok(acted) => Ok(acted),
            Err(Stop::Refuse(refusal)) => Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    fn take_sale(&mut self, request: &Request) -> Result<Acted, Stop> {
        decision::check_amount(request)?;
        let card = self
            .find_card(request.pan.expose(), request.psn)?
            .ok_or_else(|| Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number"))?;
        let verified = decision::verify(request, &card, self.keys, self.rules, Wanted::Tc)?;
        self.must_have_ecash(&card.id, request.amount.currency)?;
        let known = "card, counter and TC were uploaded before: nothing is booked again";
        let id = match self.prove_claim(request, &card.id, &verified)? {
            Proven::Booked => None,
            Proven::Claim(id) => Some(id),
            Proven::Nothing => self.insert_sale(request, &card.id, &verified)?,
        };
        let Some(id) = id else {
            self.say("Sale Known", known);
            return Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, "the sale was booked before")));
        };
        self.advance_atc(&card.id, verified.atc)?;
        if let ToldBalance::Proven(balance) = verified.balance {
            self.check_shadow(&card.id, request.amount.currency, verified.atc, balance)?;
        }
        // The sale itself may prove that an open load has landed, which then pays for it.
        self.settle_by_evidence(&card.id)?;
        let reason = match self.book_sale(&id, &card.id, &request.key.merchant, request.amount)? {
            true => "the sale is booked",
            false => "the sale is held: the card's shadow is too low",
        };
        Ok(Acted { answer: Answer::new(ResponseCode::APPROVED, reason), on: Some(id) })
    }

    /// Pays the merchant of a sale out of its card's shadow. Where that is too low the
    /// merchant's claim stands in the row, and the ledger has nothing to pay it from yet.
    pub(super) fn book_sale(
        &mut self,
        id: &str,
        card: &str,
        merchant: &str,
        amount: Amount,
    ) -> Result<bool, IssuerError> {
        if self.transfer("offline sale", id, Book::Card(card), Book::Merchant(merchant), amount)? {
            self.say_amount("Sale Booked", amount, "the card is proven to have paid; shadow to merchant");
            return Ok(true);
        }
        self.tx.execute("UPDATE offline_sale SET state = 'held' WHERE id = $1", &[id.into()])?;
        self.say("Alarm", "the card has paid more than its shadow holds; the sale is held");
        Ok(false)
    }

    /// Refuses what only electronic cash can do.
    pub(super) fn must_have_ecash(&mut self, card: &str, currency: Currency) -> Result<(), Stop> {
        let linked = self.find_linked(card, currency)?;
        if linked.and_then(|linked| linked.ecash).is_none() {
            let reason = "the card has no electronic cash in this currency";
            return Err(Refusal::new(ResponseCode::INVALID_TRANSACTION, reason).into());
        }
        Ok(())
    }

    fn insert_sale(
        &mut self,
        request: &Request,
        card: &str,
        verified: &Verified,
    ) -> Result<Option<String>, IssuerError> {
        let id = self.new_id();
        let (tc, atc) = (verified.cryptogram.as_slice(), verified.atc);
        Ok(self.insert_sale_row(&id, request, card, atc, tc, "booked")?.then_some(id))
    }

    /// `false` where card, counter and certificate have a row.
    pub(super) fn insert_sale_row(
        &mut self,
        id: &str,
        request: &Request,
        card: &str,
        atc: u16,
        tc: &[u8],
        state: &'static str,
    ) -> Result<bool, IssuerError> {
        let (key, at) = (&request.key, self.now().micros());
        let changed = self.tx.execute(
            "INSERT INTO offline_sale (id, card, atc, tc, currency, amount, merchant, terminal, batch, trace, \
             state, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
            &[
                id.into(),
                card.into(),
                i64::from(atc).into(),
                tc.into(),
                i64::from(request.amount.currency.0).into(),
                column(request.amount.minor)?.into(),
                key.merchant.as_str().into(),
                key.terminal.as_str().into(),
                i64::from(key.batch).into(),
                i64::from(key.trace).into(),
                state.into(),
                at.into(),
            ],
        )?;
        Ok(changed == 1)
    }
}
