//! What is to happen in a world: all of it comes from the seed.

use crate::air::link::{FaultPlan, FaultPoint, Interface};
use crate::base::env::{Entropy, SeededEntropy};
use crate::words::iso4217::{Amount, Currency};
use crate::world::tear::{CrashPlan, HostPlan, HostPoint};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// Sets the plan's randomness apart from that of the world itself.
const PLAN: u64 = 0x706C_616E_7365_6564;
/// More than any transaction has: some faults fall behind its end and never happen.
const EXCHANGES: u64 = 40;
const MESSAGES: u64 = 3;
const WRITES: u64 = 16;
const ISSUER_WRITES: u64 = 3;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A world that is to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where it comes from.
    pub seed: u64,
    /// The cards.
    pub cards: Vec<PlannedCard>,
    /// How many terminals there are.
    pub terminals: usize,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// A card of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedCard {
    /// Its profile.
    pub profile: &'static str,
    /// Whether it keeps logs: without them only balance and host can prove anything.
    pub logs: bool,
    /// What it holds at first, in its first currency, minor units.
    pub balance_minor: u64,
    /// What the account of each of its currencies holds at first, minor units.
    pub account_minor: u64,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number in the whole plan.
    pub number: usize,
    /// Time that passes before it.
    pub pause: Duration,
    /// At which terminal, from 0.
    pub terminal: usize,
    /// With which card, from 0.
    pub card: usize,
    /// How the card is reached.
    pub interface: Interface,
    /// What is done.
    pub action: Action,
    /// What goes wrong.
    pub faults: Vec<PlannedFault>,
}

/// What is done at a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A load, with the right PIN or a wrong one.
    Load(Amount, bool),
    /// A payment.
    Pay(Amount),
    /// What is open is settled, with the card there.
    Recover,
    /// What is open is settled, the card away.
    RecoverAlone,
    /// The PIN is presented to the card itself, the right one or a wrong one.
    Verify(bool),
}

/// A fault and its number in the whole plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedFault {
    /// Its number.
    pub number: usize,
    /// What it is.
    pub fault: WorldFault,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldFault {
    /// The card is pulled.
    Card(FaultPlan),
    /// A message to the host, or its answer, is lost, late or doubled.
    Host(HostPlan),
    /// The terminal stops at a write of its journal.
    Terminal(CrashPlan),
    /// The issuer stops at a write of its books, and starts again after the step.
    Issuer(CrashPlan),
}

/// Which part of a plan is played; the rest is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The steps that happen; none named is all of them.
    pub steps: Option<BTreeSet<usize>>,
    /// The faults that do not happen.
    pub dropped: BTreeSet<usize>,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        let mut draw = Draw(SeededEntropy::new(seed ^ PLAN));
        let cards: Vec<_> = (0..=draw.below(3)).map(|_| draw.card()).collect();
        let terminals = 1 + draw.below(3) as usize;
        let mut faults = 0;
        let steps = (0..3 + draw.below(6) as usize)
            .map(|number| draw.step(number, &cards, terminals, &mut faults))
            .collect();
        Self { seed, cards, terminals, steps }
    }

    /// The part of it that is selected.
    #[must_use]
    pub fn select(&self, selection: &Selection) -> Self {
        let mut plan = self.clone();
        if let Some(steps) = &selection.steps {
            plan.steps.retain(|step| steps.contains(&step.number));
        }
        for step in &mut plan.steps {
            step.faults.retain(|fault| !selection.dropped.contains(&fault.number));
        }
        plan
    }
}

/// Draws from a seed.
struct Draw(SeededEntropy);

impl Draw {
    /// A number below `end`. The bias of the remainder is no matter here.
    fn below(&mut self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end.max(1)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len() as u64) as usize).copied()
    }

    fn card(&mut self) -> PlannedCard {
        PlannedCard {
            profile: if self.one_in(3) { "ecash-dual" } else { "ecash" },
            logs: !self.one_in(3),
            balance_minor: self.below(20) * 1_000,
            account_minor: self.below(4) * 20_000,
        }
    }

    fn step(&mut self, number: usize, cards: &[PlannedCard], terminals: usize, faults: &mut usize) -> Step {
        let pause = match self.below(8) {
            0 => DAY,
            1 => Duration::from_secs(3600),
            _ => Duration::from_secs(self.below(60)),
        };
        let terminal = self.below(terminals as u64) as usize;
        let card = self.below(cards.len() as u64) as usize;
        let has_second = cards.get(card).is_some_and(|card| card.profile == "ecash-dual");
        let currency = if has_second && self.one_in(2) { Currency::HKD } else { Currency::CNY };
        let action = match self.below(20) {
            0..8 => {
                let minor = self.amount(30_000);
                Action::Load(Amount::new(minor, currency), !self.one_in(12))
            }
            8..16 => Action::Pay(Amount::new(self.amount(9_000), currency)),
            16 | 17 => Action::Recover,
            18 => Action::RecoverAlone,
            _ => Action::Verify(self.one_in(2)),
        };
        let interface = if self.one_in(2) { Interface::Contact } else { Interface::Contactless };
        let count = match self.below(10) {
            0..4 => 0,
            4..9 => 1,
            _ => 2,
        };
        let faults = (0..count)
            .map(|_| {
                *faults += 1;
                PlannedFault { number: *faults - 1, fault: self.fault(action) }
            })
            .collect();
        Step { number, pause, terminal, card, interface, action, faults }
    }

    /// Small amounts and large ones alike.
    fn amount(&mut self, most: u64) -> u64 {
        let most = if self.one_in(3) { most } else { most / 10 };
        1 + self.below(most)
    }

    fn fault(&mut self, action: Action) -> WorldFault {
        let committed = self.one_in(2);
        let exchanges = if matches!(action, Action::Verify(_)) { 2 } else { EXCHANGES };
        match self.below(10) {
            0..5 => {
                let exchange = self.below(exchanges) as usize;
                let point = self.pick(FaultPoint::ALL).unwrap_or(FaultPoint::AnswerLost);
                WorldFault::Card(FaultPlan { exchange, point })
            }
            5 | 6 => {
                let message = self.below(MESSAGES) as usize;
                let point = self.pick(HostPoint::ALL).unwrap_or(HostPoint::AnswerLost);
                WorldFault::Host(HostPlan { message, point })
            }
            7 | 8 => WorldFault::Terminal(CrashPlan { write: self.below(WRITES) as usize, committed }),
            _ => WorldFault::Issuer(CrashPlan { write: self.below(ISSUER_WRITES) as usize, committed }),
        }
    }
}

impl WorldFault {
    /// The kinds of fault, by their words.
    pub const WORDS: &'static [&'static str] = &[
        "card pulled before the command",
        "card pulled, answer lost",
        "card pulled after the answer",
        "message to the host lost",
        "answer of the host lost",
        "message delivered twice",
        "host silent from here on",
        "message overtaken by the next",
        "terminal stopped before a write",
        "terminal stopped after a write",
        "issuer stopped before a write",
        "issuer stopped after a write",
    ];

    /// What kind of fault it is, without its place.
    pub const fn word(self) -> &'static str {
        let at = match self {
            Self::Card(FaultPlan { point: FaultPoint::BeforeCommand, .. }) => 0,
            Self::Card(FaultPlan { point: FaultPoint::AnswerLost, .. }) => 1,
            Self::Card(FaultPlan { point: FaultPoint::AfterAnswer, .. }) => 2,
            Self::Host(HostPlan { point: HostPoint::RequestLost, .. }) => 3,
            Self::Host(HostPlan { point: HostPoint::AnswerLost, .. }) => 4,
            Self::Host(HostPlan { point: HostPoint::Twice, .. }) => 5,
            Self::Host(HostPlan { point: HostPoint::Down, .. }) => 6,
            Self::Host(HostPlan { point: HostPoint::Late, .. }) => 7,
            Self::Terminal(CrashPlan { committed: false, .. }) => 8,
            Self::Terminal(CrashPlan { committed: true, .. }) => 9,
            Self::Issuer(CrashPlan { committed: false, .. }) => 10,
            Self::Issuer(CrashPlan { committed: true, .. }) => 11,
        };
        Self::WORDS[at]
    }
}

impl Action {
    /// What kind of action it is.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Load(_, true) => "load",
            Self::Load(_, false) => "load, wrong PIN",
            Self::Pay(_) => "pay",
            Self::Recover => "recover",
            Self::RecoverAlone => "recover, no card",
            Self::Verify(_) => "PIN to the card",
        }
    }
}

impl fmt::Display for Plan {
    /// A line for the cards, and one for each step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, card) in self.cards.iter().enumerate() {
            let logs = if card.logs { "" } else { " without logs" };
            let (balance, account) = (card.balance_minor, card.account_minor);
            writeln!(f, "card {number}: {}{logs}, {balance} on it, {account} behind it", card.profile)?;
        }
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.pause.as_secs();
        write!(f, "step {}, {seconds} s later: terminal {}, card {}", self.number, self.terminal, self.card)?;
        let over = match self.interface {
            Interface::Contact => "contact",
            Interface::Contactless => "contactless",
        };
        write!(f, ", {over}: {}", self.action.word())?;
        if let Action::Load(amount, _) | Action::Pay(amount) = self.action {
            write!(f, " {amount}")?;
        }
        for fault in &self.faults {
            write!(f, "; fault {}: {}", fault.number, fault.fault)?;
        }
        Ok(())
    }
}

impl fmt::Display for WorldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Card(plan) => format!("exchange {}", plan.exchange),
            Self::Host(plan) => format!("message {}", plan.message),
            Self::Terminal(plan) | Self::Issuer(plan) => format!("write {}", plan.write),
        };
        write!(f, "{}, {place}", self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_plan_again_and_a_part_of_it() {
        assert_eq!(Plan::of(7), Plan::of(7));
        assert_ne!(Plan::of(7), Plan::of(8));
        let plan = (0..100).map(Plan::of).find(|plan| plan.steps.iter().any(|s| !s.faults.is_empty()));
        let plan = plan.unwrap();
        let faults: BTreeSet<_> = plan.steps.iter().flat_map(|s| &s.faults).map(|f| f.number).collect();
        let part = plan.select(&Selection { steps: Some([1].into()), dropped: faults });
        assert_eq!(part.steps.len(), 1);
        assert!(part.steps[0].faults.is_empty() && part.steps[0].number == 1);
        assert_eq!(plan.select(&Selection::default()), plan);
    }
}
