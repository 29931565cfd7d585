//! Durable loads a second, each engine beside its own floor: `cargo bench --bench store`.
//!
//! A load is two messages, the request and the script's result, each a transaction. The
//! floor writes the same rows in the same two transactions, through the same door, and
//! does nothing else: no message, no cryptogram, no rule, no look-up. Cards and accounts
//! are each client's own; the cards have signed before the clock runs. On Linux the
//! PostgreSQL server is a private one with full durability, on the same cores. The same
//! loads once more over TCP: ISO 8583 messages under keys to a server, on the same cores.

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
use cardwright::base::store::{Db, Sqlite, Value, transact};
use cardwright::roles::issuer::Rules;
use cardwright::words::iso4217::Amount;
use cardwright::words::iso8583::dialect;
use kit::{CNY, World};

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

/// Workers of the server, as `host serve` has them.
const WORKERS: usize = 16;
const CLIENTS: [u32; 3] = [1, 8, 32];
/// Loads in all, whoever brings them, unless `CARDWRIGHT_LOADS` says otherwise.
const LOADS: usize = 6_400;

fn count() -> usize {
    std::env::var("CARDWRIGHT_LOADS").ok().and_then(|text| text.parse().ok()).unwrap_or(LOADS)
}

fn main() {
    println!("durable loads a second (request and result, two commits each); ratio of the floor");
    println!(
        "{:<28} {:>8} {:>9} {:>9} {:>9} {:>6} {:>9}",
        "engine", "clients", "loads/s", "over TCP", "floor/s", "ratio", "TCP ratio"
    );
    for clients in CLIENTS {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| -> Box<dyn Db> { Box::new(Sqlite::open(&folder.path().join(name)).unwrap()) };
        let (loads, tcp) = (loads(open("loads"), clients), over_tcp(open("tcp"), clients));
        print("sqlite, WAL, FULL", clients, loads, tcp, floor(open("floor"), clients));
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
    let mut made = 0;
    let mut fresh = |level: &str| -> Box<dyn Db> {
        made += 1;
        let address = format!("{}&isolation={level}", server.address());
        let mut db = Postgres::open(&address).unwrap();
        transact(&mut db, |tx| tx.execute(&format!("CREATE SCHEMA s{made}"), &[])).unwrap();
        Box::new(Postgres::open(&format!("{address}&options=-c%20search_path%3Ds{made}")).unwrap())
    };
    for level in ["read-committed", "serializable"] {
        for clients in CLIENTS {
            let (loads, tcp) = (loads(fresh(level), clients), over_tcp(fresh(level), clients));
            print(&format!("postgresql, {level}"), clients, loads, tcp, floor(fresh(level), clients));
        }
    }
}

fn print(engine: &str, clients: u32, loads: f64, tcp: f64, floor: f64) {
    let (ratio, tcp_ratio) = (loads / floor, tcp / floor);
    println!("{engine:<28} {clients:>8} {loads:>9.0} {tcp:>9.0} {floor:>9.0} {ratio:>6.2} {tcp_ratio:>9.2}");
}

/// An issuer and its clients, each with a card and an account.
fn world(db: Box<dyn Db>, clients: u32) -> (World, Vec<World>) {
    let mut world = World::on(db, "PBOC CVN 01", Rules::default());
    let clients = (0..clients).map(|number| {
        let account = format!("B{number}");
        let amount = Amount::new(100_000_000, CNY);
        world.issuer.open_account(Some(&account), amount, "Zhang San", &mut world.context).unwrap();
        world.beside_on(number + 2, &account)
    });
    let clients = clients.collect();
    (world, clients)
}

/// A client and the two messages of each of its loads, signed before the clock runs.
fn ready(clients: Vec<World>) -> Vec<(World, Vec<[Request; 2]>)> {
    let each = count() / clients.len();
    let ready = clients.into_iter().map(|mut client| {
        let messages = (0..each).map(|_| {
            let request = client.load_request(1);
            client.card.balance_minor += 1;
            let notice = client.notice_request(&request, 0x20);
            [request, notice]
        });
        let messages = messages.collect();
        (client, messages)
    });
    ready.collect()
}

/// Brings the messages of every client to a host of its own.
fn bring(
    ready: Vec<(World, Vec<[Request; 2]>)>,
    host: impl Fn(&World) -> Box<dyn Host> + Sync,
    check: &mut World,
) -> f64 {
    let took = at_once(ready, |(mut client, messages)| {
        let mut host = host(&client);
        for [request, notice] in messages {
            let answer = host.authorise(&request, &mut client.context).unwrap();
            assert!(answer.code.is_approved(), "{}", answer.reason);
            let answer = host.advise(&notice, &mut client.context).unwrap();
            assert!(answer.code.is_approved(), "{}", answer.reason);
        }
    });
    assert_eq!(check.issuer.check(&mut check.context).unwrap(), []);
    count() as f64 / took.as_secs_f64()
}

/// The issuer's loads a second.
fn loads(db: Box<dyn Db>, clients: u32) -> f64 {
    let (mut world, clients) = world(db, clients);
    bring(ready(clients), |client| Box::new(client.issuer.handle().unwrap()), &mut world)
}

/// The same over TCP.
fn over_tcp(db: Box<dyn Db>, clients: u32) -> f64 {
    let (mut world, clients) = world(db, clients);
    let issuer = Mutex::new(world.issuer.handle().unwrap());
    let number = AtomicU64::new(1_000);
    let dialect = dialect("pos").unwrap();
    let key = MasterKey::new([0x31; 16]);
    let master = key.clone();
    let setup = Setup {
        dialect: dialect.clone(),
        limits: Limits { workers: WORKERS, ..Limits::default() },
        masters: Arc::new(move |_| Ok(Some(master.clone()))),
        seed: Secret::new([0x52; 16]),
        worker: Arc::new(move || {
            let context = Context::simulated(number.fetch_add(1, Ordering::Relaxed), Discard);
            Ok((Box::new(issuer.lock().unwrap().handle().unwrap()), context))
        }),
        metrics: None,
    };
    let server = Server::start("127.0.0.1:0", setup).unwrap();
    let address = server.address().to_string();
    let client = |_: &World| -> Box<dyn Host> {
        Box::new(TcpHost::new(address.clone(), dialect.clone(), key.clone(), Timeouts::default()))
    };
    bring(ready(clients), client, &mut world)
}

/// The same rows and commits a second, and nothing else.
fn floor(db: Box<dyn Db>, clients: u32) -> f64 {
    let mut admin = db.handle().unwrap();
    let (_world, clients) = world(db, clients);
    let sql = "SELECT card.id, card_account.account FROM card JOIN card_account ON card_account.card = card.id \
               WHERE card_account.currency = 156 AND card_account.account LIKE 'B%' ORDER BY 2";
    let cards = transact(admin.as_mut(), |tx| tx.query(sql, &[])).unwrap();
    assert_eq!(cards.len(), clients.len());
    let each = count() / cards.len();
    let ready: Vec<_> = cards
        .iter()
        .map(|row| (admin.handle().unwrap(), row.text(0).unwrap(), row.text(1).unwrap()))
        .collect();
    let took = at_once(ready, |(mut db, card, account)| {
        for turn in 1..=each as i64 {
            write_request(db.as_mut(), card, account, turn);
            write_result(db.as_mut(), card, turn);
        }
    });
    count() as f64 / took.as_secs_f64()
}

type Statement<'a> = (&'a str, Vec<Value>);

fn write_request(db: &mut dyn Db, card: &str, account: &str, turn: i64) {
    let id = format!("{card}{turn:08}");
    let mut statements = vec![message("request", card, turn)];
    statements.extend([
        ("UPDATE card SET last_atc = $1 WHERE id = $2", vec![turn.into(), card.into()]),
        (
            "INSERT INTO sighting (card, atc, currency, balance, path, at) VALUES ($1, $2, 156, $3, 'load', $4)",
            vec![card.into(), turn.into(), turn.into(), turn.into()],
        ),
        balance(-1, "account", account),
    ]);
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
    statements.push(answer("request", card, turn, &id));
    write(db, &statements);
}

fn write_result(db: &mut dyn Db, card: &str, turn: i64) {
    let id = format!("{card}{turn:08}");
    let mut statements = vec![message("notice", card, turn)];
    statements.push((
        "UPDATE load SET state = 'landed', settled_at = $1, settled_by = 'notice' WHERE id = $2",
        vec![turn.into(), id.as_str().into()],
    ));
    statements.push(balance(1, "card", card));
    statements.extend(entry(&id, "load landed", ("in_flight", ""), ("card", card)));
    statements.push(answer("notice", card, turn, &id));
    write(db, &statements);
}

fn message<'a>(class: &str, card: &str, turn: i64) -> Statement<'a> {
    let mark = vec![0x55; 16];
    (
        "INSERT INTO message (class, merchant, terminal, batch, trace, business_date, fingerprint, subject, \
         barred, at) VALUES ($1, 'M00000000000001', $2, 1, $3, 20261121, $4, $5, 0, $6) ON CONFLICT DO NOTHING",
        vec![class.into(), card.into(), turn.into(), mark.clone().into(), mark.into(), turn.into()],
    )
}

fn answer<'a>(class: &str, card: &str, turn: i64, id: &str) -> Statement<'a> {
    // As long as an answer with its script and ARPC.
    let text = "x".repeat(if class == "request" { 330 } else { 150 });
    (
        "UPDATE message SET answer = $1, acted_on = $2 WHERE class = $3 AND merchant = 'M00000000000001' \
         AND terminal = $4 AND batch = 1 AND trace = $5 AND business_date = 20261121",
        vec![text.into(), id.into(), class.into(), card.into(), turn.into()],
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
    let posting = |line: i64, (kind, holder): (&str, &str), minor: i64| {
        (
            "INSERT INTO posting (entry, line, kind, holder, currency, minor) VALUES ($1, $2, $3, $4, 156, $5)",
            vec![id.as_str().into(), line.into(), kind.into(), holder.into(), minor.into()],
        )
    };
    vec![
        (
            "INSERT INTO entry (id, what, subject, at) VALUES ($1, $2, $3, 0)",
            vec![id.as_str().into(), what.into(), load.into()],
        ),
        posting(1, from, -1),
        posting(2, to, 1),
    ]
}

fn write(db: &mut dyn Db, statements: &[Statement<'_>]) {
    transact(db, |tx| {
        for (sql, values) in statements {
            assert_eq!(tx.execute(sql, values)?, 1, "{sql}");
        }
        Ok::<_, cardwright::base::store::StoreError>(())
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
