//! Plays a plan from its first step to the end of its world.

use super::Rule;
use super::fault::TouchFault;
use super::judge::Judge;
use super::plan::{Intent, PEOPLE, Plan, StepKind};
use super::plant::Plant;
use super::wire::Wire;
use crate::air::host::Host;
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::{Db, SealKey};
use crate::roles::issuer::{AccountId, Issuer, KeyTable, Recovery, Rules};
use crate::roles::p2p::transfer::{
    Confirmation, Phone, Task, TouchEnd, Transfer, TransferRules, TransferState, Way, settle,
};
use crate::words::iso4217::{Amount, Currency};
use crate::words::transfer::TransferId;
use crate::world::error::WorldError;
use crate::world::seeds::Shelf;
use crate::world::tear::{CrashControl, CrashingDb, HostControl, HostPlan, MutedHost};
use crate::world::transfer::{Met, Side, enrol_phone, meet};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const CNY: Currency = Currency::CNY;
/// Longer than any offer can be agreed to.
const LAPSE: Duration = Duration::from_secs(3_600);
/// How often everyone settles at the end.
const ROUNDS: usize = 2;

/// What is wrong with a world on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flaws {
    /// The rule that is switched off.
    pub without: Option<Rule>,
    /// The bug that is planted.
    pub plant: Option<Plant>,
}

/// What came of a play.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::world) struct Played {
    /// Everything that happened, as one text, and how it ended.
    pub digest: u64,
    /// The faults that came to happen.
    pub faults: Vec<&'static str>,
    /// How transfers stood at the end, in the host's books.
    pub booked: u64,
    pub refused: u64,
    /// How many touches there were.
    pub touches: u64,
    /// How each left what it was about in the books of payer and payee.
    pub left: Vec<Left>,
    /// How much there was of the last one.
    pub size: TouchSize,
    /// What is wrong, if anything.
    pub violation: Option<String>,
}

/// How a touch left its transfer in the books of payer and payee; none where none was begun.
pub(in crate::world) type Left = [Option<TransferState>; 2];

/// How much there was of a touch; of two payers the first one is the payer here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::world) struct TouchSize {
    /// The lengths of its units, in bytes.
    pub units: Vec<usize>,
    /// Messages to the hosts of payer and payee.
    pub messages: [usize; 2],
    /// Transactions of the books of payer and payee.
    pub writes: [usize; 2],
}

/// Someone with a phone.
pub(super) struct Person {
    pub phone: Phone,
    store: Box<dyn Db>,
    seal: SealKey,
    crash: CrashControl,
    pub host: HostControl,
}

/// Everyone in a world.
pub(super) struct World {
    pub issuer: Issuer,
    pub people: Vec<Person>,
    pub context: Context,
    /// To which intent a transfer belongs, by its offer.
    pub meant: BTreeMap<TransferId, usize>,
    /// What a holder was shown as done.
    pub shown: Vec<(TransferId, Way)>,
    /// Agreements that a holder said yes to when the offer had run out.
    pub lapsed: Vec<TransferId>,
    wire: Wire,
    flaws: Flaws,
}

/// Plays a plan once.
pub(in crate::world::transfer) fn play(
    plan: &Plan,
    flaws: Flaws,
    shelf: &mut Shelf,
) -> Result<Played, WorldError> {
    let mut world = World::set(plan, flaws, shelf)?;
    let mut played = Played::default();
    let judge = Judge::new(&mut world)?;
    for step in &plan.steps {
        world.context.elapse(step.pause);
        match &step.kind {
            StepKind::Pay(intent) => world.pay(step.number, intent, &mut played)?,
            StepKind::Same { way, who, fault } => {
                let task = Task { way: *way, amount: Some(Amount::new(100, CNY)), asks_host: true };
                world.touch(*who, [task; 2], *fault, &mut played)?;
            }
            StepKind::Settle { who, fault } => world.settle(*who, *fault, &mut played)?,
        }
    }
    world.bring_back(plan.first_to_settle, &mut played)?;
    played.violation = judge.at_the_end(&mut world, plan, &mut played)?;
    Ok(played)
}

impl World {
    fn set(plan: &Plan, flaws: Flaws, shelf: &mut Shelf) -> Result<Self, WorldError> {
        let mut context = Context::simulated(plan.seed, Discard);
        let one_transfer_row = flaws.without != Some(Rule::OneRow);
        let recovery = Recovery { one_transfer_row, ..Recovery::default() };
        let rules = Rules { recovery, ..Rules::default() };
        let seal = SealKey::random(&mut context);
        let mut issuer = Issuer::open(shelf.store(0)?, seal, KeyTable::default(), rules)?;
        let mut people = Vec::new();
        for number in 0..PEOPLE {
            let opening = Amount::new(plan.opening_minor[number], CNY);
            let name = name(number);
            let account = issuer.open_account(Some(&name.0), opening, &name.0, &mut context)?;
            let (store, seal, crash) =
                (shelf.store(1 + number)?, SealKey::random(&mut context), CrashControl::default());
            crash.arm(None);
            let phone = open(store.as_ref(), &seal, &crash, flaws, &mut context)?;
            let mut person = Person { phone, store, seal, crash, host: HostControl::default() };
            let limit = plan.offline_limit_minor;
            enrol_phone(&mut person.phone, &mut issuer, &account, &name.0, limit, &mut context)?;
            people.push(person);
        }
        let (meant, shown, lapsed, wire) = (BTreeMap::new(), Vec::new(), Vec::new(), Wire::default());
        Ok(Self { issuer, people, context, meant, shown, lapsed, wire, flaws })
    }

    /// Somebody touches until the phone says that it is done, or gives up.
    fn pay(&mut self, number: usize, intent: &Intent, played: &mut Played) -> Result<(), WorldError> {
        let amount = Some(Amount::new(intent.minor, CNY));
        let payer = Task { way: Way::Pays, amount, asks_host: intent.asks_host[0] };
        let named = amount.filter(|_| intent.payee_names_it);
        let payee = Task { way: Way::Receives, amount: named, asks_host: intent.asks_host[1] };
        for fault in &intent.tries {
            let who = [intent.payer, intent.payee];
            let [paid, _] = match intent.payee_begins {
                false => self.touch(who, [payer, payee], *fault, played)?,
                true => {
                    let [payee, payer] = self.touch([who[1], who[0]], [payee, payer], *fault, played)?;
                    [payer, payee]
                }
            };
            for transfer in self.transfers(intent.payee)? {
                if transfer.way == Way::Receives {
                    self.meant.entry(transfer.id).or_insert(number);
                }
            }
            let is_this = paid.transfer.is_some_and(|id| self.meant.get(&id) == Some(&number));
            let stands = match paid.transfer {
                Some(id) => self.transfers(intent.payer)?.into_iter().find(|transfer| transfer.id == id),
                None => None,
            };
            let is_over =
                stands.is_some_and(|transfer| transfer.state.is_success() || transfer.state.is_final());
            let is_done = paid.end.is_some_and(|end| matches!(end, TouchEnd::Done { .. }));
            if is_this && (is_over || is_done) {
                break;
            }
            self.context.elapse(Duration::from_secs(5));
        }
        Ok(())
    }

    /// One touch; the first one is the initiator.
    fn touch(
        &mut self,
        who: [usize; 2],
        tasks: [Task; 2],
        fault: Option<TouchFault>,
        played: &mut Played,
    ) -> Result<[Met; 2], WorldError> {
        let (mut says, mut crashes, mut hosts) = (true, [None; 2], [None; 2]);
        let side = |is_payer: bool| usize::from((tasks[0].way == Way::Pays) != is_payer);
        let mut looks = Duration::ZERO;
        match fault {
            Some(TouchFault::Stopped { is_payer, plan }) => crashes[side(is_payer)] = Some(plan),
            Some(TouchFault::Host { is_payer, plan }) => hosts[side(is_payer)] = Some(plan),
            Some(TouchFault::Declined) => says = false,
            Some(TouchFault::Slow { seconds }) => looks = Duration::from_secs(seconds),
            _ => {}
        }
        self.wire.begin();
        let agreed = self.of_way(who[side(true)], Way::Pays)?.len();
        let mut said_yes = None;
        let [mut one, mut other] = [self.host_of(who[0])?, self.host_of(who[1])?];
        for (side, person) in who.into_iter().enumerate() {
            self.people[person].crash.arm(crashes[side]);
            self.people[person].host.arm(hosts[side]);
        }
        let Ok([first, second]) = self.people.get_disjoint_mut(who) else {
            return Err(WorldError::Invariant { what: "a touch has two phones".into() });
        };
        let mut holder = |_: &Confirmation, context: &mut Context| {
            context.elapse(looks);
            said_yes = Some(context.now());
            says
        };
        let mut nobody = |_: &Confirmation, _: &mut Context| says;
        let (mut pays, mut is_paid): (Says<'_>, Says<'_>) = (&mut holder, &mut nobody);
        if tasks[0].way == Way::Receives {
            std::mem::swap(&mut pays, &mut is_paid);
        }
        let wire = &mut self.wire;
        let mut carry = |number: usize, unit: Vec<u8>| wire.carry(number, unit, fault);
        let met = meet(
            Side { phone: &mut first.phone, task: tasks[0], host: &mut one, holder: pays },
            Side { phone: &mut second.phone, task: tasks[1], host: &mut other, holder: is_paid },
            &mut carry,
            &mut self.context,
        )?;
        played.touches += 1;
        if let Some(fault) = fault {
            let happened = self.wire.happened
                || who.iter().zip(hosts).any(|(person, plan)| {
                    plan.is_some_and(|plan| self.people[*person].host.messages() > plan.message)
                })
                || who.iter().any(|person| self.people[*person].crash.is_dead())
                || (said_yes.is_some() && (!says || !looks.is_zero()));
            if happened {
                played.faults.push(fault.word());
            }
        }
        let sides = [side(true), side(false)];
        played.size = TouchSize {
            units: self.wire.lengths(),
            messages: sides.map(|side| self.people[who[side]].host.messages()),
            writes: sides.map(|side| self.people[who[side]].crash.writes()),
        };
        self.note(format_args!("{who:?} {met:?}"), played);
        let switched_off = matches!(fault, Some(TouchFault::Torn { .. }));
        let mut left = [None; 2];
        for (person, met) in who.into_iter().zip(&met) {
            self.wake(person, switched_off)?;
            self.see(person, met)?;
        }
        for (left, side) in left.iter_mut().zip(sides) {
            let own = self.of_way(who[side], tasks[side].way)?;
            *left = own.last().map(|transfer| transfer.state);
            if let (Way::Pays, Some(said_yes)) = (tasks[side].way, said_yes) {
                let new = own.into_iter().skip(agreed);
                self.lapsed.extend(new.filter(|new| new.expires < said_yes).map(|new| new.id));
            }
        }
        played.left.push(left);
        Ok(met)
    }

    /// A phone that has stopped, or was switched off, starts again.
    fn wake(&mut self, number: usize, switched_off: bool) -> Result<(), WorldError> {
        let Self { people, context, flaws, .. } = self;
        let person = &mut people[number];
        let was_dead = person.crash.is_dead();
        person.crash.arm(None);
        person.host.arm(None);
        if was_dead || switched_off {
            person.phone = open(person.store.as_ref(), &person.seal, &person.crash, *flaws, context)?;
        }
        Ok(())
    }

    /// The transfers of one side in somebody's book, oldest first.
    fn of_way(&mut self, person: usize, way: Way) -> Result<Vec<Transfer>, WorldError> {
        let mut transfers = self.transfers(person)?;
        transfers.retain(|transfer| transfer.way == way);
        Ok(transfers)
    }

    /// The host as one of them reaches it.
    fn host_of(&self, person: usize) -> Result<MutedHost<Box<dyn Host>>, WorldError> {
        let phones = self.people.iter().enumerate();
        let accounts = phones.map(|(number, person)| (person.phone.id(), name(number))).collect();
        let host = Plant::host(self.flaws.plant, self.issuer.handle()?, self.issuer.handle()?, accounts);
        Ok(MutedHost::new(host, self.people[person].host.clone()))
    }

    /// Remembers what a holder was shown as done.
    fn see(&mut self, person: usize, met: &Met) -> Result<(), WorldError> {
        if let Some(id) = met.transfer
            && let Some(transfer) = self.people[person].phone.transfer(id)?
            && (transfer.state.is_success())
        {
            self.shown.push((id, transfer.way));
        }
        Ok(())
    }

    pub(super) fn transfers(&mut self, person: usize) -> Result<Vec<Transfer>, WorldError> {
        Ok(self.people[person].phone.transfers()?)
    }

    fn settle(&mut self, who: usize, fault: Option<HostPlan>, played: &mut Played) -> Result<(), WorldError> {
        let mut host = self.host_of(who)?;
        let person = &mut self.people[who];
        person.host.arm(fault);
        let settled = settle(&mut person.phone, &mut host, &mut self.context)?;
        if let Some(plan) = fault.filter(|plan| person.host.messages() > plan.message) {
            played.faults.push(plan.point.word());
        }
        person.host.arm(None);
        self.note(format_args!("{who} {settled:?}"), played);
        Ok(())
    }

    /// Nothing goes wrong any more: late messages arrive, and everyone settles.
    fn bring_back(&mut self, first: usize, played: &mut Played) -> Result<(), WorldError> {
        for person in &self.people {
            person.host.deliver_delayed(&mut self.issuer, &mut self.context);
        }
        self.context.elapse(LAPSE);
        for turn in 0..ROUNDS * PEOPLE {
            self.settle((first + turn) % PEOPLE, None, played)?;
        }
        Ok(())
    }

    pub(super) fn note(&self, what: std::fmt::Arguments<'_>, played: &mut Played) {
        for byte in what.to_string().bytes() {
            played.digest = (played.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

/// What a holder says to a confirmation.
type Says<'a> = &'a mut dyn FnMut(&Confirmation, &mut Context) -> bool;

/// Whose account it is.
pub(super) fn name(number: usize) -> AccountId {
    AccountId(format!("P{number}"))
}

fn open(
    store: &dyn Db,
    seal: &SealKey,
    crash: &CrashControl,
    flaws: Flaws,
    context: &mut Context,
) -> Result<Phone, WorldError> {
    let db = Box::new(CrashingDb::new(store.handle()?, crash.clone()));
    let rules = match flaws.without {
        Some(Rule::Phone(rule)) => TransferRules::without(rule),
        _ => TransferRules::ALL,
    };
    Ok(Phone::open(Plant::store(flaws.plant, db), seal.clone(), context)?.with_rules(rules))
}
