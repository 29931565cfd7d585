//! Whether a script may write a card's balance (reference: the load family), and
//! where the money comes from or goes to.
//!
//! | kind | from, by way of flight, to |
//! |---|---|
//! | linked | linked account -> card |
//! | cash | the merchant's cash counter -> card |
//! | pending | the card's pending account -> card |
//! | cash void | card -> the cash counter of the merchant that took the cash |
//! | unload | card -> linked account |
//!
//! A cash counter is what a merchant has taken for the issuer: it is below zero by
//! what the merchant owes. A merchant gives cash back only when the void has landed.

use super::IssuerError;
use super::answer::{self, Acted, Stop};
use super::decision::{Refusal, ToldBalance};
use super::ledger::Book;
use super::limits::{Party, Way};
use super::load::LoadRow;
use super::load_kind::LoadKind;
use super::present::Presented;
use super::usage::Movement;
use super::work::{Work, column};
use crate::air::host::{Request, ResponseCode, Settlement};
use crate::base::env::Timestamp;
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;

/// A load that may be made.
pub(super) struct Plan<'a> {
    pub(super) kind: LoadKind,
    pub(super) counter: Book<'a>,
    /// What moves.
    pub(super) amount: Amount,
    pub(super) old_minor: u64,
    pub(super) new_total: Amount,
    pub(super) original: Option<LoadRow>,
    /// What the account at the other end is asked for, where there is one.
    pub(super) movement: Option<Movement<'a>>,
    pub(super) at: Timestamp,
}

impl Work<'_> {
    /// Decides on a load or unload.
    pub(super) fn authorise_load(&mut self, request: &Request, kind: LoadKind) -> Result<Acted, IssuerError> {
        let presented = match self.present(request) {
            Ok(presented) => presented,
            Err(Stop::Refuse(refusal)) => return Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => return Err(error),
        };
        match self.grant_load(request, kind, &presented) {
            Ok(acted) => Ok(acted),
            Err(Stop::Refuse(refusal)) => self.refuse(request, &presented, refusal),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    fn grant_load(
        &mut self,
        request: &Request,
        kind: LoadKind,
        presented: &Presented,
    ) -> Result<Acted, Stop> {
        let Presented { card, verified } = presented;
        let pin_needed = !matches!(kind, LoadKind::Cash | LoadKind::CashVoid) && self.rules.load_needs_pin;
        let linked = match kind {
            // The PIN is the payer's.
            LoadKind::NonLinked => self.admit_without_pin(card, request.amount.currency)?,
            _ => self.admit(request, card, pin_needed)?,
        };
        let invalid = |reason: &str| Refusal::new(ResponseCode::INVALID_TRANSACTION, reason);
        let (balance_tag, limit_minor) =
            linked.ecash.ok_or_else(|| invalid("the card has no electronic cash in this currency"))?;
        if request.chip.value(tag::TRANSACTION_TYPE) != Some(&[kind.transaction_type()]) {
            return Err(invalid("the card signed another kind of transaction (9C)").into());
        }
        let payers = match kind {
            LoadKind::NonLinked => Some(self.payers_account(request, card)?),
            _ => None,
        };
        let counter = match kind {
            LoadKind::Linked | LoadKind::Unload | LoadKind::NonLinked => {
                let account = payers.as_deref().or(linked.account.as_deref());
                Book::Account(account.ok_or_else(|| invalid("the card has no linked account"))?)
            }
            LoadKind::Pending => Book::Pending(&card.id),
            LoadKind::Cash | LoadKind::CashVoid => Book::Cash(&request.key.merchant),
            LoadKind::OverdraftRaise | LoadKind::OverdraftCut => {
                return Err(invalid("no script changes an overdraft limit").into());
            }
        };
        let no = |reason: &str| Refusal::new(ResponseCode::DO_NOT_HONOUR, reason);
        let old_minor = match verified.balance {
            ToldBalance::Proven(balance) => balance,
            ToldBalance::Absent => return Err(no("9F10 does not tell the card's balance").into()),
            ToldBalance::Unproven => return Err(no("the MAC of the balance in 9F10 is wrong").into()),
        };
        let amount = request.amount;
        if !self.check_shadow(
            &card.id,
            amount.currency,
            linked.shadow_minor,
            verified.proof.atc,
            old_minor,
        )? {
            let reason = "the card's balance is above what the ledger explains";
            return Err(Refusal::new(ResponseCode::RESTRICTED, reason).into());
        }
        let original = match kind {
            LoadKind::CashVoid => Some(self.cash_load_to_void(request, &card.id)?),
            _ => None,
        };
        let new_minor = match kind.lowers_card() {
            true => old_minor.checked_sub(amount.minor).ok_or_else(|| {
                Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, "the card holds less than is to be taken off")
            })?,
            false => old_minor.saturating_add(amount.minor),
        };
        let (new_total, at) = (Amount::new(new_minor, amount.currency), self.now());
        if !kind.lowers_card() {
            self.check_ecash(&card.id, new_total, limit_minor, amount, at)?;
        }
        let movement = match counter {
            Book::Account(account) => Some(Movement {
                account,
                class: linked.class,
                way: if kind.lowers_card() { Way::In } else { Way::Out },
                party: Party::OwnCard,
                amount,
                at,
            }),
            _ => None,
        };
        if let Some(movement) = &movement {
            self.allow(movement)?;
        }
        let plan = Plan { kind, counter, amount, old_minor, new_total, original, movement, at };
        let id = self.new_id();
        self.take_off(&id, request, (&card.id, verified.proof.atc), &plan)?;
        let mut answer = self.approved(verified, "granted, and the money is in flight")?;
        let script = answer::load_script(verified, balance_tag, new_total)?;
        answer.chip.put(tag::ISSUER_SCRIPT_TEMPLATE_2, script);
        let event = if kind.lowers_card() { "Unload Granted" } else { "Load Granted" };
        self.say_amount(event, amount, format!("{}: script made for the new total", kind.word()));
        Ok(Acted { answer, on: Some(id) })
    }

    /// The limits of the card's electronic cash: its own, and the issuer's.
    fn check_ecash(
        &mut self,
        card: &str,
        new_total: Amount,
        limit_minor: u64,
        amount: Amount,
        at: Timestamp,
    ) -> Result<(), Stop> {
        let over = |rule: String| Err(Refusal::new(ResponseCode::LIMIT_EXCEEDED, rule).into());
        let limits = self.rules.limits.ecash(amount.currency);
        let shown = |minor| Amount::new(minor, amount.currency);
        if new_total.minor > limit_minor {
            return over("the new balance is above the card's balance limit (9F77, DF77)".into());
        }
        if let Some(cap) = limits.balance_minor.filter(|cap| new_total.minor > *cap) {
            return over(format!("limit balance of electronic cash: a card may hold at most {}", shown(cap)));
        }
        if let Some(most) = limits.load_minor.filter(|most| amount.minor > *most) {
            return over(format!("limit load of electronic cash: at most {} at once", shown(most)));
        }
        if let Some(most) = limits.load_day_minor {
            let loaded = self.loaded_on(card, amount.currency, at)?;
            if loaded.saturating_add(amount.minor) > most {
                return over(format!("limit load_day of electronic cash: at most {} a day", shown(most)));
            }
        }
        Ok(())
    }

    /// The landed cash load that a void names, of the same card, merchant, terminal
    /// and amount, and not voided yet.
    fn cash_load_to_void(&mut self, request: &Request, card: &str) -> Result<LoadRow, Stop> {
        let no = |reason: &str| Refusal::new(ResponseCode::NO_ORIGINAL, reason);
        let original = request.original.ok_or_else(|| no("a void must name the load (F61)"))?;
        let load = self
            .load_by_key(&request.key, original, card)?
            .filter(|load| load.kind == LoadKind::Cash && load.amount == request.amount)
            .ok_or_else(|| no("no cash load of this card, terminal and amount has this trace"))?;
        if load.settlement != Settlement::Landed {
            return Err(no("the cash load is not proven to be on the card").into());
        }
        Ok(load)
    }

    /// The last thing that may refuse: no money has moved before this. Money goes
    /// into flight and the row is opened, under the card and the counter that it has there.
    pub(super) fn take_off(
        &mut self,
        id: &str,
        request: &Request,
        card: (&str, u16),
        plan: &Plan<'_>,
    ) -> Result<(), Stop> {
        if let Some(original) = &plan.original {
            let changed = self
                .tx
                .execute(
                    "UPDATE load SET voided_by = $1 WHERE id = $2 AND voided_by IS NULL",
                    &[id.into(), original.id.as_str().into()],
                )
                .map_err(IssuerError::from)?;
            if changed == 0 {
                let reason = "the cash load is voided already";
                return Err(Refusal::new(ResponseCode::INVALID_TRANSACTION, reason).into());
            }
        }
        let (what, from, short) = match plan.kind.lowers_card() {
            false => ("load", plan.counter, "the account holds less"),
            // An older load that nothing has proven yet is not in the shadow.
            true => ("unload", Book::Card(card.0), "the card's shadow in the ledger holds less"),
        };
        if !self.transfer(what, id, from, Book::InFlight, plan.amount)? {
            if let Some(original) = &plan.original {
                self.tx
                    .execute("UPDATE load SET voided_by = NULL WHERE id = $1", &[original.id.as_str().into()])
                    .map_err(IssuerError::from)?;
            }
            return Err(Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, short).into());
        }
        if let Some(movement) = &plan.movement {
            self.count(movement)?;
        }
        Ok(self.insert_load(id, request, card, plan)?)
    }

    fn insert_load(
        &mut self,
        id: &str,
        request: &Request,
        (card, atc): (&str, u16),
        plan: &Plan<'_>,
    ) -> Result<(), IssuerError> {
        let key = &request.key;
        self.tx.execute(
            "INSERT INTO load (id, kind, card, currency, counter, counter_holder, atc, amount, old_minor, \
             new_minor, state, merchant, terminal, batch, trace, opened_at, original) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12, $13, $14, $15, $16)",
            &[
                id.into(),
                plan.kind.word().into(),
                card.into(),
                i64::from(plan.amount.currency.0).into(),
                plan.counter.kind().into(),
                plan.counter.holder().into(),
                i64::from(atc).into(),
                column(plan.amount.minor)?.into(),
                column(plan.old_minor)?.into(),
                column(plan.new_total.minor)?.into(),
                key.merchant.as_str().into(),
                key.terminal.as_str().into(),
                i64::from(key.batch).into(),
                i64::from(key.trace).into(),
                plan.at.micros().into(),
                plan.original.as_ref().map(|load| load.id.as_str()).into(),
            ],
        )?;
        self.count_open_loads(card, 1)
    }
}
