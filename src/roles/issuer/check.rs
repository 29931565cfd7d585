//! The check: every invariant of the books, recomputed from the rows.

use super::IssuerError;
use super::work::Work;
use std::fmt;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: &'static str,
    /// Where, without card data.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.found)
    }
}

/// Each rule and the rows that break it: up to four columns say where.
///
/// Where the postings of an entry are joined, `kind || ''` keeps SQLite from the index of books:
/// for each row it would go through the whole book of a merchant.
const RULES: &[(&str, &str)] = &[
    (
        "the postings of an entry sum to zero in each currency",
        "SELECT entry, currency, CAST(SUM(minor) AS BIGINT) FROM posting GROUP BY entry, currency \
         HAVING SUM(minor) <> 0 ORDER BY entry",
    ),
    (
        "an entry has two postings",
        "SELECT entry.id FROM entry LEFT JOIN posting ON posting.entry = entry.id GROUP BY entry.id \
         HAVING COUNT(posting.line) <> 2 ORDER BY entry.id",
    ),
    (
        "a posting belongs to an entry",
        "SELECT posting.entry FROM posting LEFT JOIN entry ON entry.id = posting.entry \
         WHERE entry.id IS NULL ORDER BY posting.entry",
    ),
    (
        "the repeated balance of a guarded book equals the sum of its postings",
        "SELECT balance.kind, balance.holder, balance.currency, balance.minor FROM balance \
         LEFT JOIN posting ON posting.kind = balance.kind AND posting.holder = balance.holder \
         AND posting.currency = balance.currency \
         GROUP BY balance.kind, balance.holder, balance.currency, balance.minor \
         HAVING balance.minor <> COALESCE(SUM(posting.minor), 0) ORDER BY balance.kind, balance.holder",
    ),
    (
        "every guarded book that was posted to has a balance",
        "SELECT DISTINCT posting.kind, posting.holder, posting.currency FROM posting \
         LEFT JOIN balance ON balance.kind = posting.kind AND balance.holder = posting.holder \
         AND balance.currency = posting.currency \
         WHERE posting.kind IN ('account', 'card', 'pending', 'held') AND balance.holder IS NULL",
    ),
    (
        "no book but the opening one, the cash counters and what cards are lent is below zero",
        "SELECT kind, holder, currency, CAST(SUM(minor) AS BIGINT) FROM posting \
         WHERE kind NOT IN ('opening', 'cash', 'credit') \
         GROUP BY kind, holder, currency HAVING SUM(minor) < 0 ORDER BY kind, holder",
    ),
    (
        "a cash counter gives no more back than it took, a card no more than it was lent",
        "SELECT kind, holder, currency, CAST(SUM(minor) AS BIGINT) FROM posting \
         WHERE kind IN ('cash', 'credit') \
         GROUP BY kind, holder, currency HAVING SUM(minor) > 0 ORDER BY kind, holder",
    ),
    (
        "a load has its money in flight while it is open, and only then",
        "SELECT load.id, load.state, CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) FROM load \
         LEFT JOIN entry ON entry.subject = load.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = 'in_flight' \
         GROUP BY load.id, load.state, load.amount \
         HAVING COALESCE(SUM(posting.minor), 0) <> CASE load.state WHEN 'open' THEN load.amount ELSE 0 END \
         ORDER BY load.id",
    ),
    (
        "a landed load is in its card's shadow, an unload is out of it unless it returned",
        "SELECT load.id, load.state, CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) FROM load \
         LEFT JOIN entry ON entry.subject = load.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = 'card' \
         AND posting.holder = load.card \
         GROUP BY load.id, load.kind, load.state, load.amount \
         HAVING COALESCE(SUM(posting.minor), 0) <> CASE \
         WHEN load.kind IN ('cash void', 'unload', 'overdraft cut') \
         THEN CASE load.state WHEN 'returned' THEN 0 ELSE -load.amount END \
         ELSE CASE load.state WHEN 'landed' THEN load.amount ELSE 0 END END ORDER BY load.id",
    ),
    (
        "a load is out of its source unless it returned, a landed unload is credited once",
        "SELECT load.id, load.state, CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) FROM load \
         LEFT JOIN entry ON entry.subject = load.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = load.counter \
         AND posting.holder = load.counter_holder \
         GROUP BY load.id, load.kind, load.state, load.amount \
         HAVING COALESCE(SUM(posting.minor), 0) <> CASE \
         WHEN load.kind IN ('cash void', 'unload', 'overdraft cut') \
         THEN CASE load.state WHEN 'landed' THEN load.amount ELSE 0 END \
         ELSE CASE load.state WHEN 'returned' THEN 0 ELSE -load.amount END END ORDER BY load.id",
    ),
    (
        "a void that may have landed marks its load",
        "SELECT void.id, void.state FROM load AS void LEFT JOIN load AS voided ON voided.id = void.original \
         AND voided.voided_by = void.id WHERE void.kind = 'cash void' AND void.state <> 'returned' \
         AND (voided.id IS NULL OR voided.kind <> 'cash' OR voided.state <> 'landed' \
         OR voided.amount <> void.amount) ORDER BY void.id",
    ),
    (
        "a load that is marked as voided has its void",
        "SELECT voided.id FROM load AS voided LEFT JOIN load AS void ON void.id = voided.voided_by \
         AND void.original = voided.id AND void.state <> 'returned' \
         WHERE voided.voided_by IS NOT NULL AND void.id IS NULL ORDER BY voided.id",
    ),
    (
        "nothing but loads is in flight",
        "SELECT DISTINCT entry.id, entry.subject FROM entry \
         JOIN posting ON posting.entry = entry.id AND posting.kind = 'in_flight' \
         LEFT JOIN load ON load.id = entry.subject WHERE load.id IS NULL",
    ),
    (
        "a booked offline sale is paid to its merchant once, a held one not yet",
        "SELECT offline_sale.id, offline_sale.state, CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) \
         FROM offline_sale LEFT JOIN entry ON entry.subject = offline_sale.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = 'merchant' \
         AND posting.holder = offline_sale.merchant \
         GROUP BY offline_sale.id, offline_sale.state, offline_sale.amount \
         HAVING COALESCE(SUM(posting.minor), 0) \
         <> CASE offline_sale.state WHEN 'booked' THEN offline_sale.amount ELSE 0 END \
         ORDER BY offline_sale.id",
    ),
    (
        "a refund is taken from its merchant and given to the holder of the card",
        "SELECT refund.id, CAST(COALESCE(SUM(CASE WHEN posting.kind = 'merchant' \
         AND posting.holder = refund.merchant THEN posting.minor ELSE 0 END), 0) AS BIGINT) FROM refund \
         LEFT JOIN entry ON entry.subject = refund.id LEFT JOIN posting ON posting.entry = entry.id \
         GROUP BY refund.id, refund.amount HAVING COALESCE(SUM(CASE WHEN posting.kind = 'merchant' \
         AND posting.holder = refund.merchant THEN posting.minor ELSE 0 END), 0) <> -refund.amount \
         OR COALESCE(SUM(CASE WHEN posting.kind = refund.counter \
         AND posting.holder = refund.counter_holder THEN posting.minor ELSE 0 END), 0) <> refund.amount \
         ORDER BY refund.id",
    ),
    (
        "the refunds of a sale come to no more than the sale, and the sale is booked",
        "SELECT offline_sale.id, offline_sale.state, CAST(SUM(refund.amount) AS BIGINT) FROM refund \
         JOIN offline_sale ON offline_sale.id = refund.sale \
         GROUP BY offline_sale.id, offline_sale.state, offline_sale.amount \
         HAVING SUM(refund.amount) > offline_sale.amount OR offline_sale.state <> 'booked' \
         ORDER BY offline_sale.id",
    ),
    (
        "a purchase is paid to its merchant unless it is reversed",
        "SELECT purchase.id, purchase.state, CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) \
         FROM purchase LEFT JOIN entry ON entry.subject = purchase.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = 'merchant' \
         AND posting.holder = purchase.merchant \
         GROUP BY purchase.id, purchase.state, purchase.amount \
         HAVING COALESCE(SUM(posting.minor), 0) \
         <> CASE purchase.state WHEN 'booked' THEN purchase.amount ELSE 0 END ORDER BY purchase.id",
    ),
    (
        "a hold is in the held book while it stands, and only then",
        "SELECT hold.id, hold.state, CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) FROM hold \
         LEFT JOIN entry ON entry.subject = hold.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = 'held' \
         AND posting.holder = hold.account GROUP BY hold.id, hold.state, hold.amount \
         HAVING COALESCE(SUM(posting.minor), 0) <> CASE hold.state WHEN 'held' THEN hold.amount ELSE 0 END \
         ORDER BY hold.id",
    ),
    (
        "a completed hold is paid to its merchant, and no other is",
        "SELECT hold.id, hold.state, CAST(COALESCE(SUM(posting.minor), 0) AS BIGINT) FROM hold \
         LEFT JOIN entry ON entry.subject = hold.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = 'merchant' \
         AND posting.holder = hold.merchant GROUP BY hold.id, hold.state, hold.taken \
         HAVING COALESCE(SUM(posting.minor), 0) <> CASE hold.state WHEN 'completed' THEN hold.taken ELSE 0 END \
         ORDER BY hold.id",
    ),
    (
        "nothing but holds is in a held book",
        "SELECT DISTINCT entry.id, entry.subject FROM entry \
         JOIN posting ON posting.entry = entry.id AND posting.kind = 'held' \
         LEFT JOIN hold ON hold.id = entry.subject WHERE hold.id IS NULL",
    ),
    (
        "what is used of a limited account's day is what moved",
        "SELECT account.id, counted.way, counted.day, CAST(SUM(counted.minor) AS BIGINT) FROM account JOIN ( \
         SELECT account, currency, way, day, minor FROM used \
         UNION ALL SELECT counter_holder, currency, CASE kind WHEN 'unload' THEN 'in' ELSE 'out' END, \
         opened_at / 86400000000, -amount FROM load WHERE counter = 'account' AND state <> 'returned' \
         UNION ALL SELECT account, currency, 'out', at / 86400000000, -amount FROM purchase \
         WHERE state = 'booked' \
         UNION ALL SELECT account, currency, 'out', at / 86400000000, -CASE state WHEN 'held' THEN amount \
         WHEN 'completed' THEN taken ELSE 0 END FROM hold \
         UNION ALL SELECT posting.holder, posting.currency, CASE WHEN posting.minor < 0 THEN 'out' \
         ELSE 'in' END, entry.at / 86400000000, -ABS(posting.minor) FROM posting \
         JOIN entry ON entry.id = posting.entry WHERE posting.kind = 'account' \
         AND entry.what IN ('pending credited', 'account transfer', 'phone transfer', 'offline sale') \
         ) AS counted ON counted.account = account.id WHERE account.class <> 'I' \
         GROUP BY account.id, counted.currency, counted.way, counted.day HAVING SUM(counted.minor) <> 0 \
         ORDER BY account.id",
    ),
    (
        "a booked transfer of phones moved its amount once from payer to payee, and no other moved any",
        "SELECT phone_transfer.id, phone_transfer.state FROM phone_transfer \
         LEFT JOIN entry ON entry.subject = phone_transfer.id \
         LEFT JOIN posting ON posting.entry = entry.id AND posting.kind || '' = 'account' \
         GROUP BY phone_transfer.id, phone_transfer.state, phone_transfer.amount HAVING \
         COALESCE(SUM(CASE WHEN posting.holder = phone_transfer.payer_account THEN posting.minor ELSE 0 END), 0) \
         <> CASE phone_transfer.state WHEN 'booked' THEN -phone_transfer.amount ELSE 0 END OR \
         COALESCE(SUM(CASE WHEN posting.holder = phone_transfer.payee_account THEN posting.minor ELSE 0 END), 0) \
         <> CASE phone_transfer.state WHEN 'booked' THEN phone_transfer.amount ELSE 0 END \
         ORDER BY phone_transfer.id",
    ),
    (
        "a transfer of phones that moved money has its row",
        "SELECT entry.id, entry.subject FROM entry \
         LEFT JOIN phone_transfer ON phone_transfer.id = entry.subject \
         WHERE entry.what = 'phone transfer' AND phone_transfer.id IS NULL ORDER BY entry.id",
    ),
    (
        "a card's row counts its open loads",
        "SELECT card.id, card.open_loads FROM card \
         LEFT JOIN load ON load.card = card.id AND load.state = 'open' \
         GROUP BY card.id, card.open_loads HAVING COUNT(load.id) <> card.open_loads ORDER BY card.id",
    ),
    (
        "a card's row counts its open claims",
        "SELECT card.id, card.open_claims FROM card \
         LEFT JOIN offline_sale ON offline_sale.card = card.id AND offline_sale.state = 'claimed' \
         GROUP BY card.id, card.open_claims HAVING COUNT(offline_sale.id) <> card.open_claims \
         ORDER BY card.id",
    ),
    (
        "every barred key has its bar",
        "SELECT message.merchant, message.terminal, message.batch, message.trace FROM message \
         LEFT JOIN bar ON bar.merchant = message.merchant AND bar.terminal = message.terminal \
         AND bar.batch = message.batch AND bar.trace = message.trace AND bar.subject = message.subject \
         WHERE message.barred <> 0 AND bar.trace IS NULL",
    ),
    (
        "every message that was taken has its answer",
        "SELECT merchant, terminal, batch, trace FROM message WHERE barred = 0 AND answer IS NULL",
    ),
    (
        "no offline sale is held for want of a shadow",
        "SELECT id, currency, amount FROM offline_sale WHERE state = 'held' ORDER BY id",
    ),
];

impl Work<'_> {
    /// Every broken rule.
    pub(super) fn check(&mut self) -> Result<Vec<Violation>, IssuerError> {
        let mut violations = Vec::new();
        for (rule, sql) in RULES {
            for row in self.tx.query(sql, &[])? {
                let found: Vec<String> = row.0.iter().map(shown).collect();
                violations.push(Violation { rule, found: found.join(", ") });
            }
        }
        Ok(violations)
    }
}

fn shown(value: &crate::base::store::Value) -> String {
    use crate::base::store::Value;
    match value {
        Value::Null => "none".into(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULES;
    use crate::base::store::{Sqlite, StoreError, migrate, transact};
    use crate::roles::issuer::schema::{MIGRATIONS, OWNER};

    /// A merchant's book has a row for each of its sales: gone through for each sale, the check of
    /// a million would take a day.
    #[test]
    fn no_rule_goes_through_a_whole_book_for_each_row() {
        let mut db = Sqlite::in_memory().unwrap();
        migrate(&mut db, OWNER, MIGRATIONS).unwrap();
        for (rule, sql) in RULES {
            let steps = transact(&mut db, |tx| {
                let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[])?;
                rows.iter()
                    .map(|row| Ok::<_, StoreError>(row.text(3)?.to_owned()))
                    .collect::<Result<Vec<_>, _>>()
            });
            for step in steps.unwrap() {
                let is_joined_by_book = step.contains("posting_book") && step.contains("LEFT-JOIN");
                assert!(!is_joined_by_book || step.contains("currency=?"), "{rule}: {step}");
            }
        }
    }
}
