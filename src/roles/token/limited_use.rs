//! Limited-use keys: a phone without a secure element holds keys that sign a few
//! payments. How a network derives them is not published; ours are the two blocks of
//! EMV Book 2 annex A1.4 over the key's number, under the card's key.

use super::VaultError;
use super::record::TokenRow;
use super::work::{Work, refused};
use crate::air::host::LimitedUseKey;
use crate::base::bytes::Secret;
use crate::base::crypto::derive_pair;
use crate::base::env::Timestamp;
use crate::words::emv::cryptogram::CardKeys;
use crate::words::pboc::CryptogramRefusal;
use std::time::Duration;

/// How many keys back a tap's own is looked for.
pub(super) const WINDOW: u32 = 8;

/// How far one key reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitedUse {
    /// How many payments it signs.
    pub uses: u32,
    /// What they may come to, minor units.
    pub amount_minor: u64,
    /// How long it signs.
    pub age: Duration,
}

impl Default for LimitedUse {
    /// Ten payments, 1000.00, five days.
    fn default() -> Self {
        Self { uses: 10, amount_minor: 100_000, age: Duration::from_secs(5 * 86_400) }
    }
}

/// A key's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyRow {
    pub(super) sequence: u32,
    uses_left: i64,
    amount_left: i64,
    expires_at: Timestamp,
    seen: bool,
}

impl Work<'_> {
    /// The key after number `after`, made where it is not there yet.
    pub(super) fn next_key(&mut self, token: &TokenRow, after: u32) -> Result<LimitedUseKey, VaultError> {
        let rows = self.key_rows(&token.id)?;
        let newest = rows.first().map_or(0, |row| row.sequence);
        let (limits, sequence) = (self.rules.limited_use, after.saturating_add(1));
        let expires_at = match rows.iter().find(|row| row.sequence == sequence) {
            Some(row) => row.expires_at,
            None if after == newest => {
                let expires_at = self.now().plus(limits.age);
                self.tx.execute(
                    "INSERT INTO token_key (token, sequence, uses_left, amount_left, expires_at, seen) \
                     VALUES ($1, $2, $3, $4, $5, 0)",
                    &[
                        token.id.as_str().into(),
                        i64::from(sequence).into(),
                        i64::from(limits.uses).into(),
                        i64::try_from(limits.amount_minor).unwrap_or(i64::MAX).into(),
                        expires_at.micros().into(),
                    ],
                )?;
                self.note(&token.id, "Replenish", "active", token.requestor.digits(), "a limited-use key")?;
                expires_at
            }
            None => return Err(refused("key-number: there is no key with this number to follow")),
        };
        let keys =
            self.keys.card_keys(self.keys.version, &token.pan).map_err(|error| refused(error.to_string()))?;
        Ok(LimitedUseKey {
            sequence,
            key: limited_use_key(&keys, sequence),
            uses: limits.uses,
            amount_minor: limits.amount_minor,
            expires_at,
        })
    }

    /// The newest keys of a token, newest first.
    pub(super) fn key_rows(&mut self, token: &str) -> Result<Vec<KeyRow>, VaultError> {
        let rows = self.tx.query(
            "SELECT sequence, uses_left, amount_left, expires_at, seen FROM token_key WHERE token = $1 \
             ORDER BY sequence DESC LIMIT $2",
            &[token.into(), i64::from(WINDOW).into()],
        )?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            keys.push(KeyRow {
                sequence: row.int(0)? as u32,
                uses_left: row.int(1)?,
                amount_left: row.int(2)?,
                expires_at: Timestamp::from_micros(row.int(3)?),
                seen: row.int(4)? != 0,
            });
        }
        Ok(keys)
    }

    /// Why the key that signed a tap may sign no more.
    pub(super) fn stale(&self, key: &KeyRow, all: &[KeyRow], amount_minor: u64) -> Option<&'static str> {
        if all.iter().any(|other| other.sequence > key.sequence && other.seen) {
            return Some("stale key: a newer limited-use key has been used");
        }
        if self.now() >= key.expires_at {
            return Some("stale key: the limited-use key is too old");
        }
        if key.uses_left <= 0 {
            return Some("stale key: the limited-use key has no payment left");
        }
        if i128::from(key.amount_left) < i128::from(amount_minor) {
            return Some("stale key: the amount is above what the limited-use key has left");
        }
        None
    }

    /// Takes a payment off a key.
    pub(super) fn spend_key(
        &mut self,
        token: &str,
        key: &KeyRow,
        amount_minor: u64,
    ) -> Result<(), VaultError> {
        let amount = i64::try_from(amount_minor).unwrap_or(i64::MAX);
        self.tx.execute(
            "UPDATE token_key SET uses_left = uses_left - 1, amount_left = amount_left - $1, seen = 1 \
             WHERE token = $2 AND sequence = $3",
            &[amount.into(), token.into(), i64::from(key.sequence).into()],
        )?;
        Ok(())
    }
}

/// The limited-use key of this number.
pub(super) fn limited_use_key(keys: &CardKeys, sequence: u32) -> Secret<[u8; 16]> {
    let mut block = [0; 8];
    block[4..].copy_from_slice(&sequence.to_be_bytes());
    Secret::new(derive_pair(keys.ac.expose(), block, block.map(|byte| !byte)))
}

/// The card's keys with the limited-use key of this number for cryptograms.
pub(super) fn under_limited_use(mut keys: CardKeys, sequence: u32) -> Result<CardKeys, CryptogramRefusal> {
    keys.ac = limited_use_key(&keys, sequence);
    Ok(keys)
}
