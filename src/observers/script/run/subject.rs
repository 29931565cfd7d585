//! What an expectation looks at, in the last answer or elsewhere.

use super::evaluate::{Trouble, evaluate};
use super::knowledge::{End, Messages};
use super::outcome::Shown;
use super::scope::{Answer, Scope};
use crate::observers::script::errand::Ran;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::parse::tag_name;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Node, Subject};
use crate::observers::script::value::Value;
use crate::words::dictionary::Row;
use crate::words::iso8583::Message;
use crate::words::tlv::{self, Tag, Tlv};

/// Deepest nesting that a path goes.
const DEPTH_LIMIT: usize = 16;

/// What was found.
pub(super) struct Found {
    /// What it is called.
    pub name: String,
    /// Its tag, where it is a data element.
    pub tag: Option<Tag>,
    /// Its value; `None` where it is not there.
    pub value: Option<Value>,
    /// Whether its bytes are the answer's, so that they are masked as one.
    pub is_answer: bool,
    /// Whether it is words that hold no card data.
    pub is_words: bool,
}

impl Found {
    /// What is shown of it.
    pub(super) fn shown(&self) -> Shown {
        match &self.value {
            None => Shown::Words("absent".into()),
            Some(value) => shown(value, self, false),
        }
    }
}

/// What is shown of a value that is compared with what was found, or is it; `is_written`
/// says that it stands in the script as it is.
pub(super) fn shown(value: &Value, found: &Found, is_written: bool) -> Shown {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone().into_bytes(),
        value => value.bytes().unwrap_or_default(),
    };
    match (value, found.tag) {
        (Value::Number(_) | Value::Amount(_), _) => Shown::Words(value.to_string()),
        (Value::Text(_), _) if is_written || found.is_words => Shown::Words(value.to_string()),
        (value, Some(tag)) => Shown::Element(tag, text(value)),
        (Value::Bytes(bytes), None) if found.is_answer => Shown::Answer(bytes.clone()),
        (value, None) if is_written => Shown::Words(value.to_string()),
        (value, None) => Shown::Derived(value.to_string()),
    }
}

/// Looks at a subject.
pub(super) fn look(subject: &Subject, span: Span, scope: &mut Scope<'_>) -> Result<Found, Trouble> {
    if let Subject::Value(expression) = subject {
        // A variable that is a data element is shown as one, and may be absent.
        let tag = match &expression.node {
            Node::Variable(name) if scope.variable(name).is_none() => tag_name(name),
            _ => None,
        };
        let value = match tag {
            Some(tag) => scope.element(tag).map(Value::Bytes),
            None => Some(evaluate(expression, scope)?),
        };
        let name = tag.map_or("the value".into(), |tag| path_name(&[tag]));
        return Ok(Found { name, tag, value, is_answer: false, is_words: false });
    }
    if let Some(found) = of_transaction(subject, span, scope)? {
        return Ok(found);
    }
    let answer = answer(span, scope)?;
    let found = |name: &str, value, is_answer| Found {
        name: name.into(),
        tag: None,
        value: Some(value),
        is_answer,
        is_words: false,
    };
    Ok(match subject {
        Subject::Data => found("the answer's data", Value::Bytes(answer.response.data.clone()), true),
        Subject::Answer => found("the answer", Value::Bytes(answer.response.to_bytes()), true),
        Subject::Time => {
            found("the time in milliseconds", Value::Number((answer.micros / 1000) as i64), false)
        }
        Subject::Field(number) => {
            let value = answer.messages.as_ref().and_then(|messages| messages.field(*number));
            Found { name: format!("field {number}"), tag: None, value, is_answer: false, is_words: false }
        }
        Subject::Pin => {
            let has_pin = answer.messages.as_ref().is_some_and(|messages| messages.has_pin);
            let value = has_pin.then(|| Value::Text("a PIN".into()));
            Found { name: "the PIN".into(), tag: None, value, is_answer: false, is_words: true }
        }
        Subject::Path(path) => {
            let value = at(path, answer).map(Value::Bytes);
            let (name, tag) = (path_name(path), path.last().copied());
            Found { name, tag, value, is_answer: false, is_words: false }
        }
        _ => found("the status word", Value::Bare(format!("{:04X}", answer.response.status.0)), false),
    })
}

/// What is looked at of the last transaction of a terminal under test.
fn of_transaction(subject: &Subject, span: Span, scope: &Scope<'_>) -> Result<Option<Found>, Trouble> {
    let found = |name: &str, value| {
        Some(Found { name: name.into(), tag: None, value, is_answer: false, is_words: true })
    };
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    Ok(match subject {
        Subject::Exit => {
            let code = ran(span, scope)?.code.map(|code| Value::Number(code.into()));
            found("the exit code", code)
        }
        Subject::Output => found("the program's output", text(&ran(span, scope)?.output)),
        Subject::Reason => found("the reason", text(&ended(span, scope)?.reason)),
        Subject::Shown => found("what was shown", text(&ended(span, scope)?.shown)),
        Subject::Told => found("what the terminal told", text(&ended(span, scope)?.told)),
        Subject::Balance => {
            let minor = ended(span, scope)?.balance_minor.and_then(|minor| i64::try_from(minor).ok());
            found("the balance", minor.map(Value::Amount))
        }
        _ => None,
    })
}

/// The answer that is looked at.
pub(super) fn answer<'s>(span: Span, scope: &'s Scope<'_>) -> Result<&'s Answer, Trouble> {
    let none =
        || Trouble::new(span, "there is no answer yet: a command, or `expect sent`, goes before this line");
    scope.answer.as_ref().ok_or_else(none)
}

/// What came of the last program.
fn ran<'s>(span: Span, scope: &'s Scope<'_>) -> Result<&'s Ran, Trouble> {
    let none = || Trouble::new(span, "there is no program yet: `run` goes before this line");
    scope.ran.as_ref().ok_or_else(none)
}

/// What the last transaction of a terminal under test came to.
pub(super) fn ended<'s>(span: Span, scope: &'s Scope<'_>) -> Result<&'s End, Trouble> {
    let none = || Trouble::new(span, "there is no outcome yet: `terminal` goes before this line");
    scope.ended.as_ref().ok_or_else(none)
}

impl Messages {
    /// A field of the message, or of its answer where the message has it not; F39 is always
    /// the answer's.
    fn field(&self, number: u8) -> Option<Value> {
        if number == 4 {
            return i64::try_from(self.amount_minor).ok().map(Value::Amount);
        }
        let of = |message: &Message| message.text(number).map(str::to_owned);
        let asked = of(&self.request).filter(|_| number != 39);
        asked.or_else(|| self.answer.as_ref().and_then(of)).map(Value::Bare)
    }
}

/// The value at a path: one tag anywhere, depth first; several from the top. Elements of
/// an answer that is no TLV are found by their tag alone.
fn at(path: &[Tag], answer: &Answer) -> Option<Vec<u8>> {
    let data = &answer.response.data;
    match path {
        [tag] => {
            let sent = answer.sent.value(*tag).map(<[u8]>::to_vec);
            let found = || tlv::find(data, *tag).ok().flatten().map(|found| found.value.to_vec());
            sent.or_else(found).or_else(|| answer.elements.value(*tag).map(<[u8]>::to_vec))
        }
        _ => {
            let list = tlv::parse(data).ok()?;
            below(&list, path, 0).map(<[u8]>::to_vec)
        }
    }
}

/// The first value at a path from here; of several templates with one tag each is tried.
fn below<'a>(list: &[Tlv<'a>], path: &[Tag], depth: usize) -> Option<&'a [u8]> {
    let (first, rest) = path.split_first().filter(|_| depth < DEPTH_LIMIT)?;
    let mut fitting = list.iter().filter(|element| element.tag == *first);
    if rest.is_empty() {
        return fitting.next().map(|element| element.value);
    }
    fitting.find_map(|element| below(&element.children().ok()?, rest, depth + 1))
}

fn path_name(path: &[Tag]) -> String {
    let tags = path.iter().map(Tag::to_string).collect::<Vec<_>>().join("/");
    match path.last().and_then(|tag| Row::of_tag(*tag)) {
        Some(row) => format!("{tags} {}", row.name),
        None => tags,
    }
}
