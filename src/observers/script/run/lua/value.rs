//! What a script in Lua gives as values, arguments and words, and values as it has them.

use crate::observers::script::lua::Word;
use crate::observers::script::parse::{element_named, value_of};
use crate::observers::script::run::evaluate::Trouble;
use crate::observers::script::run::outcome::Shown;
use crate::observers::script::source::Span;
use crate::observers::script::tree::{CommandCall, Expression, HeaderPart};
use crate::observers::script::value::Value;
use crate::words::dictionary::{Format, Row};
use crate::words::iso7816::{CommandRow, Parameter, ParameterKind};
use crate::words::tlv::Tag;

/// A command in words with the arguments that a table has: those with numbers for names go to
/// the parameters in their order.
pub(super) fn call(row: &'static CommandRow, arguments: &Word, span: Span) -> Result<CommandCall, Trouble> {
    let mut call = CommandCall { row, values: Vec::new(), elements: Vec::new(), header: Vec::new() };
    let given = match arguments {
        Word::Named(given) => given.as_slice(),
        _ => &[],
    };
    let takes_values =
        |parameter: &&Parameter| !matches!(parameter.kind, ParameterKind::Flag | ParameterKind::Gathered(_));
    let gathers = row.parameters.iter().any(|parameter| matches!(parameter.kind, ParameterKind::Gathered(_)));
    for (name, word) in given {
        let in_order = name.parse::<usize>().ok().filter(|number| *number <= given.len());
        let ordered = in_order
            .and_then(|number| row.parameters.iter().filter(takes_values).nth(number.wrapping_sub(1)));
        let literal = |value: Value| Expression::literal(value, span);
        if let Some(parameter) = ordered.or(row.parameters.iter().find(|parameter| parameter.name == name)) {
            match (parameter.kind, word) {
                (ParameterKind::Flag, Word::Flag(true)) => call.values.push((parameter, None)),
                (ParameterKind::Flag, Word::Flag(false)) => {}
                _ => call.values.push((parameter, Some(literal(value(word, span)?)))),
            }
        } else if let Some((_, part)) = HeaderPart::NAMES.iter().find(|part| part.0 == name) {
            call.header.push((*part, literal(value(word, span)?)));
        } else if let Some(tag) = element_named(name).filter(|_| gathers) {
            call.elements.push((tag, literal(element(tag, word, span)?)));
        } else {
            let known = row.parameters.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {known}") };
            return Err(Trouble::new(
                span,
                format!("{} has no parameter called {name:?}: {known}", row.name),
            ));
        }
    }
    Ok(call)
}

/// A number for an amount counts minor units.
fn element(tag: Tag, word: &Word, span: Span) -> Result<Value, Trouble> {
    let is_amount = Row::of_tag(tag).is_some_and(|row| row.format == Format::Amount);
    match word {
        Word::Number(minor) if is_amount => Ok(Value::Amount(*minor)),
        word => value(word, span),
    }
}

/// What a script says as a value of the language.
pub(super) fn value(word: &Word, span: Span) -> Result<Value, Trouble> {
    match word {
        Word::Number(number) => Ok(Value::Number(*number)),
        Word::Text(text) => Ok(value_of(text)),
        Word::Quoted(text) => Ok(Value::Text(text.clone())),
        Word::Flag(flag) => Err(Trouble::new(span, format!("expected a value, found {flag}"))),
        Word::Nothing | Word::Named(_) => Err(Trouble::new(span, "expected a value, found nil or a table")),
    }
}

/// A value as a script has it: an amount counts minor units, bytes are hexadecimal.
pub(super) fn word(value: &Value) -> Word {
    match value {
        Value::Number(number) | Value::Amount(number) => Word::Number(*number),
        Value::Bytes(bytes) => Word::Text(hex::encode_upper(bytes)),
        Value::Bare(text) => Word::Text(text.clone()),
        Value::Text(text) => Word::Text(text.clone()),
    }
}

/// What a script gives for a text.
pub(super) fn text(word: &Word, span: Span) -> Result<String, Trouble> {
    match word {
        Word::Text(text) | Word::Quoted(text) => Ok(text.clone()),
        Word::Number(number) => Ok(number.to_string()),
        _ => Err(Trouble::new(span, "expected a text, found none")),
    }
}

/// The words that a script gives for something; it may leave them out.
pub(super) fn said(word: &Word) -> String {
    match word {
        Word::Text(text) | Word::Quoted(text) => text.clone(),
        _ => "it is so".into(),
    }
}

/// What is shown of a value of a script: a text may be worked out of card data.
pub(super) fn shown(word: &Word) -> Shown {
    match word {
        Word::Nothing => Shown::Words("nil".into()),
        Word::Flag(flag) => Shown::Words(flag.to_string()),
        Word::Number(number) => Shown::Words(number.to_string()),
        Word::Text(text) | Word::Quoted(text) => Shown::Derived(text.clone()),
        Word::Named(_) => Shown::Words("a table".into()),
    }
}
