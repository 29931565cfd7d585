//! What random worlds of phones came to.

use super::Rule;
use super::fault::TouchFault;
use super::plan::Plan;
use super::play::Played;
use std::collections::BTreeMap;
use std::fmt;

/// A seed that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedSeed {
    /// The seed.
    pub seed: u64,
    /// What is wrong.
    pub violation: String,
    /// What was to happen.
    pub plan: Plan,
    /// The rule that was switched off.
    pub without: Option<Rule>,
}

impl FailedSeed {
    /// The command that plays it again.
    pub fn command(&self) -> String {
        let without = self.without.map_or_else(String::new, |rule| format!(" --without {}", rule.word()));
        format!("cardwright world transfer --seed {}{without}", self.seed)
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
            writeln!(
                f,
                "seed {}: {}\n{}again: {}",
                failed.seed,
                failed.violation,
                failed.plan,
                failed.command()
            )?;
        }
        write!(f, "{} worlds wrong", self.failed.len())
    }
}
