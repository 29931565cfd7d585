//! What a simulation came to: what became of each kind of riders, and how long the gate took.

use super::rider::{Expected, RIDERS};
use crate::devices::gate::Why;
use std::collections::BTreeMap;

/// Durations in microseconds, in the order in which they were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples(pub Vec<u32>);

/// Figures of samples, microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// How many samples there are.
    pub count: usize,
    /// Half of them are not above this.
    pub p50: u32,
    /// 99 of 100 are not above this.
    pub p99: u32,
    /// The longest.
    pub max: u32,
}

/// What became of the taps of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fate {
    /// Taps.
    pub taps: u64,
    /// The gate opened.
    pub opened: u64,
    /// It opened and should not have, or stayed shut and should have opened.
    pub wrong: u64,
    /// Why, and how often.
    pub why: BTreeMap<Why, u64>,
}

impl Fate {
    /// Taps at which the gate stayed shut.
    pub const fn shut(&self) -> u64 {
        self.taps - self.opened
    }

    /// Why, and how often, as one text.
    pub fn reasons(&self) -> String {
        let reasons: Vec<_> = self.why.iter().map(|(why, count)| format!("{} {count}", why.word())).collect();
        reasons.join(", ")
    }
}

/// How far a simulation was, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Taps so far.
    pub taps: u64,
    /// Since it began, microseconds of real time.
    pub micros: u64,
}

/// What a simulation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateReport {
    /// Taps in all.
    pub taps: u64,
    /// By kind, in the order of [`RIDERS`].
    pub fates: Vec<Fate>,
    /// What the first taps that went wrong were.
    pub wrong: Vec<String>,
    /// The gate's own work, with the issuer's certificate recovered before; taps that were
    /// read to their end.
    pub warm: Samples,
    /// The same with nothing recovered before.
    pub cold: Samples,
    /// Keeping a tap.
    pub store: Samples,
    /// From the field's start to the open gate: counted on the air and in the card, measured
    /// in the gate.
    pub total: Samples,
    /// Opened later than the line's budget.
    pub over_budget: u64,
    /// Rides that are paid, at once or after a debt.
    pub approved: u64,
    /// Rides that are owed or lost.
    pub declined: u64,
    /// Rides beyond the day's cap, which cost nothing.
    pub free: u64,
    /// Rides that are still to be asked about.
    pub waiting: u64,
    /// Rides of purses of which it is not proven that they were paid.
    pub in_doubt: u64,
    /// Taps at which the gate stayed shut, since the proof that was given is not the purse's.
    pub doubtful: u64,
    /// Broken invariants of the issuer's books.
    pub violations: Vec<String>,
    /// How it went on.
    pub progress: Vec<Progress>,
}

impl Samples {
    /// Adds a duration.
    pub fn add(&mut self, duration: std::time::Duration) {
        self.0.push(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX));
    }

    /// Figures of them.
    pub fn percentiles(&self) -> Percentiles {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |hundredth: usize| {
            // The smallest sample that at least so many of a hundred are not above.
            let place = (sorted.len() * hundredth).div_ceil(100).saturating_sub(1);
            sorted.get(place).copied().unwrap_or(0)
        };
        Percentiles { count: sorted.len(), p50: at(50), p99: at(99), max: at(100) }
    }
}

impl GateReport {
    /// Whether a bad card passed, a good one was refused, or the books are broken.
    pub fn is_wrong(&self) -> bool {
        self.fates.iter().any(|fate| fate.wrong > 0) || !self.violations.is_empty()
    }

    /// Taps that should not have opened the gate and did, and the other way round.
    pub fn mistakes(&self) -> (u64, u64) {
        let of = |shut: bool| {
            let rows = RIDERS.iter().zip(&self.fates);
            let rows = rows.filter(|(row, _)| (row.expected == Expected::Shut) == shut);
            rows.map(|(_, fate)| fate.wrong).sum()
        };
        (of(true), of(false))
    }

    /// Adds what another lane came to.
    pub(super) fn add(&mut self, more: Self) {
        self.taps += more.taps;
        if self.fates.is_empty() {
            self.fates = vec![Fate::default(); RIDERS.len()];
        }
        for (fate, other) in self.fates.iter_mut().zip(more.fates) {
            fate.taps += other.taps;
            fate.opened += other.opened;
            fate.wrong += other.wrong;
            for (why, count) in other.why {
                *fate.why.entry(why).or_default() += count;
            }
        }
        self.wrong.extend(more.wrong);
        self.warm.0.extend(more.warm.0);
        self.cold.0.extend(more.cold.0);
        self.store.0.extend(more.store.0);
        self.total.0.extend(more.total.0);
        self.over_budget += more.over_budget;
        self.approved += more.approved;
        self.declined += more.declined;
        self.free += more.free;
        self.waiting += more.waiting;
        self.in_doubt += more.in_doubt;
        self.doubtful += more.doubtful;
        self.violations.extend(more.violations);
        self.progress.extend(more.progress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples = Samples((1..=200).rev().collect());
        assert_eq!(samples.percentiles(), Percentiles { count: 200, p50: 100, p99: 198, max: 200 });
        assert_eq!(Samples::default().percentiles(), Percentiles::default());
        assert_eq!(Samples(vec![7]).percentiles(), Percentiles { count: 1, p50: 7, p99: 7, max: 7 });
    }

    #[test]
    fn shares_of_riders_come_to_a_hundred() {
        assert_eq!(RIDERS.iter().map(|row| row.share).sum::<u32>(), 100);
    }
}
