//! Refund of an electronic cash sale (电子现金脱机退货; 0220, F60.1 27), once for each
//! message. The card itself is not raised: nobody but a load can do that. The money goes
//! from the merchant to the account that is linked to the card, else to the card's pending
//! account, which its next load from pending collects. That is our reading: public sources
//! give the codes of the message and no more.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::decision::Refusal;
use super::ledger::{self, Book};
use super::work::{Work, column, minor};
use crate::air::host::{Answer, Original, Request, ResponseCode};
use crate::words::iso4217::Amount;

impl Work<'_> {
    /// Books a refund.
    pub(super) fn advise_refund(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        match self.take_refund(request) {
            Ok(id) => {
                let answer = Answer::new(ResponseCode::APPROVED, "the refund is booked");
                Ok(Acted { answer, on: Some(id) })
            }
            Err(Stop::Refuse(refusal)) => Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    fn take_refund(&mut self, request: &Request) -> Result<String, Stop> {
        let (amount, key) = (request.amount, &request.key);
        if amount.minor == 0 || amount.minor > Amount::MAX_MINOR {
            let reason = "the amount is 0 or has more than 12 digits";
            return Err(Refusal::new(ResponseCode::INVALID_AMOUNT, reason).into());
        }
        let card = self
            .held_card()
            .ok_or_else(|| Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number"))?;
        let no = |reason: &str| Refusal::new(ResponseCode::NO_ORIGINAL, reason);
        let Original { batch, trace } =
            request.original.ok_or_else(|| no("a refund must name the sale (F61)"))?;
        let rows = self
            .tx
            .query(
                "SELECT id, card, merchant, currency, amount, state FROM offline_sale \
                 WHERE terminal = $1 AND batch = $2 AND trace = $3 ORDER BY at DESC LIMIT 1",
                &[key.terminal.as_str().into(), i64::from(batch).into(), i64::from(trace).into()],
            )
            .map_err(IssuerError::from)?;
        let sale = rows
            .first()
            .ok_or_else(|| no("no offline sale of this terminal has this trace: upload it first"))?;
        let text = |column| sale.text(column).map_err(IssuerError::from);
        if text(2)? != key.merchant {
            return Err(no("the sale is of another merchant").into());
        }
        if text(1)? != card.id {
            return Err(no("the sale was paid with another card").into());
        }
        if ledger::currency(sale, 3)? != amount.currency {
            return Err(no("the sale was in another currency").into());
        }
        if text(5)? != "booked" {
            let reason = format!("the sale is {}, and not paid to its merchant", text(5)?);
            return Err(Refusal::new(ResponseCode::INVALID_TRANSACTION, reason).into());
        }
        let sold_minor = minor("offline_sale", sale.int(4).map_err(IssuerError::from)?)?;
        let sale = text(0)?.to_owned();
        if self.refunded_minor(&sale)?.saturating_add(amount.minor) > sold_minor {
            let reason = "the refunds would come to more than the sale";
            return Err(Refusal::new(ResponseCode::LIMIT_EXCEEDED, reason).into());
        }
        let linked = self.find_linked(&card.id, amount.currency)?;
        let account = linked.and_then(|linked| linked.account);
        let to = match &account {
            Some(account) => Book::Account(account),
            None => Book::Pending(&card.id),
        };
        if account.is_none() {
            self.open_book_once(to, amount.currency)?;
        }
        let id = self.new_id();
        self.transfer("refund", &id, Book::Merchant(&key.merchant), to, amount)?;
        let at = self.now().micros();
        self.tx
            .execute(
                "INSERT INTO refund (id, sale, currency, amount, merchant, counter, counter_holder, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    id.as_str().into(),
                    sale.into(),
                    i64::from(amount.currency.0).into(),
                    column(amount.minor)?.into(),
                    key.merchant.as_str().into(),
                    to.kind().into(),
                    to.holder().into(),
                    at.into(),
                ],
            )
            .map_err(IssuerError::from)?;
        self.say_amount("Refund Booked", amount, "merchant to the holder of the card");
        Ok(id)
    }

    /// What the refunds of a sale come to.
    fn refunded_minor(&mut self, sale: &str) -> Result<u64, IssuerError> {
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM refund WHERE sale = $1",
            &[sale.into()],
        )?;
        rows.first().map_or(Ok(0), |row| minor("refund", row.int(0)?))
    }
}
