//! Rides whose issuer is to be asked or told, as messages, and what the answers make of them: a
//! message and its key are kept before it is sent. What an answer means may not enter.

use super::book::{Book, COLUMNS, Part, TAP, following, state, words_of};
use super::error::GateError;
use super::purse_book::claim_of;
use super::state::TapState;
use crate::air::host::{Kind, MessageClass, MessageKey, Original, Request};
use crate::base::bytes::Secret;
use crate::base::env::Timestamp;
use crate::base::store::{Row, Sealed, StoreError, Value, transact};
use crate::words::iso4217::{Amount, Currency};
use crate::words::tlv::TlvStore;
use std::time::Duration;

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The money of one ride.
    Ride,
    /// That the nominal amount of several is held.
    Hold,
    /// What they come to, out of what is held.
    Sum,
}

/// A tap whose issuer is to be asked.
pub(super) struct Due {
    /// Its batch and trace number.
    pub(super) tap: (u32, u32),
    pub(super) state: TapState,
    pub(super) asks: Asks,
    /// How many rides it asks for.
    pub(super) rides: usize,
    /// When nothing joins it any more.
    pub(super) ends_at: Timestamp,
    /// How often the host did not answer.
    pub(super) attempts: usize,
    /// How many steps of debt recovery it has behind it.
    pub(super) step: usize,
    pub(super) request: Request,
    /// The account behind the card, where the card told it.
    pub(super) account: Option<Secret<String>>,
}

/// What an answer makes of a tap.
pub(super) struct Outcome {
    pub(super) state: TapState,
    /// Whether the money is held now.
    pub(super) is_held: bool,
    pub(super) code: String,
    pub(super) step: usize,
    pub(super) next_at: Timestamp,
}

impl Book {
    /// The oldest taps whose issuer is to be asked now. Their next attempt is put off by
    /// `pause` of the attempts so far, and a debt gets a message of its own, before any of
    /// them is asked.
    pub(super) fn take_due(
        &mut self,
        most: u32,
        pause: impl Fn(usize) -> Duration,
        (merchant, terminal): (&str, &str),
        now: Timestamp,
    ) -> Result<Vec<Due>, GateError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM gate_tap WHERE state IN ({}) AND amount > 0 AND next_at <= $1 \
             ORDER BY at, batch, trace LIMIT $2",
            words_of(TapState::is_due)
        );
        let rows =
            transact(self.db.as_mut(), |tx| tx.query(&sql, &[now.micros().into(), i64::from(most).into()]))?;
        let mut last = self.last;
        let mut due = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut tap = self.due(row, merchant, terminal)?;
            self.gather(&mut tap)?;
            // A debt that is asked for the first time of this step is a new message, and so is what
            // rides come to once they have ended.
            if (tap.state == TapState::Owed || tap.asks == Asks::Sum) && tap.attempts == 0 {
                last = following(last);
                (tap.request.key.batch, tap.request.key.trace) = last;
            }
            due.push(tap);
        }
        transact(self.db.as_mut(), |tx| {
            due.iter().try_for_each(|tap| {
                let key = &tap.request.key;
                // Nothing joins what is asked for: the sum is that of the message.
                let ends_at = if tap.asks == Asks::Sum { 0 } else { tap.ends_at.micros() };
                tx.execute(
                    "UPDATE gate_tap SET attempts = $1, next_at = $2, ask_batch = $3, ask_trace = $4, \
                     ends_at = $5 WHERE batch = $6 AND trace = $7",
                    &[
                        (tap.attempts as i64 + 1).into(),
                        now.plus(pause(tap.attempts)).micros().into(),
                        i64::from(key.batch).into(),
                        i64::from(key.trace).into(),
                        ends_at.into(),
                        i64::from(tap.tap.0).into(),
                        i64::from(tap.tap.1).into(),
                    ],
                )
                .map(drop)
            })
        })?;
        self.last = last;
        Ok(due)
    }

    /// Keeps what the answers of a batch make of its taps.
    pub(super) fn keep_answers(&mut self, answers: &[(&Due, Outcome)]) -> Result<(), GateError> {
        for (due, outcome) in answers {
            if !due.state.may_become(outcome.state) {
                let ((batch, trace), from, to) = (due.tap, due.state.word(), outcome.state.word());
                return Err(GateError::Transition { batch, trace, from, to });
            }
        }
        transact(self.db.as_mut(), |tx| {
            answers.iter().try_for_each(|(due, outcome)| {
                let (state, code) = (outcome.state.word(), outcome.code.as_str());
                let tap = [due.tap.0, due.tap.1].map(|number| Value::Int(number.into()));
                // A debt is what it is: nothing joins it.
                let ends_at = if outcome.state == TapState::Held { due.ends_at.micros() } else { 0 };
                let values = [
                    state.into(),
                    code.into(),
                    (outcome.step as i64).into(),
                    outcome.next_at.micros().into(),
                    ends_at.into(),
                ];
                tx.execute(
                    "UPDATE gate_tap SET state = $1, code = $2, attempts = 0, step = $3, next_at = $4, \
                     ends_at = $5 WHERE batch = $6 AND trace = $7",
                    &[&values[..], &tap].concat(),
                )?;
                if outcome.is_held {
                    tx.execute(
                        "UPDATE gate_tap SET held_batch = ask_batch, held_trace = ask_trace \
                         WHERE batch = $1 AND trace = $2",
                        &tap,
                    )?;
                }
                if due.asks != Asks::Ride {
                    tx.execute(
                        "UPDATE gate_tap SET state = $1, code = $2 WHERE lead_batch = $3 AND lead_trace = $4",
                        &[&values[..2], &tap].concat(),
                    )?;
                }
                Ok::<_, StoreError>(())
            })
        })?;
        Ok(())
    }

    /// A row as the message about it; what rides come to is not in it yet.
    pub(super) fn due(&self, row: &Row, merchant: &str, terminal: &str) -> Result<Due, GateError> {
        let number = |column| row.int(column).map(|value| value as u32);
        let tap = (number(0)?, number(1)?);
        let wrong = |column, expected| GateError::Column { batch: tap.0, trace: tap.1, column, expected };
        let opened = Sealed(row.bytes(10)?.to_vec()).open(&self.seal, TAP)?;
        let part: Part = serde_json::from_slice(opened.expose())
            .map_err(|_| wrong("sealed", "a card and its chip data"))?;
        let currency = u16::try_from(row.int(4)?).map_err(|_| wrong("currency", "a currency's number"))?;
        let minor = u64::try_from(row.int(3)?).map_err(|_| wrong("amount", "an amount"))?;
        let state = state(row, 5, tap)?;
        let (batch, trace, is_purse) = (number(8)?, number(9)?, row.int(11)? != 0);
        let (nominal, held) = (row.int(12)?, (number(14)?, number(15)?));
        let asks = match (nominal, held.1) {
            (0, _) => Asks::Ride,
            (_, 0) => Asks::Hold,
            _ => Asks::Sum,
        };
        let (class, kind) = match asks {
            Asks::Ride if is_purse => (MessageClass::Notice, Kind::PurseSale),
            Asks::Ride => (MessageClass::Request, Kind::Purchase),
            Asks::Hold => (MessageClass::Request, Kind::PreAuthorisation),
            Asks::Sum => (MessageClass::Notice, Kind::PreAuthorisationCompletion),
        };
        let original = match asks {
            Asks::Sum => Some(held),
            // A debt names the ride that was declined.
            _ => (state == TapState::Owed).then_some(tap),
        };
        let nominal = u64::try_from(nominal).map_err(|_| wrong("nominal", "an amount"))?;
        let request = Request {
            key: MessageKey { class, merchant: merchant.into(), terminal: terminal.into(), batch, trace },
            kind,
            amount: Amount::new(if asks == Asks::Hold { nominal } else { minor }, Currency(currency)),
            pan: Secret::new(part.pan),
            psn: part.psn,
            entry: part.entry,
            at: Timestamp::from_micros(row.int(2)?),
            // The hold has what the card has signed.
            chip: if asks == Asks::Sum { TlvStore::new() } else { part.chip },
            pin: None,
            original: original.map(|(batch, trace)| Original { batch, trace }),
            payer: None,
        };
        let request = match state {
            TapState::Claimed => claim_of(&request).ok_or_else(|| wrong("sealed", "a purse and its data"))?,
            _ => request,
        };
        let (attempts, step) = (number(6)? as usize, number(7)? as usize);
        let ends_at = Timestamp::from_micros(row.int(13)?);
        let account = part.account.map(Secret::new);
        Ok(Due { tap, state, asks, rides: 1, ends_at, attempts, step, request, account })
    }
}
