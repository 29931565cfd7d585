//! Group commit: whoever has the writer runs his own work in the transaction that is
//! open, and leaves it open for those who wait behind him; the last of them commits for
//! all. Nobody returns before the commit that holds his work. One caller alone finds
//! nobody waiting and commits at once.

use super::{Decision, StoreError};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// How many pieces of work share one commit at most, so that the first need not wait
/// for a crowd that does not end.
const MAX_WORKS: usize = 128;

/// The one writer of a store, shared by all handles of a process.
pub(super) struct Group {
    /// Callers on their way to the writer. Each of them will find the transaction that
    /// the one before left open, and see to its end.
    coming: AtomicUsize,
    writer: Mutex<Writer>,
    /// Who runs his work now.
    running: Mutex<Option<ThreadId>>,
}

struct Writer {
    connection: Connection,
    batch: Option<Arc<Batch>>,
    works: usize,
}

/// What became of a transaction that several share.
#[derive(Default)]
struct Batch {
    outcome: Mutex<Option<Result<(), StoreError>>>,
    known: Condvar,
}

impl Group {
    /// The group of a connection, which nobody else may use.
    pub(super) fn new(connection: Connection) -> Self {
        let writer = Writer { connection, batch: None, works: 0 };
        Self { coming: AtomicUsize::new(0), writer: Mutex::new(writer), running: Mutex::new(None) }
    }

    /// Runs `work` and returns once its decision is durable. Where the work fails,
    /// panics or decides so, its own changes are undone and nobody else's.
    pub(super) fn run(
        &self,
        work: &mut dyn FnMut(&Connection) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError> {
        let me = thread::current().id();
        if *lock(&self.running) == Some(me) {
            let cause = "work inside work on the same store would wait for itself for ever".into();
            return Err(StoreError::Statement { cause });
        }
        self.coming.fetch_add(1, Ordering::SeqCst);
        let mut writer = lock(&self.writer);
        self.coming.fetch_sub(1, Ordering::SeqCst);
        *lock(&self.running) = Some(me);
        let taken = writer.take(work);
        *lock(&self.running) = None;
        let nobody_comes = self.coming.load(Ordering::SeqCst) == 0;
        let batch = writer.batch.clone();
        if nobody_comes || writer.works >= MAX_WORKS || writer.is_lost() {
            writer.close();
        }
        drop(writer);
        // Also work that failed waits: it may have seen what another one wrote.
        let kept = batch.map_or(Ok(()), |batch| batch.wait());
        match taken {
            Ok(result) => kept.and(result),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl Writer {
    /// Runs work in the open transaction, or a new one. A panic is handed on as a value.
    fn take(
        &mut self,
        work: &mut dyn FnMut(&Connection) -> Result<Decision, StoreError>,
    ) -> thread::Result<Result<(), StoreError>> {
        let first = self.batch.is_none();
        if first && !self.connection.is_autocommit() {
            // What an earlier ROLLBACK could not end.
            let _ = self.say("ROLLBACK");
        }
        // The first needs no mark to return to: nothing stands before it.
        let begin = if first { "BEGIN IMMEDIATE" } else { "SAVEPOINT work" };
        if let Err(error) = self.say(begin) {
            return Ok(Err(error));
        }
        let ran = catch_unwind(AssertUnwindSafe(|| work(&self.connection)));
        if self.connection.is_autocommit() {
            // The engine itself gave up the whole transaction: full disk, broken file.
            let gone = StoreError::Statement { cause: "the engine undid the transaction".into() };
            let error = match ran {
                Ok(Err(error)) => error,
                _ => gone,
            };
            return Ok(Err(error));
        }
        let keep = matches!(ran, Ok(Ok(Decision::Commit)));
        let ended = match (first, keep) {
            (true, true) => {
                (self.batch, self.works) = (Some(Arc::default()), 0);
                Ok(())
            }
            (true, false) => self.say("ROLLBACK"),
            (false, true) => self.say("RELEASE work"),
            (false, false) => self.say("ROLLBACK TO work").and_then(|()| self.say("RELEASE work")),
        };
        if ended.is_err() && !self.connection.is_autocommit() {
            // Changes that cannot be told apart any more are all undone.
            let _ = self.say("ROLLBACK");
        }
        self.works += 1;
        ran.map(|decision| decision.map(|_| ()).and(ended))
    }

    /// Whether the engine has given up a transaction that others wait for.
    fn is_lost(&self) -> bool {
        self.batch.is_some() && self.connection.is_autocommit()
    }

    /// Commits, and tells everyone who shares it.
    fn close(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        let outcome = if self.connection.is_autocommit() {
            Err(StoreError::Statement { cause: "the engine undid the transaction".into() })
        } else {
            self.say("COMMIT").map_err(|error| {
                // A commit that failed half way is undone where the engine still can.
                let _ = self.say("ROLLBACK");
                StoreError::CommitUnknown { cause: error.to_string() }
            })
        };
        batch.tell(outcome);
    }

    fn say(&self, sql: &str) -> Result<(), StoreError> {
        let said = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        said.map(|_| ()).map_err(super::sqlite::statement)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Every caller sees to the end of what he joined; should one have been killed
        // on the way, those who share it must not wait for ever.
        self.close();
    }
}

impl Batch {
    fn tell(&self, outcome: Result<(), StoreError>) {
        *lock(&self.outcome) = Some(outcome);
        self.known.notify_all();
    }

    fn wait(&self) -> Result<(), StoreError> {
        let mut outcome = lock(&self.outcome);
        loop {
            if let Some(outcome) = outcome.as_ref() {
                return outcome.clone();
            }
            outcome = self.known.wait(outcome).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Panics of the work are caught before they could poison anything.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::store::{Db, Sqlite, StoreError, transact};
    use std::path::Path;

    const CLIENTS: usize = 8;

    fn group(path: &Path) -> Group {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY)").unwrap();
        Group::new(connection)
    }

    fn rows(connection: &Connection) -> i64 {
        connection.query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    fn refused() -> StoreError {
        StoreError::Statement { cause: "on purpose".into() }
    }

    /// The first holds the writer until all others wait behind it; so all share one
    /// transaction, and the last of them looks at the store from outside.
    #[test]
    fn those_who_wait_share_a_commit_and_nobody_returns_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let group = group(&path);
        let (ran, returned) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for id in 0..CLIENTS {
                let (group, ran, returned, path) = (&group, &ran, &returned, &path);
                scope.spawn(move || {
                    let outcome = group.run(&mut |connection| {
                        connection.execute("INSERT INTO t VALUES (?)", [id as i64]).unwrap();
                        let before = ran.fetch_add(1, Ordering::SeqCst);
                        while before == 0 && group.coming.load(Ordering::SeqCst) < CLIENTS - 1 {
                            thread::yield_now();
                        }
                        if before == CLIENTS - 1 {
                            assert_eq!(rows(&Connection::open(path).unwrap()), 0, "none is durable yet");
                            assert_eq!(
                                returned.load(Ordering::SeqCst),
                                0,
                                "so nobody may have been told that it is"
                            );
                        }
                        // Every third is refused, and takes nothing of the others with it.
                        if id % 3 == 1 { Err(refused()) } else { Ok(Decision::Commit) }
                    });
                    // Refused work that came first shares nothing and need not wait.
                    returned.fetch_add(usize::from(outcome.is_ok()), Ordering::SeqCst);
                    assert_eq!(outcome.is_err(), id % 3 == 1);
                });
            }
        });
        assert_eq!(ran.load(Ordering::SeqCst), CLIENTS);
        assert_eq!(rows(&Connection::open(&path).unwrap()), 5);
    }

    #[test]
    fn what_is_told_as_done_is_seen_by_another_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let group = group(&path);
        thread::scope(|scope| {
            for client in 0..CLIENTS as i64 {
                let (group, path) = (&group, &path);
                scope.spawn(move || {
                    let observer = Connection::open(path).unwrap();
                    for turn in 0..50 {
                        let id = client * 1000 + turn;
                        let outcome = group.run(&mut |connection| {
                            connection.execute("INSERT INTO t VALUES (?)", [id]).unwrap();
                            if turn % 5 == 4 { Err(refused()) } else { Ok(Decision::Commit) }
                        });
                        let sql = "SELECT COUNT(*) FROM t WHERE id = ?";
                        let seen: i64 = observer.query_row(sql, [id], |row| row.get(0)).unwrap();
                        assert_eq!((outcome.is_ok(), seen == 1), (turn % 5 != 4, turn % 5 != 4));
                    }
                });
            }
        });
        assert_eq!(rows(&Connection::open(&path).unwrap()), CLIENTS as i64 * 40);
    }

    #[test]
    fn a_panic_takes_its_own_work_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let group = group(&folder.path().join("t.db"));
        let put = |id: i64, fail: bool| {
            group.run(&mut |connection| {
                connection.execute("INSERT INTO t VALUES (?)", [id]).unwrap();
                assert!(!fail, "on purpose");
                Ok(Decision::Commit)
            })
        };
        put(1, false).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| put(2, true))).is_err());
        put(3, false).unwrap();
        assert_eq!(rows(&lock(&group.writer).connection), 2);
    }

    #[test]
    fn a_transaction_that_the_engine_gave_up_is_told_to_all_who_share_it() {
        let folder = tempfile::tempdir().unwrap();
        let group = group(&folder.path().join("t.db"));
        let ran = AtomicUsize::new(0);
        thread::scope(|scope| {
            for id in 0..2_i64 {
                let (group, ran) = (&group, &ran);
                scope.spawn(move || {
                    let outcome = group.run(&mut |connection| {
                        let before = ran.fetch_add(1, Ordering::SeqCst);
                        connection.execute("INSERT INTO t VALUES (?)", [id]).unwrap();
                        if before == 1 {
                            // As SQLite does by itself on a full disk.
                            connection.execute_batch("ROLLBACK").unwrap();
                        }
                        while before == 0 && group.coming.load(Ordering::SeqCst) < 1 {
                            thread::yield_now();
                        }
                        Ok(Decision::Commit)
                    });
                    assert!(outcome.is_err(), "neither is durable");
                });
            }
        });
        assert_eq!(rows(&lock(&group.writer).connection), 0);
        let put = |connection: &Connection| {
            connection.execute("INSERT INTO t VALUES (9)", []).unwrap();
            Ok(Decision::Commit)
        };
        group.run(&mut { put }).unwrap();
        assert_eq!(rows(&lock(&group.writer).connection), 1);
    }

    #[test]
    fn work_inside_work_is_refused_and_a_failed_statement_keeps_nothing() {
        let mut db = Sqlite::in_memory().unwrap();
        let mut other = db.handle().unwrap();
        let inner = transact(&mut db, |_| {
            let inner = transact(other.as_mut(), |_| Ok::<_, StoreError>(()));
            Ok::<_, StoreError>(inner)
        });
        assert!(inner.unwrap().unwrap_err().to_string().contains("for ever"));
        transact(&mut db, |tx| tx.execute("CREATE TABLE t (id BIGINT PRIMARY KEY)", &[])).unwrap();
        let swallowed = transact(&mut db, |tx| {
            tx.execute("INSERT INTO t (id) VALUES (1)", &[])?;
            let _ = tx.execute("INSERT INTO t (id) VALUES (1)", &[]);
            Ok::<_, StoreError>(())
        });
        assert!(swallowed.is_err());
        let left = transact(&mut db, |tx| tx.query("SELECT id FROM t", &[])).unwrap();
        assert!(left.is_empty());
    }
}
