//! A change of the sealing key: every sealed value is sealed anew, some at a time. Each
//! row names the key that it lies under, so a change that was broken off goes on where
//! it stopped, and a service that has both keys works meanwhile.

use super::VaultError;
use super::vault::Vault;
use crate::base::context::Context;
use crate::base::store::{Sealed, Value, transact};

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// Rows sealed anew.
    pub done: u64,
    /// Rows that still lie under another key.
    pub left: u64,
}

/// Every table with sealed columns: its key, and each column with what it is sealed for.
const SEALED: &[(&str, &[(&str, &str)])] = &[
    ("token_vault", &[("lookup_key", "token_vault.lookup_key")]),
    ("token_card", &[("pan", super::funding::PAN)]),
    ("token_binding", &[("identity", super::binding::IDENTITY), ("phone", super::binding::PHONE)]),
    ("token", &[("pan", super::record::PAN)]),
];

impl Vault {
    /// Seals up to `batch` rows of each table anew under the current key, in one
    /// transaction a table. Call it until nothing is left.
    pub fn rotate(&mut self, batch: u32, context: &mut Context) -> Result<Rotation, VaultError> {
        let mut rotation = Rotation::default();
        for (table, columns) in SEALED {
            let (done, left) = self.rotate_table(table, columns, batch, context)?;
            rotation.done += done;
            rotation.left += left;
        }
        Ok(rotation)
    }

    fn rotate_table(
        &mut self,
        table: &str,
        columns: &[(&'static str, &'static str)],
        batch: u32,
        context: &mut Context,
    ) -> Result<(u64, u64), VaultError> {
        let (keys, name) = (self.seal_keys.clone(), self.seal_keys.name());
        let names = columns.iter().map(|column| column.0).collect::<Vec<_>>().join(", ");
        transact(self.db.as_mut(), |tx| {
            let rows = tx.query_locked(
                &format!("SELECT id, {names} FROM {table} WHERE seal <> $1 ORDER BY id LIMIT $2"),
                &[name.as_str().into(), i64::from(batch).into()],
            )?;
            let done = rows.len() as u64;
            for row in rows {
                let mut values = Vec::with_capacity(columns.len() + 2);
                let mut sets = Vec::with_capacity(columns.len());
                for (index, (column, purpose)) in columns.iter().enumerate() {
                    let opened = keys.open(purpose, row.bytes(index + 1)?)?;
                    values
                        .push(Value::Bytes(Sealed::seal(&keys.current, purpose, opened.expose(), context).0));
                    sets.push(format!("{column} = ${}", index + 1));
                }
                let (seal, id) = (columns.len() + 1, columns.len() + 2);
                values.extend([name.as_str().into(), row.0[0].clone()]);
                tx.execute(
                    &format!("UPDATE {table} SET {}, seal = ${seal} WHERE id = ${id}", sets.join(", ")),
                    &values,
                )?;
            }
            let left =
                tx.query(&format!("SELECT COUNT(*) FROM {table} WHERE seal <> $1"), &[name.as_str().into()])?;
            Ok((done, left.first().map_or(Ok(0), |row| row.int(0))? as u64))
        })
    }
}
