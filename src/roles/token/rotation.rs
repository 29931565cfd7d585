//! A change of the vault's keys: every sealed value is sealed anew and found by a new
//! hash, some at a time. Each row names the key that it lies under, so a change that was
//! broken off goes on where it stopped, and a service that has both keys works meanwhile.

use super::VaultError;
use super::vault::Vault;
use super::work::Work;
use crate::base::context::Context;

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// Rows sealed anew.
    pub done: u64,
    /// Rows that still lie under another key.
    pub left: u64,
}

/// A sealed column, what it is sealed for, and the column that it is found by.
struct Column {
    name: &'static str,
    purpose: &'static str,
    lookup: Option<&'static str>,
}

/// Every table with sealed columns, but for the vault's own row, which changes first.
const SEALED: &[(&str, &[Column])] = &[
    ("token_funding", &[Column { name: "par", purpose: super::funding::PAR, lookup: None }]),
    ("token_card", &[Column { name: "pan", purpose: super::funding::PAN, lookup: Some("pan_lookup") }]),
    (
        "token_binding",
        &[
            Column { name: "identity", purpose: super::binding::IDENTITY, lookup: Some("identity_lookup") },
            Column { name: "phone", purpose: super::binding::PHONE, lookup: Some("phone_lookup") },
        ],
    ),
    ("token", &[Column { name: "pan", purpose: super::record::PAN, lookup: Some("pan_lookup") }]),
];

impl Vault {
    /// Seals up to `batch` rows of each table anew under the current key, in one
    /// transaction a table. Call it until nothing is left.
    pub fn rotate(&mut self, batch: u32, context: &mut Context) -> Result<Rotation, VaultError> {
        let mut rotation = Rotation::default();
        for (table, columns) in SEALED {
            let (done, left) = self.work(context, |work| work.seal_anew(table, columns, batch))?;
            rotation.done += done;
            rotation.left += left;
        }
        if rotation.left == 0 {
            self.work(context, |work| {
                Ok(work.tx.execute("UPDATE token_vault SET previous_lookup = NULL WHERE id = 1", &[])?)
            })?;
        }
        Ok(rotation)
    }
}

impl Work<'_> {
    /// Some rows of a table; how many were done, and how many are left.
    fn seal_anew(&mut self, table: &str, columns: &[Column], batch: u32) -> Result<(u64, u64), VaultError> {
        let names = columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
        let rows = self.tx.query_locked(
            &format!("SELECT id, {names} FROM {table} WHERE seal <> $1 ORDER BY id LIMIT $2"),
            &[self.seals.name().into(), i64::from(batch).into()],
        )?;
        let done = rows.len() as u64;
        for row in rows {
            let (mut sets, mut values) = (vec!["seal = $1".to_owned()], vec![self.seals.name().into()]);
            let mut set = |column: &str, value| {
                values.push(value);
                sets.push(format!("{column} = ${}", values.len()));
            };
            for (index, column) in columns.iter().enumerate() {
                let opened = self.seals.open(column.purpose, row.bytes(index + 1)?)?;
                set(column.name, self.seals.seal(column.purpose, opened.expose(), self.context));
                if let Some(lookup) = column.lookup {
                    set(lookup, self.seals.lookup(column.purpose, opened.expose()).into());
                }
            }
            values.push(row.0[0].clone());
            let (sets, id) = (sets.join(", "), values.len());
            self.tx.execute(&format!("UPDATE {table} SET {sets} WHERE id = ${id}"), &values)?;
        }
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE seal <> $1");
        let left = self.tx.query(&sql, &[self.seals.name().into()])?;
        Ok((done, left.first().map_or(Ok(0), |row| row.int(0))? as u64))
    }
}
