//! What a purse does at a counter, and where the money is then.

use cardwright::air::link::Interface;
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{SealKey, Sqlite};
use cardwright::roles::bureau::KeySet;
use cardwright::roles::issuer::{Issuer, KeyTable, Rules};
use cardwright::roles::terminal::journal::{Journal, State};
use cardwright::roles::terminal::purse::{CappRecord, PurchaseKind, PurseFacts};
use cardwright::roles::terminal::{Depth, TerminalConfig, Verdict};
use cardwright::words::emv::Pan;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso7816::Effect;
use cardwright::words::iso7816::command::ReadRecord;
use cardwright::words::iso7816::{ApduCommand, StatusWord};
use cardwright::words::pboc::purse::PurseId;
use cardwright::world::{CardName, DEFAULT_PIN, Permit, ReaderAddress, Stage, open_card, open_sam};

const CNY: Currency = Currency::CNY;

/// A counter with a fresh purse card and a security module.
struct Shop {
    stage: Stage,
    context: Context,
    pin: Secret<String>,
    total: i64,
}

impl Shop {
    fn open(interface: Interface) -> Self {
        let mut context = Context::simulated(7, Discard);
        let keys = KeySet::test();
        let table = KeyTable::of(Pan::TEST_BIN, keys.dki(), keys.master().clone());
        let table = table.with_purses(KeySet::test_purses());
        let seal = SealKey::random(&mut context);
        let db = Box::new(Sqlite::in_memory().unwrap());
        let mut issuer = Issuer::open(db, seal.clone(), table, Rules::default()).unwrap();
        let config = TerminalConfig::default();
        let at = |name: &str| ReaderAddress::Simulated(CardName::Profile(name.into()));
        let permit = Permit { wants: Effect::Changes, allowed: Effect::Changes };
        let no_seal = |context: &mut Context| Ok(SealKey::random(context));
        let opened = open_card(
            &at("eped"),
            None,
            interface,
            permit,
            Default::default(),
            no_seal,
            &mut issuer,
            &config,
            &mut context,
        );
        let journal = Journal::open(Box::new(Sqlite::in_memory().unwrap()), seal).unwrap();
        let mut stage = Stage::new(opened.unwrap().card, issuer, journal, config.clone()).unwrap();
        stage.sam = Some(open_sam(&at("psam"), Effect::Reads, no_seal, &config, &mut context).unwrap());
        let total = stage.position(CNY, &mut context).unwrap().total_minor();
        Self { stage, context, pin: Secret::new(DEFAULT_PIN.into()), total }
    }

    fn pay(&mut self, purse: PurseId, kind: PurchaseKind, minor: u64) -> Verdict {
        let amount = Amount::new(minor, CNY);
        let done = self.stage.pay_with_purse(purse, kind, amount, &mut self.pin, &mut self.context);
        let (_, outcome) = done.unwrap();
        self.check();
        outcome.verdict
    }

    fn facts(&mut self) -> PurseFacts {
        let facts = self.stage.read(Depth::Quick, &mut self.context).unwrap();
        facts.purses.into_iter().next().unwrap()
    }

    /// Deposit and purse, minor units.
    fn balances(&mut self) -> [u64; 2] {
        let facts = self.facts();
        let minor = |at: usize| facts.balances[at].balance.known().unwrap().minor;
        [minor(0), minor(1)]
    }

    /// No money is made and none is lost.
    fn check(&mut self) {
        assert_eq!(self.stage.position(CNY, &mut self.context).unwrap().total_minor(), self.total);
        self.stage.check(&mut self.context).unwrap();
    }

    fn last_state(&mut self) -> State {
        self.stage.journal.rows().unwrap().last().unwrap().state
    }
}

#[test]
fn a_purse_pays_and_its_issuer_books_by_the_tac() {
    for interface in [Interface::Contact, Interface::Contactless] {
        let mut shop = Shop::open(interface);
        assert_eq!(shop.pay(PurseId::PURSE, PurchaseKind::Simple, 1_250), Verdict::ApprovedOffline);
        assert_eq!(shop.pay(PurseId::DEPOSIT, PurchaseKind::Simple, 300), Verdict::ApprovedOffline);
        assert_eq!(shop.pay(PurseId::DEPOSIT, PurchaseKind::Cash, 1_000), Verdict::ApprovedOffline);
        assert_eq!(shop.balances(), [8_700, 8_750]);
        let recovered = shop.stage.recover(&mut shop.context).unwrap();
        assert!(recovered.rows.iter().all(|row| row.to == State::Confirmed), "{recovered:?}");
        shop.check();
        let books = shop.stage.issuer.books(&mut shop.context).unwrap().of(CNY);
        assert_eq!(books.merchants_minor, 2_550);
        let kinds: Vec<u8> = shop.facts().log.known().unwrap().iter().map(|e| e.record.kind).collect();
        assert_eq!(kinds, [4, 5, 6], "newest first");
    }
}

#[test]
fn more_than_the_purse_holds_is_declined_and_moves_nothing() {
    let mut shop = Shop::open(Interface::Contactless);
    assert_eq!(shop.pay(PurseId::PURSE, PurchaseKind::Simple, 10_001), Verdict::Declined);
    assert_eq!(shop.balances(), [10_000, 10_000]);
    assert!(shop.stage.journal.rows().unwrap().is_empty());
}

#[test]
fn a_wrong_pin_buys_nothing_with_the_deposit() {
    let mut shop = Shop::open(Interface::Contact);
    shop.pin = Secret::new("000000".into());
    assert_eq!(shop.pay(PurseId::DEPOSIT, PurchaseKind::Simple, 100), Verdict::Declined);
    assert_eq!(shop.pay(PurseId::PURSE, PurchaseKind::Simple, 100), Verdict::ApprovedOffline);
}

#[test]
fn a_compound_purchase_writes_its_records_with_the_debit_or_not_at_all() {
    let mut shop = Shop::open(Interface::Contactless);
    let ride = |byte: u8| {
        let mut data = vec![byte; 48];
        data[0] = 0x04;
        CappRecord { sfi: 0x1E, id: 0, data }
    };
    let gate = |fill: u8| {
        let mut data = vec![fill; 50];
        data[0] = 0x02;
        CappRecord { sfi: 0x17, id: 0x02, data }
    };
    let read = |shop: &mut Shop, sfi, record| {
        shop.stage.select_purse(&mut shop.context).unwrap().unwrap();
        let ask = ReadRecord { sfi, record };
        shop.stage.card.transmit(&ask.to_apdu(), &mut shop.context).unwrap()
    };
    // An entry: no money, only records. Then an exit that pays.
    let entry = PurchaseKind::Compound(vec![gate(0x11), ride(0x21)]);
    assert_eq!(shop.pay(PurseId::PURSE, entry, 0), Verdict::ApprovedOffline);
    assert!(shop.facts().log.known().unwrap().is_empty());
    let exit = PurchaseKind::Compound(vec![gate(0x12), ride(0x22)]);
    assert_eq!(shop.pay(PurseId::PURSE, exit, 400), Verdict::ApprovedOffline);
    assert_eq!(read(&mut shop, 0x17, 2).data, gate(0x12).data);
    assert_eq!(read(&mut shop, 0x1E, 1).data, ride(0x22).data);
    assert_eq!(read(&mut shop, 0x1E, 2).data, ride(0x21).data);
    // A record that the file does not take: nothing is debited, and no other record lands.
    let wrong = CappRecord { sfi: 0x1E, id: 0, data: vec![4; 47] };
    let refused = PurchaseKind::Compound(vec![gate(0x13), wrong]);
    assert_eq!(shop.pay(PurseId::PURSE, refused, 400), Verdict::Declined);
    assert_eq!(shop.last_state(), State::Declined);
    assert_eq!(shop.balances()[1], 9_600);
    assert_eq!(read(&mut shop, 0x17, 2).data, gate(0x12).data);
    assert_eq!(read(&mut shop, 0x1E, 3).status, StatusWord::RECORD_NOT_FOUND);
    shop.stage.recover(&mut shop.context).unwrap();
    assert!(shop.stage.journal.open_rows().unwrap().is_empty());
    shop.check();
}

#[test]
fn a_load_and_an_unload_move_money_between_account_and_purse() {
    let mut shop = Shop::open(Interface::Contact);
    let transfer = |shop: &mut Shop, purse, unloads, minor| {
        let amount = Amount::new(minor, CNY);
        let done = shop.stage.transfer_purse(purse, unloads, amount, &mut shop.pin, &mut shop.context);
        let (_, outcome) = done.unwrap();
        shop.check();
        outcome.verdict
    };
    assert_eq!(transfer(&mut shop, PurseId::PURSE, false, 5_000), Verdict::Loaded);
    assert_eq!(transfer(&mut shop, PurseId::DEPOSIT, false, 2_000), Verdict::Loaded);
    assert_eq!(transfer(&mut shop, PurseId::DEPOSIT, true, 12_000), Verdict::Unloaded);
    assert_eq!(shop.balances(), [0, 15_000]);
    let books = shop.stage.issuer.books(&mut shop.context).unwrap().of(CNY);
    assert_eq!((books.accounts_minor, books.in_flight_minor), (55_000, 0));
    assert_eq!(shop.last_state(), State::Confirmed);
    // Each of these is refused, and nothing moves: more than it may hold, more than the account
    // has, more than the deposit holds, and the purse is not unloaded.
    assert_eq!(transfer(&mut shop, PurseId::PURSE, false, 90_000), Verdict::Declined);
    assert_eq!(transfer(&mut shop, PurseId::DEPOSIT, false, 60_000), Verdict::Declined);
    assert_eq!(transfer(&mut shop, PurseId::DEPOSIT, true, 1), Verdict::Declined);
    assert_eq!(transfer(&mut shop, PurseId::PURSE, true, 100), Verdict::Declined);
    assert_eq!(shop.balances(), [0, 15_000]);
    assert!(shop.stage.journal.open_rows().unwrap().is_empty());
}
