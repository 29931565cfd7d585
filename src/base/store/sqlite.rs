//! The embedded engine: SQLite with a write-ahead log and full durability.

use super::{Db, Decision, Row, StoreError, Tx, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long one writer waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How many statements a connection keeps prepared: more than any owner has.
const STATEMENTS: usize = 256;

/// An SQLite store: a file, or memory that lives as long as a handle to it.
pub struct Sqlite {
    /// Handles on a file have a connection each; handles on memory share one.
    connection: Arc<Mutex<Connection>>,
    name: Name,
}

#[derive(Debug, Clone)]
enum Name {
    File(PathBuf),
    Memory,
}

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
        Self::connect(Name::File(path.to_owned()))
    }

    /// A store in memory; it goes when its last handle goes.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::connect(Name::Memory)
    }

    /// Takes every row out of a store in memory and leaves its tables, so that it can
    /// be used again. A file is refused: nothing kept is ever thrown away.
    pub fn clear(&self) -> Result<(), StoreError> {
        if matches!(self.name, Name::File(_)) {
            return Err(StoreError::Statement { cause: "only a store in memory can be cleared".into() });
        }
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tx = Open::begin(&connection)?;
        connection.execute_batch("PRAGMA defer_foreign_keys = ON").map_err(statement)?;
        let tables = tx.query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version' \
             AND name NOT LIKE 'sqlite_%'",
            &[],
        )?;
        for table in tables {
            tx.execute(&format!("DELETE FROM \"{}\"", table.text(0)?), &[])?;
        }
        tx.end("COMMIT")
    }

    fn connect(name: Name) -> Result<Self, StoreError> {
        let opened = match &name {
            Name::File(path) => Connection::open(path),
            Name::Memory => Connection::open_in_memory(),
        };
        let prepared = opened.and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
            Ok(connection)
        });
        match prepared {
            Ok(connection) => Ok(Self { connection: Arc::new(Mutex::new(connection)), name }),
            Err(cause) => Err(StoreError::Open {
                name: match name {
                    Name::File(path) => path.display().to_string(),
                    Name::Memory => "in memory".into(),
                },
                cause: cause.to_string(),
            }),
        }
    }
}

impl Db for Sqlite {
    fn run(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError> {
        // Work that panicked has dropped its transaction, which undid it.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // An error on the way drops the transaction, which undoes it.
        let mut tx = Open::begin(&connection)?;
        match work(&mut tx)? {
            Decision::Commit => tx.end("COMMIT"),
            Decision::Rollback => tx.end("ROLLBACK"),
        }
    }

    fn handle(&self) -> Result<Box<dyn Db>, StoreError> {
        Ok(Box::new(match &self.name {
            Name::File(_) => Self::connect(self.name.clone())?,
            Name::Memory => Self { connection: Arc::clone(&self.connection), name: Name::Memory },
        }))
    }
}

/// A transaction that is open; dropped, it is undone. Its own statements stay
/// prepared like the others.
struct Open<'a>(&'a Connection);

impl<'a> Open<'a> {
    fn begin(connection: &'a Connection) -> Result<Self, StoreError> {
        connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([])).map_err(statement)?;
        Ok(Self(connection))
    }

    /// Commits or rolls back.
    fn end(self, how: &'static str) -> Result<(), StoreError> {
        self.0.prepare_cached(how).and_then(|mut s| s.execute([])).map_err(statement)?;
        Ok(())
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // Committed, it is no longer open.
        if !self.0.is_autocommit() {
            // What cannot be undone now is undone when the store is opened again.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

impl Tx for Open<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut prepared = self.0.prepare_cached(sql).map_err(statement)?;
        let changed = prepared.execute(rusqlite::params_from_iter(values)).map_err(statement)?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut prepared = self.0.prepare_cached(sql).map_err(statement)?;
        let columns = prepared.column_count();
        let mut rows = prepared.query(rusqlite::params_from_iter(values)).map_err(statement)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(statement)? {
            let values = (0..columns).map(|column| value(row.get_ref(column).map_err(statement)?, column));
            out.push(Row(values.collect::<Result<_, _>>()?));
        }
        Ok(out)
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

fn statement(cause: rusqlite::Error) -> StoreError {
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
    fn a_store_in_memory_can_be_used_again_and_a_file_is_kept() {
        let mut db = Sqlite::in_memory().unwrap();
        migrate(&mut db, "test", STEPS).unwrap();
        let mut other = db.handle().unwrap();
        let put = |tx: &mut dyn Tx| tx.execute("INSERT INTO t (id) VALUES (1)", &[]);
        transact(other.as_mut(), put).unwrap();
        db.clear().unwrap();
        migrate(&mut db, "test", STEPS).unwrap();
        assert_eq!(transact(&mut db, |tx| tx.query("SELECT id FROM t", &[])).unwrap(), []);
        let folder = tempfile::tempdir().unwrap();
        assert!(Sqlite::open(&folder.path().join("kept.db")).unwrap().clear().is_err());
    }

    #[test]
    fn a_store_of_a_later_program_is_refused() {
        let mut db = Sqlite::in_memory().unwrap();
        migrate(&mut db, "test", STEPS).unwrap();
        assert!(matches!(migrate(&mut db, "test", &[]), Err(StoreError::Version { found: 1, known: 0, .. })));
    }
}
