//! Two values made alike, so that they can be compared: by the view that the script names,
//! else by what they are.

use super::evaluate::Trouble;
use super::scope::Scope;
use super::subject::Found;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::tree::{Comparison, Expression};
use crate::observers::script::value::{Value, View};
use crate::words::dictionary::{Format, Row};

/// Two values made alike. What came may not be what the script takes it for.
pub(super) struct Comparing {
    pub left: Option<Value>,
    pub right: Value,
}

/// Makes what was found and what is expected alike.
pub(super) fn compare(
    found: &Found,
    left: &Value,
    view: Option<View>,
    right: &Value,
    sign: Comparison,
    written: &Expression,
    scope: &Scope<'_>,
) -> Result<Comparing, Trouble> {
    let currency = scope.currency();
    let view = view.unwrap_or_else(|| implied(found, left, right, sign));
    // The length of what is expected is a number, not the length of that number.
    let as_written = if view == View::Length { View::Number } else { view };
    let tag = found.tag;
    let wanted = match (right, as_written, tag) {
        (Value::Bare(_), View::Bytes, Some(tag)) if right.bytes().is_err() => {
            right.element(tag, currency).map(Value::Bytes)
        }
        (Value::Bare(_), View::Number, _) => right.number().map(Value::Number),
        _ => right.viewed(as_written, tag, currency),
    };
    let right = wanted.map_err(|cause| Trouble::new(written.span, cause))?;
    Ok(Comparing { left: left.viewed(view, tag, currency).ok(), right })
}

/// How two values are looked at where the script does not say.
fn implied(found: &Found, left: &Value, right: &Value, sign: Comparison) -> View {
    let format = found.tag.and_then(Row::of_tag).map(|row| row.format);
    let is_order = !matches!(sign, Comparison::Equal | Comparison::Unequal);
    match (left, right) {
        (Value::Amount(_), _) | (_, Value::Amount(_)) => View::Amount,
        (Value::Number(_), _) | (_, Value::Number(_)) => View::Number,
        (_, Value::Text(_)) | (Value::Text(_), _) => View::Text,
        (Value::Bare(_), Value::Bare(_)) if !is_order => View::Text,
        _ if is_order && format == Some(Format::Amount) => View::Amount,
        _ if is_order => View::Number,
        _ => View::Bytes,
    }
}

/// How two values that were made alike compare.
pub(super) fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) | (Value::Amount(a), Value::Amount(b)) => Some(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
