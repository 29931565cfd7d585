//! The vault at size, each engine beside its own floor: `cargo bench --bench tokens`.
//!
//! `CARDWRIGHT_TOKENS` says how many tokens the vault holds, 20,000 unless told. Each is
//! the whole of a finished provisioning: account, card, binding, token, provisioning and
//! the history of all three, its numbers and people its own, sealed and hashed under the
//! vault's own keys; many rows to a statement, many statements to a transaction.
//!
//! Look-up is a tap of a random token that the vault finds, checks and declines for its
//! domain, so that it costs the whole path and no issuer; its floor reads a random
//! token's row by its key and writes a tap's two rows, through the same door, and does
//! nothing else. Provisioning is the whole way of a card into a device in the vault,
//! issuer and bureau included; its floor makes as many writes in as many commits, which
//! are counted, not promised. Ours and the floor take turns.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that fails must stop"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use cardwright::air::host::{Entry, Host, KeyKind, Request, TokenReference};
use cardwright::base::store::{Db, SealKey, Sealed, Sqlite, StoreError, Tx, Value, transact};
use cardwright::roles::bureau::KeySet;
use cardwright::words::emv::Pan;
use cardwright::words::emv::cryptogram::CryptogramVersion;
use counted::{Counted, Counts};
use issuer_kit::Card;
use token_kit::{PHONE, Phone, Stage, own_seal, quiet, rules};

#[path = "support/counted.rs"]
mod counted;
#[path = "../tests/issuer/kit.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod issuer_kit;
#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod support;

/// Where the kits look for each other.
mod issuer {
    pub(crate) use super::issuer_kit as kit;
}

#[path = "../tests/token/kit.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod token_kit;

/// Where the kits look for an empty store.
mod store {
    pub(crate) fn fresh_store() -> Box<dyn super::Db> {
        Box::new(super::Sqlite::in_memory().unwrap())
    }
}

/// Tokens in the vault, unless `CARDWRIGHT_TOKENS` says otherwise.
const TOKENS: u64 = 20_000;
/// Tokens that are put there in one transaction.
const BATCH: u64 = 2_000;
/// Values of one statement: any engine takes as many.
const VALUES: usize = 2_000;
/// Look-ups that are timed, and how many before it is the floor's turn.
const TAPS: usize = 2_000;
const TAPS_IN_TURN: usize = 100;
/// Provisionings that are timed, and how many before it is the floor's turn.
const ADDS: usize = 300;
const ADDS_IN_TURN: usize = 20;
/// Taps and provisionings before the clock runs: statements are prepared.
const WARM: usize = 10;

fn count() -> u64 {
    std::env::var("CARDWRIGHT_TOKENS").ok().and_then(|text| text.parse().ok()).unwrap_or(TOKENS)
}

fn main() {
    println!("{} tokens in the vault; one client", count());
    let folder = tempfile::tempdir().unwrap();
    measure("sqlite, WAL, FULL", Box::new(Sqlite::open(&folder.path().join("vault.db")).unwrap()));
    drop(folder);
    #[cfg(all(feature = "postgres", target_os = "linux"))]
    server();
}

#[cfg(all(feature = "postgres", target_os = "linux"))]
fn server() {
    use cardwright::base::store::Postgres;
    match support::postgres::PrivatePostgres::start(true) {
        Ok(server) => {
            measure("postgresql, read-committed", Box::new(Postgres::open(&server.address()).unwrap()))
        }
        Err(reason) => println!("postgresql: not run: {reason}"),
    }
}

fn measure(engine: &str, db: Box<dyn Db>) {
    let mut raw = db.handle().unwrap();
    let counts = Arc::new(Counts::default());
    let db = Box::new(Counted { db, counts: Arc::clone(&counts) });
    let mut stage = Stage::on(db, rules(""));
    let first = stage.add("first", KeyKind::SecureElement);
    let begin = Instant::now();
    Filler::of(raw.as_mut(), &first).fill(engine);
    println!("{engine}: filled in {:.0} s", begin.elapsed().as_secs_f64());

    let requests: Vec<Request> = (0..WARM + TAPS).map(|turn| tap(&mut stage, turn)).collect();
    let mut tapped = 0;
    let mut own = || {
        let answer = stage.host.authorise(&requests[tapped], &mut stage.context).unwrap();
        assert!(answer.reason.starts_with("wrong domain"), "{}", answer.reason);
        tapped += 1;
    };
    let mut turn = 0;
    let mut floor = || {
        turn += 1;
        floor_tap(raw.as_mut(), turn);
    };
    let (own, floor) = take_turns(TAPS, TAPS_IN_TURN, &mut own, &mut floor);
    counts.take();
    let request = tap(&mut stage, WARM + TAPS);
    stage.host.authorise(&request, &mut stage.context).unwrap();
    println!(
        "{engine}: a tap: {}; p50 {} us, p99 {} us; floor p50 {} us, p99 {} us",
        statements(counts.take()),
        part(&own, 50),
        part(&own, 99),
        part(&floor, 50),
        part(&floor, 99)
    );

    let mut cards: Vec<Pan> = (0..=WARM + ADDS).map(|number| order(&mut stage, number)).collect();
    counts.take();
    add(&mut stage, cards.pop().unwrap());
    let counted = counts.take();
    let mut own = || add(&mut stage, cards.pop().unwrap());
    let mut number = 0;
    let mut floor = || {
        number += 1;
        floor_add(raw.as_mut(), counted, number);
    };
    let (own, floor) = take_turns(ADDS, ADDS_IN_TURN, &mut own, &mut floor);
    let speed = |all: &[Duration]| all.len() as f64 / all.iter().sum::<Duration>().as_secs_f64();
    println!(
        "{engine}: a provisioning: {}; {:.0} a second; floor {:.0} a second; ratio {:.2}",
        statements(counted),
        speed(&own),
        speed(&floor),
        speed(&own) / speed(&floor)
    );
    stage.assert_sound();
}

fn statements([writes, reads, commits, writing]: [u64; 4]) -> String {
    format!("{writes} writes, {reads} reads, {commits} transactions of which {writing} write")
}

/// Runs two jobs by turns, some at a time, and gives the times of each, shortest first.
fn take_turns<'a>(
    count: usize,
    in_turn: usize,
    own: &'a mut dyn FnMut(),
    floor: &'a mut dyn FnMut(),
) -> (Vec<Duration>, Vec<Duration>) {
    let mut jobs = [own, floor];
    let mut times = [Vec::with_capacity(count), Vec::with_capacity(count)];
    (0..WARM).for_each(|_| jobs.iter_mut().for_each(|job| job()));
    for _ in 0..count / in_turn {
        for (job, times) in jobs.iter_mut().zip(&mut times) {
            for _ in 0..in_turn {
                let begin = Instant::now();
                job();
                times.push(begin.elapsed());
            }
        }
    }
    let [mut own, mut floor] = times;
    own.sort_unstable();
    floor.sort_unstable();
    (own, floor)
}

/// The n-th of a hundred, microseconds.
fn part(sorted: &[Duration], hundredth: usize) -> u128 {
    sorted[sorted.len() * hundredth / 100].as_micros()
}

/// A random token, by the turn: Fibonacci hashing leaves no order between them.
fn random_number(turn: usize) -> u64 {
    (turn as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) % (count() - 1).max(1) + 1
}

/// A tap by contact of a token that pays contactless.
fn tap(stage: &mut Stage, turn: usize) -> Request {
    let number = random_number(turn);
    let (pan, version) = (token_pan(number), CryptogramVersion::by_name("PBOC CVN 01").unwrap());
    let keys = KeySet::test_tokens().card_keys(version, &pan, 0).unwrap();
    let mut card = Card::with_keys(pan, version, keys, KeySet::TEST_TOKEN_DKI);
    // Twice in this run the same token may be drawn.
    card.atc = u16::try_from(turn).unwrap();
    let token = TokenReference(id_of(number, TOKEN));
    let mut phone = Phone { card, token, mark: vec![0; 16], entry: Entry::Contact };
    stage.tap_request(&mut phone, 100)
}

/// Puts a card on the issuer's file.
fn order(stage: &mut Stage, number: usize) -> Pan {
    let mut order = stage.world.order.clone();
    order.pan = Pan::with_check_digit(&format!("6299992{number:08}")).unwrap();
    stage.world.issuer.order_card(&order, &mut stage.context).unwrap();
    order.pan
}

/// The whole way of a card into a device.
fn add(stage: &mut Stage, pan: Pan) {
    let mut request = stage.request(&format!("phone of {}", pan.last_four()), KeyKind::SecureElement);
    request.pan = pan;
    stage.add_request(&request, PHONE);
}

/// Which of a filler's rows an id is of; history rows follow from [`HISTORY`] on.
const FUNDING: u64 = 0;
const CARD: u64 = 1;
const BINDING: u64 = 2;
const TOKEN: u64 = 3;
const PROVISIONING: u64 = 4;
const HISTORY: u64 = 5;

/// An id as the vault makes it: by time, then scattered.
fn id_of(number: u64, row: u64) -> String {
    let scattered = (number * 32 + row).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("{:016x}{scattered:016x}", number * 32 + row)
}

/// The number of a filler's token: each once, in no order.
fn token_pan(number: u64) -> Pan {
    Pan::with_check_digit(&format!("{}{:08}", Pan::TOKEN_BIN, number * 61_803_399 % 100_000_000)).unwrap()
}

/// What puts tokens into the vault.
struct Filler<'a> {
    db: &'a mut dyn Db,
    seal: SealKey,
    lookup: SealKey,
    /// The name of the sealing key, and what a token's row says beside its own.
    seal_name: Value,
    token: Vec<Value>,
    /// What happened to provisioning, binding and token, each with whose history it is.
    history: Vec<(u64, Vec<Value>)>,
}

impl<'a> Filler<'a> {
    /// From the rows of a token that the service has made.
    fn of(db: &'a mut dyn Db, first: &Phone) -> Self {
        let mut rows = |sql: &str, values: &[Value]| transact(db, |tx| tx.query(sql, values)).unwrap();
        let seal = own_seal();
        let vault = rows("SELECT lookup_key, seal FROM token_vault", &[]).remove(0);
        let lookup = Sealed(vault.bytes(0).unwrap().to_vec()).open(&seal, "token_vault.lookup_key").unwrap();
        let lookup = SealKey::from_bytes(lookup.expose().as_slice().try_into().unwrap());
        let token = rows(
            "SELECT requestor, keys, assurance, domain, state, expiry, last_atc, at FROM token WHERE id = $1",
            &[first.token.0.as_str().into()],
        );
        let history = [
            ("SELECT id FROM token_provisioning", PROVISIONING),
            ("SELECT id FROM token_binding", BINDING),
            ("SELECT id FROM token", TOKEN),
        ]
        .into_iter()
        .flat_map(|(subject, whose)| {
            let sql = format!(
                "SELECT what, state, by_whom, reason, at FROM token_history WHERE subject IN ({subject})"
            );
            rows(&sql, &[]).into_iter().map(move |row| (whose, row.0))
        })
        .collect();
        let seal_name = vault.0[1].clone();
        Self { seal, lookup, seal_name, token: token[0].0.clone(), history, db }
    }

    fn fill(mut self, engine: &str) {
        let (count, mut context, begin) = (count(), quiet(17), Instant::now());
        let mut number = 1;
        while number < count {
            let last = (number + BATCH).min(count);
            let tables = self.rows(number..last, &mut context);
            transact(self.db, |tx| {
                tables.iter().try_for_each(|(table, columns, rows)| insert(tx, table, columns, rows))
            })
            .unwrap();
            if last / 100_000 > number / 100_000 {
                eprintln!("{engine}: {last} tokens after {:.0} s", begin.elapsed().as_secs_f64());
            }
            number = last;
        }
        // So that the planner knows what a server with these rows knows.
        transact(self.db, |tx| tx.execute("ANALYZE", &[])).unwrap();
    }

    /// The rows of some tokens, table by table.
    fn rows(
        &mut self,
        numbers: std::ops::Range<u64>,
        context: &mut cardwright::base::context::Context,
    ) -> Tables {
        let mut tables: Tables = TABLES.map(|(table, columns)| (table, columns, Vec::new()));
        for number in numbers {
            let mut sealed = |purpose: &'static str, text: &str| {
                let sealed = Sealed::seal(&self.seal, purpose, text.as_bytes(), context).0;
                (Value::Bytes(sealed), Value::Bytes(Sealed::lookup(&self.lookup, purpose, text.as_bytes())))
            };
            let (id, at) = (|row| Value::from(id_of(number, row)), self.token[7].clone());
            let card = Pan::with_check_digit(&format!("6299991{number:08}")).unwrap();
            let token = token_pan(number);
            let (par, _) = sealed("token_funding.par", &format!("CW01{number:025}"));
            let (card, card_lookup) = sealed("token_card.pan", card.expose());
            let (identity, identity_lookup) =
                sealed("token_binding.identity", &format!("Holder {number}\n1101051949{number:08}"));
            let (phone, phone_lookup) = sealed("token_binding.phone", &format!("138{number:08}"));
            let (pan, pan_lookup) = sealed("token.pan", token.expose());
            let [requestor, keys, assurance, domain, state, expiry, last_atc] =
                <[Value; 7]>::try_from(self.token[..7].to_vec()).unwrap();
            let (seal, device) = (|| self.seal_name.clone(), Value::from(format!("device {number}")));
            let rows = [
                vec![id(FUNDING), par, id(CARD), "good".into(), at.clone(), seal()],
                vec![id(CARD), id(FUNDING), card, card_lookup, 0.into(), 20_301_231.into(), seal()],
                vec![
                    id(BINDING),
                    id(FUNDING),
                    requestor.clone(),
                    identity,
                    identity_lookup,
                    phone,
                    phone_lookup,
                    "bound".into(),
                    at.clone(),
                    seal(),
                ],
                vec![
                    id(TOKEN),
                    pan,
                    pan_lookup,
                    token.last_four().into(),
                    id(FUNDING),
                    id(BINDING),
                    requestor.clone(),
                    device.clone(),
                    keys.clone(),
                    assurance,
                    domain,
                    state,
                    expiry,
                    last_atc,
                    at.clone(),
                    seal(),
                ],
                vec![
                    requestor,
                    id(PROVISIONING),
                    id(FUNDING),
                    device,
                    5.into(),
                    keys,
                    "activated".into(),
                    "green|".into(),
                    id(BINDING),
                    id(TOKEN),
                    at,
                ],
            ];
            tables.iter_mut().zip(rows).for_each(|(table, row)| table.2.push(row));
            for (row, (whose, said)) in self.history.iter().enumerate() {
                let named = [id(HISTORY + row as u64), id(*whose)];
                tables[5].2.push([named.as_slice(), said].concat());
            }
        }
        tables
    }
}

type Tables = [(&'static str, &'static str, Vec<Vec<Value>>); 6];

/// The tables that a provisioning leaves rows in, in the order of what refers to what.
const TABLES: [(&str, &str); 6] = [
    ("token_funding", "id, par, card, standing, at, seal"),
    ("token_card", "id, funding, pan, pan_lookup, psn, expiry, seal"),
    (
        "token_binding",
        "id, funding, requestor, identity, identity_lookup, phone, phone_lookup, state, at, seal",
    ),
    (
        "token",
        "id, pan, pan_lookup, last_four, funding, binding, requestor, device, keys, assurance, domain, \
         state, expiry, last_atc, at, seal",
    ),
    (
        "token_provisioning",
        "requestor, id, funding, device, device_score, keys, state, decision, binding, token, at",
    ),
    ("token_history", "id, subject, what, state, by_whom, reason, at"),
];

/// Many rows to a statement.
fn insert(tx: &mut dyn Tx, table: &str, columns: &str, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    let width = columns.split(',').count();
    for rows in rows.chunks(VALUES / width) {
        let row = |number: usize| {
            let places: Vec<String> =
                (1..=width).map(|place| format!("${}", number * width + place)).collect();
            format!("({})", places.join(", "))
        };
        let places: Vec<String> = (0..rows.len()).map(row).collect();
        tx.execute(&format!("INSERT INTO {table} ({columns}) VALUES {}", places.join(", ")), &rows.concat())?;
    }
    Ok(())
}

fn floor_tap(db: &mut dyn Db, turn: usize) {
    let token = id_of(random_number(turn), TOKEN);
    // Counters that no tap of this run has.
    let atc = 40_000 + turn as i64;
    transact(db, |tx| {
        let rows = tx.query_locked(
            "SELECT pan, device, domain, state, funding FROM token WHERE id = $1",
            &[token.as_str().into()],
        )?;
        let card = tx.query("SELECT card FROM token_funding WHERE id = $1", &[rows[0].0[4].clone()])?;
        tx.execute(
            "INSERT INTO token_tap (token, atc, fingerprint, card, merchant, terminal, batch, trace, refusal, at) \
             VALUES ($1, $2, $3, $4, 'M00000000000001', 'T0000001', 2, $5, '62wrong domain: of the floor', 0)",
            &[
                token.as_str().into(),
                atc.into(),
                vec![7; 16].into(),
                card[0].0[0].clone(),
                (turn as i64).into(),
            ],
        )?;
        // A write like any other, and no counter of a token that is tapped later.
        tx.execute("UPDATE token SET last_atc = last_atc WHERE id = $1", &[token.as_str().into()])
    })
    .unwrap();
}

/// As many writes in as many commits, each a row of history.
fn floor_add(db: &mut dyn Db, [writes, _, _, commits]: [u64; 4], number: usize) {
    for commit in 0..commits {
        transact(db, |tx| {
            for row in (commit..writes).step_by(commits as usize) {
                tx.execute(
                    "INSERT INTO token_history (id, subject, what, state, by_whom, reason, at) \
                     VALUES ($1, $2, 'Floor', 'floor', 'service', 'as long as a reason is', 0)",
                    &[format!("floor{number:08}{row:04}").into(), format!("floor {number}").into()],
                )?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }
}
