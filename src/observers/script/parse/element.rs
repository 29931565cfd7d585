//! Tags as a script writes them, and words for the data elements of a terminal that are
//! needed most.

use crate::observers::script::cursor::{Kind, Token};
use crate::observers::script::problem::{ParseError, Problem};
use crate::words::dictionary::tag;
use crate::words::tlv::Tag;

/// Words for data elements of the terminal.
pub const ELEMENT_WORDS: &[(&str, Tag)] = &[
    ("amount", tag::AMOUNT_AUTHORISED),
    ("other", tag::AMOUNT_OTHER),
    ("currency", tag::TRANSACTION_CURRENCY_CODE),
    ("country", tag::TERMINAL_COUNTRY_CODE),
    ("date", tag::TRANSACTION_DATE),
    ("time", tag::TRANSACTION_TIME),
    ("type", tag::TRANSACTION_TYPE),
    ("unpredictable", tag::UNPREDICTABLE_NUMBER),
    ("tvr", tag::TVR),
    ("ttq", tag::TTQ),
    ("ecash", tag::EC_TERMINAL_SUPPORT_INDICATOR),
    ("code", tag::AUTHORISATION_RESPONSE_CODE),
];

/// The element that a token names, by its word or tag.
pub(super) fn element(token: &Token) -> Option<Tag> {
    element_named(&token.text).filter(|_| token.kind == Kind::Bare)
}

/// The element that a text names, by its word or tag.
pub fn element_named(text: &str) -> Option<Tag> {
    let word = ELEMENT_WORDS.iter().find(|row| row.0 == text).map(|row| row.1);
    word.or_else(|| Tag::parse_text(text))
}

/// The tag that a token is: upper or lower case hexadecimal digits.
pub(super) fn tag_of(token: &Token) -> Result<Tag, ParseError> {
    let tag = Some(token).filter(|token| token.kind == Kind::Bare).and_then(|t| Tag::parse_text(&t.text));
    tag.ok_or_else(|| ParseError::new(Problem::Tag { found: token.shown() }, token.span))
}
