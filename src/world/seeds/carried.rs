//! A card that is carried from terminal to terminal, the hand that carries it, and
//! what happens to it on the way.

use super::plan::PlannedCard;
use crate::air::link::{Card, Endpoint, Fault, FaultControl, InProcess, Interface, LinkError, Record, T0};
use crate::base::context::Context;
use crate::roles::card::{CardError, CardMemory, CardStorage, Simulator};
use crate::roles::issuer::AccountId;
use crate::words::emv::Pan;
use crate::words::iso4217::Currency;
use crate::words::pboc::EcashSet;
use crate::world::tear::{ChangedScript, CrashControl, ScriptControl, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The card; clones are the same one.
#[derive(Clone)]
pub(super) struct Carried {
    pub(super) planned: PlannedCard,
    pub(super) pan: Option<Pan>,
    pub(super) psn: u8,
    /// The account behind each of its currencies.
    pub(super) accounts: Vec<(Currency, AccountId)>,
    /// How many PIN tries a fresh card has.
    pub(super) pin_tries: u8,
    /// Pulls it.
    pub(super) hand: FaultControl,
    /// Cuts its power as it writes its memory.
    pub(super) power: CrashControl,
    /// Changes its issuer's next script.
    pub(super) script: ScriptControl,
    simulator: Arc<Mutex<Simulator>>,
    /// What a card that answers before it writes goes back to when it is pulled.
    behind: Option<Behind>,
}

/// The memory before the last command.
type Behind = Arc<Mutex<Option<CardMemory>>>;

impl Carried {
    /// A new card. One that `writes_late` is a bug.
    pub(super) fn new(
        planned: PlannedCard,
        memory: CardMemory,
        accounts: Vec<(Currency, AccountId)>,
        writes_late: bool,
    ) -> Self {
        let power = CrashControl::default();
        power.arm(None);
        Self {
            planned,
            pan: memory.pan(),
            psn: memory.psn(),
            accounts,
            pin_tries: memory.pin_tries_left(),
            hand: FaultControl::default(),
            script: ScriptControl::default(),
            simulator: Arc::new(Mutex::new(Simulator::new(memory, Torn(power.clone())))),
            power,
            behind: writes_late.then(Behind::default),
        }
    }

    /// Puts the card on a reader, with nothing to go wrong.
    pub(super) fn present(&self, interface: Interface, context: &mut Context) -> Box<dyn Card> {
        self.rest();
        if let Some(behind) = &self.behind {
            *lock(behind) = None;
        }
        let held = Held {
            simulator: Arc::clone(&self.simulator),
            power: self.power.clone(),
            behind: self.behind.clone(),
        };
        let held = ChangedScript::new(held, self.script.clone());
        let link = InProcess::connect(held, interface, context);
        Box::new(Record(T0(Fault::new(link, self.hand.clone()))))
    }

    /// Nothing goes wrong with it any more.
    pub(super) fn rest(&self) {
        self.hand.arm(None);
        self.power.arm(None);
        self.script.arm(false);
    }

    /// It was pulled, at the latest as soon as it had answered: one that writes late
    /// has lost its last write.
    pub(super) fn forget(&self) {
        if let Some(behind) = &self.behind
            && let Some(memory) = lock(behind).take()
        {
            *self.simulator() = Simulator::new(memory, Torn(self.power.clone()));
        }
    }

    /// The simulated card itself.
    pub(super) fn simulator(&self) -> MutexGuard<'_, Simulator> {
        lock(&self.simulator)
    }

    pub(super) fn pin_tries_left(&self) -> u8 {
        self.simulator().memory().pin_tries_left()
    }

    /// What it holds in a currency, minor units.
    pub(super) fn balance_minor(&self, currency: Currency) -> i64 {
        let simulator = self.simulator();
        let memory = simulator.memory();
        let is_of =
            |set: &EcashSet| memory.value(set.currency).and_then(Currency::from_bcd) == Some(currency);
        let sets = EcashSet::ALL.into_iter().filter(is_of);
        sets.map(|set| memory.balance(set).unwrap_or(0) as i64).sum()
    }
}

/// The card as one reader holds it.
struct Held {
    simulator: Arc<Mutex<Simulator>>,
    power: CrashControl,
    behind: Option<Behind>,
}

impl Held {
    fn card(&self) -> MutexGuard<'_, Simulator> {
        lock(&self.simulator)
    }
}

impl Endpoint for Held {
    fn place(&self) -> String {
        self.card().place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.card().power_on(interface, context)
    }

    fn power_off(&mut self) {
        self.card().power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let gone = || LinkError::Removed { during: "its power was cut as it wrote".into() };
        if self.power.is_dead() {
            return Err(gone());
        }
        if let Some(behind) = &self.behind {
            *lock(behind) = Some(self.card().memory().clone());
        }
        let answer = self.card().process(command, context)?;
        if self.power.is_dead() {
            self.card().power_off();
            return Err(gone());
        }
        Ok(answer)
    }
}

/// Memory that may lose its power at a write: then the write lands or does not, and
/// the card says nothing more.
struct Torn(CrashControl);

impl CardStorage for Torn {
    fn place(&self) -> String {
        "memory".into()
    }

    fn commit(&mut self, _memory: &CardMemory, _context: &mut Context) -> Result<(), CardError> {
        match self.0.next() {
            // Whoever holds the card sees that it is dead.
            Write::Lands | Write::LandsAndDies => Ok(()),
            Write::Dies => {
                let cause = "the card's power was cut".to_owned();
                Err(CardError::File { doing: "write", path: "memory".into(), cause })
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
