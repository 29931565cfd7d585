//! A phone in a folder, an issuer in memory, a terminal whose card can be pulled.

use cardwright::air::link::{Fault, FaultControl, InProcess, Interface, T0};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::{Db, SealKey, Sqlite};
use cardwright::devices::wallet::Wallet;
use cardwright::roles::card::Simulator;
use cardwright::roles::issuer::{AccountId, Issuer};
use cardwright::roles::terminal::TerminalConfig;
use cardwright::roles::terminal::journal::Journal;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::pboc::EcashSet;
use cardwright::world::tear::{CrashControl, CrashingDb};
use cardwright::world::wallet::{NewEcash, make_wallet_folder, open_ecash};
use cardwright::world::{DEFAULT_PIN, Stage, StoreAddress, WorldError, open_books, open_journal};

pub(crate) const CNY: Currency = Currency::CNY;
pub(crate) const ACCOUNT_MINOR: u64 = 50_000;

pub(crate) struct Kit {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) issuer: Issuer,
    pub(crate) account: AccountId,
    pub(crate) context: Context,
    pub(crate) crash: CrashControl,
    pub(crate) pull: FaultControl,
    journal: Option<Journal>,
    store: Box<dyn Db>,
    seal: SealKey,
}

impl Kit {
    pub(crate) fn new() -> Self {
        let mut context = Context::simulated(11, Discard);
        let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
        let amount = Amount::new(ACCOUNT_MINOR, CNY);
        let account = issuer.open_account(Some("A1"), amount, "Test Holder", &mut context).unwrap();
        let folder = tempfile::tempdir().unwrap();
        make_wallet_folder(folder.path()).unwrap();
        let seal = SealKey::random(&mut context);
        let journal = Some(open_journal(None, &mut context).unwrap());
        let store = Box::new(Sqlite::in_memory().unwrap());
        let (crash, pull) = (CrashControl::default(), FaultControl::default());
        Self { folder, issuer, account, context, crash, pull, journal, store, seal }
    }

    /// The phone, as the process that comes after a break opens it.
    pub(crate) fn wallet(&mut self) -> Wallet {
        self.crash.arm(None);
        self.crashing().unwrap()
    }

    /// The phone, in a process that may be stopped at a write.
    pub(crate) fn crashing(&mut self) -> Result<Wallet, WorldError> {
        let db = Box::new(CrashingDb::new(self.store.handle().unwrap(), self.crash.clone()));
        Ok(Wallet::open(db, self.folder.path(), self.seal.clone(), &mut self.context)?)
    }

    pub(crate) fn new_ecash(&self) -> NewEcash {
        NewEcash { name: None, account: self.account.clone(), pin: Secret::new(DEFAULT_PIN.into()) }
    }

    pub(crate) fn open(&mut self) -> String {
        let (mut wallet, new) = (self.wallet(), self.new_ecash());
        open_ecash(&mut wallet, &mut self.issuer, &new, &mut self.context).unwrap()
    }

    /// A terminal with a card of the phone in its reader.
    pub(crate) fn stage(&mut self, simulator: Simulator, interface: Interface) -> Stage<Option<Issuer>> {
        let card = T0(InProcess::connect(simulator, interface, &mut self.context));
        let card = Box::new(Fault::new(card, self.pull.clone()));
        let journal = self.journal.take().unwrap();
        let issuer = self.issuer.handle().unwrap();
        Stage::new(card, issuer, journal, TerminalConfig::default()).unwrap().with_books()
    }

    /// Takes the card out of the reader.
    pub(crate) fn leave(&mut self, stage: Stage<Option<Issuer>>) {
        self.journal = Some(stage.journal);
        self.pull.arm(None);
    }

    /// What the phone's cards hold.
    pub(crate) fn cards_minor(&mut self) -> i64 {
        let mut wallet = self.wallet();
        let mut sum = 0;
        for card in wallet.cards().unwrap() {
            if wallet.has_file(&card.name) {
                sum += wallet.bare(&card.name).unwrap().memory().balance(EcashSet::FIRST).unwrap_or(0) as i64;
            }
        }
        sum
    }

    /// What the account holds.
    pub(crate) fn account_minor(&mut self) -> i64 {
        self.issuer.accounts(&mut self.context).unwrap()[0].balance.minor as i64
    }

    pub(crate) fn assert_sound(&mut self) {
        let violations = self.issuer.check(&mut self.context).unwrap();
        assert!(violations.is_empty(), "{violations:?}");
    }

    /// The files of cards in the phone's folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let cards = std::fs::read_dir(self.folder.path().join("cards")).unwrap();
        cards.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}
