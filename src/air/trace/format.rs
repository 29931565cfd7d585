//! What a recording holds, and how its lines are spelled.

use super::TraceError;
use crate::base::bytes::{Hex, parse_hex};
use crate::base::env::Timestamp;
use crate::base::event::{Element, ElementKey, Event};
use crate::words::tlv::Tag;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// The `format` of the header: every recording has it in its first line.
pub const FORMAT: &str = "cardwright-trace";
/// The version that is written and read.
pub(super) const VERSION: u32 = 1;

/// What is known of a recording as a whole. The format's name, its version and the
/// program's version are written with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceHeader {
    /// Version of the program that wrote it.
    pub cardwright: String,
    /// Whether card data is masked; the writer sets it.
    pub masked: bool,
    /// When it began.
    pub started: Timestamp,
    /// `contact` or `contactless`, where known.
    pub interface: Option<String>,
    /// Answer to reset; empty where there is none.
    pub atr: Vec<u8>,
    /// Where the card is: reader, profile or file.
    pub place: String,
    /// The seed of a simulated world.
    pub seed: Option<u64>,
}

impl TraceHeader {
    /// A masked recording that begins now, at a place.
    pub fn new(started: Timestamp, place: impl Into<String>) -> Self {
        Self {
            cardwright: env!("CARGO_PKG_VERSION").to_owned(),
            masked: true,
            started,
            place: place.into(),
            ..Self::default()
        }
    }
}

/// One event of a recording: an [`Event`] that owns its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub speaker: String,
    /// What.
    pub name: String,
    /// The clause that rules it; empty where there is none.
    pub clause: String,
    /// Why; empty where it needs no reason.
    pub reason: String,
    /// The data it rests on.
    pub elements: Vec<Element>,
}

impl TraceEvent {
    /// The value of an element without a tag.
    pub fn named_value(&self, name: &str) -> Option<&[u8]> {
        self.elements.iter().find_map(|element| match &element.key {
            ElementKey::Named(key) if key == name => Some(element.value.as_slice()),
            _ => None,
        })
    }

    /// The value of an element with a tag.
    pub fn tag_value(&self, tag: Tag) -> Option<&[u8]> {
        self.elements.iter().find(|e| e.key == ElementKey::Tag(tag.0)).map(|e| e.value.as_slice())
    }
}

impl From<Event> for TraceEvent {
    fn from(event: Event) -> Self {
        Self {
            at: event.at,
            speaker: event.speaker.to_owned(),
            name: event.name.into_owned(),
            clause: event.clause.to_owned(),
            reason: event.reason.into_owned(),
            elements: event.elements,
        }
    }
}

/// A whole recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Its first line.
    pub header: TraceHeader,
    /// What happened, in order.
    pub events: Vec<TraceEvent>,
    /// Whether the last line was cut short, as a crash leaves it; it is not among the events.
    pub cut: bool,
}

/// The header as it is spelled.
#[derive(Serialize, Deserialize)]
pub(super) struct HeaderLine {
    format: String,
    version: u64,
    #[serde(default)]
    cardwright: String,
    masked: bool,
    started_us: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    #[serde(default)]
    atr: String,
    #[serde(default)]
    place: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

/// An event as it is spelled.
#[derive(Serialize, Deserialize)]
pub(super) struct EventLine {
    at_us: i64,
    speaker: String,
    name: String,
    #[serde(default)]
    clause: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    elements: Vec<ElementLine>,
}

#[derive(Serialize, Deserialize)]
struct ElementLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    value: String,
}

impl HeaderLine {
    pub(super) fn of(header: &TraceHeader) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION.into(),
            cardwright: header.cardwright.clone(),
            masked: header.masked,
            started_us: header.started.micros(),
            interface: header.interface.clone(),
            atr: Hex(&header.atr).to_string(),
            place: header.place.clone(),
            seed: header.seed,
        }
    }

    /// The header, where format and version are ours.
    pub(super) fn read(text: &str) -> Result<TraceHeader, TraceError> {
        let shown = || TraceError::NotATrace { found: text.chars().take(80).collect() };
        // The version is looked at first: another one may have other members.
        let value: serde_json::Value = serde_json::from_str(text).map_err(|_| shown())?;
        let member = |name| value.get(name);
        if member("format").and_then(|v| v.as_str()) != Some(FORMAT) {
            return Err(shown());
        }
        match member("version").and_then(serde_json::Value::as_u64) {
            Some(found) if found == u64::from(VERSION) => {}
            Some(found) => return Err(TraceError::Version { expected: VERSION, found }),
            None => return Err(shown()),
        }
        let line: Self = serde_json::from_value(value)
            .map_err(|error| TraceError::Event { line: 1, reason: format!("the header: {error}") })?;
        let atr = parse_hex(&line.atr)
            .map_err(|error| TraceError::Event { line: 1, reason: format!("atr: {error}") })?;
        Ok(TraceHeader {
            cardwright: line.cardwright,
            masked: line.masked,
            started: Timestamp::from_micros(line.started_us),
            interface: line.interface,
            atr,
            place: line.place,
            seed: line.seed,
        })
    }
}

impl EventLine {
    pub(super) fn of(event: &TraceEvent, started: Timestamp) -> Self {
        Self {
            at_us: event.at.micros().saturating_sub(started.micros()),
            speaker: event.speaker.clone(),
            name: event.name.clone(),
            clause: event.clause.clone(),
            reason: event.reason.clone(),
            elements: event.elements.iter().map(ElementLine::of).collect(),
        }
    }

    pub(super) fn into_event(self, started: Timestamp) -> Result<TraceEvent, String> {
        let elements: Result<Vec<Element>, String> =
            self.elements.into_iter().map(ElementLine::into_element).collect();
        // Times before the start are kept too.
        let at = match u64::try_from(self.at_us) {
            Ok(after) => started.plus(Duration::from_micros(after)),
            Err(_) => Timestamp::from_micros(started.micros().saturating_add(self.at_us)),
        };
        Ok(TraceEvent {
            at,
            speaker: self.speaker,
            name: self.name,
            clause: self.clause,
            reason: self.reason,
            elements: elements?,
        })
    }
}

impl ElementLine {
    fn of(element: &Element) -> Self {
        let (tag, name) = match &element.key {
            ElementKey::Tag(tag) => (Some(Tag(*tag).to_string()), None),
            ElementKey::Named(name) => (None, Some(name.to_string())),
        };
        Self { tag, name, value: Hex(&element.value).to_string() }
    }

    fn into_element(self) -> Result<Element, String> {
        let value = parse_hex(&self.value).map_err(|error| format!("value: {error}"))?;
        let key = match (self.tag, self.name) {
            (Some(tag), None) => ElementKey::Tag(tag_number(&tag)?),
            (None, Some(name)) => ElementKey::Named(Cow::Owned(name)),
            _ => return Err("an element has either a tag or a name".to_owned()),
        };
        Ok(Element { key, value })
    }
}

/// A tag in hexadecimal. GET DATA can name tags that BER-TLV does not know; they are kept.
fn tag_number(text: &str) -> Result<u32, String> {
    let is_hex = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = is_hex.then(|| u32::from_str_radix(text, 16).ok()).flatten();
    number.ok_or_else(|| format!("expected a tag such as 9F79, found {text:?}"))
}
