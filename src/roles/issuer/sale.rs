//! An offline sale is uploaded (JR/T 0025.13; F60.1 36). The TC is verified again;
//! the sale is known by card, counter and TC, so two ways of uploading never book
//! it twice.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::claim::Proven;
use super::decision::{self, Refusal, ToldBalance, Verified};
use super::ledger::Book;
use super::work::{Work, column};
use crate::air::host::{Answer, Request, ResponseCode};
use crate::words::iso4217::Amount;
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
        let id = match self.prove_claim(request, &card.id, &verified)? {
            Proven::Booked => None,
            Proven::Claim(id) => Some(id),
            Proven::Nothing => self.insert_sale(request, &card.id, &verified)?,
        };
        let Some(id) = id else {
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
        let payer = account.as_deref().map_or(Book::Card(&card.id), Book::Account);
        let reason = match self.book_sale(&id, payer, &request.key.merchant, request.amount)? {
            None => "the sale is booked".to_owned(),
            Some(why) => why,
        };
        Ok(Acted { answer: Answer::new(ResponseCode::APPROVED, reason), on: Some(id) })
    }

    /// Pays the merchant of a sale; else says why not. The merchant's claim stands in the
    /// row then, and the ledger has nothing to pay it from yet.
    pub(super) fn book_sale(
        &mut self,
        id: &str,
        payer: Book<'_>,
        merchant: &str,
        amount: Amount,
    ) -> Result<Option<String>, IssuerError> {
        if self.transfer("offline sale", id, payer, Book::Merchant(merchant), amount)? {
            self.say_amount("Sale Booked", amount, "the card is proven to have paid; the merchant is paid");
            return Ok(None);
        }
        let (state, why) = match payer {
            Book::Account(_) => ("unfunded", "the account holds less than the card has paid"),
            _ => ("held", "the card has paid more than its shadow holds"),
        };
        self.tx.execute("UPDATE offline_sale SET state = $1 WHERE id = $2", &[state.into(), id.into()])?;
        self.say("Alarm", format!("{why}; the sale is {state}"));
        Ok(Some(format!("the sale is {state}: {why}")))
    }

    fn insert_sale(
        &mut self,
        request: &Request,
        card: &str,
        verified: &Verified,
    ) -> Result<Option<String>, IssuerError> {
        let id = self.new_id();
        let (tc, atc) = (verified.proof.cryptogram.as_slice(), verified.proof.atc);
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
