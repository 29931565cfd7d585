//! What two recordings say differently. Times are not compared, and, unless asked,
//! neither is what differs in any two transactions.

use super::align::align;
use super::{Meaning, Meanings, Trace, TraceError, TraceEvent};
use crate::base::bytes::Hex;
use crate::base::event::{Element, ElementKey};
use crate::words::decode::{Explainer, Line, element_words};
use crate::words::dictionary::{Row, tag};
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::Tag;

/// One thing that two recordings say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The exchange or event it is in.
    pub place: String,
    /// The element, as a path of tags and names; empty where the whole exchange or event differs.
    pub path: String,
    /// What the first recording says; none where it says nothing there.
    pub left: Option<Fact>,
    /// What the second one says.
    pub right: Option<Fact>,
}

/// A value and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fact {
    /// In hexadecimal, where there are bytes.
    pub value: String,
    /// In words; empty where the bytes say nothing more.
    pub words: String,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compared {
    /// All but counters, random numbers and cryptograms.
    #[default]
    Meaning,
    /// These too.
    Everything,
}

/// Elements that differ in any two transactions: counters, random numbers, cryptograms.
const VOLATILE: &[Tag] = &[
    tag::UNPREDICTABLE_NUMBER,
    tag::ATC,
    tag::LAST_ONLINE_ATC_REGISTER,
    tag::TRANSACTION_SEQUENCE_COUNTER,
    tag::APPLICATION_CRYPTOGRAM,
    tag::ISSUER_AUTHENTICATION_DATA,
    tag::SIGNED_DYNAMIC_APPLICATION_DATA,
    tag::ICC_DYNAMIC_NUMBER,
    tag::CARD_AUTHENTICATION_RELATED_DATA,
    tag::TERMINAL_RELAY_ENTROPY,
    tag::DEVICE_RELAY_ENTROPY,
];
/// The same of elements and parts without a tag.
const VOLATILE_NAMES: &[&str] =
    &["trace", "challenge", "sequence counter", "script MAC", "MAC of the discretionary data"];

/// Where the paths of an exchange begin.
const COMMAND: &str = "command";
const ANSWER: &str = "answer";

impl Trace {
    /// What this recording and another one say differently, in order. Exchanges are paired by
    /// what they ask for, events by who says what.
    pub fn differences(&self, other: &Self, compared: Compared) -> Result<Vec<Difference>, TraceError> {
        let (left, right) = (items(self), items(other));
        let keys: (Vec<_>, Vec<_>) =
            (left.iter().map(Item::key).collect(), right.iter().map(Item::key).collect());
        let pairs = align(&keys.0, &keys.1).ok_or(TraceError::TooDifferent)?;
        let mut found = of_headers(self, other);
        let (mut left, mut right) = (left.into_iter(), right.into_iter());
        // Each item stands in one pair, in its order.
        for (l, r) in pairs {
            let (left, right) = (l.and_then(|_| left.next()), r.and_then(|_| right.next()));
            match (left, right) {
                (Some(left), Some(right)) => between(left, right, compared, &mut found),
                (left, right) => found.extend(Difference::alone(left.as_ref(), right.as_ref())),
            }
        }
        Ok(found)
    }
}

/// A command with its answer, or an event.
enum Item<'a> {
    Exchange { meaning: Meaning, name: String, facts: Vec<NamedFact> },
    Said(&'a TraceEvent),
}

struct NamedFact {
    path: Vec<String>,
    fact: Fact,
    is_volatile: bool,
}

/// By what items are paired.
#[derive(PartialEq)]
enum Key<'a> {
    Exchange(&'a Meaning),
    Said(&'a str, &'a str),
}

impl Item<'_> {
    fn key(&self) -> Key<'_> {
        match self {
            Self::Exchange { meaning, .. } => Key::Exchange(meaning),
            Self::Said(event) => Key::Said(&event.speaker, &event.name),
        }
    }

    fn place(&self) -> String {
        match self {
            Self::Exchange { name, .. } => name.clone(),
            Self::Said(event) => format!("{}, {}", event.speaker, event.name),
        }
    }

    /// The whole item on one line.
    fn summary(&self) -> Fact {
        let words = match self {
            Self::Exchange { facts, .. } => {
                let answer =
                    facts.iter().rev().find(|fact| fact.path.iter().any(|part| part == "status word"));
                answer
                    .map_or("no answer".to_owned(), |fact| format!("{} {}", fact.fact.value, fact.fact.words))
            }
            Self::Said(event) if event.reason.is_empty() => "said".to_owned(),
            Self::Said(event) => event.reason.clone(),
        };
        Fact { value: String::new(), words }
    }

    fn into_facts(self) -> Vec<NamedFact> {
        let event = match self {
            Self::Exchange { facts, .. } => return facts,
            Self::Said(event) => event,
        };
        let words = |name: &str, words: &str| NamedFact {
            path: vec![name.to_owned()],
            fact: Fact { value: String::new(), words: words.to_owned() },
            is_volatile: false,
        };
        let told = [words("reason", &event.reason), words("rule", &event.clause)];
        told.into_iter().chain(event.elements.iter().map(NamedFact::of_element)).collect()
    }
}

impl Difference {
    /// An item that stands in one recording only.
    fn alone(left: Option<&Item<'_>>, right: Option<&Item<'_>>) -> Option<Self> {
        let place = left.or(right)?.place();
        let (left, right) = (left.map(Item::summary), right.map(Item::summary));
        Some(Self { place, path: String::new(), left, right })
    }
}

impl NamedFact {
    fn of_element(element: &Element) -> Self {
        let (name, is_volatile) = match &element.key {
            ElementKey::Tag(tag) => (Row::titled(Tag(*tag)), VOLATILE.contains(&Tag(*tag))),
            ElementKey::Named(name) => (name.to_string(), VOLATILE_NAMES.contains(&name.as_ref())),
        };
        let words = match is_volatile {
            true => String::new(),
            false => element_words(&element.key, &element.value),
        };
        // Its MAC is in the issuer application data, whose other parts are told in words.
        let value = match element.key {
            ElementKey::Tag(tag) if Tag(tag) == tag::ISSUER_APPLICATION_DATA && !words.is_empty() => {
                String::new()
            }
            _ => Hex(&element.value).to_string(),
        };
        Self { path: vec![name], fact: Fact { value, words }, is_volatile }
    }
}

fn of_headers(left: &Trace, right: &Trace) -> Vec<Difference> {
    let (left, right) = (&left.header, &right.header);
    let fact = |words: String| Some(Fact { value: String::new(), words });
    let rows = [
        (
            "interface",
            left.interface.clone().unwrap_or_default(),
            right.interface.clone().unwrap_or_default(),
        ),
        ("answer to reset", Hex(&left.atr).to_string(), Hex(&right.atr).to_string()),
    ];
    let differ = rows.into_iter().filter(|(_, left, right)| left != right);
    differ
        .map(|(path, left, right)| Difference {
            place: "the recording".into(),
            path: path.into(),
            left: fact(left),
            right: fact(right),
        })
        .collect()
}

/// The facts of one item, held against those of its like.
fn between(left: Item<'_>, right: Item<'_>, compared: Compared, found: &mut Vec<Difference>) {
    let place = left.place();
    let counts = |fact: &NamedFact| compared == Compared::Everything || !fact.is_volatile;
    let mut others: Vec<NamedFact> = right.into_facts().into_iter().filter(counts).collect();
    let mut tell = |path: &[String], left: Option<Fact>, right: Option<Fact>| {
        found.push(Difference { place: place.clone(), path: path.join(" > "), left, right });
    };
    for fact in left.into_facts().into_iter().filter(counts) {
        let like = others.iter().position(|other| other.path == fact.path);
        let other = like.map(|at| others.remove(at).fact);
        if other.as_ref() != Some(&fact.fact) {
            tell(&fact.path, Some(fact.fact), other);
        }
    }
    for other in others {
        tell(&other.path, None, Some(other.fact));
    }
}

fn items(trace: &Trace) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let (mut explainer, mut meanings) = (Explainer::unmasked(), Meanings::default());
    // Where the exchange stands whose answer is awaited.
    let mut open = None;
    for event in &trace.events {
        if event.is_reset() {
            (explainer, meanings) = (Explainer::unmasked(), Meanings::default());
        }
        if let Some(command) = event.command_bytes().and_then(|bytes| CommandApdu::parse(bytes).ok()) {
            let lines = explainer.command(&command);
            let name = lines.first().map(|line| match line.meaning.as_str() {
                "" => line.name.to_string(),
                words => format!("{}: {words}", line.name),
            });
            let facts = facts(COMMAND, &lines);
            open = Some(items.len());
            let meaning = meanings.of(&command);
            items.push(Item::Exchange { meaning, name: name.unwrap_or_default(), facts });
        } else if let Some(response) =
            event.response_bytes().and_then(|bytes| ResponseApdu::parse(bytes).ok())
            && let Some(Item::Exchange { facts: known, .. }) = open.and_then(|at| items.get_mut(at))
        {
            known.extend(facts(ANSWER, &explainer.response(&response)));
            open = None;
        } else {
            items.push(Item::Said(event));
        }
    }
    items
}

/// The values of an explanation with their paths. A line whose parts have values has none of its
/// own; bits that are set are its words.
fn facts(root: &str, lines: &[Line]) -> Vec<NamedFact> {
    let mut facts: Vec<NamedFact> = Vec::new();
    let mut path: Vec<(usize, String, bool)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        path.retain(|(depth, ..)| *depth < line.depth);
        let inherits = path.last().is_some_and(|(.., is_volatile)| *is_volatile);
        let is_volatile = inherits
            || line.tag.is_some_and(|tag| VOLATILE.contains(&tag))
            || VOLATILE_NAMES.contains(&line.name.as_ref());
        let is_bit = line.tag.is_none() && line.value.is_empty();
        if is_bit && let Some(last) = facts.last_mut().filter(|_| line.depth > 0) {
            let words = &mut last.fact.words;
            *words =
                if words.is_empty() { line.meaning.clone() } else { format!("{words}; {}", line.meaning) };
            continue;
        }
        let name = match line.tag {
            Some(tag) => Row::titled(tag),
            None => line.name.to_string(),
        };
        path.push((line.depth, name, is_volatile));
        let is_header = index == 0 && root == COMMAND;
        let mut inside = lines[index + 1..].iter().take_while(|inner| inner.depth > line.depth);
        let has_parts = inside.any(|inner| !inner.value.is_empty());
        if line.value.is_empty() || has_parts && !is_header {
            continue;
        }
        let path = std::iter::once(root.to_owned()).chain(path.iter().map(|(_, name, _)| name.clone()));
        let fact = Fact { value: Hex(&line.value).to_string(), words: line.meaning.clone() };
        facts.push(NamedFact { path: path.collect(), fact, is_volatile });
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::TraceHeader;
    use crate::base::bytes::parse_hex;
    use crate::base::env::Timestamp;
    use crate::base::event::Event;

    fn trace(exchanges: &[(&str, &str)], reason: &'static str) -> Trace {
        let link = |name: &'static str, key, hex: &str| {
            TraceEvent::from(Event::new("link", name).with_named(key, parse_hex(hex).unwrap()))
        };
        let mut events: Vec<TraceEvent> = Vec::new();
        for (command, answer) in exchanges {
            events.push(link("command", "C-APDU", command));
            events.push(link("response", "R-APDU", answer));
        }
        events.push(Event::new("terminal", "decided").because(reason).with_tag(0x95, [0; 5]).into());
        Trace { header: TraceHeader::new(Timestamp::default(), ""), events, cut: false }
    }

    const SELECT: (&str, &str) =
        ("00A4040007A000000333010100", "6F148407A0000003330101A5099F38069F02069F3704 9000");

    fn told(left: &Trace, right: &Trace, compared: Compared) -> Vec<String> {
        let side = |fact: &Option<Fact>| {
            fact.as_ref().map_or("-".to_owned(), |fact| format!("{} {}", fact.value, fact.words))
        };
        let show = |d: &Difference| {
            let (left, right) = (side(&d.left), side(&d.right));
            format!("{}: {}: {} | {}", d.place, d.path, left.trim(), right.trim())
        };
        left.differences(right, compared).unwrap().iter().map(show).collect()
    }

    #[test]
    fn another_amount_is_told_by_its_element_and_a_random_number_only_when_asked() {
        let pay = |amount: &'static str, number: &str| {
            let command = format!("80A800000C830A{amount}{number}00");
            trace(&[SELECT, (command.as_str(), "8006 7C00 08010100 9000")], "a rule")
        };
        let (left, right) = (pay("000000001000", "11111111"), pay("000000002500", "22222222"));
        let amount = "GET PROCESSING OPTIONS: command > GET PROCESSING OPTIONS > 83 Command Template > 9F02 Amount, \
                      Authorised (Numeric): 000000001000 1000 in minor units | 000000002500 2500 in minor units";
        assert_eq!(told(&left, &right, Compared::Meaning), [amount]);
        let all = told(&left, &right, Compared::Everything);
        assert!(all.len() == 2 && all[1].contains("9F37 Unpredictable Number"), "{all:#?}");
        assert!(told(&left, &left, Compared::Everything).is_empty());
    }

    #[test]
    fn what_stands_on_one_side_only_is_told_and_the_rest_still_paired() {
        let balance = ("80CA9F7900", "9F79060000000050009000");
        let left = trace(&[SELECT, balance, ("80CA9F1700", "9F1701039000")], "a rule");
        let right = trace(&[SELECT, ("80CA9F1700", "9F1701029000")], "another rule");
        let told = told(&left, &right, Compared::Meaning);
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(told[0].starts_with("GET DATA: 9F79 Electronic Cash Balance: : 9000 normal processing | -"));
        assert!(told[1].contains("9F17") && told[1].contains("03") && told[1].contains("02"), "{told:#?}");
        assert_eq!(told[2], "terminal, decided: reason: a rule | another rule");
    }
}
