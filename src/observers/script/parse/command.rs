//! Commands: in words, by the rows of every registry, and as bytes.

use super::element::{ELEMENT_WORDS, element};
use super::expression::factor;
use crate::base::bytes::parse_hex;
use crate::observers::script::cursor::{Cursor, Kind, Token};
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::source::Span;
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{CommandCall, Expression, HeaderPart, Node, Step};
use crate::observers::script::value::Value;
use crate::words::decode::COMMAND_ROOMS;
use crate::words::iso7816::{CommandApdu, CommandRow, Parameter, ParameterKind};

/// Every name of a command, and its row.
pub(in crate::observers::script) fn command_names()
-> impl Iterator<Item = (&'static str, &'static CommandRow)> {
    let rows = COMMAND_ROOMS.iter().flat_map(|room| room.iter());
    rows.flat_map(|row| std::iter::once(row.name).chain(row.short_name).map(move |name| (name, row)))
}

/// The command whose name stands here, the longest one that does; it is taken.
pub(super) fn named(cursor: &mut Cursor<'_>) -> Option<(&'static CommandRow, Span)> {
    let begin = cursor.span();
    let fits = |name: &'static str| {
        let mut ahead = cursor.clone();
        let mut last = begin;
        for piece in pieces(name) {
            last = ahead.next().ok().flatten().filter(|token| token.text == piece)?.span;
        }
        Some((ahead, begin.to(last)))
    };
    let found = command_names().filter_map(|(name, row)| Some((name.len(), row, fits(name)?)));
    let (_, row, (after, span)) = found.max_by_key(|(length, ..)| *length)?;
    *cursor = after;
    Some((row, span))
}

/// The command of a name, with its arguments.
pub(super) fn call(
    row: &'static CommandRow,
    name: Span,
    cursor: &mut Cursor<'_>,
) -> Result<Step, ParseError> {
    let call = arguments(row, cursor)?;
    let is_given = |wanted: &Parameter| call.values.iter().any(|(parameter, _)| *parameter == wanted);
    let missing = row.parameters.iter().find(|parameter| {
        !parameter.optional && !is_given(parameter) && !matches!(parameter.kind, ParameterKind::Gathered(_))
    });
    match missing {
        None => Ok(Step::Command(Box::new(call))),
        Some(Parameter { name: parameter, kind, .. }) => {
            let kind = kind.to_string();
            Err(ParseError::new(Problem::ParameterMissing { command: row.name, parameter, kind }, name))
        }
    }
}

/// The arguments of a command, as many as there are.
pub(super) fn arguments(
    row: &'static CommandRow,
    cursor: &mut Cursor<'_>,
) -> Result<CommandCall, ParseError> {
    let mut call = CommandCall { row, values: Vec::new(), elements: Vec::new(), header: Vec::new() };
    while let Some(token) = cursor.peek()? {
        argument(&mut call, &token, cursor)?;
    }
    Ok(call)
}

/// The bytes of a command. Values may stand among them.
pub(super) fn raw(cursor: &mut Cursor<'_>) -> Result<Step, ParseError> {
    let begin = cursor.span();
    let mut parts: Vec<Expression> = Vec::new();
    let mut digits = String::new();
    let mut end = begin;
    while let Some(token) = cursor.next()? {
        end = token.span;
        match token.kind {
            Kind::Sign if token.is_sign(":") => continue,
            Kind::Bare => {
                let text = token.text.strip_prefix("0x").unwrap_or(&token.text);
                if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(ParseError::new(Problem::Hex { found: token.text }, token.span));
                }
                digits.push_str(text);
                parts.push(Expression::literal(Value::Bare(text.to_owned()), token.span));
            }
            Kind::Variable => parts.push(Expression { span: token.span, node: Node::Variable(token.text) }),
            _ => return Err(ParseError::new(Problem::Hex { found: token.shown() }, token.span)),
        }
    }
    let span = begin.to(end);
    let is_fixed = parts.iter().all(|part| matches!(part.node, Node::Literal(_)));
    let Ok(bytes) = parse_hex(&digits) else {
        return Err(ParseError::new(Problem::Hex { found: digits }, span));
    };
    if is_fixed && let Err(cause) = CommandApdu::parse(&bytes) {
        return Err(ParseError::new(Problem::Apdu { cause: cause.to_string() }, span));
    }
    if is_fixed {
        return Ok(Step::Raw(vec![Expression::literal(Value::Bytes(bytes), span)]));
    }
    Ok(Step::Raw(parts))
}

fn argument(call: &mut CommandCall, token: &Token, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    let row = call.row;
    let is_call = is_call(token, cursor)?;
    let is_word = token.kind == Kind::Bare && !is_call;
    let given = |call: &CommandCall, wanted: &Parameter| call.values.iter().any(|(p, _)| *p == wanted);
    if let Some(parameter) = row.parameters.iter().find(|row| is_word && row.name == token.text) {
        cursor.next()?;
        if given(call, parameter) {
            let problem = Problem::ParameterTwice { parameter: parameter.name.into() };
            return Err(ParseError::new(problem, token.span));
        }
        let value = match parameter.kind {
            ParameterKind::Flag => None,
            _ => Some(checked(parameter, cursor)?),
        };
        call.values.push((parameter, value));
        return Ok(());
    }
    let open = row.parameters.iter().find(|parameter| {
        !given(call, parameter) && !matches!(parameter.kind, ParameterKind::Flag | ParameterKind::Gathered(_))
    });
    if let Some(parameter) = open.filter(|parameter| is_call || fits(parameter, token)) {
        let value = checked(parameter, cursor)?;
        call.values.push((parameter, Some(value)));
        return Ok(());
    }
    if let Some((name, part)) = HeaderPart::NAMES.iter().find(|row| is_word && row.0 == token.text) {
        cursor.next()?;
        if call.header.iter().any(|(other, _)| other == part) {
            return Err(ParseError::new(Problem::ParameterTwice { parameter: (*name).into() }, token.span));
        }
        call.header.push((*part, header_value(name, *part, cursor)?));
        return Ok(());
    }
    let gathers = row.parameters.iter().any(|parameter| matches!(parameter.kind, ParameterKind::Gathered(_)));
    if gathers && let Some(tag) = element(token) {
        cursor.next()?;
        call.elements.push((tag, factor(cursor)?));
        return Ok(());
    }
    match open {
        // It was meant as this value, and is none, or as the name of a parameter.
        Some(parameter) => {
            let meant = nearest(&token.text, argument_words(row, gathers));
            checked(parameter, cursor).map(|_| ()).map_err(|error| error.meant(meant))
        }
        None => Err(unknown(row, token, gathers)),
    }
}

/// Whether a function is called here: its name, and a parenthesis right after it.
fn is_call(token: &Token, cursor: &Cursor<'_>) -> Result<bool, ParseError> {
    let mut after = cursor.clone();
    after.next()?;
    let end = token.span.column + token.span.width;
    let next = after.peek()?;
    Ok(token.kind == Kind::Bare && next.is_some_and(|next| next.is_sign("(") && next.span.column == end))
}

/// Whether a token may be the value of a parameter that is not named.
fn fits(parameter: &Parameter, token: &Token) -> bool {
    let is_value = matches!(token.kind, Kind::Text | Kind::Variable | Kind::Decimal);
    match (parameter.kind, token.kind) {
        (ParameterKind::Word(words), Kind::Bare) => words.contains(&token.text.as_str()),
        (_, Kind::Bare) => token.text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => is_value || token.is_sign("("),
    }
}

fn unknown(row: &'static CommandRow, token: &Token, gathers: bool) -> ParseError {
    let problem = Problem::Parameter { command: row.name, found: token.shown() };
    let error = ParseError::new(problem, token.span);
    let words: Vec<&str> = row.parameters.iter().map(|parameter| parameter.name).collect();
    match nearest(&token.text, argument_words(row, gathers)) {
        Some(meant) => error.meant(Some(meant)),
        None if words.is_empty() => error.hint("it has none"),
        None => error.hint(format!("it has {}", words.join(", "))),
    }
}

fn argument_words(row: &'static CommandRow, gathers: bool) -> impl Iterator<Item = &'static str> {
    let parameters = row.parameters.iter().map(|parameter| parameter.name);
    let choices = row.parameters.iter().flat_map(|parameter| match parameter.kind {
        ParameterKind::Word(words) => words,
        _ => &[],
    });
    let elements = ELEMENT_WORDS.iter().filter(move |_| gathers).map(|row| row.0);
    let header = HeaderPart::NAMES.iter().map(|row| row.0);
    parameters.chain(choices.copied()).chain(elements).chain(header)
}

/// The value of a parameter; what stands there as it is, is checked at once.
fn checked(parameter: &Parameter, cursor: &mut Cursor<'_>) -> Result<Expression, ParseError> {
    let value = factor(cursor)?;
    let Node::Literal(literal) = &value.node else { return Ok(value) };
    match literal_fits(parameter.kind, literal) {
        true => Ok(value),
        false => {
            let (parameter, expected) = (parameter.name.to_owned(), parameter.kind.to_string());
            let problem = Problem::ParameterValue { parameter, expected, found: literal.text() };
            Err(ParseError::new(problem, value.span))
        }
    }
}

fn literal_fits(kind: ParameterKind, literal: &Value) -> bool {
    match kind {
        ParameterKind::Number(from, to) => {
            literal.number().is_ok_and(|number| (i64::from(from)..=i64::from(to)).contains(&number))
        }
        ParameterKind::Bytes(from, to) => {
            literal.bytes().is_ok_and(|bytes| (from..=to).contains(&bytes.len()))
        }
        ParameterKind::Tag => crate::words::tlv::Tag::parse_text(&literal.text()).is_some(),
        ParameterKind::Word(words) => words.contains(&literal.text().as_str()),
        ParameterKind::Digits(from, to) => {
            let text = literal.text();
            (from..=to).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        }
        ParameterKind::Gathered(_) => literal.bytes().is_ok(),
        ParameterKind::Flag => false,
    }
}

/// A byte of the header, or Le, which may be `none`.
fn header_value(name: &str, part: HeaderPart, cursor: &mut Cursor<'_>) -> Result<Expression, ParseError> {
    let value = factor(cursor)?;
    let Node::Literal(literal) = &value.node else { return Ok(value) };
    let (sound, expected) = match part {
        HeaderPart::Le => (
            literal.text() == "none" || literal.number().is_ok_and(|le| (1..=65_536).contains(&le)),
            "a number from 1 to 65536, or none",
        ),
        _ => (literal.bytes().is_ok_and(|bytes| bytes.len() == 1), "one byte in hexadecimal"),
    };
    if sound {
        return Ok(value);
    }
    let (parameter, expected) = (name.to_owned(), expected.to_owned());
    let problem = Problem::ParameterValue { parameter, expected, found: literal.text() };
    Err(ParseError::new(problem, value.span))
}

/// The tokens of a name: `EXTERNAL AUTHENTICATE (secure channel)`.
fn pieces(name: &'static str) -> impl Iterator<Item = &'static str> {
    name.split_inclusive(['(', ')', ' ', '/']).flat_map(|part| {
        let word = part.trim_end_matches(['(', ')', ' ', '/']);
        let sign = part[word.len()..].trim();
        [word, sign].into_iter().filter(|piece| !piece.is_empty())
    })
}
