//! What the books say to people: how much there is of everything, and what happened on
//! a card. Reads only.

use super::IssuerError;
use super::ledger;
use super::work::{Work, minor};
use crate::base::env::Timestamp;
use crate::base::store::{Sealed, Value};
use crate::words::emv::Pan;
use crate::words::iso4217::Amount;

const PAN: &str = "card.pan";

/// How much there is of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// What is counted and how many there are, in the order to show.
    pub rows: Vec<(&'static str, u64)>,
}

/// One transaction of a card, as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// When it came.
    pub at: Timestamp,
    /// The card; printed, it is masked.
    pub pan: Pan,
    /// PAN sequence number.
    pub psn: u8,
    /// What it is: `load (linked)`, `purchase`, `offline sale` ...
    pub what: String,
    /// Its amount.
    pub amount: Amount,
    /// How it stands: `open`, `landed`, `returned`, `booked`, `reversed`, `held`, `completed`,
    /// `cancelled`, `disputed`, `claimed`, `refused`, `declined`; of a flag, `raised` or
    /// `cleared`.
    pub state: String,
    /// The card's counter.
    pub atc: u16,
    /// The merchant (F42).
    pub merchant: String,
    /// Why it was declined; of a flag, the counters that it is about.
    pub reason: Option<String>,
    /// What was booked for it, in order.
    pub entries: Vec<String>,
}

/// What is counted.
const COUNTED: &[(&str, &str)] = &[
    ("accounts", "SELECT COUNT(*) FROM account"),
    ("cards", "SELECT COUNT(*) FROM card"),
    ("cards blocked", "SELECT COUNT(*) FROM card WHERE status <> 'active'"),
    ("messages taken", "SELECT COUNT(*) FROM message WHERE barred = 0"),
    ("loads and unloads open", "SELECT CAST(COALESCE(SUM(open_loads), 0) AS BIGINT) FROM card"),
    ("loads and unloads landed", "SELECT COUNT(*) FROM load WHERE state = 'landed'"),
    ("loads and unloads returned", "SELECT COUNT(*) FROM load WHERE state = 'returned'"),
    ("purchases", "SELECT COUNT(*) FROM purchase WHERE state = 'booked'"),
    ("offline sales booked", "SELECT COUNT(*) FROM offline_sale WHERE state = 'booked'"),
    ("offline sales held", "SELECT COUNT(*) FROM offline_sale WHERE state = 'held'"),
    ("offline sales disputed", "SELECT COUNT(*) FROM offline_sale WHERE state = 'disputed'"),
    ("requests declined", "SELECT COUNT(*) FROM refusal"),
    ("flags raised", "SELECT COUNT(*) FROM flag WHERE cleared_at IS NULL"),
    ("offline sales claimed", "SELECT CAST(COALESCE(SUM(open_claims), 0) AS BIGINT) FROM card"),
    ("refunds", "SELECT COUNT(*) FROM refund"),
];

/// Where a card's transactions are: id, time, currency, amount, state, counter, merchant,
/// kind, reason.
const KEPT: &[&str] = &[
    "SELECT id, opened_at, currency, amount, state, atc, merchant, 'load (' || kind || ')', NULL \
     FROM load \
     WHERE card = $1",
    "SELECT id, at, currency, amount, state, atc, merchant, 'purchase', NULL FROM purchase WHERE card = $1",
    "SELECT id, at, currency, amount, state, atc, merchant, 'offline sale', NULL FROM offline_sale \
     WHERE card = $1",
    "SELECT id, at, currency, amount, state, atc, merchant, 'hold', NULL FROM hold WHERE card = $1",
    "SELECT id, at, currency, amount, 'declined', atc, merchant, what, code || ': ' || reason FROM refusal \
     WHERE card = $1",
    "SELECT id, at, currency, amount, CASE WHEN cleared_at IS NULL THEN 'raised' ELSE 'cleared' END, \
     first_atc, '', 'flag: ' || kind, 'ATC ' || CAST(first_atc AS TEXT) || ' to ' || CAST(last_atc AS TEXT) \
     FROM flag WHERE card = $1",
    "SELECT refund.id, refund.at, refund.currency, refund.amount, 'booked', sale.atc, refund.merchant, \
     'refund', NULL FROM refund JOIN offline_sale AS sale ON sale.id = refund.sale WHERE sale.card = $1",
];

impl Work<'_> {
    /// Counts everything.
    pub(super) fn counts(&mut self) -> Result<Counts, IssuerError> {
        let mut rows = Vec::with_capacity(COUNTED.len());
        for (what, sql) in COUNTED {
            let found = self.tx.query(sql, &[])?;
            let number = found.first().map_or(Ok(0), |row| row.int(0))?;
            rows.push((*what, minor("counts", number)?));
        }
        Ok(Counts { rows })
    }

    /// The transactions of every card whose PAN is this or ends so, oldest first; `None`
    /// where no card on file has such a PAN.
    pub(super) fn history(&mut self, pan: &str) -> Result<Option<Vec<HistoryRow>>, IssuerError> {
        let cards = match self.cards_with(pan)? {
            cards if cards.is_empty() => return Ok(None),
            cards => cards,
        };
        let mut rows = Vec::new();
        for (card, pan, psn) in cards {
            for sql in KEPT {
                for row in self.tx.query(sql, &[card.as_str().into()])? {
                    let currency = ledger::currency(&row, 2)?;
                    rows.push(HistoryRow {
                        at: Timestamp::from_micros(row.int(1)?),
                        pan: pan.clone(),
                        psn,
                        what: row.text(7)?.to_owned(),
                        amount: Amount::new(minor("amount columns", row.int(3)?)?, currency),
                        state: row.text(4)?.to_owned(),
                        atc: narrow("atc columns", row.int(5)?)?,
                        merchant: row.text(6)?.to_owned(),
                        reason: if row.is_null(8) { None } else { Some(row.text(8)?.to_owned()) },
                        entries: self.entries_of(row.text(0)?)?,
                    });
                }
            }
        }
        rows.sort_by_key(|row| row.at);
        Ok(Some(rows))
    }

    fn cards_with(&mut self, pan: &str) -> Result<Vec<(String, Pan, u8)>, IssuerError> {
        let lookup = Value::Bytes(self.pan_lookup(pan));
        let mut rows =
            self.tx.query("SELECT id, pan, psn FROM card WHERE pan_lookup = $1 ORDER BY id", &[lookup])?;
        if rows.is_empty() {
            // The end of a number is in no index: it is sealed.
            rows = self.tx.query("SELECT id, pan, psn FROM card ORDER BY id", &[])?;
        }
        let mut cards = Vec::new();
        for row in rows {
            let plain = Sealed(row.bytes(1)?.to_vec()).open(self.seal, PAN)?;
            let found = std::str::from_utf8(plain.expose()).unwrap_or_default();
            if found.ends_with(pan) {
                let whole = Pan::new(found).map_err(|_| IssuerError::Corrupt {
                    table: "card",
                    expected: "a PAN",
                    found: format!("{} characters", found.len()),
                })?;
                cards.push((row.text(0)?.to_owned(), whole, narrow("card", row.int(2)?)?));
            }
        }
        Ok(cards)
    }

    fn entries_of(&mut self, subject: &str) -> Result<Vec<String>, IssuerError> {
        let rows =
            self.tx.query("SELECT what FROM entry WHERE subject = $1 ORDER BY at, id", &[subject.into()])?;
        Ok(rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<_, _>>()?)
    }
}

fn narrow<T: TryFrom<i64>>(table: &'static str, value: i64) -> Result<T, IssuerError> {
    let wrong = |_| IssuerError::Corrupt { table, expected: "a small number", found: value.to_string() };
    T::try_from(value).map_err(wrong)
}
