//! A bank, a token service before it, two phones, a shop: the stage of tokens in phones.

use super::kit::{ACCOUNT_MINOR, CNY};
use cardwright::air::host::{
    Attended, CodeCheck, CodeSent, Eligibility, Holder, Host, KeyKind, Party, TokenService, TokenState,
    TokenVerb, Verb,
};
use cardwright::air::link::{Card, Fault, FaultControl, InProcess, Interface, T0};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{SealKey, Sqlite};
use cardwright::devices::wallet::{
    Added, Applicant, DirectWire, NewToken, Provisioning, Wallet, WalletError, Wire, life,
};
use cardwright::roles::card::Simulator;
use cardwright::roles::issuer::Issuer;
use cardwright::roles::terminal::journal::Journal;
use cardwright::roles::terminal::{Flow, Outcome, TerminalConfig};
use cardwright::roles::token::{TokenRules, Tokens};
use cardwright::words::dictionary::tag;
use cardwright::words::iso4217::Amount;
use cardwright::world::tear::{CrashControl, CrashingDb};
use cardwright::world::wallet::make_wallet_folder;
use cardwright::world::{
    CardName, DEFAULT_PIN, FormerCard, NewCard, Stage, StoreAddress, WorldError, issue_card, load_profile,
    open_books, open_journal, open_vault_in, store_db, token_bureau, token_host,
};
use std::path::PathBuf;

pub(crate) const TAP: Amount = Amount::new(1_000, CNY);

pub(crate) fn holder(phone: &str) -> Holder {
    let text = |text: &str| Secret::new(text.to_owned());
    Holder { name: text("Wang Xiaoming"), identity_number: text("11010119900307"), phone: text(phone) }
}

/// The person, who may have a code.
pub(crate) struct Person {
    pub(crate) phone: &'static str,
    pub(crate) accepts: bool,
    pub(crate) code: Option<Secret<String>>,
    pub(crate) heard: Vec<CodeCheck>,
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
pub(crate) struct TornWire(pub(crate) FaultControl);

impl Wire for TornWire {
    fn connect(&mut self, card: Simulator, context: &mut Context) -> Box<dyn Card> {
        let card = T0(InProcess::connect(card, Interface::Contact, context));
        Box::new(Fault::new(card, self.0.clone()))
    }
}

/// How a tap is made.
pub(crate) struct Shop {
    pub(crate) terminal: TerminalConfig,
    pub(crate) amount: Amount,
    pub(crate) interface: Interface,
    /// The mark that another phone's secure element shows in place of the card's (9F63),
    /// where the tap is one of a copy.
    pub(crate) mark: Option<Vec<u8>>,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            terminal: TerminalConfig::default(),
            amount: TAP,
            interface: Interface::Contactless,
            mark: None,
        }
    }
}

/// A line on which the device's mark is another one; no cryptogram is over it.
fn marked(host: Box<dyn Host>, mark: Vec<u8>) -> Box<dyn Host> {
    Box::new(Attended::by(host, move |host, verb, request, context| {
        let mut request = request.clone();
        request.chip.put(tag::PRODUCT_IDENTIFICATION, mark.as_slice());
        match verb {
            Verb::Authorise => host.authorise(&request, context),
            Verb::Advise => host.advise(&request, context),
            Verb::Reverse => host.reverse(&request, context),
        }
    }))
}

/// The token service over the vault in a store, in a process that may be stopped.
fn start_service(
    store: &StoreAddress,
    issuer: &Issuer,
    rules: &TokenRules,
    crash: &CrashControl,
    context: &mut Context,
) -> Tokens {
    let db = Box::new(CrashingDb::new(store_db(store).unwrap(), crash.clone()));
    let vault = open_vault_in(db, store, None, rules.clone(), context).unwrap();
    Tokens::new(vault, Box::new(issuer.handle().unwrap()), Box::new(token_bureau().unwrap()))
}

/// A bank, a token service before it, a phone, a shop.
pub(crate) struct Town {
    _folder: tempfile::TempDir,
    rules: TokenRules,
    pub(crate) store: StoreAddress,
    pub(crate) issuer: Issuer,
    pub(crate) card: NewCard,
    pub(crate) physical: FormerCard,
    pub(crate) service: Tokens,
    pub(crate) phones: Vec<(PathBuf, Sqlite, SealKey)>,
    /// Stops a phone at a write of its store.
    pub(crate) crash: CrashControl,
    /// Stops the token service at a write of the vault.
    pub(crate) service_crash: CrashControl,
    journal: Option<Journal>,
    pub(crate) context: Context,
}

impl Town {
    pub(crate) fn new() -> Self {
        Self::ruled(TokenRules::default())
    }

    /// A town whose token service has other rules.
    pub(crate) fn ruled(rules: TokenRules) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut context = Context::simulated(23, Discard);
        let store = StoreAddress::Sqlite(folder.path().join("cardwright.db"));
        let mut issuer = open_books(&store, None, &mut context).unwrap();
        let amount = Amount::new(ACCOUNT_MINOR, CNY);
        let account = issuer.open_account(Some("A1"), amount, "Wang Xiaoming", &mut context).unwrap();
        let profile = load_profile(&CardName::Profile("debit".into())).unwrap();
        let accounts = vec![(CNY, account.clone())];
        let card = NewCard { profile, pin: Secret::new(DEFAULT_PIN.into()), balance_minor: 0, accounts };
        let physical = FormerCard::of(&issue_card(&mut issuer, &card, &mut context).unwrap()).unwrap();
        issuer.set_account_holder(&account, &holder("13900000001"), &mut context).unwrap();
        let phones = (0..2).map(|number| {
            let path = folder.path().join(format!("phone-{number}"));
            make_wallet_folder(&path).unwrap();
            (path, Sqlite::in_memory().unwrap(), SealKey::from_bytes([number; 32]))
        });
        let service_crash = CrashControl::default();
        Self {
            phones: phones.collect(),
            service: start_service(&store, &issuer, &rules, &service_crash, &mut context),
            rules,
            service_crash,
            journal: Some(open_journal(None, &mut context).unwrap()),
            crash: CrashControl::default(),
            _folder: folder,
            store,
            issuer,
            card,
            physical,
            context,
        }
    }

    /// The token service in another process, after a break.
    pub(crate) fn restart_service(&mut self) {
        self.service_crash.arm(None);
        let context = &mut self.context;
        self.service = start_service(&self.store, &self.issuer, &self.rules, &self.service_crash, context);
    }

    pub(crate) fn crashing(&mut self, phone: usize) -> Result<Wallet, WalletError> {
        let (path, db, seal) = &self.phones[phone];
        let db = cardwright::base::store::Db::handle(db).unwrap();
        let db = Box::new(CrashingDb::new(db, self.crash.clone()));
        Wallet::open(db, path, seal.clone(), &mut self.context)
    }

    pub(crate) fn wallet(&mut self, phone: usize) -> Wallet {
        self.crash.arm(None);
        self.crashing(phone).unwrap()
    }

    /// Adds the card, in a process that may be stopped, over a wire that may be torn.
    pub(crate) fn try_add(
        &mut self,
        phone: usize,
        keys: KeyKind,
        person: &mut Person,
        wire: &mut dyn Wire,
    ) -> Result<Added, WalletError> {
        let mut wallet = self.crashing(phone)?;
        let new = NewToken { name: None, pan: self.physical.pan.clone(), keys };
        let mut provisioning =
            Provisioning { wallet: &mut wallet, service: &mut self.service, applicant: person, wire };
        provisioning.add(&new, &mut self.context)
    }

    pub(crate) fn person(&mut self) -> Person {
        let code = self.issuer.code_on_phone(&self.physical.pan, &mut self.context).unwrap();
        Person { phone: "13900000001", accepts: true, code, heard: Vec::new() }
    }

    /// Adds the card as a person does who does what is asked for; its name in the phone.
    pub(crate) fn add(&mut self, phone: usize, keys: KeyKind) -> String {
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

    pub(crate) fn tap(&mut self, phone: usize, name: &str) -> Outcome {
        let simulator = self.wallet(phone).simulator(Some(name)).unwrap();
        self.tap_with(simulator).unwrap()
    }

    pub(crate) fn tap_with(&mut self, simulator: Simulator) -> Result<Outcome, WorldError> {
        self.tap_at(simulator, Shop::default())
    }

    /// A tap in a shop of its own kind.
    pub(crate) fn tap_at(&mut self, simulator: Simulator, shop: Shop) -> Result<Outcome, WorldError> {
        let card = T0(InProcess::connect(simulator, shop.interface, &mut self.context));
        let journal = self.journal.take().unwrap();
        let issuer = self.issuer.handle().unwrap();
        let mut stage = Stage::new(Box::new(card), issuer, journal, shop.terminal).unwrap();
        let host = token_host(&self.store, None, None, &mut self.context).unwrap();
        stage.host = match shop.mark {
            Some(mark) => marked(host, mark),
            None => host,
        };
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let result = stage.transact(Flow::Pay, shop.amount, &mut pin, &mut self.context);
        self.journal = Some(stage.journal);
        result.map(|(_, outcome)| outcome)
    }

    pub(crate) fn change(
        &mut self,
        phone: usize,
        name: &str,
        verb: TokenVerb,
        by: &Party,
    ) -> Result<(), WalletError> {
        let mut wallet = self.wallet(phone);
        life::change(&mut wallet, &mut self.service, Some(name), verb, by, &mut self.context).map(|_| ())
    }

    /// Fetches the next limited-use key of a phone's default card.
    pub(crate) fn replenish(&mut self, phone: usize) {
        let mut wallet = self.wallet(phone);
        let (service, context) = (&mut self.service, &mut self.context);
        life::replenish(&mut wallet, service, None, 0, true, &mut DirectWire, context).unwrap();
    }

    /// The sealed file of a card.
    pub(crate) fn card_file(&self, phone: usize, name: &str) -> PathBuf {
        self.phones[phone].0.join("cards").join(format!("{name}.card"))
    }

    pub(crate) fn active(&mut self) -> usize {
        let views = self.service.tokens(&Party::Issuer, &mut self.context).unwrap();
        views.iter().filter(|view| view.state == TokenState::Active).count()
    }

    pub(crate) fn account_minor(&mut self) -> u64 {
        self.issuer.accounts(&mut self.context).unwrap()[0].balance.minor
    }

    pub(crate) fn assert_sound(&mut self, what: &str) {
        let broken = self.service.vault().check(&mut self.context).unwrap();
        assert!(broken.is_empty(), "{what}: {broken:?}");
        let broken = self.issuer.check(&mut self.context).unwrap();
        assert!(broken.is_empty(), "{what}: {broken:?}");
    }

    pub(crate) fn files(&self, phone: usize) -> usize {
        let files = std::fs::read_dir(self.phones[phone].0.join("cards")).unwrap();
        files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".card")).count()
    }
}

pub(crate) fn wallet_party() -> Party {
    Party::Wallet(Wallet::requestor())
}
