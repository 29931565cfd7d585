//! A store that says that it has written what it has not: a bug that is planted.

use crate::base::store::{Db, Decision, Row, StoreError, Tx, Value};

/// How long a statement is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Until {
    /// Until the store is used again; who stops before that has lost it.
    NextUse,
    /// It is never written.
    Never,
}

/// Which statements are withheld.
type Picks = fn(&str, &[Value]) -> bool;

/// The store.
pub(in crate::world) struct WithheldDb {
    inner: Box<dyn Db>,
    picks: Picks,
    until: Until,
    waiting: Vec<(String, Vec<Value>)>,
    dead: bool,
}

impl WithheldDb {
    /// Wraps a store. Tables are made at once.
    pub fn new(inner: Box<dyn Db>, picks: Picks, until: Until) -> Self {
        Self { inner, picks, until, waiting: Vec::new(), dead: false }
    }

    fn write_what_waits(&mut self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() || self.until == Until::Never {
            return Ok(());
        }
        self.inner.run(&mut |tx| {
            for (sql, values) in &waiting {
                tx.execute(sql, values)?;
            }
            Ok(Decision::Commit)
        })
    }
}

impl Db for WithheldDb {
    fn run(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError> {
        let (waiting, picks) = (&mut Vec::new(), self.picks);
        let written = self.write_what_waits();
        let done =
            written.and_then(|()| self.inner.run(&mut |tx| work(&mut WithheldTx { tx, picks, waiting })));
        self.dead |= done.is_err();
        self.waiting.append(waiting);
        done
    }

    fn handle(&self) -> Result<Box<dyn Db>, StoreError> {
        self.inner.handle()
    }
}

impl Drop for WithheldDb {
    fn drop(&mut self) {
        if !self.dead {
            let _ = self.write_what_waits();
        }
    }
}

struct WithheldTx<'a> {
    tx: &'a mut dyn Tx,
    picks: Picks,
    waiting: &'a mut Vec<(String, Vec<Value>)>,
}

impl Tx for WithheldTx<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        if sql.starts_with("CREATE") || !(self.picks)(sql, values) {
            return self.tx.execute(sql, values);
        }
        self.waiting.push((sql.to_owned(), values.to_vec()));
        Ok(1)
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.tx.query(sql, values)
    }

    fn query_locked(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.tx.query_locked(sql, values)
    }

    fn query_unclaimed(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.tx.query_unclaimed(sql, values)
    }
}
