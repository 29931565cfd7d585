//! Rows of `tests/decisions/causes.toml`: each bit that a row names is set, and the story
//! of the masked recording says why.

use cardwright::air::trace::{Trace, TraceHeader, TraceWriter};
use cardwright::base::bytes::Bit;
use cardwright::base::event::{Event, EventSink};
use cardwright::observers::report::{explain_json, explain_text};
use cardwright::words::emv::{Tsi, Tvr};
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// A file in memory.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().map_err(|_| std::io::ErrorKind::Other)?.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every bit by the name that a row has for it. Byte 5 bits 4 to 1 of the TVR are of
/// contactless kernels, whose rows are in files of their own.
pub(crate) fn names() -> Vec<String> {
    let over_contacts = Tvr::ROWS.iter().filter(|bit| bit.byte != 5 || bit.bit > 4);
    let tvr = over_contacts.map(|bit| format!("TVR {}", bit.name));
    tvr.chain(Tsi::ROWS.iter().map(|bit| format!("TSI {}", bit.name))).collect()
}

/// What is wrong with the story of these events: each of the bits is to be told with the
/// words in the same place of `because`.
pub(crate) fn judge(causes: &[String], because: &[String], events: &[Event]) -> Vec<String> {
    if causes.len() != because.len() {
        return vec![format!("{} causes, and {} words for them", causes.len(), because.len())];
    }
    let story = match recorded(events) {
        Ok(trace) => trace,
        Err(why) => return vec![why],
    };
    let told: Vec<&Value> = story["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|step| step["told"].as_array().into_iter().flatten())
        .collect();
    causes.iter().zip(because).filter_map(|(cause, words)| missing(cause, words, &told)).collect()
}

/// The story of the recording, as the command tells it.
fn recorded(events: &[Event]) -> Result<Value, String> {
    let file = Shared::default();
    let started = events.first().map(|event| event.at).unwrap_or_default();
    let mut writer = TraceWriter::masked(file.clone(), TraceHeader::new(started, "the row's card"))
        .map_err(|error| error.to_string())?;
    events.iter().for_each(|event| writer.take(event.clone()));
    let bytes = file.0.lock().map_err(|error| error.to_string())?.clone();
    let trace = Trace::read(bytes.as_slice()).map_err(|error| error.to_string())?;
    match explain_text(&trace).contains("rule: ") {
        true => Ok(explain_json(&trace)),
        false => Err("the story names no rule".into()),
    }
}

fn missing(cause: &str, words: &str, told: &[&Value]) -> Option<String> {
    let wanted = match cause.split_once(' ') {
        Some(("TVR", name)) => Tvr::ROWS.iter().find(|bit| bit.name == name).map(|bit| place(bit, "95")),
        Some(("TSI", name)) => Tsi::ROWS.iter().find(|bit| bit.name == name).map(|bit| place(bit, "9B")),
        _ => None,
    };
    let Some((name, tag, byte, mask, says)) = wanted else { return Some(format!("there is no bit {cause}")) };
    let name = format!("{} {name}", &cause[..3]);
    let tells = |event: &&&Value| {
        let reason = event["reason"].as_str().unwrap_or_default();
        let rest = reason.strip_prefix(says).and_then(|rest| rest.strip_prefix(": "));
        event["name"] == name.as_str()
            && rest.is_some_and(|rest| rest.contains(words))
            && event["clause"] != ""
            && is_set(event, tag, byte, mask)
    };
    if told.iter().any(|event| tells(&event)) {
        return None;
    }
    let of_bit = told.iter().filter(|event| event["name"] == name.as_str());
    let found: Vec<_> = of_bit.map(|event| event["reason"].to_string()).collect();
    Some(format!("expected the story to say that {cause} ({name}) is set because {words:?}, found {found:?}"))
}

type Place = (String, &'static str, usize, u8, &'static str);

fn place<F>(bit: &Bit<F>, tag: &'static str) -> Place {
    (format!("byte {} bit {}", bit.byte, bit.bit), tag, usize::from(bit.byte), bit.mask(), bit.words)
}

/// Whether the field that the event shows has the bit.
fn is_set(event: &Value, tag: &str, byte: usize, mask: u8) -> bool {
    let data = event["data"].as_array().into_iter().flatten();
    let value = data.filter(|element| element["tag"] == tag).find_map(|element| element["value"].as_str());
    value
        .and_then(|hex| u8::from_str_radix(hex.get(byte * 2 - 2..byte * 2)?, 16).ok())
        .is_some_and(|found| found & mask != 0)
}
