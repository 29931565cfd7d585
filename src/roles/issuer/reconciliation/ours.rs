//! Our side: what acted, by its message, a page of one business date at a time, each
//! page a transaction of its own so that nobody waits for the whole.

use super::record::{Key, Mark, Record, UNTOLD};
use crate::base::env::Timestamp;
use crate::base::store::{Row, SealKey, Sealed};
use crate::roles::issuer::IssuerError;
use crate::roles::issuer::account;
use crate::roles::issuer::work::Work;
use std::collections::HashMap;

const PAGE: i64 = 5_000;
/// Hashes of holders' names that are kept, so that each is opened once.
const NAMES: usize = 50_000;

/// The last key of a page: class, merchant, terminal, batch, trace.
pub(super) type After = (String, String, String, i64, i64);

/// A page: requests and sales that acted, and reversals and refunds that gave back, which
/// are known by their original's date. The last but three columns say whether the message is the
/// one by which others know the row: an unload is known by the first confirmation of it,
/// since its script alone moves nothing, and by the script only where it was proven without
/// one; a change of an overdraft limit by none; a hold by its completion; a claim once it is booked, until its certificate comes.
const SQL: &str = "SELECT message.class, message.merchant, message.terminal, message.batch, message.trace, \
     message.at, message.acted_on, \
     COALESCE(load.amount, purchase.amount, offline_sale.amount, hold.taken, refund.amount), \
     COALESCE(load.currency, purchase.currency, offline_sale.currency, hold.currency, refund.currency), \
     account.id, account.holder, COALESCE(load.state, purchase.state, offline_sale.state, hold.state), \
     COALESCE(offline_sale.id, refund.id), \
     (SELECT MAX(first.business_date) FROM message first WHERE first.class = 'request' \
      AND first.merchant = message.merchant AND first.terminal = message.terminal \
      AND first.batch = message.batch AND first.trace = message.trace \
      AND first.acted_on = message.acted_on), \
     CAST(CASE WHEN load.kind IN ('overdraft raise', 'overdraft cut') THEN 0 \
     WHEN load.kind = 'unload' AND load.state <> 'landed' THEN 0 \
     WHEN load.kind = 'unload' AND load.confirm_trace IS NULL THEN \
     CASE WHEN message.batch = load.batch AND message.trace = load.trace THEN 1 ELSE 0 END \
     WHEN load.kind = 'unload' THEN CASE WHEN message.batch = load.confirm_batch \
     AND message.trace = load.confirm_trace AND message.business_date = load.confirm_date THEN 1 ELSE 0 END \
     WHEN hold.id IS NOT NULL THEN CASE WHEN hold.state = 'completed' \
     AND (message.batch <> hold.batch OR message.trace <> hold.trace) THEN 1 ELSE 0 END \
     WHEN message.class = 'request' AND offline_sale.id IS NOT NULL THEN \
     CASE WHEN offline_sale.state = 'booked' AND LENGTH(offline_sale.tc) = 0 THEN 1 ELSE 0 END \
     ELSE 1 END AS BIGINT), sold.terminal, sold.trace, sold.at \
     FROM message LEFT JOIN load ON load.id = message.acted_on \
     LEFT JOIN purchase ON purchase.id = message.acted_on \
     LEFT JOIN offline_sale ON offline_sale.id = message.acted_on \
     LEFT JOIN hold ON hold.id = message.acted_on \
     LEFT JOIN refund ON refund.id = message.acted_on \
     LEFT JOIN offline_sale AS sold ON sold.id = refund.sale \
     LEFT JOIN account ON account.id = COALESCE( \
     CASE WHEN load.counter = 'account' THEN load.counter_holder END, \
     CASE WHEN refund.counter = 'account' THEN refund.counter_holder END, purchase.account, hold.account) \
     WHERE message.business_date = $1 \
     AND (message.class, message.merchant, message.terminal, message.batch, message.trace) \
     > ($2, $3, $4, $5, $6) \
     ORDER BY message.class, message.merchant, message.terminal, message.batch, message.trace LIMIT $7";

/// What the pages share.
#[derive(Default)]
pub(super) struct Names(HashMap<String, Mark>);

impl Work<'_> {
    /// A page of a business date, and where the next one begins; `None` at the end.
    pub(super) fn reconcilable(
        &mut self,
        date: u32,
        after: &After,
        names: &mut Names,
    ) -> Result<(Vec<Record>, Option<After>), IssuerError> {
        let (class, merchant, terminal, batch, trace) = after.clone();
        let values = [
            i64::from(date).into(),
            class.into(),
            merchant.into(),
            terminal.into(),
            batch.into(),
            trace.into(),
            PAGE.into(),
        ];
        let rows = self.tx.query(SQL, &values)?;
        let last = match rows.last() {
            Some(row) if rows.len() as i64 == PAGE => Some((
                row.text(0)?.to_owned(),
                row.text(1)?.to_owned(),
                row.text(2)?.to_owned(),
                row.int(3)?,
                row.int(4)?,
            )),
            _ => None,
        };
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            records.extend(self.record(date, row, names)?);
        }
        Ok((records, last))
    }

    fn record(&mut self, date: u32, row: &Row, names: &mut Names) -> Result<Option<Record>, IssuerError> {
        if row.is_null(6) || row.is_null(7) || row.int(14)? == 0 {
            return Ok(None);
        }
        let is_refund = !row.is_null(15);
        let state = if row.is_null(11) { "" } else { row.text(11)? };
        let refund = match (row.text(0)?, state) {
            ("request", _) => false,
            // A script's result acts on a load, which its own request stands for.
            ("notice", _) if !row.is_null(12) => is_refund,
            ("reversal", "returned" | "reversed") => true,
            _ => return Ok(None),
        };
        let key = match refund {
            true if is_refund => Key {
                date: Timestamp::from_micros(row.int(17)?).date_number() as u32,
                trace: row.int(16)? as u32,
                channel: row.text(15)?.to_owned(),
            },
            _ => Key {
                date: if refund && !row.is_null(13) { row.int(13)? as u32 } else { date },
                trace: row.int(4)? as u32,
                channel: row.text(2)?.to_owned(),
            },
        };
        let (mut account_mark, mut name) = (UNTOLD, UNTOLD);
        if !row.is_null(9) {
            let account = row.text(9)?;
            account_mark = mark(self.seal, "reconciliation.account", account);
            name = match names.0.get(account) {
                Some(name) => *name,
                None => {
                    let holder = Sealed(row.bytes(10)?.to_vec()).open(self.seal, account::HOLDER)?;
                    let name =
                        mark(self.seal, "reconciliation.name", &String::from_utf8_lossy(holder.expose()));
                    if names.0.len() >= NAMES {
                        names.0.clear();
                    }
                    names.0.insert(account.to_owned(), name);
                    name
                }
            };
        }
        Ok(Some(Record {
            key,
            refund,
            amount_minor: crate::roles::issuer::work::minor("message", row.int(7)?)?,
            currency: row.int(8)? as u16,
            account: account_mark,
            name,
            second: (row.int(5)?.div_euclid(1_000_000)).rem_euclid(86_400) as u32,
            line: 0,
            offset: 0,
            subject: row.text(6)?.to_owned(),
        }))
    }
}

/// The keyed hash of an account or name as both sides may write it.
pub(super) fn mark(key: &SealKey, purpose: &'static str, text: &str) -> Mark {
    let text = text.trim();
    if text.is_empty() {
        return UNTOLD;
    }
    let hash = Sealed::lookup(key, purpose, text.as_bytes());
    hash.first_chunk().copied().unwrap_or(UNTOLD)
}
