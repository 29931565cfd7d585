//! A recording told as a story: step by step what was asked and answered, what was
//! decided, by which rule and from which data. Nothing is said that is not recorded.

use super::Story;
use crate::air::trace::{Trace, TraceEvent};
use crate::base::bytes::Hex;
use crate::base::event::{Element, ElementKey};
use crate::words::decode::{Explainer, Line, element_words};
use crate::words::dictionary::Row;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::Tag;
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "explain";

/// Columns of a line.
const WIDTH: usize = 96;
/// Columns before what a speaker says.
const MARGIN: usize = 13;

/// The steps of a recording, as text. Its card data is shown as it is: mask it first
/// ([`Trace::masked`]) where it must not be seen.
pub fn explain_text(trace: &Trace) -> String {
    let mut story = Story::default();
    let header = &trace.header;
    let interface = header.interface.as_ref().map(|interface| format!(", {interface}")).unwrap_or_default();
    let masked = if header.masked { "; card data is masked, and numbers are pseudonyms" } else { "" };
    let mut out = format!("{}{interface}, {}{masked}\n", visible(&header.place), header.started);
    for step in steps(trace) {
        out.push_str(&story.chapter(&visible(&step.title)));
        for told in &step.told {
            out.push_str(&told.text());
        }
    }
    if trace.cut {
        out.push_str("\nThe recording ends in the middle of a line: what came after is not known.\n");
    }
    out
}

/// The same as data.
pub fn explain_json(trace: &Trace) -> Value {
    let header = &trace.header;
    let steps = steps(trace).into_iter().zip(1..);
    json!({
        "place": header.place,
        "interface": header.interface,
        "started_us": header.started.micros(),
        "masked": header.masked,
        "cut": trace.cut,
        "steps": steps.map(|(step, number)| json!({
            "number": number,
            "title": step.title,
            "told": step.told.iter().map(|told| told.value(trace)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

/// What happened from one `step` event to the next.
struct Step<'a> {
    title: String,
    told: Vec<Told<'a>>,
}

/// One thing that happened.
enum Told<'a> {
    /// A command or an answer, in words.
    Exchanged { event: &'a TraceEvent, is_command: bool, words: String },
    /// Anything else.
    Said(&'a TraceEvent),
}

fn steps(trace: &Trace) -> Vec<Step<'_>> {
    let mut steps = vec![Step { title: "Before the transaction".into(), told: Vec::new() }];
    let mut explainer = Explainer::unmasked();
    for event in &trace.events {
        if let Some(title) = step_title(event) {
            // A step that waits for several answers may announce itself more than once.
            if steps.last().is_none_or(|step| step.title != title) {
                steps.push(Step { title, told: Vec::new() });
            }
            continue;
        }
        if event.is_reset() {
            explainer = Explainer::unmasked();
        }
        let told = exchanged(event, &mut explainer).unwrap_or(Told::Said(event));
        if let Some(step) = steps.last_mut() {
            step.told.push(told);
        }
    }
    steps.retain(|step| !step.told.is_empty());
    steps
}

/// The title of the step that an event announces.
pub(super) fn step_title(event: &TraceEvent) -> Option<String> {
    match (event.speaker.as_str(), event.name.as_str()) {
        ("terminal", "step") => Some(event.reason.clone()),
        ("terminal", "transaction begins") => Some(format!("Transaction: {}", event.reason)),
        _ => None,
    }
}

fn exchanged<'a>(event: &'a TraceEvent, explainer: &mut Explainer) -> Option<Told<'a>> {
    let (is_command, words) = match (event.command_bytes(), event.response_bytes()) {
        (Some(bytes), _) => (true, command_words(bytes, explainer)?),
        (None, bytes) => (false, response_words(bytes?, explainer)?),
    };
    Some(Told::Exchanged { event, is_command, words })
}

/// What a command is and asks for, on one line.
pub(super) fn command_words(bytes: &[u8], explainer: &mut Explainer) -> Option<String> {
    explainer.command(&CommandApdu::parse(bytes).ok()?).first().map(short)
}

/// How a command was answered, on one line.
pub(super) fn response_words(bytes: &[u8], explainer: &mut Explainer) -> Option<String> {
    let lines = explainer.response(&ResponseApdu::parse(bytes).ok()?);
    let length = match bytes.len() {
        2 => String::new(),
        length => format!(", {} bytes of data", length - 2),
    };
    lines.last().map(|line| short(line) + &length)
}

fn short(line: &Line) -> String {
    match line.name.as_ref() {
        "status word" => format!("{} {}", Hex(&line.value), line.meaning),
        name if line.meaning.is_empty() => name.to_owned(),
        name => format!("{name}: {}", line.meaning),
    }
}

impl Told<'_> {
    fn text(&self) -> String {
        match self {
            Self::Exchanged { is_command, words, .. } => {
                hanging(if *is_command { "       ->" } else { "       <-" }, words)
            }
            Self::Said(event) => {
                let reason = match event.reason.as_str() {
                    "" => String::new(),
                    reason => format!(": {reason}"),
                };
                let mut out = hanging(&event.speaker, &format!("{}{reason}", event.name));
                if !event.clause.is_empty() {
                    out.push_str(&hanging("", &format!("rule: {}", event.clause)));
                }
                for element in &event.elements {
                    out.push_str(&hanging("", &format!("data: {}", element_line(element))));
                }
                out
            }
        }
    }

    fn value(&self, trace: &Trace) -> Value {
        let after = |event: &TraceEvent| event.at.micros() - trace.header.started.micros();
        match self {
            Self::Exchanged { event, is_command, words } => json!({
                "at_us": after(event),
                "kind": if *is_command { "command" } else { "response" },
                "bytes": event.elements.first().map(|element| Hex(&element.value).to_string()),
                "words": words,
            }),
            Self::Said(event) => json!({
                "at_us": after(event),
                "kind": "event",
                "speaker": event.speaker,
                "name": event.name,
                "clause": event.clause,
                "reason": event.reason,
                "data": event.elements.iter().map(element_value).collect::<Vec<_>>(),
            }),
        }
    }
}

/// Tag, name, bytes and what they say.
pub(super) fn element_line(element: &Element) -> String {
    let name = match &element.key {
        ElementKey::Tag(tag) => Row::titled(Tag(*tag)),
        ElementKey::Named(name) => name.to_string(),
    };
    match element_words(&element.key, &element.value).as_str() {
        "" => format!("{name} {}", Hex(&element.value)),
        words => format!("{name} {} = {words}", Hex(&element.value)),
    }
}

/// An element of an event as data.
pub(super) fn element_value(element: &Element) -> Value {
    let (tag, name) = match &element.key {
        ElementKey::Tag(tag) => {
            (Some(Tag(*tag).to_string()), Row::of_tag(Tag(*tag)).map(|row| row.name.to_owned()))
        }
        ElementKey::Named(name) => (None, Some(name.to_string())),
    };
    json!({
        "tag": tag,
        "name": name,
        "value": Hex(&element.value).to_string(),
        "meaning": element_words(&element.key, &element.value),
    })
}

/// Text under the margin, broken between words; `head` stands in the margin of the first line.
fn hanging(head: &str, text: &str) -> String {
    let mut out = format!("   {:<width$}", visible(head), width = MARGIN - 3);
    let mut column = out.chars().count();
    let mut first = true;
    for word in visible(text).split(' ') {
        let length = word.chars().count();
        if !first && column + 1 + length > WIDTH {
            out.push_str(&format!("\n{:MARGIN$}  ", ""));
            column = MARGIN + 2;
        } else if !first {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
        first = false;
    }
    out.push('\n');
    out
}

/// A file cannot send control sequences to a screen.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::TraceHeader;
    use crate::base::env::Timestamp;
    use crate::base::event::Event;

    fn trace(events: Vec<Event>) -> Trace {
        let header = TraceHeader::new(Timestamp::default(), "sim:\u{1b}[2Jtest");
        Trace { header, events: events.into_iter().map(TraceEvent::from).collect(), cut: true }
    }

    fn told() -> Trace {
        trace(vec![
            Event::new("terminal", "transaction begins").because("contact"),
            Event::new("terminal", "step").because("Terminal risk management"),
            Event::new("link", "command").with_named("C-APDU", [0x80, 0xCA, 0x9F, 0x36, 0x00]),
            Event::new("link", "response").with_named("R-APDU", [0x9F, 0x36, 2, 0, 7, 0x90, 0x00]),
            Event::new("terminal", "step").because("Terminal risk management"),
            Event::new("terminal", "TVR byte 4 bit 8")
                .clause("EMV Book 3 10.6.1")
                .because("transaction exceeds floor limit: the amount is not below 1000 in minor units")
                .with_tag(0x95, [0, 0, 0, 0x80, 0]),
        ])
    }

    #[test]
    fn a_story_has_steps_rules_and_data() {
        let expected = "\
sim:?[2Jtest, 1970-01-01 00:00:00; card data is masked, and numbers are pseudonyms

1. Terminal risk management
          -> GET DATA: 9F36 Application Transaction Counter (ATC)
          <- 9000 normal processing, 5 bytes of data
   terminal  TVR byte 4 bit 8: transaction exceeds floor limit: the amount is not below 1000 in
               minor units
             rule: EMV Book 3 10.6.1
             data: 95 Terminal Verification Results 0000008000 = transaction exceeds floor limit

The recording ends in the middle of a line: what came after is not known.
";
        assert_eq!(explain_text(&told()), expected);
    }

    #[test]
    fn the_same_as_data() {
        let value = explain_json(&told());
        assert_eq!(value["steps"].as_array().unwrap().len(), 1);
        let told = &value["steps"][0]["told"];
        assert_eq!(
            (&told[0]["kind"], &told[1]["words"]),
            (&json!("command"), &json!("9000 normal processing, 5 bytes of data"))
        );
        assert_eq!(told[2]["data"][0]["meaning"], "transaction exceeds floor limit");
        assert_eq!(value["cut"], true);
    }
}
