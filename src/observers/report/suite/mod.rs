//! What came of a suite of scripts, in formats for people and for programs that run
//! tests. What is told here is masked already; nothing here plays or judges.

mod case;
mod html;
mod human;
mod json;
mod junit;
mod tap;

pub use case::{CaseReport, CaseVerdict, FailureReport, StepReport, SuiteReport};
pub use human::{case_line, case_text, summary_text};
pub use json::{case_json, suite_json};

/// The format's name.
pub(super) const NAME: &str = "suite";

/// A format of a suite's report.
#[derive(Debug, Clone, Copy)]
pub struct SuiteFormat {
    /// Its name: `junit`.
    pub name: &'static str,
    /// What it is for, one line.
    pub about: &'static str,
    /// Writes the report.
    pub write: fn(&SuiteReport) -> String,
}

/// The formats of a suite's report.
pub const SUITE_FORMATS: &[SuiteFormat] =
    &[human::FORMAT, json::FORMAT, junit::FORMAT, tap::FORMAT, html::FORMAT];
