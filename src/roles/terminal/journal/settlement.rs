//! The settlement of a batch as rows of the journal, one for each currency. A batch is
//! closed once: its sums stand from then on, and new rows go into the next one.

use super::book::{end_batch, take_trace};
use super::{Journal, JournalError};
use crate::air::host::{BatchStep, BatchSums, BatchTotals, MessageClass, MessageKey};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::base::store::{Migration, Row, Value, transact};
use crate::words::iso4217::Currency;
use std::collections::BTreeMap;

pub(super) const SETTLEMENTS: Migration = Migration {
    statements: &["CREATE TABLE settlement (
            batch BIGINT NOT NULL, currency BIGINT NOT NULL, state TEXT NOT NULL, trace BIGINT NOT NULL,
            end_trace BIGINT NOT NULL, debit_count BIGINT NOT NULL, debit BIGINT NOT NULL,
            credit_count BIGINT NOT NULL, credit BIGINT NOT NULL, opened BIGINT NOT NULL,
            changed BIGINT NOT NULL, PRIMARY KEY (batch, currency))"],
};
const COLUMNS: &str =
    "batch, currency, state, trace, end_trace, debit_count, debit, credit_count, credit, opened";

/// How far the settlement of a batch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchState {
    /// Its sums stand; the host may have been told them.
    Closed,
    /// The host's sums differ; the details are being uploaded.
    Uploading,
    /// The host's sums agree. Final.
    Balanced,
    /// The host has the details and knows what differs. Final.
    Ended,
}

impl BatchState {
    const ALL: [Self; 4] = [Self::Closed, Self::Uploading, Self::Balanced, Self::Ended];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Uploading => "not balanced, uploading details",
            Self::Balanced => "balanced",
            Self::Ended => "not balanced, ended",
        }
    }

    /// Whether nothing is left to do.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Balanced | Self::Ended)
    }

    /// Whether a settlement may go from here to `next`.
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Closed, Self::Uploading | Self::Balanced) | (Self::Uploading, Self::Ended)
        )
    }
}

/// The settlement of a batch in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub batch: u32,
    /// The currency of the sums.
    pub currency: Currency,
    /// How far it has come.
    pub state: BatchState,
    /// The sums, as they stood when the batch was closed.
    pub sums: BatchSums,
    /// The trace of the message that tells the sums.
    trace: u32,
    /// The trace of the message that ends the details.
    end_trace: u32,
}

impl Batch {
    /// The message of its sums.
    pub fn totals(&self, step: BatchStep, merchant: &str, terminal: &str) -> BatchTotals {
        let trace = match step {
            BatchStep::Compare => self.trace,
            BatchStep::End => self.end_trace,
        };
        BatchTotals {
            key: MessageKey {
                class: MessageClass::Batch,
                merchant: merchant.into(),
                terminal: terminal.into(),
                batch: self.batch,
                trace,
            },
            currency: self.currency,
            sums: self.sums,
            step,
        }
    }
}

impl Journal {
    /// Closes every batch that has rows, and begins a new one; a batch without rows goes
    /// on. One without a row that counts is told in `currency`. All or nothing, durable
    /// before it returns.
    pub fn close_batches(&mut self, currency: Currency, context: &mut Context) -> Result<(), JournalError> {
        let mut sums: BTreeMap<(u32, Currency), BatchSums> = BTreeMap::new();
        for row in self.unclosed_rows()? {
            sums.entry((row.batch, currency)).or_default();
            if let Some(side) = row.side() {
                sums.entry((row.batch, row.amount.currency)).or_default().add(side, row.amount.minor);
            }
        }
        if sums.is_empty() {
            return Ok(());
        }
        let now = context.now().micros();
        transact(self.db.as_mut(), |tx| {
            for ((batch, currency), sums) in &sums {
                let (trace, end_trace) = (take_trace(tx, true)?.1, take_trace(tx, true)?.1);
                let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
                let values = [
                    i64::from(*batch).into(),
                    i64::from(currency.0).into(),
                    BatchState::Closed.word().into(),
                    i64::from(trace).into(),
                    i64::from(end_trace).into(),
                    number(sums.debit_count),
                    number(sums.debit_minor),
                    number(sums.credit_count),
                    number(sums.credit_minor),
                    now.into(),
                    now.into(),
                ];
                let sql = format!(
                    "INSERT INTO settlement ({COLUMNS}, changed) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                );
                tx.execute(&sql, &values)?;
            }
            Ok::<_, JournalError>(end_batch(tx)?)
        })?;
        context.emit(Event::new("journal", "batch").because("closed: its sums stand"));
        Ok(())
    }

    /// Every settlement, oldest first.
    pub fn batches(&mut self) -> Result<Vec<Batch>, JournalError> {
        let sql = format!("SELECT {COLUMNS} FROM settlement ORDER BY batch, currency");
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[]))?;
        rows.iter().map(batch).collect()
    }

    /// Writes how far the settlement of a batch has come, durably, before it returns.
    pub fn write_batch(
        &mut self,
        batch: &Batch,
        to: BatchState,
        context: &mut Context,
    ) -> Result<Batch, JournalError> {
        let no_way = JournalError::BatchTransition { batch: batch.batch, from: batch.state, to };
        if !batch.state.may_become(to) {
            return Err(no_way);
        }
        let values = [
            to.word().into(),
            context.now().micros().into(),
            i64::from(batch.batch).into(),
            i64::from(batch.currency.0).into(),
            batch.state.word().into(),
        ];
        let changed = transact(self.db.as_mut(), |tx| {
            tx.execute(
                "UPDATE settlement SET state = $1, changed = $2 WHERE batch = $3 AND currency = $4 \
                 AND state = $5",
                &values,
            )
        })?;
        if changed == 0 {
            return Err(no_way);
        }
        context.emit(Event::new("journal", "batch").because(to.word()));
        Ok(Batch { state: to, ..*batch })
    }
}

fn batch(row: &Row) -> Result<Batch, JournalError> {
    let word = row.text(2)?;
    let state = BatchState::ALL.into_iter().find(|state| state.word() == word);
    let number = |column| Ok::<_, JournalError>(row.int(column)?.unsigned_abs());
    let trace = row.int(3)? as u32;
    Ok(Batch {
        batch: row.int(0)? as u32,
        currency: Currency(row.int(1)? as u16),
        state: state.ok_or(JournalError::Column { trace, column: "state of a settlement" })?,
        sums: BatchSums {
            debit_count: number(5)?,
            debit_minor: number(6)?,
            credit_count: number(7)?,
            credit_minor: number(8)?,
        },
        trace,
        end_trace: row.int(4)? as u32,
    })
}
