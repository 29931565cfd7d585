//! Everyone in a world: seats them, lets things go wrong, brings them back.

use super::action::{Said, Turn, WRONG_TRY};
use super::carried::Carried;
use super::fault::{PlannedFault, WorldFault};
use super::judge::name;
use super::notes::Notes;
use super::plan::{Plan, PlannedTerminal, Step};
use super::plant::Plant;
use super::play::{Flaws, Played};
use super::shelf::Shelf;
use crate::air::host::Host;
use crate::air::link::Interface;
use crate::base::context::Context;
use crate::base::store::{Db, SealKey};
use crate::roles::bureau::KeySet;
use crate::roles::issuer::{Issuer, KeyTable, Rules};
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{Settled, TerminalConfig};
use crate::words::emv::Pan;
use crate::words::iso4217::Amount;
use crate::words::iso7816::StatusWord;
use crate::world::error::WorldError;
use crate::world::issue::{NewCard, issue_card};
use crate::world::rule::Rule;
use crate::world::stage::Stage;
use crate::world::tear::{CrashControl, CrashingDb, HostControl, MutedHost, tells_refusal};
use crate::world::witness::Witness;

/// How often everyone comes back at the end; the longest way takes two.
const ROUNDS: usize = 3;

/// Everyone in a world.
pub(super) struct World {
    pub(super) issuer: Issuer,
    pub(super) counters: Vec<Counter>,
    pub(super) cards: Vec<Carried>,
    pub(super) context: Context,
    pub(super) notes: Notes,
    pub(super) witness: Witness,
    flaws: Flaws,
    issuer_store: Box<dyn Db>,
    issuer_seal: SealKey,
    issuer_crash: CrashControl,
}

/// A terminal, its journal and its line to the host.
pub(super) struct Counter {
    pub(super) stage: Stage,
    pub(super) host: HostControl,
    planned: PlannedTerminal,
    crash: CrashControl,
    store: Box<dyn Db>,
    seal: SealKey,
}

impl World {
    /// Seats everyone.
    pub(super) fn set(plan: &Plan, flaws: Flaws, shelf: &mut Shelf) -> Result<Self, WorldError> {
        let witness = Witness::default();
        let mut context = Context::simulated(plan.seed, witness.clone());
        let issuer_crash = CrashControl::default();
        issuer_crash.arm(None);
        let issuer_store = shelf.store(0)?;
        let issuer_seal = SealKey::random(&mut context);
        let mut issuer = open_issuer(issuer_store.as_ref(), &issuer_seal, &issuer_crash, flaws)?;
        let mut cards = Vec::new();
        for planned in &plan.cards {
            let profile = shelf.profile(planned.profile, planned.logs)?;
            let has_ecash = profile.kinds().any(|kind| kind == "ecash");
            let first = profile.currencies().first().copied().filter(|_| has_ecash);
            let new = NewCard::with_accounts(
                &mut issuer,
                profile,
                planned.account_minor,
                planned.balance_minor,
                &mut context,
            )?;
            let memory = issue_card(&mut issuer, &new, &mut context)?;
            let writes_late = flaws.plant == Some(Plant::CardWritesLate);
            let card = Carried::new(*planned, memory, new.accounts, writes_late);
            if let (Some(currency), Some(pan), true) = (first, &card.pan, planned.pending_minor > 0) {
                let pending = Amount::new(planned.pending_minor, currency);
                issuer.credit_pending(pan, card.psn, pending, None, &mut context)?;
            }
            cards.push(card);
        }
        let notes = Notes::default();
        let mut counters = Vec::new();
        for (number, planned) in plan.terminals.iter().enumerate() {
            let Some(first) = cards.first() else { break };
            let card = first.present(Interface::Contact, &mut context);
            let store = shelf.store(number + 1)?;
            let (seal, crash) = (SealKey::random(&mut context), CrashControl::default());
            crash.arm(None);
            let journal = journal(store.as_ref(), &seal, &crash, flaws)?;
            let config = TerminalConfig { terminal: name(number), ..shelf.config() };
            let mut stage = Stage::new(card, issuer.handle()?, journal, config)?;
            stage.rules = Rule::terminal_without(flaws.without);
            let host = HostControl::default();
            counters.push(Counter { stage, host, planned: *planned, crash, store, seal });
        }
        let mut world = Self {
            issuer,
            counters,
            cards,
            context,
            notes,
            witness,
            flaws,
            issuer_store,
            issuer_seal,
            issuer_crash,
        };
        world.connect()?;
        Ok(world)
    }

    /// Plays a step with its faults; what it breaks off with is no matter, as long as
    /// something went wrong. Gives what is wrong.
    pub(super) fn step(&mut self, step: &Step, played: &mut Played) -> Result<Option<String>, WorldError> {
        self.context.elapse(step.pause);
        let (Some(counter), Some(card)) =
            (self.counters.get_mut(step.terminal), self.cards.get(step.card).cloned())
        else {
            return Ok(None);
        };
        counter.stage.card = card.present(step.interface, &mut self.context);
        Plant::before_the_step(self.flaws.plant, &mut counter.stage.journal, &mut self.context)?;
        for fault in &step.faults {
            match fault.fault {
                WorldFault::Card(plan) => card.hand.arm(Some(plan)),
                WorldFault::Memory(plan) => card.power.arm(Some(plan)),
                WorldFault::Script => card.script.arm(true),
                WorldFault::Host(plan) => counter.host.arm(Some(plan)),
                WorldFault::Terminal(plan) => counter.crash.arm(Some(plan)),
                WorldFault::Issuer(plan) => self.issuer_crash.arm(Some(plan)),
            }
        }
        let tries = card.pin_tries_left();
        let action = step.action;
        let mut turn = Turn {
            stage: &mut counter.stage,
            issuer: &mut self.issuer,
            card: &card,
            amount: action.amount,
            context: &mut self.context,
        };
        let said = (action.row.act)(&mut turn);
        let happened = self.happened(step, &card);
        played.faults.extend(&happened);
        let counter = &mut self.counters[step.terminal];
        let differed = counter.host.differed();
        if counter.crash.is_dead() {
            // It starts again; what its dead process had not written is gone.
            counter.crash = CrashControl::default();
            counter.stage.journal =
                journal(counter.store.as_ref(), &counter.seal, &counter.crash, self.flaws)?;
        }
        counter.crash.arm(None);
        counter.host.arm(None);
        if step.faults.iter().any(|fault| matches!(fault.fault, WorldFault::Card(_))) {
            card.forget();
        }
        card.rest();
        if self.issuer_crash.is_dead() {
            self.restart_issuer()?;
        }
        self.issuer_crash.arm(None);
        if let Ok(Said::Outcome(outcome)) = &said {
            played.outcomes.push((action.row.word, outcome.verdict));
        }
        let wrong = match said {
            Err(error) if happened.is_empty() => Some(format!("nothing went wrong, and yet: {error}")),
            Ok(Said::Pin(status)) => {
                let (after, limit) = (card.pin_tries_left(), card.pin_tries);
                wrong_try(action.row.word != WRONG_TRY, status, tries, after, limit)
            }
            Err(_) if action.row.word == WRONG_TRY && card.pin_tries_left() > tries => {
                Some("a wrong PIN gave a try back".into())
            }
            _ => None,
        };
        Ok(differed.then(|| "a message that came twice was answered in two ways".to_owned()).or(wrong))
    }

    /// Everyone comes back but those who never do, and nothing goes wrong any more.
    /// Gives what is wrong, or what each terminal says that is still due.
    pub(super) fn bring_back(&mut self) -> Result<Result<Vec<(usize, Settled)>, String>, WorldError> {
        for round in 0..ROUNDS {
            for counter in &mut self.counters {
                for card in self.cards.iter().filter(|card| card.planned.returns) {
                    if counter.stage.journal.open_rows()?.is_empty() {
                        break;
                    }
                    counter.stage.card = card.present(Interface::Contact, &mut self.context);
                    if let Err(error) = counter.stage.recover(&mut self.context) {
                        return Ok(Err(format!("recovery with everyone back: {error}")));
                    }
                }
                if round == 0 {
                    counter.host.deliver_delayed(counter.stage.host.as_mut(), &mut self.context);
                }
            }
        }
        // Twice: what one terminal uploads may prove what another one claims.
        let mut due = Vec::new();
        for _ in 0..2 {
            due.clear();
            for (number, counter) in self.counters.iter_mut().enumerate() {
                match counter.stage.recover_without_card(&mut self.context) {
                    Ok(recovered) => due.extend(recovered.due().map(|row| (number, row.clone()))),
                    Err(error) => return Ok(Err(format!("recovery with all cards away: {error}"))),
                }
            }
        }
        Ok(Ok(due))
    }

    /// The faults of a step that came to happen. Of two faults of one hand the later
    /// took the earlier one's place.
    fn happened(&self, step: &Step, card: &Carried) -> Vec<&'static str> {
        let mut hands = Vec::new();
        let mut happened = Vec::new();
        let Some(counter) = self.counters.get(step.terminal) else { return happened };
        for PlannedFault { fault, .. } in step.faults.iter().rev() {
            let hand = std::mem::discriminant(fault);
            let did = !hands.contains(&hand)
                && match fault {
                    WorldFault::Card(plan) => card.hand.exchanges() > plan.exchange,
                    WorldFault::Memory(plan) => card.power.writes() > plan.write,
                    WorldFault::Script => card.script.has_changed(),
                    WorldFault::Host(plan) => counter.host.messages() > plan.message,
                    WorldFault::Terminal(plan) => counter.crash.writes() > plan.write,
                    WorldFault::Issuer(plan) => self.issuer_crash.writes() > plan.write,
                };
            hands.push(hand);
            happened.extend(did.then_some(fault.word()));
        }
        happened
    }

    /// The issuer's process starts again on what its store holds.
    fn restart_issuer(&mut self) -> Result<(), WorldError> {
        self.issuer_crash.arm(None);
        self.issuer =
            open_issuer(self.issuer_store.as_ref(), &self.issuer_seal, &self.issuer_crash, self.flaws)?;
        for counter in &mut self.counters {
            counter.stage.issuer = self.issuer.handle()?;
        }
        self.connect()
    }

    /// Lines from every terminal to the issuer.
    fn connect(&mut self) -> Result<(), WorldError> {
        for counter in &mut self.counters {
            let issuer = Plant::host(self.flaws.plant, self.issuer.handle()?, &self.cards);
            let line = MutedHost::new(self.notes.around(issuer), counter.host.clone());
            let line: Box<dyn Host> = Box::new(line);
            counter.stage.host = if counter.planned.tells_refusal { tells_refusal(line) } else { line };
        }
        Ok(())
    }
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

fn open_issuer(
    store: &dyn Db,
    seal: &SealKey,
    crash: &CrashControl,
    flaws: Flaws,
) -> Result<Issuer, WorldError> {
    let keys = KeySet::test();
    let table = KeyTable::of(Pan::TEST_BIN, keys.dki(), keys.master().clone());
    let rules = Rules { recovery: Rule::issuer_without(flaws.without), ..Rules::default() };
    let books = CrashingDb::new(store.handle()?, crash.clone());
    Ok(Issuer::open(Box::new(books), seal.clone(), table, rules)?)
}

fn journal(
    store: &dyn Db,
    seal: &SealKey,
    crash: &CrashControl,
    flaws: Flaws,
) -> Result<Journal, WorldError> {
    let db = Box::new(CrashingDb::new(store.handle()?, crash.clone()));
    Ok(Journal::open(Plant::store(flaws.plant, db), seal.clone())?)
}
