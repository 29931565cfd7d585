//! Rides of purses in the gate's book: in doubt, durably, before the card is told to pay, and what
//! they came to before the gate opens. What a card proves may not enter.

use super::book::{Book, COLUMNS};
use super::error::GateError;
use super::making::Making;
use super::state::TapState;
use crate::air::host::{MessageKey, Request};
use crate::base::bytes::Cursor;
use crate::base::context::Context;
use crate::base::store::{StoreError, transact};
use crate::roles::terminal::journal::{CardMark, Change, Entry, EntryKind, JournalError, State};
use crate::roles::terminal::purse::Keeper;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::pboc::PurseDetail;
use crate::words::pboc::fixed::Fixed;

impl Keeper for Book {
    /// Nothing moves before [`Change::Sending`], so nothing is kept before it; from then on the
    /// row is in doubt until `settle_purse` says what it came to.
    fn write(
        &mut self,
        trace: (u32, u32),
        change: &Change,
        context: &mut Context,
    ) -> Result<(), JournalError> {
        let of = |making: &&mut Making| (making.entry.batch, making.entry.trace) == trace;
        let making = self.making.as_mut().filter(of);
        match (change, making) {
            (Change::Open(opening), _) => {
                let entry = Entry::from((**opening).clone());
                self.making = Some(Making { entry, is_kept: false, is_debited: false });
            }
            (Change::Sending, Some(making)) => {
                making.is_kept = true;
                let request = making.entry.upload("", "");
                self.keep_purse(&request, context)?;
            }
            (Change::CardUpdated { chip, .. }, Some(making)) => {
                making.is_debited = true;
                if let Some(chip) = chip {
                    making.entry.chip = chip.clone();
                }
            }
            // As the row stands already.
            (Change::InDoubt, Some(_)) => {}
            (Change::Declined { .. }, Some(making)) => {
                if making.is_kept {
                    let request = making.entry.upload("", "");
                    self.update(trace, TapState::Void, &request, context)?;
                }
                self.making = None;
            }
            (other, _) => {
                let to = other.state().unwrap_or(State::InDoubt);
                return Err(JournalError::Transition { trace: trace.1, from: State::Started, to });
            }
        }
        Ok(())
    }
}

impl Book {
    /// Keeps what the ride in the making came to, durably: the gate may open then.
    pub(super) fn settle_made(&mut self, to: TapState, context: &mut Context) -> Result<(), GateError> {
        let Some(making) = self.making.take() else { return Ok(()) };
        self.settle_purse(&making.entry, to, context)
    }

    /// The same of a row that was in doubt, with the proof that it has now.
    pub(super) fn settle_purse(
        &mut self,
        row: &Entry,
        to: TapState,
        context: &mut Context,
    ) -> Result<(), GateError> {
        if !TapState::InDoubt.may_become(to) {
            let (batch, trace) = (row.batch, row.trace);
            return Err(GateError::Transition {
                batch,
                trace,
                from: TapState::InDoubt.word(),
                to: to.word(),
            });
        }
        let request = row.upload("", "");
        Ok(self.update((row.batch, row.trace), to, &request, context)?)
    }

    /// The newest ride of a card that is in doubt and was not proven at as many taps as `most`
    /// yet; with the number of those taps.
    pub(super) fn in_doubt(&mut self, pan: &str, most: u32) -> Result<Option<(Entry, u32)>, GateError> {
        let (card, state) = (self.card(pan), TapState::InDoubt.word());
        let sql = format!(
            "SELECT {COLUMNS} FROM gate_tap WHERE card = $1 AND state = '{state}' AND attempts < $2 \
             ORDER BY at DESC LIMIT 1"
        );
        let rows =
            transact(self.db.as_mut(), |tx| tx.query(&sql, &[card.clone().into(), i64::from(most).into()]))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let due = self.due(row, "", "")?;
        let attempts = u32::try_from(due.attempts).unwrap_or(u32::MAX);
        Ok(entry_of(&due.request).map(|entry| (entry, attempts)))
    }

    /// A tap has not proven what became of a ride.
    pub(super) fn not_proven(&mut self, row: &Entry, attempts: u32) -> Result<(), GateError> {
        let key = [attempts, row.batch, row.trace].map(|number| i64::from(number).into());
        transact(self.db.as_mut(), |tx| {
            tx.execute("UPDATE gate_tap SET attempts = $1 WHERE batch = $2 AND trace = $3", &key).map(drop)
        })?;
        Ok(())
    }

    /// Rides of a card that have passed by a proof which nobody could judge, and which its issuer
    /// has not judged yet.
    pub(super) fn unjudged(&mut self, pan: &str) -> Result<u64, GateError> {
        let (card, [waiting, claimed]) = (self.card(pan), [TapState::Waiting, TapState::Claimed]);
        let sql = format!(
            "SELECT COUNT(*) FROM gate_tap WHERE card = $1 AND unjudged = 1 \
             AND state IN ('{waiting}', '{claimed}')"
        );
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[card.clone().into()]))?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))?.unsigned_abs())
    }

    /// A ride passes by such a proof.
    pub(super) fn note_unjudged(&mut self, row: &Entry) -> Result<(), GateError> {
        let key = [row.batch, row.trace].map(|number| i64::from(number).into());
        transact(self.db.as_mut(), |tx| {
            tx.execute("UPDATE gate_tap SET unjudged = 1 WHERE batch = $1 AND trace = $2", &key).map(drop)
        })?;
        Ok(())
    }

    fn update(
        &mut self,
        (batch, trace): (u32, u32),
        state: TapState,
        request: &Request,
        context: &mut Context,
    ) -> Result<(), StoreError> {
        let sealed = self.sealed(request, None, context);
        let values = [state.word().into(), sealed.0.into(), i64::from(batch).into(), i64::from(trace).into()];
        transact(self.db.as_mut(), |tx| {
            let sql = "UPDATE gate_tap SET state = $1, sealed = $2, attempts = 0 \
                       WHERE batch = $3 AND trace = $4";
            tx.execute(sql, &values).map(drop)
        })
    }
}

/// The message that claims a purse's ride; it has the key of the ride, under which the ride itself
/// could still be told of.
pub(super) fn claim_of(request: &Request) -> Option<Request> {
    let MessageKey { merchant, terminal, .. } = &request.key;
    entry_of(request).map(|entry| entry.claim(merchant, terminal))
}

/// A purse's ride as the terminal proves it.
fn entry_of(request: &Request) -> Option<Entry> {
    let detail = PurseDetail::take(&mut Cursor::new(request.chip.value(tag::PURSE_DETAIL)?)).ok()?;
    Some(Entry {
        trace: request.key.trace,
        batch: request.key.batch,
        kind: EntryKind::PursePurchase,
        state: State::InDoubt,
        sent: true,
        amount: request.amount,
        card: CardMark { pan: Pan::new(request.pan.expose()).ok()?, psn: request.psn },
        mode: request.entry,
        atc: Some(detail.sequence.wrapping_add(1)),
        balance_before_minor: None,
        balance_after_minor: None,
        second_currency: false,
        chip: request.chip.clone(),
        at: request.at,
        reason: String::new(),
        original: None,
    })
}
