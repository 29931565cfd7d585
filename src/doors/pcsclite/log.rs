//! What was said to a card and what it did, kept for those who ask; bounded, and masked
//! unless they ask otherwise.

use crate::base::bytes::Hex;
use crate::base::event::{Event, EventSink};
use crate::words::decode::{Explainer, Line, Masker};
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most events that are kept; the oldest go first.
const KEPT: usize = 20_000;

/// The events of one reader; clones share them.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    events: VecDeque<Event>,
    /// Events that are gone already.
    dropped: u64,
}

impl Log {
    /// The events from number `since` on, decoded, and the number of the next one.
    pub(super) fn told(&self, since: u64, unmask: bool) -> (Vec<Value>, u64) {
        let kept = self.lock();
        let mut teller = Teller::new(unmask);
        let mut told = Vec::new();
        for (number, event) in (kept.dropped..).zip(&kept.events) {
            // What came before says how to read what comes: lists of the card, pseudonyms.
            let value = teller.event(number, event);
            if number >= since {
                told.push(value);
            }
        }
        (told, kept.dropped + kept.events.len() as u64)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Log {
    fn take(&mut self, event: Event) {
        let mut kept = self.lock();
        if kept.events.len() == KEPT {
            kept.events.pop_front();
            kept.dropped += 1;
        }
        kept.events.push_back(event);
    }
}

/// Tells events in order.
struct Teller {
    explainer: Explainer,
    masker: Option<Masker>,
}

impl Teller {
    fn new(unmask: bool) -> Self {
        match unmask {
            true => Self { explainer: Explainer::unmasked(), masker: None },
            false => Self { explainer: Explainer::masked(), masker: Some(Masker::new()) },
        }
    }

    fn event(&mut self, number: u64, event: &Event) -> Value {
        let mut told = json!({
            "number": number,
            "at": event.at.to_string(),
            "speaker": event.speaker,
            "event": event.name,
        });
        if !event.reason.is_empty() {
            told["because"] = json!(event.reason);
        }
        let said = match event.name.as_ref() {
            "command" => event.named_value("C-APDU").and_then(|bytes| self.command(bytes)),
            "response" => event.named_value("R-APDU").and_then(|bytes| self.response(bytes)),
            _ => None,
        };
        if let Some((bytes, lines)) = said {
            told["bytes"] = json!(Hex(&bytes).to_string());
            told["name"] = json!(lines.first().map(|line| line.name.clone()));
            told["elements"] = lines.iter().map(element).collect();
        }
        told
    }

    fn command(&mut self, bytes: &[u8]) -> Option<(Vec<u8>, Vec<Line>)> {
        let command = CommandApdu::parse(bytes).ok()?;
        let lines = self.explainer.command(&command);
        let shown = self.masker.as_mut().map_or(command.clone(), |masker| masker.command(&command));
        Some((shown.to_bytes(), lines))
    }

    fn response(&mut self, bytes: &[u8]) -> Option<(Vec<u8>, Vec<Line>)> {
        let response = ResponseApdu::parse(bytes).ok()?;
        let lines = self.explainer.response(&response);
        let shown = self.masker.as_mut().map_or(response.clone(), |masker| masker.response(&response));
        Some((shown.to_bytes(), lines))
    }
}

fn element(line: &Line) -> Value {
    json!({
        "depth": line.depth,
        "tag": line.tag.map(|tag| tag.to_string()),
        "name": line.name,
        "value": Hex(&line.value).to_string(),
        "meaning": line.meaning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(log: &mut Log, command: &[u8], response: &[u8]) {
        log.take(Event::new("link", "command").with_named("C-APDU", command));
        log.take(Event::new("link", "response").with_named("R-APDU", response));
    }

    #[test]
    fn tells_decoded_elements_from_a_number_on() {
        let mut log = Log::default();
        exchange(&mut log, &[0x00, 0xA4, 4, 0, 0], &[0x6A, 0x82]);
        let balance = [0x9F, 0x79, 6, 0, 0, 0, 0, 0x50, 0, 0x90, 0];
        exchange(&mut log, &[0x80, 0xCA, 0x9F, 0x79, 0], &balance);
        let (told, next) = log.told(2, false);
        assert_eq!((told.len(), next), (2, 4));
        assert_eq!(told[0]["name"], "GET DATA");
        let element = &told[1]["elements"][0];
        assert_eq!((&element["tag"], &element["value"]), (&json!("9F79"), &json!("000000005000")));
    }

    #[test]
    fn a_pan_is_masked_unless_asked_for() {
        let mut log = Log::default();
        let record = [0x70, 0x0A, 0x5A, 8, 0x41, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x90, 0];
        exchange(&mut log, &[0x00, 0xB2, 1, 0x0C, 0], &record);
        let text = |unmask| json!(log.told(0, unmask).0).to_string();
        assert!(!text(false).contains("4111111111111111") && text(true).contains("4111111111111111"));
    }

    #[test]
    fn the_log_is_bounded() {
        let mut log = Log::default();
        for _ in 0..KEPT + 3 {
            log.take(Event::new("card", "refused"));
        }
        let (told, next) = log.told(0, false);
        assert_eq!((told.len(), told[0]["number"].as_u64(), next), (KEPT, Some(3), KEPT as u64 + 3));
    }
}
