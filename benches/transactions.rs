//! Whole transactions, each beside its floor in the same run: the cryptography and
//! the durable writes that it needs, without a terminal, a card or a host around them.
//! Everything is in memory, so the figures are the program's own.

#![allow(clippy::unwrap_used, reason = "a benchmark says what broke by panicking")]

use cardwright::air::link::{InProcess, Interface, T0};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{Db, SealKey, Sealed, Sqlite, StoreError, Tx, Value, transact};
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::terminal::{Flow, Seat, TerminalConfig, Terms, drive};
use cardwright::words::emv::cryptogram::CryptogramVersion;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::world::{DEFAULT_PIN, NewCard, Stage, StoreAddress, issue_card, open_books, open_journal};
use divan::Bencher;
use std::sync::Arc;

fn main() {
    divan::main();
}

fn stage(interface: Interface) -> (Stage, Context) {
    let mut context = Context::simulated(1, Discard);
    let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
    let profile = Profile::named("ecash").unwrap();
    let new = NewCard::with_accounts(&mut issuer, profile, 100_000_000, 50_000, &mut context).unwrap();
    let card = Simulator::in_memory(issue_card(&mut issuer, &new, &mut context).unwrap());
    let card = InProcess::connect(card, interface, &mut context);
    let journal = open_journal(None, &mut context).unwrap();
    let stage = Stage::new(Box::new(T0(card)), issuer, journal, TerminalConfig::default()).unwrap();
    (stage, context)
}

fn play(stage: &mut Stage, flow: Flow, context: &mut Context) {
    let terms = Terms {
        confirmation: (1, 1),
        original: None,
        payer: None,
        config: Arc::clone(&stage.config),
        flow,
        mode: stage.config.entry(flow, stage.card.activation().interface),
        amount: Amount::new(1, Currency::CNY),
        trace: stage.journal.next_trace().unwrap(),
        at: context.now(),
        cashback_minor: 0,
        forced_online: false,
    };
    let mut pin = Secret::new(DEFAULT_PIN.to_owned());
    let mut seat = Seat {
        card: &mut stage.card,
        payer: None,
        host: &mut stage.host,
        cardholder: &mut pin,
        journal: &mut stage.journal,
    };
    let outcome = drive(terms, &mut seat, context).unwrap();
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
