//! What random worlds came to.

use super::action::ACTIONS;
use super::fault::WorldFault;
use super::plan::{Plan, Selection};
use super::plant::Plant;
use super::play::{Flaws, Played};
use crate::roles::terminal::Verdict;
use crate::roles::terminal::journal::{State, TRANSITIONS};
use crate::world::rule::Rule;
use crate::world::witness::{Transition, Transitions};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A seed that failed, made smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedSeed<P = Plan, F = Flaws> {
    /// The seed.
    pub seed: u64,
    /// What is wrong.
    pub violation: String,
    /// The part of its plan that is needed for it.
    pub selection: Selection,
    /// That part.
    pub plan: P,
    /// What was wrong on purpose.
    pub flaws: F,
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
    /// Rows that stayed due because their card never came back.
    pub away: u64,
    /// Rows that stayed open because nothing could prove them any more.
    pub unproven: u64,
    /// Offline payments whose certificate was lost with the card's answer.
    pub certificates_lost: u64,
    pub(super) actions: BTreeMap<&'static str, u64>,
    pub(super) outcomes: BTreeMap<(&'static str, Verdict), u64>,
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) transitions: Transitions,
}

impl SeedReport {
    pub(super) fn take(&mut self, seed: u64, played: &Played) {
        self.seeds += 1;
        self.digest ^= (played.digest ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.away += played.away as u64;
        self.unproven += played.unproven as u64;
        self.certificates_lost += played.certificates_lost as u64;
        for word in &played.actions {
            *self.actions.entry(word).or_default() += 1;
        }
        for outcome in &played.outcomes {
            *self.outcomes.entry(*outcome).or_default() += 1;
        }
        for word in &played.faults {
            *self.faults.entry(word).or_default() += 1;
        }
        for (way, count) in &played.transitions {
            *self.transitions.entry(*way).or_default() += count;
        }
    }

    /// How often each thing was done, in the order of the table.
    pub fn actions(&self) -> Vec<(&'static str, u64)> {
        let count = |word: &'static str| (word, self.actions.get(word).copied().unwrap_or(0));
        ACTIONS.iter().map(|row| count(row.word)).collect()
    }

    /// How often a thing that was done came to an end of its own, and to which.
    pub fn outcomes(&self) -> Vec<(&'static str, Verdict, u64)> {
        let rows = self.outcomes.iter().map(|((word, verdict), count)| (*word, *verdict, *count));
        let place = |word| ACTIONS.iter().position(|row| row.word == word);
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|row| (place(row.0), row.1.word()));
        rows
    }

    /// How often each kind of fault came to happen, in the order of the words.
    pub fn faults(&self) -> Vec<(&'static str, u64)> {
        let count = |word: &&'static str| (*word, self.faults.get(word).copied().unwrap_or(0));
        WorldFault::WORDS.iter().map(count).collect()
    }

    /// How often rows took each way of the journal, in the order of the table. A way
    /// that nothing leads to says why instead.
    pub fn transitions(&self) -> Vec<(Transition, Result<u64, &'static str>)> {
        let count = |way: &Transition| match self.transitions.get(way) {
            None => (*way, unreachable(*way).map_or(Ok(0), Err)),
            Some(count) => (*way, Ok(*count)),
        };
        TRANSITIONS.iter().map(count).collect()
    }

    /// What so many worlds should have shown and did not: a thing that was never done,
    /// never came off or was never declined, a kind of fault that never came, a way
    /// that no row took, or one that was taken and cannot be.
    pub fn gaps(&self) -> Vec<String> {
        let never = |(word, count): (&'static str, u64)| (count == 0).then_some(word);
        let undone = self.actions().into_iter().filter_map(never).map(|word| format!("never done: {word}"));
        let unhurt = self.faults().into_iter().filter_map(never).map(|word| format!("no fault: {word}"));
        let count = |word, wanted: bool| {
            let of = self.outcomes.iter().filter(move |((of, verdict), _)| {
                *of == word && (verdict.is_success() == wanted || !wanted && verdict.is_unconfirmed())
            });
            of.map(|(_, count)| count).sum::<u64>()
        };
        let mut gaps: Vec<String> = undone.chain(unhurt).collect();
        for row in ACTIONS.iter().filter(|row| row.entry.is_some()) {
            let wants_success = row.word != REFUSED;
            if wants_success && count(row.word, true) == 0 {
                gaps.push(format!("never came off: {}", row.word));
            }
            if count(row.word, false) == 0 {
                gaps.push(format!("never declined: {}", row.word));
            }
        }
        for ((from, to), count) in self.transitions() {
            match count {
                Ok(0) => gaps.push(format!("no row went from {from} to {to}")),
                Ok(count) => gaps.extend(
                    unreachable((from, to))
                        .map(|why| format!("{count} rows went from {from} to {to}, though: {why}")),
                ),
                Err(_) => {}
            }
        }
        if self.away == 0 {
            gaps.push("no row stayed due because its card never came back".into());
        }
        gaps
    }
}

/// The ways that rows cannot take here, and why.
const UNREACHABLE: &[(Transition, &str)] = &[
    (
        (State::ReversalDue, State::Confirmed),
        "a reversal is due where nothing was sent, and then no proof against it can be",
    ),
    (
        (State::Started, State::Confirmed),
        "only a refund takes it, which the tear test plays and these worlds do not",
    ),
    ((State::Started, State::AdviceDue), "no card here asks for an advice"),
    ((State::AdviceDue, State::Declined), "no card here asks for an advice"),
    (
        (State::CardUpdated, State::Declined),
        "a claim that fails, and the card's own log has proven each that is made here",
    ),
];

/// Why rows cannot take a way; `None` where they can.
fn unreachable(way: Transition) -> Option<&'static str> {
    UNREACHABLE.iter().find(|row| row.0 == way).map(|row| row.1)
}

/// What never comes off.
const REFUSED: &str = "load, wrong PIN";

impl<P, F> FailedSeed<P, F> {
    /// The command that plays it again, of a kind of world and its flaws.
    pub(in crate::world) fn command_of(
        &self,
        world: &str,
        without: Option<&str>,
        plant: Option<&str>,
    ) -> String {
        let list = |numbers: &BTreeSet<usize>| {
            numbers.iter().map(|number| number.to_string()).collect::<Vec<_>>().join(",")
        };
        let Selection { steps, dropped } = &self.selection;
        let dropped = Some(dropped).filter(|dropped| !dropped.is_empty());
        let arguments = [
            ("steps", steps.as_ref().map(list)),
            ("drop", dropped.map(list)),
            ("without", without.map(str::to_owned)),
            ("plant", plant.map(str::to_owned)),
        ];
        let mut command = format!("cardwright world {world} --seed {}", self.seed);
        for (name, value) in arguments {
            command += &value.map_or_else(String::new, |value| format!(" --{name} {value}"));
        }
        command
    }
}

impl FailedSeed {
    /// The command that plays it again.
    pub fn command(&self) -> String {
        self.command_of("run", self.flaws.without.map(Rule::word), self.flaws.plant.map(Plant::word))
    }
}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "what was done")?;
        for (word, count) in self.actions() {
            let ends = self.outcomes().into_iter().filter(|row| row.0 == word);
            let ends: Vec<_> =
                ends.map(|(_, verdict, count)| format!("{count} {}", verdict.word())).collect();
            writeln!(f, "{count:>10}  {word:<24} {}", ends.join("; "))?;
        }
        writeln!(f, "\nfaults by kind")?;
        for (word, count) in self.faults() {
            writeln!(f, "{count:>10}  {word}")?;
        }
        writeln!(f, "\njournal rows by the way they took")?;
        for ((from, to), count) in self.transitions() {
            match count {
                Ok(count) => writeln!(f, "{count:>10}  {from} -> {to}")?,
                Err(reason) => writeln!(f, "{:>10}  {from} -> {to}: {reason}", "-")?,
            }
        }
        writeln!(f, "\nleft open at the end")?;
        writeln!(f, "{:>10}  due, with the amount, for a card that never came back", self.away)?;
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
