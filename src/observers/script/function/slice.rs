//! `slice`: a part of some bytes.

use crate::observers::script::function_row::{Function, FunctionError, bytes, count};
use crate::observers::script::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "slice",
    usage: "slice(bytes, first, length)",
    about: "so many bytes from the first one on, counted from 1",
    least: 3,
    most: 3,
    call: |arguments, _| {
        let whole = bytes(&arguments[0], "bytes")?;
        let first = count(&arguments[1], "first", whole.len())?;
        let length = count(&arguments[2], "length", whole.len())?;
        let part = first.checked_sub(1).and_then(|begin| whole.get(begin..begin + length));
        part.map(|part| Value::Bytes(part.to_vec())).ok_or_else(|| FunctionError::Range {
            what: "part",
            expected: format!("a part of {} bytes", whole.len()),
            found: format!("{length} bytes from byte {first} on"),
        })
    },
};
