//! Durable loads a second, each engine beside its own floor: `cargo bench --bench store`.
//!
//! A load is two messages, the request and the script's result, each a transaction. The
//! floor makes the same writes in the same two transactions, through the same door, and
//! does nothing else: no message, no cryptogram, no rule, no look-up. That they are the
//! same is counted, not promised: the first line printed says how many statements a load
//! makes, and a floor with another number of writes stops the run. Cards and accounts are
//! each client's own; the cards have signed before the clock runs. On Linux the PostgreSQL
//! server is a private one with full durability, on the same cores. The same loads once
//! more over TCP: ISO 8583 messages under keys to one server or two, on the same cores.
//!
//! Ours and the floor take turns, round by round, each on books of its own, so that what
//! else the machine does falls on all of them; a ratio is the median of the rounds' own.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that fails must stop"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cardwright::air::host::{Host, Limits, MasterKey, Request, Server, Setup, TcpHost, Timeouts};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{Db, Row, Sqlite, StoreError, Value, transact};
use cardwright::roles::issuer::Rules;
use cardwright::words::iso4217::Amount;
use cardwright::words::iso8583::dialect;
use counted::{Counted, Counts};
use kit::{CNY, World};

#[path = "support/counted.rs"]
mod counted;
#[path = "../tests/issuer/kit.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod kit;
#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod support;

/// Where the kit looks for an empty store.
mod store {
    pub(crate) fn fresh_store() -> Box<dyn super::Db> {
        Box::new(super::Sqlite::in_memory().unwrap())
    }
}

/// Workers of a server, as `host serve` has them: on a file, and on a server's store.
const WORKERS_ON_FILE: usize = 64;
const WORKERS_ON_SERVER: usize = 16;
const CLIENTS: [usize; 3] = [1, 8, 32];
/// Loads of a round, whoever brings them, unless `CARDWRIGHT_LOADS` says otherwise.
const LOADS: u64 = 640;
/// Rounds, unless `CARDWRIGHT_ROUNDS` says otherwise.
const ROUNDS: u64 = 5;
/// Loads of each client before the clock runs: statements are prepared, lines signed on.
const WARM: usize = 3;

fn number_or(name: &str, usual: u64) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual) as usize
}

fn main() {
    count_statements();
    println!("durable loads a second, request and result, a commit each; medians");
    println!(
        "{:<24} {:>7} {:>8} {:>9} {:>10} {:>9} {:>7} {:>10}",
        "engine", "clients", "servers", "loads/s", "over TCP", "floor/s", "ratio", "TCP ratio"
    );
    for clients in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| -> Box<dyn Db> { Box::new(Sqlite::open(&folder.path().join(name)).unwrap()) };
        compare("sqlite, WAL, FULL", clients, (1, WORKERS_ON_FILE), open);
    }
    #[cfg(all(feature = "postgres", target_os = "linux"))]
    servers();
}

#[cfg(all(feature = "postgres", target_os = "linux"))]
fn servers() {
    use cardwright::base::store::Postgres;
    let server = match support::postgres::PrivatePostgres::start(true) {
        Ok(server) => server,
        Err(reason) => return println!("postgresql: not run: {reason}"),
    };
    let made = AtomicU64::new(0);
    let fresh = |level: &str| -> Box<dyn Db> {
        let number = made.fetch_add(1, Ordering::Relaxed);
        let address = format!("{}&isolation={level}", server.address());
        let mut db = Postgres::open(&address).unwrap();
        transact(&mut db, |tx| tx.execute(&format!("CREATE SCHEMA s{number}"), &[])).unwrap();
        Box::new(Postgres::open(&format!("{address}&options=-c%20search_path%3Ds{number}")).unwrap())
    };
    for clients in CLIENTS {
        compare("postgresql", clients, (1, WORKERS_ON_SERVER), |_| fresh("read-committed"));
    }
    for clients in CLIENTS {
        compare("postgresql, serializable", clients, (1, WORKERS_ON_SERVER), |_| fresh("serializable"));
    }
    compare("postgresql, serializable", CLIENTS[2], (2, WORKERS_ON_SERVER), |_| fresh("serializable"));
}

/// A client: brings so many loads.
type Client = Box<dyn FnMut(usize) + Send>;

/// Books and those who load on them.
struct Side {
    world: World,
    servers: Vec<Server>,
    clients: Vec<Client>,
}

impl Side {
    /// Loads a second of one round.
    fn round(&mut self, each: usize) -> f64 {
        let count = (self.clients.len() * each) as f64;
        let clients: Vec<_> = self.clients.iter_mut().collect();
        count / at_once(clients, |client| client(each)).as_secs_f64()
    }
}

/// Prints a line of the table; `servers` is how many, and the workers of each.
fn compare(engine: &str, clients: usize, servers: (usize, usize), open: impl Fn(&str) -> Box<dyn Db>) {
    let rounds = number_or("CARDWRIGHT_ROUNDS", ROUNDS).max(1);
    let each = (number_or("CARDWRIGHT_LOADS", LOADS) / clients).max(1);
    let count = WARM + rounds * each;
    let mut sides = [
        in_process(open("loads"), clients, count),
        over_tcp(open("tcp"), clients, servers, count),
        floor(open("floor"), clients),
    ];
    for side in &mut sides {
        side.round(WARM);
    }
    let mut measured = Vec::new();
    for turn in 0..rounds {
        let mut speeds = [0.0; 3];
        for step in 0..3 {
            let which = (turn + step) % 3;
            speeds[which] = sides[which].round(each);
        }
        measured.push(speeds);
    }
    let [loads, tcp, _] = &mut sides;
    for side in [loads, tcp] {
        assert_eq!(side.world.issuer.check(&mut side.world.context).unwrap(), []);
        assert_eq!(side.world.issuer.open_loads(&mut side.world.context).unwrap(), []);
        side.servers.drain(..).for_each(Server::stop);
    }
    let median = |of: &dyn Fn(&[f64; 3]) -> f64| {
        let mut all: Vec<f64> = measured.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!(
        "{engine:<24} {clients:>7} {:>8} {:>9.0} {:>10.0} {:>9.0} {:>7.2} {:>10.2}",
        servers.0,
        median(&|round| round[0]),
        median(&|round| round[1]),
        median(&|round| round[2]),
        median(&|round| round[0] / round[2]),
        median(&|round| round[1] / round[2]),
    );
}

/// An issuer and its clients, each with a card and an account.
fn world(db: Box<dyn Db>, clients: usize) -> (World, Vec<World>) {
    let mut world = World::on(db, "PBOC CVN 01", Rules::default());
    let clients = (0..clients as u32).map(|number| {
        let account = format!("B{number}");
        let amount = Amount::new(100_000_000, CNY);
        world.issuer.open_account(Some(&account), amount, "Zhang San", &mut world.context).unwrap();
        world.beside_on(number + 2, &account)
    });
    let clients = clients.collect();
    (world, clients)
}

/// The two messages of each of a client's loads, signed before the clock runs.
fn signed(client: &mut World, count: usize) -> Vec<[Request; 2]> {
    let messages = (0..count).map(|_| {
        let request = client.load_request(1);
        client.card.balance_minor += 1;
        let notice = client.notice_request(&request, 0x20);
        [request, notice]
    });
    messages.collect()
}

/// Brings the messages of a client to a host.
fn bring(mut client: World, count: usize, mut host: impl Host + 'static) -> Client {
    let mut messages = signed(&mut client, count).into_iter();
    Box::new(move |loads| {
        for [request, notice] in messages.by_ref().take(loads) {
            let answer = host.authorise(&request, &mut client.context).unwrap();
            assert!(answer.code.is_approved(), "{}", answer.reason);
            let answer = host.advise(&notice, &mut client.context).unwrap();
            assert!(answer.code.is_approved(), "{}", answer.reason);
        }
    })
}

/// The issuer in this process.
fn in_process(db: Box<dyn Db>, clients: usize, count: usize) -> Side {
    let (world, clients) = world(db, clients);
    let bring = |client: World| {
        let issuer = client.issuer.handle().unwrap();
        bring(client, count, issuer)
    };
    Side { world, servers: Vec::new(), clients: clients.into_iter().map(bring).collect() }
}

/// The same behind TCP servers, which the clients share among them.
fn over_tcp(db: Box<dyn Db>, clients: usize, (servers, workers): (usize, usize), count: usize) -> Side {
    let (world, clients) = world(db, clients);
    let dialect = dialect("pos").unwrap();
    let key = MasterKey::new([0x31; 16]);
    let numbers = Arc::new(AtomicU64::new(1_000));
    let start = |_| {
        let issuer = Mutex::new(world.issuer.handle().unwrap());
        let (master, numbers) = (key.clone(), Arc::clone(&numbers));
        let setup = Setup {
            dialect: dialect.clone(),
            limits: Limits { workers, ..Limits::default() },
            masters: Arc::new(move |_| Ok(Some(master.clone()))),
            seed: Secret::new([0x52; 16]),
            worker: Arc::new(move || {
                let context = Context::simulated(numbers.fetch_add(1, Ordering::Relaxed), Discard);
                Ok((Box::new(issuer.lock().unwrap().handle().unwrap()), context))
            }),
            metrics: None,
        };
        Server::start("127.0.0.1:0", setup).unwrap()
    };
    let servers: Vec<Server> = (0..servers).map(start).collect();
    let bring = |(number, client): (usize, World)| {
        let address = servers[number % servers.len()].address().to_string();
        bring(client, count, TcpHost::new(address, dialect.clone(), key.clone(), Timeouts::default()))
    };
    let clients = clients.into_iter().enumerate().map(bring).collect();
    Side { world, servers, clients }
}

/// The same writes and commits, and nothing else.
fn floor(db: Box<dyn Db>, clients: usize) -> Side {
    let mut admin = db.handle().unwrap();
    let (world, _) = world(db, clients);
    let sql = "SELECT card.id, card_account.account FROM card JOIN card_account ON card_account.card = card.id \
               WHERE card_account.currency = 156 AND card_account.account LIKE 'B%' ORDER BY 2";
    let cards = transact(admin.as_mut(), |tx| tx.query(sql, &[])).unwrap();
    assert_eq!(cards.len(), clients);
    let client = |row: &Row| -> Client {
        let (card, account) = (row.text(0).unwrap().to_owned(), row.text(1).unwrap().to_owned());
        let (mut db, mut turn) = (admin.handle().unwrap(), 0);
        Box::new(move |loads| {
            for _ in 0..loads {
                turn += 1;
                write_request(db.as_mut(), &card, &account, turn);
                write_result(db.as_mut(), &card, turn);
            }
        })
    };
    let clients = cards.iter().map(client).collect();
    Side { world, servers: Vec::new(), clients }
}

/// Says how many statements a load makes, and holds the floor to it.
fn count_statements() {
    let counts = Arc::new(Counts::default());
    let db = || Box::new(Counted { db: store::fresh_store(), counts: Arc::clone(&counts) });
    let of = |mut side: Side| {
        counts.take();
        side.round(1);
        counts.take()
    };
    let [writes, reads, commits, _] = of(in_process(db(), 1, 1));
    let floor = of(floor(db(), 1));
    println!(
        "a load: {writes} writes, {reads} reads, {commits} commits; the floor: the same without the reads"
    );
    assert_eq!(floor[..3], [writes, 0, commits], "writes, reads and commits of the floor");
}

type Statement<'a> = (&'a str, Vec<Value>);

fn write_request(db: &mut dyn Db, card: &str, account: &str, turn: i64) {
    let id = format!("{card}{turn:08}");
    let mut statements = vec![
        (
            "INSERT INTO sighting (card, atc, currency, balance, path, at) VALUES ($1, $2, 156, $3, 'load', $4)",
            vec![card.into(), turn.into(), turn.into(), turn.into()],
        ),
        balance(-1, "account", account),
    ];
    statements.extend(entry(&id, "load", ("account", account), ("in_flight", "")));
    statements.push((
        "INSERT INTO load (id, kind, card, currency, counter, counter_holder, atc, amount, old_minor, new_minor, \
         state, merchant, terminal, batch, trace, opened_at) \
         VALUES ($1, 'linked', $2, 156, 'account', $3, $4, 1, $5, $6, 'open', 'M00000000000001', 'T0000001', \
         1, $7, $8)",
        vec![
            id.as_str().into(),
            card.into(),
            account.into(),
            turn.into(),
            turn.into(),
            turn.into(),
            turn.into(),
            turn.into(),
        ],
    ));
    statements.extend([held_card(card, turn, 1), message("request", card, turn, &id)]);
    write(db, &statements);
}

fn write_result(db: &mut dyn Db, card: &str, turn: i64) {
    let id = format!("{card}{turn:08}");
    let mut statements = vec![
        (
            "UPDATE load SET state = 'landed', settled_at = $1, settled_by = 'notice' WHERE id = $2",
            vec![turn.into(), id.as_str().into()],
        ),
        balance(1, "card", card),
    ];
    statements.extend(entry(&id, "load landed", ("in_flight", ""), ("card", card)));
    statements.extend([held_card(card, turn, 0), message("notice", card, turn, &id)]);
    write(db, &statements);
}

fn held_card<'a>(card: &str, turn: i64, open: i64) -> Statement<'a> {
    (
        "UPDATE card SET last_atc = $1, open_loads = $2 WHERE id = $3",
        vec![turn.into(), open.into(), card.into()],
    )
}

fn message<'a>(class: &str, card: &str, turn: i64, id: &str) -> Statement<'a> {
    let mark = |of: i64| [turn.to_be_bytes(), of.to_be_bytes()].concat();
    // As long as an answer with its script and ARPC.
    let answer = "x".repeat(if class == "request" { 330 } else { 150 });
    (
        "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, fingerprint, subject, \
         barred, at, acted_on, answer) \
         VALUES ($1, 'M00000000000001', $2, 1, $3, 20261121, $4, $5, 0, $6, $7, $8) ON CONFLICT DO NOTHING",
        vec![
            class.into(),
            // F41 has eight places.
            card[card.len() - 8..].into(),
            turn.into(),
            mark(1).into(),
            mark(2).into(),
            turn.into(),
            id.into(),
            answer.into(),
        ],
    )
}

fn balance<'a>(minor: i64, kind: &str, holder: &str) -> Statement<'a> {
    (
        "UPDATE balance SET minor = minor + $1 WHERE kind = $2 AND holder = $3 AND currency = 156",
        vec![minor.into(), kind.into(), holder.into()],
    )
}

fn entry<'a>(load: &str, what: &str, from: (&str, &str), to: (&str, &str)) -> Vec<Statement<'a>> {
    let id = format!("{load}{}", what.len());
    vec![
        (
            "INSERT INTO entry (id, what, subject, at) VALUES ($1, $2, $3, 0)",
            vec![id.as_str().into(), what.into(), load.into()],
        ),
        (
            "INSERT INTO posting (entry, line, kind, holder, currency, minor) \
             VALUES ($1, 1, $2, $3, 156, -1), ($1, 2, $4, $5, 156, 1)",
            vec![id.into(), from.0.into(), from.1.into(), to.0.into(), to.1.into()],
        ),
    ]
}

fn write(db: &mut dyn Db, statements: &[Statement<'_>]) {
    transact(db, |tx| {
        for (sql, values) in statements {
            assert!(tx.execute(sql, values)? > 0, "{sql}");
        }
        Ok::<_, StoreError>(())
    })
    .unwrap();
}

/// Runs every client on a thread of its own; how long until the last is done.
fn at_once<C: Send>(clients: Vec<C>, work: impl Fn(C) + Sync) -> Duration {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for client in clients {
            scope.spawn(|| work(client));
        }
    });
    begin.elapsed()
}
