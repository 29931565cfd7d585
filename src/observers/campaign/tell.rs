//! What came of a case, as reports tell it: decoded, and masked unless asked otherwise.

use crate::observers::report::ExchangeReport;
use crate::observers::report::suite::{CaseVerdict, FailureReport, StepReport};
use crate::observers::script::{CaseRun, Failure, HostMoment, Moment, Outcome, Shown};
use crate::words::tlv::TlvStore;

/// Fields of a message that are told: none of them is about a card.
const OPEN_FIELDS: &[u8] = &[3, 4, 11, 12, 13, 22, 25, 39, 41, 42, 49, 60, 61];

/// A case, told.
pub(super) struct Told {
    pub verdict: CaseVerdict,
    pub reason: String,
    pub failures: Vec<FailureReport>,
    pub steps: Vec<StepReport>,
}

/// Tells a case. What was said is told where it did not pass, or where `detail` is wanted.
pub(super) fn tell(run: &CaseRun, detail: bool, unmask: bool) -> Told {
    let verdict = match &run.outcome {
        Outcome::Passed => CaseVerdict::Passed,
        Outcome::Failed(_) => CaseVerdict::Failed,
        Outcome::Broken { .. } => CaseVerdict::Broken,
        Outcome::Unreachable { .. } => CaseVerdict::Unreachable,
        Outcome::NotRun { .. } => CaseVerdict::NotRun,
    };
    if run.outcome.is_passed() && !detail {
        return Told { verdict, reason: String::new(), failures: Vec::new(), steps: Vec::new() };
    }
    let mut report = if unmask { ExchangeReport::unmasked() } else { ExchangeReport::masked() };
    let steps: Vec<StepReport> = run.moments.iter().map(|moment| step(moment, &mut report)).collect();
    let (mut reason, mut failures) = (String::new(), Vec::new());
    match &run.outcome {
        Outcome::Passed => {}
        Outcome::Failed(unmet) => {
            failures.extend(unmet.iter().map(|unmet| failure(unmet, &mut report)));
        }
        Outcome::NotRun { place, reason: cause } => reason = format!("{place}: {}", report.words(cause)),
        Outcome::Broken { place, reason: cause } | Outcome::Unreachable { place, reason: cause } => {
            reason = format!("{place}: {}\n{}", report.words(cause), place.shown());
        }
    }
    Told { verdict, reason, failures, steps }
}

fn step(moment: &Moment, report: &mut ExchangeReport) -> StepReport {
    match moment {
        Moment::Exchange { line, command, response, micros } => {
            let text = report.command(command) + &report.response(response);
            StepReport { line: *line, text, micros: *micros }
        }
        Moment::Lost { line, command } => {
            let text = report.command(command) + "< no answer\n";
            StepReport { line: *line, text, micros: 0 }
        }
        Moment::Message(message) => host_message(message, report),
        Moment::Note { line, text } => StepReport { line: *line, text: report.words(text), micros: 0 },
        Moment::Reset { line } => StepReport { line: *line, text: "the card is reset\n".into(), micros: 0 },
    }
}

/// A message to a host: its kind, fields that hold no card data, and field 55.
fn host_message(message: &HostMoment, report: &mut ExchangeReport) -> StepReport {
    let mut text = format!("> message {} of {}\n", message.words, message.amount);
    for field in OPEN_FIELDS {
        if let Some(value) = message.fields.as_ref().and_then(|fields| fields.text(*field)) {
            text.push_str(&format!("  field {field}: {value}\n"));
        }
    }
    let elements = |store: &TlvStore, report: &mut ExchangeReport| -> String {
        let told = store.iter().map(|(tag, value)| report.element(tag, value));
        told.flat_map(|told| told.lines().map(|line| format!("  {line}\n")).collect::<Vec<_>>()).collect()
    };
    text.push_str(&elements(&message.sent, report));
    match &message.answer {
        Some((code, chip)) => text.push_str(&format!("< {code}\n{}", elements(chip, report))),
        None => text.push_str("< no answer\n"),
    }
    StepReport { line: message.line, text, micros: message.micros }
}

/// The last answer that was told is the one that a failure speaks of: nothing is sent after
/// something was not as expected.
fn failure(unmet: &Failure, report: &mut ExchangeReport) -> FailureReport {
    let with_status = unmet.subject == "the answer";
    let received = match &unmet.received {
        Shown::Answer(_) => report.answer(with_status),
        other => shown(other, report),
    };
    FailureReport {
        place: unmet.place.to_string(),
        line: unmet.place.shown(),
        subject: report.words(&unmet.subject),
        expected: shown(&unmet.expected, report),
        received,
        step: unmet.moment,
    }
}

fn shown(value: &Shown, report: &mut ExchangeReport) -> String {
    match value {
        Shown::Words(text) => report.words(text),
        Shown::Derived(text) => report.hidden(text),
        Shown::Element(tag, bytes) => report.element(*tag, bytes).trim_end().to_owned(),
        // What a script's author has written.
        Shown::Answer(bytes) => report.words(&format!("{:#}", crate::base::bytes::Hex(bytes))),
    }
}
