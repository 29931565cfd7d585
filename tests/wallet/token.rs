//! Tokens in the phone: added, torn, paid with, suspended, renewed, replaced, lost; and
//! what a break at any point leaves.

use super::kit::{ACCOUNT_MINOR, CNY};
use cardwright::air::host::{
    CodeCheck, CodeSent, Eligibility, Holder, KeyKind, Party, TokenService, TokenState, TokenVerb,
};
use cardwright::air::link::{Card, Fault, FaultControl, FaultPlan, FaultPoint, InProcess, Interface, T0};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Collector;
use cardwright::base::store::{SealKey, Sqlite};
use cardwright::devices::wallet::{
    Added, Applicant, CardState, DirectWire, NewToken, Provisioning, Wallet, WalletError, Wire, life,
};
use cardwright::roles::card::Simulator;
use cardwright::roles::issuer::{AccountId, Issuer};
use cardwright::roles::terminal::journal::Journal;
use cardwright::roles::terminal::{Flow, Outcome, TerminalConfig, Verdict};
use cardwright::roles::token::{TokenRules, Tokens};
use cardwright::words::emv::Pan;
use cardwright::words::iso4217::Amount;
use cardwright::world::tear::{CrashControl, CrashPlan, CrashingDb};
use cardwright::world::wallet::make_wallet_folder;
use cardwright::world::{
    CardName, DEFAULT_PIN, NewCard, Stage, StoreAddress, issue_card, load_profile, open_books, open_journal,
    open_tokens, replace_card, token_host,
};
use proptest::prelude::*;
use std::time::Duration;

const TAP: Amount = Amount::new(1_000, CNY);

fn holder(phone: &str) -> Holder {
    let text = |text: &str| Secret::new(text.to_owned());
    Holder { name: text("Wang Xiaoming"), identity_number: text("11010119900307"), phone: text(phone) }
}

/// The person, who may have a code.
struct Person {
    phone: &'static str,
    accepts: bool,
    code: Option<Secret<String>>,
    heard: Vec<CodeCheck>,
}

impl Applicant for Person {
    fn accepts(&mut self, _: &Eligibility) -> bool {
        self.accepts
    }

    fn holder(&mut self) -> Option<Holder> {
        Some(holder(self.phone))
    }

    fn code(&mut self, _: Option<&CodeSent>) -> Option<Secret<String>> {
        self.code.take()
    }

    fn hears(&mut self, check: CodeCheck) {
        self.heard.push(check);
    }
}

/// A wire whose card can be pulled.
struct TornWire(FaultControl);

impl Wire for TornWire {
    fn connect(&mut self, card: Simulator, context: &mut Context) -> Box<dyn Card> {
        let card = T0(InProcess::connect(card, Interface::Contact, context));
        Box::new(Fault::new(card, self.0.clone()))
    }
}

/// A bank, a token service before it, a phone, a shop.
struct Town {
    _folder: tempfile::TempDir,
    store: StoreAddress,
    issuer: Issuer,
    account: AccountId,
    card: NewCard,
    pan: Pan,
    service: Tokens,
    phones: Vec<(std::path::PathBuf, Sqlite, SealKey)>,
    crash: CrashControl,
    journal: Option<Journal>,
    context: Context,
    events: Collector,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let events = Collector::default();
        let mut context = Context::simulated(23, events.clone());
        let store = StoreAddress::Sqlite(folder.path().join("cardwright.db"));
        let mut issuer = open_books(&store, None, &mut context).unwrap();
        let amount = Amount::new(ACCOUNT_MINOR, CNY);
        let account = issuer.open_account(Some("A1"), amount, "Wang Xiaoming", &mut context).unwrap();
        let profile = load_profile(&CardName::Profile("debit".into())).unwrap();
        let accounts = vec![(CNY, account.clone())];
        let card = NewCard { profile, pin: Secret::new(DEFAULT_PIN.into()), balance_minor: 0, accounts };
        let pan = issue_card(&mut issuer, &card, &mut context).unwrap().pan().unwrap();
        issuer.set_account_holder(&account, &holder("13900000001"), &mut context).unwrap();
        let phones = (0..2).map(|number| {
            let path = folder.path().join(format!("phone-{number}"));
            make_wallet_folder(&path).unwrap();
            (path, Sqlite::in_memory().unwrap(), SealKey::from_bytes([number; 32]))
        });
        Self {
            phones: phones.collect(),
            service: open_tokens(&store, None, None, TokenRules::default(), &mut context).unwrap(),
            journal: Some(open_journal(None, &mut context).unwrap()),
            crash: CrashControl::default(),
            _folder: folder,
            store,
            issuer,
            account,
            card,
            pan,
            context,
            events,
        }
    }

    fn crashing(&mut self, phone: usize) -> Result<Wallet, WalletError> {
        let (path, db, seal) = &self.phones[phone];
        let db = cardwright::base::store::Db::handle(db).unwrap();
        let db = Box::new(CrashingDb::new(db, self.crash.clone()));
        Wallet::open(db, path, seal.clone(), &mut self.context)
    }

    fn wallet(&mut self, phone: usize) -> Wallet {
        self.crash.arm(None);
        self.crashing(phone).unwrap()
    }

    /// Adds the card, in a process that may be stopped, over a wire that may be torn.
    fn try_add(
        &mut self,
        phone: usize,
        keys: KeyKind,
        person: &mut Person,
        wire: &mut dyn Wire,
    ) -> Result<Added, WalletError> {
        let mut wallet = self.crashing(phone)?;
        let new = NewToken { name: None, pan: self.pan.clone(), keys };
        let mut provisioning =
            Provisioning { wallet: &mut wallet, service: &mut self.service, applicant: person, wire };
        provisioning.add(&new, &mut self.context)
    }

    fn person(&mut self) -> Person {
        let code = self.issuer.code_on_phone(&self.pan, &mut self.context).unwrap();
        Person { phone: "13900000001", accepts: true, code, heard: Vec::new() }
    }

    /// Adds the card as a person does who does what is asked for; its name in the phone.
    fn add(&mut self, phone: usize, keys: KeyKind) -> String {
        self.crash.arm(None);
        for _ in 0..4 {
            let mut person = self.person();
            match self.try_add(phone, keys, &mut person, &mut DirectWire).unwrap() {
                Added::Active(token) => return token.name,
                Added::Waits { .. } => {}
                Added::Refused { reason } => panic!("{reason}"),
            }
        }
        panic!("the card does not go in");
    }

    fn tap(&mut self, phone: usize, name: &str) -> Outcome {
        let simulator = self.wallet(phone).simulator(Some(name)).unwrap();
        self.tap_with(simulator).unwrap()
    }

    fn tap_with(&mut self, simulator: Simulator) -> Result<Outcome, cardwright::world::WorldError> {
        let card = T0(InProcess::connect(simulator, Interface::Contactless, &mut self.context));
        let journal = self.journal.take().unwrap();
        let issuer = self.issuer.handle().unwrap();
        let mut stage = Stage::new(Box::new(card), issuer, journal, TerminalConfig::default()).unwrap();
        stage.host = token_host(&self.store, None, None, &mut self.context).unwrap();
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let result = stage.transact(Flow::Pay, TAP, &mut pin, &mut self.context);
        self.journal = Some(stage.journal);
        result.map(|(_, outcome)| outcome)
    }

    fn change(&mut self, phone: usize, name: &str, verb: TokenVerb, by: &Party) -> Result<(), WalletError> {
        let mut wallet = self.wallet(phone);
        life::change(&mut wallet, &mut self.service, Some(name), verb, by, &mut self.context).map(|_| ())
    }

    fn active(&mut self) -> usize {
        let views = self.service.tokens(&Party::Issuer, &mut self.context).unwrap();
        views.iter().filter(|view| view.state == TokenState::Active).count()
    }

    fn account_minor(&mut self) -> u64 {
        self.issuer.accounts(&mut self.context).unwrap()[0].balance.minor
    }

    fn assert_sound(&mut self, what: &str) {
        let broken = self.service.vault().check(&mut self.context).unwrap();
        assert!(broken.is_empty(), "{what}: {broken:?}");
        let broken = self.issuer.check(&mut self.context).unwrap();
        assert!(broken.is_empty(), "{what}: {broken:?}");
    }

    fn files(&self, phone: usize) -> usize {
        let files = std::fs::read_dir(self.phones[phone].0.join("cards")).unwrap();
        files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".card")).count()
    }
}

fn wallet_party() -> Party {
    Party::Wallet(Wallet::requestor())
}

#[test]
fn a_card_becomes_a_token_that_pays_by_tap() {
    let mut town = Town::new();
    let mut person = town.person();
    let waits = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire).unwrap();
    assert_eq!(waits, Added::Waits { name: "card-1".into(), what: "the one-time code" });
    assert_eq!((town.active(), town.files(0)), (0, 0));
    let mut wrong = Person { code: Some(Secret::new("nonono".into())), ..town.person() };
    town.try_add(0, KeyKind::SecureElement, &mut wrong, &mut DirectWire).unwrap();
    assert_eq!(wrong.heard, [CodeCheck::Wrong { tries_left: 2 }]);
    let name = town.add(0, KeyKind::SecureElement);
    let token = town.wallet(0).token(Some(&name)).unwrap();
    assert_eq!((name.as_str(), token.last_four.as_str()), ("card-1", town.pan.last_four()));

    let outcome = town.tap(0, &name);
    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
    let shown = outcome.pan.unwrap();
    assert!(shown.is_token() && shown.last_four() == token.token_last_four);
    assert_eq!(outcome.funding_last_four.as_deref(), Some(town.pan.last_four()));
    assert_eq!(town.account_minor(), ACCOUNT_MINOR - TAP.minor);
    town.assert_sound("after a tap");
}

#[test]
fn refused_means_that_nothing_is_left() {
    let mut town = Town::new();
    let refusals =
        [Person { accepts: false, ..town.person() }, Person { phone: "13900000002", ..town.person() }];
    for mut person in refusals {
        let added = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire).unwrap();
        assert!(matches!(added, Added::Refused { .. }), "{added:?}");
        assert!(town.wallet(0).cards().unwrap().is_empty());
    }
    town.pan = Pan::with_check_digit("629999123456789").unwrap();
    let mut person = town.person();
    let added = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire).unwrap();
    assert!(matches!(&added, Added::Refused { reason } if reason.contains("no such card")), "{added:?}");
    assert_eq!((town.files(0), town.wallet(0).cards().unwrap().len()), (0, 0));
    town.assert_sound("after refusals");
}

/// Every exchange with the secure element, and every point of it.
#[test]
fn a_torn_personalisation_is_begun_anew_or_rolled_back() {
    for resumes in [true, false] {
        for exchange in 0.. {
            let mut happened = false;
            for point in FaultPoint::ALL {
                let mut town = Town::new();
                let (keys, what) = (KeyKind::SecureElement, format!("exchange {exchange}, {}", point.word()));
                let mut person = town.person();
                town.try_add(0, keys, &mut person, &mut DirectWire).unwrap();
                let hand = FaultControl::default();
                hand.arm(Some(FaultPlan { exchange, point: *point }));
                let mut person = town.person();
                let torn = town.try_add(0, keys, &mut person, &mut TornWire(hand.clone()));
                happened |= hand.is_away();
                assert_eq!(town.active(), usize::from(torn.is_ok()), "{what}");
                if resumes {
                    if torn.is_err() {
                        town.add(0, keys);
                    }
                    let cards = town.wallet(0).cards().unwrap();
                    assert_eq!((town.active(), cards.len(), town.files(0)), (1, 1, 1), "{what}");
                    let outcome = town.tap(0, "card-1");
                    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{what}: {}", outcome.reason);
                } else {
                    town.change(0, "card-1", TokenVerb::Remove, &wallet_party()).unwrap();
                    let cards = town.wallet(0).cards().unwrap();
                    assert_eq!((town.active(), cards.len(), town.files(0)), (0, 0, 0), "{what}");
                }
                town.assert_sound(&what);
            }
            if !happened {
                assert!(exchange > 4, "only {exchange} exchanges");
                break;
            }
        }
    }
}

/// Every write of the phone's store at which its process can be stopped.
#[test]
fn a_phone_that_stops_while_it_adds_a_card_goes_on() {
    for committed in [false, true] {
        for write in 0.. {
            let mut town = Town::new();
            town.wallet(0);
            town.crash.arm(Some(CrashPlan { write, committed }));
            let mut person = town.person();
            let first = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire);
            let mut person = town.person();
            let second = town.try_add(0, KeyKind::SecureElement, &mut person, &mut DirectWire);
            let what = format!("write {write}, {committed}");
            let done = matches!((&first, &second), (Ok(_), Ok(Added::Active(_))));
            // A phone that stopped after its last write had done all of it.
            if !town.wallet(0).cards().unwrap().iter().any(|card| card.state == CardState::Active) {
                town.add(0, KeyKind::SecureElement);
            }
            let cards = town.wallet(0).cards().unwrap();
            assert_eq!((town.active(), cards.len(), town.files(0)), (1, 1, 1), "{what}");
            town.assert_sound(&what);
            if done {
                assert!(write > 8, "only {write} writes");
                break;
            }
        }
    }
}

#[test]
fn the_life_of_a_token_from_both_ends() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    let by = wallet_party();
    for _ in 0..2 {
        town.change(0, &name, TokenVerb::Suspend, &by).unwrap();
        assert_eq!(town.wallet(0).token(None).unwrap().state, CardState::Suspended);
    }
    // Were it to answer, the service would decline it, and say why.
    let bare = town.wallet(0).bare(&name).unwrap();
    let outcome = town.tap_with(bare).unwrap();
    assert!(outcome.reason.contains("suspended by its holder"), "{}", outcome.reason);
    town.change(0, &name, TokenVerb::Resume, &by).unwrap();
    assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);

    // What the issuer holds, the holder does not resume.
    town.change(0, &name, TokenVerb::Suspend, &Party::Issuer).unwrap();
    assert!(town.change(0, &name, TokenVerb::Resume, &by).is_err());
    town.change(0, &name, TokenVerb::Resume, &Party::Issuer).unwrap();

    let (par, digits) = {
        let token = town.wallet(0).token(Some(&name)).unwrap();
        (token.par, token.token_last_four)
    };
    let memory = replace_card(&mut town.issuer, &town.pan.clone(), &town.card, &mut town.context).unwrap();
    let mut wallet = town.wallet(0);
    let (service, context) = (&mut town.service, &mut town.context);
    life::card_changed(&mut wallet, service, &town.pan, &Party::Issuer, &mut DirectWire, context).unwrap();
    let token = wallet.token(Some(&name)).unwrap();
    assert_eq!((token.par, token.token_last_four), (par, digits));
    assert_eq!(token.last_four, memory.pan().unwrap().last_four());
    drop(wallet);
    let outcome = town.tap(0, &name);
    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
    assert_eq!(outcome.funding_last_four.as_deref(), Some(memory.pan().unwrap().last_four()));
    assert_eq!(town.account_minor(), ACCOUNT_MINOR - 2 * TAP.minor);

    let mut wallet = town.wallet(0);
    life::lost_device(&mut wallet, &mut town.service, &by, &mut town.context).unwrap();
    assert_eq!(wallet.token(Some(&name)).unwrap().state, CardState::Suspended);
    drop(wallet);
    assert!(town.change(0, &name, TokenVerb::Resume, &by).is_err());
    town.change(0, &name, TokenVerb::Remove, &by).unwrap();
    assert_eq!((town.active(), town.files(0)), (0, 0));
    town.assert_sound("at the end");
}

#[test]
fn an_expired_token_is_declined_and_a_renewed_one_pays() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    town.context.elapse(Duration::from_secs(1140 * 86_400));
    let outcome = town.tap(0, &name);
    assert!(outcome.reason.contains("expired"), "{}", outcome.reason);
    let mut wallet = town.wallet(0);
    let before = wallet.token(Some(&name)).unwrap().expiry;
    let by = wallet_party();
    let renewed =
        life::renew(&mut wallet, &mut town.service, Some(&name), &by, &mut DirectWire, &mut town.context);
    assert!(renewed.unwrap().expiry > before);
    drop(wallet);
    let outcome = town.tap(0, &name);
    assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
}

#[test]
fn limited_use_keys_run_out_and_are_replenished() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::LimitedUse);
    let mut fetched = 0;
    for _ in 0..12 {
        let mut wallet = town.wallet(0);
        let service = &mut town.service;
        let context = &mut town.context;
        let card = Some(name.as_str());
        let due = life::replenish(&mut wallet, service, card, TAP.minor, false, &mut DirectWire, context);
        fetched += usize::from(due.unwrap().is_some());
        life::note_payment(&mut wallet, card, TAP.minor, context).unwrap();
        drop(wallet);
        let outcome = town.tap(0, &name);
        assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{}", outcome.reason);
    }
    assert_eq!((fetched, town.wallet(0).token(None).unwrap().key), (1, Some(2)));
    // Nobody replenishes: what the key has left is spent, and then it is stale.
    let stale = (0..11).map(|_| town.tap(0, &name)).find(|outcome| !outcome.verdict.is_success()).unwrap();
    assert!(stale.reason.contains("stale key"), "{}", stale.reason);
    let mut wallet = town.wallet(0);
    let context = &mut town.context;
    life::replenish(&mut wallet, &mut town.service, None, 0, false, &mut DirectWire, context).unwrap();
    drop(wallet);
    assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline);
    town.context.elapse(Duration::from_secs(6 * 86_400));
    assert!(town.tap(0, &name).reason.contains("too old"));
    town.assert_sound("after stale keys");
}

/// A replenishment that breaks at any exchange gives the same key when it is asked for
/// again.
#[test]
fn a_torn_replenishment_is_repeated() {
    for exchange in 0.. {
        let mut town = Town::new();
        let name = town.add(0, KeyKind::LimitedUse);
        let hand = FaultControl::default();
        hand.arm(Some(FaultPlan { exchange, point: FaultPoint::AnswerLost }));
        let mut wallet = town.wallet(0);
        let context = &mut town.context;
        let mut wire = TornWire(hand.clone());
        let first = life::replenish(&mut wallet, &mut town.service, None, 0, true, &mut wire, context);
        if first.is_err() {
            life::replenish(&mut wallet, &mut town.service, None, 0, true, &mut DirectWire, context).unwrap();
        }
        assert_eq!(wallet.token(None).unwrap().key, Some(2), "exchange {exchange}");
        drop(wallet);
        assert_eq!(town.tap(0, &name).verdict, Verdict::ApprovedOnline, "exchange {exchange}");
        if first.is_ok() {
            assert!(exchange > 3, "only {exchange} exchanges");
            return;
        }
    }
}

#[test]
fn a_card_copied_to_another_phone_pays_nowhere_new() {
    let mut town = Town::new();
    let name = town.add(0, KeyKind::SecureElement);
    let other = town.add(1, KeyKind::SecureElement);
    assert_eq!(town.active(), 2, "one token for each phone");
    assert_ne!(
        town.wallet(0).token(Some(&name)).unwrap().token_last_four,
        town.wallet(1).token(Some(&other)).unwrap().token_last_four
    );
    // The same card again on the same phone: the newer token takes the older one's place.
    let newer = town.add(0, KeyKind::SecureElement);
    let cards = town.wallet(0).cards().unwrap();
    assert_eq!((town.active(), cards.len(), town.files(0)), (2, 1, 1));
    assert_eq!(town.tap(0, &newer).verdict, Verdict::ApprovedOnline);
    town.assert_sound("two phones");
}

/// What people and faults do to a phone.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Add { phone: usize, limited: bool },
    TornAdd { phone: usize, exchange: usize, point: usize },
    Change { phone: usize, verb: usize, issuer: bool },
    Tap { phone: usize },
    Replace,
    Lose { phone: usize },
    Stop { phone: usize, write: usize, committed: bool },
}

fn deed() -> impl Strategy<Value = Deed> {
    let phone = 0..2_usize;
    prop_oneof![
        3 => (phone.clone(), any::<bool>()).prop_map(|(phone, limited)| Deed::Add { phone, limited }),
        2 => (phone.clone(), 0..8_usize, 0..3_usize)
            .prop_map(|(phone, exchange, point)| Deed::TornAdd { phone, exchange, point }),
        3 => (phone.clone(), 0..3_usize, any::<bool>())
            .prop_map(|(phone, verb, issuer)| Deed::Change { phone, verb, issuer }),
        4 => phone.clone().prop_map(|phone| Deed::Tap { phone }),
        1 => Just(Deed::Replace),
        1 => phone.clone().prop_map(|phone| Deed::Lose { phone }),
        2 => (phone, 0..14_usize, any::<bool>())
            .prop_map(|(phone, write, committed)| Deed::Stop { phone, write, committed }),
    ]
}

impl Town {
    fn first_card(&mut self, phone: usize) -> Option<String> {
        self.wallet(phone).cards().unwrap().first().map(|card| card.name.clone())
    }

    /// Does a deed; a refusal is none of the test's business, and a break is its point.
    fn do_deed(&mut self, deed: Deed) {
        let by = |issuer| if issuer { Party::Issuer } else { wallet_party() };
        match deed {
            Deed::Add { phone, limited } => {
                let keys = if limited { KeyKind::LimitedUse } else { KeyKind::SecureElement };
                for _ in 0..2 {
                    let mut person = self.person();
                    let _ = self.try_add(phone, keys, &mut person, &mut DirectWire);
                }
            }
            Deed::TornAdd { phone, exchange, point } => {
                let hand = FaultControl::default();
                hand.arm(Some(FaultPlan { exchange, point: FaultPoint::ALL[point] }));
                for _ in 0..2 {
                    let mut person = self.person();
                    let wire = &mut TornWire(hand.clone());
                    let _ = self.try_add(phone, KeyKind::SecureElement, &mut person, wire);
                }
            }
            Deed::Change { phone, verb, issuer } => {
                let verb = [TokenVerb::Suspend, TokenVerb::Resume, TokenVerb::Remove][verb];
                if let Some(name) = self.first_card(phone) {
                    let _ = self.change(phone, &name, verb, &by(issuer));
                }
            }
            Deed::Tap { phone } => {
                if let Some(name) = self.first_card(phone)
                    && let Ok(card) = self.wallet(phone).simulator(Some(&name))
                {
                    let _ = self.tap_with(card);
                }
            }
            Deed::Replace => {
                let (old, context) = (self.pan.clone(), &mut self.context);
                let memory = replace_card(&mut self.issuer, &old, &self.card, context).unwrap();
                self.pan = memory.pan().unwrap();
                let _ = self.service.card_changed(&old, &Party::Issuer, &mut self.context);
            }
            Deed::Lose { phone } => {
                let mut wallet = self.wallet(phone);
                let by = wallet_party();
                let _ = life::lost_device(&mut wallet, &mut self.service, &by, &mut self.context);
            }
            Deed::Stop { phone, write, committed } => {
                self.crash.arm(Some(CrashPlan { write, committed }));
                for _ in 0..2 {
                    let mut person = self.person();
                    let _ = self.try_add(phone, KeyKind::SecureElement, &mut person, &mut DirectWire);
                }
                self.crash.arm(None);
            }
        }
    }

    /// What holds at any time.
    fn assert_always(&mut self, paid: u64, what: &str) {
        self.assert_sound(what);
        assert_eq!(self.account_minor(), ACCOUNT_MINOR - paid, "{what}");
        let views = self.service.tokens(&Party::Issuer, &mut self.context).unwrap();
        for phone in 0..self.phones.len() {
            let mut wallet = self.wallet(phone);
            let device = wallet.phone().unwrap().device;
            let active = |view: &&cardwright::air::host::TokenView| {
                view.device == device && view.state == TokenState::Active
            };
            assert!(views.iter().filter(active).count() <= 1, "{what}: two active tokens on one device");
            for card in wallet.cards().unwrap() {
                assert!(card.state != CardState::Removing, "{what}: half removed");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_one_card_has_one_active_token_on_a_device(deeds in prop::collection::vec(deed(), 1..12)) {
        let mut town = Town::new();
        for (at, deed) in deeds.iter().enumerate() {
            town.do_deed(*deed);
            let paid = town.issuer.books(&mut town.context).unwrap().of(CNY).merchants_minor as u64;
            town.assert_always(paid, &format!("after deed {at} of {deeds:?}"));
        }
        let _ = (&town.account, &town.events);
    }
}
