//! A terminal's batch, issuer's side: what it holds by the messages that came, and how
//! batches stand. Reads only.

use super::IssuerError;
use super::ledger;
use super::load_kind::LoadKind;
use super::work::{Work, minor};
use crate::air::host::{BatchSums, Kind, MessageClass, MessageKey, Side};
use crate::base::env::Timestamp;
use crate::base::store::Row;
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
pub(super) const MATCHED: &str = "matched";

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

/// A transaction of a batch that counts.
pub(super) struct Item {
    side: Side,
    pub(super) amount: Amount,
}

/// What the messages of a batch acted on and still stands. A load is counted by its
/// request alone, not by the notice or the confirmation that speaks of it; a completed
/// hold by its completion; nothing that was reversed.
const ITEMS: &str = "SELECT message.trace, message.at, load.kind, load.amount, load.currency, \
     purchase.amount, purchase.currency, offline_sale.amount, offline_sale.currency, hold.taken, \
     hold.currency, refund.amount, refund.currency FROM message \
     LEFT JOIN load ON load.id = message.acted_on AND message.class = 'request' \
     AND load.batch = message.batch AND load.trace = message.trace AND load.state <> 'returned' \
     LEFT JOIN purchase ON purchase.id = message.acted_on AND message.class = 'request' \
     AND purchase.state = 'booked' \
     LEFT JOIN offline_sale ON offline_sale.id = message.acted_on \
     AND offline_sale.state IN ('booked', 'held', 'unfunded') \
     LEFT JOIN refund ON refund.id = message.acted_on \
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

    /// What is noted of a settlement but what matched.
    pub(super) fn differences(&mut self, settlement: &str) -> Result<Vec<BatchDifference>, IssuerError> {
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

    /// What counts of a batch by trace, of messages after one time up to another.
    pub(super) fn items(
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
                let Some(side) = LoadKind::of_word(row.text(2)?)?.side() else { continue };
                (side, of(3)?)
            } else if !row.is_null(5) {
                (side(Kind::Purchase), of(5)?)
            } else if !row.is_null(7) {
                (side(Kind::OfflineSale), of(7)?)
            } else if !row.is_null(11) {
                (side(Kind::EcashRefund), of(11)?)
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

/// What the items of a currency come to.
pub(super) fn sums_of(items: &BTreeMap<u32, Item>, currency: Currency) -> BatchSums {
    let mut sums = BatchSums::default();
    for item in items.values().filter(|item| item.amount.currency == currency) {
        sums.add(item.side, item.amount.minor);
    }
    sums
}

/// Four columns from `first` on.
pub(super) fn sums(row: &Row, first: usize) -> Result<BatchSums, IssuerError> {
    let number = |column| minor("settlement", row.int(column)?);
    Ok(BatchSums {
        debit_count: number(first)?,
        debit_minor: number(first + 1)?,
        credit_count: number(first + 2)?,
        credit_minor: number(first + 3)?,
    })
}

/// The state of a word.
pub(super) fn state(word: &str) -> Result<BatchState, IssuerError> {
    let found = BatchState::ALL.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| corrupt("settlement", Ok(word)))
}

fn corrupt(table: &'static str, found: Result<&str, crate::base::store::StoreError>) -> IssuerError {
    let found = found.unwrap_or("no text").to_owned();
    IssuerError::Corrupt { table, expected: "a known word", found }
}
