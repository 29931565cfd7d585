//! A suite as JUnit XML, as CI systems read it: a `testsuite` a file.

use super::{CaseReport, CaseVerdict, SuiteFormat, SuiteReport};
use crate::observers::report::shared::html::entity;
use std::fmt::Write;

/// This format.
pub(super) const FORMAT: SuiteFormat =
    SuiteFormat { name: "junit", about: "JUnit XML for CI systems", write: |suite| junit(suite) };

fn junit(suite: &SuiteReport) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<&CaseReport> = suite.cases.iter().collect();
    // A String takes everything.
    let _ = writeln!(out, "<testsuites name=\"cardwright\" {}>", sums(&all, suite.micros));
    let mut files: Vec<&str> = Vec::new();
    for case in &suite.cases {
        if !files.contains(&case.file.as_str()) {
            files.push(&case.file);
        }
    }
    for file in files {
        let cases: Vec<&CaseReport> = suite.cases.iter().filter(|case| case.file == file).collect();
        let micros = cases.iter().map(|case| case.micros).sum();
        let timestamp = suite.started.replace(' ', "T");
        let sums = sums(&cases, micros);
        let skipped = cases.iter().filter(|case| case.verdict == CaseVerdict::NotRun).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" {sums} skipped=\"{skipped}\" timestamp=\"{timestamp}\">",
            escaped(file)
        );
        cases.iter().for_each(|case| write_case(&mut out, case));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn sums(cases: &[&CaseReport], micros: u64) -> String {
    let count = |wanted: &[CaseVerdict]| cases.iter().filter(|case| wanted.contains(&case.verdict)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\"",
        cases.len(),
        count(&[CaseVerdict::Failed]),
        count(&[CaseVerdict::Broken, CaseVerdict::Unreachable]),
        seconds(micros)
    )
}

fn write_case(out: &mut String, case: &CaseReport) {
    let name = if case.name.is_empty() { &case.file } else { &case.name };
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"",
        escaped(name),
        escaped(&case.file),
        seconds(case.micros)
    );
    let detail = || {
        let failures = case.failures.iter().map(|failure| {
            format!(
                "{}: {}\n{}\nexpected:\n{}\nreceived:\n{}\n",
                failure.place, failure.subject, failure.line, failure.expected, failure.received
            )
        });
        let steps = case.steps.iter().map(|step| step.text.clone());
        failures.chain(steps).collect::<String>() + &format!("again: {}\n", case.again)
    };
    let inner = match case.verdict {
        CaseVerdict::Passed | CaseVerdict::Flaky => String::new(),
        CaseVerdict::NotRun => format!("      <skipped message=\"{}\"/>\n", escaped(&case.reason)),
        CaseVerdict::Failed => {
            let (message, text) = (escaped(&case.cause()), escaped(&detail()));
            format!("      <failure type=\"expectation\" message=\"{message}\">{text}</failure>\n")
        }
        CaseVerdict::Broken | CaseVerdict::Unreachable => {
            let (message, text) = (escaped(&case.cause()), escaped(&detail()));
            let kind = case.verdict.word();
            format!("      <error type=\"{kind}\" message=\"{message}\">{text}</error>\n")
        }
    };
    let _ = match inner.is_empty() {
        true => writeln!(out, "{head}/>"),
        false => writeln!(out, "{head}>\n{inner}    </testcase>"),
    };
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Text for an attribute or an element. What XML 1.0 cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match (entity(letter), letter) {
            (Some(entity), _) => out.push_str(entity),
            (None, '\n') => out.push_str("&#10;"),
            (None, '\t') => out.push_str("&#9;"),
            (None, '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            (None, letter) => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escaped("a<b & \"c\"\u{1}\n"), "a&lt;b &amp; &quot;c&quot;\u{FFFD}&#10;");
        assert_eq!(seconds(1_002_003), "1.002003");
    }
}
