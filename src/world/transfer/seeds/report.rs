//! What random worlds of phones came to.

use super::Rule;
use super::fault::TouchFault;
use super::plan::Plan;
use super::plant::Plant;
use super::play::{Flaws, Played};
use crate::world::seeds;
use std::collections::BTreeMap;
use std::fmt;

/// A seed that failed, made smaller.
pub type FailedSeed = seeds::FailedSeed<Plan, Flaws>;

impl FailedSeed {
    /// The command that plays it again.
    pub fn command(&self) -> String {
        self.command_of("transfer", self.flaws.without.map(Rule::word), self.flaws.plant.map(Plant::word))
    }
}

/// Many worlds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeedReport {
    /// How many seeds were played, each twice.
    pub seeds: u64,
    /// The seeds that failed.
    pub failed: Vec<FailedSeed>,
    /// All that happened in all of them, as one number, whatever their order.
    pub digest: u64,
    /// Touches.
    pub touches: u64,
    /// Transfers that are booked at the end.
    pub booked: u64,
    /// Transfers that are refused at the end, withdrawn offers among them.
    pub refused: u64,
    faults: BTreeMap<&'static str, u64>,
}

impl SeedReport {
    pub(super) fn take(&mut self, seed: u64, played: &Played) {
        self.seeds += 1;
        self.digest ^= (played.digest ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.touches += played.touches;
        self.booked += played.booked;
        self.refused += played.refused;
        for word in &played.faults {
            *self.faults.entry(word).or_default() += 1;
        }
    }

    /// How often each kind of fault came to happen, in the order of the table.
    pub fn faults(&self) -> Vec<(&'static str, u64)> {
        let count = |word: &&'static str| (*word, self.faults.get(word).copied().unwrap_or(0));
        TouchFault::WORDS.iter().map(count).collect()
    }

    /// What so many worlds should have shown and did not: a kind of fault that never came.
    pub fn gaps(&self) -> Vec<String> {
        let never = self.faults().into_iter().filter(|(_, count)| *count == 0);
        never.map(|(word, _)| format!("no fault: {word}")).collect()
    }
}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, touches, booked, refused, digest, .. } = self;
        writeln!(
            f,
            "{seeds} worlds of phones, {touches} touches: {booked} transfers booked, {refused} refused"
        )?;
        for (word, count) in self.faults() {
            writeln!(f, "  {count:>10}  {word}")?;
        }
        writeln!(f, "digest {digest:016x}")?;
        for failed in &self.failed {
            writeln!(f, "WRONG seed {}: {}", failed.seed, failed.violation)?;
            write!(f, "{}", failed.plan)?;
            writeln!(f, "again: {}", failed.command())?;
        }
        write!(f, "{} worlds wrong", self.failed.len())
    }
}
