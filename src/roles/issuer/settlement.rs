//! The end of a terminal's batch, issuer's side: its sums beside our own, then its
//! details where they differ. Differences are noted; nothing here moves money.

use super::IssuerError;
use super::answer::Acted;
use super::batch::{BatchState, Difference, MATCHED, state, sums, sums_of};
use super::work::Work;
use crate::air::host::{
    Answer, BatchStep, BatchSums, BatchTotals, MessageKey, Original, Request, ResponseCode,
};
use crate::base::store::Value;
use crate::words::iso4217::Currency;

/// A row of `settlement`.
pub(super) struct SettlementRow {
    id: String,
    state: BatchState,
    /// Messages after this time, up to `at`, are what was settled.
    after: i64,
    pub(super) at: i64,
    told: BatchSums,
}

const SETTLEMENT: &str = "SELECT id, state, after_at, at, told_debit_count, told_debit, told_credit_count, \
     told_credit FROM settlement WHERE merchant = $1 AND terminal = $2 AND batch = $3 AND currency = $4 \
     ORDER BY at DESC, id DESC LIMIT 1";

impl Work<'_> {
    /// Takes the sums of a batch.
    pub(super) fn settle_batch(&mut self, totals: &BatchTotals) -> Result<Answer, IssuerError> {
        match totals.step {
            BatchStep::Compare => self.compare_batch(totals),
            BatchStep::End => self.end_batch(totals),
        }
    }

    /// Takes a detail of a batch that is not balanced, and notes how it differs.
    pub(super) fn note_detail(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        let Original { batch, trace } =
            request.original.unwrap_or(Original { batch: request.key.batch, trace: request.key.trace });
        let key = MessageKey { batch, ..request.key.clone() };
        let no = |reason: &str| Ok(Acted::nothing(Answer::new(ResponseCode::INVALID_TRANSACTION, reason)));
        let settlement = match self.last_settlement(&key, request.amount.currency)? {
            Some(row) if row.state == BatchState::NotBalanced => row,
            Some(row) if row.state == BatchState::Balanced => {
                let reason = "noted; the batch is balanced";
                return Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, reason)));
            }
            Some(_) => return no("the batch has ended"),
            None => return no("no sums of this batch and currency have come"),
        };
        let items = self.items(&key, settlement.after, settlement.at)?;
        let own = items.get(&trace).filter(|item| item.amount.currency == request.amount.currency);
        let own_minor = own.map(|item| item.amount.minor);
        let outcome = match own_minor {
            None => Difference::TheirsOnly.word(),
            Some(own) if own != request.amount.minor => Difference::Amount.word(),
            Some(_) => MATCHED,
        };
        self.insert_detail(&settlement.id, trace, outcome, own_minor, Some(request.amount.minor))?;
        Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, format!("noted: {outcome}"))))
    }

    /// The last settlement of a batch in a currency.
    pub(super) fn last_settlement(
        &mut self,
        key: &MessageKey,
        currency: Currency,
    ) -> Result<Option<SettlementRow>, IssuerError> {
        let values = [
            key.merchant.as_str().into(),
            key.terminal.as_str().into(),
            i64::from(key.batch).into(),
            i64::from(currency.0).into(),
        ];
        let rows = self.tx.query(SETTLEMENT, &values)?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(SettlementRow {
            id: row.text(0)?.to_owned(),
            state: state(row.text(1)?)?,
            after: row.int(2)?,
            at: row.int(3)?,
            told: sums(row, 4)?,
        }))
    }

    fn compare_batch(&mut self, totals: &BatchTotals) -> Result<Answer, IssuerError> {
        let BatchTotals { key, currency, sums: told, .. } = totals;
        let last = self.last_settlement(key, *currency)?;
        let after = last.as_ref().map_or(i64::MIN, |row| row.at);
        let (id, now) = (self.new_id(), self.now().micros());
        let own = sums_of(&self.items(key, after, now)?, *currency);
        if let Some(last) = last.filter(|_| own == BatchSums::default()) {
            // Settled before: never again, under whatever trace.
            return Ok(match (last.told == *told, last.state) {
                (false, _) => Answer::new(ResponseCode::DUPLICATE, "the batch was settled with other sums"),
                (true, BatchState::Balanced) => balanced(),
                (true, _) => not_balanced(),
            });
        }
        let state = if own == *told { BatchState::Balanced } else { BatchState::NotBalanced };
        let mut values: Vec<Value> = vec![
            id.into(),
            key.merchant.as_str().into(),
            key.terminal.as_str().into(),
            i64::from(key.batch).into(),
            i64::from(currency.0).into(),
            state.word().into(),
            after.into(),
            now.into(),
        ];
        values.extend([told, &own].iter().flat_map(|sums| columns(sums)));
        self.tx.execute(
            "INSERT INTO settlement (id, merchant, terminal, batch, currency, state, after_at, at, \
             told_debit_count, told_debit, told_credit_count, told_credit, own_debit_count, own_debit, \
             own_credit_count, own_credit) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            &values,
        )?;
        self.say("Batch Compared", state.word());
        Ok(if state == BatchState::Balanced { balanced() } else { not_balanced() })
    }

    /// What no detail spoke of is ours only.
    fn end_batch(&mut self, totals: &BatchTotals) -> Result<Answer, IssuerError> {
        let BatchTotals { key, currency, .. } = totals;
        let Some(row) = self.last_settlement(key, *currency)?.filter(|row| row.state != BatchState::Balanced)
        else {
            let reason = "no batch of this currency waits for its details";
            return Ok(Answer::new(ResponseCode::INVALID_TRANSACTION, reason));
        };
        if row.state == BatchState::NotBalanced {
            for (trace, item) in self.items(key, row.after, row.at)? {
                if item.amount.currency == *currency {
                    let own = Some(item.amount.minor);
                    self.insert_detail(&row.id, trace, Difference::OursOnly.word(), own, None)?;
                }
            }
            self.tx.execute(
                "UPDATE settlement SET state = $1 WHERE id = $2",
                &[BatchState::Ended.word().into(), row.id.as_str().into()],
            )?;
        }
        let differ = self.differences(&row.id)?.len();
        let reason = format!("the batch has ended; transactions that differ: {differ}");
        self.say("Batch Ended", reason.clone());
        Ok(Answer::new(ResponseCode::APPROVED, reason))
    }

    /// Notes a detail; what is noted for its trace already stays.
    fn insert_detail(
        &mut self,
        settlement: &str,
        trace: u32,
        outcome: &'static str,
        own_minor: Option<u64>,
        told_minor: Option<u64>,
    ) -> Result<(), IssuerError> {
        let column = |minor: Option<u64>| minor.map(super::work::column).transpose();
        self.tx.execute(
            "INSERT INTO settlement_detail (settlement, trace, outcome, own, told) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            &[
                settlement.into(),
                i64::from(trace).into(),
                outcome.into(),
                column(own_minor)?.into(),
                column(told_minor)?.into(),
            ],
        )?;
        Ok(())
    }
}

fn balanced() -> Answer {
    Answer::new(ResponseCode::APPROVED, "the sums agree")
}

fn not_balanced() -> Answer {
    Answer::new(ResponseCode::NOT_BALANCED, "the sums differ; the details are wanted")
}

/// The same columns. What came over a line or out of a column has twelve digits.
fn columns(sums: &BatchSums) -> [Value; 4] {
    let column = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    [column(sums.debit_count), column(sums.debit_minor), column(sums.credit_count), column(sums.credit_minor)]
}
