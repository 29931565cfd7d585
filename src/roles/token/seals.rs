//! The vault's keys at rest. A sealing key, which can change, seals every value; a
//! look-up key, which is made once and lies sealed in the vault, hashes what rows are
//! found by, so that a change of the sealing key moves no look-up.

use super::VaultError;
use crate::base::bytes::{Hex, Secret};
use crate::base::context::Context;
use crate::base::store::{SealKey, Sealed, Tx, Value};

const LOOKUP_KEY: &str = "token_vault.lookup_key";

/// The sealing key, and the one before it while a change is under way.
#[derive(Debug, Clone)]
pub struct SealKeys {
    /// Seals from now on.
    pub current: SealKey,
    /// Opens what is not sealed anew yet.
    pub previous: Option<SealKey>,
}

/// Sealing and look-up of an open vault.
#[derive(Debug, Clone)]
pub(super) struct Seals {
    keys: SealKeys,
    lookup: SealKey,
}

impl From<SealKey> for SealKeys {
    fn from(current: SealKey) -> Self {
        Self { current, previous: None }
    }
}

impl SealKeys {
    /// The current key's name in a column; it tells nothing of the key.
    pub(super) fn name(&self) -> String {
        Hex(&Sealed::lookup(&self.current, "token_vault.seal", b"")).to_string()
    }

    /// Opens a value, under whichever key it lies.
    pub(super) fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        let sealed = Sealed(sealed.to_vec());
        let opened = sealed.open(&self.current, purpose);
        match &self.previous {
            Some(previous) if opened.is_err() => Ok(sealed.open(previous, purpose)?),
            _ => Ok(opened?),
        }
    }
}

impl Seals {
    /// The seals of a vault; its look-up key is made with its first row.
    pub(super) fn of_vault(
        keys: SealKeys,
        tx: &mut dyn Tx,
        context: &mut Context,
    ) -> Result<Self, VaultError> {
        let read = |tx: &mut dyn Tx| tx.query("SELECT lookup_key FROM token_vault WHERE id = 1", &[]);
        let mut rows = read(tx)?;
        if rows.is_empty() {
            let fresh = Secret::new(context.random::<32>());
            let sealed = Sealed::seal(&keys.current, LOOKUP_KEY, fresh.expose(), context);
            tx.execute(
                "INSERT INTO token_vault (id, lookup_key, seal) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
                &[Value::Bytes(sealed.0), keys.name().into()],
            )?;
            rows = read(tx)?;
        }
        let corrupt = || VaultError::Corrupt {
            table: "token_vault",
            expected: "a look-up key of 32 bytes",
            found: "something else".into(),
        };
        let opened = keys.open(LOOKUP_KEY, rows.first().ok_or_else(corrupt)?.bytes(0)?)?;
        let bytes = <[u8; 32]>::try_from(opened.expose().as_slice()).map_err(|_| corrupt())?;
        Ok(Self { keys, lookup: SealKey::from_bytes(bytes) })
    }

    /// Seals a value; beside it stands [`Self::name`].
    pub(super) fn seal(&self, purpose: &'static str, value: &[u8], context: &mut Context) -> Value {
        Value::Bytes(Sealed::seal(&self.keys.current, purpose, value, context).0)
    }

    /// Opens a value.
    pub(super) fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        self.keys.open(purpose, sealed)
    }

    /// What a value is found by: 16 bytes.
    pub(super) fn lookup(&self, purpose: &'static str, value: &[u8]) -> Vec<u8> {
        Sealed::lookup(&self.lookup, purpose, value)
    }

    /// The name of the key that seals.
    pub(super) fn name(&self) -> String {
        self.keys.name()
    }
}
