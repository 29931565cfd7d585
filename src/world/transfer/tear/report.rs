//! What a tear test of a transfer found.

use super::case::TouchCase;
use crate::roles::p2p::transfer::TransferState;
use crate::world::tear::Tally;
use crate::world::transfer::seeds::TouchFault;
use std::fmt;

/// The kinds of fault that are left to random worlds: a touch that is torn at each byte is parted,
/// and what a holder does, or a thief, breaks nothing off.
const NOT_PLAYED: &[&str] =
    &["phones part", "unit changed", "units of before played again", "holder slow", "holder declined"];

/// How many violations are told in full.
const MOST_TOLD: usize = 10;

/// One case and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchRow {
    /// The case.
    pub case: TouchCase,
    /// How the fault left the transfer in the books of payer and payee; none where none was begun.
    pub left: [Option<TransferState>; 2],
    /// How many transfers are booked in the end.
    pub booked: u64,
    /// How many are refused for good in the end, withdrawn offers among them.
    pub refused: u64,
    /// What is wrong, if anything.
    pub violation: Option<String>,
}

impl TouchRow {
    /// How the fault left it, for tables: payer and payee.
    pub fn left_words(&self) -> [&'static str; 2] {
        self.left.map(|state| state.map_or("nothing", TransferState::word))
    }
}

/// Every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchReport {
    /// The cases in the order of the matrix.
    pub rows: Vec<TouchRow>,
    /// Whether every case was played.
    pub is_whole: bool,
}

impl TouchReport {
    /// The cases in which something is wrong.
    pub fn violations(&self) -> impl Iterator<Item = &TouchRow> {
        self.rows.iter().filter(|row| row.violation.is_some())
    }

    /// How often each kind of fault was played, in the order of the words.
    pub fn faults(&self) -> Vec<(&'static str, usize)> {
        let count = |word: &&str| self.rows.iter().filter(|row| row.case.fault.word() == *word).count();
        let played = TouchFault::WORDS.iter().filter(|word| !NOT_PLAYED.contains(word));
        played.map(|word| (*word, count(word))).collect()
    }

    /// What the matrix should have shown and did not: a kind of fault that was never played, a
    /// state that none left behind, an end that none led to.
    pub fn gaps(&self) -> Vec<String> {
        if !self.is_whole {
            return vec!["not every case was played".into()];
        }
        let never = self.faults().into_iter().filter(|row| row.1 == 0);
        let mut gaps: Vec<String> = never.map(|row| format!("no case of: {}", row.0)).collect();
        // What the host refuses, it refuses when the phones have parted.
        let states = TransferState::ALL.into_iter().filter(|state| *state != TransferState::Refused);
        for state in states {
            if !self.rows.iter().any(|row| row.left.contains(&Some(state))) {
                gaps.push(format!("no fault left a transfer {state}"));
            }
        }
        if !self.rows.iter().any(|row| row.booked == 0) {
            gaps.push("nothing ended without a booking".into());
        }
        gaps
    }
}

impl fmt::Display for TouchReport {
    /// A line for each touch, kind of fault, and what came after it: how many cases, how the fault
    /// left the transfer in the two phones, and what the host had booked and refused in the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tally =
            Tally::new([("touch", 20), ("fault", 28), ("then", 13)], ("the fault left", "in the end"));
        for row in &self.rows {
            let key = [row.case.kind.word(), row.case.fault.word(), row.case.afterwards.word()];
            let left = row.left_words().join("/");
            let end = format!("{} booked {} refused", row.booked, row.refused);
            tally.take(key.map(str::to_owned), left, end, row.violation.is_some());
        }
        write!(f, "{tally}")?;
        for row in self.violations().take(MOST_TOLD) {
            writeln!(f, "WRONG {}: {}", row.case, row.violation.as_deref().unwrap_or_default())?;
        }
        writeln!(f, "\nfaults by kind")?;
        for (word, count) in self.faults() {
            writeln!(f, "{count:>8}  {word}")?;
        }
        for gap in self.gaps() {
            writeln!(f, "GAP {gap}")?;
        }
        write!(f, "\n{} cases, {} wrong", self.rows.len(), self.violations().count())
    }
}
