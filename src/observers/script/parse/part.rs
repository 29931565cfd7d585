//! What a script says that plays the card or the host: `on`, what is done to an answer,
//! `terminal`, and what must have been sent.

use super::command::{arguments, named};
use super::element::tag_of;
use super::expectation::pattern;
use super::expression::{expression, factor};
use crate::observers::script::cursor::{Cursor, Kind, Token};
use crate::observers::script::part::{
    Action, Change, Demand, Edit, EditPlace, MESSAGE_WORDS, On, Search, SentTest, What,
};
use crate::observers::script::problem::{ParseError, Problem};
use crate::observers::script::suggest::nearest;
use crate::observers::script::tree::{Expression, Node};
use crate::observers::script::value::Value;
use crate::world::Deed;

/// The words that begin a line of a block that `on` begins.
pub const ACTION_WORDS: &[&str] =
    &["answer", "change", "remove", "repeat", "add", "corrupt", "delay", "lost", "twice"];

/// Words for the first times.
const ORDINALS: &[(&str, usize)] = &[("first", 1), ("second", 2), ("third", 3)];

/// Most times that are counted.
const COUNT_LIMIT: usize = 10_000;

/// The rest of `on`; its lines come later.
pub(super) fn on(cursor: &mut Cursor<'_>) -> Result<On, ParseError> {
    let ordinal = ORDINALS.iter().find(|row| cursor.take_word(row.0)).map(|row| row.1);
    let nth = match ordinal {
        None if cursor.take_word("nth") => Some(count(cursor)?),
        ordinal => ordinal,
    };
    Ok(On { what: what(cursor)?, nth, statements: Vec::new() })
}

/// The rest of `expect sent`, `expect next` and `expect not sent`, where one of them stands here.
pub(super) fn sent(cursor: &mut Cursor<'_>) -> Result<Option<SentTest>, ParseError> {
    let mut ahead = cursor.clone();
    let search = match () {
        () if ahead.take_word("next") => Search::Next,
        () if ahead.take_word("not") && ahead.take_word("sent") => Search::Times(0),
        () if ahead.take_word("sent") => match ahead.take_word("anywhere") {
            true => Search::Anywhere,
            false => times(&mut ahead)?.map_or(Search::After, Search::Times),
        },
        () => return Ok(None),
    };
    *cursor = ahead;
    Ok(Some(SentTest { what: what(cursor)?, search }))
}

/// The rest of a line that does something to an answer.
pub(super) fn action(word: &str, cursor: &mut Cursor<'_>) -> Result<Action, ParseError> {
    let edit = |place, change| Action::Edit(Edit { place, change });
    let action = match word {
        "answer" => {
            let status = factor(cursor)?;
            let data = if cursor.take_word("with") { Some(expression(cursor)?) } else { None };
            Action::Answer(status, data)
        }
        "change" => {
            let place = place(cursor)?;
            equals(cursor)?;
            edit(place, Change::Value(expression(cursor)?))
        }
        "add" => {
            let place = place(cursor)?;
            equals(cursor)?;
            let value = expression(cursor)?;
            let within = if cursor.take_word("in") { Some(tag(cursor)?) } else { None };
            edit(place, Change::Add(value, within))
        }
        "remove" => edit(place(cursor)?, Change::Remove),
        "repeat" => edit(place(cursor)?, Change::Repeat),
        "corrupt" => edit(place(cursor)?, Change::Corrupt),
        "delay" => Action::Delay(expression(cursor)?),
        "lost" => match (cursor.take_word("before"), cursor.take_word("after")) {
            (true, _) => Action::Lost { acted: false },
            (_, true) => Action::Lost { acted: true },
            _ => return Err(cursor.expected("before or after")),
        },
        _ => Action::Twice,
    };
    cursor.end()?;
    Ok(action)
}

/// The rest of `terminal`.
pub(super) fn demand(cursor: &mut Cursor<'_>) -> Result<Demand, ParseError> {
    let deeds = || Deed::ALL.iter().map(|row| row.0);
    let missing = cursor.expected(deeds().collect::<Vec<_>>().join(", "));
    let token = cursor.next()?;
    let word = token.as_ref().map_or("", |token| token.text.as_str());
    let row = Deed::ALL.iter().find(|row| row.0 == word);
    let (_, deed, has_amount) = *row.ok_or_else(|| missing.meant(nearest(word, deeds())))?;
    let amount = if has_amount { Some(factor(cursor)?) } else { None };
    let mut demand = Demand {
        deed,
        amount,
        cashback: None,
        is_cash: false,
        forced_online: false,
        pins: Vec::new(),
        choice: None,
        within: None,
    };
    while !cursor.is_at_end() {
        let options = "cashback, cash, online, pin, choose, within or the end of the line";
        let missing = cursor.expected(options);
        let Some(token) = cursor.next()? else { break };
        match token.text.as_str() {
            "cashback" => demand.cashback = Some(factor(cursor)?),
            "cash" => demand.is_cash = true,
            "online" => demand.forced_online = true,
            "pin" => demand.pins.push(factor(cursor)?),
            "choose" => demand.choice = Some(factor(cursor)?),
            "within" => demand.within = Some(factor(cursor)?),
            other => {
                let words = ["cashback", "cash", "online", "pin", "choose", "within"];
                return Err(missing.meant(nearest(other, words)));
            }
        }
    }
    Ok(demand)
}

/// Something that a terminal sends.
fn what(cursor: &mut Cursor<'_>) -> Result<What, ParseError> {
    if let Some((row, _)) = named(cursor) {
        return Ok(What::Command(Box::new(arguments(row, cursor)?)));
    }
    let expected = "a command such as GENERATE AC, its bytes such as 80 AE .., or message";
    let missing = cursor.expected(expected);
    let Some(token) = cursor.peek()? else { return Err(missing) };
    if token.kind == Kind::Bare && token.text == "message" {
        cursor.next()?;
        return message(cursor);
    }
    let begins_bytes = |token: &Token| {
        let digit = |letter: char| letter.is_ascii_hexdigit() || "xX?".contains(letter);
        token.kind == Kind::Bare && token.text.len() >= 2 && token.text.chars().all(digit)
    };
    match begins_bytes(&token) || token.is_sign("..") {
        true => Ok(What::Bytes(pattern(cursor)?)),
        false => {
            let names = super::command::command_names().map(|(name, _)| name);
            Err(missing.meant(nearest(&token.text, names.chain(["message"]))))
        }
    }
}

fn message(cursor: &mut Cursor<'_>) -> Result<What, ParseError> {
    let (text, span) = cursor.free_text();
    let known = MESSAGE_WORDS.iter().find(|row| row.words == text);
    known.map(What::Message).ok_or_else(|| {
        let words = MESSAGE_WORDS.iter().map(|row| row.words).filter(|words| !words.is_empty());
        let error = ParseError::new(Problem::Message { found: text.clone() }, span);
        match nearest(&text, words.clone()) {
            Some(meant) => error.meant(Some(meant)),
            None => error.hint(format!("there are {}", words.collect::<Vec<_>>().join(", "))),
        }
    })
}

/// `2 times`, where it stands here.
fn times(cursor: &mut Cursor<'_>) -> Result<Option<usize>, ParseError> {
    let mut ahead = cursor.clone();
    ahead.next()?;
    match ahead.take_word("times") {
        true => {
            let count = count(cursor)?;
            *cursor = ahead;
            Ok(Some(count))
        }
        false => Ok(None),
    }
}

fn count(cursor: &mut Cursor<'_>) -> Result<usize, ParseError> {
    let missing = cursor.expected("a number such as 2");
    let number = cursor.next()?.and_then(|token| token.text.parse().ok());
    number.filter(|number| *number <= COUNT_LIMIT).ok_or(missing)
}

/// `field 38`, a path of tags, or a variable that holds a tag.
fn place(cursor: &mut Cursor<'_>) -> Result<EditPlace, ParseError> {
    if cursor.take_word("field") {
        return field(cursor).map(EditPlace::Field);
    }
    if let Some(token) = cursor.take_if(|token| token.kind == Kind::Variable) {
        return Ok(EditPlace::Named(Expression { span: token.span, node: Node::Variable(token.text) }));
    }
    let mut tags = vec![tag(cursor)?];
    while cursor.take_sign("/") {
        tags.push(tag(cursor)?);
    }
    Ok(EditPlace::Path(tags))
}

/// The number of a field.
pub(super) fn field(cursor: &mut Cursor<'_>) -> Result<u8, ParseError> {
    let missing = cursor.expected("the number of a field, 2 to 128");
    let number = cursor.next()?.and_then(|token| token.text.parse().ok());
    number.filter(|number| (2..=128).contains(number)).ok_or(missing)
}

fn tag(cursor: &mut Cursor<'_>) -> Result<crate::words::tlv::Tag, ParseError> {
    let missing = cursor.expected("a tag such as 9F79");
    tag_of(&cursor.next()?.ok_or(missing)?)
}

fn equals(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    if cursor.take_sign("=") { Ok(()) } else { Err(cursor.expected("=")) }
}

/// Whether a value that stands as it is may be a status word, or a response code.
pub(super) fn literal_answer(value: &Expression) -> Option<(bool, bool)> {
    let Node::Literal(literal) = &value.node else { return None };
    let text = literal.text();
    let is_status = text.len() == 4 && matches!(literal, Value::Bare(_)) && literal.bytes().is_ok();
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Some((is_status, is_code))
}
