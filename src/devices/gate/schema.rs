//! The gate's tables: a row for each tap that opened it.

use crate::base::store::Migration;

/// Whose tables.
pub(super) const OWNER: &str = "gate";

/// Version by version. `ask_batch` and `ask_trace` are the key of the message that asks for
/// the money now: the tap's own, or that of a later attempt.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        statements: &[
            "CREATE TABLE gate_tap (
            batch BIGINT NOT NULL, trace BIGINT NOT NULL, card BYTEA NOT NULL, at BIGINT NOT NULL,
            amount BIGINT NOT NULL, currency BIGINT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL,
            attempts BIGINT NOT NULL, step BIGINT NOT NULL, next_at BIGINT NOT NULL,
            ask_batch BIGINT NOT NULL, ask_trace BIGINT NOT NULL, sealed BYTEA NOT NULL,
            PRIMARY KEY (batch, trace))",
            "CREATE INDEX gate_tap_card ON gate_tap (card, at)",
            "CREATE INDEX gate_tap_due ON gate_tap (state, next_at)",
        ],
    },
    // Whether a purse has paid: then its issuer is told, and not asked.
    Migration { statements: &["ALTER TABLE gate_tap ADD COLUMN purse BIGINT NOT NULL DEFAULT 0"] },
    // What the rules ask of a card's past stands in the index itself: no row is fetched for it.
    Migration {
        statements: &[
            "DROP INDEX gate_tap_card",
            "CREATE INDEX gate_tap_past ON gate_tap (card, at, state, amount, batch, trace)",
        ],
    },
    // Rides that are charged together: those that joined name the first, which has the message.
    // `nominal` is what is held for them (0 of a ride by itself), `ends_at` when none joins any
    // more, `held_batch` and `held_trace` the key of the request that the issuer approved. Beside
    // that, whether a purse's ride has passed by a proof that nobody could judge.
    Migration {
        statements: &[
            "ALTER TABLE gate_tap ADD COLUMN lead_batch BIGINT",
            "ALTER TABLE gate_tap ADD COLUMN lead_trace BIGINT",
            "ALTER TABLE gate_tap ADD COLUMN nominal BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE gate_tap ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE gate_tap ADD COLUMN held_batch BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE gate_tap ADD COLUMN held_trace BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE gate_tap ADD COLUMN unjudged BIGINT NOT NULL DEFAULT 0",
            "CREATE INDEX gate_tap_lead ON gate_tap (lead_batch, lead_trace) WHERE lead_trace IS NOT NULL",
        ],
    },
];
