//! Requests that come late: a ride is authorised after its card has passed, often after later
//! transactions of the same card. A counter is a replay where it was seen, not where it is
//! below the highest one; what was declined may be presented again under its own counter.

use super::IssuerError;
use super::cards::CardOnFile;
use super::decision::Verified;
use super::message::Found;
use super::purchase;
use super::work::{Work, column};
use crate::air::host::{Kind, MessageKey, Request};

/// How a counter stands to what was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    /// Above every one seen.
    New,
    /// Below the highest one, and never seen.
    Late,
    /// Seen with a request that was declined, which this one names.
    Again,
    /// Seen: a replay.
    Seen,
}

impl Work<'_> {
    /// Judges the counter of a request whose cryptogram is right, and notes it where it is new.
    /// Loads change what the card may do next, and a step with a hold names one: they are never late.
    pub(super) fn judge_counter(
        &mut self,
        request: &Request,
        card: &CardOnFile,
        verified: &Verified,
    ) -> Result<Counter, IssuerError> {
        let atc = verified.proof.atc;
        if self.advance_atc(atc) {
            return Ok(Counter::New);
        }
        if !may_be_late(request.kind) {
            return Ok(Counter::Seen);
        }
        let values = [card.id.as_str().into(), i64::from(atc).into()];
        let seen = self.tx.query(
            "SELECT 1 FROM sighting WHERE card = $1 AND atc = $2 \
             UNION ALL SELECT 1 FROM offline_sale WHERE card = $1 AND atc = $2 LIMIT 1",
            &values,
        )?;
        if seen.is_empty() {
            return Ok(Counter::Late);
        }
        Ok(match self.was_declined(request, card, atc)? {
            true => Counter::Again,
            false => Counter::Seen,
        })
    }

    /// Whether the request names one of the same terminal, card, kind and amount that was
    /// declined under this counter, and nothing was booked under it since.
    fn was_declined(&mut self, request: &Request, card: &CardOnFile, atc: u16) -> Result<bool, IssuerError> {
        let Some(original) = request.original else { return Ok(false) };
        let key = MessageKey { batch: original.batch, trace: original.trace, ..request.key.clone() };
        let named = Request { key, ..request.clone() };
        // A request that acted on something has a row there.
        if !matches!(self.find_reversed(&named)?, Found::Came(None)) {
            return Ok(false);
        }
        let declined = self.tx.query(
            "SELECT 1 FROM refusal WHERE card = $1 AND atc = $2 AND merchant = $3 AND amount = $4 \
             AND currency = $5 AND NOT EXISTS (SELECT 1 FROM purchase WHERE card = $1 AND atc = $2) \
             AND NOT EXISTS (SELECT 1 FROM hold WHERE card = $1 AND atc = $2) LIMIT 1",
            &[
                card.id.as_str().into(),
                i64::from(atc).into(),
                request.key.merchant.as_str().into(),
                column(request.amount.minor)?.into(),
                i64::from(request.amount.currency.0).into(),
            ],
        )?;
        Ok(!declined.is_empty())
    }
}

/// Whether a request may come after later ones of its card: a ride's, or a hold's for several.
pub(super) const fn may_be_late(kind: Kind) -> bool {
    purchase::is_one(kind) || matches!(kind, Kind::PreAuthorisation)
}
