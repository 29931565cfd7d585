//! `concat`: bytes one after the other.

use crate::observers::script::function_row::{Function, bytes};
use crate::observers::script::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "concat",
    usage: "concat(bytes, ...)",
    about: "bytes one after the other",
    least: 1,
    most: usize::MAX,
    call: |arguments, _| {
        let parts: Result<Vec<_>, _> = arguments.iter().map(|part| bytes(part, "part")).collect();
        Ok(Value::Bytes(parts?.concat()))
    },
};
