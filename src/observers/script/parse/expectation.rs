//! What follows `expect` and `capture`: what is looked at, how, and what must be so.

use super::element::tag_of;
use super::expression::expression;
use super::names::tag_name;
use super::part::field;
use crate::observers::script::cursor::{Cursor, Kind, Token, lines};
use crate::observers::script::part::OUTCOMES;
use crate::observers::script::pattern::{BytePart, StatusPattern};
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::source::Span;
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{Comparison, Expectation, Expression, Node, PatternPart, Subject, Test};
use crate::observers::script::value::View;
use crate::words::decode::{BitName, bit_names};
use crate::words::dictionary::Row;
use crate::words::tlv::Tag;

/// What is looked at of a terminal under test.
const BENCH_WORDS: &[(&str, Subject)] = &[
    ("reason", Subject::Reason),
    ("shown", Subject::Shown),
    ("told", Subject::Told),
    ("balance", Subject::Balance),
    ("pin", Subject::Pin),
    ("exit", Subject::Exit),
    ("output", Subject::Output),
];

/// Words of tests, for hints.
const TEST_WORDS: &[&str] = &["has", "lacks", "like", "matches", "exists", "absent", "between", "one"];

/// The rest of `expect`.
pub(super) fn expect(cursor: &mut Cursor<'_>) -> Result<Expectation, ParseError> {
    let begin = cursor.span();
    if cursor.take_word("status") {
        cursor.take_sign("=");
        return status(cursor, begin);
    }
    if cursor.take_word("outcome") {
        cursor.take_sign("=");
        return outcome(cursor);
    }
    if is_lone_status(cursor)? {
        return status(cursor, begin);
    }
    let (subject, view) = subject(cursor)?;
    let (test, value_span) = test(&subject, begin, cursor)?;
    Ok(Expectation { subject, view, test, value_span })
}

/// The rest of `capture`, after the name and `=`.
pub(super) fn captured(cursor: &mut Cursor<'_>) -> Result<(Subject, Option<View>), ParseError> {
    if cursor.take_word("status") {
        return Ok((Subject::Status, None));
    }
    subject(cursor)
}

/// What a script in Lua looks at, as it stands after `capture NAME =`, or with `is_test` as it
/// stands after `expect`.
pub(in crate::observers::script) fn looked_at(text: &str, is_test: bool) -> Result<Expectation, ParseError> {
    let lines = lines(text, 0);
    let [line] = lines.as_slice() else {
        let (expected, found) = ("one line".to_owned(), format!("{} lines", lines.len()));
        return Err(ParseError::new(Problem::Expected { expected, found }, Span::default()));
    };
    let mut cursor = line.cursor();
    if is_test {
        return expect(&mut cursor);
    }
    let (subject, view) = captured(&mut cursor)?;
    cursor.end()?;
    Ok(Expectation { subject, view, test: Test::Exists(true), value_span: Span::default() })
}

/// What a comment of a scriptor file expects: the bytes of the whole answer. A comment
/// that is prose is none.
pub(super) fn comment(cursor: &mut Cursor<'_>) -> Option<Expectation> {
    let value_span = cursor.span();
    let parts = pattern(cursor).ok().filter(|parts| !parts.is_empty())?;
    cursor.end().ok()?;
    Some(Expectation { subject: Subject::Answer, view: None, test: Test::Like(parts), value_span })
}

/// Whether a status word stands here and nothing is asked of it but that it came.
fn is_lone_status(cursor: &Cursor<'_>) -> Result<bool, ParseError> {
    let mut ahead = cursor.clone();
    let Some(token) = ahead.next()? else { return Ok(false) };
    let is_last = ahead.peek()?.is_none_or(|next| next.kind == Kind::Bare && next.text == "or");
    let variable = token.kind == Kind::Variable;
    Ok(is_last && (variable || token.kind == Kind::Bare && !is_subject_word(&token.text)))
}

fn status(cursor: &mut Cursor<'_>, begin: Span) -> Result<Expectation, ParseError> {
    let explicit = cursor.span() != begin;
    let mut patterns = Vec::new();
    let first = cursor.span();
    let expectation =
        |test, value_span| Expectation { subject: Subject::Status, view: None, test, value_span };
    loop {
        let missing = cursor.expected("a status word such as 9000, 61xx or 6A8?");
        let Some(token) = cursor.next()? else { return Err(missing) };
        if token.kind == Kind::Variable && patterns.is_empty() && cursor.is_at_end() {
            let value = Expression { span: token.span, node: Node::Variable(token.text) };
            return Ok(expectation(Test::StatusOf(value), first));
        }
        patterns.push(status_pattern(&token, explicit)?);
        if !cursor.take_word("or") {
            cursor.end()?;
            return Ok(expectation(Test::Status(patterns), first.to(token.span)));
        }
    }
}

fn status_pattern(token: &Token, explicit: bool) -> Result<StatusPattern, ParseError> {
    let known = Tag::parse_text(&token.text).and_then(Row::of_tag);
    if let Some(row) = known.filter(|_| !explicit) {
        let problem = Problem::StatusOrTag { found: token.text.clone(), name: row.name };
        let hint = format!("write `expect {0} exists` or `expect status {0}`", token.text);
        return Err(ParseError::new(problem, token.span).hint(hint));
    }
    let pattern = Some(token).filter(|token| token.kind == Kind::Bare);
    pattern.and_then(|token| StatusPattern::parse(&token.text)).ok_or_else(|| {
        let error = ParseError::new(Problem::Status { found: token.shown() }, token.span);
        match nearest(&token.text, ["data", "answer", "status", "time"]) {
            Some(word) => error.meant(Some(word)),
            None if token.text.len() == 3 => error.hint("a status word has four digits"),
            None => error,
        }
    })
}

fn is_subject_word(word: &str) -> bool {
    ["data", "answer", "time"].contains(&word) || BENCH_WORDS.iter().any(|row| row.0 == word)
}

/// What a transaction came to: some words, or others.
fn outcome(cursor: &mut Cursor<'_>) -> Result<Expectation, ParseError> {
    let (text, span) = cursor.free_text();
    let one = |words: &str| {
        let known = OUTCOMES.iter().find(|row| row.words == words.trim());
        known.ok_or_else(|| {
            let all = OUTCOMES.iter().map(|row| row.words);
            let error = ParseError::new(Problem::Outcome { found: words.trim().to_owned() }, span);
            match nearest(words.trim(), all.clone()) {
                Some(meant) => error.meant(Some(meant)),
                None => error.hint(format!("there are {}", all.collect::<Vec<_>>().join(", "))),
            }
        })
    };
    let wanted = text.split(" or ").map(one).collect::<Result<_, _>>()?;
    Ok(Expectation { subject: Subject::Outcome, view: None, test: Test::Outcome(wanted), value_span: span })
}

/// What is looked at, and how.
fn subject(cursor: &mut Cursor<'_>) -> Result<(Subject, Option<View>), ParseError> {
    let missing = cursor.expected("a status word, a tag, data, answer, time or a variable");
    let Some(token) = cursor.peek()? else { return Err(missing) };
    let mut after = cursor.clone();
    after.next()?;
    let is_call = after.peek()?.is_some_and(|next| next.is_sign("("));
    let subject = match token.kind {
        Kind::Bare if token.text == "data" => word(cursor, Subject::Data)?,
        Kind::Bare if token.text == "answer" => word(cursor, Subject::Answer)?,
        Kind::Bare if token.text == "time" => word(cursor, Subject::Time)?,
        Kind::Bare if token.text == "field" => {
            cursor.next()?;
            Subject::Field(field(cursor)?)
        }
        Kind::Bare if let Some(row) = BENCH_WORDS.iter().find(|row| row.0 == token.text) => {
            word(cursor, row.1.clone())?
        }
        Kind::Bare if !is_call => Subject::Path(path(cursor)?),
        Kind::Bare | Kind::Variable | Kind::Text => Subject::Value(expression(cursor)?),
        Kind::Decimal | Kind::Sign => return Err(missing),
    };
    let view = View::NAMES.iter().find(|row| cursor.take_word(row.0)).map(|row| row.1);
    Ok((subject, view))
}

fn word(cursor: &mut Cursor<'_>, subject: Subject) -> Result<Subject, ParseError> {
    cursor.next()?;
    Ok(subject)
}

fn path(cursor: &mut Cursor<'_>) -> Result<Vec<Tag>, ParseError> {
    let mut tags = Vec::new();
    loop {
        let missing = cursor.expected("a tag such as 9F79");
        let Some(token) = cursor.next()? else { return Err(missing) };
        let error =
            |error: ParseError| error.meant(nearest(&token.text, ["status", "data", "answer", "time"]));
        tags.push(tag_of(&token).map_err(error)?);
        if !cursor.take_sign("/") {
            return Ok(tags);
        }
    }
}

fn test(subject: &Subject, begin: Span, cursor: &mut Cursor<'_>) -> Result<(Test, Span), ParseError> {
    let sign = Comparison::SIGNS.iter().find(|row| cursor.take_sign(row.0)).map(|row| row.1);
    let mut value = cursor.clone();
    value.take_word("like");
    let span = value.free_text().1;
    let test = match sign {
        Some(sign) => Test::Compare(sign, expression(cursor)?),
        None => worded(subject, begin, cursor)?,
    };
    cursor.end()?;
    Ok((test, span))
}

fn worded(subject: &Subject, begin: Span, cursor: &mut Cursor<'_>) -> Result<Test, ParseError> {
    let may_be_pattern = matches!(subject, Subject::Data | Subject::Answer);
    let here = cursor.clone();
    let token = cursor.next()?;
    let word = token.as_ref().map_or("", |token| token.text.as_str());
    match word {
        "exists" => Ok(Test::Exists(true)),
        "absent" => Ok(Test::Exists(false)),
        "is" if cursor.take_word("absent") => Ok(Test::Exists(false)),
        "has" | "lacks" => bit(subject, word == "has", begin, cursor),
        "like" => Ok(Test::Like(pattern(cursor)?)),
        "matches" => regex(cursor),
        "between" => {
            let from = expression(cursor)?;
            match cursor.take_word("and") {
                true => Ok(Test::Between(from, expression(cursor)?)),
                false => Err(cursor.expected("and")),
            }
        }
        "one" if cursor.take_word("of") => {
            let mut choices = vec![expression(cursor)?];
            while cursor.take_sign(",") {
                choices.push(expression(cursor)?);
            }
            Ok(Test::OneOf(choices))
        }
        _ if may_be_pattern && token.is_some() => {
            *cursor = here;
            Ok(Test::Like(pattern(cursor)?))
        }
        _ => {
            let found =
                token.as_ref().map_or("the end of the line".to_owned(), |t| format!("{:?}", t.shown()));
            let subject = match subject {
                Subject::Path(tags) => tags.iter().map(Tag::to_string).collect::<Vec<_>>().join("/"),
                Subject::Data => "data".into(),
                Subject::Answer => "answer".into(),
                Subject::Time => "time".into(),
                _ => "it".into(),
            };
            let span = token.as_ref().map_or_else(|| here.span(), |token| token.span);
            let words = TEST_WORDS.iter().copied().chain(View::NAMES.iter().map(|row| row.0));
            Err(ParseError::new(Problem::Test { subject, found }, span).meant(nearest(word, words)))
        }
    }
}

/// Bytes, open digits and gaps, up to the end of the line.
pub(super) fn pattern(cursor: &mut Cursor<'_>) -> Result<Vec<PatternPart>, ParseError> {
    let mut parts = Vec::new();
    while let Some(token) = cursor.next()? {
        match token.kind {
            Kind::Sign if token.is_sign("..") => parts.push(PatternPart::Fixed(BytePart::Any)),
            Kind::Variable => {
                let node = Node::Variable(token.text);
                parts.push(PatternPart::Value(Expression { span: token.span, node }));
            }
            _ => {
                let run =
                    Some(&token).filter(|t| t.kind == Kind::Bare).and_then(|t| BytePart::parse_run(&t.text));
                let error = || ParseError::new(Problem::Hex { found: token.shown() }, token.span);
                parts.extend(run.ok_or_else(error)?.into_iter().map(PatternPart::Fixed));
            }
        }
    }
    match parts.is_empty() {
        true => Err(cursor.expected("bytes such as 6F .. 90 00")),
        false => Ok(parts),
    }
}

fn regex(cursor: &mut Cursor<'_>) -> Result<Test, ParseError> {
    let token = cursor.regex()?;
    let read = regex_lite::RegexBuilder::new(&token.text).size_limit(1 << 18).build();
    read.map(Test::Matches)
        .map_err(|cause| ParseError::new(Problem::Regex { cause: cause.to_string() }, token.span))
}

/// A bit by its words, its constant, or its place: `byte 1 bit 7`.
fn bit(subject: &Subject, set: bool, begin: Span, cursor: &mut Cursor<'_>) -> Result<Test, ParseError> {
    if cursor.take_word("byte") {
        let byte = small(cursor, "a byte, from 1", 1..=255)?;
        if !cursor.take_word("bit") {
            return Err(cursor.expected("bit"));
        }
        let bit = small(cursor, "a bit, 8 to 1", 1..=8)?;
        return Ok(Test::Bit { byte, bit, words: format!("byte {byte} bit {bit}"), set });
    }
    let tag = match subject {
        Subject::Path(tags) => tags.last().copied(),
        Subject::Value(Expression { node: Node::Variable(name), .. }) => tag_name(name),
        _ => None,
    };
    let tag = tag.ok_or_else(|| ParseError::new(Problem::NoBits { tag: "this".into() }, begin))?;
    let rows = bit_names(tag);
    if rows.is_empty() {
        let error = ParseError::new(Problem::NoBits { tag: tag.to_string() }, begin);
        return Err(error.hint("name a bit by its place: `has byte 1 bit 8`"));
    }
    let missing = cursor.expected("a bit by its name in quotes, or by its place: byte 1 bit 8");
    let Some(token) = cursor.next()? else { return Err(missing) };
    let is_it = |row: &&BitName| row.words.eq_ignore_ascii_case(&token.text) || row.name == token.text;
    match rows.iter().find(is_it) {
        Some(row) => Ok(Test::Bit { byte: row.byte, bit: row.bit, words: row.words.to_owned(), set }),
        None => {
            let problem = Problem::Bit { tag: tag.to_string(), found: token.text.clone() };
            let error = ParseError::new(problem, token.span);
            match nearest(&token.text, rows.iter().flat_map(|row| [row.words, row.name])) {
                Some(meant) => Err(error.hint(format!("did you mean {meant:?}?"))),
                None => {
                    let words: Vec<String> = rows.iter().map(|row| format!("{:?}", row.words)).collect();
                    Err(error.hint(format!("it has {}", words.join(", "))))
                }
            }
        }
    }
}

fn small(
    cursor: &mut Cursor<'_>,
    expected: &str,
    range: std::ops::RangeInclusive<u8>,
) -> Result<u8, ParseError> {
    let error = cursor.expected(expected);
    let number = cursor.next()?.and_then(|token| token.text.parse().ok());
    number.filter(|number| range.contains(number)).ok_or(error)
}
