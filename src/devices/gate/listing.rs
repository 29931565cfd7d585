//! The book as people read it: ride by ride, and which are charged together. What is asked of an
//! issuer may not enter.

use super::book::{Book, COLUMNS, state};
use super::due::Asks;
use super::error::GateError;
use super::state::TapState;
use crate::base::env::Timestamp;
use crate::base::store::{Row, transact};
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};

/// A ride that the book has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRide {
    /// Its batch and trace number.
    pub trace: (u32, u32),
    /// When its card was there.
    pub at: Timestamp,
    /// The card; printed, it is masked.
    pub pan: Pan,
    /// What it costs; of a free one, what it would have.
    pub amount: Amount,
    /// How it stands.
    pub state: TapState,
    /// The issuer's last answer (F39); empty before the first one.
    pub code: String,
    /// Whether a purse has paid it.
    pub is_purse: bool,
    /// Which request asks for its money.
    pub charged: Charged,
}

/// Which request asks for the money of a ride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// Its own.
    Alone,
    /// That of an earlier ride, by its batch and trace number.
    With((u32, u32)),
    /// Its own, with those that have joined it.
    Together {
        /// How many, this one counted.
        rides: u64,
        /// What they come to.
        sum: Amount,
        /// What the card has signed.
        nominal: Amount,
        /// Whether its issuer holds that, or has paid the sum out of it.
        is_held: bool,
        /// When no further ride joins; none where none does any more.
        ends_at: Option<Timestamp>,
    },
}

/// Rides of one currency that stand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSum {
    /// How they stand.
    pub state: TapState,
    /// How many.
    pub rides: u64,
    /// What they come to; of free ones, what they would have.
    pub sum: Amount,
}

impl Book {
    /// What all rides come to, by how they stand.
    pub fn sums(&mut self) -> Result<Vec<StateSum>, GateError> {
        let sql = "SELECT state, currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM gate_tap \
                   GROUP BY state, currency ORDER BY state, currency";
        let rows = transact(self.db.as_mut(), |tx| tx.query(sql, &[]))?;
        let sum = |row: &Row| {
            let number = |column| row.int(column).map(|value| u64::try_from(value).unwrap_or(0));
            let currency = Currency(u16::try_from(row.int(1)?).unwrap_or_default());
            Ok(StateSum {
                state: state(row, 0, (0, 0))?,
                rides: number(2)?,
                sum: Amount::new(number(3)?, currency),
            })
        };
        rows.iter().map(sum).collect()
    }

    /// The newest rides, newest first.
    pub fn rides(&mut self, most: u32) -> Result<Vec<KeptRide>, GateError> {
        let sql = format!(
            "SELECT {COLUMNS}, code, lead_batch, lead_trace FROM gate_tap ORDER BY batch DESC, trace DESC \
             LIMIT $1"
        );
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &[i64::from(most).into()]))?;
        rows.iter().map(|row| self.ride(row)).collect()
    }

    fn ride(&mut self, row: &Row) -> Result<KeptRide, GateError> {
        let due = self.due(row, "", "")?;
        let currency = due.request.amount.currency;
        let amount = |minor: u64| Amount::new(minor, currency);
        let number = |column| row.int(column).map(|value| u64::try_from(value).unwrap_or(0));
        let charged = match due.asks {
            Asks::Ride if row.is_null(18) => Charged::Alone,
            Asks::Ride => Charged::With((number(17)? as u32, number(18)? as u32)),
            Asks::Hold | Asks::Sum => {
                let (rides, sum_minor) = self.gathered(due.tap)?;
                Charged::Together {
                    rides,
                    sum: amount(sum_minor),
                    nominal: amount(number(12)?),
                    is_held: due.asks == Asks::Sum,
                    ends_at: Some(due.ends_at).filter(|ends_at| ends_at.micros() > 0),
                }
            }
        };
        let (batch, trace) = due.tap;
        let pan = Pan::new(due.request.pan.expose());
        let wrong = GateError::Column { batch, trace, column: "sealed", expected: "a card's number" };
        Ok(KeptRide {
            trace: due.tap,
            at: due.request.at,
            pan: pan.map_err(|_| wrong)?,
            amount: amount(number(3)?),
            state: due.state,
            code: row.text(16)?.to_owned(),
            is_purse: row.int(11)? != 0,
            charged,
        })
    }
}
