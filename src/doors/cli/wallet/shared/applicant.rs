//! The person who adds a card: from files and switches, else asked.

use crate::air::host::{CodeCheck, CodeSent, Eligibility, Holder};
use crate::base::bytes::Secret;
use crate::devices::wallet::Applicant;
use crate::doors::cli::shared::pan::ask;

/// The person at the command line.
pub(in crate::doors::cli) struct Person {
    /// Whether the terms are accepted beforehand.
    pub accepts: bool,
    /// Who they are, where a file says so.
    pub holder: Option<Holder>,
    /// The code, where a file has it; it is tried once.
    pub code: Option<Secret<String>>,
    /// What they heard, for the end of the command.
    pub heard: Vec<String>,
}

impl Applicant for Person {
    fn accepts(&mut self, eligibility: &Eligibility) -> bool {
        self.accepts
            || ask(&format!(
                "Accept the terms {} for the card ***{}? (yes): ",
                eligibility.terms, eligibility.last_four
            ))
            .is_some_and(|answer| answer.expose() == "yes")
    }

    fn holder(&mut self) -> Option<Holder> {
        if let Some(holder) = &self.holder {
            return Some(holder.clone());
        }
        let name = ask("Name as the bank has it: ")?;
        let identity_number = ask("Identity number: ")?;
        Some(Holder { name, identity_number, phone: ask("Phone number, digits: ")? })
    }

    fn code(&mut self, sent: Option<&CodeSent>) -> Option<Secret<String>> {
        if let Some(sent) = sent {
            self.heard.push(format!("a code was sent to the phone; {} more can be sent", sent.sends_left));
        }
        self.code.take().or_else(|| ask("The code that was sent to your phone: "))
    }

    fn hears(&mut self, check: CodeCheck) {
        self.heard.push(match check {
            CodeCheck::Confirmed => "the code is right".into(),
            CodeCheck::Wrong { tries_left } => format!("the code is wrong: {tries_left} tries left"),
            CodeCheck::Expired => "the code's time was over: another one is sent".into(),
            CodeCheck::Exhausted => "no try of the code is left".into(),
        });
    }
}
