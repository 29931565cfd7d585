//! The server's log: JSON Lines on standard error, one object for each thing worth
//! telling. No element of a card is among what a line may show.

use crate::base::event::{Event, EventSink};
use serde_json::{Map, Value};
use std::io::Write;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// What went wrong or may be an attack.
    Trouble,
    /// That, and a line for each message.
    Messages,
    /// Every event.
    All,
}

impl Level {
    /// The levels by name.
    pub(super) const NAMES: [(&'static str, Self); 3] =
        [("trouble", Self::Trouble), ("messages", Self::Messages), ("all", Self::All)];
}

/// A sink of the lines of one level and below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log(pub(super) Level);

/// The elements that a line may show, all of them text.
const SHOWN: &[&str] = &[
    "message type",
    "processing code",
    "merchant",
    "terminal",
    "batch",
    "trace",
    "response code",
    DURATION,
    "address",
];
/// The one that is a number.
const DURATION: &str = "duration_us";

/// Events that are trouble.
const TROUBLE: &[&str] =
    &["Alarm", "No Answer", "Message Unreadable", "Message Refused", "Started", "Stopped"];

impl EventSink for Log {
    fn take(&mut self, event: Event) {
        let level = match (&*event.name, event.speaker) {
            (name, _) if TROUBLE.contains(&name) => Level::Trouble,
            ("Message", "host") | ("Decline" | "Rule Applied", _) => Level::Messages,
            _ => Level::All,
        };
        if level > self.0 {
            return;
        }
        // Nobody may be listening: the server goes on.
        let _ = std::io::stderr().lock().write_all(line(&event).as_bytes());
    }
}

fn line(event: &Event) -> String {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("at", event.at.to_string().into());
    put("speaker", event.speaker.into());
    put("event", event.name.as_ref().into());
    if !event.reason.is_empty() {
        put("reason", event.reason.as_ref().into());
    }
    for name in SHOWN {
        let Some(value) = event.named_value(name).filter(|value| !value.is_empty()) else { continue };
        let text = String::from_utf8_lossy(value);
        let value = match text.parse::<u64>() {
            Ok(number) if *name == DURATION => number.into(),
            _ => text.into(),
        };
        put(&name.replace(' ', "_"), value);
    }
    format!("{}\n", Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_what_is_listed_and_nothing_else() {
        let event = Event::new("host", "Message")
            .because("a \"reason\"\nof two lines")
            .with_named("terminal", "TERM0001")
            .with_named("PAN", "6299990000000001234")
            .with_tag(0x5A, [0x62, 0x99]);
        let text = line(&event);
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["terminal"], "TERM0001");
        assert!(!text.contains("6299"), "{text}");
    }
}
