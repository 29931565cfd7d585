//! Loads and unloads of a purse with a host (JR/T 0025.1; PBOC parts 1 and 2).

use super::purchase::{card_mark, chip, may_have_acted, mode, present_pin};
use super::select::SelectedPurse;
use crate::air::host::Settlement;
use crate::air::host::{Answer, Host, HostError};
use crate::air::link::Card;
use crate::base::bytes::Cursor;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::roles::terminal::journal::{Change, EntryKind, Journal, Opening};
use crate::roles::terminal::{Cardholder, Outcome, TerminalConfig, TerminalError, Verdict, purse_outcome};
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;
use crate::words::iso7816::{ApduCommand, CommandError};
use crate::words::pboc::PurseDetail;
use crate::words::pboc::command::{
    CreditForLoad, DebitForUnload, InitializeForLoad, InitializeForUnload, OnlineInitialization,
};
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::{PurseId, PurseTransactionType};
use crate::words::tlv::TlvStore;

/// Index of the keys of load and unload.
const KEY: u8 = 1;

/// Everyone that a load talks to.
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

/// What the host moves.
#[derive(Debug, Clone, Copy)]
pub struct PurseTransfer {
    /// To or from which purse.
    pub purse: PurseId,
    /// Whether the money leaves the card.
    pub unloads: bool,
    /// The amount.
    pub amount: Amount,
    /// Batch and trace number of the journal.
    pub trace: (u32, u32),
    /// When, by the terminal's clock.
    pub at: Timestamp,
}

/// Loads or unloads the purse that is selected. Once the card was told, the journal has all that is
/// needed to learn later whether it did; then an error leaves the row in doubt.
pub fn transfer(
    selected: &SelectedPurse,
    order: &PurseTransfer,
    desk: &mut Desk<'_>,
    context: &mut Context,
) -> Result<Outcome, TerminalError> {
    let outcome = Transfer { selected, order }.run(desk, context)?;
    desk.cardholder.show(outcome.verdict.message(), "");
    Ok(outcome)
}

/// What the card told, or why it refused for sure.
type Told<T> = Result<T, String>;
/// MAC and TAC.
type Proof = ([u8; 4], [u8; 4]);

struct Transfer<'a> {
    selected: &'a SelectedPurse,
    order: &'a PurseTransfer,
}

impl Transfer<'_> {
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
        let told = match self.initialize(desk.card, amount, terminal, context)? {
            Ok(told) => told,
            Err(why) => return Ok(self.ended(Verdict::Declined, &why, None, context)),
        };
        let detail = self.detail(&told, terminal);
        self.open(&detail, told.mac1, desk, context)?;
        let row = desk.journal.row(order.trace.0, order.trace.1)?;
        let request = row.purse_request(&desk.config.merchant, &desk.config.terminal);
        let answer = match desk.host.authorise(&request, context) {
            Ok(answer) => answer,
            Err(HostError::Unreachable { cause }) => {
                desk.journal.write(order.trace, &Change::Declined { reason: NOT_SENT }, context)?;
                let why = format!("the host is not there: {cause}");
                return Ok(self.ended(Verdict::HostUnreachable, &why, Some(&told), context));
            }
            Err(error) => {
                let why = format!("no usable answer from the host: {error}");
                return self.undo(&why, UNANSWERED, &told, desk, context);
            }
        };
        if !answer.code.is_approved() {
            desk.journal.write(order.trace, &Change::Declined { reason: REFUSED }, context)?;
            let why = format!("the host answered {}: {}", answer.code, answer.reason);
            return Ok(self.ended(Verdict::Declined, &why, Some(&told), context));
        }
        let Some((detail, mac2)) = granted(&answer) else {
            return self.undo("the host's answer has no MAC2", UNUSABLE, &told, desk, context);
        };
        let after = match order.unloads {
            true => told.old_balance_minor.saturating_sub(amount),
            false => told.old_balance_minor.saturating_add(amount),
        };
        let authorised = Change::Authorised {
            atc: told.online_sequence.wrapping_add(1),
            balance_after_minor: Some(after.into()),
            chip: chip(&detail, None),
        };
        desk.journal.write(order.trace, &authorised, context)?;
        desk.journal.write(order.trace, &Change::Sending, context)?;
        let proof = match self.complete(&detail, mac2, desk, context) {
            Ok(Ok(proof)) => proof,
            Ok(Err(why)) => return self.undo(&why, CARD_REFUSED, &told, desk, context),
            Err(error) => {
                desk.journal.write(order.trace, &Change::InDoubt, context)?;
                return Err(error);
            }
        };
        let updated = Change::CardUpdated { atc: None, chip: Some(chip(&detail, Some(proof))) };
        desk.journal.write(order.trace, &updated, context)?;
        let row = desk.journal.row(order.trace.0, order.trace.1)?;
        let result = row.purse_result(&desk.config.merchant, &desk.config.terminal);
        let noted = desk.host.advise(&result, context);
        let is_noted = noted.is_ok_and(|answer| answer.settlement == Some(Settlement::Landed));
        if is_noted {
            desk.journal.write(order.trace, &Change::Confirmed, context)?;
        }
        let (verdict, why) = match (order.unloads, is_noted) {
            (false, true) => (Verdict::Loaded, "the card took MAC2, and the host its TAC"),
            (false, false) => {
                (Verdict::LoadedUnconfirmed, "the card took MAC2; the host has not its TAC yet")
            }
            (true, true) => (Verdict::Unloaded, "the card took MAC2, and the host its MAC3"),
            (true, false) => {
                (Verdict::UnloadedUnconfirmed, "the card took MAC2; the host has not its MAC3 yet")
            }
        };
        Ok(self.ended(verdict, why, Some(&told), context))
    }

    /// Begins it at the card; `Err` says why not.
    fn initialize(
        &self,
        card: &mut dyn Card,
        amount: u32,
        terminal: [u8; 6],
        context: &mut Context,
    ) -> Result<Told<OnlineInitialization>, TerminalError> {
        let purse = self.order.purse.0;
        let answered = match self.order.unloads {
            true => {
                let ask = InitializeForUnload { purse, key: KEY, amount, terminal };
                ask.answer(&card.transmit(&ask.to_apdu(), context)?)
            }
            false => {
                let ask = InitializeForLoad { purse, key: KEY, amount, terminal };
                ask.answer(&card.transmit(&ask.to_apdu(), context)?)
            }
        };
        match answered {
            Ok(told) => Ok(Ok(told)),
            Err(CommandError::Refused { status, .. }) => Ok(Err(format!("the card answered {status}"))),
            Err(error) => Err(error.into()),
        }
    }

    /// Date and time are the host's, and not known yet.
    fn detail(&self, told: &OnlineInitialization, terminal: [u8; 6]) -> PurseDetail {
        let kind = match self.order.unloads {
            true => PurseTransactionType::UNLOAD,
            false => self.order.purse.load(),
        };
        PurseDetail {
            kind: kind.0,
            terminal,
            terminal_sequence: 0,
            date: [0; 4],
            time: [0; 3],
            old_balance_minor: told.old_balance_minor,
            sequence: told.online_sequence,
            random: told.random,
            key_version: told.key_version,
            algorithm: told.algorithm,
            overdraft_limit: [0; 3],
        }
    }

    fn open(
        &self,
        detail: &PurseDetail,
        mac1: [u8; 4],
        desk: &mut Desk<'_>,
        context: &mut Context,
    ) -> Result<(), TerminalError> {
        let mut data = chip(detail, None);
        data.put(tag::PURSE_MAC, mac1);
        let opening = Opening {
            kind: if self.order.unloads { EntryKind::PurseUnload } else { EntryKind::PurseLoad },
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

    /// Tells the card; its MAC and TAC, of which a load has the one and an unload the other, or
    /// why it refused for sure.
    fn complete(
        &self,
        detail: &PurseDetail,
        mac2: [u8; 4],
        desk: &mut Desk<'_>,
        context: &mut Context,
    ) -> Result<Told<Proof>, TerminalError> {
        let PurseDetail { date, time, .. } = *detail;
        let answered = match self.order.unloads {
            true => {
                let command = DebitForUnload { date, time, mac2 };
                let answer = desk.card.transmit(&command.to_apdu(), context)?;
                command.answer(&answer).map(|proof| (proof.mac3, [0; 4]))
            }
            false => {
                let command = CreditForLoad { date, time, mac2 };
                let answer = desk.card.transmit(&command.to_apdu(), context)?;
                command.answer(&answer).map(|proof| ([0; 4], proof.tac))
            }
        };
        match answered {
            Ok(proof) => Ok(Ok(proof)),
            Err(CommandError::Refused { status, .. }) if !may_have_acted(status) => {
                Ok(Err(format!("the card answered {status} to the host's MAC2")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Nothing has reached the card: what the host may have booked is undone.
    fn undo(
        &self,
        why: &str,
        reason: &'static str,
        told: &OnlineInitialization,
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
        told: Option<&OnlineInitialization>,
        context: &mut Context,
    ) -> Outcome {
        let order = self.order;
        context.emit(Event::new("terminal", verdict.word()).because(why.to_owned()));
        let before = told.map(|told| Amount::new(told.old_balance_minor.into(), order.amount.currency));
        let after = before.filter(|_| verdict.is_success()).map(|before| match order.unloads {
            true => Amount::new(before.minor.saturating_sub(order.amount.minor), before.currency),
            false => Amount::new(before.minor.saturating_add(order.amount.minor), before.currency),
        });
        Outcome {
            balance_before: before,
            balance_after: after,
            atc: told.filter(|_| verdict.is_success()).map(|told| told.online_sequence.wrapping_add(1)),
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
