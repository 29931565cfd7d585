//! A gate whose book is a file, riders with cards, and an issuer in memory.

use cardwright::air::link::Card as _;
use cardwright::air::link::{Fault, FaultControl, FaultPlan, InProcess, Interface};
use cardwright::base::context::Context;
use cardwright::base::env::{SimulatedClock, Timestamp};
use cardwright::base::event::{Collector, Event};
use cardwright::base::store::{SealKey, Sqlite};
use cardwright::devices::gate::{Book, DenyList, Gate, Line, Passage, Standing, TapState};
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::issuer::{AccountId, Issuer};
use cardwright::roles::terminal::TerminalConfig;
use cardwright::words::emv::Pan;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso7816::Effect;
use cardwright::world::tear::{CrashControl, CrashPlan, CrashingDb};
use cardwright::world::{CardName, NewCard, ReaderAddress, StoreAddress, issue_card, open_books, open_sam};
use std::time::Duration;

pub(crate) const FARE: u64 = 200;

pub(crate) struct Kit {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) issuer: Issuer,
    pub(crate) context: Context,
    pub(crate) events: Collector,
    pub(crate) gate: Gate,
    line: Line,
    seal: SealKey,
}

/// Who holds a card.
pub(crate) struct Rider {
    pub(crate) card: Fault<InProcess<Simulator>>,
    hand: FaultControl,
    pub(crate) pan: Pan,
    pub(crate) account: AccountId,
}

impl Rider {
    /// The last exchange of the tap that was: a purse's debit.
    pub(crate) fn last_exchange(&self) -> usize {
        self.hand.exchanges() - 1
    }

    /// Whether the card was pulled away.
    pub(crate) fn is_away(&self) -> bool {
        self.hand.is_away()
    }
}

impl Kit {
    pub(crate) fn new() -> Self {
        Self::with(Line::default())
    }

    pub(crate) fn with(line: Line) -> Self {
        let events = Collector::default();
        let mut context = Context::simulated(31, events.clone());
        let issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let seal = SealKey::random(&mut context);
        let gate = gate(book(&folder, &seal), &line, &seal, &mut context);
        Self { folder, issuer, context, events, gate, line, seal }
    }

    /// The gate loses power and starts again.
    pub(crate) fn restart(&mut self) {
        let book = book(&self.folder, &self.seal);
        self.gate = gate(book, &self.line, &self.seal, &mut self.context);
    }

    /// It starts again, and loses power at a write.
    pub(crate) fn restart_to_crash(&mut self, plan: CrashPlan) -> CrashControl {
        let crash = CrashControl::default();
        let db = CrashingDb::new(Box::new(file(&self.folder)), crash.clone());
        let book = Book::open(Box::new(db), self.seal.clone()).unwrap();
        self.gate = gate(book, &self.line, &self.seal, &mut self.context);
        crash.arm(Some(plan));
        crash
    }

    /// With a bank card.
    pub(crate) fn rider(&mut self, account_minor: u64) -> Rider {
        self.holder("unionpay-transit", account_minor, 0)
    }

    /// With a purse.
    pub(crate) fn purse(&mut self, balance_minor: u64) -> Rider {
        self.holder("eped", 0, balance_minor)
    }

    /// With a bank card of this profile.
    pub(crate) fn rider_of(&mut self, text: &str) -> Rider {
        self.rider_with(text, 0, 0)
    }

    /// With a card of this profile, money on its account and in its purse.
    pub(crate) fn rider_with(&mut self, text: &str, account_minor: u64, purse_minor: u64) -> Rider {
        self.holder_of(Profile::parse(text).unwrap(), account_minor, purse_minor)
    }

    fn holder(&mut self, profile: &str, account_minor: u64, balance_minor: u64) -> Rider {
        self.holder_of(Profile::named(profile).unwrap(), account_minor, balance_minor)
    }

    fn holder_of(&mut self, profile: Profile, account_minor: u64, balance_minor: u64) -> Rider {
        let (issuer, context) = (&mut self.issuer, &mut self.context);
        let new = NewCard::with_accounts(issuer, profile, account_minor, balance_minor, context).unwrap();
        let account = new.accounts[0].1.clone();
        let memory = issue_card(&mut self.issuer, &new, &mut self.context).unwrap();
        let pan = memory.pan().unwrap();
        let hand = FaultControl::default();
        let card =
            InProcess::connect(Simulator::in_memory(memory), Interface::Contactless, &mut self.context);
        Rider { card: Fault::new(card, hand.clone()), hand, pan, account }
    }

    pub(crate) fn tap(&mut self, rider: &mut Rider) -> Passage {
        self.tap_pulled(rider, None)
    }

    /// A tap at a gate that may lose power.
    pub(crate) fn try_tap(&mut self, rider: &mut Rider) -> Option<Passage> {
        rider.card.reset(&mut self.context).unwrap();
        rider.hand.arm(None);
        self.gate.tap(&mut rider.card, &mut self.context).ok()
    }

    pub(crate) fn tap_pulled(&mut self, rider: &mut Rider, plan: Option<FaultPlan>) -> Passage {
        rider.card.reset(&mut self.context).unwrap();
        rider.hand.arm(plan);
        self.gate.tap(&mut rider.card, &mut self.context).unwrap()
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.context.elapse(Duration::from_secs(seconds));
    }

    pub(crate) fn standing(&mut self, state: TapState) -> Standing {
        self.gate.book().standing().unwrap().get(&state).copied().unwrap_or_default()
    }

    /// Pays money into a rider's account.
    pub(crate) fn pay_in(&mut self, rider: &Rider, minor: u64) {
        let (amount, context) = (Amount::new(minor, Currency::CNY), &mut self.context);
        let purse = self.issuer.open_account(None, amount, "Friend", context).unwrap();
        self.issuer.transfer(&purse, &rider.account, amount, context).unwrap();
    }

    pub(crate) fn told(&self, name: &str) -> Vec<Event> {
        self.events.events().into_iter().filter(|event| event.name == name).collect()
    }
}

fn file(folder: &tempfile::TempDir) -> Sqlite {
    Sqlite::open(&folder.path().join("gate.db")).unwrap()
}

fn book(folder: &tempfile::TempDir, seal: &SealKey) -> Book {
    Book::open(Box::new(file(folder)), seal.clone()).unwrap()
}

fn gate(book: Book, line: &Line, seal: &SealKey, context: &mut Context) -> Gate {
    let stopwatch = Box::new(SimulatedClock::starting_at(Timestamp::default()));
    let deny_list = DenyList::empty(seal.clone());
    let config = TerminalConfig::default();
    let at = ReaderAddress::Simulated(CardName::Profile("psam".into()));
    let no_seal = |context: &mut Context| Ok(SealKey::random(context));
    let sam = open_sam(&at, Effect::Reads, no_seal, &config, context).unwrap();
    Gate::new(line.clone(), config, deny_list, book, stopwatch).unwrap().with_sam(sam)
}
