//! The vault at size, each engine beside its own floor: `cargo bench --bench tokens`.
//!
//! `CARDWRIGHT_TOKENS` says how many tokens the vault holds, 1,000,000 unless told. They
//! are put there row by row as the service would have sealed them, many to a transaction.
//! Look-up is a tap of a random token that the vault finds, checks and declines for its
//! domain, so that it costs the whole path and no issuer; its floor reads the token's row
//! by its key and writes the tap's two rows, through the same door, and does nothing
//! else. Provisioning is the whole way of a card into a device in the vault, issuer and
//! bureau included; its floor commits as often, two rows each.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that fails must stop"
)]

use std::time::{Duration, Instant};

use cardwright::air::host::{Entry, Host, KeyKind};
use cardwright::base::store::{Db, Sqlite, StoreError, Value, transact};
use token_kit::{Stage, rules};

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
const TOKENS: usize = 1_000_000;
/// Rows that are put there in one transaction.
const BATCH: usize = 2_000;
/// Look-ups that are timed.
const TAPS: usize = 2_000;
/// Provisionings that are timed.
const ADDS: usize = 300;

fn count() -> usize {
    std::env::var("CARDWRIGHT_TOKENS").ok().and_then(|text| text.parse().ok()).unwrap_or(TOKENS)
}

fn main() {
    println!("{} tokens in the vault; one client", count());
    println!(
        "{:<28} {:>12} {:>12} {:>12} {:>12} {:>10} {:>10} {:>6}",
        "engine", "tap p50 us", "tap p99 us", "floor p50", "floor p99", "adds/s", "floor/s", "ratio"
    );
    let folder = tempfile::tempdir().unwrap();
    measure("sqlite, WAL, FULL", Box::new(Sqlite::open(&folder.path().join("vault.db")).unwrap()));
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
    let mut stage = Stage::on(db, rules(""));
    let mut phone = stage.add("first", KeyKind::SecureElement);
    fill(raw.as_mut(), &phone.token.0);
    // Declined for its domain: a contact tap of a token that pays contactless.
    phone.entry = Entry::Contact;
    let requests: Vec<_> = (0..TAPS).map(|_| stage.tap_request(&mut phone, 100)).collect();
    let mut taps: Vec<Duration> = Vec::with_capacity(TAPS);
    for request in &requests {
        let begin = Instant::now();
        let answer = stage.host.authorise(request, &mut stage.context).unwrap();
        taps.push(begin.elapsed());
        assert!(answer.reason.starts_with("wrong domain"), "{}", answer.reason);
    }
    let mut floors: Vec<Duration> = Vec::with_capacity(TAPS);
    for turn in 0..TAPS {
        let begin = Instant::now();
        floor_tap(raw.as_mut(), &phone.token.0, turn);
        floors.push(begin.elapsed());
    }
    let begin = Instant::now();
    for number in 0..ADDS {
        stage.add(&format!("device {number}"), KeyKind::SecureElement);
    }
    let adds = ADDS as f64 / begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    for number in 0..ADDS {
        floor_add(raw.as_mut(), number);
    }
    let floor = ADDS as f64 / begin.elapsed().as_secs_f64();
    stage.assert_sound();
    let ([tap50, tap99], [floor50, floor99]) = (percentiles(taps), percentiles(floors));
    println!(
        "{engine:<28} {tap50:>12} {tap99:>12} {floor50:>12} {floor99:>12} {adds:>10.0} {floor:>10.0} {:>6.2}",
        adds / floor
    );
}

/// The middle and the 99th of a hundred, microseconds.
fn percentiles(mut all: Vec<Duration>) -> [u128; 2] {
    all.sort_unstable();
    [50, 99].map(|part| all[all.len() * part / 100].as_micros())
}

/// Other tokens, as many as the vault is to hold: the first one's columns under other
/// names, each with a look-up of its own, of a card of its own and on a device of its own.
fn fill(db: &mut dyn Db, first: &str) {
    let mut row_of = |sql: &str, id: Value| {
        transact(db, |tx| tx.query(sql, std::slice::from_ref(&id))).unwrap().remove(0).0
    };
    let token = row_of(
        "SELECT funding, binding, pan, last_four, requestor, keys, assurance, domain, expiry, at, seal \
         FROM token WHERE id = $1",
        first.into(),
    );
    let funding = row_of("SELECT standing, at FROM token_funding WHERE id = $1", token[0].clone());
    let binding = row_of(
        "SELECT requestor, identity, identity_lookup, phone, phone_lookup, at, seal FROM token_binding WHERE id = $1",
        token[1].clone(),
    );
    for batch in (1..count()).collect::<Vec<_>>().chunks(BATCH) {
        transact(db, |tx| {
            for number in batch {
                let scattered = (*number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
                let id = format!("{scattered:032x}");
                let mut insert = |sql: &str, own: Vec<Value>, first: &[Value]| {
                    tx.execute(sql, &[own.as_slice(), first].concat())
                };
                insert(
                    "INSERT INTO token_funding (id, par, card, standing, at) VALUES ($1, $2, $3, $4, $5)",
                    vec![id.as_str().into(), id.as_str().into(), id.as_str().into()],
                    &funding,
                )?;
                insert(
                    "INSERT INTO token_binding (id, funding, requestor, identity, identity_lookup, phone, phone_lookup, \
                     at, seal, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'released')",
                    vec![id.as_str().into(), id.as_str().into()],
                    &binding,
                )?;
                insert(
                    "INSERT INTO token (id, pan_lookup, device, funding, binding, pan, last_four, requestor, keys, \
                     assurance, domain, expiry, at, seal, state, last_atc) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'terminated', 0)",
                    vec![
                        id.as_str().into(),
                        scattered.to_be_bytes().to_vec().into(),
                        format!("filler {number}").into(),
                        id.as_str().into(),
                        id.as_str().into(),
                    ],
                    &token[2..],
                )?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }
    let analyse = transact(db, |tx| tx.execute("ANALYZE", &[]));
    assert!(analyse.is_ok(), "{analyse:?}");
}

fn floor_tap(db: &mut dyn Db, token: &str, turn: usize) {
    // Counters that no tap of this run has.
    let atc = 40_000 + turn as i64;
    transact(db, |tx| {
        let rows = tx.query_locked("SELECT pan, device, domain, state, funding FROM token WHERE id = $1", &[token.into()])?;
        let card = tx.query("SELECT card FROM token_funding WHERE id = $1", &[rows[0].0[4].clone()])?;
        tx.execute(
            "INSERT INTO token_tap (token, atc, fingerprint, card, merchant, terminal, batch, trace, refusal, at) \
             VALUES ($1, $2, $3, $4, 'M00000000000001', 'T0000001', 2, $5, '62wrong domain: of the floor', 0)",
            &[token.into(), atc.into(), vec![7; 16].into(), card[0].0[0].clone(), (turn as i64).into()],
        )?;
        tx.execute("UPDATE token SET last_atc = $1 WHERE id = $2", &[atc.into(), token.into()])
    })
    .unwrap();
}

/// What a green provisioning commits: eligibility, terms, decision, token, data stored,
/// activation, and the issuer's own note of it.
const FLOOR_COMMITS: usize = 6;

fn floor_add(db: &mut dyn Db, number: usize) {
    for commit in 0..FLOOR_COMMITS {
        transact(db, |tx| {
            for row in 0..2 {
                tx.execute(
                    "INSERT INTO token_history (id, subject, what, state, by_whom, reason, at) \
                     VALUES ($1, $2, 'Floor', 'floor', 'service', 'as long as a reason is', 0)",
                    &[format!("f{number:08}{commit}{row}").into(), format!("floor {number}").into()],
                )?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }
}
