//! Loads and unloads of a purse, issuer's side: MAC1 asks, MAC2 answers, TAC or MAC3 tells (PBOC
//! parts 1 and 2). The money goes into flight with the answer and lands with the card's proof.
//! Changes of the overdraft limit, which go the same way, are `overdraft.rs`'s.
//!
//! What nobody tells is proven by the card's online counter, which every MAC1 covers. It steps
//! with a load that lands and with nothing else of the same value: a new request at the same
//! value shows that the older load never landed, and kills its MAC2, which was bound to the older
//! random number; one at a later value shows that it has.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::cards::CardOnFile;
use super::decision::Refusal;
use super::grant::Plan;
use super::ledger::Book;
use super::limits::{Party, Way};
use super::load::LoadRow;
use super::load_kind::LoadKind;
use super::overdraft::overdraft_proof;
use super::purse::purse_detail;
use super::usage::Movement;
use super::work::{Work, column};
use crate::air::host::{Answer, Kind, Request, ResponseCode, Settlement};
use crate::base::bytes::Cursor;
use crate::words::dictionary::tag;
use crate::words::emv::with_century;
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{
    PurseId, PurseSessionKey, PurseTransactionType, online_session_key, tac_key,
};
use crate::words::pboc::{PurseDetail, PurseKeyKind, PurseKeys, equal};

/// Whether a request asks for a MAC2, which makes a purse change.
pub(super) const fn changes_purse(kind: Kind) -> bool {
    matches!(kind, Kind::PurseLoad | Kind::PurseUnload | Kind::PurseOverdraft)
}

/// A purse on file that asks for something.
pub(super) struct AskingPurse {
    pub(super) card: CardOnFile,
    pub(super) purse: PurseId,
    /// What it told.
    pub(super) detail: PurseDetail,
    pub(super) keys: PurseKeys,
}

impl Work<'_> {
    /// Decides on a load or unload of a purse, or its overdraft limit.
    pub(super) fn authorise_purse(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let granted = match request.kind {
            Kind::PurseOverdraft => self.grant_overdraft(request),
            Kind::PurseUnload => self.grant_purse_load(request, LoadKind::Unload),
            _ => self.grant_purse_load(request, LoadKind::Linked),
        };
        match granted {
            Ok(acted) => Ok(acted),
            Err(Stop::Refuse(refusal)) => Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    fn grant_purse_load(&mut self, request: &Request, kind: LoadKind) -> Result<Acted, Stop> {
        let asking = self.asking_purse(request)?;
        let AskingPurse { card, purse, detail, keys } = &asking;
        let expected = if kind.lowers_card() { PurseTransactionType::UNLOAD } else { purse.load() };
        if PurseTransactionType(detail.kind) != expected {
            return Err(invalid("the card began another kind of transaction").into());
        }
        let amount_minor = u32::try_from(request.amount.minor).ok().filter(|minor| *minor > 0);
        let amount_minor = amount_minor
            .ok_or_else(|| Refusal::new(ResponseCode::INVALID_AMOUNT, "a purse takes 0.01 to 42949672.95"))?;
        let session = session_key(keys, kind, detail);
        let mac1 = detail.terms(amount_minor).load_mac1(&session, detail.old_balance_minor);
        check_mac1(request, mac1)?;
        self.settle_by_counter(&card.id, detail.sequence)?;
        let linked = self.admit_without_pin(card, request.amount.currency)?;
        let (_, limit_minor) =
            linked.ecash.ok_or_else(|| invalid("the card has no purse in this currency"))?;
        let account = linked.account.as_deref().ok_or_else(|| invalid("the purse has no linked account"))?;
        let currency = request.amount.currency;
        let old_minor = self.explained_balance(&asking, currency, linked.shadow_minor)?;
        let new_minor = match kind.lowers_card() {
            // That none of it is lent is proven by MAC1: the card makes none for more.
            true => old_minor.checked_sub(request.amount.minor),
            false => old_minor.checked_add(request.amount.minor),
        };
        let short = || Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, "the purse holds less than that");
        let new_minor = new_minor.ok_or_else(short)?;
        // What the card is lent is no part of what it may hold.
        if !kind.lowers_card()
            && new_minor > limit_minor
            && new_minor > limit_minor.saturating_add(self.lent_minor(&card.id, currency)?)
        {
            let reason = "the new balance is above the purse's limit";
            return Err(Refusal::new(ResponseCode::LIMIT_EXCEEDED, reason).into());
        }
        let at = self.now();
        let movement = Movement {
            account,
            class: linked.class,
            way: if kind.lowers_card() { Way::In } else { Way::Out },
            party: Party::OwnCard,
            amount: request.amount,
            at,
        };
        self.allow(&movement)?;
        let plan = Plan {
            kind,
            counter: Book::Account(account),
            amount: request.amount,
            old_minor,
            new_total: Amount::new(new_minor, currency),
            original: None,
            movement: Some(movement),
            at,
        };
        let event = if kind.lowers_card() { "Purse Unload Granted" } else { "Purse Load Granted" };
        self.grant_purse(request, &asking, &plan, event, |told| told.terms(amount_minor).load_mac2(&session))
    }

    /// The purse that a request is about, and what it told.
    pub(super) fn asking_purse(&self, request: &Request) -> Result<AskingPurse, Refusal> {
        let none = || Refusal::new(ResponseCode::NO_SUCH_CARD, "no purse on file with this number");
        Ok(AskingPurse {
            card: self.held_card().ok_or_else(none)?,
            purse: PurseId::of_sequence_number(request.psn).ok_or_else(|| invalid("this is no purse"))?,
            detail: purse_detail(request)?,
            keys: self.purse_keys(request)?,
        })
    }

    /// The balance that a purse told, where the ledger explains it.
    pub(super) fn explained_balance(
        &mut self,
        asking: &AskingPurse,
        currency: Currency,
        shadow_minor: i64,
    ) -> Result<u64, Stop> {
        let told_minor = u64::from(asking.detail.old_balance_minor);
        // No purchase after this moment can have been uploaded.
        let newest = u16::MAX;
        if self.check_shadow(&asking.card.id, currency, shadow_minor, newest, told_minor)? {
            return Ok(told_minor);
        }
        let reason = "the purse's balance is above what the ledger explains";
        Err(Refusal::new(ResponseCode::RESTRICTED, reason).into())
    }

    /// Opens the row of what is granted, and answers with the MAC2 of it.
    pub(super) fn grant_purse(
        &mut self,
        request: &Request,
        asking: &AskingPurse,
        plan: &Plan<'_>,
        event: &'static str,
        mac2: impl FnOnce(&PurseDetail) -> [u8; 4],
    ) -> Result<Acted, Stop> {
        // The card's own counter stays where it is until a load lands: rows are told apart by a
        // number of the issuer's.
        let number =
            u16::try_from(asking.card.last_atc + 1).map_err(|_| invalid("the purse was loaded too often"))?;
        self.advance_atc(number);
        let id = self.new_id();
        self.take_off(&id, request, (&asking.card.id, number), plan)?;
        let told =
            PurseDetail { date: with_century(plan.at.yymmdd()), time: plan.at.hhmmss(), ..asking.detail };
        let purchases = request.chip.array(tag::ATC).map(u16::from_be_bytes);
        self.keep_purse_load(&id, &told, purchases)?;
        self.settle_purse_claims(&asking.card.id)?;
        let mut answer = Answer::new(ResponseCode::APPROVED, "granted, and the money is in flight");
        answer.chip.put(tag::PURSE_DETAIL, told.to_bytes());
        answer.chip.put(tag::PURSE_MAC, mac2(&told));
        self.say_amount(event, plan.amount, "MAC1 is the card's, and MAC2 is made for it");
        Ok(Acted { answer, on: Some(id) })
    }

    /// Takes the card's proof of a load or unload; without one it only tells how that stands.
    pub(super) fn advise_purse_result(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let Some(load) = self.load_of_notice(request)? else {
            let reason = "no load of this purse fits the notice";
            return Ok(Acted::nothing(Answer::new(ResponseCode::NO_ORIGINAL, reason)));
        };
        let has_proof = request.chip.has(tag::PURSE_TAC);
        let fits = has_proof && self.proof_fits(request, &load)?;
        if fits {
            self.settle(&load, Settlement::Landed, "notice", "the card's proof is right")?;
        } else if has_proof {
            self.say("Alarm", "the card's proof of a load is wrong: nothing is settled by it");
        }
        let settlement = self.settlement(&load.id)?;
        let reason = match settlement {
            Settlement::Open => "noted; nothing is proven yet",
            Settlement::Landed => "noted; the card has changed",
            Settlement::Returned => "noted; the money is back where it came from",
        };
        let mut answer = Answer::new(ResponseCode::APPROVED, reason);
        answer.settlement = Some(settlement);
        Ok(Acted { answer, on: Some(load.id) })
    }

    /// TAC of a load or a limit, MAC3 of an unload.
    fn proof_fits(&mut self, request: &Request, load: &LoadRow) -> Result<bool, IssuerError> {
        let (Some(detail), Ok(keys)) = (self.purse_load(&load.id)?, self.purse_keys(request)) else {
            return Ok(false);
        };
        let narrow = |minor| u32::try_from(minor).unwrap_or(u32::MAX);
        let (terms, new) = (detail.terms(narrow(load.amount.minor)), narrow(load.new_minor));
        let key = tac_key(keys.of(PurseKeyKind::Tac).expose());
        let (tac, mac) = (request.chip.value(tag::PURSE_TAC), request.chip.value(tag::PURSE_MAC));
        Ok(match load.kind {
            LoadKind::OverdraftRaise | LoadKind::OverdraftCut => {
                let proven = overdraft_proof(&detail, load, &key, tac.unwrap_or_default());
                // Cards differ in whether the balance that they tell includes the limit.
                if let Some(told_minor) = proven.filter(|told_minor| *told_minor != load.new_minor) {
                    let values = [column(told_minor)?.into(), load.id.as_str().into()];
                    self.tx.execute("UPDATE load SET new_minor = $1 WHERE id = $2", &values)?;
                }
                proven.is_some()
            }
            LoadKind::Unload => {
                let key = session_key(&keys, load.kind, &detail);
                equal(&terms.unload_mac3(&key, new, detail.sequence), mac.unwrap_or_default())
            }
            _ => equal(&terms.load_tac(&key, new, detail.sequence), tac.unwrap_or_default()),
        })
    }

    /// Settles the open loads of a purse by its counter, which a right MAC1 has just told.
    pub(super) fn settle_by_counter(&mut self, card: &str, sequence: u16) -> Result<(), IssuerError> {
        if !self.rules.recovery.settle_by_evidence || !self.has_open_loads() {
            return Ok(());
        }
        for load in self.open_loads_of(card)? {
            let Some(detail) = self.purse_load(&load.id)? else { continue };
            let (to, reason) = match detail.sequence < sequence {
                true => (Settlement::Landed, "the purse's counter has stepped"),
                false => {
                    (Settlement::Returned, "the purse's counter has not stepped, and a new request began")
                }
            };
            self.settle(&load, to, "evidence", reason)?;
        }
        Ok(())
    }

    fn keep_purse_load(
        &mut self,
        id: &str,
        detail: &PurseDetail,
        purchases: Option<u16>,
    ) -> Result<(), IssuerError> {
        self.tx.execute(
            "INSERT INTO purse_load (load, detail, purchases) VALUES ($1, $2, $3)",
            &[id.into(), detail.to_bytes().into(), purchases.map(i64::from).into()],
        )?;
        Ok(())
    }

    fn purse_load(&mut self, id: &str) -> Result<Option<PurseDetail>, IssuerError> {
        let rows = self.tx.query("SELECT detail FROM purse_load WHERE load = $1", &[id.into()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let detail = PurseDetail::take(&mut Cursor::new(row.bytes(0)?));
        detail.map(Some).map_err(|cut| IssuerError::Corrupt {
            table: "purse_load",
            expected: "the data of a purse's transaction",
            found: cut.to_string(),
        })
    }
}

/// Refuses a MAC1 that is not the card's.
pub(super) fn check_mac1(request: &Request, expected: [u8; 4]) -> Result<(), Refusal> {
    match equal(&expected, request.chip.value(tag::PURSE_MAC).unwrap_or_default()) {
        true => Ok(()),
        false => {
            let reason = "MAC1 is not this card's for this transaction";
            Err(Refusal::new(ResponseCode::DO_NOT_HONOUR, reason))
        }
    }
}

pub(super) fn invalid(reason: &str) -> Refusal {
    Refusal::new(ResponseCode::INVALID_TRANSACTION, reason)
}

fn session_key(keys: &PurseKeys, kind: LoadKind, detail: &PurseDetail) -> PurseSessionKey {
    let key = if kind.lowers_card() { PurseKeyKind::Unload } else { PurseKeyKind::Load };
    online_session_key(keys.of(key).expose(), detail.random, detail.sequence)
}
