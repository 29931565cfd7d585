//! One line of a script: which kind of line it is, by its first word.

use super::command::{call, command_names, named, raw};
use super::each::{OverHead, each};
use super::element::element;
use super::errand::{ERRAND_WORDS, errand};
use super::expectation::{captured, comment, expect};
use super::expression::expression;
use super::header::{HEADER_WORDS, HeaderLine, effect_comment, header};
use super::part::{ACTION_WORDS, action, demand, on, sent};
use super::table::{Row, row};
use crate::observers::script::cursor::{Cursor, Kind, Token};
use crate::observers::script::part::On;
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::source::Span;
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{Expectation, Step};
use crate::words::iso7816::Effect;

/// The words that begin a statement.
pub const STATEMENT_WORDS: &[&str] =
    &["case", "include", "expect", "capture", "let", "set", "each", "on", "terminal", "end", "reset", "exit"];

/// A line as it was read.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// Nothing, or a comment.
    Empty,
    /// A line of a header.
    Header(HeaderLine),
    /// A comment that tells the effect.
    EffectComment(Effect),
    /// A comment that tells what the next command is answered.
    Expects(Expectation),
    /// A case begins.
    Case(String),
    /// A row of a table.
    Row(Row),
    /// A block begins.
    Each(OverHead),
    /// A block that waits for something begins.
    On(On),
    /// A block ends.
    End,
    /// Another file stands here.
    Include(String),
    /// Something is done.
    Step(Step),
}

/// Reads a line.
pub(super) fn item(cursor: &mut Cursor<'_>) -> Result<(Item, Span), ParseError> {
    let begin = cursor.span();
    if let Some(text) = cursor.comment() {
        return Ok((commented(&text, cursor), begin));
    }
    let whole = cursor.clone().free_text().1;
    if let Some((row, name)) = named(cursor) {
        return Ok((Item::Step(call(row, name, cursor)?), whole));
    }
    let Some(token) = cursor.peek()? else { return Ok((Item::Empty, begin)) };
    if is_bytes(&token) || token.kind == Kind::Variable {
        return Ok((Item::Step(raw(cursor)?), whole));
    }
    cursor.next()?;
    if token.is_sign("|") {
        return Ok((Item::Row(row(cursor, begin)?), begin));
    }
    if let Some(word) = HEADER_WORDS.iter().find(|word| **word == token.text) {
        return Ok((Item::Header(header(word, cursor)?), begin));
    }
    let item = match token.text.as_str() {
        _ if token.kind != Kind::Bare => return Err(unknown(&token)),
        "case" => {
            let (name, span) = cursor.free_text();
            if name.is_empty() {
                return Err(ParseError::new(Problem::CaseName, span));
            }
            return Ok((Item::Case(name), begin));
        }
        "include" => {
            let (path, span) = cursor.free_text();
            return match path.trim_matches('"') {
                "" => Err(ParseError::new(
                    Problem::Expected { expected: "a file".into(), found: "the end of the line".into() },
                    span,
                )),
                path => Ok((Item::Include(path.to_owned()), begin.to(span))),
            };
        }
        "each" => Item::Each(each(cursor)?),
        "on" => Item::On(on(cursor)?),
        "terminal" => Item::Step(Step::Terminal(Box::new(demand(cursor)?))),
        word if ERRAND_WORDS.contains(&word) => Item::Step(Step::Errand(Box::new(errand(word, cursor)?))),
        word if ACTION_WORDS.contains(&word) => Item::Step(Step::Action(action(word, cursor)?)),
        "end" => Item::End,
        "expect" => {
            if let Some(test) = sent(cursor)? {
                cursor.end()?;
                return Ok((Item::Step(Step::Sent(test)), whole));
            }
            let expectation = expect(cursor)?;
            return Ok((Item::Step(Step::Expect(expectation)), whole));
        }
        "capture" => {
            let name = assigned(cursor, "a name, such as balance")?.text;
            let (subject, view) = captured(cursor)?;
            Item::Step(Step::Capture(name, subject, view))
        }
        "let" => {
            let name = assigned(cursor, "a name, such as balance")?.text;
            Item::Step(Step::Let(name, expression(cursor)?))
        }
        "set" => {
            let token = assigned(cursor, "a tag, or a word such as amount")?;
            let words = super::ELEMENT_WORDS.iter().map(|row| row.0);
            let tag = element(&token).ok_or_else(|| {
                ParseError::new(Problem::Tag { found: token.shown() }, token.span)
                    .meant(nearest(&token.text, words))
            })?;
            Item::Step(Step::Set(tag, expression(cursor)?))
        }
        "reset" => Item::Step(Step::Reset),
        "exit" => Item::Step(Step::Exit),
        _ => return Err(unknown(&token)),
    };
    cursor.end()?;
    Ok((item, whole))
}

/// The name before an equals sign; both are taken.
fn assigned(cursor: &mut Cursor<'_>, expected: &str) -> Result<Token, ParseError> {
    let missing = cursor.expected(expected);
    let token = cursor.next()?.filter(|token| token.kind == Kind::Bare).ok_or(missing)?;
    match cursor.take_sign("=") {
        true => Ok(token),
        false => Err(cursor.expected("=")),
    }
}

fn commented(text: &str, cursor: &Cursor<'_>) -> Item {
    if let Some(effect) = effect_comment(text) {
        return Item::EffectComment(effect);
    }
    let mut words = cursor.commented();
    let is_expects = words.take_word("expects");
    match is_expects.then(|| comment(&mut words)).flatten() {
        Some(expectation) => Item::Expects(expectation),
        None => Item::Empty,
    }
}

fn is_bytes(token: &Token) -> bool {
    let digits = token.text.strip_prefix("0x").unwrap_or(&token.text);
    // `add` is a word, and half a byte too many for bytes.
    let is_word = ACTION_WORDS.contains(&token.text.as_str());
    token.kind == Kind::Bare
        && !is_word
        && digits.len() >= 2
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn unknown(token: &Token) -> ParseError {
    let names = command_names().flat_map(|(name, _)| std::iter::once(name).chain(name.split(' ').next()));
    let known = STATEMENT_WORDS
        .iter()
        .chain(ACTION_WORDS)
        .chain(ERRAND_WORDS)
        .chain(HEADER_WORDS)
        .copied()
        .chain(names);
    let error = ParseError::new(Problem::FirstWord { found: token.shown() }, token.span);
    let is_half = token.text.bytes().all(|byte| byte.is_ascii_hexdigit()) && token.kind == Kind::Bare;
    match nearest(&token.text, known) {
        _ if is_half => error.hint("bytes are written with two digits each"),
        Some(meant) => error.meant(Some(meant)),
        None => error,
    }
}
