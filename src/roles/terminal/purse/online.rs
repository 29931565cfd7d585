//! What a host changes on a purse (JR/T 0025.1; PBOC parts 1 and 2): the card proves itself, the
//! host decides, the card changes and proves that it has. What differs between a load, an unload
//! and an overdraft limit is `change.rs`'s.

use super::change::{Proof, PurseChange};
use super::proof::offline_counter;
use super::purchase::{card_mark, chip, mode, present_pin};
use super::select::SelectedPurse;
use crate::air::host::Settlement;
use crate::air::host::{Answer, Host, HostError};
use crate::air::link::Card;
use crate::base::bytes::Cursor;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::roles::terminal::journal::{Change, Journal, Opening};
use crate::roles::terminal::{Cardholder, Outcome, TerminalConfig, TerminalError, Verdict, purse_outcome};
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;
use crate::words::pboc::PurseDetail;
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::PurseId;
use crate::words::tlv::TlvStore;

/// Everyone that such a change talks to.
pub struct Desk<'a> {
    /// The card.
    pub card: &'a mut dyn Card,
    /// The host.
    pub host: &'a mut dyn Host,
    /// The terminal's journal.
    pub journal: &'a mut Journal,
    /// The person.
    pub cardholder: &'a mut dyn Cardholder,
    /// The terminal.
    pub config: &'a TerminalConfig,
}

/// What is asked of the host.
#[derive(Debug, Clone, Copy)]
pub struct PurseOrder {
    /// Of which purse.
    pub purse: PurseId,
    /// What changes.
    pub change: PurseChange,
    /// The amount; of an overdraft limit, the new limit.
    pub amount: Amount,
    /// Batch and trace number of the journal.
    pub trace: (u32, u32),
    /// When, by the terminal's clock.
    pub at: Timestamp,
}

/// Changes the purse that is selected. Once the card was told, the journal has all that is
/// needed to learn later whether it did; then an error leaves the row in doubt.
pub fn change(
    selected: &SelectedPurse,
    order: &PurseOrder,
    desk: &mut Desk<'_>,
    context: &mut Context,
) -> Result<Outcome, TerminalError> {
    let outcome = Ordered { selected, order }.run(desk, context)?;
    desk.cardholder.show(outcome.verdict.message(), "");
    Ok(outcome)
}

struct Ordered<'a> {
    selected: &'a SelectedPurse,
    order: &'a PurseOrder,
}

impl Ordered<'_> {
    fn run(&self, desk: &mut Desk<'_>, context: &mut Context) -> Result<Outcome, TerminalError> {
        let order = self.order;
        let Ok(amount) = u32::try_from(order.amount.minor) else {
            return Ok(self.ended(Verdict::Declined, "a purse holds at most 42949672.95", None, context));
        };
        if order.amount.currency.0 != self.selected.layout.currency {
            return Ok(self.ended(Verdict::Declined, "the purse has another currency", None, context));
        }
        if let Some(why) = present_pin(desk.card, self.selected, order.amount, desk.cardholder, context)? {
            return Ok(self.ended(Verdict::Declined, &why, None, context));
        }
        let terminal = terminal_number(desk.config);
        let offline = offline_counter(desk.card, order.purse, terminal, context)?;
        let (detail, mac1) = match order.change.begin(order.purse, amount, terminal, desk.card, context)? {
            Ok(begun) => begun,
            Err(why) => return Ok(self.ended(Verdict::Declined, &why, None, context)),
        };
        let told = &detail;
        self.open(told, mac1, offline, desk, context)?;
        let row = desk.journal.row(order.trace.0, order.trace.1)?;
        let request = row.purse_request(&desk.config.merchant, &desk.config.terminal);
        let answer = match desk.host.authorise(&request, context) {
            Ok(answer) => answer,
            Err(HostError::Unreachable { cause }) => {
                desk.journal.write(order.trace, &Change::Declined { reason: NOT_SENT }, context)?;
                let why = format!("the host is not there: {cause}");
                return Ok(self.ended(Verdict::HostUnreachable, &why, Some(told), context));
            }
            Err(error) => {
                let why = format!("no usable answer from the host: {error}");
                return self.undo(&why, UNANSWERED, told, desk, context);
            }
        };
        if !answer.code.is_approved() {
            desk.journal.write(order.trace, &Change::Declined { reason: REFUSED }, context)?;
            let why = format!("the host answered {}: {}", answer.code, answer.reason);
            return Ok(self.ended(Verdict::Declined, &why, Some(told), context));
        }
        let Some((granted, mac2)) = granted(&answer) else {
            return self.undo("the host's answer has no MAC2", UNUSABLE, told, desk, context);
        };
        let authorised = Change::Authorised {
            atc: told.sequence.wrapping_add(1),
            balance_after_minor: order.change.balance_after(told.old_balance_minor, amount).map(u64::from),
            chip: chip(&granted, None),
        };
        desk.journal.write(order.trace, &authorised, context)?;
        desk.journal.write(order.trace, &Change::Sending, context)?;
        let proof: Proof = match order.change.complete(&granted, amount, mac2, desk.card, context) {
            Ok(Ok(proof)) => proof,
            Ok(Err(why)) => return self.undo(&why, CARD_REFUSED, told, desk, context),
            Err(error) => {
                desk.journal.write(order.trace, &Change::InDoubt, context)?;
                return Err(error);
            }
        };
        let updated = Change::CardUpdated { atc: None, chip: Some(chip(&granted, Some(proof))) };
        desk.journal.write(order.trace, &updated, context)?;
        let row = desk.journal.row(order.trace.0, order.trace.1)?;
        let result = row.purse_result(&desk.config.merchant, &desk.config.terminal);
        let noted = desk.host.advise(&result, context);
        let is_noted = noted.is_ok_and(|answer| answer.settlement == Some(Settlement::Landed));
        if is_noted {
            desk.journal.write(order.trace, &Change::Confirmed, context)?;
        }
        let (verdict, why) = order.change.done(is_noted);
        Ok(self.ended(verdict, why, Some(told), context))
    }

    fn open(
        &self,
        detail: &PurseDetail,
        mac1: [u8; 4],
        offline: Option<u16>,
        desk: &mut Desk<'_>,
        context: &mut Context,
    ) -> Result<(), TerminalError> {
        let mut data = chip(detail, None);
        data.put(tag::PURSE_MAC, mac1);
        // By it the issuer knows which purchases the balance has paid for.
        if let Some(offline) = offline {
            data.put(tag::ATC, offline.to_be_bytes());
        }
        let opening = Opening {
            kind: self.order.change.entry_kind(),
            amount: self.order.amount,
            card: card_mark(self.selected, self.order.purse),
            mode: mode(desk.card),
            batch: self.order.trace.0,
            trace: self.order.trace.1,
            at: self.order.at,
            balance_before_minor: Some(detail.old_balance_minor.into()),
            atc: Some(detail.sequence.wrapping_add(1)),
            chip: data,
            second_currency: false,
            original: None,
        };
        Ok(desk.journal.write(self.order.trace, &Change::Open(Box::new(opening)), context)?)
    }

    /// Nothing has reached the card: what the host may have booked is undone.
    fn undo(
        &self,
        why: &str,
        reason: &'static str,
        told: &PurseDetail,
        desk: &mut Desk<'_>,
        context: &mut Context,
    ) -> Result<Outcome, TerminalError> {
        let trace = self.order.trace;
        desk.journal.write(trace, &Change::ReversalDue { reason }, context)?;
        let row = desk.journal.row(trace.0, trace.1)?;
        let reversal = row.reversal(&desk.config.merchant, &desk.config.terminal);
        if desk.host.reverse(&reversal, context).is_ok_and(|answer| answer.code.is_approved()) {
            desk.journal.write(trace, &Change::Reversed, context)?;
        }
        Ok(self.ended(Verdict::Declined, why, Some(told), context))
    }

    fn ended(
        &self,
        verdict: Verdict,
        why: &str,
        told: Option<&PurseDetail>,
        context: &mut Context,
    ) -> Outcome {
        let order = self.order;
        context.emit(Event::new("terminal", verdict.word()).because(why.to_owned()));
        let shown = |minor: u32| Amount::new(minor.into(), order.amount.currency);
        let landed = told.filter(|_| verdict.is_success());
        let amount = u32::try_from(order.amount.minor).unwrap_or(u32::MAX);
        Outcome {
            balance_before: told.map(|told| shown(told.old_balance_minor)),
            balance_after: landed
                .and_then(|told| order.change.balance_after(told.old_balance_minor, amount))
                .map(shown),
            atc: landed.map(|told| told.sequence.wrapping_add(1)),
            ..purse_outcome(verdict, why.into(), order.amount, order.trace, &self.selected.number)
        }
    }
}

const NOT_SENT: &str = "the request never left";
const UNANSWERED: &str = "no usable answer from the host";
const UNUSABLE: &str = "the host's answer cannot be used";
const REFUSED: &str = "the host refused";
const CARD_REFUSED: &str = "the card refused the host's MAC2";

/// What the host grants: the transaction with its date and time, and MAC2.
fn granted(answer: &Answer) -> Option<(PurseDetail, [u8; 4])> {
    let chip: &TlvStore = &answer.chip;
    let detail = PurseDetail::take(&mut Cursor::new(chip.value(tag::PURSE_DETAIL)?)).ok()?;
    Some((detail, chip.array(tag::PURSE_MAC)?))
}

/// The number of a terminal without a security module: the end of its name.
fn terminal_number(config: &TerminalConfig) -> [u8; 6] {
    let name = config.terminal.as_bytes();
    let mut number = [b'0'; 6];
    for (place, byte) in number.iter_mut().rev().zip(name.iter().rev()) {
        *place = *byte;
    }
    number
}
