//! Our side: what acted, by its message, a page of one business date at a time, each
//! page a transaction of its own so that nobody waits for the whole.

use super::record::{Key, Mark, Record, UNTOLD};
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

/// A page: requests and sales that acted, and reversals that gave back, which are known
/// by their original's date.
const SQL: &str = "SELECT message.class, message.merchant, message.terminal, message.batch, message.trace, \
     message.at, message.acted_on, COALESCE(load.amount, purchase.amount, offline_sale.amount), \
     COALESCE(load.currency, purchase.currency, offline_sale.currency), account.id, account.holder, \
     COALESCE(load.state, purchase.state, offline_sale.state), offline_sale.id, \
     (SELECT MAX(first.business_date) FROM message first WHERE first.class = 'request' \
      AND first.merchant = message.merchant AND first.terminal = message.terminal \
      AND first.batch = message.batch AND first.trace = message.trace \
      AND first.acted_on = message.acted_on) \
     FROM message LEFT JOIN load ON load.id = message.acted_on \
     LEFT JOIN purchase ON purchase.id = message.acted_on \
     LEFT JOIN offline_sale ON offline_sale.id = message.acted_on \
     LEFT JOIN account ON account.id = COALESCE( \
     CASE WHEN load.counter = 'account' THEN load.counter_holder END, purchase.account) \
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
        if row.is_null(6) || row.is_null(7) {
            return Ok(None);
        }
        let refund = match (row.text(0)?, row.text(11)?) {
            ("request", _) => false,
            // A script's result acts on a load, which its own request stands for.
            ("notice", _) if !row.is_null(12) => false,
            ("reversal", "returned" | "reversed") => true,
            _ => return Ok(None),
        };
        let date = if refund && !row.is_null(13) { row.int(13)? as u32 } else { date };
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
            key: Key { date, trace: row.int(4)? as u32, channel: row.text(2)?.to_owned() },
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
