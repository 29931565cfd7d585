//! A suite in the Test Anything Protocol, version 13: a line a case, its cause in a block
//! below.

use super::{CaseReport, CaseVerdict, SuiteFormat, SuiteReport};

/// This format.
pub(super) const FORMAT: SuiteFormat =
    SuiteFormat { name: "tap", about: "Test Anything Protocol, version 13", write: |suite| tap(suite) };

fn tap(suite: &SuiteReport) -> String {
    let lines: String = (1..).zip(&suite.cases).map(|(number, case)| line(number, case)).collect();
    format!("TAP version 13\n1..{}\n{lines}", suite.cases.len())
}

fn line(number: usize, case: &CaseReport) -> String {
    let title = case.title().replace(['#', '\n'], " ");
    match case.verdict {
        CaseVerdict::Passed | CaseVerdict::Flaky => format!("ok {number} - {title}\n"),
        CaseVerdict::NotRun => format!("ok {number} - {title} # SKIP {}\n", case.reason.replace('\n', " ")),
        _ => {
            let cause = serde_json::Value::String(case.cause());
            let again = serde_json::Value::String(case.again.clone());
            format!(
                "not ok {number} - {title}\n  ---\n  verdict: {}\n  message: {cause}\n  again: {again}\n  ...\n",
                case.verdict.word()
            )
        }
    }
}
