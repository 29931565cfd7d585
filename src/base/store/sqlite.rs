//! The embedded engine: SQLite with a write-ahead log and full durability.

use super::group::Group;
use super::{Db, Decision, Row, StoreError, Tx, Value};
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long one process waits for another's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Statements kept prepared.
const STATEMENTS: usize = 128;

/// An SQLite store: a file, or memory that lives as long as a handle to it. All
/// handles of one store share one writer, which commits for several at once.
pub struct Sqlite(Arc<Group>);

impl Sqlite {
    /// Opens or makes a file. A new file is readable by its owner alone.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        #[cfg(unix)]
        if !path.exists() {
            use std::os::unix::fs::OpenOptionsExt;
            let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            if let Err(cause) = made
                && cause.kind() != std::io::ErrorKind::AlreadyExists
            {
                return Err(StoreError::Open { name: path.display().to_string(), cause: cause.to_string() });
            }
        }
        Self::prepare(Connection::open(path), || path.display().to_string())
    }

    /// A store in memory; it goes when its last handle goes.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory(), || "in memory".into())
    }

    /// Takes every row out of a store in memory and leaves its tables, so that it can
    /// be used again. A file is refused: nothing kept is ever thrown away.
    pub fn clear(&self) -> Result<(), StoreError> {
        self.0.run(&mut |connection| {
            if connection.path().is_some_and(|path| !path.is_empty()) {
                return Err(StoreError::Statement { cause: "only a store in memory can be cleared".into() });
            }
            // The youngest first: a table refers only to older ones. Putting foreign keys off
            // instead would make every prepared statement stale.
            let mut open = Open { connection, failed: None };
            let tables = open.query(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version' \
                 AND name NOT LIKE 'sqlite_%' ORDER BY rowid DESC",
                &[],
            )?;
            for table in tables {
                open.execute(&format!("DELETE FROM \"{}\"", table.text(0)?), &[])?;
            }
            Ok(Decision::Commit)
        })
    }

    fn prepare(opened: rusqlite::Result<Connection>, name: impl Fn() -> String) -> Result<Self, StoreError> {
        let prepared = opened.and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            Ok(connection)
        });
        match prepared {
            Ok(connection) => Ok(Self(Arc::new(Group::new(connection)))),
            Err(cause) => Err(StoreError::Open { name: name(), cause: cause.to_string() }),
        }
    }
}

impl Db for Sqlite {
    fn run(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError> {
        self.0.run(&mut |connection| {
            let mut open = Open { connection, failed: None };
            let decision = work(&mut open)?;
            match open.failed {
                Some(error) if decision == Decision::Commit => Err(error),
                _ => Ok(decision),
            }
        })
    }

    fn handle(&self) -> Result<Box<dyn Db>, StoreError> {
        Ok(Box::new(Self(Arc::clone(&self.0))))
    }
}

struct Open<'a> {
    connection: &'a Connection,
    /// The first error, after which nothing is kept.
    failed: Option<StoreError>,
}

impl Open<'_> {
    fn asked<T>(
        &mut self,
        ask: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        ask(self.connection).map_err(|error| {
            let error = statement(error);
            self.failed = Some(error.clone());
            error
        })
    }
}

impl Tx for Open<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.asked(|connection| {
            let changed = connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
            Ok(changed as u64)
        })
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let rows = self.asked(|connection| {
            let mut prepared = connection.prepare_cached(sql)?;
            let columns = prepared.column_count();
            let mut rows = prepared.query(rusqlite::params_from_iter(values))?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let values = (0..columns).map(|column| Ok(value(row.get_ref(column)?, column)));
                out.push(values.collect::<Result<Vec<_>, rusqlite::Error>>()?);
            }
            Ok(out)
        })?;
        rows.into_iter().map(|values| values.into_iter().collect::<Result<_, _>>().map(Row)).collect()
    }

    fn query_locked(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        // Whoever has a transaction here is the only writer.
        self.query(sql, values)
    }

    fn query_unclaimed(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.query_locked(sql, values)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn value(found: ValueRef<'_>, column: usize) -> Result<Value, StoreError> {
    match found {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => Ok(Value::Int(value)),
        ValueRef::Text(bytes) => Ok(Value::Text(String::from_utf8_lossy(bytes).into_owned())),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => Err(StoreError::Column { column, expected: "no REAL", found: "REAL" }),
    }
}

pub(super) fn statement(cause: rusqlite::Error) -> StoreError {
    StoreError::Statement { cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::store::{Migration, migrate, transact};

    const STEPS: &[Migration] =
        &[Migration { statements: &["CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, data BYTEA)"] }];

    #[test]
    fn an_error_undoes_and_a_handle_sees_what_was_committed() {
        let mut db = Sqlite::in_memory().unwrap();
        migrate(&mut db, "test", STEPS).unwrap();
        migrate(&mut db, "test", STEPS).unwrap();
        let put = |id: i64, fail: bool| {
            move |tx: &mut dyn Tx| -> Result<(), StoreError> {
                tx.execute(
                    "INSERT INTO t (id, name, data) VALUES ($1, $2, $3)",
                    &[id.into(), "x".into(), Value::Bytes(vec![1, 2])],
                )?;
                if fail { Err(StoreError::Statement { cause: "on purpose".into() }) } else { Ok(()) }
            }
        };
        transact(&mut db, put(1, false)).unwrap();
        assert!(transact(&mut db, put(2, true)).is_err());
        let mut other = db.handle().unwrap();
        let rows = transact(other.as_mut(), |tx| tx.query("SELECT id, name, data FROM t", &[])).unwrap();
        assert_eq!(rows, [Row(vec![1.into(), "x".into(), Value::Bytes(vec![1, 2])])]);
    }

    #[test]
    fn a_store_of_a_later_program_is_refused() {
        let mut db = Sqlite::in_memory().unwrap();
        migrate(&mut db, "test", STEPS).unwrap();
        assert!(matches!(migrate(&mut db, "test", &[]), Err(StoreError::Version { found: 1, known: 0, .. })));
    }
}
