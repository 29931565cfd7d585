//! Plays a plan: seats everyone, lets things go wrong, brings everyone back.

use super::judge::Judge;
use super::plan::{Action, Plan, PlannedCard, Step, WorldFault};
use super::shelf::Shelf;
use crate::air::link::{Card, Endpoint, Fault, FaultControl, InProcess, Interface, LinkError, Record, T0};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::store::{Db, SealKey};
use crate::roles::bureau::KeySet;
use crate::roles::card::Simulator;
use crate::roles::issuer::{Issuer, KeyTable, Rules};
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{Flow, TerminalConfig};
use crate::words::emv::Pan;
use crate::words::iso7816::command::{PinBlock, Select, Verify};
use crate::words::iso7816::{ApduCommand, StatusWord};
use crate::world::error::WorldError;
use crate::world::issue::{DEFAULT_PIN, NewCard, issue_card};
use crate::world::rule::Rule;
use crate::world::stage::Stage;
use crate::world::tear::{CrashControl, CrashingDb, HostControl, MutedHost};
use crate::world::witness::{Transitions, Witness};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A PIN that no card here has.
const WRONG_PIN: &str = "654321";
/// How often everyone comes back at the end; the longest way takes two.
const ROUNDS: usize = 3;

/// What came of a play.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Played {
    /// Everything that happened, as one number.
    pub(super) digest: u64,
    /// The faults that came to happen; others fell behind the end of their transaction.
    pub(super) faults: Vec<&'static str>,
    /// What was done.
    pub(super) actions: Vec<&'static str>,
    /// The ways that journal rows took.
    pub(super) transitions: Transitions,
    /// Rows that stay open because nothing can prove them any more.
    pub(super) unproven: usize,
    /// Offline payments whose certificate was lost.
    pub(super) certificates_lost: usize,
    /// What is wrong, if anything.
    pub(super) violation: Option<String>,
}

/// Everyone in a world.
pub(super) struct World {
    pub(super) issuer: Issuer,
    pub(super) counters: Vec<Counter>,
    pub(super) cards: Vec<Carried>,
    pub(super) context: Context,
    issuer_crash: CrashControl,
    witness: Witness,
}

/// A terminal, its journal and its line to the host.
pub(super) struct Counter {
    pub(super) stage: Stage,
    pub(super) host: HostControl,
    crash: CrashControl,
    store: Box<dyn Db>,
    seal: SealKey,
}

/// A card that is carried from terminal to terminal, and the hand that carries it.
#[derive(Clone)]
pub(super) struct Carried {
    pub(super) planned: PlannedCard,
    pub(super) pan: Option<Pan>,
    /// How many PIN tries a fresh card has.
    pin_tries: u8,
    simulator: Arc<Mutex<Simulator>>,
    hand: FaultControl,
}

/// Plays a plan once.
pub(super) fn play(plan: &Plan, without: Option<Rule>, shelf: &mut Shelf) -> Result<Played, WorldError> {
    let mut world = World::set(plan, without, shelf)?;
    let mut played = Played::default();
    let mut judge = Judge::new(&mut world)?;
    for step in &plan.steps {
        played.actions.push(step.action.word());
        let violation = world.step(step, &mut played)?;
        played.violation = violation.or(judge.after_step(&mut world)?);
        if played.violation.is_some() {
            break;
        }
    }
    if played.violation.is_none() {
        played.violation = world.bring_back()?;
    }
    if played.violation.is_none() {
        played.violation = judge.at_the_end(&mut world, &mut played)?;
    }
    played.digest = world.witness.digest();
    played.transitions = world.witness.transitions();
    Ok(played)
}

impl World {
    fn set(plan: &Plan, without: Option<Rule>, shelf: &mut Shelf) -> Result<Self, WorldError> {
        let witness = Witness::default();
        let mut context = Context::simulated(plan.seed, witness.clone());
        let keys = KeySet::test();
        let table = KeyTable::of(Pan::TEST_BIN, keys.dki(), keys.master().clone());
        let rules = Rules { recovery: Rule::issuer_without(without), ..Rules::default() };
        let issuer_crash = CrashControl::default();
        issuer_crash.arm(None);
        let books = CrashingDb::new(shelf.store(0)?, issuer_crash.clone());
        let mut issuer = Issuer::open(Box::new(books), SealKey::random(&mut context), table, rules)?;
        let mut cards = Vec::new();
        for planned in &plan.cards {
            let profile = shelf.profile(planned.profile, planned.logs)?;
            let new = NewCard::with_accounts(
                &mut issuer,
                profile,
                planned.account_minor,
                planned.balance_minor,
                &mut context,
            )?;
            let memory = issue_card(&mut issuer, &new, &mut context)?;
            cards.push(Carried {
                planned: *planned,
                pan: memory.pan(),
                pin_tries: memory.pin_tries_left(),
                simulator: Arc::new(Mutex::new(Simulator::in_memory(memory))),
                hand: FaultControl::default(),
            });
        }
        let mut counters = Vec::new();
        for number in 0..plan.terminals {
            let Some(first) = cards.first() else { break };
            let card = first.present(Interface::Contact, &mut context);
            let store = shelf.store(number + 1)?;
            let (seal, crash) = (SealKey::random(&mut context), CrashControl::default());
            crash.arm(None);
            let journal = journal(store.as_ref(), &seal, &crash)?;
            let config = TerminalConfig { terminal: format!("CW{:06}", number + 1), ..shelf.config() };
            let mut stage = Stage::new(card, issuer.handle()?, journal, config)?;
            let host = HostControl::default();
            stage.host = Box::new(MutedHost::new(stage.host, host.clone()));
            stage.rules = Rule::terminal_without(without);
            counters.push(Counter { stage, host, crash, store, seal });
        }
        Ok(Self { issuer, counters, cards, context, issuer_crash, witness })
    }

    /// Plays a step with its faults; what it breaks off with is no matter, as long as
    /// something went wrong.
    fn step(&mut self, step: &Step, played: &mut Played) -> Result<Option<String>, WorldError> {
        self.context.elapse(step.pause);
        let (Some(counter), Some(card)) =
            (self.counters.get_mut(step.terminal), self.cards.get(step.card).cloned())
        else {
            return Ok(None);
        };
        counter.stage.card = card.present(step.interface, &mut self.context);
        for fault in &step.faults {
            match fault.fault {
                WorldFault::Card(plan) => card.hand.arm(Some(plan)),
                WorldFault::Host(plan) => counter.host.arm(Some(plan)),
                WorldFault::Terminal(plan) => counter.crash.arm(Some(plan)),
                WorldFault::Issuer(plan) => self.issuer_crash.arm(Some(plan)),
            }
        }
        let tries = card.pin_tries_left();
        let result = act(&mut counter.stage, step.action, &mut self.context);
        // Of two faults of one hand the later took the earlier one's place.
        let mut hands = Vec::new();
        let mut happened = 0;
        for fault in step.faults.iter().rev() {
            let hand = std::mem::discriminant(&fault.fault);
            let did = !hands.contains(&hand)
                && match fault.fault {
                    WorldFault::Card(plan) => card.hand.exchanges() > plan.exchange,
                    WorldFault::Host(plan) => counter.host.messages() > plan.message,
                    WorldFault::Terminal(plan) => counter.crash.writes() > plan.write,
                    WorldFault::Issuer(plan) => self.issuer_crash.writes() > plan.write,
                };
            hands.push(hand);
            if did {
                happened += 1;
                played.faults.push(fault.fault.word());
            }
        }
        let differed = counter.host.differed();
        self.issuer_crash.arm(None);
        let counter = &mut self.counters[step.terminal];
        counter.host.arm(None);
        card.hand.arm(None);
        counter.crash.arm(None);
        counter.stage.journal = journal(counter.store.as_ref(), &counter.seal, &counter.crash)?;
        let wrong = match (result, step.action) {
            (Err(error), _) if happened == 0 => Some(format!("nothing went wrong, and yet: {error}")),
            (Ok(Some(status)), Action::Verify(right)) => {
                wrong_try(right, status, tries, card.pin_tries_left(), card.pin_tries)
            }
            (Err(_), Action::Verify(false)) if card.pin_tries_left() > tries => {
                Some("a wrong PIN gave a try back".into())
            }
            _ => None,
        };
        Ok(differed.then(|| "a message that came twice was answered in two ways".to_owned()).or(wrong))
    }

    /// Everyone comes back, and nothing goes wrong any more.
    fn bring_back(&mut self) -> Result<Option<String>, WorldError> {
        for _ in 0..ROUNDS {
            for counter in &mut self.counters {
                for card in &self.cards {
                    if counter.stage.journal.open_rows()?.is_empty() {
                        break;
                    }
                    counter.stage.card = card.present(Interface::Contact, &mut self.context);
                    if let Err(error) = counter.stage.recover(&mut self.context) {
                        return Ok(Some(format!("recovery with everyone back: {error}")));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// Does what a step says; gives the status word of a PIN that was presented.
fn act(stage: &mut Stage, action: Action, context: &mut Context) -> Result<Option<StatusWord>, WorldError> {
    let pin = |right| if right { DEFAULT_PIN } else { WRONG_PIN };
    let cardholder = |right| Secret::new(pin(right).to_owned());
    match action {
        Action::Load(amount, right) => {
            stage.transact(Flow::Load, amount, &mut cardholder(right), context)?;
        }
        Action::Pay(amount) => {
            stage.transact(Flow::Pay, amount, &mut cardholder(true), context)?;
        }
        Action::Recover => {
            stage.recover(context)?;
        }
        Action::RecoverAlone => {
            stage.recover_without_card(context)?;
        }
        Action::Verify(right) => {
            let Some(aid) = stage.config.aids().next().cloned() else { return Ok(None) };
            stage.card.transmit(&Select::first(aid).to_apdu(), context)?;
            let pin = PinBlock::from_digits(pin(right));
            return Ok(Some(stage.card.transmit(&Verify { pin }.to_apdu(), context)?.status));
        }
    }
    Ok(None)
}

/// What is wrong with a PIN try whose answer came.
fn wrong_try(right: bool, status: StatusWord, before: u8, after: u8, limit: u8) -> Option<String> {
    let expected = match (right, before) {
        (_, 0) => 0,
        (true, _) => limit,
        (false, before) => before - 1,
    };
    let said = format!("{before} tries before, {after} after, answer {status}");
    (after != expected).then(|| format!("a PIN try must leave {expected} tries: {said}"))
}

impl Carried {
    /// Puts the card on a reader.
    fn present(&self, interface: Interface, context: &mut Context) -> Box<dyn Card> {
        self.hand.arm(None);
        let link = InProcess::connect(Shared(Arc::clone(&self.simulator)), interface, context);
        Box::new(Record(T0(Fault::new(link, self.hand.clone()))))
    }

    /// The simulated card itself.
    pub(super) fn simulator(&self) -> MutexGuard<'_, Simulator> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pin_tries_left(&self) -> u8 {
        self.simulator().memory().pin_tries_left()
    }
}

/// One card that several readers hold in turn.
struct Shared(Arc<Mutex<Simulator>>);

impl Shared {
    fn card(&self) -> MutexGuard<'_, Simulator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint for Shared {
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
        self.card().process(command, context)
    }
}

fn journal(store: &dyn Db, seal: &SealKey, crash: &CrashControl) -> Result<Journal, WorldError> {
    let db = CrashingDb::new(store.handle()?, crash.clone());
    Ok(Journal::open(Box::new(db), seal.clone())?)
}
