//! The overdraft limit of a deposit, issuer's side (PBOC parts 1 and 2): MAC1 asks, MAC2 answers,
//! TAC tells. A limit is money that the bank lends the card: what it is raised by goes from the
//! card's credit book into flight and onto the card, as a load does, and what it is cut by goes
//! back, as an unload does. So the card's shadow is what it can spend, own money and limit.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::decision::Refusal;
use super::grant::Plan;
use super::ledger::Book;
use super::load::LoadRow;
use super::load_kind::LoadKind;
use super::purse_load::{AskingPurse, check_mac1, invalid};
use super::work::{Work, minor};
use crate::air::host::{Request, ResponseCode};
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::purse::{
    PurseId, PurseSessionKey, PurseTransactionType, limit_bytes, limit_minor, online_session_key,
};
use crate::words::pboc::{PurseDetail, PurseKeyKind, equal};

impl Work<'_> {
    /// Decides on a new limit, which is the request's amount.
    pub(super) fn grant_overdraft(&mut self, request: &Request) -> Result<Acted, Stop> {
        let asking = self.asking_purse(request)?;
        let AskingPurse { card, purse, detail, keys } = &asking;
        if (*purse, PurseTransactionType(detail.kind)) != (PurseId::DEPOSIT, PurseTransactionType::OVERDRAFT)
        {
            return Err(invalid("the deposit alone has an overdraft limit").into());
        }
        let Amount { minor: wanted, currency } = request.amount;
        let new_limit = u32::try_from(wanted).ok().and_then(limit_bytes).ok_or_else(|| {
            Refusal::new(ResponseCode::INVALID_AMOUNT, "an overdraft limit is at most 167772.15")
        })?;
        let key = keys.of(PurseKeyKind::Overdraft).expose();
        let session = online_session_key(key, detail.random, detail.sequence);
        check_mac1(request, detail.overdraft_terms(new_limit).mac1(&session, detail.old_balance_minor))?;
        self.settle_by_counter(&card.id, detail.sequence)?;
        let linked = self.admit_without_pin(card, currency)?;
        let lent_minor = self.lent_minor(&card.id, currency)?;
        if lent_minor != u64::from(limit_minor(detail.overdraft_limit)) {
            self.say("Alarm", "the card's overdraft limit is not the one in the books");
            let reason = "the card has another overdraft limit than the books";
            return Err(Refusal::new(ResponseCode::RESTRICTED, reason).into());
        }
        let most = self.rules.limits.ecash(currency).overdraft_minor;
        if let Some(most) = most.filter(|most| wanted > *most && wanted > lent_minor) {
            let most = Amount::new(most, currency);
            let reason =
                format!("limit overdraft of electronic cash: a deposit may be overdrawn by at most {most}");
            return Err(Refusal::new(ResponseCode::LIMIT_EXCEEDED, reason).into());
        }
        let kind = match wanted.cmp(&lent_minor) {
            std::cmp::Ordering::Greater => LoadKind::OverdraftRaise,
            std::cmp::Ordering::Less => LoadKind::OverdraftCut,
            std::cmp::Ordering::Equal => {
                return Err(invalid("the card has this overdraft limit already").into());
            }
        };
        let old_minor = self.explained_balance(&asking, currency, linked.shadow_minor)?;
        let by_minor = wanted.abs_diff(lent_minor);
        let new_minor = match kind.lowers_card() {
            true => old_minor.checked_sub(by_minor).ok_or_else(|| {
                Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, "more is overdrawn than the new limit allows")
            })?,
            false => old_minor.saturating_add(by_minor),
        };
        let plan = Plan {
            kind,
            counter: Book::Credit(&card.id),
            amount: Amount::new(by_minor, currency),
            old_minor,
            new_total: Amount::new(new_minor, currency),
            original: None,
            movement: None,
            at: self.now(),
        };
        self.grant_purse(request, &asking, &plan, "Overdraft Limit Granted", |told| {
            told.overdraft_terms(new_limit).mac2(&session)
        })
    }

    /// What a card is lent by its overdraft limit, minor units.
    pub(super) fn lent_minor(&mut self, card: &str, currency: Currency) -> Result<u64, IssuerError> {
        let book = Book::Credit(card);
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(minor), 0) AS BIGINT) FROM posting \
             WHERE kind = $1 AND holder = $2 AND currency = $3",
            &[book.kind().into(), book.holder().into(), i64::from(currency.0).into()],
        )?;
        rows.first().map_or(Ok(0), |row| minor("posting", -row.int(0)?))
    }
}

/// The balance that the card tells since its limit has changed, where the TAC proves that it has:
/// with the change, or as before where the balance does not include the limit.
pub(super) fn overdraft_proof(
    detail: &PurseDetail,
    load: &LoadRow,
    tac_key: &PurseSessionKey,
    tac: &[u8],
) -> Option<u64> {
    let old_limit = u64::from(limit_minor(detail.overdraft_limit));
    let new_limit = match load.kind.lowers_card() {
        true => old_limit.checked_sub(load.amount.minor),
        false => old_limit.checked_add(load.amount.minor),
    };
    let new_limit = u32::try_from(new_limit?).ok().and_then(limit_bytes)?;
    let terms = detail.overdraft_terms(new_limit);
    let fits = |minor: &u64| {
        let told = u32::try_from(*minor);
        told.is_ok_and(|told| equal(&terms.tac(tac_key, told, detail.sequence), tac))
    };
    [load.new_minor, load.old_minor].into_iter().find(fits)
}
