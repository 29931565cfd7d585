//! What stands after `each`: over what the block below it is played.

use super::expression::expression;
use crate::observers::script::cursor::{Cursor, Kind};
use crate::observers::script::problem::ParseError;
use crate::observers::script::tree::Expression;

/// What a block is played for, before the rows of a table are known.
#[derive(Debug, Clone)]
pub(super) enum OverHead {
    Records(Expression),
    Rows,
    Numbers(String, Expression, Expression),
}

/// What may stand after `each`.
const EXPECTED: &str = "`record of $94`, `row`, or a name and `in 1..10`";

/// The rest of `each`.
pub(super) fn each(cursor: &mut Cursor<'_>) -> Result<OverHead, ParseError> {
    let here = cursor.clone();
    let error = here.expected(EXPECTED);
    let token = cursor.next()?.filter(|token| token.kind == Kind::Bare).ok_or(error)?;
    let head = match token.text.as_str() {
        "row" if cursor.is_at_end() => OverHead::Rows,
        "record" if cursor.take_word("of") => OverHead::Records(expression(cursor)?),
        _ if cursor.take_word("in") => {
            let from = expression(cursor)?;
            match cursor.take_sign("..") {
                true => OverHead::Numbers(token.text, from, expression(cursor)?),
                false => return Err(cursor.expected("..")),
            }
        }
        _ => return Err(here.expected(EXPECTED)),
    };
    cursor.end()?;
    Ok(head)
}
