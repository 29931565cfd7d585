//! What a script asks of people and programs: `prompt`, `verdict`, `run`.

use super::expression::factor;
use crate::observers::script::cursor::{Cursor, Kind};
use crate::observers::script::errand::{Errand, ErrandKind};
use crate::observers::script::problem::ParseError;
use crate::observers::script::tree::Expression;
use crate::observers::script::value::Value;

/// The words that begin such a line.
pub const ERRAND_WORDS: &[&str] = &["prompt", "verdict", "run"];

/// The rest of such a line.
pub(super) fn errand(word: &str, cursor: &mut Cursor<'_>) -> Result<Errand, ParseError> {
    let name = cursor.take_if(|token| word == "verdict" && token.kind == Kind::Bare);
    let text = text(cursor)?;
    let kind = match (word, name) {
        ("prompt", _) => ErrandKind::Prompt,
        ("run", _) => ErrandKind::Run,
        (_, None) => ErrandKind::Verdict(None),
        (_, Some(name)) => {
            let mut choices = vec![self::text(cursor)?];
            while cursor.take_sign(",") {
                choices.push(self::text(cursor)?);
            }
            ErrandKind::Verdict(Some((name.text, choices)))
        }
    };
    let within = if cursor.take_word("within") { Some(factor(cursor)?) } else { None };
    cursor.end()?;
    Ok(Errand { kind, text, within })
}

/// Text in quotes.
fn text(cursor: &mut Cursor<'_>) -> Result<Expression, ParseError> {
    let missing = cursor.expected("a text in quotes");
    let token = cursor.next()?.filter(|token| token.kind == Kind::Text).ok_or(missing)?;
    Ok(Expression::literal(Value::Text(token.text), token.span))
}
