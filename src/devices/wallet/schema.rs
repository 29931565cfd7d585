//! The phone's tables: one row for the phone, one for each card.

use crate::base::store::Migration;

/// Whose tables.
pub(super) const OWNER: &str = "wallet";

/// Version by version.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    statements: &[
        "CREATE TABLE wallet_phone (
            id BIGINT PRIMARY KEY, device TEXT NOT NULL, passcode BYTEA NOT NULL, tries BIGINT NOT NULL,
            unlocked TEXT NOT NULL, default_card TEXT, express_card TEXT)",
        "CREATE TABLE wallet_card (
            name TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, last_four TEXT NOT NULL,
            detail BYTEA NOT NULL, made_at BIGINT NOT NULL)",
    ],
}];
