//! What is to happen in a world: all of it comes from the seed.

use super::action::{ACTIONS, ActionRow};
use super::fault::{PlannedFault, WorldFault};
use super::shrink::Parts;
use crate::air::link::Interface;
use crate::roles::terminal::journal::EntryKind;
use crate::words::iso4217::{Amount, Currency};
use crate::world::draw::Draw;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// Sets the plan's randomness apart from that of the world itself.
const PLAN: u64 = 0x706C_616E_7365_6564;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A world that is to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where it comes from.
    pub seed: u64,
    /// The cards.
    pub cards: Vec<PlannedCard>,
    /// The terminals.
    pub terminals: Vec<PlannedTerminal>,
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
    /// What waits to be loaded at first, in its first currency, minor units.
    pub pending_minor: u64,
    /// Whether it comes back at the end.
    pub returns: bool,
}

/// A terminal of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedTerminal {
    /// Whether it tells by a notice that a card refused the script, where ours reverse.
    pub tells_refusal: bool,
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
pub struct Action {
    /// What.
    pub row: &'static ActionRow,
    /// The amount it is about.
    pub amount: Amount,
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
        let mut draw = Draw::new(seed ^ PLAN);
        let cards: Vec<_> = (0..=draw.below(3)).map(|_| draw.card()).collect();
        let terminals: Vec<_> =
            (0..=draw.below(3)).map(|_| PlannedTerminal { tells_refusal: draw.one_in(3) }).collect();
        let mut faults = 0;
        let mut steps: Vec<Step> = Vec::new();
        for number in 0..4 + draw.below(8) as usize {
            let step = draw.step(number, &cards, terminals.len(), steps.last(), &mut faults);
            steps.push(step);
        }
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

impl Parts for Plan {
    fn part(&self, selection: &Selection) -> Self {
        self.select(selection)
    }

    fn steps(&self) -> Vec<usize> {
        self.steps.iter().map(|step| step.number).collect()
    }

    fn faults(&self) -> Vec<usize> {
        self.steps.iter().flat_map(|step| &step.faults).map(|fault| fault.number).collect()
    }
}

impl Draw {
    fn card(&mut self) -> PlannedCard {
        PlannedCard {
            profile: self
                .pick(&["ecash", "ecash", "ecash", "ecash-dual", "ecash-dual", "debit"])
                .unwrap_or("ecash"),
            logs: !self.one_in(3),
            balance_minor: self.below(20) * 1_000,
            account_minor: self.below(4) * 20_000,
            pending_minor: self.below(3) * 10_000,
            returns: !self.one_in(6),
        }
    }

    fn step(
        &mut self,
        number: usize,
        cards: &[PlannedCard],
        terminals: usize,
        before: Option<&Step>,
        faults: &mut usize,
    ) -> Step {
        let pause = match self.below(8) {
            0 => DAY,
            1 => Duration::from_secs(3600),
            _ => Duration::from_secs(self.below(60)),
        };
        let terminal = self.below(terminals as u64) as usize;
        let card = match before {
            // Whoever was disturbed likes to try again, here or elsewhere.
            Some(before) if !before.faults.is_empty() && !self.one_in(3) => before.card,
            _ => self.below(cards.len() as u64) as usize,
        };
        let profile = cards.get(card).map(|card| card.profile);
        let has_second = profile == Some("ecash-dual");
        let currency = if has_second && self.one_in(2) { Currency::HKD } else { Currency::CNY };
        let row = self.action();
        let amount = Amount::new(self.amount(row.most_minor), currency);
        // What a card without electronic cash does over contactless is to pay.
        let contact_only = profile == Some("debit") && row.entry != Some(EntryKind::OfflineSale);
        let interface =
            if contact_only || self.one_in(2) { Interface::Contact } else { Interface::Contactless };
        let count = match self.below(10) {
            0..3 => 0,
            3..8 => 1,
            _ => 2,
        };
        let faults = (0..count)
            .map(|_| {
                *faults += 1;
                PlannedFault { number: *faults - 1, fault: WorldFault::draw(self) }
            })
            .collect();
        Step { number, pause, terminal, card, interface, action: Action { row, amount }, faults }
    }

    fn action(&mut self) -> &'static ActionRow {
        let mut at = self.below(ACTIONS.iter().map(|row| row.weight).sum());
        for row in ACTIONS {
            match at.checked_sub(row.weight) {
                Some(rest) => at = rest,
                None => return row,
            }
        }
        &ACTIONS[0]
    }

    /// Small amounts and large ones alike; 0 of nothing.
    fn amount(&mut self, most: u64) -> u64 {
        let most = if self.one_in(3) { most } else { most / 10 };
        if most == 0 { 0 } else { 1 + self.below(most) }
    }
}

impl fmt::Display for Plan {
    /// A line for the cards, and one for each step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, card) in self.cards.iter().enumerate() {
            let logs = if card.logs { "" } else { " without logs" };
            let (balance, account, pending) = (card.balance_minor, card.account_minor, card.pending_minor);
            write!(f, "card {number}: {}{logs}, {balance} on it, {account} behind it", card.profile)?;
            let fate = if card.returns { "" } else { ", never seen again after the last step" };
            writeln!(f, ", {pending} pending{fate}")?;
        }
        for (number, terminal) in self.terminals.iter().enumerate() {
            let make = if terminal.tells_refusal { "by a notice" } else { "by a reversal" };
            writeln!(f, "terminal {number}: tells {make} that a card refused")?;
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
        write!(f, ", {over}: {}", self.action.row.word)?;
        if self.action.row.most_minor > 0 {
            write!(f, " {}", self.action.amount)?;
        }
        for fault in &self.faults {
            write!(f, "; fault {}: {}", fault.number, fault.fault)?;
        }
        Ok(())
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
