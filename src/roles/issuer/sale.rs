//! An offline sale is uploaded (JR/T 0025.13; F60.1 36). The TC is verified again;
//! the sale is known by card, counter and TC, so two ways of uploading never book
//! it twice.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::decision::{self, Refusal, ToldBalance, Verified};
use super::ledger::Book;
use super::work::{Work, column};
use crate::air::host::{Answer, Request, ResponseCode};
use crate::words::pboc::WantedCryptogram;

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
            .held_card()
            .ok_or_else(|| Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number"))?;
        let verified = decision::verify(request, &card, self.keys, self.rules, WantedCryptogram::Tc)?;
        let linked = self.find_linked(&card.id, request.amount.currency)?;
        let neither = "the card has neither electronic cash nor an account in this currency";
        let neither = || Refusal::new(ResponseCode::INVALID_TRANSACTION, neither);
        let linked = linked.ok_or_else(neither)?;
        // Electronic cash is paid out of the card's shadow, any other card's out of its account.
        let account = match linked.ecash {
            Some(_) => None,
            None => Some(linked.account.ok_or_else(neither)?),
        };
        let Some(id) = self.insert_sale(request, &card.id, &verified)? else {
            self.say("Sale Known", "card, counter and TC were uploaded before: nothing is booked again");
            return Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, "the sale was booked before")));
        };
        self.advance_atc(verified.proof.atc);
        if let ToldBalance::Proven(balance) = verified.balance {
            let (currency, shadow) = (request.amount.currency, linked.shadow_minor);
            self.check_shadow(&card.id, currency, shadow, verified.proof.atc, balance)?;
        }
        // The sale itself may prove that an open load has landed, which then pays for it.
        self.settle_by_evidence(&card.id)?;
        let merchant = Book::Merchant(&request.key.merchant);
        let payer = account.as_deref().map_or(Book::Card(&card.id), Book::Account);
        if self.transfer("offline sale", &id, payer, merchant, request.amount)? {
            self.say_amount("Sale Booked", request.amount, "the TC is right; the merchant is paid");
            return Ok(Acted {
                answer: Answer::new(ResponseCode::APPROVED, "the sale is booked"),
                on: Some(id),
            });
        }
        // The merchant's claim stands in the row; the ledger has nothing to pay it from yet.
        let (state, why) = match account {
            None => ("held", "the card has paid more than its shadow holds"),
            Some(_) => ("unfunded", "the account holds less than the card has paid"),
        };
        self.tx
            .execute("UPDATE offline_sale SET state = $1 WHERE id = $2", &[state.into(), id.as_str().into()])
            .map_err(IssuerError::from)?;
        self.say("Alarm", format!("{why}; the sale is {state}"));
        let answer = Answer::new(ResponseCode::APPROVED, format!("the sale is {state}: {why}"));
        Ok(Acted { answer, on: Some(id) })
    }

    fn insert_sale(
        &mut self,
        request: &Request,
        card: &str,
        verified: &Verified,
    ) -> Result<Option<String>, IssuerError> {
        let id = self.new_id();
        let at = self.now().micros();
        let changed = self.tx.execute(
            "INSERT INTO offline_sale (id, card, atc, tc, currency, amount, merchant, state, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'booked', $8) ON CONFLICT DO NOTHING",
            &[
                id.as_str().into(),
                card.into(),
                i64::from(verified.proof.atc).into(),
                verified.proof.cryptogram.as_slice().into(),
                i64::from(request.amount.currency.0).into(),
                column(request.amount.minor)?.into(),
                request.key.merchant.as_str().into(),
                at.into(),
            ],
        )?;
        Ok((changed == 1).then_some(id))
    }
}
