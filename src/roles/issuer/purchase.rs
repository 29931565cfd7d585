//! The online purchase on the linked account, with cash and cashback: the merchant hands
//! the cash out, so all of the amount is the merchant's.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::decision::Refusal;
use super::ledger::Book;
use super::limits::{Party, Way};
use super::present::Presented;
use super::usage::Movement;
use super::work::{Work, column};
use crate::air::host::{Kind, Request, ResponseCode};
use crate::base::bytes::bcd_to_u64;
use crate::base::env::Timestamp;
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;

/// Whether a request is decided on here.
pub(super) const fn is_one(kind: Kind) -> bool {
    matches!(kind, Kind::Purchase | Kind::PurchaseWithCashback | Kind::Cash)
}

impl Work<'_> {
    /// Decides on a purchase.
    pub(super) fn authorise_purchase(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let presented = match self.present(request) {
            Ok(presented) => presented,
            Err(Stop::Refuse(refusal)) => return Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => return Err(error),
        };
        let acted = match self.grant_purchase(request, &presented) {
            Ok(acted) => Ok(acted),
            Err(Stop::Refuse(refusal)) => self.refuse(request, &presented, refusal),
            Err(Stop::Fail(error)) => Err(error),
        };
        self.with_script(acted?, &presented)
    }

    /// Gives the money of a purchase back; `false` where that was done already.
    pub(super) fn undo_purchase(&mut self, id: &str) -> Result<bool, IssuerError> {
        let rows = self.tx.query(
            "SELECT account, merchant, amount, currency, at FROM purchase WHERE id = $1",
            &[id.into()],
        )?;
        let Some(row) = rows.first() else { return Ok(false) };
        let changed = self.tx.execute(
            "UPDATE purchase SET state = 'reversed' WHERE id = $1 AND state = 'booked'",
            &[id.into()],
        )?;
        if changed == 0 {
            return Ok(false);
        }
        let amount =
            Amount::new(super::work::minor("purchase", row.int(2)?)?, super::ledger::currency(row, 3)?);
        let (from, to) = (Book::Merchant(row.text(1)?), Book::Account(row.text(0)?));
        self.transfer("purchase reversed", id, from, to, amount)?;
        self.uncount(row.text(0)?, Way::Out, amount, Timestamp::from_micros(row.int(4)?))?;
        self.say_amount("Purchase Reversed", amount, "the account has the money back");
        Ok(true)
    }

    fn grant_purchase(&mut self, request: &Request, presented: &Presented) -> Result<Acted, Stop> {
        let Presented { card, verified } = presented;
        check_cash(request)?;
        let linked = self.admit(request, card, false)?;
        let account = linked.account.ok_or_else(|| {
            Refusal::new(ResponseCode::INVALID_TRANSACTION, "the card has no linked account")
        })?;
        let (id, amount, merchant) = (self.new_id(), request.amount, request.key.merchant.as_str());
        let (class, at) = (linked.class, self.now());
        let movement =
            Movement { account: &account, class, way: Way::Out, party: Party::Merchant, amount, at };
        self.allow(&movement)?;
        if !self.transfer("purchase", &id, Book::Account(&account), Book::Merchant(merchant), amount)? {
            return Err(Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, "the account holds less").into());
        }
        self.count(&movement)?;
        self.tx
            .execute(
                "INSERT INTO purchase (id, card, currency, account, merchant, atc, amount, state, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'booked', $8)",
                &[
                    id.as_str().into(),
                    card.id.as_str().into(),
                    i64::from(amount.currency.0).into(),
                    account.as_str().into(),
                    merchant.into(),
                    i64::from(verified.proof.atc).into(),
                    column(amount.minor)?.into(),
                    at.micros().into(),
                ],
            )
            .map_err(IssuerError::from)?;
        let answer = self.approved(verified, "the purchase is booked")?;
        self.say_amount("Purchase Granted", amount, "account debited, merchant credited");
        Ok(Acted { answer, on: Some(id) })
    }
}

/// The kind of the request is what the card signed (9C), and its cashback (9F03) a part of
/// the amount.
fn check_cash(request: &Request) -> Result<(), Refusal> {
    let wanted = match request.kind {
        Kind::Cash => 0x01,
        Kind::PurchaseWithCashback => 0x09,
        _ => return Ok(()),
    };
    if request.chip.array(tag::TRANSACTION_TYPE) != Some([wanted]) {
        let reason = "the card was given another transaction type (9C)";
        return Err(Refusal::new(ResponseCode::FORMAT_ERROR, reason));
    }
    let other = request.chip.value(tag::AMOUNT_OTHER).and_then(|value| bcd_to_u64(value).ok()).unwrap_or(0);
    let fits = match request.kind {
        Kind::Cash => other == 0,
        _ => (1..=request.amount.minor).contains(&other),
    };
    match fits {
        true => Ok(()),
        false => {
            Err(Refusal::new(ResponseCode::INVALID_AMOUNT, "the cashback (9F03) does not fit the amount"))
        }
    }
}
