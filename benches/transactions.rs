//! Whole transactions, each beside its floor in the same run: the cryptography and
//! the durable writes that it needs, without a terminal, a card or a host around them.
//! Everything is in memory, so the figures are the program's own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark says what broke by panicking")]

use cardwright::air::link::Interface;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{Db, SealKey, Sealed, Sqlite, StoreError, Tx, Value, transact};
use cardwright::roles::card::Profile;
use cardwright::roles::terminal::{Flow, TerminalConfig};
use cardwright::words::emv::cryptogram::CryptogramVersion;
use cardwright::world::Stage;
use divan::Bencher;

#[path = "support/counter.rs"]
mod counter;

fn main() {
    divan::main();
}

fn stage(interface: Interface) -> (Stage, Context) {
    let profile = Profile::named("ecash").expect("a built-in profile");
    counter::stage(profile, (100_000_000, 50_000), TerminalConfig::default(), interface)
}

fn play(stage: &mut Stage, flow: Flow, context: &mut Context) {
    let outcome = counter::play(stage, flow, context);
    assert!(outcome.verdict.is_success(), "{}", outcome.reason);
}

/// A load by contact: 21 exchanges, request and notice, six journal writes.
#[divan::bench]
fn load(bencher: Bencher) {
    let (mut stage, mut context) = stage(Interface::Contact);
    bencher.bench_local(|| play(&mut stage, Flow::Load, &mut context));
}

/// What a load needs at least: two cryptograms, an ARPC and a script MAC and two
/// issuer-data MACs, made and checked; ten transactions of a store, each sealing a row.
#[divan::bench]
fn load_floor(bencher: Bencher) {
    let mut floor = Floor::new();
    bencher.bench_local(|| {
        floor.cryptograms(2 * 6);
        floor.writes(10);
    });
}

/// A tap by the quick path: no host, four journal writes.
#[divan::bench]
fn tap(bencher: Bencher) {
    let (mut stage, mut context) = stage(Interface::Contactless);
    bencher.bench_local(|| play(&mut stage, Flow::Pay, &mut context));
}

/// What a tap needs at least: one cryptogram, one issuer-data MAC, five transactions.
#[divan::bench]
fn tap_floor(bencher: Bencher) {
    let mut floor = Floor::new();
    bencher.bench_local(|| {
        floor.cryptograms(2);
        floor.writes(5);
    });
}

struct Floor {
    db: Sqlite,
    seal: SealKey,
    context: Context,
    version: &'static CryptogramVersion,
    number: i64,
}

impl Floor {
    fn new() -> Self {
        let mut context = Context::simulated(1, Discard);
        let mut db = Sqlite::in_memory().unwrap();
        transact(&mut db as &mut dyn Db, |tx: &mut dyn Tx| {
            tx.execute("CREATE TABLE floor (id BIGINT PRIMARY KEY, state TEXT, sealed BYTEA)", &[])
        })
        .unwrap();
        let seal = SealKey::random(&mut context);
        let version = CryptogramVersion::by_name("PBOC CVN 01").unwrap();
        Self { db, seal, context, version, number: 0 }
    }

    fn cryptograms(&self, count: usize) {
        for _ in 0..count {
            let key = divan::black_box([7u8; 16]);
            divan::black_box(self.version.application_cryptogram(&key, [0, 1], &[0; 37]));
        }
    }

    fn writes(&mut self, count: usize) {
        for _ in 0..count {
            self.number += 1;
            let sealed = Sealed::seal(&self.seal, "floor.row", &[0; 400], &mut self.context);
            let values = [self.number.into(), "started".into(), Value::Bytes(sealed.0)];
            let write = |tx: &mut dyn Tx| -> Result<u64, StoreError> {
                tx.execute("INSERT INTO floor (id, state, sealed) VALUES ($1, $2, $3)", &values)
            };
            transact(&mut self.db as &mut dyn Db, write).unwrap();
        }
    }
}
