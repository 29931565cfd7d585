//! `bcd`: a number or an amount as decimal digits in bytes.

use crate::base::bytes::u64_to_bcd;
use crate::observers::script::function_row::{Function, FunctionError, count};
use crate::observers::script::value::Value;

/// Most bytes: 19 digits are a number.
const BYTES: usize = 10;

pub(super) const FUNCTION: Function = Function {
    name: "bcd",
    usage: "bcd(number or amount, length)",
    about: "the digits of a number or of an amount in minor units, two a byte",
    least: 2,
    most: 2,
    call: |arguments, _| {
        let length = count(&arguments[1], "length", BYTES)?;
        let number = match &arguments[0] {
            Value::Amount(minor) => Ok(*minor),
            other => other.number(),
        };
        let number = number.map_err(|cause| FunctionError::Argument { what: "number", cause })?;
        let bytes = u64::try_from(number).ok().and_then(|number| u64_to_bcd(number, length).ok());
        bytes.map(Value::Bytes).ok_or_else(|| FunctionError::Range {
            what: "number",
            expected: format!("a number of at most {} digits", length * 2),
            found: number.to_string(),
        })
    },
};
