//! A store that counts what goes through it, so that a floor is held to the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cardwright::base::store::{Db, Decision, Row, StoreError, Tx, Value};

/// A door that counts what goes through it.
pub(crate) struct Counted {
    pub(crate) db: Box<dyn Db>,
    pub(crate) counts: Arc<Counts>,
}

/// What went through, since it was last taken.
#[derive(Default)]
pub(crate) struct Counts {
    writes: AtomicU64,
    reads: AtomicU64,
    commits: AtomicU64,
    writing: AtomicU64,
}

impl Counts {
    /// Writes, reads, commits, and those of the commits that had something to keep.
    pub(crate) fn take(&self) -> [u64; 4] {
        [&self.writes, &self.reads, &self.commits, &self.writing]
            .map(|count| count.swap(0, Ordering::Relaxed))
    }
}

struct CountedTx<'a> {
    tx: &'a mut dyn Tx,
    counts: &'a Counts,
    wrote: bool,
}

impl Db for Counted {
    fn run(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError> {
        let counts = &self.counts;
        counts.commits.fetch_add(1, Ordering::Relaxed);
        self.db.run(&mut |tx| {
            let mut counted = CountedTx { tx, counts, wrote: false };
            let decision = work(&mut counted);
            counts.writing.fetch_add(u64::from(counted.wrote), Ordering::Relaxed);
            decision
        })
    }

    fn handle(&self) -> Result<Box<dyn Db>, StoreError> {
        Ok(Box::new(Self { db: self.db.handle()?, counts: Arc::clone(&self.counts) }))
    }
}

impl Tx for CountedTx<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.counts.writes.fetch_add(1, Ordering::Relaxed);
        self.wrote = true;
        self.tx.execute(sql, values)
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        self.tx.query(sql, values)
    }

    fn query_locked(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        self.tx.query_locked(sql, values)
    }

    fn query_unclaimed(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        self.tx.query_unclaimed(sql, values)
    }
}
