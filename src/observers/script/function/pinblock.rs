//! `pinblock`: a PIN as VERIFY carries it, ISO 9564-1 format 2.

use crate::observers::script::function_row::{Function, FunctionError};
use crate::observers::script::value::Value;
use crate::words::iso7816::command::PinBlock;

pub(super) const FUNCTION: Function = Function {
    name: "pinblock",
    usage: "pinblock(digits)",
    about: "the plaintext PIN block of 4 to 12 digits",
    least: 1,
    most: 1,
    call: |arguments, _| match PinBlock::from_digits(&arguments[0].text()) {
        Some(block) => Ok(Value::Bytes(block.expose().to_vec())),
        None => Err(FunctionError::Range {
            what: "PIN",
            expected: "4 to 12 digits".into(),
            found: "something else".into(),
        }),
    },
};
