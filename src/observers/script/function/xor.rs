//! `xor`: two values of one length, exclusive or.

use crate::observers::script::function_row::{Function, FunctionError, bytes};
use crate::observers::script::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "xor",
    usage: "xor(bytes, bytes)",
    about: "the exclusive or of two values of one length",
    least: 2,
    most: 2,
    call: |arguments, _| {
        let (left, right) = (bytes(&arguments[0], "first value")?, bytes(&arguments[1], "second value")?);
        if left.len() != right.len() {
            return Err(FunctionError::Range {
                what: "second value",
                expected: format!("{} bytes", left.len()),
                found: format!("{} bytes", right.len()),
            });
        }
        Ok(Value::Bytes(left.iter().zip(&right).map(|(a, b)| a ^ b).collect()))
    },
};
