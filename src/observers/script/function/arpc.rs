//! `arpc`: the issuer's answer to the card's cryptogram.

use crate::observers::script::function_row::{Function, array, element_array, first_cryptogram};
use crate::observers::script::key_version::version;
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;

pub(super) const FUNCTION: Function = Function {
    name: "arpc",
    usage: "arpc(udk, code, version?)",
    about: "the ARPC by method 1 over the cryptogram seen and a response code such as \"00\"",
    least: 2,
    most: 3,
    call: |arguments, surroundings| {
        let udk: [u8; 16] = array(&arguments[0], "card's key")?;
        let code = Value::Text(arguments[1].text());
        let code: [u8; 2] = match &arguments[1] {
            Value::Bytes(_) => array(&arguments[1], "response code")?,
            _ => array(&code, "response code")?,
        };
        let version = version(arguments.get(2), surroundings)?;
        let atc = element_array(tag::ATC, surroundings)?;
        let arqc = first_cryptogram(surroundings)?;
        Ok(Value::Bytes(version.arpc_method_1(&udk, atc, arqc, code).to_vec()))
    },
};
