//! The end of a terminal's batch, issuer's side: its sums beside our own, then its
//! details where they differ. Differences are noted; nothing here moves money.

use super::IssuerError;
use super::answer::Acted;
use super::ledger;
use super::load::load_kind;
use super::work::{Work, minor};
use crate::air::host::{
    Answer, BatchStep, BatchSums, BatchTotals, Kind, MessageClass, MessageKey, Original, Request,
    ResponseCode, Side,
};
use crate::base::env::Timestamp;
use crate::base::store::{Row, Value};
use crate::words::iso4217::{Amount, Currency};
use std::collections::BTreeMap;

/// How a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchState {
    /// The terminal has not settled it.
    Open,
    /// The terminal's sums are ours.
    Balanced,
    /// They are not, and the terminal's details are still to come.
    NotBalanced,
    /// They are not, and the details have told where.
    Ended,
}

impl BatchState {
    const ALL: [Self; 4] = [Self::Open, Self::Balanced, Self::NotBalanced, Self::Ended];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Balanced => "balanced",
            Self::NotBalanced => "not balanced",
            Self::Ended => "ended, not balanced",
        }
    }
}

/// How a transaction differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// We booked it, and the terminal does not have it.
    OursOnly,
    /// The terminal has it, and we did not book it.
    TheirsOnly,
    /// Both have it, with other amounts.
    Amount,
}

impl Difference {
    const ALL: [Self; 3] = [Self::OursOnly, Self::TheirsOnly, Self::Amount];

    /// Its word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OursOnly => "ours only",
            Self::TheirsOnly => "theirs only",
            Self::Amount => "amount differs",
        }
    }
}

/// What both sides have with the same amount; no difference.
const MATCHED: &str = "matched";

/// A transaction that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchDifference {
    /// Its trace in the batch.
    pub trace: u32,
    /// How.
    pub what: Difference,
    /// Our amount, minor units.
    pub own_minor: Option<u64>,
    /// The terminal's, minor units.
    pub told_minor: Option<u64>,
}

/// A batch of a terminal in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSummary {
    /// F42.
    pub merchant: String,
    /// F41.
    pub terminal: String,
    /// F60.2.
    pub batch: u32,
    /// The currency of the sums.
    pub currency: Currency,
    /// How it stands.
    pub state: BatchState,
    /// Our sums; once it is settled, as they were then.
    pub own: BatchSums,
    /// The terminal's sums, once it has told them.
    pub told: Option<BatchSums>,
    /// When the terminal told them; while it is open, its last message.
    pub at: Timestamp,
    /// What differs, by trace.
    pub differences: Vec<BatchDifference>,
}

/// A row of `settlement`.
struct SettlementRow {
    id: String,
    state: BatchState,
    /// Messages after this time, up to `at`, are what was settled.
    after: i64,
    at: i64,
    told: BatchSums,
}

/// A transaction of a batch that counts.
struct Item {
    side: Side,
    amount: Amount,
}

const SETTLEMENT: &str = "SELECT id, state, after_at, at, told_debit_count, told_debit, told_credit_count, \
     told_credit FROM settlement WHERE merchant = $1 AND terminal = $2 AND batch = $3 AND currency = $4 \
     ORDER BY at DESC, id DESC LIMIT 1";

/// What the messages of a batch acted on and still stands. A load is counted by its
/// request alone, not by the notice or the confirmation that speaks of it; a completed
/// hold by its completion; nothing that was reversed.
const ITEMS: &str = "SELECT message.trace, message.at, load.kind, load.amount, load.currency, \
     purchase.amount, purchase.currency, offline_sale.amount, offline_sale.currency, hold.taken, \
     hold.currency FROM message \
     LEFT JOIN load ON load.id = message.acted_on AND message.class = 'request' \
     AND load.batch = message.batch AND load.trace = message.trace AND load.state <> 'returned' \
     LEFT JOIN purchase ON purchase.id = message.acted_on AND message.class = 'request' \
     AND purchase.state = 'booked' \
     LEFT JOIN offline_sale ON offline_sale.id = message.acted_on AND message.class = 'notice' \
     LEFT JOIN hold ON hold.id = message.acted_on AND message.class = 'request' \
     AND hold.state = 'completed' AND NOT (hold.batch = message.batch AND hold.trace = message.trace) \
     AND NOT EXISTS (SELECT 1 FROM message undone WHERE undone.class = 'reversal' \
     AND undone.merchant = message.merchant AND undone.terminal = message.terminal \
     AND undone.batch = message.batch AND undone.trace = message.trace \
     AND undone.acted_on = message.acted_on) \
     WHERE message.class IN ('request', 'notice') AND message.merchant = $1 AND message.terminal = $2 \
     AND message.batch = $3 AND message.at > $4 AND message.at <= $5 AND message.acted_on IS NOT NULL \
     ORDER BY message.trace";

/// Batches with messages since they were last settled, if ever, the newest first.
const OPEN: &str = "SELECT message.merchant, message.terminal, message.batch, MAX(message.at) FROM message \
     WHERE message.class IN ('request', 'notice') AND message.acted_on IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM settlement WHERE settlement.merchant = message.merchant \
     AND settlement.terminal = message.terminal AND settlement.batch = message.batch \
     AND settlement.at >= message.at) \
     GROUP BY message.merchant, message.terminal, message.batch \
     ORDER BY MAX(message.at) DESC, message.terminal LIMIT $1";

const SETTLED: &str = "SELECT merchant, terminal, batch, currency, state, at, told_debit_count, told_debit, \
     told_credit_count, told_credit, own_debit_count, own_debit, own_credit_count, own_credit, id \
     FROM settlement ORDER BY at DESC, id DESC LIMIT $1";

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

    /// The batches that are open, then those that are settled; `limit` of each.
    pub(super) fn batches(&mut self, limit: u32) -> Result<Vec<BatchSummary>, IssuerError> {
        let mut batches = Vec::new();
        for row in self.tx.query(OPEN, &[i64::from(limit).into()])? {
            let key = MessageKey {
                class: MessageClass::Batch,
                merchant: row.text(0)?.to_owned(),
                terminal: row.text(1)?.to_owned(),
                batch: row.int(2)? as u32,
                trace: 0,
            };
            batches.extend(self.open_batch(&key, Timestamp::from_micros(row.int(3)?))?);
        }
        for row in self.tx.query(SETTLED, &[i64::from(limit).into()])? {
            batches.push(BatchSummary {
                merchant: row.text(0)?.to_owned(),
                terminal: row.text(1)?.to_owned(),
                batch: row.int(2)? as u32,
                currency: ledger::currency(&row, 3)?,
                state: state(row.text(4)?)?,
                at: Timestamp::from_micros(row.int(5)?),
                told: Some(sums(&row, 6)?),
                own: sums(&row, 10)?,
                differences: self.differences(row.text(14)?)?,
            });
        }
        Ok(batches)
    }

    /// The sums of an open batch in each of its currencies.
    fn open_batch(&mut self, key: &MessageKey, at: Timestamp) -> Result<Vec<BatchSummary>, IssuerError> {
        let mut currencies: BTreeMap<Currency, BatchSums> = BTreeMap::new();
        for item in self.items(key, i64::MIN, i64::MAX)?.values() {
            currencies.entry(item.amount.currency).or_default();
        }
        let mut batches = Vec::new();
        for currency in currencies.into_keys() {
            let after = self.last_settlement(key, currency)?.map_or(i64::MIN, |row| row.at);
            let own = sums_of(&self.items(key, after, i64::MAX)?, currency);
            if own == BatchSums::default() {
                continue;
            }
            batches.push(BatchSummary {
                merchant: key.merchant.clone(),
                terminal: key.terminal.clone(),
                batch: key.batch,
                currency,
                state: BatchState::Open,
                own,
                told: None,
                at,
                differences: Vec::new(),
            });
        }
        Ok(batches)
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

    fn differences(&mut self, settlement: &str) -> Result<Vec<BatchDifference>, IssuerError> {
        let rows = self.tx.query(
            "SELECT trace, outcome, own, told FROM settlement_detail WHERE settlement = $1 \
             AND outcome <> $2 ORDER BY trace",
            &[settlement.into(), MATCHED.into()],
        )?;
        let optional = |row: &Row, column| match row.is_null(column) {
            true => Ok(None),
            false => minor("settlement_detail", row.int(column)?).map(Some),
        };
        let difference = |row: &Row| {
            let what = Difference::ALL.into_iter().find(|what| Ok(what.word()) == row.text(1));
            Ok(BatchDifference {
                trace: row.int(0)? as u32,
                what: what.ok_or_else(|| corrupt("settlement_detail", row.text(1)))?,
                own_minor: optional(row, 2)?,
                told_minor: optional(row, 3)?,
            })
        };
        rows.iter().map(difference).collect()
    }

    fn last_settlement(
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

    /// What counts of a batch by trace, of messages after one time up to another.
    fn items(
        &mut self,
        key: &MessageKey,
        after: i64,
        until: i64,
    ) -> Result<BTreeMap<u32, Item>, IssuerError> {
        let values = [
            key.merchant.as_str().into(),
            key.terminal.as_str().into(),
            i64::from(key.batch).into(),
            after.into(),
            until.into(),
        ];
        let mut items = BTreeMap::new();
        for row in self.tx.query(ITEMS, &values)? {
            let side = |kind: Kind| kind.side().unwrap_or(Side::Debit);
            let of = |amount: usize| {
                Ok::<_, IssuerError>(Amount::new(
                    minor("a transaction", row.int(amount)?)?,
                    ledger::currency(&row, amount + 1)?,
                ))
            };
            let (side, amount) = if !row.is_null(3) {
                let lowers = load_kind(row.text(2)?)?.lowers_card();
                (if lowers { Side::Credit } else { Side::Debit }, of(3)?)
            } else if !row.is_null(5) {
                (side(Kind::Purchase), of(5)?)
            } else if !row.is_null(7) {
                (side(Kind::OfflineSale), of(7)?)
            } else if !row.is_null(9) {
                (side(Kind::PreAuthorisationCompletion), of(9)?)
            } else {
                continue;
            };
            items.insert(row.int(0)? as u32, Item { side, amount });
        }
        Ok(items)
    }
}

fn balanced() -> Answer {
    Answer::new(ResponseCode::APPROVED, "the sums agree")
}

fn not_balanced() -> Answer {
    Answer::new(ResponseCode::NOT_BALANCED, "the sums differ; the details are wanted")
}

fn sums_of(items: &BTreeMap<u32, Item>, currency: Currency) -> BatchSums {
    let mut sums = BatchSums::default();
    for item in items.values().filter(|item| item.amount.currency == currency) {
        sums.add(item.side, item.amount.minor);
    }
    sums
}

/// Four columns from `first` on.
fn sums(row: &Row, first: usize) -> Result<BatchSums, IssuerError> {
    let number = |column| minor("settlement", row.int(column)?);
    Ok(BatchSums {
        debit_count: number(first)?,
        debit_minor: number(first + 1)?,
        credit_count: number(first + 2)?,
        credit_minor: number(first + 3)?,
    })
}

/// The same columns. What came over a line or out of a column has twelve digits.
fn columns(sums: &BatchSums) -> [Value; 4] {
    let column = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    [column(sums.debit_count), column(sums.debit_minor), column(sums.credit_count), column(sums.credit_minor)]
}

fn state(word: &str) -> Result<BatchState, IssuerError> {
    let found = BatchState::ALL.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| corrupt("settlement", Ok(word)))
}

fn corrupt(table: &'static str, found: Result<&str, crate::base::store::StoreError>) -> IssuerError {
    let found = found.unwrap_or("no text").to_owned();
    IssuerError::Corrupt { table, expected: "a known word", found }
}
