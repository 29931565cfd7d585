//! Whether what was sent and decided is what a row expects. What the terminal found is read
//! from the commands that it sent, not from what it says of itself.

use super::row::{Expected, Row};
use super::seats::Person;
use crate::causes;
use cardwright::base::bytes::{Bit, Hex, parse_hex};
use cardwright::base::event::Event;
use cardwright::roles::terminal::{Outcome, TerminalError};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::{CryptogramType, Tsi, Tvr};
use cardwright::words::pboc::Cvr;
use cardwright::words::tlv::{Dol, Tag, TlvStore};
use std::collections::BTreeMap;

/// How a transaction went.
pub(super) struct Played {
    pub(super) ended: Result<Outcome, TerminalError>,
    pub(super) person: Person,
    pub(super) messages: Vec<(&'static str, TlvStore)>,
    /// The state of the journal's row, where there is one.
    pub(super) journal: Option<String>,
    pub(super) events: Vec<Event>,
    /// The same once recovery has run, where the row looks at that.
    pub(super) recovered: Option<String>,
    /// What the card answered to what it was asked afterwards.
    pub(super) afterwards: Vec<String>,
}

/// Compares; the error says everything that is other than expected, and the story.
pub(super) fn judge(row: &Row, played: &Played) -> Result<(), String> {
    let expect = &row.expect;
    let Played { ended, person, messages, journal, events, .. } = played;
    let mut wrong = Wrong(Vec::new());
    how_it_ended(expect, ended, &mut wrong);
    wrong.unless_equal("prompts", expect.prompts.as_ref(), &person.prompts);
    wrong.unless_equal("the applications offered", expect.offered.as_ref(), &person.offered);
    wrong.unless_equal("the messages shown", expect.shown.as_ref(), &person.shown);
    let sent_to_host: Vec<String> = messages.iter().map(|(word, _)| (*word).to_owned()).collect();
    wrong.unless_equal("the messages to the host", expect.messages.as_ref(), &sent_to_host);
    if !expect.field_55.is_empty() {
        let last = messages.last().map(|(_, chip)| chip.clone()).unwrap_or_default();
        wrong.unless_held("field 55", &expect.field_55, &last);
    }
    let state = journal.clone().unwrap_or_else(|| "no row".into());
    wrong.unless_equal("the journal", expect.journal.as_ref(), &state);
    let settled = played.recovered.clone().unwrap_or_default();
    wrong.unless_equal("the journal after recovery", expect.recovered.as_ref(), &settled);
    for ((command, begins), found) in expect.afterwards.iter().zip(&played.afterwards) {
        if !found.starts_with(&begins.replace(' ', "")) {
            wrong.say(format!("expected {begins} from the card after {command}, found {found}"));
        }
    }
    let sent = on_the_link(events, "command", "C-APDU");
    let answered = on_the_link(events, "response", "R-APDU");
    of_the_cryptograms(expect, &sent, &answered, &mut wrong);
    of_the_lists(expect, &sent, &answered, &mut wrong);
    of_the_commands(expect, &sent, &mut wrong);
    for words in &expect.story {
        let told = |event: &&Event| {
            event.reason.contains(words.as_str())
                || format!("{}: {}", event.name, event.reason).contains(words)
        };
        if !events.iter().any(|event| told(&event)) {
            wrong.say(format!("expected the story to say {words:?}"));
        }
    }
    for words in &expect.untold {
        if let Some(event) = events.iter().find(|event| event.name.contains(words.as_str())) {
            wrong.say(format!("expected nothing of {words:?}, found {}: {}", event.name, event.reason));
        }
    }
    if !row.causes.is_empty() || !row.because.is_empty() {
        wrong.0.extend(causes::judge(&row.causes, &row.because, events));
    }
    if wrong.0.is_empty() {
        return Ok(());
    }
    let story: Vec<_> = events
        .iter()
        .filter(|event| event.speaker == "terminal" || event.speaker == "card")
        .map(|event| format!("  {}: {}: {}", event.speaker, event.name, event.reason))
        .collect();
    Err(format!("{} ({})\n{}\nthe story:\n{}", row.name, row.clause, wrong.0.join("\n"), story.join("\n")))
}

struct Wrong(Vec<String>);

impl Wrong {
    fn say(&mut self, what: String) {
        self.0.push(what);
    }

    fn unless_equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: Option<&T>, found: &T) {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            self.say(format!("expected {what} to be {expected:?}, found {found:?}"));
        }
    }

    fn unless_held(&mut self, what: &str, expected: &BTreeMap<String, String>, data: &TlvStore) {
        for (name, value) in expected {
            let tag = Tag(u32::from_str_radix(name, 16).unwrap_or_default());
            let found = data.value(tag).map_or("nothing".to_owned(), |value| Hex(value).to_string());
            if *value.replace(' ', "") != found {
                self.say(format!("expected {name} {value} in {what}, found {found}"));
            }
        }
    }
}

fn on_the_link(events: &[Event], name: &str, element: &str) -> Vec<Vec<u8>> {
    let of_link = events.iter().filter(|event| event.speaker == "link" && event.name == name);
    of_link.filter_map(|event| event.named_value(element).map(<[u8]>::to_vec)).collect()
}

fn how_it_ended(expect: &Expected, ended: &Result<Outcome, TerminalError>, wrong: &mut Wrong) {
    match (ended, &expect.error) {
        (Err(error), None) => wrong.say(format!("broke off: {error}")),
        (Ok(outcome), Some(words)) => {
            wrong.say(format!("expected the error {words:?}, ended {}", outcome.verdict.word()));
        }
        (Err(error), Some(words)) if !error.to_string().contains(words) => {
            wrong.say(format!("expected the error {words:?}, found: {error}"));
        }
        _ => {}
    }
    if let (Some(word), Ok(outcome)) = (&expect.verdict, ended)
        && outcome.verdict.word() != word
    {
        wrong.say(format!("expected {word}, found {}: {}", outcome.verdict.word(), outcome.reason));
    }
    if let Ok(outcome) = ended {
        wrong.unless_equal("what was paid", expect.paid.as_ref(), &outcome.amount.minor);
        let parameters = outcome.parameters;
        let message = parameters.map(|parameters| format!("{:02X}", parameters.message.identifier()));
        if expect.message.is_some() && expect.message != message {
            wrong.say(format!("expected message {:?}, found {message:?}", expect.message));
        }
        let cvm = parameters.map(|parameters| parameters.cvm.words().to_owned());
        if expect.verification.is_some() && expect.verification != cvm {
            wrong.say(format!("expected verification {:?}, found {cvm:?}", expect.verification));
        }
    }
}

fn is_generate_ac(command: &[u8]) -> bool {
    command.starts_with(&[0x80, 0xAE])
}

fn of_the_cryptograms(expect: &Expected, sent: &[Vec<u8>], answered: &[Vec<u8>], wrong: &mut Wrong) {
    let commands = sent.iter().filter(|command| is_generate_ac(command));
    let asked: Vec<String> =
        commands.filter_map(|command| Some(CryptogramType::from_bits(command[2])?.to_string())).collect();
    wrong.unless_equal("what was asked for", expect.asked.as_ref(), &asked);
    // A card in the same process answers every command but one that it falls silent at.
    let answers = sent.iter().zip(answered).filter(|(command, _)| is_generate_ac(command));
    let answers: Vec<TlvStore> = answers.filter_map(|(_, answer)| given(answer)).collect();
    let kinds = answers.iter().filter_map(|data| {
        let [information] = data.array(tag::CRYPTOGRAM_INFORMATION_DATA)?;
        Some(CryptogramType::from_bits(information)?.to_string())
    });
    wrong.unless_equal("what the card gave", expect.given.as_ref(), &kinds.collect());
    if let Some(expected) = &expect.cvr {
        let iad = answers.last().and_then(|data| data.value(tag::ISSUER_APPLICATION_DATA));
        let found = iad.and_then(|iad| Cvr::from_bytes(iad.get(4..7)?)).unwrap_or_default();
        compare("CVR", expected, names(Cvr::ROWS, |bit| found.has(bit)), wrong);
    }
}

/// The data objects of an answer to GENERATE AC, in either format.
fn given(answer: &[u8]) -> Option<TlvStore> {
    let template = cardwright::words::tlv::parse_one(answer.get(..answer.len().checked_sub(2)?)?).ok()?;
    if template.tag == tag::RESPONSE_TEMPLATE_FORMAT_2 {
        return Some(template.children().ok()?.iter().map(|child| (child.tag, child.value)).collect());
    }
    let mut data = TlvStore::new();
    data.put(tag::CRYPTOGRAM_INFORMATION_DATA, template.value.get(..1)?);
    data.put(tag::ISSUER_APPLICATION_DATA, template.value.get(11..)?);
    Some(data)
}

fn of_the_lists(expect: &Expected, sent: &[Vec<u8>], answered: &[Vec<u8>], wrong: &mut Wrong) {
    let [first, second] =
        [(0, tag::CDOL1), (1, tag::CDOL2)].map(|(place, list)| data_of(place, list, sent, answered));
    let wants_first = expect.tvr.is_some()
        || expect.tsi.is_some()
        || expect.cvm.is_some()
        || expect.bytes.is_some()
        || !expect.data.is_empty();
    let wants_second =
        expect.tvr_second.is_some() || expect.tsi_second.is_some() || !expect.data_second.is_empty();
    for (data, wanted) in [(&first, wants_first), (&second, wants_second)] {
        if wanted && data.is_none() && expect.error.is_none() {
            wrong.say("that GENERATE AC was not sent, so nothing can be said of its data".into());
        }
    }
    if let Some((data, bytes)) = first {
        bits([&expect.tvr, &expect.tsi], &data, wrong);
        let results = Hex(data.value(tag::CVM_RESULTS).unwrap_or_default()).to_string();
        wrong.unless_equal("CVM Results", expect.cvm.as_ref(), &results);
        let expected = expect.bytes.as_ref().map(|text| text.replace(' ', ""));
        wrong.unless_equal("the data of CDOL1", expected.as_ref(), &Hex(&bytes).to_string());
        wrong.unless_held("the data of CDOL1", &expect.data, &data);
    }
    if let Some((data, _)) = second {
        bits([&expect.tvr_second, &expect.tsi_second], &data, wrong);
        wrong.unless_held("the data of CDOL2", &expect.data_second, &data);
    }
}

/// The data of a GENERATE AC, by the card's own list.
fn data_of(
    place: usize,
    list_tag: Tag,
    sent: &[Vec<u8>],
    answered: &[Vec<u8>],
) -> Option<(TlvStore, Vec<u8>)> {
    let command = sent.iter().filter(|command| is_generate_ac(command)).nth(place)?;
    let list = answered.iter().find_map(|response| {
        let record = response.get(..response.len().checked_sub(2)?)?;
        let template = cardwright::words::tlv::parse_one(record).ok()?;
        let mut children = template.children().ok()?.into_iter();
        children.find(|object| object.tag == list_tag).map(|object| object.value.to_vec())
    })?;
    let data = command.get(5..5 + usize::from(*command.get(4)?))?;
    Some((Dol::parse(&list).ok()?.split(data)?.into_iter().collect(), data.to_vec()))
}

fn of_the_commands(expect: &Expected, sent: &[Vec<u8>], wrong: &mut Wrong) {
    let mut begins = |wanted: &String| {
        let wanted = parse_hex(wanted).unwrap_or_else(|error| {
            wrong.say(format!("{wanted}: {error}"));
            vec![0xFF]
        });
        sent.iter()
            .enumerate()
            .filter(|(_, command)| command.starts_with(&wanted))
            .map(|(at, _)| at)
            .collect()
    };
    let found =
        |list: &[String], begins: &mut dyn FnMut(&String) -> Vec<usize>| -> Vec<(String, Vec<usize>)> {
            list.iter().map(|command| (command.clone(), begins(command))).collect()
        };
    let there = found(&expect.sent, &mut begins);
    let absent = found(&expect.not_sent, &mut begins);
    let order = found(&expect.order, &mut begins);
    for (command, _) in there.iter().filter(|(_, at)| at.is_empty()) {
        wrong.say(format!("expected {command} to be sent"));
    }
    for (command, _) in absent.iter().filter(|(_, at)| !at.is_empty()) {
        wrong.say(format!("expected {command} not to be sent"));
    }
    let mut from = 0;
    for (command, places) in order {
        match places.into_iter().find(|at| *at >= from) {
            Some(at) => from = at + 1,
            None => wrong.say(format!("expected {command} to be sent in its order")),
        }
    }
}

fn bits([tvr, tsi]: [&Option<Vec<String>>; 2], data: &TlvStore, wrong: &mut Wrong) {
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

fn compare(what: &str, expected: &[String], mut found: Vec<&'static str>, wrong: &mut Wrong) {
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    if expected != found {
        wrong.say(format!("expected {what} {expected:?}, found {found:?}"));
    }
}
