//! The gate's book: every tap that opened it, kept durably before it did, with the request
//! that its issuer is asked. Card numbers are sealed, and found again by a keyed hash.

use super::error::GateError;
use super::purse_book::Making;
use super::schema::{MIGRATIONS, OWNER};
use super::state::TapState;
use crate::air::host::{Entry, Kind, MessageClass, MessageKey, Original, Request};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::store::{Db, Row, SealKey, Sealed, StoreError, migrate, transact};
use crate::words::iso4217::{Amount, Currency};
use crate::words::tlv::TlvStore;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::time::Duration;

const TAP: &str = "gate.tap";
const CARD: &str = "gate.card";
/// Batch and trace numbers have six digits (F60.2, F11).
const LAST_NUMBER: u32 = 999_999;
pub(super) const COLUMNS: &str =
    "batch, trace, at, amount, currency, state, attempts, step, ask_batch, ask_trace, sealed, purse";

/// What a gate remembers.
pub struct Book {
    pub(super) db: Box<dyn Db>,
    seal: SealKey,
    /// The last batch and trace number that any message took.
    last: (u32, u32),
    /// The ride that a purse is paying for now.
    pub(super) making: Option<Making>,
    /// Held, not read: closing it lets another process be this gate.
    _lock: Option<File>,
}

/// A ride of a card, as rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Past {
    pub(super) at: Timestamp,
    pub(super) state: TapState,
    pub(super) amount_minor: u64,
}

/// A tap whose issuer is to be asked.
pub(super) struct Due {
    /// Its batch and trace number.
    pub(super) tap: (u32, u32),
    pub(super) state: TapState,
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
    pub(super) code: String,
    pub(super) step: usize,
    pub(super) next_at: Timestamp,
}

/// How many taps stand so, and what they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Taps.
    pub taps: u64,
    /// What they come to, minor units.
    pub minor: u64,
}

/// What of a request is sealed; the rest stands in columns.
#[derive(Serialize, Deserialize)]
struct Part {
    pan: String,
    psn: u8,
    entry: Entry,
    chip: TlvStore,
    #[serde(default)]
    account: Option<String>,
}

impl Book {
    /// Opens the book in a store and brings its tables up to date.
    pub fn open(mut db: Box<dyn Db>, seal: SealKey) -> Result<Self, GateError> {
        migrate(db.as_mut(), OWNER, MIGRATIONS)?;
        let rows = transact(db.as_mut(), |tx| {
            let sql = "SELECT COALESCE(MAX(batch * 1000000 + trace), 1000000), \
                       COALESCE(MAX(ask_batch * 1000000 + ask_trace), 1000000) FROM gate_tap";
            tx.query(sql, &[])
        })?;
        let last = match rows.first() {
            Some(row) => row.int(0)?.max(row.int(1)?),
            None => 1_000_000,
        };
        let last = ((last / 1_000_000) as u32, (last % 1_000_000) as u32);
        Ok(Self { db, seal, last, making: None, _lock: None })
    }

    /// Keeps `lock` for as long as the book is open: two processes that were one gate at once
    /// would give the same numbers twice.
    #[must_use]
    pub fn guarded_by(mut self, lock: File) -> Self {
        self._lock = Some(lock);
        self
    }

    /// The numbers of the next message; given again until a row with them is kept.
    pub(super) fn next_trace(&self) -> (u32, u32) {
        following(self.last)
    }

    /// The newest rides of a card.
    pub(super) fn past(&mut self, pan: &str, most: u32) -> Result<Vec<Past>, GateError> {
        let card = self.card(pan);
        let rides = words_of(TapState::is_ride);
        // A bound limit would have SQLite plan the statement anew at every tap.
        let sql = format!(
            "SELECT at, state, amount, batch, trace FROM gate_tap WHERE card = $1 AND state IN ({rides}) \
             ORDER BY at DESC LIMIT {most}"
        );
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[card.clone().into()]))?;
        let past = |row: &Row| {
            let tap = (row.int(3)? as u32, row.int(4)? as u32);
            Ok(Past {
                at: Timestamp::from_micros(row.int(0)?),
                state: state(row, 1, tap)?,
                amount_minor: u64::try_from(row.int(2)?).unwrap_or(0),
            })
        };
        rows.iter().map(past).collect()
    }

    /// Keeps a tap, durably, before it returns: the gate may open then.
    pub(super) fn keep(
        &mut self,
        request: &Request,
        account: Option<&Secret<String>>,
        state: TapState,
        context: &mut Context,
    ) -> Result<(), GateError> {
        Ok(self.insert(request, account, state, false, context)?)
    }

    /// Keeps a row of a bank card's ride or a purse's.
    pub(super) fn insert(
        &mut self,
        request: &Request,
        account: Option<&Secret<String>>,
        state: TapState,
        is_purse: bool,
        context: &mut Context,
    ) -> Result<(), StoreError> {
        let sealed = self.sealed(request, account, context);
        let MessageKey { batch, trace, .. } = request.key;
        let values = [
            i64::from(batch).into(),
            i64::from(trace).into(),
            self.card(request.pan.expose()).into(),
            request.at.micros().into(),
            i64::try_from(request.amount.minor).unwrap_or(i64::MAX).into(),
            i64::from(request.amount.currency.0).into(),
            state.word().into(),
            sealed.0.into(),
            i64::from(is_purse).into(),
        ];
        transact(self.db.as_mut(), |tx| {
            tx.execute(
                "INSERT INTO gate_tap (batch, trace, card, at, amount, currency, state, code, attempts, step, \
                 next_at, ask_batch, ask_trace, sealed, purse) VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0, 0, \
                 0, $1, $2, $8, $9)",
                &values,
            )
        })?;
        self.last = (batch, trace);
        Ok(())
    }

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
            // A debt that is asked for the first time of this step is a new message.
            if tap.state == TapState::Owed && tap.attempts == 0 {
                last = following(last);
                (tap.request.key.batch, tap.request.key.trace) = last;
            }
            due.push(tap);
        }
        transact(self.db.as_mut(), |tx| {
            due.iter().try_for_each(|tap| {
                let key = &tap.request.key;
                tx.execute(
                    "UPDATE gate_tap SET attempts = $1, next_at = $2, ask_batch = $3, ask_trace = $4 \
                     WHERE batch = $5 AND trace = $6",
                    &[
                        (tap.attempts as i64 + 1).into(),
                        now.plus(pause(tap.attempts)).micros().into(),
                        i64::from(key.batch).into(),
                        i64::from(key.trace).into(),
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
                tx.execute(
                    "UPDATE gate_tap SET state = $1, code = $2, attempts = 0, step = $3, next_at = $4 \
                     WHERE batch = $5 AND trace = $6",
                    &[
                        outcome.state.word().into(),
                        outcome.code.as_str().into(),
                        (outcome.step as i64).into(),
                        outcome.next_at.micros().into(),
                        i64::from(due.tap.0).into(),
                        i64::from(due.tap.1).into(),
                    ],
                )
                .map(drop)
            })
        })?;
        Ok(())
    }

    /// Whether a card has a ride that bars it.
    pub(super) fn is_barred(&mut self, pan: &str) -> Result<bool, GateError> {
        let card = self.card(pan);
        let bars = words_of(TapState::bars);
        let sql = format!("SELECT 1 FROM gate_tap WHERE card = $1 AND state IN ({bars}) LIMIT 1");
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[card.clone().into()]))?;
        Ok(!rows.is_empty())
    }

    /// The accounts behind cards with a ride that bars them, where the cards told them.
    pub(super) fn barred_accounts(&mut self) -> Result<Vec<Secret<String>>, GateError> {
        let bars = words_of(TapState::bars);
        let sql = format!("SELECT {COLUMNS} FROM gate_tap WHERE state IN ({bars})");
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[]))?;
        let account = |row: &Row| self.due(row, "", "").map(|due| due.account).transpose();
        rows.iter().filter_map(account).collect()
    }

    /// How many taps stand how, by state.
    pub fn standing(&mut self) -> Result<BTreeMap<TapState, Standing>, GateError> {
        self.standing_where("purse >= 0")
    }

    /// The same of those that a purse has paid, or is in doubt about.
    pub fn standing_of_purses(&mut self) -> Result<BTreeMap<TapState, Standing>, GateError> {
        self.standing_where("purse = 1")
    }

    fn standing_where(&mut self, which: &str) -> Result<BTreeMap<TapState, Standing>, GateError> {
        let sql = format!(
            "SELECT state, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM gate_tap WHERE {which} GROUP BY state"
        );
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[]))?;
        let standing = |row: &Row| {
            let number = |column| row.int(column).map(|value| u64::try_from(value).unwrap_or(0));
            Ok((state(row, 0, (0, 0))?, Standing { taps: number(1)?, minor: number(2)? }))
        };
        rows.iter().map(standing).collect()
    }

    /// What of a request is sealed.
    pub(super) fn sealed(
        &self,
        request: &Request,
        account: Option<&Secret<String>>,
        context: &mut Context,
    ) -> Sealed {
        let part = Part {
            pan: request.pan.expose().clone(),
            psn: request.psn,
            entry: request.entry,
            chip: request.chip.clone(),
            account: account.map(|account| account.expose().clone()),
        };
        // Strings and byte lists always serialise.
        let text = Secret::new(serde_json::to_vec(&part).unwrap_or_default());
        Sealed::seal(&self.seal, TAP, text.expose(), context)
    }

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
        let request = Request {
            key: MessageKey {
                class: if is_purse { MessageClass::Notice } else { MessageClass::Request },
                merchant: merchant.into(),
                terminal: terminal.into(),
                batch,
                trace,
            },
            kind: if is_purse { Kind::PurseSale } else { Kind::Purchase },
            amount: Amount::new(minor, Currency(currency)),
            pan: Secret::new(part.pan),
            psn: part.psn,
            entry: part.entry,
            at: Timestamp::from_micros(row.int(2)?),
            chip: part.chip,
            pin: None,
            // A debt names the ride that was declined.
            original: (state == TapState::Owed).then_some(Original { batch: tap.0, trace: tap.1 }),
            payer: None,
        };
        let (attempts, step) = (number(6)? as usize, number(7)? as usize);
        Ok(Due { tap, state, attempts, step, request, account: part.account.map(Secret::new) })
    }

    pub(super) fn card(&self, pan: &str) -> Vec<u8> {
        Sealed::lookup(&self.seal, CARD, pan.as_bytes())
    }
}

/// The words of these states, as a list of SQL.
fn words_of(is_one: impl Fn(TapState) -> bool) -> String {
    let states = TapState::ALL.iter().copied().filter(|state| is_one(*state));
    states.map(|state| format!("'{state}'")).collect::<Vec<_>>().join(", ")
}

/// The numbers after these.
const fn following(last: (u32, u32)) -> (u32, u32) {
    match last {
        (LAST_NUMBER, LAST_NUMBER) => (1, 1),
        (batch, LAST_NUMBER) => (batch + 1, 1),
        (batch, trace) => (batch, trace + 1),
    }
}

fn state(row: &Row, column: usize, (batch, trace): (u32, u32)) -> Result<TapState, GateError> {
    let wrong = GateError::Column { batch, trace, column: "state", expected: "a tap's state" };
    TapState::from_word(row.text(column)?).ok_or(wrong)
}
