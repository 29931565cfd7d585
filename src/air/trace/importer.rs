//! Logs of other programs as recordings: what an importer is, which one fits a text, and
//! the conversation that it fills.

use super::{IMPORTERS, Trace, TraceError, TraceEvent, TraceHeader};
use crate::base::bytes::parse_hex;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use std::time::Duration;

/// Reads what one program writes.
#[derive(Debug, Clone, Copy)]
pub struct Importer {
    /// Its name, for `--from`.
    pub name: &'static str,
    /// What it reads, one line.
    pub about: &'static str,
    /// Whether a text looks as if that program had written it.
    pub fits: fn(&str) -> bool,
    /// Fills the conversation.
    pub read: fn(&str, &mut Conversation) -> Result<(), Odd>,
}

/// A line that is not as its format has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// The line, from 1.
    pub line: usize,
    /// What was expected, and what is there.
    pub reason: String,
}

/// What was said between a program and a card, as an importer finds it.
#[derive(Debug, Default)]
pub struct Conversation {
    atr: Vec<u8>,
    interface: Option<&'static str>,
    now: Timestamp,
    events: Vec<TraceEvent>,
    /// Whether a command waits for its answer.
    waits: bool,
}

/// The recording that a text of another program is; `from` names the importer, else the first
/// one that fits is taken. Card data is as it stands in the text.
pub fn import(text: &str, from: Option<&str>, place: &str) -> Result<(&'static Importer, Trace), TraceError> {
    let known = || IMPORTERS.iter().map(|importer| importer.name).collect::<Vec<_>>().join(", ");
    let chosen = match from {
        Some(name) => IMPORTERS.iter().find(|importer| importer.name == name),
        None => IMPORTERS.iter().find(|importer| (importer.fits)(text)),
    };
    let importer = chosen.ok_or_else(|| TraceError::UnknownLog { known: known() })?;
    let mut conversation = Conversation::default();
    (importer.read)(text, &mut conversation).map_err(|odd| TraceError::Import {
        name: importer.name,
        line: odd.line,
        reason: odd.reason,
    })?;
    if !conversation.events.iter().any(|event| event.command_bytes().is_some()) {
        let reason = "expected a command to a card, found none in the whole text".into();
        return Err(TraceError::Import { name: importer.name, line: 1, reason });
    }
    let header = TraceHeader {
        masked: false,
        interface: conversation.interface.map(str::to_owned),
        atr: conversation.atr,
        ..TraceHeader::new(Timestamp::default(), format!("{place}, as {} wrote it", importer.name))
    };
    Ok((importer, Trace { header, events: conversation.events, cut: false }))
}

impl Conversation {
    /// How the card is reached, where the log says.
    pub fn over(&mut self, interface: &'static str) {
        self.interface = Some(interface);
    }

    /// Time went by.
    pub fn elapse(&mut self, micros: u64) {
        self.now = self.now.plus(Duration::from_micros(micros));
    }

    /// The card was switched on, or reset, with this answer. The first one is no event.
    pub fn reset(&mut self, atr: &[u8]) {
        self.waits = false;
        if self.atr.is_empty() && self.events.is_empty() {
            self.atr = atr.to_vec();
            return;
        }
        self.say(Event::new("link", "reset").with_named("ATR", atr));
    }

    /// A command was sent.
    pub fn command(&mut self, line: usize, bytes: &[u8]) -> Result<(), Odd> {
        CommandApdu::parse(bytes).map_err(|error| Odd { line, reason: format!("a command: {error}") })?;
        self.say(Event::new("link", "command").with_named("C-APDU", bytes));
        self.waits = true;
        Ok(())
    }

    /// It was answered. An answer to no command is passed over: a log may begin anywhere.
    pub fn answer(&mut self, line: usize, bytes: &[u8]) -> Result<(), Odd> {
        ResponseApdu::parse(bytes).map_err(|error| Odd { line, reason: format!("an answer: {error}") })?;
        if std::mem::take(&mut self.waits) {
            self.say(Event::new("link", "response").with_named("R-APDU", bytes));
        }
        Ok(())
    }

    /// Something else that is to be known.
    pub fn note(&mut self, name: &'static str, reason: impl Into<String>) {
        self.say(Event::new("import", name).because(reason.into()));
    }

    fn say(&mut self, event: Event) {
        self.events.push(TraceEvent { at: self.now, ..event.into() });
    }
}

/// The bytes of hexadecimal text in a line.
pub(super) fn hex(line: usize, text: &str) -> Result<Vec<u8>, Odd> {
    parse_hex(text.trim()).map_err(|error| Odd { line, reason: format!("{error} in {:?}", shortened(text)) })
}

/// The lines of a text with their numbers, without the colours of a terminal.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, without_colours(line)))
}

/// A text without the sequences that set colours: ESC [ ... m (ECMA-48 8.3.117).
fn without_colours(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
