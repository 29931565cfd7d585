//! The engines of the store: what each must do alike, and the issuer's suite on each.

use std::sync::atomic::{AtomicUsize, Ordering};

use cardwright::air::host::{Host, ResponseCode};
use cardwright::base::store::{Db, Migration, Row, Sqlite, StoreError, Value, migrate, transact};
use cardwright::roles::issuer::Rules;

use crate::issuer::kit::{ACCOUNT_MINOR, World};

/// Where the issuer's suite keeps its books; absent, in SQLite's memory.
const STORE: &str = "CARDWRIGHT_TEST_STORE";
const CLIENTS: usize = 8;

/// An empty store on the engine under test.
pub(crate) fn fresh_store() -> Box<dyn Db> {
    match std::env::var(STORE) {
        #[cfg(feature = "postgres")]
        Ok(address) => fresh_schema(&address),
        _ => Box::new(Sqlite::in_memory().unwrap()),
    }
}

/// A schema of its own in a server's database: all that is in it is in no other.
#[cfg(feature = "postgres")]
fn fresh_schema(address: &str) -> Box<dyn Db> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("s{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let mut db = cardwright::base::store::Postgres::open(address).unwrap();
    transact(&mut db, |tx| tx.execute(&format!("CREATE SCHEMA {name}"), &[])).unwrap();
    let own = format!("{address}&options=-c%20search_path%3D{name}");
    Box::new(cardwright::base::store::Postgres::open(&own).unwrap())
}

const TABLES: &[Migration] = &[
    Migration { statements: &["CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, data BYTEA)"] },
    Migration { statements: &["CREATE INDEX t_name ON t (name)", "INSERT INTO t (id) VALUES (0)"] },
];

fn with_tables(mut db: Box<dyn Db>) -> Box<dyn Db> {
    migrate(db.as_mut(), "test", TABLES).unwrap();
    db
}

fn ids(db: &mut dyn Db) -> Vec<i64> {
    let rows = transact(db, |tx| tx.query("SELECT id FROM t ORDER BY id", &[])).unwrap();
    rows.iter().map(|row| row.int(0).unwrap()).collect()
}

fn put(db: &mut dyn Db, id: i64) -> Result<u64, StoreError> {
    transact(db, |tx| tx.execute("INSERT INTO t (id) VALUES ($1)", &[id.into()]))
}

/// Every value comes back as it went in; NULL fits every column.
fn values_come_back(db: Box<dyn Db>) {
    let mut db = with_tables(db);
    let rows = [
        vec![Value::Int(i64::MIN), "\u{1F4B3} 圈存 '\"".into(), Value::Bytes(vec![0, 0xFF])],
        vec![Value::Int(i64::MAX), Value::Null, Value::Null],
        vec![Value::Int(1), "".into(), Value::Bytes(Vec::new())],
    ];
    for values in &rows {
        let sql = "INSERT INTO t (id, name, data) VALUES ($1, $2, $3)";
        assert_eq!(transact(db.as_mut(), |tx| tx.execute(sql, values)), Ok(1));
    }
    for values in rows {
        let sql = "SELECT id, name, data FROM t WHERE id = $1";
        assert_eq!(transact(db.as_mut(), |tx| tx.query(sql, &values[..1])), Ok(vec![Row(values)]));
    }
    let count = "SELECT COUNT(*), CAST(SUM(id) AS BIGINT) FROM t WHERE id < $1 AND name IS NULL";
    let counted = transact(db.as_mut(), |tx| tx.query(count, &[5.into()])).unwrap();
    assert_eq!(counted, [Row(vec![1.into(), 0.into()])]);
}

/// What failed or was refused leaves nothing, and its values stand in no error.
fn errors_undo_and_tell_no_values(db: Box<dyn Db>) {
    let mut db = with_tables(db);
    let error = transact(db.as_mut(), |tx| {
        tx.execute("INSERT INTO t (id, name) VALUES (7, 'hunter2')", &[])?;
        tx.execute("INSERT INTO t (id, name) VALUES ($1, $2)", &[7.into(), "hunter2".into()])
    })
    .unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let swallowed = transact(db.as_mut(), |tx| {
        tx.execute("INSERT INTO t (id) VALUES (8)", &[])?;
        let _ = tx.execute("INSERT INTO t (id) VALUES (8)", &[]);
        Ok::<_, StoreError>(())
    });
    assert!(swallowed.is_err(), "a statement that failed may not be passed over");
    assert!(transact(db.as_mut(), |tx| tx.query("SELECT nothing FROM nowhere", &[])).is_err());
    assert_eq!(ids(db.as_mut()), [0]);
    put(db.as_mut(), 9).unwrap();
    assert_eq!(ids(db.handle().unwrap().as_mut()), [0, 9]);
}

/// Processes that open a new store at once make its tables once.
fn tables_are_made_once(db: Box<dyn Db>) {
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut own = db.handle().unwrap();
            scope.spawn(move || migrate(own.as_mut(), "test", TABLES).unwrap());
        }
    });
    assert_eq!(ids(db.handle().unwrap().as_mut()), [0], "the second step ran once");
}

/// Read, think, write: what was held is still so when it is written.
fn held_rows_do_not_change(db: Box<dyn Db>) {
    let db = with_tables(db);
    const TURNS: i64 = 40;
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let mut own = db.handle().unwrap();
            scope.spawn(move || {
                for _ in 0..TURNS {
                    transact(own.as_mut(), |tx| {
                        let rows = tx.query_locked("SELECT id FROM t WHERE id >= $1", &[0.into()])?;
                        let next = rows[0].int(0)? + 1;
                        tx.execute("UPDATE t SET id = $1", &[next.into()])
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(ids(db.handle().unwrap().as_mut()), [CLIENTS as i64 * TURNS]);
}

/// Terminals at once, with cards of their own and with one card between them; each
/// message goes out twice, from two of them.
fn loads_at_once_keep_the_sum(db: Box<dyn Db>) {
    const LOADS: usize = 6;
    let mut books = db.handle().unwrap();
    let mut world = World::on(db, "PBOC CVN 01", Rules::default());
    let shared: Vec<_> = (0..LOADS * 2).map(|_| world.load_request(100)).collect();
    let others: Vec<World> = (2..2 + CLIENTS as u32).map(|number| world.beside(number)).collect();
    let approved = AtomicUsize::new(0);
    let first_answers = std::sync::Mutex::new(vec![None; shared.len()]);
    std::thread::scope(|scope| {
        for (client, mut own) in others.into_iter().enumerate() {
            let (shared, approved, first_answers) = (&shared, &approved, &first_answers);
            scope.spawn(move || {
                for turn in 0..LOADS {
                    let (request, answer) = own.load(100);
                    assert_eq!(answer.code, ResponseCode::APPROVED, "{}", answer.reason);
                    assert_eq!(own.issuer.authorise(&request, &mut own.context).unwrap(), answer);
                    approved.fetch_add(1, Ordering::SeqCst);
                    // Two clients send the same one, half a lap apart.
                    let index = (turn + client / 2 * 3) % shared.len();
                    let answer = own.issuer.authorise(&shared[index], &mut own.context).unwrap();
                    let mut first_answers = first_answers.lock().unwrap();
                    match &first_answers[index] {
                        Some(first) => assert_eq!(first, &answer, "one message, two answers"),
                        None => {
                            approved.fetch_add(usize::from(answer.code.is_approved()), Ordering::SeqCst);
                            first_answers[index] = Some(answer);
                        }
                    }
                }
            });
        }
    });
    let approved = approved.into_inner() as i64;
    assert!(approved > (CLIENTS * LOADS) as i64, "some of the shared card's loads got through");
    let count = "SELECT COUNT(*) FROM load";
    let rows = transact(books.as_mut(), |tx| tx.query(count, &[])).unwrap();
    assert_eq!(rows[0].int(0), Ok(approved), "a load for each approval, and no other");
    // A card that comes again with its old balance proves that its last load never
    // landed, unless a counter between is unknown; the last one stays in flight.
    let open = world.issuer.open_loads(&mut world.context).unwrap();
    assert!(open.len() > CLIENTS && open.len() < approved as usize, "{} open", open.len());
    let books = world.books();
    assert_eq!(books.in_flight_minor, open.len() as i64 * 100);
    assert_eq!(books.accounts_minor, ACCOUNT_MINOR - books.in_flight_minor);
    world.assert_sound();
}

type Test = fn(Box<dyn Db>);

/// What every engine must do: a name, and a test on an empty store.
const CONTRACT: &[(&str, Test)] = &[
    ("values_come_back", values_come_back),
    ("errors_undo_and_tell_no_values", errors_undo_and_tell_no_values),
    ("tables_are_made_once", tables_are_made_once),
    ("held_rows_do_not_change", held_rows_do_not_change),
    ("loads_at_once_keep_the_sum", loads_at_once_keep_the_sum),
];

#[test]
fn sqlite_in_memory_keeps_the_contract() {
    for (name, test) in CONTRACT {
        println!("{name}");
        test(Box::new(Sqlite::in_memory().unwrap()));
    }
}

#[test]
fn sqlite_in_a_file_keeps_the_contract() {
    for (name, test) in CONTRACT {
        println!("{name}");
        let folder = tempfile::tempdir().unwrap();
        test(Box::new(Sqlite::open(&folder.path().join("t.db")).unwrap()));
    }
}

#[cfg(all(feature = "postgres", target_os = "linux"))]
mod postgres {
    use super::*;
    use crate::support::postgres::PrivatePostgres;
    use crate::support::{Skip, is_required, process};
    use std::process::Command;
    use std::time::Duration;

    /// A server, or `None` where there can be none and none is required.
    fn server(durable: bool) -> Option<PrivatePostgres> {
        match PrivatePostgres::start(durable) {
            Ok(server) => Some(server),
            Err(Skip(reason)) if is_required() => panic!("PostgreSQL is required, but {reason}"),
            Err(Skip(reason)) => {
                println!("not run: {reason}");
                None
            }
        }
    }

    #[test]
    fn keeps_the_contract_under_both_isolation_levels() {
        let Some(server) = server(false) else { return };
        for level in ["read-committed", "serializable"] {
            for (name, test) in CONTRACT {
                println!("{level}: {name}");
                test(fresh_schema(&format!("{}&isolation={level}", server.address())));
            }
        }
    }

    /// This binary again, the issuer's tests alone, with their books on the server.
    fn issuers_suite(level: &str) {
        let Some(server) = server(false) else { return };
        let mut suite = Command::new(std::env::current_exe().unwrap());
        suite.args(["issuer::", "token::", "--test-threads", "4"]);
        suite.env(STORE, format!("{}&isolation={level}", server.address()));
        // A sequence on a server takes a thousand times as long as in memory.
        suite.env("PROPTEST_CASES", "12");
        let answer = process::run(&mut suite, "", Duration::from_secs(300)).unwrap();
        let passed = answer.stdout.lines().filter(|line| line.ends_with("... ok")).count();
        assert!(answer.success() && passed > 30, "{passed} passed\n{}\n{}", answer.stdout, answer.stderr);
    }

    #[test]
    fn the_issuers_suite_passes_under_read_committed() {
        issuers_suite("read-committed");
    }

    #[test]
    fn the_issuers_suite_passes_under_serializable() {
        issuers_suite("serializable");
    }

    #[test]
    fn work_whose_connection_is_lost_before_its_commit_is_run_again() {
        let Some(server) = server(false) else { return };
        let mut db = with_tables(fresh_schema(&server.address()));
        let mut ran = 0;
        transact(db.as_mut(), |tx| {
            ran += 1;
            tx.execute("INSERT INTO t (id) VALUES ($1)", &[ran.into()])?;
            if ran < 3 {
                tx.query("SELECT CAST(pg_terminate_backend(pg_backend_pid()) AS TEXT)", &[])?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
        assert_eq!(ids(db.as_mut()), [0, 3]);
    }

    /// The connection ends inside COMMIT: that may not be told as done, nor as undone,
    /// nor tried again behind the caller's back.
    #[test]
    fn a_commit_without_an_answer_is_told_as_such_and_not_repeated() {
        let Some(server) = server(false) else { return };
        let mut db = with_tables(fresh_schema(&server.address()));
        transact(db.as_mut(), |tx| {
            tx.execute(
                "CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
                &[],
            )?;
            tx.execute(
                "CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED \
                 FOR EACH ROW WHEN (NEW.id = 13) EXECUTE FUNCTION hang_up()",
                &[],
            )
        })
        .unwrap();
        let mut ran = 0;
        let outcome = transact(db.as_mut(), |tx| {
            ran += 1;
            tx.execute("INSERT INTO t (id) VALUES (13)", &[])
        });
        assert!(matches!(outcome, Err(StoreError::CommitUnknown { .. })), "{outcome:?}");
        assert_eq!(ran, 1);
        put(db.as_mut(), 14).unwrap();
        assert_eq!(ids(db.as_mut()), [0, 14], "the handle finds its way back");
    }

    /// A power cut under load: whatever was told as done is there, once.
    #[test]
    fn what_was_told_as_done_survives_a_server_that_dies() {
        let Some(mut server) = server(true) else { return };
        let db = with_tables(fresh_schema(&server.address()));
        let told = std::sync::Mutex::new(vec![0]);
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for client in 1..=CLIENTS as i64 {
                let (told, stop) = (&told, &stop);
                let mut own = db.handle().unwrap();
                scope.spawn(move || {
                    for turn in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            return;
                        }
                        let id = client * 1_000_000 + turn;
                        match put(own.as_mut(), id) {
                            Ok(_) => told.lock().unwrap().push(id),
                            Err(StoreError::CommitUnknown { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
            for _ in 0..3 {
                std::thread::sleep(Duration::from_millis(300));
                server.stop_immediately().unwrap();
                server.resume().unwrap();
            }
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::SeqCst);
        });
        let told = told.into_inner().unwrap();
        let kept = ids(db.handle().unwrap().as_mut());
        let lost: Vec<_> = told.iter().filter(|id| kept.binary_search(id).is_err()).collect();
        assert!(lost.is_empty() && told.len() > 100, "{} told, lost {lost:?}", told.len());
    }
}
