//! The gate's book: every tap that opened it, kept durably before it did, with the request
//! that its issuer is asked. Card numbers are sealed, and found again by a keyed hash.

use super::error::GateError;
use super::making::Making;
use super::ride::{Place, Ride};
use super::schema::{MIGRATIONS, OWNER};
use super::state::TapState;
use crate::air::host::{Entry, Kind, MessageKey, Request};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::store::{Db, Row, SealKey, Sealed, StoreError, Tx, migrate, transact};
use crate::words::tlv::TlvStore;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;

pub(super) const TAP: &str = "gate.tap";
const CARD: &str = "gate.card";
/// Batch and trace numbers have six digits (F60.2, F11).
const LAST_NUMBER: u32 = 999_999;
pub(super) const COLUMNS: &str = "batch, trace, at, amount, currency, state, attempts, step, ask_batch, ask_trace, sealed, purse, \
     nominal, ends_at, held_batch, held_trace";
/// When a ride is due that another one asks for.
const NEVER: i64 = i64::MAX;

/// What a gate remembers.
pub struct Book {
    pub(super) db: Box<dyn Db>,
    pub(super) seal: SealKey,
    /// The last batch and trace number that any message took.
    pub(super) last: (u32, u32),
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
pub(super) struct Part {
    pub(super) pan: String,
    pub(super) psn: u8,
    pub(super) entry: Entry,
    pub(super) chip: TlvStore,
    #[serde(default)]
    pub(super) account: Option<String>,
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

    /// Keeps a bank card's ride, durably, before it returns: the gate may open then.
    pub(super) fn keep(&mut self, ride: &Ride, context: &mut Context) -> Result<(), GateError> {
        let Ride { request, account, state, fare_minor, place } = ride;
        Ok(self.insert(request, account.as_ref(), *state, *fare_minor, *place, context)?)
    }

    /// The same of a purse's.
    pub(super) fn keep_purse(&mut self, request: &Request, context: &mut Context) -> Result<(), StoreError> {
        self.insert(request, None, TapState::InDoubt, request.amount.minor, Place::Alone, context)
    }

    fn insert(
        &mut self,
        request: &Request,
        account: Option<&Secret<String>>,
        state: TapState,
        fare_minor: u64,
        place: Place,
        context: &mut Context,
    ) -> Result<(), StoreError> {
        let sealed = self.sealed(request, account, context);
        let (MessageKey { batch, trace, .. }, at) = (&request.key, request.at.micros());
        let (batch, trace) = (*batch, *trace);
        let (next_at, lead, nominal_minor, ends_at) = match place {
            Place::Alone => (0, None, 0, 0),
            Place::Leads { nominal_minor, ends_at, ask_first } => {
                (if ask_first { 0 } else { ends_at.micros() }, None, nominal_minor, ends_at.micros())
            }
            Place::Joins { lead, .. } => (NEVER, Some(lead), 0, 0),
        };
        let values = [
            i64::from(batch).into(),
            i64::from(trace).into(),
            self.card(request.pan.expose()).into(),
            at.into(),
            column(fare_minor).into(),
            i64::from(request.amount.currency.0).into(),
            state.word().into(),
            next_at.into(),
            sealed.0.into(),
            i64::from(request.kind == Kind::PurseSale).into(),
            lead.map(|lead| i64::from(lead.0)).into(),
            lead.map(|lead| i64::from(lead.1)).into(),
            column(nominal_minor).into(),
            ends_at.into(),
        ];
        transact(self.db.as_mut(), |tx| {
            tx.execute(
                "INSERT INTO gate_tap (batch, trace, card, at, amount, currency, state, code, attempts, step, \
                 next_at, ask_batch, ask_trace, sealed, purse, lead_batch, lead_trace, nominal, ends_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0, 0, $8, $1, $2, $9, $10, $11, $12, $13, $14)",
                &values,
            )?;
            match place {
                Place::Joins { lead, is_last: true } => end(tx, lead, at),
                _ => Ok(()),
            }
        })?;
        self.last = (batch, trace);
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

    pub(super) fn card(&self, pan: &str) -> Vec<u8> {
        Sealed::lookup(&self.seal, CARD, pan.as_bytes())
    }
}

/// The words of these states, as a list of SQL.
pub(super) fn words_of(is_one: impl Fn(TapState) -> bool) -> String {
    let states = TapState::ALL.iter().copied().filter(|state| is_one(*state));
    states.map(|state| format!("'{state}'")).collect::<Vec<_>>().join(", ")
}

/// Nothing joins these rides any more, and what they come to is due; a pause goes on.
fn end(tx: &mut dyn Tx, (batch, trace): (u32, u32), at: i64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE gate_tap SET ends_at = $1, next_at = CASE WHEN attempts = 0 THEN $1 ELSE next_at END \
         WHERE batch = $2 AND trace = $3",
        &[at.into(), i64::from(batch).into(), i64::from(trace).into()],
    )
    .map(drop)
}

/// An amount as its column has it.
fn column(minor: u64) -> i64 {
    i64::try_from(minor).unwrap_or(i64::MAX)
}

/// The numbers after these.
pub(super) const fn following(last: (u32, u32)) -> (u32, u32) {
    match last {
        (LAST_NUMBER, LAST_NUMBER) => (1, 1),
        (batch, LAST_NUMBER) => (batch + 1, 1),
        (batch, trace) => (batch, trace + 1),
    }
}

pub(super) fn state(row: &Row, column: usize, (batch, trace): (u32, u32)) -> Result<TapState, GateError> {
    let wrong = GateError::Column { batch, trace, column: "state", expected: "a tap's state" };
    TapState::from_word(row.text(column)?).ok_or(wrong)
}
