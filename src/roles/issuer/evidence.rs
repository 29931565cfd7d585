//! What became of an open load, proven by what was seen of the card since
//! (design, money; reference: the balance in the next ARQC's issuer data).
//!
//! Let a load find the card at `old`. The next proven balance of that currency
//! comes with a later counter; between the two the card can only have paid
//! offline, since a further load would have shown its balance itself. `spent` is
//! what the uploaded payments of those counters come to.
//!
//! - Without the load the card could now hold `old - spent` at most: if it holds
//!   more, or has spent more than `old`, the load has landed.
//! - If every counter between is known, the card holds exactly `old - spent`
//!   without the load: then the load has not landed, and the money goes back.
//! - An unload is the mirror image: `low` is then the total that its script writes,
//!   and a card that holds or spent more than `low` allows has not taken it.
//! - A sale that is only claimed may have been paid or not: where one of the two
//!   balances can be explained by claims and the other cannot, that decides.
//! - Else a payment not yet uploaded may hide either: the load stays open, its
//!   money in flight, and is judged again with every sighting and upload.
//!
//! Not every counter that the host saw is known for that: a load's, an inquiry's or a
//! hold's can have paid nothing. A purchase may have been approved offline after its ARQC, when the
//! host's answer was lost; a prepaid card on the quick path pays as it asks, and
//! tells the balance that results. So a quick sighting can prove that a load has
//! landed, since paying only lowers the balance, and never that it has not.
//!
//! A new load is possible all the while: it starts from the balance that the card
//! proves, and its own ARQC is the first sighting that the older load is judged by,
//! so the one never blurs the other.

use super::IssuerError;
use super::load::LoadRow;
use super::work::{Work, minor};
use crate::air::host::Settlement;

/// What has been seen since a load.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trail {
    /// The two balances that the script may have left.
    low_minor: u64,
    high_minor: u64,
    /// Uploaded payments between the load and the next sighting.
    spent_minor: u64,
    /// The next proven balance.
    next_minor: Option<u64>,
    /// Claims between that are open themselves.
    claims_minor: Vec<u64>,
    /// Whether every counter between is known.
    complete: bool,
}

/// What a trail proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// The card was left with the higher balance.
    High,
    /// With the lower one.
    Low,
    Unproven,
    /// No history of the card explains what was seen.
    Contradiction,
}

fn judge(trail: Trail) -> Judgement {
    let Some(low) = trail.low_minor.checked_sub(trail.spent_minor) else {
        return Judgement::High;
    };
    match trail.next_minor {
        None => Judgement::Unproven,
        Some(next) if next > low => Judgement::High,
        Some(_) if !trail.complete => Judgement::Unproven,
        Some(next) => {
            let fits = |left: Option<u64>| left.is_some_and(|left| reachable(left, &trail.claims_minor));
            let high = trail.high_minor.checked_sub(trail.spent_minor);
            match (fits(low.checked_sub(next)), fits(high.and_then(|high| high.checked_sub(next)))) {
                (true, false) => Judgement::Low,
                (false, true) => Judgement::High,
                (true, true) => Judgement::Unproven,
                (false, false) => Judgement::Contradiction,
            }
        }
    }
}

/// The most open claims that are weighed against each other.
pub(super) const CLAIM_LIMIT: usize = 12;

/// Whether some of the amounts come to this sum; none of them come to 0.
pub(super) fn reachable(sum_minor: u64, amounts_minor: &[u64]) -> bool {
    let Some((first, rest)) = amounts_minor.split_first() else { return sum_minor == 0 };
    reachable(sum_minor, rest) || sum_minor.checked_sub(*first).is_some_and(|less| reachable(less, rest))
}

impl Work<'_> {
    /// Judges every open load of a card and settles what is proven.
    pub(super) fn settle_by_evidence(&mut self, card: &str) -> Result<(), IssuerError> {
        if !self.rules.recovery.settle_by_evidence {
            return Ok(());
        }
        let loads = if self.has_open_loads() { self.open_loads_of(card)? } else { Vec::new() };
        for load in loads {
            let mut judgement = judge(self.trail(&load, "quick")?);
            if judgement == Judgement::Unproven {
                judgement = judge(self.trail(&load, "")?);
            }
            match (judgement, load.kind.lowers_card()) {
                (Judgement::High, false) => {
                    let reason = "the card holds or spent more than it had without the load";
                    self.settle(&load, Settlement::Landed, "evidence", reason)?;
                }
                (Judgement::Low, false) => {
                    let reason = "the card holds what it had without the load, and nothing else happened";
                    self.settle(&load, Settlement::Returned, "evidence", reason)?;
                }
                (Judgement::High, true) => {
                    let reason = "the card holds or spent more than the unload would have left";
                    self.settle(&load, Settlement::Returned, "evidence", reason)?;
                }
                (Judgement::Low, true) => {
                    let reason = "the card holds what the unload left, and nothing else happened";
                    self.settle(&load, Settlement::Landed, "evidence", reason)?;
                }
                (Judgement::Unproven, _) => {
                    self.say("Load Unproven", "a payment that is not uploaded may hide what became of it");
                }
                (Judgement::Contradiction, _) => {
                    self.say("Alarm", "the card holds less than its known payments explain");
                }
            }
        }
        if self.has_open_claims() { self.settle_claims(card) } else { Ok(()) }
    }

    /// The trail up to the next sighting; where quick ones are passed over, up to
    /// the next that tells the balance before its own payment.
    fn trail(&mut self, load: &LoadRow, passed_over: &'static str) -> Result<Trail, IssuerError> {
        let (card, after, currency) =
            (load.card.as_str(), i64::from(load.atc), i64::from(load.amount.currency.0));
        let next = self.tx.query(
            "SELECT atc, balance, path FROM sighting WHERE card = $1 AND currency = $2 AND atc > $3 \
             AND balance IS NOT NULL AND path <> $4 ORDER BY atc LIMIT 1",
            &[card.into(), currency.into(), after.into(), passed_over.into()],
        )?;
        let (until, next_minor, certain) = match next.first() {
            Some(row) => (row.int(0)?, Some(minor("sighting", row.int(1)?)?), row.text(2)? != "quick"),
            None => (i64::from(u16::MAX) + 1, None, false),
        };
        let spent = self.tx.query(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM offline_sale \
             WHERE card = $1 AND currency = $2 AND atc > $3 AND atc < $4 AND state IN ('booked', 'held')",
            &[card.into(), currency.into(), after.into(), until.into()],
        )?;
        let claims = self.tx.query(
            "SELECT amount FROM offline_sale \
             WHERE card = $1 AND currency = $2 AND atc > $3 AND atc < $4 AND state = 'claimed'",
            &[card.into(), currency.into(), after.into(), until.into()],
        )?;
        let known = self.tx.query(
            "SELECT atc FROM sighting WHERE card = $1 AND atc > $2 AND atc < $3 \
             AND path IN ('load', 'asked') \
             UNION SELECT atc FROM offline_sale WHERE card = $1 AND atc > $2 AND atc < $3 \
             AND state <> 'disputed'",
            &[card.into(), after.into(), until.into()],
        )?;
        Ok(Trail {
            low_minor: load.old_minor.min(load.new_minor),
            high_minor: load.old_minor.max(load.new_minor),
            spent_minor: spent.first().map_or(Ok(0), |row| minor("offline_sale", row.int(0)?))?,
            next_minor,
            complete: certain && known.len() as i64 == until - after - 1 && claims.len() <= CLAIM_LIMIT,
            claims_minor: claims
                .iter()
                .map(|row| minor("offline_sale", row.int(0)?))
                .collect::<Result<_, IssuerError>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_by_what_the_card_could_hold() {
        let trail = |spent_minor, next_minor, complete| {
            let (low_minor, high_minor, claims_minor) = (1000, 6000, Vec::new());
            judge(Trail { low_minor, high_minor, spent_minor, next_minor, claims_minor, complete })
        };
        assert_eq!(trail(0, Some(6000), true), Judgement::High);
        assert_eq!(trail(0, Some(1001), false), Judgement::High, "more than it had");
        assert_eq!(trail(0, Some(1000), true), Judgement::Low);
        assert_eq!(trail(0, Some(1000), false), Judgement::Unproven, "it may have landed and been spent");
        assert_eq!(trail(400, Some(600), true), Judgement::Low);
        assert_eq!(trail(400, Some(5600), true), Judgement::High);
        assert_eq!(trail(400, Some(601), false), Judgement::High);
        assert_eq!(trail(1001, None, false), Judgement::High, "it spent more than it had");
        assert_eq!(trail(1000, None, false), Judgement::Unproven);
        assert_eq!(trail(0, Some(999), true), Judgement::Contradiction);
    }

    #[test]
    fn weighs_what_claims_may_have_taken() {
        let trail = |next, claims: &[u64]| {
            let (low_minor, high_minor, claims_minor) = (1000, 1050, claims.to_vec());
            let (spent_minor, next_minor, complete) = (0, Some(next), true);
            judge(Trail { low_minor, high_minor, spent_minor, next_minor, claims_minor, complete })
        };
        assert_eq!(trail(980, &[20]), Judgement::Low);
        assert_eq!(trail(1030, &[20]), Judgement::High);
        assert_eq!(trail(950, &[100]), Judgement::High, "it landed, and the claim was paid");
        assert_eq!(trail(1000, &[50]), Judgement::Unproven, "both, or neither");
        assert_eq!(trail(990, &[20]), Judgement::Contradiction);
        assert_eq!(trail(900, &[20, 80]), Judgement::Low);
    }
}
