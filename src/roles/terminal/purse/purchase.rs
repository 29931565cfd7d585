//! A purchase with a purse and a security module: simple, cash withdrawal, compound. No host is
//! asked; the TAC is uploaded later (JR/T 0025.1; PBOC parts 1, 2 and 2.0 part 9).

use super::keeper::Keeper;
use super::sam::Sam;
use super::select::SelectedPurse;
use crate::air::host::Entry as Mode;
use crate::air::link::{Card, Interface};
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind, Opening};
use crate::roles::terminal::{
    Cardholder, Outcome, PinCheck, PinPrompt, TerminalError, Verdict, purse_outcome,
};
use crate::words::dictionary::tag;
use crate::words::emv::with_century;
use crate::words::iso4217::Amount;
use crate::words::iso7816::{ApduCommand, CommandApdu, CommandError, ResponseApdu, StatusWord};
use crate::words::pboc::command::{
    DebitForPurchase, InitializeForCappPurchase, InitializeForCashWithdraw, InitializeForPurchase,
    InitializeSamForPurchase, OfflineInitialization, UpdateCappDataCache, VerifyPin,
};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{PurseId, PurseTransactionType};
use crate::words::pboc::{PurseDetail, application_serial};
use crate::words::tlv::TlvStore;

/// Everyone that a purchase talks to.
pub struct Counter<'a> {
    /// The card.
    pub card: &'a mut dyn Card,
    /// The security module, selected.
    pub sam: Sam<'a>,
    /// Where it is kept.
    pub journal: &'a mut dyn Keeper,
    /// The person.
    pub cardholder: &'a mut dyn Cardholder,
}

/// What is bought.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// With which purse.
    pub purse: PurseId,
    /// Of which kind.
    pub kind: PurchaseKind,
    /// The amount; 0 is a compound purchase that writes its records alone, as a gate's entry does.
    pub amount: Amount,
    /// Batch and trace number of the journal.
    pub trace: (u32, u32),
    /// When, by the terminal's clock.
    pub at: Timestamp,
}

/// A kind of purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PurchaseKind {
    /// Simple.
    Simple,
    /// Cash from the deposit.
    Cash,
    /// Compound, with what it writes.
    Compound(Vec<CappRecord>),
}

/// A record that a compound purchase writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CappRecord {
    /// Short file identifier.
    pub sfi: u8,
    /// The record's identifier; 00 in a ring.
    pub id: u8,
    /// The record.
    pub data: Vec<u8>,
}

/// Buys something with the purse that is selected. Once the card was told to debit, the journal
/// has all that is needed to learn later whether it did; then an error leaves the row in doubt.
pub fn purchase(
    selected: &SelectedPurse,
    order: &Purchase,
    counter: &mut Counter<'_>,
    context: &mut Context,
) -> Result<Outcome, TerminalError> {
    let done = Purse { selected, order, card: counter.card };
    let outcome = done.buy(&mut counter.sam, counter.journal, counter.cardholder, context)?;
    counter.cardholder.show(outcome.verdict.message(), "");
    Ok(outcome)
}

/// A purchase under way.
struct Purse<'a> {
    selected: &'a SelectedPurse,
    order: &'a Purchase,
    card: &'a mut dyn Card,
}

impl Purse<'_> {
    fn buy(
        mut self,
        sam: &mut Sam<'_>,
        journal: &mut dyn Keeper,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<Outcome, TerminalError> {
        let order = self.order;
        let Ok(amount_minor) = u32::try_from(order.amount.minor) else {
            return Ok(self.refused("a purse pays at most 42949672.95", context));
        };
        if order.amount.currency.0 != self.selected.layout.currency {
            return Ok(self.refused("the purse has another currency", context));
        }
        if self.selected.blocked {
            return Ok(self.refused("the purse is blocked", context));
        }
        if order.purse == PurseId::DEPOSIT
            && let Some(why) = present_pin(self.card, self.selected, order.amount, cardholder, context)?
        {
            return Ok(self.refused(&why, context));
        }
        let kind = self.kind();
        let answer = self.card.transmit(&self.initialization(sam, amount_minor), context)?;
        let ask = InitializeForPurchase {
            purse: order.purse.0,
            key: sam.key,
            amount: amount_minor,
            terminal: sam.number,
        };
        let told = match ask.answer(&answer) {
            Ok(told) => told,
            Err(_) if !answer.status.is_ok() => {
                let refused = self.refused(&format!("the card answered {}", answer.status), context);
                return Ok(Outcome { refused_with: Some(answer.status), ..refused });
            }
            Err(error) => return Err(error.into()),
        };
        let (date, time) = purse_time(order.at);
        let begun = sam.begin(
            &InitializeSamForPurchase {
                random: told.random,
                offline: told.offline_sequence,
                amount: amount_minor,
                kind: kind.0,
                date,
                time,
                version: told.key_version,
                algorithm: told.algorithm,
                serial: application_serial(&self.selected.number),
                issuer: self.selected.issuer,
            },
            context,
        )?;
        let detail = PurseDetail {
            kind: kind.0,
            terminal: sam.number,
            terminal_sequence: begun.terminal_sequence,
            date,
            time,
            old_balance_minor: told.old_balance_minor,
            sequence: told.offline_sequence,
            random: told.random,
            key_version: told.key_version,
            algorithm: told.algorithm,
            overdraft_limit: told.overdraft_limit,
        };
        self.open(&detail, journal, context)?;
        if let Some(reason) = self.write_records(context)? {
            journal.write(order.trace, &Change::Declined { reason: RECORD_REFUSED }, context)?;
            return Ok(self.outcome(Verdict::Declined, reason, Some(&told), context));
        }
        let debit = DebitForPurchase { sequence: begun.terminal_sequence, date, time, mac1: begun.mac1 };
        journal.write(order.trace, &Change::Sending, context)?;
        let answer = match self.card.transmit(&debit.to_apdu(), context) {
            Ok(answer) => answer,
            Err(error) => {
                journal.write(order.trace, &Change::InDoubt, context)?;
                return Err(error.into());
            }
        };
        let proof = match debit.answer(&answer) {
            Ok(proof) => proof,
            Err(CommandError::Refused { status, .. }) if !may_have_acted(status) => {
                journal.write(order.trace, &Change::Declined { reason: CARD_REFUSED }, context)?;
                let reason = format!("the card answered {status} to the debit");
                let refused = self.outcome(Verdict::Declined, reason, Some(&told), context);
                return Ok(Outcome { refused_with: Some(status), ..refused });
            }
            Err(error) => {
                journal.write(order.trace, &Change::InDoubt, context)?;
                return Err(error.into());
            }
        };
        let chip = chip(&detail, Some((proof.mac2, proof.tac)));
        let updated = Change::CardUpdated { atc: Some(detail.sequence.wrapping_add(1)), chip: Some(chip) };
        journal.write(order.trace, &updated, context)?;
        match sam.credit(proof.mac2, context) {
            Ok(status) if status.is_ok() => {
                let reason = "the security module took the card's MAC2; the TAC waits for its upload";
                Ok(self.outcome(Verdict::ApprovedOffline, reason.into(), Some(&told), context))
            }
            judged => {
                // Nothing is handed out. The row goes to the issuer all the same: only the TAC
                // says whether the card has paid.
                let refused_with = judged.as_ref().ok().copied();
                let judged = judged.map_or_else(|error| error.to_string(), |status| status.to_string());
                let reason = format!("doubtful: the security module answered {judged} to the card's MAC2");
                let refused = self.outcome(Verdict::Declined, reason, Some(&told), context);
                Ok(Outcome { refused_with, ..refused })
            }
        }
    }

    fn kind(&self) -> PurseTransactionType {
        match self.order.kind {
            PurchaseKind::Simple => self.order.purse.purchase(),
            PurchaseKind::Cash => PurseTransactionType::CASH_WITHDRAWAL,
            PurchaseKind::Compound(_) => PurseTransactionType::COMPOUND_PURCHASE,
        }
    }

    /// The command that begins it; all three have the same answer.
    fn initialization(&self, sam: &Sam<'_>, amount: u32) -> CommandApdu {
        let (key, terminal) = (sam.key, sam.number);
        match self.order.kind {
            PurchaseKind::Simple => {
                InitializeForPurchase { purse: self.order.purse.0, key, amount, terminal }.to_apdu()
            }
            PurchaseKind::Cash => InitializeForCashWithdraw { key, amount, terminal }.to_apdu(),
            PurchaseKind::Compound(_) => InitializeForCappPurchase { key, amount, terminal }.to_apdu(),
        }
    }

    fn open(
        &self,
        detail: &PurseDetail,
        journal: &mut dyn Keeper,
        context: &mut Context,
    ) -> Result<(), TerminalError> {
        let opening = Opening {
            kind: EntryKind::PursePurchase,
            amount: self.order.amount,
            card: card_mark(self.selected, self.order.purse),
            mode: mode(self.card),
            batch: self.order.trace.0,
            trace: self.order.trace.1,
            at: self.order.at,
            balance_before_minor: Some(detail.old_balance_minor.into()),
            atc: Some(detail.sequence.wrapping_add(1)),
            chip: chip(detail, None),
            second_currency: false,
            original: None,
        };
        Ok(journal.write(self.order.trace, &Change::Open(Box::new(opening)), context)?)
    }

    /// Gives the card its records; `Some` says why it took one not.
    fn write_records(&mut self, context: &mut Context) -> Result<Option<String>, TerminalError> {
        let PurchaseKind::Compound(records) = &self.order.kind else { return Ok(None) };
        for CappRecord { sfi, id, data } in records {
            let update = UpdateCappDataCache { id: *id, sfi: *sfi, data: data.clone() };
            let ResponseApdu { status, .. } = self.card.transmit(&update.to_apdu(), context)?;
            if !status.is_ok() {
                return Ok(Some(format!("the card answered {status} to the record of file {sfi:02X}")));
            }
        }
        Ok(None)
    }

    fn refused(&self, reason: &str, context: &mut Context) -> Outcome {
        self.outcome(Verdict::Declined, reason.to_owned(), None, context)
    }

    fn outcome(
        &self,
        verdict: Verdict,
        reason: String,
        told: Option<&OfflineInitialization>,
        context: &mut Context,
    ) -> Outcome {
        let (order, currency) = (self.order, self.order.amount.currency);
        context.emit(Event::new("terminal", verdict.word()).because(reason.clone()));
        let before = told.map(|told| Amount::new(told.old_balance_minor.into(), currency));
        let after = before.filter(|_| verdict.is_success());
        Outcome {
            balance_before: before,
            balance_after: after.map(|b| Amount::new(b.minor.saturating_sub(order.amount.minor), currency)),
            atc: told.filter(|_| verdict.is_success()).map(|told| told.offline_sequence.wrapping_add(1)),
            ..purse_outcome(verdict, reason, order.amount, order.trace, &self.selected.number)
        }
    }
}

const RECORD_REFUSED: &str = "the card took a record not";
const CARD_REFUSED: &str = "the card refused the debit";

/// Presents the PIN; `Some` says why not.
pub(super) fn present_pin(
    card: &mut dyn Card,
    selected: &SelectedPurse,
    amount: Amount,
    cardholder: &mut dyn Cardholder,
    context: &mut Context,
) -> Result<Option<String>, TerminalError> {
    let mut tries_left = None;
    for attempt in 1.. {
        let check = PinCheck::Offline { tries_left };
        let prompt = PinPrompt { pan: selected.number.clone(), amount, check, attempt };
        let Some(pin) = cardholder.enter_pin(&prompt) else {
            return Ok(Some("the cardholder entered no PIN".into()));
        };
        let status = card.transmit(&VerifyPin::of_digits(pin.expose()).to_apdu(), context)?.status;
        match status.counter() {
            _ if status.is_ok() => return Ok(None),
            Some(left) if left > 0 => tries_left = Some(left),
            _ => return Ok(Some(format!("the card answered {status} to the PIN"))),
        }
    }
    Ok(Some("no PIN was right".into()))
}

/// What the journal keeps of a purse transaction, and the host is told of it.
pub(super) fn chip(detail: &PurseDetail, proof: Option<([u8; 4], [u8; 4])>) -> TlvStore {
    let mut chip = TlvStore::new();
    chip.put(tag::PURSE_DETAIL, detail.to_bytes());
    if let Some((mac, tac)) = proof {
        chip.put(tag::PURSE_MAC, mac);
        chip.put(tag::PURSE_TAC, tac);
    }
    chip
}

/// The card's purse, as the journal and its issuer know it.
pub(super) fn card_mark(selected: &SelectedPurse, purse: PurseId) -> CardMark {
    CardMark { pan: selected.number.clone(), psn: purse.sequence_number() }
}

/// How the card is read.
pub(super) fn mode(card: &dyn Card) -> Mode {
    match card.activation().interface {
        Interface::Contact => Mode::Contact,
        Interface::Contactless => Mode::ContactlessQuick,
    }
}

/// Date and time as purses have them, BCD.
pub(super) fn purse_time(at: Timestamp) -> ([u8; 4], [u8; 3]) {
    (with_century(at.yymmdd()), at.hhmmss())
}

/// Whether a status word leaves open what the card has done.
pub(super) const fn may_have_acted(status: StatusWord) -> bool {
    matches!(status.sw1(), 0x64 | 0x65 | 0x6F | 0x61 | 0x62 | 0x63)
}
