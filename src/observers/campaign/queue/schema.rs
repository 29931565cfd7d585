//! The tables of shared jobs. A campaign's row holds what all its jobs need; a job's row
//! goes the ways of `state` and stays after its end, until it is purged.

use crate::base::store::Migration;

/// Whose tables.
pub(super) const OWNER: &str = "campaign";

/// Version by version.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    statements: &[
        "CREATE TABLE campaign (
            id TEXT PRIMARY KEY, submitter TEXT NOT NULL, submitted_at BIGINT NOT NULL,
            payload TEXT NOT NULL, patience_ms BIGINT NOT NULL, beats BIGINT NOT NULL, open BIGINT NOT NULL)",
        "CREATE TABLE campaign_job (
            campaign TEXT NOT NULL REFERENCES campaign (id), number BIGINT NOT NULL,
            submitted_at BIGINT NOT NULL, version TEXT NOT NULL, seat TEXT NOT NULL, payload TEXT NOT NULL,
            state TEXT NOT NULL, lease BIGINT NOT NULL, holder TEXT, beats BIGINT NOT NULL,
            patience_ms BIGINT NOT NULL, result TEXT, reason TEXT, PRIMARY KEY (campaign, number))",
        "CREATE INDEX campaign_job_wanted
            ON campaign_job (state, version, seat, submitted_at, campaign, number)",
        "CREATE INDEX campaign_open ON campaign (open)",
    ],
}];
