//! A claim: an offline sale whose certificate was lost with the card's answer. The
//! terminal's own evidence pays nobody: the claim is open until the card's next proven
//! balance shows the decrease, or shows that there was none.
//!
//! Let the card have held `before` at the proven balance before the claim's counter, and
//! `after` at the next one. What lies between and is not explained by uploaded payments
//! was taken by claims, if every counter between is known; else payments that are not
//! uploaded yet may hide it, and the claim stays open until they are.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::cards::CardOnFile;
use super::decision::{self, Refusal, Verified};
use super::evidence::{CLAIM_LIMIT, reachable};
use super::ledger::{self, Book};
use super::work::{Work, minor};
use crate::air::host::{Answer, Request, ResponseCode, Settlement};
use crate::base::store::Row;
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;

/// What a certificate finds of the claims of its counter.
#[derive(Debug)]
pub(super) enum Proven {
    /// No claim of this sale.
    Nothing,
    /// The claim of this sale, which may be booked now.
    Claim(String),
    /// The claim of this sale, which was booked by evidence.
    Booked,
}

/// A row that is not proven by a certificate, or any of a counter.
pub(super) struct ClaimRow {
    pub(super) id: String,
    pub(super) atc: u16,
    pub(super) amount: Amount,
    merchant: String,
    pub(super) state: String,
}

/// What has been seen around a claim.
#[derive(Debug, Clone)]
pub(super) struct Trail {
    pub(super) amount_minor: u64,
    /// What the card had and has, and what its uploaded payments between explain.
    pub(super) before_minor: u64,
    pub(super) spent_minor: u64,
    pub(super) after_minor: u64,
    /// The other open claims between.
    pub(super) others_minor: Vec<u64>,
    /// Whether every counter between is known.
    pub(super) complete: bool,
}

/// What a trail proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Paid,
    NotPaid,
    Unproven,
    /// No history of the card explains what was seen.
    Contradiction,
}

fn judge(trail: &Trail) -> Judgement {
    let left = trail.before_minor.checked_sub(trail.spent_minor);
    let Some(missing) = left.and_then(|left| left.checked_sub(trail.after_minor)) else {
        return Judgement::Contradiction;
    };
    let rest = missing.checked_sub(trail.amount_minor);
    if !trail.complete {
        // Less is missing than the claim is of.
        return if rest.is_none() { Judgement::NotPaid } else { Judgement::Unproven };
    }
    let with = rest.is_some_and(|rest| reachable(rest, &trail.others_minor));
    match (with, reachable(missing, &trail.others_minor)) {
        (true, false) => Judgement::Paid,
        (false, true) => Judgement::NotPaid,
        (true, true) => Judgement::Unproven,
        (false, false) => Judgement::Contradiction,
    }
}

pub(super) const CLAIM: &str = "SELECT id, atc, amount, currency, merchant, state FROM offline_sale";

impl Work<'_> {
    /// Takes a claim and says how it stands.
    pub(super) fn take_claim(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let opened = match self.holds_purse() {
            true => self.open_purse_claim(request),
            false => self.open_claim(request),
        };
        match opened {
            Ok(id) => {
                let settlement = self.claim_settlement(&id)?;
                let reason = match settlement {
                    Settlement::Open => "the claim waits for the card's next proven balance",
                    Settlement::Landed => "the card is proven to have paid",
                    Settlement::Returned => "the card's balance shows that it did not pay",
                };
                let mut answer = Answer::new(ResponseCode::APPROVED, reason);
                answer.settlement = Some(settlement);
                Ok(Acted { answer, on: Some(id) })
            }
            Err(Stop::Refuse(refusal)) => Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// How a claim stands; a sale with a certificate has landed.
    pub(super) fn claim_settlement(&mut self, id: &str) -> Result<Settlement, IssuerError> {
        let rows = self.tx.query("SELECT state FROM offline_sale WHERE id = $1", &[id.into()])?;
        Ok(match rows.first().map(|row| row.text(0)).transpose()? {
            Some("booked" | "held") => Settlement::Landed,
            Some("refused") => Settlement::Returned,
            _ => Settlement::Open,
        })
    }

    /// What a certificate proves of the claims of its counter: its own is booked with it,
    /// another one is refused.
    pub(super) fn prove_claim(
        &mut self,
        request: &Request,
        card: &str,
        verified: &Verified,
    ) -> Result<Proven, IssuerError> {
        let sql = format!("{CLAIM} WHERE card = $1 AND atc = $2 AND tc = $3");
        let values = [card.into(), i64::from(verified.proof.atc).into(), [].as_slice().into()];
        let rows = self.tx.query(&sql, &values)?;
        let Some(claim) = rows.first().map(claim_row).transpose()? else { return Ok(Proven::Nothing) };
        if !claim.is_of(request) {
            match claim.state.as_str() {
                "claimed" => self.close_claim(card, &claim, "refused")?,
                "refused" => {}
                _ => self.say("Alarm", "a certificate names another sale than a claim that is booked"),
            }
            return Ok(Proven::Nothing);
        }
        self.prove_own_claim(card, claim, &verified.proof.cryptogram)
    }

    /// The certificate or TAC of a claim is there: it is kept with it, and the claim is booked.
    pub(super) fn prove_own_claim(
        &mut self,
        card: &str,
        claim: ClaimRow,
        proof: &[u8],
    ) -> Result<Proven, IssuerError> {
        let values = [proof.into(), claim.id.as_str().into()];
        self.tx.execute("UPDATE offline_sale SET tc = $1 WHERE id = $2", &values)?;
        if ["booked", "held"].contains(&claim.state.as_str()) {
            return Ok(Proven::Booked);
        }
        self.close_claim(card, &claim, "booked")?;
        Ok(Proven::Claim(claim.id))
    }

    /// Judges every open claim of a card and settles what is proven.
    pub(super) fn settle_claims(&mut self, card: &str) -> Result<(), IssuerError> {
        let sql = format!("{CLAIM} WHERE card = $1 AND state = 'claimed' ORDER BY atc");
        let rows = self.tx.query(&sql, &[card.into()])?;
        let claims = rows.iter().map(claim_row).collect::<Result<Vec<_>, _>>()?;
        for claim in &claims {
            let trail = match self.holds_purse() {
                true => self.purse_trail(card, claim, &claims)?,
                false => self.claim_trail(card, claim, &claims)?,
            };
            let Some(trail) = trail else { continue };
            match judge(&trail) {
                Judgement::Paid => {
                    self.close_claim(card, claim, "booked")?;
                    self.book_sale(&claim.id, Book::Card(card), &claim.merchant, claim.amount)?;
                }
                Judgement::NotPaid => {
                    self.close_claim(card, claim, "refused")?;
                    self.say("Claim Refused", "the card's proven balance shows that it did not pay");
                }
                Judgement::Unproven => {
                    self.say("Claim Unproven", "a payment that is not uploaded may hide what became of it");
                }
                Judgement::Contradiction => {
                    self.say("Alarm", "no history of the card explains its balance beside a claim");
                }
            }
        }
        Ok(())
    }

    /// The row of the claim, a new one or that of the sale which it is of.
    fn open_claim(&mut self, request: &Request) -> Result<String, Stop> {
        decision::check_amount(request)?;
        let (card, atc) = self.claimed(request)?;
        let linked = self.find_linked(&card.id, request.amount.currency)?;
        if linked.and_then(|linked| linked.ecash).is_none() {
            let reason = "the card has no electronic cash in this currency";
            return Err(Refusal::new(ResponseCode::INVALID_TRANSACTION, reason).into());
        }
        let values = [card.id.as_str().into(), i64::from(atc).into()];
        let rows = self
            .tx
            .query(&format!("{CLAIM} WHERE card = $1 AND atc = $2 ORDER BY at"), &values)
            .map_err(IssuerError::from)?;
        let sales = rows.iter().map(claim_row).collect::<Result<Vec<_>, _>>()?;
        if let Some(own) = sales.iter().find(|sale| sale.is_of(request)) {
            return Ok(own.id.clone());
        }
        let taken = self
            .tx
            .query("SELECT path FROM sighting WHERE card = $1 AND atc = $2", &values)
            .map_err(IssuerError::from)?;
        let is_free = sales.is_empty() && taken.is_empty();
        let why = "without a certificate: the card's balance decides";
        let kept = if is_free { self.keep_claim(request, &card.id, atc, why)? } else { None };
        let id = kept.ok_or_else(|| {
            let reason = "the card used this counter (9F36) for something else";
            Refusal::new(ResponseCode::INVALID_TRANSACTION, reason)
        })?;
        self.settle_by_evidence(&card.id)?;
        Ok(id)
    }

    /// The card of a claim, and the counter that it names.
    pub(super) fn claimed(&self, request: &Request) -> Result<(CardOnFile, u16), Refusal> {
        let none = || Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number");
        let card = self.held_card().ok_or_else(none)?;
        let atc = request.chip.array(tag::ATC).map(u16::from_be_bytes);
        let atc = atc.ok_or_else(|| Refusal::new(ResponseCode::FORMAT_ERROR, "chip data without 9F36"))?;
        Ok((card, atc))
    }

    /// Keeps a new claim; `None` where a claim or sale stands under its counter already.
    pub(super) fn keep_claim(
        &mut self,
        request: &Request,
        card: &str,
        atc: u16,
        why: &'static str,
    ) -> Result<Option<String>, IssuerError> {
        let id = self.new_id();
        if !self.insert_sale_row(&id, request, card, atc, &[], "claimed")? {
            return Ok(None);
        }
        self.count_open_claims(1);
        self.say_amount("Sale Claimed", request.amount, why);
        Ok(Some(id))
    }

    pub(super) fn close_claim(
        &mut self,
        card: &str,
        claim: &ClaimRow,
        state: &'static str,
    ) -> Result<(), IssuerError> {
        self.clear_doubt(card, claim.atc)?;
        let values = [state.into(), claim.id.as_str().into()];
        let sql = "UPDATE offline_sale SET state = $1 WHERE id = $2 AND state = 'claimed'";
        match self.tx.execute(sql, &values)? {
            0 => self.tx.execute("UPDATE offline_sale SET state = $1 WHERE id = $2", &values)?,
            closed => {
                self.count_open_claims(-1);
                closed
            }
        };
        Ok(())
    }

    /// The trail from the proven balance before a claim to the next one; `None` while
    /// there is no next one, or a load before it is open.
    fn claim_trail(
        &mut self,
        card: &str,
        claim: &ClaimRow,
        claims: &[ClaimRow],
    ) -> Result<Option<Trail>, IssuerError> {
        let currency = i64::from(claim.amount.currency.0);
        let sighting = "SELECT atc, balance, path FROM sighting WHERE card = $1 AND currency = $2 \
                        AND balance IS NOT NULL AND path <> 'quick'";
        let values = [card.into(), currency.into(), i64::from(claim.atc).into()];
        let next = self.tx.query(&format!("{sighting} AND atc > $3 ORDER BY atc LIMIT 1"), &values)?;
        let Some(next) = next.first() else { return Ok(None) };
        let (until, after_minor) = (next.int(0)?, minor("sighting", next.int(1)?)?);
        let last = self.tx.query(&format!("{sighting} AND atc < $3 ORDER BY atc DESC LIMIT 1"), &values)?;
        let (from, before_minor, is_certain) = match last.first() {
            None => (0, self.ordered_minor(card, currency)?, true),
            Some(row) => match self.balance_after(card, row)? {
                Some(balance) => (row.int(0)?, balance, row.text(2)? != "full"),
                None => return Ok(None),
            },
        };
        let between = [card.into(), from.into(), until.into()];
        let spent = self.tx.query(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM offline_sale WHERE card = $1 \
             AND atc > $2 AND atc < $3 AND currency = $4 AND state IN ('booked', 'held')",
            &[card.into(), from.into(), until.into(), currency.into()],
        )?;
        let known = self.tx.query(
            "SELECT atc FROM sighting WHERE card = $1 AND atc > $2 AND atc < $3 \
             AND path IN ('load', 'asked') \
             UNION SELECT atc FROM offline_sale WHERE card = $1 AND atc > $2 AND atc < $3",
            &between,
        )?;
        let others_minor = self.others_minor(claim, claims, from..until)?;
        Ok(Some(Trail {
            amount_minor: claim.amount.minor,
            before_minor,
            spent_minor: spent.first().map_or(Ok(0), |row| minor("offline_sale", row.int(0)?))?,
            after_minor,
            complete: is_certain
                && known.len() as i64 == until - from - 1
                && others_minor.len() < CLAIM_LIMIT,
            others_minor,
        }))
    }

    /// What the other claims between come to that are open.
    pub(super) fn others_minor(
        &mut self,
        claim: &ClaimRow,
        claims: &[ClaimRow],
        between: std::ops::Range<i64>,
    ) -> Result<Vec<u64>, IssuerError> {
        let is_other = |other: &&ClaimRow| {
            other.id != claim.id
                && other.amount.currency == claim.amount.currency
                && between.contains(&i64::from(other.atc))
        };
        let mut others_minor = Vec::new();
        for other in claims.iter().filter(is_other) {
            // Those before it in this round may be settled by now.
            if self.claim_settlement(&other.id)? == Settlement::Open {
                others_minor.push(other.amount.minor);
            }
        }
        Ok(others_minor)
    }

    /// What a card held once the request of a sighting was done; `None` while that is open.
    fn balance_after(&mut self, card: &str, sighting: &Row) -> Result<Option<u64>, IssuerError> {
        let rows = self.tx.query(
            "SELECT state, old_minor, new_minor FROM load WHERE card = $1 AND atc = $2",
            &[card.into(), sighting.int(0)?.into()],
        )?;
        let Some(load) = rows.first() else { return Ok(Some(minor("sighting", sighting.int(1)?)?)) };
        Ok(match load.text(0)? {
            "landed" => Some(minor("load", load.int(2)?)?),
            "returned" => Some(minor("load", load.int(1)?)?),
            _ => None,
        })
    }

    /// What a card was ordered with.
    pub(super) fn ordered_minor(&mut self, card: &str, currency: i64) -> Result<u64, IssuerError> {
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) FROM posting \
             JOIN entry ON entry.id = posting.entry WHERE entry.subject = $1 \
             AND entry.what = 'card ordered' AND posting.kind = 'card' AND posting.currency = $2",
            &[card.into(), currency.into()],
        )?;
        rows.first().map_or(Ok(0), |row| minor("posting", row.int(0)?))
    }
}

impl ClaimRow {
    fn is_of(&self, request: &Request) -> bool {
        self.amount == request.amount && self.merchant == request.key.merchant
    }
}

pub(super) fn claim_row(row: &Row) -> Result<ClaimRow, IssuerError> {
    Ok(ClaimRow {
        id: row.text(0)?.to_owned(),
        atc: row.int(1)? as u16,
        amount: Amount::new(minor("offline_sale", row.int(2)?)?, ledger::currency(row, 3)?),
        merchant: row.text(4)?.to_owned(),
        state: row.text(5)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_paid_by_the_decrease_that_nothing_else_explains() {
        let trail = |spent_minor, after_minor, others: &[u64], complete| {
            judge(&Trail {
                amount_minor: 100,
                before_minor: 1000,
                spent_minor,
                after_minor,
                others_minor: others.to_vec(),
                complete,
            })
        };
        assert_eq!(trail(0, 900, &[], true), Judgement::Paid);
        assert_eq!(trail(0, 1000, &[], true), Judgement::NotPaid);
        assert_eq!(trail(300, 600, &[], true), Judgement::Paid);
        assert_eq!(trail(300, 700, &[], true), Judgement::NotPaid);
        assert_eq!(trail(0, 850, &[], true), Judgement::Contradiction);
        assert_eq!(trail(0, 1001, &[], true), Judgement::Contradiction, "it has more than it had");
        assert_eq!(trail(0, 901, &[], false), Judgement::NotPaid, "less is missing than it is of");
        assert_eq!(trail(0, 900, &[], false), Judgement::Unproven, "another payment may be missing");
        assert_eq!(trail(0, 900, &[50], true), Judgement::Paid);
        assert_eq!(trail(0, 850, &[50], true), Judgement::Paid);
        assert_eq!(trail(0, 950, &[50], true), Judgement::NotPaid);
        assert_eq!(trail(0, 900, &[100], true), Judgement::Unproven, "either of the two");
        assert_eq!(trail(0, 800, &[100], true), Judgement::Paid);
    }
}
