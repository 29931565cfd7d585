//! What is kept of a case that ran: its result in words, and its trace. PANs of our own
//! test range stay readable in it, so that an acquirer's log can be matched.

use super::catalogue::Entry;
use crate::air::trace::{TraceHeader, TraceWriter};
use crate::base::event::{Event, EventSink};
use crate::observers::campaign::error::CampaignError;
use crate::observers::campaign::suite::Ended;
use crate::observers::report::suite::case_json;
use crate::words::iso7816::Effect;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Name and content of each file.
pub(super) type Files = Vec<(String, Vec<u8>)>;

/// What a case is, for the evidence.
pub(super) fn entry_json(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "title": entry.title,
        "clause": entry.clause,
        "product": entry.product.word(),
        "criterion": entry.criterion.word(),
        "precondition": entry.precondition,
        "effect": entry.effect.map(Effect::word),
    })
}

/// The files of a case that ran: `result.json`, `trace.cwt`.
pub(super) fn files(entry: &Entry, ended: &Ended<'_>) -> Result<Files, CampaignError> {
    let result = json!({ "case": entry_json(entry), "result": case_json(ended.report) });
    let result = format!("{result:#}\n").into_bytes();
    let mut files = vec![("result.json".to_owned(), result)];
    if !ended.events.is_empty() {
        files.push(("trace.cwt".to_owned(), trace(ended)?));
    }
    Ok(files)
}

fn trace(ended: &Ended<'_>) -> Result<Vec<u8>, CampaignError> {
    let begin = ended.events.first().map(|event: &Event| event.at).unwrap_or_default();
    let card = ended.activation;
    let header = TraceHeader {
        interface: card.map(|card| card.interface.to_string()),
        atr: card.map(|card| card.atr.clone()).unwrap_or_default(),
        seed: ended.report.seed,
        ..TraceHeader::new(begin, card.map_or("", |card| card.place.as_str()))
    };
    let wrong = |cause: &dyn std::fmt::Display| CampaignError::File {
        path: "trace.cwt".into(),
        cause: cause.to_string(),
    };
    let bytes = Memory::default();
    let mut writer = TraceWriter::evidence(bytes.clone(), header).map_err(|cause| wrong(&cause))?;
    ended.events.iter().cloned().for_each(|event| writer.take(event));
    match writer.failure() {
        Some(cause) => Err(wrong(&cause)),
        None => Ok(bytes.take()),
    }
}

/// A file in memory, which the writer of traces fills.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
