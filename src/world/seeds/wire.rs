//! What seeds came to, as text for another machine, and back: part reports are added up
//! there. Plans are not sent: their seeds say them.

use super::action::ACTIONS;
use super::fault::WorldFault;
use super::plan::{Plan, Selection};
use super::play::Flaws;
use super::report::{FailedSeed, SeedReport};
use crate::roles::terminal::Verdict;
use crate::roles::terminal::journal::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Why a text is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a report on seeds as this version writes it, found {0}")]
pub struct SeedReportError(String);

#[derive(Serialize, Deserialize)]
struct Sent {
    seeds: u64,
    digest: u64,
    away: u64,
    unproven: u64,
    certificates_lost: u64,
    failed: Vec<SentFailure>,
    actions: Vec<(String, u64)>,
    outcomes: Vec<(String, String, u64)>,
    faults: Vec<(String, u64)>,
    transitions: Vec<(String, String, u64)>,
}

#[derive(Serialize, Deserialize)]
struct SentFailure {
    seed: u64,
    violation: String,
    steps: Option<BTreeSet<usize>>,
    dropped: BTreeSet<usize>,
}

impl SeedReport {
    /// The report as text.
    pub fn to_text(&self) -> String {
        let sent = Sent {
            seeds: self.seeds,
            digest: self.digest,
            away: self.away,
            unproven: self.unproven,
            certificates_lost: self.certificates_lost,
            failed: self.failed.iter().map(SentFailure::of).collect(),
            actions: self.actions.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect(),
            outcomes: self
                .outcomes
                .iter()
                .map(|((word, verdict), count)| ((*word).to_owned(), verdict.word().to_owned(), *count))
                .collect(),
            faults: self.faults.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect(),
            transitions: self
                .transitions
                .iter()
                .map(|((from, to), count)| (from.word().to_owned(), to.word().to_owned(), *count))
                .collect(),
        };
        serde_json::json!(sent).to_string()
    }

    /// The report of a text, on worlds with these flaws.
    pub fn of_text(text: &str, flaws: Flaws) -> Result<Self, SeedReportError> {
        let sent: Sent = serde_json::from_str(text).map_err(|error| SeedReportError(error.to_string()))?;
        let mut report = Self {
            seeds: sent.seeds,
            digest: sent.digest,
            away: sent.away,
            unproven: sent.unproven,
            certificates_lost: sent.certificates_lost,
            failed: sent.failed.into_iter().map(|failed| failed.with(flaws)).collect(),
            ..Self::default()
        };
        for (word, count) in &sent.actions {
            report.actions.insert(action(word)?, *count);
        }
        for (word, verdict, count) in &sent.outcomes {
            let found = Verdict::ALL.iter().find(|known| known.word() == verdict);
            report.outcomes.insert((action(word)?, *found.ok_or_else(|| unknown(verdict))?), *count);
        }
        for (word, count) in &sent.faults {
            report.faults.insert(one_of(WorldFault::WORDS, word)?, *count);
        }
        for (from, to, count) in &sent.transitions {
            let state = |word: &str| State::from_word(word).ok_or_else(|| unknown(word));
            report.transitions.insert((state(from)?, state(to)?), *count);
        }
        Ok(report)
    }

    /// Adds the report on other seeds.
    pub fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.digest ^= other.digest;
        self.away += other.away;
        self.unproven += other.unproven;
        self.certificates_lost += other.certificates_lost;
        self.failed.extend(other.failed);
        self.failed.sort_by_key(|failed| failed.seed);
        other.actions.into_iter().for_each(|(key, count)| *self.actions.entry(key).or_default() += count);
        other.outcomes.into_iter().for_each(|(key, count)| *self.outcomes.entry(key).or_default() += count);
        other.faults.into_iter().for_each(|(key, count)| *self.faults.entry(key).or_default() += count);
        let ways = other.transitions.into_iter();
        ways.for_each(|(key, count)| *self.transitions.entry(key).or_default() += count);
    }
}

impl SentFailure {
    fn of(failed: &FailedSeed) -> Self {
        Self {
            seed: failed.seed,
            violation: failed.violation.clone(),
            steps: failed.selection.steps.clone(),
            dropped: failed.selection.dropped.clone(),
        }
    }

    fn with(self, flaws: Flaws) -> FailedSeed {
        let selection = Selection { steps: self.steps, dropped: self.dropped };
        let plan = Plan::of(self.seed).select(&selection);
        FailedSeed { seed: self.seed, violation: self.violation, selection, plan, flaws }
    }
}

fn action(word: &str) -> Result<&'static str, SeedReportError> {
    ACTIONS.iter().map(|row| row.word).find(|known| *known == word).ok_or_else(|| unknown(word))
}

fn one_of(words: &[&'static str], word: &str) -> Result<&'static str, SeedReportError> {
    words.iter().copied().find(|known| *known == word).ok_or_else(|| unknown(word))
}

fn unknown(word: &str) -> SeedReportError {
    SeedReportError(format!("the word {word:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::seeds::{Plant, SeedSettings, seeds};

    fn play(first: u64, count: u64, plant: Option<Plant>) -> SeedReport {
        let flaws = Flaws { without: None, plant };
        let settings = SeedSettings { first, count, flaws, twice: false, ..SeedSettings::default() };
        seeds(&settings, &mut |_, _, _| {}).unwrap()
    }

    #[test]
    fn parts_that_were_sent_are_the_whole() {
        let mut sum = SeedReport::default();
        for part in [play(1, 3, None), play(4, 5, None)] {
            sum.add(SeedReport::of_text(&part.to_text(), Flaws::default()).unwrap());
        }
        assert_eq!(sum, play(1, 8, None));
        assert!(SeedReport::of_text("{}", Flaws::default()).is_err());
    }

    #[test]
    fn a_failing_seed_keeps_its_plan_and_its_command() {
        let plant = Plant::from_word("books-twice").or(Plant::ALL.first().copied());
        let report = play(1, 200, plant);
        assert!(!report.failed.is_empty());
        let flaws = Flaws { without: None, plant };
        assert_eq!(SeedReport::of_text(&report.to_text(), flaws).unwrap(), report);
    }
}
