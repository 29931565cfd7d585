//! What a purse does at a counter, and where the money is then.

use cardwright::air::link::{Fault, FaultControl, FaultPlan, FaultPoint, Interface};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{SealKey, Sqlite};
use cardwright::roles::bureau::KeySet;
use cardwright::roles::card::Profile;
use cardwright::roles::issuer::{FlagKind, Issuer, KeyTable, Rules};
use cardwright::roles::terminal::journal::{Journal, State};
use cardwright::roles::terminal::purse::{CappRecord, PurchaseKind, PurseChange, PurseFacts};
use cardwright::roles::terminal::{CardFacts, Depth, TerminalConfig, Verdict};
use cardwright::words::emv::Pan;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso7816::Effect;
use cardwright::words::iso7816::command::ReadRecord;
use cardwright::words::iso7816::{ApduCommand, StatusWord};
use cardwright::words::pboc::purse::PurseId;
use cardwright::world::{CardName, DEFAULT_PIN, Permit, ReaderAddress, Stage, open_card, open_sam};
use std::sync::Arc;

const CNY: Currency = Currency::CNY;

/// A counter with a fresh purse card that can be pulled, and a security module.
pub(super) struct Shop {
    pub(super) stage: Stage,
    hand: FaultControl,
    pub(super) context: Context,
    pin: Secret<String>,
    total: i64,
}

impl Shop {
    fn open(interface: Interface) -> Self {
        Self::of("eped", interface)
    }

    /// With a fresh card of this profile.
    pub(super) fn of(profile: &str, interface: Interface) -> Self {
        let at = |name: &str| CardName::Profile(name.into());
        Self::with(interface, at(profile), at("psam"))
    }

    fn with(interface: Interface, card: CardName, sam: CardName) -> Self {
        let mut context = Context::simulated(7, Discard);
        let keys = KeySet::test();
        let table = KeyTable::of(Pan::TEST_BIN, keys.dki(), keys.master().clone());
        let table = table.with_purses(KeySet::test_purses());
        let seal = SealKey::random(&mut context);
        let db = Box::new(Sqlite::in_memory().unwrap());
        let mut issuer = Issuer::open(db, seal.clone(), table, Rules::default()).unwrap();
        let config = TerminalConfig::default();
        let permit = Permit { wants: Effect::Changes, allowed: Effect::Changes };
        let no_seal = |context: &mut Context| Ok(SealKey::random(context));
        let opened = open_card(
            &ReaderAddress::Simulated(card),
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
        let hand = FaultControl::default();
        let card = Box::new(Fault::new(opened.unwrap().card, hand.clone()));
        let mut stage = Stage::new(card, issuer, journal, config.clone()).unwrap();
        let sam = ReaderAddress::Simulated(sam);
        stage.sam = Some(open_sam(&sam, Effect::Reads, no_seal, &config, &mut context).unwrap());
        let total = stage.position(CNY, &mut context).unwrap().total_minor();
        Self { stage, hand, context, pin: Secret::new(DEFAULT_PIN.into()), total }
    }

    pub(super) fn pay(&mut self, purse: PurseId, kind: PurchaseKind, minor: u64) -> Verdict {
        let amount = Amount::new(minor, CNY);
        let done = self.stage.pay_with_purse(purse, kind, amount, &mut self.pin, &mut self.context);
        let (_, outcome) = done.unwrap();
        self.check();
        outcome.verdict
    }

    fn change(&mut self, purse: PurseId, change: PurseChange, minor: u64) -> Verdict {
        let amount = Amount::new(minor, CNY);
        let done = self.stage.change_purse(purse, change, amount, &mut self.pin, &mut self.context);
        let (_, outcome) = done.unwrap();
        self.check();
        outcome.verdict
    }

    fn limit(&mut self, minor: u64) -> Verdict {
        self.change(PurseId::DEPOSIT, PurseChange::Overdraft, minor)
    }

    pub(super) fn load(&mut self, purse: PurseId, minor: u64) -> Verdict {
        self.change(purse, PurseChange::Load, minor)
    }

    pub(super) fn facts(&mut self) -> PurseFacts {
        self.card().purses.into_iter().next().unwrap()
    }

    pub(super) fn card(&mut self) -> CardFacts {
        self.stage.read(Depth::Quick, &mut self.context).unwrap()
    }

    /// Deposit and purse, minor units.
    fn balances(&mut self) -> [u64; 2] {
        let facts = self.facts();
        let minor = |at: usize| facts.balances[at].balance.known().unwrap().minor;
        [minor(0), minor(1)]
    }

    /// No money is made and none is lost.
    pub(super) fn check(&mut self) {
        assert_eq!(self.stage.position(CNY, &mut self.context).unwrap().total_minor(), self.total);
        self.stage.check(&mut self.context).unwrap();
    }

    /// Pays with the purse, and does not look where the money is.
    fn tap(&mut self, minor: u64) -> Verdict {
        let (kind, amount) = (PurchaseKind::Simple, Amount::new(minor, CNY));
        let done = self.stage.pay_with_purse(PurseId::PURSE, kind, amount, &mut self.pin, &mut self.context);
        done.unwrap().1.verdict
    }

    /// Pays, and the card is pulled at the debit.
    fn pay_torn(&mut self, minor: u64, point: FaultPoint) {
        // The debit is the card's last exchange.
        self.stage.recover(&mut self.context).unwrap();
        self.hand.arm(None);
        assert_eq!(self.tap(minor), Verdict::ApprovedOffline);
        let exchange = self.hand.exchanges() - 1;
        self.stage.recover(&mut self.context).unwrap();
        self.hand.arm(Some(FaultPlan { exchange, point }));
        let (kind, amount) = (PurchaseKind::Simple, Amount::new(minor, CNY));
        let done = self.stage.pay_with_purse(PurseId::PURSE, kind, amount, &mut self.pin, &mut self.context);
        assert!(done.is_err(), "{done:?}");
        self.hand.arm(None);
        self.stage.card.reset(&mut self.context).unwrap();
        assert_eq!(self.last_state(), State::InDoubt);
    }

    /// Pays so often at another terminal, which uploads.
    fn elsewhere(&mut self, times: usize) {
        let seal = SealKey::random(&mut self.context);
        let mut journal = Journal::open(Box::new(Sqlite::in_memory().unwrap()), seal).unwrap();
        let mut config =
            Arc::new(TerminalConfig { terminal: "CW000002".into(), ..TerminalConfig::default() });
        std::mem::swap(&mut self.stage.journal, &mut journal);
        std::mem::swap(&mut self.stage.config, &mut config);
        for _ in 0..times {
            assert_eq!(self.tap(100), Verdict::ApprovedOffline);
        }
        self.stage.recover(&mut self.context).unwrap();
        std::mem::swap(&mut self.stage.journal, &mut journal);
        std::mem::swap(&mut self.stage.config, &mut config);
    }

    fn doubts(&mut self) -> usize {
        let flags = self.stage.issuer.flags(&mut self.context).unwrap();
        flags.iter().filter(|flag| flag.kind == FlagKind::SaleDoubtful).count()
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
        let change = if unloads { PurseChange::Unload } else { PurseChange::Load };
        shop.change(purse, change, minor)
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

#[test]
fn an_overdraft_limit_is_money_that_the_bank_lends_and_takes_back() {
    let mut shop = Shop::open(Interface::Contact);
    let lent = |shop: &mut Shop| shop.stage.issuer.books(&mut shop.context).unwrap().of(CNY).credit_minor;
    assert_eq!(shop.limit(20_000), Verdict::LimitChanged);
    assert_eq!(
        (shop.last_state(), shop.balances(), lent(&mut shop)),
        (State::Confirmed, [30_000, 10_000], -20_000)
    );
    // More than the holder's own money, and its merchant is paid.
    assert_eq!(shop.pay(PurseId::DEPOSIT, PurchaseKind::Simple, 25_000), Verdict::ApprovedOffline);
    shop.stage.recover(&mut shop.context).unwrap();
    shop.check();
    assert_eq!(shop.stage.issuer.books(&mut shop.context).unwrap().of(CNY).merchants_minor, 25_000);
    let facts = shop.facts();
    assert_eq!(facts.balances[0].own_minor(), Some(-15_000));
    assert_eq!(facts.log.known().unwrap().len(), 2);
    // What is overdrawn is not unloaded, and the limit is not cut below it.
    assert_eq!(shop.change(PurseId::DEPOSIT, PurseChange::Unload, 100), Verdict::Declined);
    assert_eq!(shop.limit(14_900), Verdict::Declined);
    assert_eq!(shop.limit(15_000), Verdict::LimitChanged);
    assert_eq!((shop.balances(), lent(&mut shop)), ([0, 10_000], -15_000));
    assert_eq!(shop.change(PurseId::DEPOSIT, PurseChange::Load, 30_000), Verdict::Loaded);
    assert_eq!(shop.limit(0), Verdict::LimitChanged);
    assert_eq!((shop.balances(), lent(&mut shop)), ([15_000, 10_000], 0));
    // The issuer's most, the same again, another purse, more than three bytes.
    assert_eq!(shop.limit(100_001), Verdict::Declined);
    assert_eq!(shop.limit(0), Verdict::Declined);
    assert_eq!(shop.change(PurseId::PURSE, PurseChange::Overdraft, 100), Verdict::Declined);
    assert_eq!(shop.limit(1 << 24), Verdict::Declined);
    assert_eq!(shop.limit(100_000), Verdict::LimitChanged);
    // The limit is no part of what the deposit may hold.
    assert_eq!(shop.change(PurseId::DEPOSIT, PurseChange::Load, 10_000), Verdict::Loaded);
    assert!(shop.stage.journal.open_rows().unwrap().is_empty());
}

#[test]
fn a_purchase_whose_tac_is_lost_is_doubtful_until_the_balance_proves_it() {
    // Still in the log; gone from it; never paid, and gone from it.
    for (point, times) in
        [(FaultPoint::AnswerLost, 1), (FaultPoint::AnswerLost, 11), (FaultPoint::BeforeCommand, 11)]
    {
        let mut shop = Shop::open(Interface::Contact);
        shop.pay_torn(500, point);
        shop.elsewhere(times);
        let recovered = shop.stage.recover(&mut shop.context).unwrap();
        let row = recovered.due().next().unwrap();
        assert!(row.why.contains("doubtful: "), "{row:?}");
        assert_eq!(shop.doubts(), 1);
        let paid_elsewhere = 100 * times as i64;
        let merchants =
            |shop: &mut Shop| shop.stage.issuer.books(&mut shop.context).unwrap().of(CNY).merchants_minor;
        assert_eq!(merchants(&mut shop), 500 + paid_elsewhere, "nobody is paid on the terminal's word");
        // The next load's MAC1 proves the balance; the terminal hears of it afterwards.
        let (change, load) = (PurseChange::Load, Amount::new(1_000, CNY));
        let done = shop.stage.change_purse(PurseId::PURSE, change, load, &mut shop.pin, &mut shop.context);
        assert_eq!(done.unwrap().1.verdict, Verdict::Loaded);
        let recovered = shop.stage.recover(&mut shop.context).unwrap();
        assert!(recovered.rows.iter().all(|row| row.to.is_final()), "{recovered:?}");
        let landed = point == FaultPoint::AnswerLost;
        let state = shop.stage.journal.rows().unwrap()[1].state;
        assert_eq!(state, if landed { State::Confirmed } else { State::Declined });
        assert_eq!(merchants(&mut shop), 500 + paid_elsewhere + if landed { 500 } else { 0 });
        assert_eq!(shop.doubts(), 0);
        shop.check();
    }
}

#[test]
fn what_may_be_another_purchase_stays_doubtful() {
    let mut shop = Shop::open(Interface::Contact);
    shop.pay_torn(500, FaultPoint::AnswerLost);
    // Another terminal has taken as much, and has not uploaded it yet.
    let seal = SealKey::random(&mut shop.context);
    let mut journal = Journal::open(Box::new(Sqlite::in_memory().unwrap()), seal).unwrap();
    std::mem::swap(&mut shop.stage.journal, &mut journal);
    assert_eq!(shop.tap(500), Verdict::ApprovedOffline);
    std::mem::swap(&mut shop.stage.journal, &mut journal);
    shop.stage.recover(&mut shop.context).unwrap();
    let (change, load) = (PurseChange::Load, Amount::new(1_000, CNY));
    shop.stage.change_purse(PurseId::PURSE, change, load, &mut shop.pin, &mut shop.context).unwrap();
    let recovered = shop.stage.recover(&mut shop.context).unwrap();
    assert_eq!((recovered.due().count(), shop.doubts()), (1, 1), "{recovered:?}");
    // Its upload explains what it took: the rest was ours.
    let mut config = Arc::new(TerminalConfig { terminal: "CW000002".into(), ..TerminalConfig::default() });
    for _ in 0..2 {
        std::mem::swap(&mut shop.stage.journal, &mut journal);
        std::mem::swap(&mut shop.stage.config, &mut config);
        shop.stage.recover(&mut shop.context).unwrap();
    }
    assert_eq!((shop.last_state(), shop.doubts()), (State::Confirmed, 0));
    assert!(shop.stage.journal.open_rows().unwrap().is_empty());
    shop.check();
}

#[test]
fn a_certification_code_is_covered_by_mac1_where_card_and_module_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(format!("{name}.toml"));
        std::fs::write(&path, text).unwrap();
        CardName::ProfileFile(path)
    };
    // The code of the public trace of a city's card (reference: Changsha).
    let own = "[application.purse]\ncertification_code = \"8588D32B7688D32B76\"";
    let coded = Profile::text_of("eped").unwrap().replace("[application.purse]", own);
    let coded = file("coded", coded);
    // The module's two applications, each alone.
    let psam = Profile::text_of("psam").unwrap();
    let parts: Vec<&str> = psam.split("[[application]]").collect();
    let alone = |at: usize| file(&format!("psam{at}"), format!("{}[[application]]{}", parts[0], parts[at]));
    let (transport, housing) = (alone(1), alone(2));
    let plain = |name: &str| CardName::Profile(name.into());
    let ride = PurchaseKind::Compound(vec![CappRecord { sfi: 0x1E, id: 0, data: vec![0x06; 48] }]);
    let mut city = Shop::with(Interface::Contactless, coded.clone(), housing.clone());
    assert_eq!(city.pay(PurseId::PURSE, PurchaseKind::Simple, 100), Verdict::ApprovedOffline);
    assert_eq!(city.pay(PurseId::PURSE, ride, 200), Verdict::ApprovedOffline);
    city.stage.recover(&mut city.context).unwrap();
    assert_eq!(city.stage.issuer.books(&mut city.context).unwrap().of(CNY).merchants_minor, 300);
    // A module that covers no code, and a card that has none: neither pays, and nothing moves. What
    // has both takes the one that the card's layout wants.
    let rows = [
        (coded, &transport, Verdict::Declined),
        (plain("eped"), &housing, Verdict::Declined),
        (plain("city-union"), &transport, Verdict::Declined),
        (plain("city-union"), &housing, Verdict::ApprovedOffline),
        (plain("city-union"), &plain("psam"), Verdict::ApprovedOffline),
        (plain("t-union"), &plain("psam"), Verdict::ApprovedOffline),
    ];
    for (at, (card, module, expected)) in rows.into_iter().enumerate() {
        let mut other = Shop::with(Interface::Contactless, card, module.clone());
        assert_eq!(other.pay(PurseId::PURSE, PurchaseKind::Simple, 100), expected, "row {at}");
        let left = if expected == Verdict::Declined { 10_000 } else { 9_900 };
        let own = other.facts().balances.last().and_then(|balance| balance.own_minor());
        assert_eq!(own, Some(left), "row {at}");
    }
}
