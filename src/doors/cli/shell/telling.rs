//! What came of a line, as text and as data; masked unless a person asked otherwise.

use crate::doors::cli::shared::exchanges::Exchanges;
use crate::doors::cli::shared::output::Output;
use crate::observers::report::ExchangeReport;
use crate::observers::script::{Moment, Said, Shown};
use serde_json::{Value, json};

/// Tells the lines of one conversation.
pub(super) struct Teller {
    report: ExchangeReport,
    exchanges: Exchanges,
}

impl Teller {
    pub(super) fn new(unmask: bool) -> Self {
        let report = if unmask { ExchangeReport::unmasked() } else { ExchangeReport::masked() };
        Self { report, exchanges: Exchanges::new(unmask) }
    }

    /// Tells one line.
    pub(super) fn tell(&mut self, said: &Said, output: &mut Output) {
        let moments: Vec<Value> =
            said.moments.iter().filter_map(|moment| self.moment(moment, output)).collect();
        let mut failures = Vec::new();
        for failure in &said.failures {
            let (expected, received) = (self.shown(&failure.expected), self.shown(&failure.received));
            output.say(&format!("{}: expected {expected}, found {received}\n", failure.subject));
            failures.push(json!({ "subject": failure.subject, "expected": expected, "received": received }));
        }
        let trouble = said.trouble.as_ref().map(|trouble| self.report.words(&trouble.to_string()));
        if let Some(trouble) = &trouble {
            output.say(&format!("{trouble}\n"));
        }
        output.line(json!({ "exchanges": moments, "failures": failures, "error": trouble }));
    }

    fn moment(&mut self, moment: &Moment, output: &mut Output) -> Option<Value> {
        match moment {
            Moment::Exchange { command, response, micros, .. } => {
                let text = self.report.command(command) + &self.report.response(response);
                output.say(&text);
                let mut value = self.exchanges.value(command, response);
                value["micros"] = json!(micros);
                Some(value)
            }
            Moment::Lost { command, .. } => {
                output.say(&self.report.command(command));
                None
            }
            Moment::Note { text, .. } => {
                output.say(text);
                None
            }
            Moment::Reset { .. } => {
                output.say("the card is reset\n");
                None
            }
            // Only a script that plays the host has them.
            Moment::Message(_) => None,
        }
    }

    fn shown(&mut self, shown: &Shown) -> String {
        match shown {
            Shown::Words(text) => text.clone(),
            Shown::Element(tag, value) => self.report.element(*tag, value).trim().to_owned(),
            Shown::Answer(_) => self.report.answer(true),
            Shown::Derived(text) => self.report.hidden(text),
        }
    }
}
