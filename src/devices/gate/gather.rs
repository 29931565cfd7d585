//! Rides of a bank card that are charged together: which one a ride joins, and what they come to.
//! What is asked of an issuer may not enter.

use super::book::Book;
use super::due::{Asks, Due};
use super::error::GateError;
use super::line::Line;
use super::ride::Place;
use super::state::TapState;
use crate::base::env::Timestamp;
use crate::base::store::transact;
use crate::words::iso4217::{Amount, Currency};

/// A ride that others may still join.
struct Gathering {
    lead: (u32, u32),
    state: TapState,
    /// What its card has signed.
    nominal_minor: u64,
}

impl Book {
    /// Which request asks for the money of a ride that costs so much, and how that request stands.
    pub(super) fn place(
        &mut self,
        line: &Line,
        pan: &str,
        fare_minor: u64,
        now: Timestamp,
    ) -> Result<(Place, TapState), GateError> {
        let Some(rules) = line.aggregation else { return Ok((Place::Alone, TapState::Waiting)) };
        if let Some(Gathering { lead, state, nominal_minor }) = self.gathering(pan, line.currency, now)? {
            let (rides, sum_minor) = self.gathered(lead)?;
            let sum_minor = sum_minor.saturating_add(fare_minor);
            if sum_minor <= nominal_minor && rides < rules.most_rides {
                let is_last = rules.is_full(rides + 1, sum_minor, line.fare_minor);
                return Ok((Place::Joins { lead, is_last }, state));
            }
        }
        let is_full = rules.is_full(1, fare_minor, line.fare_minor);
        let ends_at = if is_full { now } else { rules.end(line.day_begins_hour, now) };
        let (nominal_minor, ask_first) = (rules.nominal_minor, rules.ask_first);
        Ok((Place::Leads { nominal_minor, ends_at, ask_first }, TapState::Waiting))
    }

    /// Puts what rides come to into the message about them.
    pub(super) fn gather(&mut self, due: &mut Due) -> Result<(), GateError> {
        if due.asks == Asks::Ride {
            return Ok(());
        }
        let (rides, sum_minor) = self.gathered(due.tap)?;
        due.rides = usize::try_from(rides).unwrap_or(usize::MAX);
        if due.asks == Asks::Sum {
            due.request.amount = Amount::new(sum_minor, due.request.amount.currency);
        }
        Ok(())
    }

    /// The newest ride of a card that others may still join.
    fn gathering(
        &mut self,
        pan: &str,
        currency: Currency,
        now: Timestamp,
    ) -> Result<Option<Gathering>, GateError> {
        let (card, [waiting, held]) = (self.card(pan), [TapState::Waiting, TapState::Held]);
        let sql = format!(
            "SELECT batch, trace, state, nominal FROM gate_tap WHERE card = $1 AND currency = $2 \
             AND nominal > 0 AND ends_at > $3 AND state IN ('{waiting}', '{held}') \
             ORDER BY at DESC, batch DESC, trace DESC LIMIT 1"
        );
        let values = [card.into(), i64::from(currency.0).into(), now.micros().into()];
        let rows = transact(self.db.as_mut(), |tx| tx.query(&sql, &values))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let lead = (row.int(0)? as u32, row.int(1)? as u32);
        let state = if row.text(2)? == held.word() { held } else { waiting };
        let nominal_minor = u64::try_from(row.int(3)?).unwrap_or(0);
        Ok(Some(Gathering { lead, state, nominal_minor }))
    }

    /// How many rides one asks for, and what they come to.
    pub(super) fn gathered(&mut self, (batch, trace): (u32, u32)) -> Result<(u64, u64), GateError> {
        // The first one has a row by its own number: two look-ups, each by an index.
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM ( \
                   SELECT amount FROM gate_tap WHERE batch = $1 AND trace = $2 UNION ALL \
                   SELECT amount FROM gate_tap WHERE lead_batch = $1 AND lead_trace = $2) AS rides";
        let values = [i64::from(batch).into(), i64::from(trace).into()];
        let rows = transact(self.db.as_mut(), |tx| tx.query(sql, &values))?;
        let number = |column| rows.first().map_or(Ok(0), |row| row.int(column));
        Ok((u64::try_from(number(0)?).unwrap_or(0), u64::try_from(number(1)?).unwrap_or(0)))
    }
}
