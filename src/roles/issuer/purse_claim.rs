//! A claim of a purchase with a purse: its TAC was lost with the card's answer, and the card has
//! made another since. As with electronic cash the terminal's word pays nobody: the next balance
//! that the purse proves, by the MAC1 of a load, an unload or a limit, shows whether it has paid.
//!
//! A TAC does not cover the card's counter, which is each terminal's word. So a purchase under the
//! counter of a claim does not refute it; what the balance lacks decides alone.

use super::IssuerError;
use super::answer::Stop;
use super::claim::{CLAIM, ClaimRow, Proven, Trail, claim_row};
use super::decision::Refusal;
use super::evidence::CLAIM_LIMIT;
use super::flag::FlagKind;
use super::work::{Work, column, minor};
use crate::air::host::{Request, ResponseCode};

impl Work<'_> {
    /// The row of the claim, a new one or that of the purchase which it is of.
    pub(super) fn open_purse_claim(&mut self, request: &Request) -> Result<String, Stop> {
        let (card, atc) = self.claimed(request)?;
        if let Some(own) = self.own_purse_sale(request, &card.id, atc)? {
            return Ok(own.id);
        }
        let counters = (i64::from(atc), i64::from(atc));
        let why = "without a TAC: the purse's balance decides";
        let Some(id) = self.keep_claim(request, &card.id, atc, why)? else {
            self.flag(&card.id, FlagKind::CounterTwice, request.amount, counters)?;
            let reason = "another purchase is claimed under this counter (9F36)";
            return Err(Refusal::new(ResponseCode::INVALID_TRANSACTION, reason).into());
        };
        self.flag(&card.id, FlagKind::SaleDoubtful, request.amount, counters)?;
        self.settle_claims(&card.id)?;
        Ok(id)
    }

    /// What a right TAC proves of the claim of its purchase.
    pub(super) fn prove_purse_claim(
        &mut self,
        request: &Request,
        card: &str,
        atc: u16,
        tac: &[u8],
    ) -> Result<Proven, IssuerError> {
        let Some(claim) = self.own_purse_sale(request, card, atc)? else { return Ok(Proven::Nothing) };
        self.prove_own_claim(card, claim, tac)
    }

    /// Whether a purchase with this TAC, of the same amount, was booked under any counter.
    pub(super) fn is_tac_known(
        &mut self,
        request: &Request,
        card: &str,
        tac: &[u8],
    ) -> Result<bool, IssuerError> {
        let rows = self.tx.query(
            "SELECT 1 FROM offline_sale WHERE card = $1 AND tc = $2 AND amount = $3 AND state <> 'disputed'",
            &[card.into(), tac.into(), column(request.amount.minor)?.into()],
        )?;
        Ok(!rows.is_empty())
    }

    /// Judges what is claimed of the purse that is held by what was seen of it.
    pub(super) fn settle_purse_claims(&mut self, card: &str) -> Result<(), IssuerError> {
        if self.has_open_claims() { self.settle_claims(card) } else { Ok(()) }
    }

    /// The trail from the proven balance before a claim to the next one: online requests prove it,
    /// and tell how many purchases it has paid for.
    pub(super) fn purse_trail(
        &mut self,
        card: &str,
        claim: &ClaimRow,
        claims: &[ClaimRow],
    ) -> Result<Option<Trail>, IssuerError> {
        let currency = i64::from(claim.amount.currency.0);
        let points = self.tx.query(
            "SELECT purse_load.purchases, load.old_minor, load.new_minor, load.state FROM load \
             JOIN purse_load ON purse_load.load = load.id \
             WHERE load.card = $1 AND purse_load.purchases IS NOT NULL ORDER BY load.atc",
            &[card.into()],
        )?;
        let (mut from, mut before) = (0, Some(self.ordered_minor(card, currency)?));
        let mut next = None;
        for point in &points {
            let purchases = point.int(0)?;
            if purchases >= i64::from(claim.atc) {
                next = Some((purchases, minor("load", point.int(1)?)?));
                break;
            }
            let left = match point.text(3)? {
                "landed" => Some(point.int(2)?),
                "returned" => Some(point.int(1)?),
                _ => None,
            };
            (from, before) = (purchases, left.map(|left| minor("load", left)).transpose()?);
        }
        let (Some((until, after_minor)), Some(before_minor)) = (next, before) else { return Ok(None) };
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(CASE WHEN state IN ('booked', 'held') THEN amount ELSE 0 END), 0) \
             AS BIGINT), COUNT(DISTINCT atc) FROM offline_sale WHERE card = $1 AND atc > $2 AND atc <= $3 \
             AND currency = $4 AND state IN ('booked', 'held', 'claimed')",
            &[card.into(), from.into(), until.into(), currency.into()],
        )?;
        let (spent, known) =
            rows.first().map_or(Ok((0, 0)), |row| Ok::<_, IssuerError>((row.int(0)?, row.int(1)?)))?;
        let others_minor = self.others_minor(claim, claims, from + 1..until + 1)?;
        Ok(Some(Trail {
            amount_minor: claim.amount.minor,
            before_minor,
            spent_minor: minor("offline_sale", spent)?,
            after_minor,
            complete: known == until - from && others_minor.len() < CLAIM_LIMIT,
            others_minor,
        }))
    }

    /// The purchase of a message: by the key that it was uploaded or claimed under, since a terminal
    /// may try again for the same amount.
    fn own_purse_sale(
        &mut self,
        request: &Request,
        card: &str,
        atc: u16,
    ) -> Result<Option<ClaimRow>, IssuerError> {
        let key = &request.key;
        let sql = format!(
            "{CLAIM} WHERE card = $1 AND atc = $2 AND amount = $3 AND merchant = $4 AND terminal = $5 \
             AND batch = $6 AND trace = $7 AND state <> 'disputed' ORDER BY at"
        );
        let rows = self.tx.query(
            &sql,
            &[
                card.into(),
                i64::from(atc).into(),
                column(request.amount.minor)?.into(),
                key.merchant.as_str().into(),
                key.terminal.as_str().into(),
                i64::from(key.batch).into(),
                i64::from(key.trace).into(),
            ],
        )?;
        rows.first().map(claim_row).transpose()
    }
}
