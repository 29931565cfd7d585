//! The issuer's tables. `entry`, `posting`, `sighting`, `offline_sale` and
//! `message` only grow; `balance` and `card.open_loads` repeat what a decision reads.

use crate::base::store::Migration;

/// Whose tables.
pub(super) const OWNER: &str = "issuer";

/// Version by version.
pub(super) const MIGRATIONS: &[Migration] = &[FIRST, EVERY_LOAD, CORRECTIONS, HOLDS, FEW_READS, HOLDERS];

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
