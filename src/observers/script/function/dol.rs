//! `dol`: what a data object list asks for, from terminal and card.

use crate::observers::script::function_row::{Function, FunctionError, bytes};
use crate::observers::script::value::Value;
use crate::words::emv::assemble;
use crate::words::tlv::{Dol, TlvStore};

pub(super) const FUNCTION: Function = Function {
    name: "dol",
    usage: "dol(list)",
    about: "the data that a list such as $8C asks for",
    least: 1,
    most: 1,
    call: |arguments, surroundings| {
        let list = bytes(&arguments[0], "list")?;
        let dol = Dol::parse(&list).map_err(|cause| FunctionError::Tlv { what: "list", cause })?;
        let known = dol.0.iter().filter_map(|entry| Some((entry.tag, surroundings.element(entry.tag)?)));
        let store: TlvStore = known.collect();
        Ok(Value::Bytes(assemble(&dol, &store)))
    },
};
