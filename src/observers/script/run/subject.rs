//! What an expectation looks at, in the last answer or elsewhere.

use super::evaluate::{Trouble, evaluate};
use super::outcome::Shown;
use super::scope::{Answer, Scope};
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::parse::tag_name;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{Node, Subject};
use crate::observers::script::value::Value;
use crate::words::dictionary::Row;
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
        (Value::Text(_), _) if is_written => Shown::Words(value.to_string()),
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
        return Ok(Found { name, tag, value, is_answer: false });
    }
    let none = || Trouble::new(span, "there is no answer yet: a command goes before this line");
    let answer = scope.answer.as_ref().ok_or_else(none)?;
    let found =
        |name: &str, value, is_answer| Found { name: name.into(), tag: None, value: Some(value), is_answer };
    Ok(match subject {
        Subject::Data => found("the answer's data", Value::Bytes(answer.response.data.clone()), true),
        Subject::Answer => found("the answer", Value::Bytes(answer.response.to_bytes()), true),
        Subject::Time => {
            found("the time in milliseconds", Value::Number((answer.micros / 1000) as i64), false)
        }
        Subject::Status | Subject::Value(_) => {
            found("the status word", Value::Bare(format!("{:04X}", answer.response.status.0)), false)
        }
        Subject::Path(path) => {
            let value = at(path, answer).map(Value::Bytes);
            Found { name: path_name(path), tag: path.last().copied(), value, is_answer: false }
        }
    })
}

/// The value at a path: one tag anywhere, depth first; several from the top. Elements of
/// an answer that is no TLV are found by their tag alone.
fn at(path: &[Tag], answer: &Answer) -> Option<Vec<u8>> {
    let data = &answer.response.data;
    match path {
        [tag] => {
            let found = tlv::find(data, *tag).ok().flatten().map(|found| found.value.to_vec());
            found.or_else(|| answer.elements.value(*tag).map(<[u8]>::to_vec))
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
