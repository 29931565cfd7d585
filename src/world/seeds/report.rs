//! What random worlds came to.

use super::plan::{Plan, Selection, WorldFault};
use super::play::Played;
use crate::roles::terminal::journal::TRANSITIONS;
use crate::world::rule::Rule;
use crate::world::witness::{Transition, Transitions};
use std::collections::BTreeMap;
use std::fmt;

/// A seed that failed, made smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedSeed {
    /// The seed.
    pub seed: u64,
    /// What is wrong.
    pub violation: String,
    /// The part of its plan that is needed for it.
    pub selection: Selection,
    /// That part.
    pub plan: Plan,
    /// The rule that was switched off.
    pub without: Option<Rule>,
}

/// Many worlds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeedReport {
    /// How many seeds were played, each twice.
    pub seeds: u64,
    /// What was done.
    pub actions: BTreeMap<&'static str, u64>,
    /// The seeds that failed.
    pub failed: Vec<FailedSeed>,
    /// All that happened in all of them, as one number, whatever their order.
    pub digest: u64,
    /// Rows that stayed open because nothing could prove them any more.
    pub unproven: u64,
    /// Offline payments whose certificate was lost with the card's answer.
    pub certificates_lost: u64,
    faults: BTreeMap<&'static str, u64>,
    transitions: Transitions,
}

impl SeedReport {
    pub(super) fn take(&mut self, seed: u64, played: &Played) {
        self.seeds += 1;
        self.digest ^= (played.digest ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.unproven += played.unproven as u64;
        self.certificates_lost += played.certificates_lost as u64;
        for word in &played.actions {
            *self.actions.entry(word).or_default() += 1;
        }
        for word in &played.faults {
            *self.faults.entry(word).or_default() += 1;
        }
        for (way, count) in &played.transitions {
            *self.transitions.entry(*way).or_default() += count;
        }
    }

    /// How often each kind of fault came to happen, in the order of the words.
    pub fn faults(&self) -> Vec<(&'static str, u64)> {
        let count = |word: &&'static str| (*word, self.faults.get(word).copied().unwrap_or(0));
        WorldFault::WORDS.iter().map(count).collect()
    }

    /// How often rows took each way of the journal, in the order of the table.
    pub fn transitions(&self) -> Vec<(Transition, u64)> {
        TRANSITIONS.iter().map(|way| (*way, self.transitions.get(way).copied().unwrap_or(0))).collect()
    }
}

impl FailedSeed {
    /// The command that plays it again.
    pub fn command(&self) -> String {
        let list = |numbers: &mut dyn Iterator<Item = usize>| {
            numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
        };
        let mut command = format!("cardwright world run --seed {}", self.seed);
        if let Some(steps) = &self.selection.steps {
            command += &format!(" --steps {}", list(&mut steps.iter().copied()));
        }
        if !self.selection.dropped.is_empty() {
            command += &format!(" --drop {}", list(&mut self.selection.dropped.iter().copied()));
        }
        if let Some(rule) = self.without {
            command += &format!(" --without {}", rule.word());
        }
        command
    }
}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "what was done")?;
        for (word, count) in &self.actions {
            writeln!(f, "{count:>10}  {word}")?;
        }
        writeln!(f, "\nfaults by kind")?;
        for (word, count) in self.faults() {
            writeln!(f, "{count:>10}  {word}")?;
        }
        writeln!(f, "\njournal rows by the way they took")?;
        for ((from, to), count) in self.transitions() {
            writeln!(f, "{count:>10}  {from} -> {to}")?;
        }
        writeln!(f, "\nleft open at the end")?;
        writeln!(f, "{:>10}  in doubt, on a card without logs that has moved on", self.unproven)?;
        writeln!(f, "{:>10}  paid, and the certificate lost with the card's answer", self.certificates_lost)?;
        for failed in &self.failed {
            writeln!(f, "\nWRONG seed {}: {}", failed.seed, failed.violation)?;
            write!(f, "{}", failed.plan)?;
            writeln!(f, "again: {}", failed.command())?;
        }
        write!(
            f,
            "\n{} seeds, each played twice, {} wrong; digest {:016x}",
            self.seeds,
            self.failed.len(),
            self.digest
        )
    }
}
