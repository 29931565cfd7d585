//! The vault's tables. PANs, references, identity and phone are sealed; what a row is
//! found by is a keyed hash. `token_history` only grows.

use crate::base::store::Migration;

/// Whose tables.
pub(super) const OWNER: &str = "token";

/// Version by version.
pub(super) const MIGRATIONS: &[Migration] = &[FIRST];

const FIRST: Migration = Migration {
    statements: &[
        // `previous_lookup` is there while rows are still found by it: a change of keys.
        "CREATE TABLE token_vault (
            id BIGINT PRIMARY KEY, lookup_key BYTEA NOT NULL, previous_lookup BYTEA,
            mark_key BYTEA NOT NULL, seal TEXT NOT NULL)",
        // The account behind a physical card: it outlives the card.
        "CREATE TABLE token_funding (
            id TEXT PRIMARY KEY, par BYTEA NOT NULL, card TEXT NOT NULL, standing TEXT NOT NULL,
            at BIGINT NOT NULL, seal TEXT NOT NULL)",
        "CREATE INDEX token_funding_card ON token_funding (card)",
        "CREATE INDEX token_funding_seal ON token_funding (seal)",
        "CREATE TABLE token_card (
            id TEXT PRIMARY KEY, funding TEXT NOT NULL REFERENCES token_funding (id), pan BYTEA NOT NULL,
            pan_lookup BYTEA NOT NULL, psn BIGINT NOT NULL, expiry BIGINT NOT NULL, seal TEXT NOT NULL,
            UNIQUE (pan_lookup, psn))",
        "CREATE INDEX token_card_seal ON token_card (seal)",
        "CREATE TABLE token_binding (
            id TEXT PRIMARY KEY, funding TEXT NOT NULL REFERENCES token_funding (id),
            requestor TEXT NOT NULL, identity BYTEA NOT NULL, identity_lookup BYTEA NOT NULL,
            phone BYTEA NOT NULL, phone_lookup BYTEA NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL,
            seal TEXT NOT NULL)",
        "CREATE INDEX token_binding_funding ON token_binding (funding, requestor)",
        "CREATE INDEX token_binding_seal ON token_binding (seal)",
        "CREATE UNIQUE INDEX token_binding_bound ON token_binding (funding, requestor) WHERE state = 'bound'",
        "CREATE TABLE token (
            id TEXT PRIMARY KEY, pan BYTEA NOT NULL, pan_lookup BYTEA NOT NULL UNIQUE,
            last_four TEXT NOT NULL, funding TEXT NOT NULL REFERENCES token_funding (id),
            binding TEXT NOT NULL REFERENCES token_binding (id), requestor TEXT NOT NULL,
            device TEXT NOT NULL, keys TEXT NOT NULL, assurance TEXT NOT NULL, domain TEXT NOT NULL,
            state TEXT NOT NULL, expiry BIGINT NOT NULL, last_atc BIGINT NOT NULL, at BIGINT NOT NULL,
            seal TEXT NOT NULL)",
        "CREATE INDEX token_of_funding ON token (funding, requestor, device)",
        "CREATE INDEX token_of_binding ON token (binding)",
        "CREATE INDEX token_of_device ON token (requestor, device)",
        "CREATE INDEX token_seal ON token (seal)",
        "CREATE UNIQUE INDEX token_active ON token (funding, requestor, device) WHERE state = 'active'",
        "CREATE TABLE token_provisioning (
            requestor TEXT NOT NULL, id TEXT NOT NULL, funding TEXT NOT NULL REFERENCES token_funding (id),
            device TEXT NOT NULL, device_score BIGINT NOT NULL, keys TEXT NOT NULL, state TEXT NOT NULL,
            decision TEXT, binding TEXT, token TEXT, at BIGINT NOT NULL, PRIMARY KEY (requestor, id))",
        "CREATE INDEX token_provisioning_token ON token_provisioning (token)",
        "CREATE INDEX token_provisioning_funding ON token_provisioning (funding, state)",
        "CREATE TABLE token_key (
            token TEXT NOT NULL REFERENCES token (id), sequence BIGINT NOT NULL, uses_left BIGINT NOT NULL,
            amount_left BIGINT NOT NULL, expires_at BIGINT NOT NULL, seen BIGINT NOT NULL,
            PRIMARY KEY (token, sequence))",
        // A tap whose cryptogram was right, under its message's key, and the card that it
        // was for: a reversal goes to that card, whatever has become of the token.
        "CREATE TABLE token_tap (
            token TEXT NOT NULL REFERENCES token (id), atc BIGINT NOT NULL, fingerprint BYTEA NOT NULL,
            card TEXT NOT NULL REFERENCES token_card (id), merchant TEXT NOT NULL, terminal TEXT NOT NULL,
            batch BIGINT NOT NULL, trace BIGINT NOT NULL, refusal TEXT, at BIGINT NOT NULL,
            PRIMARY KEY (token, atc))",
        "CREATE INDEX token_tap_key ON token_tap (terminal, trace)",
        "CREATE TABLE token_history (
            id TEXT PRIMARY KEY, subject TEXT NOT NULL, what TEXT NOT NULL, state TEXT NOT NULL,
            by_whom TEXT NOT NULL, reason TEXT NOT NULL, at BIGINT NOT NULL)",
        "CREATE INDEX token_history_subject ON token_history (subject, id)",
        // What the issuer is still to be told of a binding.
        "CREATE TABLE token_notice (
            id TEXT PRIMARY KEY, funding TEXT NOT NULL REFERENCES token_funding (id), binding TEXT NOT NULL,
            change TEXT NOT NULL)",
    ],
};
