//! Whether what was sent and decided is what a row expects. What the terminal found is read
//! from the commands that it sent, not from what it says of itself.

use super::Row;
use crate::causes;
use cardwright::base::bytes::{Bit, Hex, parse_hex};
use cardwright::base::event::Event;
use cardwright::roles::terminal::{Outcome, TerminalError};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::{CryptogramType, Tsi, Tvr};
use cardwright::words::tlv::{Dol, Tag, TlvStore};

/// Compares; the error says everything that is other than expected, and the story.
pub(super) fn judge(
    row: &Row,
    ended: &Result<Outcome, TerminalError>,
    prompts: usize,
    events: &[Event],
) -> Result<(), String> {
    let expect = &row.expect;
    let sent: Vec<Vec<u8>> = events
        .iter()
        .filter(|event| event.speaker == "link" && event.name == "command")
        .filter_map(|event| event.named_value("C-APDU").map(<[u8]>::to_vec))
        .collect();
    let mut wrong = Vec::new();
    match (ended, &expect.error) {
        (Err(error), None) => wrong.push(format!("broke off: {error}")),
        (Ok(outcome), Some(words)) => {
            wrong.push(format!("expected the error {words:?}, ended {}", outcome.verdict.word()));
        }
        (Err(error), Some(words)) if !error.to_string().contains(words) => {
            wrong.push(format!("expected the error {words:?}, found: {error}"));
        }
        _ => {}
    }
    if let (Some(word), Ok(outcome)) = (&expect.verdict, ended)
        && outcome.verdict.word() != word
    {
        wrong.push(format!("expected {word}, found {}: {}", outcome.verdict.word(), outcome.reason));
    }
    if expect.prompts.is_some_and(|expected| expected != prompts) {
        wrong.push(format!("expected {:?} prompts, found {prompts}", expect.prompts));
    }
    let asked: Vec<String> = sent
        .iter()
        .filter(|command| command.starts_with(&[0x80, 0xAE]))
        .filter_map(|command| Some(CryptogramType::from_bits(command[2])?.to_string()))
        .collect();
    if expect.asked.as_ref().is_some_and(|expected| *expected != asked) {
        wrong.push(format!("expected {:?} to be asked for, found {asked:?}", expect.asked));
    }
    let [first, second] =
        [(0, tag::CDOL1), (1, tag::CDOL2)].map(|(place, list)| data_of(place, list, &sent, events));
    let wants_first = expect.tvr.is_some() || expect.tsi.is_some() || expect.cvm.is_some();
    let wants_second = expect.tvr_second.is_some() || expect.tsi_second.is_some();
    for (data, wanted) in [(&first, wants_first), (&second, wants_second)] {
        if wanted && data.is_none() && expect.error.is_none() {
            wrong.push("that GENERATE AC was not sent, so nothing can be said of its data".into());
        }
    }
    if let Some(data) = first {
        seen([&expect.tvr, &expect.tsi], &data, &mut wrong);
        let found = Hex(data.value(tag::CVM_RESULTS).unwrap_or_default()).to_string();
        if let Some(expected) = expect.cvm.as_ref().filter(|expected| **expected != found) {
            wrong.push(format!("expected CVM Results {expected}, found {found}"));
        }
    }
    if let Some(data) = second {
        seen([&expect.tvr_second, &expect.tsi_second], &data, &mut wrong);
    }
    let begins = |wanted: &str| {
        let wanted = parse_hex(wanted).map_err(|error| error.to_string())?;
        Ok::<_, String>(sent.iter().any(|command| command.starts_with(&wanted)))
    };
    for command in &expect.sent {
        if !begins(command)? {
            wrong.push(format!("expected {command} to be sent"));
        }
    }
    for command in &expect.not_sent {
        if begins(command)? {
            wrong.push(format!("expected {command} not to be sent"));
        }
    }
    for words in &expect.story {
        let told = |event: &&Event| {
            event.reason.contains(words.as_str())
                || format!("{}: {}", event.name, event.reason).contains(words)
        };
        if !events.iter().any(|event| told(&event)) {
            wrong.push(format!("expected the story to say {words:?}"));
        }
    }
    wrong.extend(causes::judge(&row.causes, &row.because, events));
    if wrong.is_empty() {
        return Ok(());
    }
    let story: Vec<_> = events
        .iter()
        .filter(|event| event.speaker == "terminal" || event.speaker == "card")
        .map(|event| format!("  {}: {}: {}", event.speaker, event.name, event.reason))
        .collect();
    Err(format!("{} ({})\n{}\nthe story:\n{}", row.name, row.clause, wrong.join("\n"), story.join("\n")))
}

/// The data of a GENERATE AC, by the card's own list.
fn data_of(place: usize, list_tag: Tag, sent: &[Vec<u8>], events: &[Event]) -> Option<TlvStore> {
    let command = sent.iter().filter(|command| command.starts_with(&[0x80, 0xAE])).nth(place)?;
    let list = events
        .iter()
        .filter(|event| event.speaker == "link" && event.name == "response")
        .filter_map(|event| event.named_value("R-APDU"))
        .find_map(|response| {
            let record = response.get(..response.len().checked_sub(2)?)?;
            let template = cardwright::words::tlv::parse_one(record).ok()?;
            let mut children = template.children().ok()?.into_iter();
            children.find(|object| object.tag == list_tag).map(|object| object.value.to_vec())
        })?;
    let data = command.get(5..5 + usize::from(command[4]))?;
    Some(Dol::parse(&list).ok()?.split(data)?.into_iter().collect())
}

fn seen([tvr, tsi]: [&Option<Vec<String>>; 2], data: &TlvStore, wrong: &mut Vec<String>) {
    let value = |tag: Tag| data.value(tag).unwrap_or_default().to_vec();
    if let Some(expected) = tvr {
        let found = Tvr::from_bytes(&value(tag::TVR)).unwrap_or_default();
        compare("TVR", expected, names(Tvr::ROWS, |bit| found.has(bit)), wrong);
    }
    if let Some(expected) = tsi {
        let found = Tsi::from_bytes(&value(tag::TSI)).unwrap_or_default();
        compare("TSI", expected, names(Tsi::ROWS, |bit| found.has(bit)), wrong);
    }
}

fn names<F>(rows: &'static [Bit<F>], has: impl Fn(Bit<F>) -> bool) -> Vec<&'static str> {
    rows.iter().filter(|bit| has(**bit)).map(|bit| bit.name).collect()
}

fn compare(what: &str, expected: &[String], mut found: Vec<&'static str>, wrong: &mut Vec<String>) {
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    if expected != found {
        wrong.push(format!("expected {what} {expected:?}, found {found:?}"));
    }
}
