//! `tlv`: a data object of a tag and a value.

use crate::observers::script::function_row::{Function, FunctionError, bytes};
use crate::observers::script::value::Value;
use crate::words::tlv::{Tag, encode};

pub(super) const FUNCTION: Function = Function {
    name: "tlv",
    usage: "tlv(tag, value)",
    about: "a data object",
    least: 2,
    most: 2,
    call: |arguments, _| {
        let tag = Tag::parse_text(&arguments[0].to_string());
        let not = || FunctionError::Argument { what: "tag", cause: arguments[0].not("a tag such as 9F79") };
        Ok(Value::Bytes(encode(tag.ok_or_else(not)?, &bytes(&arguments[1], "value")?)))
    },
};
