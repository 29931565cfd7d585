//! `length`: how many bytes a value has.

use crate::observers::script::function_row::{Function, bytes};
use crate::observers::script::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "length",
    usage: "length(bytes)",
    about: "how many bytes there are",
    least: 1,
    most: 1,
    call: |arguments, _| Ok(Value::Number(bytes(&arguments[0], "bytes")?.len() as i64)),
};
