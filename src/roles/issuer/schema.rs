//! The issuer's tables. `entry`, `posting`, `sighting`, `offline_sale`, `refund`, `refusal`
//! and `message` only grow; `balance`, `used` and what `card` counts repeat what a decision
//! reads.

use crate::base::store::Migration;

/// Whose tables.
pub(super) const OWNER: &str = "issuer";

/// Version by version.
pub(super) const MIGRATIONS: &[Migration] = &[
    FIRST,
    EVERY_LOAD,
    CORRECTIONS,
    HOLDS,
    FEW_READS,
    SETTLEMENTS,
    LIMITS,
    REFUNDS,
    HOLDERS,
    SCRIPTS,
    PURSES,
    LATE,
    PURSE_COUNTERS,
    PHONES,
];

const FIRST: Migration = Migration {
    statements: &[
        "CREATE TABLE account (
            id TEXT PRIMARY KEY, currency BIGINT NOT NULL, holder BYTEA NOT NULL, opened_at BIGINT NOT NULL)",
        "CREATE TABLE entry (
            id TEXT PRIMARY KEY, what TEXT NOT NULL, subject TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE TABLE posting (
            entry TEXT NOT NULL REFERENCES entry (id), line BIGINT NOT NULL, kind TEXT NOT NULL,
            holder TEXT NOT NULL, currency BIGINT NOT NULL, minor BIGINT NOT NULL,
            PRIMARY KEY (entry, line))",
        "CREATE INDEX posting_book ON posting (kind, holder, currency)",
        "CREATE INDEX entry_subject ON entry (subject)",
        "CREATE TABLE balance (
            kind TEXT NOT NULL, holder TEXT NOT NULL, currency BIGINT NOT NULL, minor BIGINT NOT NULL,
            PRIMARY KEY (kind, holder, currency))",
        "CREATE TABLE card (
            id TEXT PRIMARY KEY, pan BYTEA NOT NULL, pan_lookup BYTEA NOT NULL, psn BIGINT NOT NULL,
            cryptogram_version TEXT NOT NULL, dki BIGINT NOT NULL, expiry BIGINT NOT NULL, pin BYTEA,
            pin_tries BIGINT NOT NULL, status TEXT NOT NULL, last_atc BIGINT NOT NULL,
            ordered_at BIGINT NOT NULL, UNIQUE (pan_lookup, psn))",
        "CREATE TABLE card_account (
            card TEXT NOT NULL REFERENCES card (id), currency BIGINT NOT NULL,
            account TEXT REFERENCES account (id), balance_tag BIGINT, balance_limit BIGINT,
            PRIMARY KEY (card, currency))",
        "CREATE TABLE sighting (
            card TEXT NOT NULL REFERENCES card (id), atc BIGINT NOT NULL, currency BIGINT NOT NULL,
            balance BIGINT, path TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (card, atc))",
        "CREATE TABLE load (
            id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES card (id), currency BIGINT NOT NULL,
            account TEXT NOT NULL REFERENCES account (id), atc BIGINT NOT NULL, amount BIGINT NOT NULL,
            old_minor BIGINT NOT NULL, new_minor BIGINT NOT NULL, state TEXT NOT NULL,
            merchant TEXT NOT NULL, terminal TEXT NOT NULL, batch BIGINT NOT NULL, trace BIGINT NOT NULL,
            opened_at BIGINT NOT NULL, settled_at BIGINT, settled_by TEXT, UNIQUE (card, atc))",
        "CREATE INDEX load_state ON load (state, card)",
        "CREATE TABLE purchase (
            id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES card (id), currency BIGINT NOT NULL,
            account TEXT NOT NULL REFERENCES account (id), merchant TEXT NOT NULL, atc BIGINT NOT NULL,
            amount BIGINT NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE TABLE offline_sale (
            id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES card (id), atc BIGINT NOT NULL,
            tc BYTEA NOT NULL, currency BIGINT NOT NULL, amount BIGINT NOT NULL, merchant TEXT NOT NULL,
            state TEXT NOT NULL, at BIGINT NOT NULL, UNIQUE (card, atc, tc))",
        "CREATE TABLE message (
            class TEXT NOT NULL, merchant TEXT NOT NULL, terminal TEXT NOT NULL, batch BIGINT NOT NULL,
            trace BIGINT NOT NULL, business_date BIGINT NOT NULL, fingerprint BYTEA NOT NULL,
            subject BYTEA NOT NULL, barred BIGINT NOT NULL, acted_on TEXT, answer TEXT, at BIGINT NOT NULL,
            PRIMARY KEY (class, merchant, terminal, batch, trace, business_date))",
    ],
};

/// Loads of every kind, and unloads: a load from the linked account was the only one.
const EVERY_LOAD: Migration = Migration {
    statements: &[
        "DROP INDEX load_state",
        "ALTER TABLE load RENAME TO linked_load",
        "CREATE TABLE load (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, card TEXT NOT NULL REFERENCES card (id),
            currency BIGINT NOT NULL, counter TEXT NOT NULL, counter_holder TEXT NOT NULL,
            atc BIGINT NOT NULL, amount BIGINT NOT NULL, old_minor BIGINT NOT NULL,
            new_minor BIGINT NOT NULL, state TEXT NOT NULL, merchant TEXT NOT NULL,
            terminal TEXT NOT NULL, batch BIGINT NOT NULL, trace BIGINT NOT NULL,
            opened_at BIGINT NOT NULL, settled_at BIGINT, settled_by TEXT, original TEXT,
            voided_by TEXT, UNIQUE (card, atc))",
        "INSERT INTO load (id, kind, card, currency, counter, counter_holder, atc, amount, old_minor, \
         new_minor, state, merchant, terminal, batch, trace, opened_at, settled_at, settled_by) \
         SELECT id, 'linked', card, currency, 'account', account, atc, amount, old_minor, new_minor, \
         state, merchant, terminal, batch, trace, opened_at, settled_at, settled_by FROM linked_load",
        "DROP TABLE linked_load",
        "CREATE INDEX load_state ON load (state, card)",
        "CREATE INDEX load_key ON load (terminal, trace)",
    ],
};

/// Reconciliation reads a business date page by page, and corrects by statement.
const CORRECTIONS: Migration = Migration {
    statements: &[
        "CREATE INDEX message_date ON message (business_date, class, merchant, terminal, batch, trace)",
        "CREATE TABLE correction (
            id TEXT PRIMARY KEY, subject TEXT NOT NULL, what TEXT NOT NULL, was BYTEA NOT NULL,
            became BYTEA NOT NULL, at BIGINT NOT NULL)",
    ],
};

/// Pre-authorisations.
const HOLDS: Migration = Migration {
    statements: &[
        "CREATE TABLE hold (
            id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES card (id),
            account TEXT NOT NULL REFERENCES account (id), currency BIGINT NOT NULL,
            amount BIGINT NOT NULL, taken BIGINT NOT NULL, state TEXT NOT NULL, atc BIGINT NOT NULL,
            merchant TEXT NOT NULL, terminal TEXT NOT NULL, batch BIGINT NOT NULL, trace BIGINT NOT NULL,
            at BIGINT NOT NULL)",
        "CREATE INDEX hold_key ON hold (terminal, trace)",
    ],
};

/// What a message reads of its own card stands in the card's row, and whether a message
/// came before is found out by writing it: its content is unique under its key.
const FEW_READS: Migration = Migration {
    statements: &[
        "ALTER TABLE card ADD COLUMN open_loads BIGINT NOT NULL DEFAULT 0",
        "UPDATE card SET open_loads = \
         (SELECT COUNT(*) FROM load WHERE load.card = card.id AND load.state = 'open')",
        "DROP INDEX load_state",
        "DROP INDEX message_date",
        "ALTER TABLE message RENAME TO message_before",
        "CREATE TABLE message (
            class TEXT NOT NULL, merchant TEXT NOT NULL, terminal TEXT NOT NULL, batch BIGINT NOT NULL,
            trace BIGINT NOT NULL, business_date BIGINT NOT NULL, fingerprint BYTEA NOT NULL,
            subject BYTEA NOT NULL, barred BIGINT NOT NULL, acted_on TEXT, answer TEXT, at BIGINT NOT NULL,
            PRIMARY KEY (business_date, class, merchant, terminal, batch, trace),
            UNIQUE (class, merchant, terminal, batch, trace, fingerprint))",
        "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, fingerprint, subject, \
         barred, acted_on, answer, at) SELECT class, merchant, terminal, batch, trace, business_date, \
         CASE WHEN barred = 0 THEN fingerprint ELSE subject END, subject, barred, acted_on, answer, at \
         FROM message_before",
        "DROP TABLE message_before",
        "CREATE TABLE bar (
            merchant TEXT NOT NULL, terminal TEXT NOT NULL, batch BIGINT NOT NULL, trace BIGINT NOT NULL,
            subject BYTEA NOT NULL, PRIMARY KEY (merchant, terminal, batch, trace, subject))",
        "INSERT INTO bar (merchant, terminal, batch, trace, subject) \
         SELECT DISTINCT merchant, terminal, batch, trace, subject FROM message WHERE barred <> 0",
    ],
};

/// Settlements of terminals' batches. What a batch holds is read from the messages, so
/// that no transaction writes a row more for it.
const SETTLEMENTS: Migration = Migration {
    statements: &[
        "CREATE TABLE settlement (
            id TEXT PRIMARY KEY, merchant TEXT NOT NULL, terminal TEXT NOT NULL, batch BIGINT NOT NULL,
            currency BIGINT NOT NULL, state TEXT NOT NULL, after_at BIGINT NOT NULL, at BIGINT NOT NULL,
            told_debit_count BIGINT NOT NULL, told_debit BIGINT NOT NULL,
            told_credit_count BIGINT NOT NULL, told_credit BIGINT NOT NULL,
            own_debit_count BIGINT NOT NULL, own_debit BIGINT NOT NULL,
            own_credit_count BIGINT NOT NULL, own_credit BIGINT NOT NULL)",
        "CREATE INDEX settlement_batch ON settlement (merchant, terminal, batch, currency, at)",
        "CREATE TABLE settlement_detail (
            settlement TEXT NOT NULL REFERENCES settlement (id), trace BIGINT NOT NULL,
            outcome TEXT NOT NULL, own BIGINT, told BIGINT, PRIMARY KEY (settlement, trace))",
    ],
};

/// Classes of accounts and what was used of their limits; refusals and flags, for people.
const LIMITS: Migration = Migration {
    statements: &[
        "ALTER TABLE account ADD COLUMN class TEXT NOT NULL DEFAULT 'I'",
        "ALTER TABLE account ADD COLUMN bound TEXT",
        "CREATE TABLE used (
            account TEXT NOT NULL REFERENCES account (id), currency BIGINT NOT NULL, way TEXT NOT NULL,
            day BIGINT NOT NULL, minor BIGINT NOT NULL, PRIMARY KEY (account, currency, way, day))",
        "CREATE TABLE refusal (
            id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES card (id), what TEXT NOT NULL,
            currency BIGINT NOT NULL, amount BIGINT NOT NULL, atc BIGINT NOT NULL, merchant TEXT NOT NULL,
            code TEXT NOT NULL, reason TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE INDEX refusal_card ON refusal (card)",
        "CREATE TABLE flag (
            id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES card (id), kind TEXT NOT NULL,
            currency BIGINT NOT NULL, amount BIGINT NOT NULL, first_atc BIGINT NOT NULL,
            last_atc BIGINT NOT NULL, at BIGINT NOT NULL, cleared_at BIGINT)",
        "CREATE INDEX flag_card ON flag (card, kind)",
    ],
};

/// Refunds of offline sales, which are found by the key that they were uploaded under;
/// and under which key an unload was confirmed. The certificate of a sale that is only
/// claimed is empty.
const REFUNDS: Migration = Migration {
    statements: &[
        "ALTER TABLE offline_sale ADD COLUMN terminal TEXT",
        "ALTER TABLE offline_sale ADD COLUMN batch BIGINT",
        "ALTER TABLE offline_sale ADD COLUMN trace BIGINT",
        "CREATE INDEX offline_sale_key ON offline_sale (terminal, trace)",
        "CREATE TABLE refund (
            id TEXT PRIMARY KEY, sale TEXT NOT NULL REFERENCES offline_sale (id),
            currency BIGINT NOT NULL, amount BIGINT NOT NULL, merchant TEXT NOT NULL,
            counter TEXT NOT NULL, counter_holder TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE INDEX refund_sale ON refund (sale)",
        "ALTER TABLE load ADD COLUMN confirm_date BIGINT",
        "ALTER TABLE load ADD COLUMN confirm_batch BIGINT",
        "ALTER TABLE load ADD COLUMN confirm_trace BIGINT",
        "ALTER TABLE card ADD COLUMN open_claims BIGINT NOT NULL DEFAULT 0",
    ],
};

/// Who holds cards and accounts, their one-time codes, what token services tell of
/// bindings, and which card took another's place.
const HOLDERS: Migration = Migration {
    statements: &[
        "CREATE TABLE holder (
            subject TEXT PRIMARY KEY, name BYTEA NOT NULL, identity_number BYTEA NOT NULL,
            phone BYTEA NOT NULL)",
        "CREATE TABLE one_time_code (
            id TEXT PRIMARY KEY, card TEXT NOT NULL REFERENCES card (id), code BYTEA NOT NULL,
            tries_left BIGINT NOT NULL, sends_left BIGINT NOT NULL, expires_at BIGINT NOT NULL,
            confirmed BIGINT NOT NULL, at BIGINT NOT NULL)",
        "CREATE INDEX one_time_code_card ON one_time_code (card, at)",
        "CREATE TABLE wallet_binding (
            binding TEXT NOT NULL, state TEXT NOT NULL, card TEXT NOT NULL REFERENCES card (id),
            at BIGINT NOT NULL, PRIMARY KEY (binding, state))",
        "CREATE INDEX wallet_binding_card ON wallet_binding (card)",
        "ALTER TABLE card ADD COLUMN replaced_by TEXT",
    ],
};

/// What the issuer wants done to cards: sealed, since it may be a PIN.
const SCRIPTS: Migration = Migration {
    statements: &[
        "CREATE TABLE card_script (
            card TEXT NOT NULL REFERENCES card (id), number BIGINT NOT NULL, before_second_ac BIGINT NOT NULL,
            content BYTEA NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL, told_at BIGINT,
            PRIMARY KEY (card, number))",
        "ALTER TABLE card ADD COLUMN waiting_scripts BIGINT NOT NULL DEFAULT 0",
    ],
};

/// What a purse's load was asked and granted with: its MACs are made from it again.
const PURSES: Migration = Migration {
    statements: &["CREATE TABLE purse_load (
            load TEXT PRIMARY KEY REFERENCES load (id), detail BYTEA NOT NULL)"],
};

/// How many purchases the balance had paid for that a purse's request proved.
const PURSE_COUNTERS: Migration =
    Migration { statements: &["ALTER TABLE purse_load ADD COLUMN purchases BIGINT"] };

/// What was booked under a card's counter, for requests that come late.
const LATE: Migration = Migration { statements: &["CREATE INDEX purchase_card ON purchase (card, atc)"] };

/// Phones that transfer to each other, and what became of their transfers: one row for both
/// sides. The number of an agreement stands in the row that used it up.
const PHONES: Migration = Migration {
    statements: &[
        "CREATE TABLE transfer_authority (id BIGINT PRIMARY KEY, secret BYTEA NOT NULL)",
        "CREATE TABLE phone (
            id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account (id), public BYTEA NOT NULL,
            name BYTEA NOT NULL, opened_at BIGINT NOT NULL)",
        "CREATE TABLE phone_transfer (
            id TEXT PRIMARY KEY, payer TEXT NOT NULL REFERENCES phone (id), sequence BIGINT,
            payee TEXT NOT NULL REFERENCES phone (id), payer_account TEXT NOT NULL,
            payee_account TEXT NOT NULL, currency BIGINT NOT NULL, amount BIGINT NOT NULL,
            state TEXT NOT NULL, reason TEXT NOT NULL, receipt BYTEA NOT NULL, at BIGINT NOT NULL,
            UNIQUE (payer, sequence))",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::store::{Row, Sqlite, Tx, migrate, transact};

    #[test]
    fn books_of_before_count_their_open_loads_and_keep_their_bars() {
        let mut db = Sqlite::in_memory().unwrap();
        migrate(&mut db, OWNER, &MIGRATIONS[..4]).unwrap();
        let message = |date: i64, barred: i64, fingerprint: &str, subject: &str| {
            format!(
                "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, fingerprint, \
                 subject, barred, answer, at) \
                 VALUES ('request', 'M', 'T', 1, 1, {date}, X'{fingerprint}', X'{subject}', {barred}, '', 0)"
            )
        };
        let load = |id: &str, atc: i64, state: &str| {
            format!(
                "INSERT INTO load (id, kind, card, currency, counter, counter_holder, atc, amount, old_minor, \
                 new_minor, state, merchant, terminal, batch, trace, opened_at) \
                 VALUES ('{id}', 'linked', 'C', 156, 'account', 'A', {atc}, 1, 0, 1, '{state}', 'M', 'T', 1, 1, 0)"
            )
        };
        let before = [
            "INSERT INTO card (id, pan, pan_lookup, psn, cryptogram_version, dki, expiry, pin_tries, status, \
             last_atc, ordered_at) VALUES ('C', X'01', X'02', 0, 'PBOC CVN 01', 1, 20301231, 3, 'active', 2, 0)"
                .to_owned(),
            load("first", 1, "landed"),
            load("second", 2, "open"),
            message(20_261_120, 1, "", "0A"),
            message(20_261_121, 1, "", "0B"),
            message(20_261_122, 0, "0C", "0D"),
        ];
        transact(&mut db, |tx: &mut dyn Tx| {
            before.iter().try_for_each(|sql| tx.execute(sql, &[]).map(|_| ()))
        })
        .unwrap();
        migrate(&mut db, OWNER, MIGRATIONS).unwrap();
        let mut ask =
            |sql: &str| -> Vec<Row> { transact(&mut db, |tx: &mut dyn Tx| tx.query(sql, &[])).unwrap() };
        assert_eq!(ask("SELECT open_loads FROM card"), [Row(vec![1.into()])]);
        let subjects = ask("SELECT subject FROM bar ORDER BY subject");
        assert_eq!(subjects, [Row(vec![vec![0x0A].into()]), Row(vec![vec![0x0B].into()])]);
        let kept = ask("SELECT fingerprint FROM message ORDER BY business_date");
        assert_eq!(kept.iter().map(|row| row.bytes(0).unwrap()[0]).collect::<Vec<_>>(), [0x0A, 0x0B, 0x0C]);
    }
}
