//! Pre-authorisation (预授权): a hold takes money out of what the account may spend,
//! into the account's held book; completion pays the merchant out of it and gives the
//! rest back; cancellation gives all of it back. A completion may be told without the card
//! (预授权完成通知), as of rides that were gathered: the hold has its cryptogram.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::decision::Refusal;
use super::ledger::{self, Book};
use super::limits::{AccountClass, Party, Way};
use super::message::original_key;
use super::present::Presented;
use super::usage::Movement;
use super::work::{Work, column, minor};
use crate::air::host::{Answer, Kind, MessageKey, Request, ResponseCode};
use crate::base::env::Timestamp;
use crate::words::iso4217::Amount;

/// What is done with a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HoldStep {
    Hold,
    Complete,
    Cancel,
}

impl HoldStep {
    /// What a request asks for, where it is about a hold.
    pub(super) const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::PreAuthorisation => Some(Self::Hold),
            Kind::PreAuthorisationCompletion => Some(Self::Complete),
            Kind::PreAuthorisationCancel => Some(Self::Cancel),
            _ => None,
        }
    }
}

/// A row of `hold`.
struct HoldRow {
    id: String,
    account: String,
    merchant: String,
    amount: Amount,
    /// What the merchant took, once it is complete.
    taken: Amount,
    at: Timestamp,
}

impl HoldRow {
    /// What it takes out of the account, as limits see it.
    fn movement(&self, class: AccountClass) -> Movement<'_> {
        let (way, party) = (Way::Out, Party::Merchant);
        Movement { account: &self.account, class, way, party, amount: self.amount, at: self.at }
    }
}

const HOLD: &str = "SELECT id, account, merchant, currency, amount, taken, at FROM hold";

impl Work<'_> {
    /// Holds, completes or cancels.
    pub(super) fn authorise_hold(&mut self, request: &Request, step: HoldStep) -> Result<Acted, IssuerError> {
        let presented = match self.present(request) {
            Ok(presented) => presented,
            Err(Stop::Refuse(refusal)) => return Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => return Err(error),
        };
        let done = match step {
            HoldStep::Hold => self.hold(request, &presented),
            HoldStep::Complete => self.complete_hold(request, &presented.card.id),
            HoldStep::Cancel => self.cancel_hold(request, &presented),
        };
        let acted = match done {
            Ok((on, reason)) => {
                let answer = self.approved(&presented.verified, reason)?;
                Acted { answer, on: Some(on) }
            }
            Err(Stop::Refuse(refusal)) => self.refuse(request, &presented, refusal)?,
            Err(Stop::Fail(error)) => return Err(error),
        };
        self.with_script(acted, &presented)
    }

    /// Takes note of a completion that is told without the card.
    pub(super) fn advise_completion(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        match self.take_completion(request) {
            Ok((on, reason)) => {
                Ok(Acted { answer: Answer::new(ResponseCode::APPROVED, reason), on: Some(on) })
            }
            Err(Stop::Refuse(refusal)) => Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    fn take_completion(&mut self, request: &Request) -> Result<(String, &'static str), Stop> {
        if request.amount.minor == 0 {
            return Err(Refusal::new(ResponseCode::INVALID_AMOUNT, "the amount is 0").into());
        }
        let card = self
            .held_card()
            .ok_or_else(|| Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number"))?;
        self.complete_hold(request, &card.id)
    }

    /// Undoes a step. A hold that was completed is undone by the completion's own
    /// reversal; an undone completion leaves a hold over what had been taken; an undone
    /// cancellation holds again where the account still covers it.
    pub(super) fn undo_hold(&mut self, id: &str, step: HoldStep) -> Result<Acted, IssuerError> {
        let rows = self.tx.query(&format!("{HOLD} WHERE id = $1"), &[id.into()])?;
        let Some(row) = rows.first().map(hold_row).transpose()? else {
            let reason = "the request moved no money; there is nothing to undo";
            return Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, reason)));
        };
        let (held, account) = (Book::Held(&row.account), Book::Account(&row.account));
        let reason = match step {
            HoldStep::Hold => {
                if self.hold_becomes(id, "held", "reversed")? {
                    self.transfer("hold reversed", id, held, account, row.amount)?;
                    self.uncount(&row.account, Way::Out, row.amount, row.at)?;
                } else if self.hold_is(id, "completed")? {
                    let reason = "the hold is complete; reverse the completion";
                    return Ok(Acted::nothing(Answer::new(ResponseCode::INVALID_TRANSACTION, reason)));
                }
                "the hold is released"
            }
            HoldStep::Complete => {
                if self.hold_becomes(id, "completed", "held")? {
                    let merchant = Book::Merchant(&row.merchant);
                    self.transfer("completion reversed", id, merchant, held, row.taken)?;
                    self.tx
                        .execute("UPDATE hold SET amount = taken, taken = 0 WHERE id = $1", &[id.into()])?;
                }
                "the completion is undone; what it took is held again"
            }
            HoldStep::Cancel => {
                let movement = row.movement(self.class_of(&row.account)?.0);
                if !self.hold_is(id, "cancelled")? {
                    "there is nothing to undo"
                } else if !self.is_allowed(&movement)? {
                    "the hold stays released: a limit of the account no longer allows it"
                } else if self.transfer("cancellation reversed", id, account, held, row.amount)? {
                    self.hold_becomes(id, "cancelled", "held")?;
                    self.count(&movement)?;
                    "the hold stands again"
                } else {
                    "the hold stays released: the account no longer covers it"
                }
            }
        };
        self.say("Hold Undone", reason);
        Ok(Acted { answer: Answer::new(ResponseCode::APPROVED, reason), on: Some(id.to_owned()) })
    }

    fn hold(&mut self, request: &Request, presented: &Presented) -> Result<(String, &'static str), Stop> {
        let Presented { card, verified } = presented;
        let linked = self.admit(request, card, false)?;
        let account = linked.account.ok_or_else(|| {
            Refusal::new(ResponseCode::INVALID_TRANSACTION, "the card has no linked account")
        })?;
        let (id, amount, key) = (self.new_id(), request.amount, &request.key);
        let (class, at) = (linked.class, self.now());
        let movement =
            Movement { account: &account, class, way: Way::Out, party: Party::Merchant, amount, at };
        self.allow(&movement)?;
        self.open_book_once(Book::Held(&account), amount.currency)?;
        if !self.transfer("hold", &id, Book::Account(&account), Book::Held(&account), amount)? {
            return Err(Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, "the account holds less").into());
        }
        self.count(&movement)?;
        self.tx
            .execute(
                "INSERT INTO hold (id, card, account, currency, amount, taken, state, atc, merchant, \
                 terminal, batch, trace, at) VALUES ($1, $2, $3, $4, $5, 0, 'held', $6, $7, $8, $9, $10, $11)",
                &[
                    id.as_str().into(),
                    card.id.as_str().into(),
                    account.as_str().into(),
                    i64::from(amount.currency.0).into(),
                    column(amount.minor)?.into(),
                    i64::from(verified.proof.atc).into(),
                    key.merchant.as_str().into(),
                    key.terminal.as_str().into(),
                    i64::from(key.batch).into(),
                    i64::from(key.trace).into(),
                    at.micros().into(),
                ],
            )
            .map_err(IssuerError::from)?;
        self.say_amount("Hold Granted", amount, "taken out of what the account may spend");
        Ok((id, "the amount is held"))
    }

    fn complete_hold(&mut self, request: &Request, card: &str) -> Result<(String, &'static str), Stop> {
        let row = self.named_hold(request, card)?;
        let taken = request.amount;
        let Some(rest) = row.amount.minor.checked_sub(taken.minor) else {
            let reason = "the completion is above what is held";
            return Err(Refusal::new(ResponseCode::LIMIT_EXCEEDED, reason).into());
        };
        if !self.hold_becomes(&row.id, "held", "completed")? {
            return Err(not_held());
        }
        self.tx
            .execute(
                "UPDATE hold SET taken = $1 WHERE id = $2",
                &[column(taken.minor)?.into(), row.id.as_str().into()],
            )
            .map_err(IssuerError::from)?;
        let (held, account) = (Book::Held(&row.account), Book::Account(&row.account));
        self.transfer("hold completed", &row.id, held, Book::Merchant(&row.merchant), taken)?;
        if rest > 0 {
            let rest = Amount::new(rest, taken.currency);
            self.transfer("rest of a hold released", &row.id, held, account, rest)?;
            self.uncount(&row.account, Way::Out, rest, row.at)?;
        }
        self.say_amount("Hold Completed", taken, "the merchant is paid out of what was held");
        Ok((row.id, "the hold is completed"))
    }

    fn cancel_hold(
        &mut self,
        request: &Request,
        presented: &Presented,
    ) -> Result<(String, &'static str), Stop> {
        let row = self.named_hold(request, &presented.card.id)?;
        if row.amount != request.amount {
            let reason = "a cancellation is of the whole amount that is held";
            return Err(Refusal::new(ResponseCode::INVALID_AMOUNT, reason).into());
        }
        if !self.hold_becomes(&row.id, "held", "cancelled")? {
            return Err(not_held());
        }
        let (held, account) = (Book::Held(&row.account), Book::Account(&row.account));
        self.transfer("hold cancelled", &row.id, held, account, row.amount)?;
        self.uncount(&row.account, Way::Out, row.amount, row.at)?;
        self.say_amount("Hold Cancelled", row.amount, "the account may spend it again");
        Ok((row.id, "the hold is cancelled"))
    }

    /// The hold that a request names: of the same card, merchant and terminal.
    fn named_hold(&mut self, request: &Request, card: &str) -> Result<HoldRow, Stop> {
        let no = |reason: &str| Refusal::new(ResponseCode::NO_ORIGINAL, reason);
        let original = request.original.ok_or_else(|| no("the request must name the hold (F61)"))?;
        let MessageKey { merchant, terminal, batch, trace, .. } = original_key(&request.key, original);
        let sql = format!(
            "{HOLD} WHERE merchant = $1 AND terminal = $2 AND batch = $3 AND trace = $4 AND card = $5 \
             AND currency = $6 ORDER BY at DESC LIMIT 1"
        );
        let values = [
            merchant.into(),
            terminal.into(),
            i64::from(batch).into(),
            i64::from(trace).into(),
            card.into(),
            i64::from(request.amount.currency.0).into(),
        ];
        let rows = self.tx.query(&sql, &values).map_err(IssuerError::from)?;
        let row = rows.first().map(hold_row).transpose()?;
        Ok(row.ok_or_else(|| no("no hold of this card and terminal has this trace"))?)
    }

    fn hold_becomes(&mut self, id: &str, from: &'static str, to: &'static str) -> Result<bool, IssuerError> {
        let changed = self.tx.execute(
            "UPDATE hold SET state = $1 WHERE id = $2 AND state = $3",
            &[to.into(), id.into(), from.into()],
        )?;
        Ok(changed == 1)
    }

    fn hold_is(&mut self, id: &str, state: &'static str) -> Result<bool, IssuerError> {
        let rows =
            self.tx.query("SELECT id FROM hold WHERE id = $1 AND state = $2", &[id.into(), state.into()])?;
        Ok(!rows.is_empty())
    }
}

fn not_held() -> Stop {
    Refusal::new(ResponseCode::INVALID_TRANSACTION, "the hold is completed, cancelled or reversed already")
        .into()
}

fn hold_row(row: &crate::base::store::Row) -> Result<HoldRow, IssuerError> {
    let currency = ledger::currency(row, 3)?;
    Ok(HoldRow {
        id: row.text(0)?.to_owned(),
        account: row.text(1)?.to_owned(),
        merchant: row.text(2)?.to_owned(),
        amount: Amount::new(minor("hold", row.int(4)?)?, currency),
        taken: Amount::new(minor("hold", row.int(5)?)?, currency),
        at: Timestamp::from_micros(row.int(6)?),
    })
}
