//! A suite and its cases as they are told.

use crate::words::iso7816::Effect;
use serde::{Deserialize, Serialize};

/// What came of a suite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuiteReport {
    /// Its cases, in the order of the files.
    pub cases: Vec<CaseReport>,
    /// How long it took, microseconds.
    pub micros: u64,
    /// When it began, as `2026-11-21 08:00:00`, UTC.
    pub started: String,
    /// Cases that were not reached, since an earlier one failed.
    pub left_out: usize,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseReport {
    /// The script's file.
    pub file: String,
    /// The case's name, with that of its row.
    pub name: String,
    /// The line where it begins, from 1.
    pub line: usize,
    /// The clause that it proves.
    pub clause: Option<String>,
    /// The worst that it did to the card.
    pub effect: Effect,
    /// The card, as its address is written.
    pub card: String,
    /// How it ended.
    pub verdict: CaseVerdict,
    /// Why it could not run or go on; empty where it passed or failed.
    pub reason: String,
    /// How often it was played.
    pub attempts: u32,
    /// How long the last time took, microseconds.
    pub micros: u64,
    /// The seed of clock and randomness; none on a real card.
    pub seed: Option<u64>,
    /// The command that plays it again.
    pub again: String,
    /// What was not as expected.
    pub failures: Vec<FailureReport>,
    /// What was said, where it is told.
    pub steps: Vec<StepReport>,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CaseVerdict {
    /// Everything was as expected.
    Passed,
    /// It passed when it was played again.
    Flaky,
    /// It was not played, for a reason that is told. It never counts as passed.
    NotRun,
    /// Something was not as expected.
    Failed,
    /// The script could not go on.
    Broken,
    /// The card could not be reached.
    Unreachable,
}

/// Something that was not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// `file:line:column`.
    pub place: String,
    /// The line with a caret.
    pub line: String,
    /// What was looked at.
    pub subject: String,
    /// What was expected; lines.
    pub expected: String,
    /// What came; lines.
    pub received: String,
    /// The step, counted from 0.
    pub step: Option<usize>,
}

/// A command and its answer, decoded; or a reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// The line of the script, from 1.
    pub line: usize,
    /// What was said; lines.
    pub text: String,
    /// How long it took, microseconds.
    pub micros: u64,
}

impl CaseVerdict {
    /// Every verdict.
    pub const ALL: &'static [Self] =
        &[Self::Passed, Self::Flaky, Self::NotRun, Self::Failed, Self::Broken, Self::Unreachable];

    /// In one word, or two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::NotRun => "not run",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::Unreachable => "unreachable",
        }
    }

    /// The verdict of a word, as [`word`](Self::word) writes it.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|verdict| verdict.word() == word)
    }

    /// Whether the case is no reason to say that the suite failed.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Passed | Self::Flaky | Self::NotRun)
    }
}

impl CaseReport {
    /// File and name.
    pub fn title(&self) -> String {
        if self.name.is_empty() { self.file.clone() } else { format!("{}: {}", self.file, self.name) }
    }

    /// Why it did not pass, on one line.
    pub fn cause(&self) -> String {
        match self.failures.first() {
            Some(failure) => {
                let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                let (expected, received) = (line(&failure.expected), line(&failure.received));
                format!("{}: {}: expected {expected}, received {received}", failure.place, failure.subject)
            }
            None => self.reason.clone(),
        }
    }
}

impl SuiteReport {
    /// How many cases ended so.
    pub fn count(&self, verdict: CaseVerdict) -> usize {
        self.cases.iter().filter(|case| case.verdict == verdict).count()
    }

    /// The worst end of a case.
    pub fn worst(&self) -> CaseVerdict {
        self.cases.iter().map(|case| case.verdict).max().unwrap_or(CaseVerdict::Passed)
    }
}
