//! One SQL text for every engine: parameters are `$1`, `$2` ... numbered in
//! order of first appearance; types are BIGINT, TEXT and BYTEA; ids are made by
//! the program; times are BIGINT.

/// A value that goes into or comes out of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BYTEA.
    Bytes(Vec<u8>),
}

/// Why the store did not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file or server could not be opened.
    #[error("could not open the store {name}: {cause}")]
    Open {
        /// Its name.
        name: String,
        /// What the engine said.
        cause: String,
    },
    /// A statement failed.
    #[error("the store refused a statement: {cause}")]
    Statement {
        /// What the engine said, without the values.
        cause: String,
    },
    /// The connection was lost while the transaction was being committed, so that
    /// nobody knows whether it was kept. Work with a key of its own may be run again.
    #[error(
        "the store did not say whether it kept the work: {cause}; send the same message again, or read \
         what it did"
    )]
    CommitUnknown {
        /// What the engine said, without the values.
        cause: String,
    },
    /// A column holds something else than the program wrote.
    #[error("expected {expected} in column {column}, found {found}")]
    Column {
        /// Column, from 0.
        column: usize,
        /// The type expected.
        expected: &'static str,
        /// What was there.
        found: &'static str,
    },
    /// The store was written by a later program.
    #[error(
        "the store {owner} is at version {found}, this program knows up to {known}: use a newer cardwright"
    )]
    Version {
        /// Whose tables.
        owner: &'static str,
        /// Version found.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// A BIGINT column.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            other => Err(mismatch(column, "BIGINT", other)),
        }
    }

    /// A TEXT column.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            other => Err(mismatch(column, "TEXT", other)),
        }
    }

    /// A BYTEA column.
    pub fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => Ok(value),
            other => Err(mismatch(column, "BYTEA", other)),
        }
    }

    /// Whether the column is NULL.
    pub fn is_null(&self, column: usize) -> bool {
        matches!(self.0.get(column), Some(Value::Null))
    }
}

/// What a piece of work decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Keep the changes.
    Commit,
    /// Undo them.
    Rollback,
}

/// A transaction that is open. Where a statement failed, the transaction can only be
/// undone: its commit is refused with that statement's error, on every engine.
pub trait Tx {
    /// Runs a statement; returns how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError>;

    /// Runs a query.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs a query on one table, and keeps the rows from every other writer until the
    /// transaction ends. What is read after it, is as the last writer left it.
    fn query_locked(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// As [`Tx::query_locked`], and passes over rows that another writer keeps, so that
    /// many who look for work at once each find some of their own.
    fn query_unclaimed(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;
}

/// A store. Each engine runs a piece of work in one durable transaction, and may
/// run it again from the start where the engine asks for that.
pub trait Db: Send {
    /// Runs `work` in a transaction and makes its decision durable before returning.
    ///
    /// Work that was certainly undone is run again, a bounded number of times: a
    /// conflict between writers, or a connection lost before the commit was sent. A
    /// connection lost after that is [`StoreError::CommitUnknown`] and never run again
    /// here: the work may have been kept. Whoever asks with a key that acts once (the
    /// host's message key, a journal's row) repeats the whole question, which then
    /// finds what was kept, or acts for the first time.
    fn run(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError>;

    /// Another handle on the same store.
    fn handle(&self) -> Result<Box<dyn Db>, StoreError>;
}

/// Runs `work` in a transaction: `Ok` commits, `Err` undoes.
pub fn transact<T, E: From<StoreError>>(
    db: &mut dyn Db,
    mut work: impl FnMut(&mut dyn Tx) -> Result<T, E>,
) -> Result<T, E> {
    let mut outcome = None;
    db.run(&mut |tx| {
        let result = work(tx);
        let decision = if result.is_ok() { Decision::Commit } else { Decision::Rollback };
        outcome = Some(result);
        Ok(decision)
    })?;
    outcome.unwrap_or_else(|| {
        Err(StoreError::Statement { cause: "the engine did not run the work".into() }.into())
    })
}

/// One step of an owner's schema. Versions count from 1.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The statements, each one SQL text.
    pub statements: &'static [&'static str],
}

/// Brings an owner's tables to the newest version, all steps in one transaction.
pub fn migrate(db: &mut dyn Db, owner: &'static str, steps: &[Migration]) -> Result<(), StoreError> {
    transact(db, |tx| {
        tx.execute(
            "CREATE TABLE IF NOT EXISTS schema_version (owner TEXT PRIMARY KEY, version BIGINT NOT NULL)",
            &[],
        )?;
        // Another process may be at it: its row is waited for, and tables that it has
        // just made are a conflict that runs this again.
        let rows = tx.query_locked(
            "SELECT version FROM schema_version WHERE owner = $1",
            &[Value::Text(owner.into())],
        )?;
        let found = rows.first().map_or(Ok(0), |row| row.int(0))?;
        let known = steps.len() as i64;
        if found > known {
            return Err(StoreError::Version { owner, found, known });
        }
        if found == known {
            return Ok(());
        }
        for step in steps.iter().skip(found as usize) {
            for statement in step.statements {
                tx.execute(statement, &[])?;
            }
        }
        let stands = tx.execute(
            "UPDATE schema_version SET version = $1 WHERE owner = $2",
            &[Value::Int(known), Value::Text(owner.into())],
        )?;
        if stands == 0 {
            tx.execute(
                "INSERT INTO schema_version (owner, version) VALUES ($1, $2)",
                &[Value::Text(owner.into()), Value::Int(known)],
            )?;
        }
        Ok(())
    })
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

fn mismatch(column: usize, expected: &'static str, found: Option<&Value>) -> StoreError {
    let found = match found {
        None => "no such column",
        Some(Value::Null) => "NULL",
        Some(Value::Int(_)) => "BIGINT",
        Some(Value::Text(_)) => "TEXT",
        Some(Value::Bytes(_)) => "BYTEA",
    };
    StoreError::Column { column, expected, found }
}
