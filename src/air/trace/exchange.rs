//! The exchanges of a recording: what was sent to the card and what it answered.

use super::{Trace, TraceEvent};
use crate::base::env::Timestamp;
use crate::words::iso7816::{CommandApdu, ResponseApdu};

/// A command and its answer, as they stand in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// Which event of the recording the command is, from 0.
    pub event: usize,
    /// When it was sent.
    pub sent: Timestamp,
    /// The command's bytes.
    pub command: &'a [u8],
    /// When the answer came, and its bytes with the status word; none where the link failed.
    pub answer: Option<(Timestamp, &'a [u8])>,
}

impl Trace {
    /// The exchanges, in order.
    pub fn exchanges(&self) -> Vec<Exchange<'_>> {
        let mut exchanges: Vec<Exchange<'_>> = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            if let Some(command) = event.command_bytes() {
                exchanges.push(Exchange { event: index, sent: event.at, command, answer: None });
            } else if let Some(answer) = event.response_bytes()
                && let Some(last) = exchanges.last_mut()
            {
                last.answer = last.answer.or(Some((event.at, answer)));
            }
        }
        exchanges
    }
}

impl TraceEvent {
    /// The command's bytes, where the event is a command to a card.
    pub fn command_bytes(&self) -> Option<&[u8]> {
        self.of_link("command").then(|| self.named_value("C-APDU")).flatten()
    }

    /// The answer's bytes, where the event is a card's answer.
    pub fn response_bytes(&self) -> Option<&[u8]> {
        self.of_link("response").then(|| self.named_value("R-APDU")).flatten()
    }

    /// Whether the card was reset: what it said of its lists holds no longer.
    pub fn is_reset(&self) -> bool {
        self.of_link("reset")
    }

    fn of_link(&self, name: &str) -> bool {
        self.speaker == "link" && self.name == name
    }
}

impl Exchange<'_> {
    /// The command, where its bytes are one.
    pub fn command_apdu(&self) -> Option<CommandApdu> {
        CommandApdu::parse(self.command).ok()
    }

    /// The answer, where there is one.
    pub fn response_apdu(&self) -> Option<ResponseApdu> {
        ResponseApdu::parse(self.answer?.1).ok()
    }

    /// From the command to its answer, microseconds; never negative.
    pub fn micros(&self) -> Option<u64> {
        let (at, _) = self.answer?;
        Some(u64::try_from(at.micros().saturating_sub(self.sent.micros())).unwrap_or(0))
    }
}
