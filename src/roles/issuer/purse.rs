//! Purses (PBOC ED/EP), issuer's side: TACs of purchases, MAC1 and MAC2 of loads and unloads. The
//! card's counter decides what became of a load that nobody heard of again.

use super::IssuerError;
use super::answer::Acted;
use super::claim::Proven;
use super::decision::Refusal;
use super::flag::FlagKind;
use super::ledger::Book;
use super::work::Work;
use crate::air::host::{Answer, Request, ResponseCode, Settlement};
use crate::base::bytes::Cursor;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::tac_key;
use crate::words::pboc::{PurseDetail, PurseKeyKind, PurseKeys, application_serial, equal};

impl Work<'_> {
    /// Books a purchase whose TAC is right, once; another one is kept as a claim, and nobody is
    /// paid for it.
    pub(super) fn advise_purse_sale(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let Some(card) = self.held_card() else {
            let refusal = Refusal::new(ResponseCode::NO_SUCH_CARD, "no purse on file with this number");
            return Ok(Acted::nothing(self.declined(refusal, None)?));
        };
        let (detail, keys) = match (purse_detail(request), self.purse_keys(request)) {
            (Ok(detail), Ok(keys)) => (detail, keys),
            (Err(refusal), _) | (_, Err(refusal)) => {
                return Ok(Acted::nothing(self.declined(refusal, None)?));
            }
        };
        let sequence = detail.sequence.wrapping_add(1);
        let tac = request.chip.value(tag::PURSE_TAC).unwrap_or_default();
        let key = tac_key(keys.of(PurseKeyKind::Tac).expose());
        let amount = u32::try_from(request.amount.minor).unwrap_or(u32::MAX);
        let expected = detail.terms(amount).purchase_tac(&key, detail.terminal_sequence);
        if !equal(&expected, tac) {
            if self.insert_sale(request, &card.id, sequence, tac, "disputed")?.is_some() {
                let counters = (i64::from(sequence), i64::from(sequence));
                self.flag(&card.id, FlagKind::SaleDisputed, request.amount, counters)?;
                self.say("Alarm", "an uploaded purchase with a purse is disputed: its TAC is wrong");
            }
            let reason = "the TAC is not this card's for this purchase: nothing is booked";
            let mut answer = Answer::new(ResponseCode::APPROVED, reason);
            answer.settlement = Some(Settlement::Returned);
            return Ok(Acted::nothing(answer));
        }
        let id = match self.prove_purse_claim(request, &card.id, sequence, tac)? {
            Proven::Claim(id) => Some(id),
            Proven::Booked => None,
            // The TAC does not cover the counter, under which nothing is booked twice.
            Proven::Nothing if self.is_tac_known(request, &card.id, tac)? => None,
            Proven::Nothing => self.insert_sale(request, &card.id, sequence, tac, "booked")?,
        };
        let Some(id) = id else {
            let mut answer = Answer::new(ResponseCode::APPROVED, "the purchase was booked before");
            answer.settlement = Some(Settlement::Landed);
            return Ok(Acted::nothing(answer));
        };
        self.land_what_pays(&card.id, request)?;
        let merchant = &request.key.merchant;
        let reason = match self.book_sale(&id, Book::Card(&card.id), merchant, request.amount)? {
            None => "the TAC is right, and the purchase is booked".to_owned(),
            Some(why) => {
                let counters = (i64::from(sequence), i64::from(sequence));
                self.flag(&card.id, FlagKind::SaleHeld, request.amount, counters)?;
                why
            }
        };
        self.settle_purse_claims(&card.id)?;
        let mut answer = Answer::new(ResponseCode::APPROVED, reason);
        answer.settlement = Some(Settlement::Landed);
        Ok(Acted { answer, on: Some(id) })
    }

    /// A purse that has paid more than its shadow holds has taken a load that nobody has heard
    /// of again, or has not given up what was to be taken off it: nothing else can have paid.
    fn land_what_pays(&mut self, card: &str, request: &Request) -> Result<(), IssuerError> {
        if !self.rules.recovery.settle_by_evidence || !self.has_open_loads() {
            return Ok(());
        }
        let shadow = self.balance_minor(Book::Card(card), request.amount.currency)?;
        if i128::from(shadow) >= i128::from(request.amount.minor) {
            return Ok(());
        }
        let loads = self.open_loads_of(card)?;
        if let Some(load) = loads.last() {
            let (to, reason) = match load.kind.lowers_card() {
                true => (Settlement::Returned, "the purse has paid more than would have been left on it"),
                false => (Settlement::Landed, "the purse has paid more than it had without the load"),
            };
            self.settle(load, to, "evidence", reason)?;
        }
        Ok(())
    }

    /// The keys of the purse that a message is about.
    pub(super) fn purse_keys(&self, request: &Request) -> Result<PurseKeys, Refusal> {
        let none = |reason: &str| Refusal::new(ResponseCode::NO_SUCH_CARD, reason);
        let master = self.keys.purses().ok_or_else(|| none("the issuer has no purses"))?;
        let number = Pan::new(request.pan.expose()).map_err(|_| none("the number is no purse's"))?;
        Ok(master.diversify(application_serial(&number)))
    }
}

/// What a message says of its transaction.
pub(super) fn purse_detail(request: &Request) -> Result<PurseDetail, Refusal> {
    let bytes = request.chip.value(tag::PURSE_DETAIL).unwrap_or_default();
    PurseDetail::take(&mut Cursor::new(bytes))
        .map_err(|cut| Refusal::new(ResponseCode::FORMAT_ERROR, format!("the purse's data (DF8A01): {cut}")))
}
