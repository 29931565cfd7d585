//! Whether something that happened is a failure, as far as a recording says.

use crate::air::trace::TraceEvent;
use crate::words::iso7816::ResponseApdu;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::observers::report) enum Standing {
    /// As it should be.
    Well,
    /// The card said no, which a transaction may expect.
    Refused,
    /// The transaction went wrong here.
    Failed,
}

/// Events that say that something went wrong: the speaker and how the name begins.
const FAILURES: &[(&str, &str)] = &[
    ("link", "link failed"),
    ("link", "wire cut"),
    ("link", "card pulled"),
    ("link", "refused"),
    ("terminal", "declined"),
    ("terminal", "refused"),
    ("terminal", "not over this interface"),
    ("terminal", "not done"),
    ("terminal", "ended without"),
    ("terminal", "broken off"),
    ("terminal", "record refused"),
    ("issuer", "Decline"),
    ("host", "No Answer"),
    ("host", "Message Unreadable"),
    ("host", "Message Refused"),
];
/// Names that end so say it too, whoever speaks: `CDA failed`.
const FAILED: &str = " failed";

/// How an event stands.
pub(in crate::observers::report) fn standing(event: &TraceEvent) -> Standing {
    let failed =
        FAILURES.iter().any(|(speaker, begin)| event.speaker == *speaker && event.name.starts_with(begin));
    match failed || event.name.ends_with(FAILED) {
        true => Standing::Failed,
        false if event.speaker == "card" && event.name == "refused" => Standing::Refused,
        false => Standing::Well,
    }
}

impl Standing {
    /// How the answer of a card stands: its status word.
    pub(in crate::observers::report) fn of_answer(answer: &[u8]) -> Self {
        match ResponseApdu::parse(answer) {
            Ok(response) if response.status.is_ok() => Self::Well,
            // More data, a warning, another length: the conversation goes on.
            Ok(response) if matches!(response.status.sw1(), 0x61..=0x63 | 0x6C) => Self::Well,
            Ok(_) => Self::Refused,
            Err(_) => Self::Failed,
        }
    }
}
