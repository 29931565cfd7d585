//! A suite for people: a line a case, and for what failed what was expected beside what
//! came.

use super::{CaseReport, CaseVerdict, FailureReport, SuiteFormat, SuiteReport};

/// This format.
pub(super) const FORMAT: SuiteFormat =
    SuiteFormat { name: "human", about: "text for people", write: |suite| human(suite) };

/// Columns of what was expected; what came stands beside it.
const COLUMN: usize = 38;

fn human(suite: &SuiteReport) -> String {
    let cases: String = suite.cases.iter().map(|case| case_line(case) + &case_text(case)).collect();
    cases + &summary_text(suite)
}

/// One line of a case: its verdict, its name, how long it took.
pub fn case_line(case: &CaseReport) -> String {
    let attempts = if case.attempts > 1 { format!(", attempt {}", case.attempts) } else { String::new() };
    let reason = match case.verdict {
        CaseVerdict::NotRun => format!(": {}", case.reason),
        _ => String::new(),
    };
    format!("{:<7}  {}  ({}{attempts}){reason}\n", case.verdict.word(), case.title(), time(case.micros))
}

/// What was wrong with a case; nothing where it passed.
pub fn case_text(case: &CaseReport) -> String {
    if case.verdict.is_success() {
        return String::new();
    }
    let mut text = String::new();
    for failure in &case.failures {
        text.push_str(&failure_text(failure));
    }
    if !case.reason.is_empty() {
        text.push_str(&indented(&case.reason, 2));
    }
    let told =
        case.failures.first().and_then(|failure| failure.step).unwrap_or(case.steps.len().saturating_sub(1));
    if let Some(step) = case.steps.get(told) {
        text.push_str(&format!("  the exchange, line {}:\n{}", step.line, indented(&step.text, 4)));
    }
    text.push_str(&format!("  again: {}\n\n", case.again));
    text
}

/// How many cases ended in which way.
pub fn summary_text(suite: &SuiteReport) -> String {
    let counts: Vec<String> = CaseVerdict::ALL
        .iter()
        .map(|verdict| (suite.count(*verdict), verdict.word()))
        .filter(|(count, word)| *count > 0 || *word == "passed")
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let left = match suite.left_out {
        0 => String::new(),
        left => format!(", {left} left out after the first that failed"),
    };
    let cases = if suite.cases.len() == 1 { "case" } else { "cases" };
    format!("{} {cases}: {}{left} in {}\n", suite.cases.len(), counts.join(", "), time(suite.micros))
}

fn failure_text(failure: &FailureReport) -> String {
    let mut text = format!("  {}: {}\n{}", failure.place, failure.subject, indented(&failure.line, 2));
    text.push_str(&beside("expected", "received"));
    let (expected, received) = (wrapped(&failure.expected), wrapped(&failure.received));
    for row in 0..expected.len().max(received.len()) {
        let side = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
        text.push_str(&beside(&side(&expected), &side(&received)));
    }
    text
}

fn beside(left: &str, right: &str) -> String {
    let room = COLUMN.saturating_sub(left.chars().count());
    format!("    {left}{} | {right}", " ".repeat(room)).trim_end().to_owned() + "\n"
}

/// Lines of a column's width; bytes and words are not torn where they fit.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let mut open = indent.clone();
        for word in line.split_whitespace() {
            for piece in pieces(word, COLUMN - indent.chars().count().min(COLUMN / 2)) {
                let has_word = open.trim() != "";
                if has_word && open.chars().count() + 1 + piece.chars().count() > COLUMN {
                    lines.push(std::mem::replace(&mut open, format!("{indent}{piece}")));
                } else {
                    open.push_str(if has_word { " " } else { "" });
                    open.push_str(&piece);
                }
            }
        }
        lines.push(open);
    }
    lines
}

/// A long run of digits in pieces that fit.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(width.max(2) & !1).map(|piece| piece.iter().collect()).collect()
}

fn indented(text: &str, columns: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(columns))).collect()
}

/// A time as people read it.
pub(super) fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_what_is_long() {
        let lines = wrapped(&format!("  9F79 Electronic Cash Balance: {}\nshort", "00".repeat(40)));
        assert!(lines.iter().all(|line| line.chars().count() <= COLUMN), "{lines:?}");
        assert_eq!(lines.concat().matches("00").count(), 40);
        assert_eq!(lines.last().unwrap(), "short");
        assert_eq!(
            (time(12), time(1_500), time(61_234_000)),
            ("12 us".into(), "1 ms".into(), "61.23 s".into())
        );
    }
}
