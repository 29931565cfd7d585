//! The vault's keys at rest. A sealing key from outside seals every value; two keys of the
//! vault's own lie sealed in it: one hashes what rows are found by and changes with the
//! sealing key, the other makes marks and stays.

use super::VaultError;
use crate::base::bytes::{Hex, Secret};
use crate::base::context::Context;
use crate::base::store::{Row, SealKey, Sealed, StoreError, Tx, Value};

const LOOKUP_KEY: &str = "token_vault.lookup_key";
const MARK_KEY: &str = "token_vault.mark_key";

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
    name: String,
    lookup: SealKey,
    /// What rows under the sealing key before are found by.
    previous_lookup: Option<SealKey>,
    mark: SealKey,
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
    fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        let sealed = Sealed(sealed.to_vec());
        let opened = sealed.open(&self.current, purpose);
        match &self.previous {
            Some(previous) if opened.is_err() => Ok(sealed.open(previous, purpose)?),
            _ => Ok(opened?),
        }
    }

    /// One of the vault's own keys.
    fn open_key(&self, purpose: &'static str, sealed: &[u8]) -> Result<SealKey, VaultError> {
        let opened = self.open(purpose, sealed)?;
        let bytes = <[u8; 32]>::try_from(opened.expose().as_slice()).map_err(|_| VaultError::Corrupt {
            table: "token_vault",
            expected: "a key of 32 bytes",
            found: format!("{} bytes", opened.expose().len()),
        })?;
        Ok(SealKey::from_bytes(bytes))
    }
}

impl Seals {
    /// The seals of a vault. Its own keys are made with its first row; where it lies under
    /// another sealing key than the current one, the change begins here, and from now on
    /// nobody works on it who has the older key alone.
    pub(super) fn of_vault(
        keys: SealKeys,
        tx: &mut dyn Tx,
        context: &mut Context,
    ) -> Result<Self, VaultError> {
        let name = keys.name();
        let fresh = |purpose, context: &mut Context| {
            let key = Secret::new(context.random::<32>());
            Value::Bytes(Sealed::seal(&keys.current, purpose, key.expose(), context).0)
        };
        if vault_row(tx)?.is_none() {
            let (lookup, mark) = (fresh(LOOKUP_KEY, context), fresh(MARK_KEY, context));
            tx.execute(
                "INSERT INTO token_vault (id, lookup_key, mark_key, seal) VALUES (1, $1, $2, $3) \
                 ON CONFLICT DO NOTHING",
                &[lookup, mark, name.as_str().into()],
            )?;
        }
        let mut row = vault_row(tx)?.ok_or_else(no_vault)?;
        if row.text(3)? != name {
            let mut anew = |purpose: &'static str, sealed: &[u8]| -> Result<Value, VaultError> {
                let opened = keys.open(purpose, sealed)?;
                Ok(Value::Bytes(Sealed::seal(&keys.current, purpose, opened.expose(), context).0))
            };
            let (before, mark) = (anew(LOOKUP_KEY, row.bytes(0)?)?, anew(MARK_KEY, row.bytes(2)?)?);
            tx.execute(
                "UPDATE token_vault SET lookup_key = $1, previous_lookup = $2, mark_key = $3, seal = $4 \
                 WHERE id = 1",
                &[fresh(LOOKUP_KEY, context), before, mark, name.as_str().into()],
            )?;
            row = vault_row(tx)?.ok_or_else(no_vault)?;
        }
        let previous_lookup = match row.is_null(1) {
            true => None,
            false => Some(keys.open_key(LOOKUP_KEY, row.bytes(1)?)?),
        };
        let (lookup, mark) =
            (keys.open_key(LOOKUP_KEY, row.bytes(0)?)?, keys.open_key(MARK_KEY, row.bytes(2)?)?);
        Ok(Self { keys, name, lookup, previous_lookup, mark })
    }

    /// The vault still lies under the sealing key that it was opened with.
    ///
    /// # Errors
    /// [`VaultError::KeyChanged`]: what this handle sealed, nobody could open, and what it
    /// looked for, it would not find.
    pub(super) fn check(&self, tx: &mut dyn Tx) -> Result<(), VaultError> {
        let rows = tx.query("SELECT seal FROM token_vault WHERE id = 1", &[])?;
        match rows.first().ok_or_else(no_vault)?.text(0)? == self.name {
            true => Ok(()),
            false => Err(VaultError::KeyChanged),
        }
    }

    /// Seals a value; beside it stands [`Self::name`].
    pub(super) fn seal(&self, purpose: &'static str, value: &[u8], context: &mut Context) -> Value {
        Value::Bytes(Sealed::seal(&self.keys.current, purpose, value, context).0)
    }

    /// Opens a value.
    pub(super) fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        self.keys.open(purpose, sealed)
    }

    /// What a value that is sealed now will be found by: 16 bytes.
    pub(super) fn lookup(&self, purpose: &'static str, value: &[u8]) -> Vec<u8> {
        Sealed::lookup(&self.lookup, purpose, value)
    }

    /// What a value may be found by: as it is sealed now, and as it was before. Both are
    /// the same but for the time of a change.
    pub(super) fn found_by(&self, purpose: &'static str, value: &[u8]) -> [Value; 2] {
        let now = self.lookup(purpose, value);
        let before = match &self.previous_lookup {
            Some(key) => Sealed::lookup(key, purpose, value),
            None => now.clone(),
        };
        [now.into(), before.into()]
    }

    /// A mark of 16 bytes for what cannot be marked anew when keys change: devices, whose
    /// cards show it, and messages, which are gone.
    pub(super) fn mark(&self, purpose: &'static str, value: &[u8]) -> Vec<u8> {
        Sealed::lookup(&self.mark, purpose, value)
    }

    /// Whether a change of keys is under way.
    pub(super) fn are_changing(&self) -> bool {
        self.previous_lookup.is_some()
    }

    /// The name of the key that seals.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn vault_row(tx: &mut dyn Tx) -> Result<Option<Row>, StoreError> {
    let rows = tx.query_locked(
        "SELECT lookup_key, previous_lookup, mark_key, seal FROM token_vault WHERE id = 1",
        &[],
    )?;
    Ok(rows.into_iter().next())
}

fn no_vault() -> VaultError {
    super::funding::absent("token_vault", "the vault's own row")
}
