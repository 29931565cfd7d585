//! A recording as a plain list: every event in its order, with its time; exchanges are
//! explained to the bit.

use super::exchange::ExchangeReport;
use super::explain::{element_value, visible};
use crate::air::trace::{Trace, TraceEvent};
use crate::base::bytes::Hex;
use crate::base::event::ElementKey;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::Tag;
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "trace_listing";

/// Every event as text. Card data is shown as it is: mask it first ([`Trace::masked`])
/// where it must not be seen.
pub fn trace_listing_text(trace: &Trace) -> String {
    let mut exchanges = ExchangeReport::unmasked();
    let mut out = String::new();
    for event in &trace.events {
        let micros = event.at.micros() - trace.header.started.micros();
        let reason = if event.reason.is_empty() { String::new() } else { format!(": {}", event.reason) };
        let clause = if event.clause.is_empty() { String::new() } else { format!(" ({})", event.clause) };
        let line = format!("{} {}{reason}{clause}", event.speaker, event.name);
        out.push_str(&format!("{micros:>9} us  {}\n", visible(&line)));
        if event.is_reset() {
            exchanges = ExchangeReport::unmasked();
        }
        match exchange(event, &mut exchanges) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&elements(event)),
        }
    }
    out
}

/// Every event as data.
pub fn trace_listing_json(trace: &Trace) -> Value {
    let value = |event: &TraceEvent| {
        json!({
            "at_us": event.at.micros() - trace.header.started.micros(),
            "speaker": event.speaker,
            "name": event.name,
            "clause": event.clause,
            "reason": event.reason,
            "elements": event.elements.iter().map(element_value).collect::<Vec<_>>(),
        })
    };
    trace.events.iter().map(value).collect()
}

fn exchange(event: &TraceEvent, exchanges: &mut ExchangeReport) -> Option<String> {
    if let Some(bytes) = event.command_bytes() {
        return Some(exchanges.command(&CommandApdu::parse(bytes).ok()?));
    }
    Some(exchanges.response(&ResponseApdu::parse(event.response_bytes()?).ok()?))
}

fn elements(event: &TraceEvent) -> String {
    let line = |element: &crate::base::event::Element| {
        let name = match &element.key {
            ElementKey::Tag(tag) => Tag(*tag).to_string(),
            ElementKey::Named(name) => visible(name),
        };
        format!("  {name}: {}\n", Hex(&element.value))
    };
    event.elements.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::TraceHeader;
    use crate::base::env::Timestamp;
    use crate::base::event::Event;

    #[test]
    fn lists_events_and_explains_exchanges() {
        let events = [
            Event::new("link", "command").with_named("C-APDU", [0x80, 0xCA, 0x9F, 0x36, 0x00]),
            Event::new("journal", "state").because("why").with_named("trace", [1]),
        ];
        let events = events.into_iter().map(TraceEvent::from).collect();
        let trace = Trace { header: TraceHeader::new(Timestamp::default(), ""), events, cut: false };
        let text = trace_listing_text(&trace);
        assert!(text.contains("0 us  link command\n> 80CA9F3600\n  GET DATA: 80CA9F36 = 9F36 "), "{text}");
        assert!(text.contains("0 us  journal state: why\n  trace: 01\n"), "{text}");
        assert_eq!(trace_listing_json(&trace)[1]["elements"][0]["value"], "01");
    }
}
