//! The journal in a store.

use super::entry::{SealedPart, amount, mode_from_word, mode_word};
use super::settlement::SETTLEMENTS;
use super::torn::{self, TORN};
use super::{BatchState, CardMark, Change, Entry, EntryKind, Opening, State};
use crate::air::host::Original;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::base::store::{
    Db, Migration, Row, SealKey, Sealed, SealedError, StoreError, Tx, Value, migrate, transact,
};
use crate::words::emv::Pan;
use crate::words::tlv::TlvStore;
use std::fs::File;

const PURPOSE: &str = "journal.row";
const MIGRATIONS: &[Migration] = &[ROWS, SETTLEMENTS, TORN];

const ROWS: Migration = Migration {
    statements: &[
        "CREATE TABLE journal_counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
        "CREATE TABLE journal_row (
            batch BIGINT NOT NULL, trace BIGINT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
            sent BIGINT NOT NULL, amount BIGINT NOT NULL, currency BIGINT NOT NULL, mode TEXT NOT NULL,
            atc BIGINT, balance_before BIGINT, balance_after BIGINT, second BIGINT NOT NULL,
            opened BIGINT NOT NULL, changed BIGINT NOT NULL, reason TEXT NOT NULL,
            sealed BYTEA NOT NULL, PRIMARY KEY (batch, trace))",
        "CREATE INDEX journal_row_state ON journal_row (state)",
    ],
};
const COLUMNS: &str = "batch, trace, kind, state, sent, amount, currency, mode, atc, balance_before, \
                       balance_after, second, opened, reason, sealed";
/// Trace numbers have six digits (F11).
const LAST_TRACE: i64 = 999_999;
/// Trace numbers in one batch: its sums (F48) count to three digits.
const BATCH_TRACES: i64 = 999;

/// Why the journal did not take or give a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The store failed.
    #[error("journal: {0}")]
    Store(#[from] StoreError),
    /// The sealed part of a row cannot be opened.
    #[error("journal: {0}")]
    Sealed(#[from] SealedError),
    /// A way between states that there is not.
    #[error("journal row {trace}: a row that is {from} cannot become {to}")]
    Transition {
        /// The row.
        trace: u32,
        /// Its state.
        from: State,
        /// The state asked for.
        to: State,
    },
    /// A way between states of a settlement that there is not.
    #[error("journal batch {batch}: a settlement that is {} cannot become {}", from.word(), to.word())]
    BatchTransition {
        /// The batch.
        batch: u32,
        /// Its state.
        from: BatchState,
        /// The state asked for.
        to: BatchState,
    },
    /// A row that cannot be of another kind: it is no purchase, or something has moved.
    #[error("journal row {trace}: a row of kind {} cannot turn into one of kind {}", from.word(), to.word())]
    Turn {
        /// The row.
        trace: u32,
        /// Its kind.
        from: EntryKind,
        /// The kind asked for.
        to: EntryKind,
    },
    /// No such row.
    #[error("journal: no row with trace {trace} in batch {batch}")]
    NoRow {
        /// The batch.
        batch: u32,
        /// The trace.
        trace: u32,
    },
    /// A column holds what no journal wrote.
    #[error("journal row {trace}: unexpected {column}")]
    Column {
        /// The row.
        trace: u32,
        /// The column.
        column: &'static str,
    },
}

/// The journal of one terminal.
pub struct Journal {
    pub(super) db: Box<dyn Db>,
    pub(super) seal: SealKey,
    /// The row that was written last, as it stands: the next change builds on it most often.
    last: Option<Box<Entry>>,
    /// Held, not read: closing it lets another process be this terminal.
    _lock: Option<File>,
}

impl Journal {
    /// Opens the journal in a store and brings its tables up to date.
    pub fn open(mut db: Box<dyn Db>, seal: SealKey) -> Result<Self, JournalError> {
        migrate(db.as_mut(), "terminal journal", MIGRATIONS)?;
        Ok(Self { db, seal, last: None, _lock: None })
    }

    /// Keeps `lock` for as long as the journal is open: two processes that were one
    /// terminal at once would settle each other's open rows.
    #[must_use]
    pub fn guarded_by(mut self, lock: File) -> Self {
        self._lock = Some(lock);
        self
    }

    /// The next batch and trace number; never given twice. A batch that is full ends of
    /// itself, and waits for its settlement.
    pub fn next_trace(&mut self) -> Result<(u32, u32), JournalError> {
        transact(self.db.as_mut(), |tx| Ok(take_trace(tx, false)?))
    }

    /// Writes a change to the row `(batch, trace)`, durably, before it returns.
    pub fn write(
        &mut self,
        (batch, trace): (u32, u32),
        change: &Change,
        context: &mut Context,
    ) -> Result<(), JournalError> {
        let now = context.now();
        let from = match change {
            Change::Open(opening) => {
                self.insert(opening, now, context)?;
                None
            }
            Change::Asking { torn, replaced, most } => {
                self.keep_torn(torn, *replaced, *most, context)?;
                None
            }
            Change::Answered => {
                self.forget_torn((batch, trace))?;
                None
            }
            _ => Some(self.update(batch, trace, change, now, context)?),
        };
        let word = match change {
            Change::Turned(_) => "turned",
            Change::Asking { .. } => "asking",
            Change::Answered => "answered",
            _ => change.state().map_or("sending", State::word),
        };
        let event = Event::new("journal", "state").because(reason(change)).with_named("state", word);
        let event = match from {
            Some(from) => event.with_named("state before", from.word()),
            None => event,
        };
        context.emit(event.with_named("trace", trace.to_be_bytes()));
        Ok(())
    }

    /// The row `(batch, trace)`.
    pub fn row(&mut self, batch: u32, trace: u32) -> Result<Entry, JournalError> {
        let sql = format!("SELECT {COLUMNS} FROM journal_row WHERE batch = $1 AND trace = $2");
        let values = [i64::from(batch).into(), i64::from(trace).into()];
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &values))?;
        self.entry(rows.first().ok_or(JournalError::NoRow { batch, trace })?)
    }

    /// The rows of batches that are not closed, oldest first.
    pub(super) fn unclosed_rows(&mut self) -> Result<Vec<Entry>, JournalError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM journal_row WHERE batch NOT IN (SELECT batch FROM settlement) \
             ORDER BY batch, trace"
        );
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[]))?;
        rows.iter().map(|row| self.entry(row)).collect()
    }

    /// The rows of a batch, oldest first.
    pub fn batch_rows(&mut self, batch: u32) -> Result<Vec<Entry>, JournalError> {
        let sql = format!("SELECT {COLUMNS} FROM journal_row WHERE batch = $1 ORDER BY trace");
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[i64::from(batch).into()]))?;
        rows.iter().map(|row| self.entry(row)).collect()
    }

    /// Every row, oldest first.
    pub fn rows(&mut self) -> Result<Vec<Entry>, JournalError> {
        let sql = format!("SELECT {COLUMNS} FROM journal_row ORDER BY batch, trace");
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[]))?;
        rows.iter().map(|row| self.entry(row)).collect()
    }

    /// The rows on which something is left to do, oldest first.
    pub fn open_rows(&mut self) -> Result<Vec<Entry>, JournalError> {
        let finals: Vec<Value> = [State::Confirmed, State::Reversed, State::Declined]
            .into_iter()
            .map(|state| state.word().into())
            .collect();
        let sql = format!(
            "SELECT {COLUMNS} FROM journal_row WHERE state NOT IN ($1, $2, $3) ORDER BY batch, trace"
        );
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &finals))?;
        rows.iter().map(|row| self.entry(row)).collect()
    }

    fn insert(
        &mut self,
        opening: &Opening,
        now: Timestamp,
        context: &mut Context,
    ) -> Result<(), JournalError> {
        let sealed = self.seal(&opening.card, &opening.chip, opening.original, context);
        let sql = format!(
            "INSERT INTO journal_row ({COLUMNS}, changed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        );
        let values = [
            i64::from(opening.batch).into(),
            i64::from(opening.trace).into(),
            opening.kind.word().into(),
            State::Started.word().into(),
            0.into(),
            (opening.amount.minor as i64).into(),
            i64::from(opening.amount.currency.0).into(),
            mode_word(opening.mode).into(),
            opening.atc.map(i64::from).into(),
            opening.balance_before_minor.map(|minor| minor as i64).into(),
            Value::Null,
            i64::from(opening.second_currency).into(),
            opening.at.micros().into(),
            "".into(),
            sealed.0.into(),
            now.micros().into(),
        ];
        transact(self.db.as_mut(), |tx| tx.execute(&sql, &values))?;
        self.last = Some(Box::new(Entry::from(opening.clone())));
        Ok(())
    }

    /// Gives the state that the row had.
    fn update(
        &mut self,
        batch: u32,
        trace: u32,
        change: &Change,
        now: Timestamp,
        context: &mut Context,
    ) -> Result<State, JournalError> {
        let known = self.last.take().filter(|entry| (entry.batch, entry.trace) == (batch, trace));
        let mut entry = match known {
            Some(entry) => entry,
            None => Box::new(self.row(batch, trace)?),
        };
        let (from, was_sent) = (entry.state, entry.sent);
        match change.state() {
            // Only a row that may come to be in doubt may tell the card to change.
            None if !from.may_become(State::InDoubt) => {
                return Err(JournalError::Transition { trace, from, to: State::InDoubt });
            }
            Some(to) if !from.may_become(to) => return Err(JournalError::Transition { trace, from, to }),
            Some(to) => entry.state = to,
            None => {}
        }
        match change {
            Change::Sending => entry.sent = true,
            // Only a purchase turns, and only before anything has moved.
            Change::Turned(kind) => {
                match (from, entry.sent, entry.kind.is_purchase() && kind.is_purchase()) {
                    (State::Started, false, true) => entry.kind = *kind,
                    _ => return Err(JournalError::Turn { trace, from: entry.kind, to: *kind }),
                }
            }
            Change::Authorised { atc, balance_after_minor, chip } => {
                entry.atc = Some(*atc);
                entry.balance_after_minor = *balance_after_minor;
                entry.chip = chip.clone();
            }
            Change::CardUpdated { atc, chip } => {
                entry.atc = atc.or(entry.atc);
                if let Some(chip) = chip {
                    entry.chip = chip.clone();
                }
            }
            Change::InDoubt => entry.sent = true,
            Change::AdviceDue { reason, chip } => {
                entry.reason = (*reason).to_owned();
                entry.chip = chip.clone();
            }
            Change::ReversalDue { reason } | Change::Declined { reason } => {
                entry.reason = (*reason).to_owned();
            }
            _ => {}
        }
        let sealed = self.seal(&entry.card, &entry.chip, entry.original, context);
        let values = [
            entry.state.word().into(),
            i64::from(entry.sent).into(),
            entry.atc.map(i64::from).into(),
            entry.balance_after_minor.map(|minor| minor as i64).into(),
            now.micros().into(),
            entry.reason.as_str().into(),
            sealed.0.into(),
            entry.kind.word().into(),
            i64::from(batch).into(),
            i64::from(trace).into(),
            from.word().into(),
            i64::from(was_sent).into(),
        ];
        let changed = transact(self.db.as_mut(), |tx| {
            // What is taken of the card's answer, and that it can be asked for again, change
            // together.
            if matches!(change, Change::CardUpdated { .. }) {
                torn::forget(tx, (batch, trace))?;
            }
            tx.execute(
                "UPDATE journal_row SET state = $1, sent = $2, atc = $3, balance_after = $4, changed = $5, \
                 reason = $6, sealed = $7, kind = $8 WHERE batch = $9 AND trace = $10 AND state = $11 AND \
                 sent = $12",
                &values,
            )
        })?;
        match (changed, change.state()) {
            // Another process has moved the row since it was known.
            (0, Some(to)) => Err(JournalError::Transition { trace, from: self.row(batch, trace)?.state, to }),
            (0, None) => Err(JournalError::NoRow { batch, trace }),
            _ => {
                self.last = Some(entry);
                Ok(from)
            }
        }
    }

    fn seal(
        &self,
        card: &CardMark,
        chip: &TlvStore,
        original: Option<Original>,
        context: &mut Context,
    ) -> Sealed {
        let (pan, psn) = (card.pan.expose().to_owned(), card.psn);
        let part = SealedPart { pan, psn, chip: chip.clone(), original };
        // Strings and byte lists always serialise.
        let text = crate::base::bytes::Secret::new(serde_json::to_vec(&part).unwrap_or_default());
        Sealed::seal(&self.seal, PURPOSE, text.expose(), context)
    }

    fn entry(&self, row: &Row) -> Result<Entry, JournalError> {
        let trace = row.int(1)? as u32;
        let column = |column| JournalError::Column { trace, column };
        let sealed = Sealed(row.bytes(14)?.to_vec()).open(&self.seal, PURPOSE)?;
        let part: SealedPart = serde_json::from_slice(sealed.expose()).map_err(|_| column("sealed"))?;
        let optional = |index| if row.is_null(index) { Ok(None) } else { row.int(index).map(Some) };
        Ok(Entry {
            batch: row.int(0)? as u32,
            trace,
            kind: EntryKind::from_word(row.text(2)?).ok_or(column("kind"))?,
            state: State::from_word(row.text(3)?).ok_or(column("state"))?,
            sent: row.int(4)? != 0,
            amount: amount(row.int(5)?, row.int(6)?),
            mode: mode_from_word(row.text(7)?).ok_or(column("mode"))?,
            atc: optional(8)?.map(|atc| atc as u16),
            balance_before_minor: optional(9)?.map(|minor| minor as u64),
            balance_after_minor: optional(10)?.map(|minor| minor as u64),
            second_currency: row.int(11)? != 0,
            at: Timestamp::from_micros(row.int(12)?),
            reason: row.text(13)?.to_owned(),
            card: CardMark { pan: Pan::new(&part.pan).map_err(|_| column("sealed"))?, psn: part.psn },
            chip: part.chip,
            original: part.original,
        })
    }
}

fn reason(change: &Change) -> &'static str {
    match change {
        Change::ReversalDue { reason } | Change::AdviceDue { reason, .. } | Change::Declined { reason } => {
            reason
        }
        Change::Advised => "the issuer has been told",
        Change::Sending => "the card is about to be told to change",
        Change::Turned(kind) => kind.word(),
        Change::Asking { .. } => "the card's cryptogram can be asked for again",
        Change::Answered => "the card's cryptogram has come",
        Change::InDoubt => "the card was told to change and no answer came",
        _ => "",
    }
}

/// The next batch and trace number. `closes` takes it for a batch that ends, which may
/// then be one longer than full.
pub(super) fn take_trace(tx: &mut dyn Tx, closes: bool) -> Result<(u32, u32), StoreError> {
    let batch = counter(tx, "batch")?.unwrap_or(1);
    let last = counter(tx, "trace")?.unwrap_or(0);
    let given = counter(tx, "batch traces")?.unwrap_or(0);
    let wraps = last >= LAST_TRACE;
    // Within one batch a trace number never comes twice.
    let ends = wraps || given >= BATCH_TRACES && !closes;
    let (batch, given) = if ends { (batch + 1, 1) } else { (batch, given + 1) };
    let trace = if wraps { 1 } else { last + 1 };
    set_counter(tx, "batch", batch)?;
    set_counter(tx, "trace", trace)?;
    set_counter(tx, "batch traces", given)?;
    Ok((batch as u32, trace as u32))
}

/// Begins a new batch.
pub(super) fn end_batch(tx: &mut dyn Tx) -> Result<(), StoreError> {
    let batch = counter(tx, "batch")?.unwrap_or(1);
    set_counter(tx, "batch", batch + 1)?;
    set_counter(tx, "batch traces", 0)
}

fn counter(tx: &mut dyn Tx, name: &str) -> Result<Option<i64>, StoreError> {
    let rows = tx.query("SELECT value FROM journal_counter WHERE name = $1", &[name.into()])?;
    rows.first().map(|row| row.int(0)).transpose()
}

fn set_counter(tx: &mut dyn Tx, name: &str, value: i64) -> Result<(), StoreError> {
    let changed =
        tx.execute("UPDATE journal_counter SET value = $1 WHERE name = $2", &[value.into(), name.into()])?;
    if changed == 0 {
        tx.execute(
            "INSERT INTO journal_counter (name, value) VALUES ($1, $2)",
            &[name.into(), value.into()],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::host::Entry as EntryMode;
    use crate::base::event::Discard;
    use crate::base::store::Sqlite;
    use crate::words::iso4217::{Amount, Currency};

    fn opening(batch: u32, trace: u32) -> Change {
        Change::Open(Box::new(Opening {
            kind: EntryKind::Load,
            amount: Amount::new(5000, Currency::CNY),
            card: CardMark { pan: Pan::with_check_digit("629999000000001").unwrap(), psn: 1 },
            mode: EntryMode::Contact,
            batch,
            trace,
            at: Timestamp::default(),
            balance_before_minor: Some(0),
            atc: None,
            chip: TlvStore::new(),
            second_currency: false,
            original: None,
        }))
    }

    #[test]
    fn a_row_survives_its_process_and_keeps_to_the_ways() {
        let mut context = Context::simulated(1, Discard);
        let db = Sqlite::in_memory().unwrap();
        let seal = SealKey::random(&mut context);
        let mut journal = Journal::open(db.handle().unwrap(), seal.clone()).unwrap();
        let row = journal.next_trace().unwrap();
        assert_eq!((row, journal.next_trace().unwrap()), ((1, 1), (1, 2)));
        journal.write(row, &opening(1, 1), &mut context).unwrap();
        let authorised =
            Change::Authorised { atc: 7, balance_after_minor: Some(5000), chip: TlvStore::new() };
        journal.write(row, &authorised, &mut context).unwrap();
        journal.write(row, &Change::Sending, &mut context).unwrap();
        drop(journal);

        let mut journal = Journal::open(db.handle().unwrap(), seal).unwrap();
        let open = journal.open_rows().unwrap();
        assert_eq!((open[0].state, open[0].sent, open[0].atc), (State::Authorised, true, Some(7)));
        assert_eq!(open[0].balance_after_minor, Some(5000));
        let back = journal.write(row, &Change::Declined { reason: "" }, &mut context);
        assert!(matches!(back, Err(JournalError::Transition { .. })));
        let open = journal.write(row, &Change::InDoubt, &mut context);
        assert!(open.is_ok() && journal.rows().unwrap()[0].state == State::InDoubt);
        journal.write(row, &Change::ReversalDue { reason: "" }, &mut context).unwrap();
        let late = journal.write(row, &Change::Sending, &mut context);
        assert!(matches!(late, Err(JournalError::Transition { from: State::ReversalDue, .. })));
    }

    #[test]
    fn the_pan_stands_nowhere_in_the_clear() {
        let mut context = Context::simulated(1, Discard);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let seal = SealKey::random(&mut context);
        let mut journal = Journal::open(Box::new(Sqlite::open(&path).unwrap()), seal).unwrap();
        journal.write((1, 1), &opening(1, 1), &mut context).unwrap();
        let pan = journal.row(1, 1).unwrap().card.pan;
        for name in ["journal.db", "journal.db-wal"] {
            let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
            let found = bytes.windows(pan.expose().len()).any(|w| w == pan.expose().as_bytes());
            assert!(!found, "{name}");
        }
    }
}
