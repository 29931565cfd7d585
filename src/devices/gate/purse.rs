//! A tap with a purse: dates, deny list and rules, then a compound purchase before the gate's
//! security module that writes the travel record with the debit. A purse that was pulled away
//! proves at its next tap what became of it (GET TRANSACTION PROVE). No bank card may enter.

use super::air_time::{Counted, since};
use super::book::Book;
use super::decision::Decision;
use super::deny_list::DenyList;
use super::error::GateError;
use super::line::Line;
use super::passage::Why;
use super::purse_rules::{PurseRules, Tariff};
use super::rules;
use super::state::TapState;
use crate::air::link::{Card, LinkError};
use crate::base::bytes::Cursor;
use crate::base::context::Context;
use crate::base::env::Clock;
use crate::base::event::Event;
use crate::roles::terminal::journal::{Change, Entry, JournalError};
use crate::roles::terminal::purse::{
    CappRecord, Counter, Keeper, Proven, Purchase, PurchaseKind, Sam, SelectedPurse, judge, prove_selected,
    purchase, select_named,
};
use crate::roles::terminal::{NoCardholder, TerminalError};
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;
use crate::words::iso7816::command::ReadRecord;
use crate::words::iso7816::{ApduCommand, StatusWord};
use crate::words::pboc::command::GetBalance;
use crate::words::pboc::fixed::Fixed;
use crate::words::pboc::purse::PurseId;
use crate::words::pboc::{BalanceReading, TravelRecord};
use std::time::Duration;

/// The gate's security module.
pub(super) struct Module {
    card: Box<dyn Card>,
    /// What of it is selected.
    found: Option<Opened>,
    /// The purchase that it began last: it can still judge that one's MAC2.
    begun: Option<(u32, u32)>,
}

impl Module {
    pub(super) const fn new(card: Box<dyn Card>) -> Self {
        Self { card, found: None, begun: None }
    }
}

/// What a module has for some purses.
#[derive(Clone, Copy)]
struct Opened {
    /// Whether it was looked for on behalf of purses with a certification code.
    for_codes: bool,
    number: [u8; 6],
    key: u8,
    wants_code: bool,
}

/// A tap with a purse, under way.
pub(super) struct PurseTap<'a> {
    pub(super) line: &'a Line,
    pub(super) rules: &'a PurseRules,
    pub(super) deny_list: &'a DenyList,
    pub(super) book: &'a mut Book,
    pub(super) module: &'a mut Module,
    pub(super) stopwatch: &'a (dyn Clock + Sync),
    pub(super) trace: (u32, u32),
    pub(super) spent: Spent,
}

/// What a tap with a purse has spent elsewhere than in the gate's own work.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Keeping it, measured.
    pub(super) store: Duration,
    /// What the security module takes, by assumption.
    pub(super) module: Duration,
    /// Time in its link, measured.
    pub(super) in_link: Duration,
}

impl PurseTap<'_> {
    /// What the tap comes to; `None` where the card has no purse that this line takes, or the
    /// bank card beside it is to pay.
    pub(super) fn tap(
        &mut self,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Option<Decision>, GateError> {
        let selected = match select_named(card, &self.rules.aids, context) {
            Ok(Some(selected)) => selected,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(unreadable(&error))),
        };
        let decision = self.decide(&selected, card, context)?;
        let is_passed_over = matches!(decision.why, Why::Expired | Why::NoMoney);
        if self.rules.then_bank_card && is_passed_over {
            let reason = format!("{}: the bank card beside it is asked", decision.reason);
            context.emit(Event::new("gate", "purse passed over").because(reason));
            return Ok(None);
        }
        Ok(Some(decision.of(selected.number)))
    }

    fn decide(
        &mut self,
        selected: &SelectedPurse,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Decision, GateError> {
        let number = selected.number.expose();
        if let Some((row, attempts)) = self.book.in_doubt(number, self.rules.proof_taps)?
            && let Some(decision) = self.settle(selected, row, attempts, card, context)?
        {
            return Ok(decision);
        }
        if selected.blocked {
            return Ok(Decision::shut(Why::Refused, "its issuer has blocked the purse"));
        }
        let [year, month, day] = context.now().yymmdd();
        if let Some(reason) = hindrance_of_dates(selected, [0x20, year, month, day]) {
            return Ok(Decision::shut(Why::Expired, reason));
        }
        let past = self.book.past(number, rules::RIDES_LOOKED_AT)?;
        let hindrance = rules::hindrance_of_purse(self.line, &past, context.now());
        if let Some(decision) = self.denial(number, hindrance) {
            return Ok(decision);
        }
        let (balance_minor, newest) = match self.read(selected, card, context) {
            Ok(read) => read,
            Err(error) => return Ok(unreadable(&error)),
        };
        let mut tariff = self.rules.tariff(self.line.kind, self.line.fare_minor, newest.as_ref());
        if tariff.minor > 0 && rules::is_free(self.line, tariff.minor, &past, context.now()) {
            tariff = Tariff { minor: 0, reason: "the day's cap is reached: the ride is free", ..tariff };
        }
        self.pay(selected, tariff, balance_minor, card, context)
    }

    /// Deny list and rules: a debtor is on the list too, and hears why.
    fn denial(&self, number: &str, hindrance: Option<(Why, String)>) -> Option<Decision> {
        match hindrance {
            Some((Why::Owes, reason)) => Some(Decision::shut(Why::Owes, reason)),
            _ if self.deny_list.denies(number) => Some(Decision::denied(self.deny_list)),
            other => other.map(|(why, reason)| Decision::shut(why, reason)),
        }
    }

    /// What the purse holds, and its newest travel record.
    fn read(
        &self,
        selected: &SelectedPurse,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<(u32, Option<TravelRecord>), TerminalError> {
        let own = selected.layout.balances.iter().find(|balance| PurseId(balance.purse) == PurseId::PURSE);
        let reading = own.map_or(BalanceReading::Whole, |balance| balance.reading);
        let ask = GetBalance { part: 0, purse: PurseId::PURSE.0 };
        let told = ask.answer(&card.transmit(&ask.to_apdu(), context)?)?;
        let newest = match self.rules.reads_travel(self.line.kind) {
            true => newest_record(card, self.rules.travel_sfi, context)?,
            false => None,
        };
        Ok((u32::try_from(reading.minor(told.balance_minor)).unwrap_or(0), newest))
    }

    /// The compound purchase.
    fn pay(
        &mut self,
        selected: &SelectedPurse,
        tariff: Tariff,
        balance_minor: u32,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Decision, GateError> {
        let mut sam = Counted::module(self.module.card.as_mut(), self.line.air, self.stopwatch);
        let for_codes = selected.layout.certification_code;
        let found = match self.module.found {
            Some(found) if found.for_codes == for_codes => Ok(found),
            _ => Sam::open(&mut sam, selected.layout, context).map(|sam| Opened {
                for_codes,
                number: sam.number,
                key: sam.key,
                wants_code: sam.wants_code,
            }),
        };
        let found @ Opened { number, key, wants_code, .. } = match found {
            Ok(found) => found,
            Err(error) => return Ok(Decision::shut(Why::Unreadable, format!("security module: {error}"))),
        };
        let at = context.now();
        let record = self.rules.record(self.line.station, tariff, balance_minor, number, at).to_bytes();
        let record = CappRecord { sfi: self.rules.travel_sfi, id: 0, data: record };
        let order = Purchase {
            purse: PurseId::PURSE,
            kind: PurchaseKind::Compound(vec![record]),
            amount: Amount::new(tariff.minor, self.line.currency),
            trace: self.trace,
            at,
        };
        let mut book = Timed { book: self.book, stopwatch: self.stopwatch, spent: Duration::ZERO };
        let mut counter = Counter {
            card,
            sam: Sam::opened(&mut sam, number, key, wants_code),
            journal: &mut book,
            cardholder: &mut NoCardholder,
        };
        let done = purchase(selected, &order, &mut counter, context);
        self.spent.store += book.spent;
        let (time, is_gone) = (sam.time, sam.is_gone);
        self.module.found = (!is_gone).then_some(found);
        self.note_module(time.card, time.in_link);
        let made = self.book.making.as_ref().map(|making| (making.is_kept, making.is_debited));
        let is_begun = made.is_some_and(|(is_kept, _)| is_kept) && !is_gone;
        self.module.begun = is_begun.then_some(self.trace);
        let is_debited = made.is_some_and(|(_, is_debited)| is_debited);
        match done {
            Ok(outcome) if outcome.verdict.is_success() => {
                self.settle_made(paid(tariff.minor), context)?;
                Ok(Decision::open(format!("{} is paid by the purse: {}", order.amount, tariff.reason)))
            }
            Ok(outcome) if is_debited => {
                if outcome.refused_with == Some(StatusWord::MAC_WRONG) {
                    self.settle_made(TapState::Doubtful, context)?;
                }
                Ok(Decision::shut(Why::Refused, outcome.reason))
            }
            Ok(outcome) => {
                let is_short = outcome.refused_with == Some(StatusWord::INSUFFICIENT_BALANCE);
                let why = if is_short { Why::NoMoney } else { Why::Refused };
                Ok(Decision::shut(why, outcome.reason))
            }
            Err(TerminalError::Journal(error)) => Err(error.into()),
            Err(error) => Ok(unreadable(&error)),
        }
    }

    fn settle_made(&mut self, to: TapState, context: &mut Context) -> Result<(), GateError> {
        let begun = self.stopwatch.now();
        self.book.settle_made(to, context)?;
        self.spent.store += since(begun, self.stopwatch);
        Ok(())
    }

    /// Has the card prove what became of a ride before; `None` where another one may begin.
    fn settle(
        &mut self,
        selected: &SelectedPurse,
        row: Entry,
        attempts: u32,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Option<Decision>, GateError> {
        let proven = match prove_selected(card, selected, &row, context) {
            Ok(proven) => proven,
            Err(error) => return Ok(Some(unreadable(&error))),
        };
        let (chip, reason) = match proven {
            Proven::Landed { chip, reason } => (chip, reason),
            Proven::NotLanded(reason) => {
                self.book.settle_purse(&row, TapState::Void, context)?;
                context.emit(Event::new("gate", "ride not debited").because(reason));
                return Ok(None);
            }
            Proven::Gone(reason) => {
                self.give_up(&row, TapState::Void, context)?;
                context.emit(Event::new("gate", "ride never proven").because(reason));
                return Ok(None);
            }
            Proven::Nothing(reason) => {
                let taps = attempts.saturating_add(1);
                let told = format!("{reason} (tap {taps} of {})", self.rules.proof_taps);
                if taps < self.rules.proof_taps {
                    self.book.not_proven(&row, taps)?;
                    return Ok(Some(Decision::shut(Why::Unproven, told)));
                }
                self.give_up(&row, TapState::Void, context)?;
                context.emit(Event::new("gate", "ride never proven").because(told));
                return Ok(None);
            }
        };
        let row = Entry { chip, ..row };
        let judged = self.judged(&row, context);
        if judged == Some(false) {
            self.book.settle_purse(&row, TapState::Doubtful, context)?;
            let reason = "doubtful: the security module says that the proof is not the purse's";
            return Ok(Some(Decision::shut(Why::Refused, reason)));
        }
        let begun = self.stopwatch.now();
        match row.chip.has(tag::PURSE_TAC) {
            true => self.book.settle_purse(&row, paid(row.amount.minor), context)?,
            // Its log tells, and its TAC is lost.
            false => self.give_up(&row, TapState::Free, context)?,
        }
        self.spent.store += since(begun, self.stopwatch);
        let number = selected.number.expose();
        if self.deny_list.denies(number) {
            return Ok(Some(Decision::denied(self.deny_list)));
        }
        if judged.is_none() {
            if self.book.unjudged(number)? >= self.rules.unjudged_proofs {
                let reason =
                    "the card has paid before, says its proof, which the security module can no longer judge";
                return Ok(Some(Decision::shut(Why::Unproven, reason)));
            }
            self.book.note_unjudged(&row)?;
        }
        Ok(Some(Decision::open(format!("the ride was paid before: {reason}"))))
    }

    /// The card proves it no longer: its issuer is to find out. One over nothing is not worth that.
    fn give_up(&mut self, row: &Entry, of_nothing: TapState, context: &mut Context) -> Result<(), GateError> {
        let to = if row.amount.minor == 0 { of_nothing } else { TapState::Claimed };
        self.book.settle_purse(row, to, context)
    }

    /// What the module says of a proof; `None` where it has begun another purchase since.
    fn judged(&mut self, row: &Entry, context: &mut Context) -> Option<bool> {
        let mac2 = row.chip.array::<4>(tag::PURSE_MAC)?;
        self.module.begun.filter(|begun| *begun == (row.batch, row.trace))?;
        let mut sam = Counted::module(self.module.card.as_mut(), self.line.air, self.stopwatch);
        let status: Result<StatusWord, LinkError> = judge(&mut sam, mac2, context);
        let time = sam.time;
        self.note_module(time.card, time.in_link);
        match status {
            Ok(status) if status.is_ok() => {
                self.module.begun = None;
                Some(true)
            }
            Ok(StatusWord::MAC_WRONG) => Some(false),
            _ => None,
        }
    }

    fn note_module(&mut self, module: Duration, in_link: Duration) {
        self.spent.module += module;
        self.spent.in_link += in_link;
    }
}

/// The book, and what keeping takes.
struct Timed<'a> {
    book: &'a mut Book,
    stopwatch: &'a (dyn Clock + Sync),
    spent: Duration,
}

impl Keeper for Timed<'_> {
    fn write(
        &mut self,
        trace: (u32, u32),
        change: &Change,
        context: &mut Context,
    ) -> Result<(), JournalError> {
        let begun = self.stopwatch.now();
        let written = self.book.write(trace, change, context);
        self.spent += since(begun, self.stopwatch);
        written
    }
}

/// What a debit came to: over nothing, nobody is told.
const fn paid(minor: u64) -> TapState {
    match minor {
        0 => TapState::Free,
        _ => TapState::Waiting,
    }
}

fn unreadable(error: &TerminalError) -> Decision {
    Decision::shut(Why::Unreadable, error.to_string())
}

/// Why the purse is not valid on a day, BCD YYYYMMDD.
fn hindrance_of_dates(selected: &SelectedPurse, today: [u8; 4]) -> Option<&'static str> {
    match (selected.valid_from, selected.valid_until) {
        (_, None) => Some("the purse does not tell its last day"),
        (_, Some(until)) if until < today => Some("the purse is expired"),
        (Some(from), _) if from > today => Some("the purse is not yet valid"),
        _ => None,
    }
}

fn newest_record(
    card: &mut dyn Card,
    sfi: u8,
    context: &mut Context,
) -> Result<Option<TravelRecord>, TerminalError> {
    let ask = ReadRecord { sfi, record: 1 };
    let answer = card.transmit(&ask.to_apdu(), context)?;
    let bytes = ask.answer(&answer).ok().filter(|bytes| bytes.len() == TravelRecord::BYTES);
    Ok(bytes.and_then(|bytes| TravelRecord::take(&mut Cursor::new(&bytes)).ok()))
}
