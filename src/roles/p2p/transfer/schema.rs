//! The phone's tables: one row for itself, one for each transfer.

use crate::base::store::Migration;

/// Whose tables.
pub(super) const OWNER: &str = "transfer";

/// Version by version.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    statements: &[
        "CREATE TABLE transfer_phone (
            id BIGINT PRIMARY KEY, secret BYTEA NOT NULL, certificate BYTEA, host_key BYTEA,
            sequence BIGINT NOT NULL, trace BIGINT NOT NULL)",
        "CREATE TABLE transfer (
            id TEXT PRIMARY KEY, way TEXT NOT NULL, state TEXT NOT NULL, is_open BIGINT NOT NULL,
            other TEXT NOT NULL, other_name BYTEA NOT NULL, other_key BYTEA NOT NULL, offer BYTEA NOT NULL,
            agreement BYTEA, receipt BYTEA, reason TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE INDEX transfer_other ON transfer (other, is_open)",
    ],
}];
