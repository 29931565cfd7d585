//! A phone in a folder, an issuer in memory, a terminal to which all can happen that the
//! tear world knows.

use cardwright::air::link::{ByteLink, Card, Fault, FaultControl, InProcess, Interface, T0, WireControl};
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
use cardwright::world::tear::{
    ChangedScript, CrashControl, CrashingDb, HostControl, MutedHost, ScriptControl, TearFault, TearSize,
};
use cardwright::world::wallet::{NewEcash, make_wallet_folder, open_ecash};
use cardwright::world::{DEFAULT_PIN, Stage, StoreAddress, WorldError, open_books};

pub(crate) const CNY: Currency = Currency::CNY;
pub(crate) const ACCOUNT_MINOR: u64 = 50_000;

pub(crate) struct Kit {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) issuer: Issuer,
    pub(crate) account: AccountId,
    pub(crate) context: Context,
    pub(crate) crash: CrashControl,
    pub(crate) pull: FaultControl,
    pub(crate) wire: WireControl,
    pub(crate) line: HostControl,
    pub(crate) terminal_crash: CrashControl,
    pub(crate) script: ScriptControl,
    /// Whether the card is read over a wire that can be cut at a byte.
    pub(crate) by_wire: bool,
    journal: Option<Journal>,
    journal_store: Box<dyn Db>,
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
        let store = Box::new(Sqlite::in_memory().unwrap());
        let mut kit = Self {
            folder,
            issuer,
            account,
            context,
            crash: CrashControl::default(),
            pull: FaultControl::default(),
            wire: WireControl::default(),
            line: HostControl::default(),
            terminal_crash: CrashControl::default(),
            script: ScriptControl::default(),
            by_wire: false,
            journal: None,
            journal_store: Box::new(Sqlite::in_memory().unwrap()),
            store,
            seal,
        };
        kit.start_terminal();
        kit
    }

    /// The terminal, as the process that comes after a break starts it.
    fn start_terminal(&mut self) {
        self.terminal_crash.arm(None);
        let store = self.journal_store.handle().unwrap();
        let store = CrashingDb::new(store, self.terminal_crash.clone());
        self.journal = Some(Journal::open(Box::new(store), self.seal.clone()).unwrap());
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
        let simulator = ChangedScript::new(simulator, self.script.clone());
        let card: Box<dyn Card> = match self.by_wire {
            true => {
                let link = ByteLink::connect(simulator, interface, self.wire.clone(), &mut self.context);
                Box::new(T0(link))
            }
            false => {
                let link = InProcess::connect(simulator, interface, &mut self.context);
                Box::new(Fault::new(T0(link), self.pull.clone()))
            }
        };
        let journal = self.journal.take().unwrap();
        let issuer = self.issuer.handle().unwrap();
        let mut stage = Stage::new(card, issuer, journal, TerminalConfig::default()).unwrap().with_books();
        stage.host = Box::new(MutedHost::new(stage.host, self.line.clone()));
        stage
    }

    /// Takes the card out of the reader.
    pub(crate) fn leave(&mut self, stage: Stage<Option<Issuer>>) {
        match self.terminal_crash.is_dead() {
            true => self.start_terminal(),
            false => self.journal = Some(stage.journal),
        }
        self.arm(None);
    }

    /// What goes wrong from now on; whoever was stopped is another process.
    pub(crate) fn arm(&mut self, fault: Option<TearFault>) {
        self.pull.arm(None);
        self.wire.arm(None);
        self.line.arm(None);
        self.terminal_crash.arm(None);
        self.script.arm(false);
        match fault {
            None => {}
            Some(TearFault::Card(plan)) => self.pull.arm(Some(plan)),
            Some(TearFault::Wire(plan, _)) => self.wire.arm(Some(plan)),
            Some(TearFault::Host(plan)) => self.line.arm(Some(plan)),
            Some(TearFault::Crash(plan)) => self.terminal_crash.arm(Some(plan)),
            Some(TearFault::Script { .. }) => self.script.arm(true),
        }
    }

    /// What goes by from now on, to be torn.
    pub(crate) fn size(&self, every: usize) -> TearSize {
        TearSize {
            exchanges: if self.by_wire { 0 } else { self.pull.exchanges() },
            wire: self.wire.exchanges(),
            every,
            messages: self.line.messages(),
            writes: self.terminal_crash.writes(),
            has_script: true,
        }
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
