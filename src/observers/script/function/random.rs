//! `random`: bytes from the case's seed; the same seed gives the same bytes.

use crate::observers::script::function_row::{Function, count};
use crate::observers::script::value::Value;

/// Most bytes at once.
const BYTES: usize = 256;

pub(super) const FUNCTION: Function = Function {
    name: "random",
    usage: "random(length)",
    about: "so many bytes from the case's seed",
    least: 1,
    most: 1,
    call: |arguments, surroundings| {
        let length = count(&arguments[0], "length", BYTES)?;
        Ok(Value::Bytes(surroundings.random(length)))
    },
};
