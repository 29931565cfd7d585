//! What a tear test found.

use super::case::TearCase;
use super::fault::TearFault;
use super::kind::TearKind;
use super::settings::TearSettings;
use super::tally::Tally;
use crate::roles::terminal::journal::{State, TRANSITIONS};
use crate::world::witness::{Transition, Transitions};
use std::collections::BTreeMap;
use std::fmt;

/// One case and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TearRow {
    /// The case.
    pub case: TearCase,
    /// How the transaction broke off, if it did.
    pub broke: Option<String>,
    /// The row's state after the fault; none where it never began.
    pub torn: Option<State>,
    /// The row's state after recovery.
    pub last: Option<State>,
    /// What recovery did.
    pub way: Vec<String>,
    /// What is wrong, if anything.
    pub violation: Option<String>,
}

/// Every case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TearReport {
    /// The cases in the order of the matrix.
    pub rows: Vec<TearRow>,
    /// Whether every case was played.
    pub is_whole: bool,
    kinds: Vec<TearKind>,
    bytes: bool,
    transitions: BTreeMap<(TearKind, Transition), u64>,
}

impl TearReport {
    /// A report of nothing yet.
    pub(super) fn of(settings: &TearSettings) -> Self {
        Self { kinds: settings.kinds.clone(), bytes: settings.bytes.is_some(), ..Self::default() }
    }

    /// Takes the ways that the terminal's rows took in a case of a kind.
    pub(super) fn count(&mut self, kind: TearKind, transitions: &Transitions) {
        for (way, count) in transitions {
            *self.transitions.entry((kind, *way)).or_default() += count;
        }
    }

    /// The cases in which something is wrong.
    pub fn violations(&self) -> impl Iterator<Item = &TearRow> {
        self.rows.iter().filter(|row| row.violation.is_some())
    }

    /// How often each kind of fault was played, in the order of the words.
    pub fn faults(&self) -> Vec<(&'static str, usize)> {
        let (card, rest) = TearFault::words(self.bytes);
        let count = |word: &&str| self.rows.iter().filter(|row| row.case.fault.word() == *word).count();
        let has_script = self.kinds.iter().any(|kind| kind.has_script());
        let script = TearFault::SCRIPT_WORDS.iter().filter(|_| has_script);
        card.iter().chain(rest).chain(script).map(|word| (*word, count(word))).collect()
    }

    /// How often rows took each way of the journal, in the order of the table. A way
    /// that none of the transactions can take says why instead.
    pub fn transitions(&self) -> Vec<(Transition, Result<u64, &'static str>)> {
        let count = |way: Transition| {
            let took = self.kinds.iter().filter_map(|kind| self.transitions.get(&(*kind, way)));
            let count: u64 = took.sum();
            let reasons = self.kinds.iter().map(|kind| kind.cannot(way)).collect::<Option<Vec<_>>>();
            match reasons.and_then(|reasons| reasons.first().copied()) {
                Some(reason) if count == 0 => Err(reason),
                _ => Ok(count),
            }
        };
        TRANSITIONS.iter().map(|way| (*way, count(*way))).collect()
    }

    /// What the matrix should have shown and did not: a kind of fault that was never
    /// played, a way that no row took, a way that was taken and cannot be.
    pub fn gaps(&self) -> Vec<String> {
        if !self.is_whole {
            return vec!["not every case was played".into()];
        }
        let faults = self.faults().into_iter().filter(|row| row.1 == 0);
        let mut gaps: Vec<String> = faults.map(|row| format!("no case of: {}", row.0)).collect();
        for ((from, to), count) in self.transitions() {
            if count == Ok(0) {
                gaps.push(format!("no row went from {from} to {to}"));
            }
        }
        for ((kind, way), count) in &self.transitions {
            if let Some(reason) = kind.cannot(*way) {
                let (from, to) = way;
                gaps.push(format!("{kind}: {count} rows went from {from} to {to}, though: {reason}"));
            }
        }
        gaps
    }
}

impl fmt::Display for TearReport {
    /// A line for each transaction, kind of fault, and way of the card: how many
    /// cases, which states the fault left behind, and which recovery led to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [("transaction", 18), ("card", 7), ("fault", 32), ("the card then", 17)];
        let mut tally = Tally::new(columns, ("the fault left", "recovery led to"));
        for row in &self.rows {
            let TearCase { kind, card, fault, afterwards } = row.case;
            let key = [kind.to_string(), card.word().into(), fault.word().into(), afterwards.word().into()];
            tally.take(key, word(row.torn), word(row.last), row.violation.is_some());
        }
        write!(f, "{tally}")?;
        for row in self.violations().take(10) {
            writeln!(f, "WRONG {}: {}", row.case, row.violation.as_deref().unwrap_or_default())?;
            writeln!(f, "      {}", row.way.join(" | "))?;
        }
        writeln!(f, "\nwhat recovery did")?;
        let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
        for way in self.rows.iter().flat_map(|row| &row.way) {
            *ways.entry(way).or_default() += 1;
        }
        for (way, count) in ways {
            writeln!(f, "{count:>8}  {way}")?;
        }
        writeln!(f, "\nfaults by kind")?;
        for (word, count) in self.faults() {
            writeln!(f, "{count:>8}  {word}")?;
        }
        writeln!(f, "\njournal rows by the way they took")?;
        for ((from, to), count) in self.transitions() {
            match count {
                Ok(count) => writeln!(f, "{count:>8}  {from} -> {to}")?,
                Err(reason) => writeln!(f, "{:>8}  {from} -> {to}: {reason}", "-")?,
            }
        }
        for gap in self.gaps() {
            writeln!(f, "GAP {gap}")?;
        }
        write!(f, "\n{} cases, {} wrong", self.rows.len(), self.violations().count())
    }
}

fn word(state: Option<State>) -> String {
    state.map_or("nothing", State::word).into()
}
