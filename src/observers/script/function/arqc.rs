//! `arqc`: the application cryptogram that a card must have given.

use crate::observers::script::function_row::{Function, array, element_array};
use crate::observers::script::key_version::version;
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;

pub(super) const FUNCTION: Function = Function {
    name: "arqc",
    usage: "arqc(udk, version?)",
    about: "the cryptogram (9F26) over what terminal and card have said, under a card's key",
    least: 1,
    most: 2,
    call: |arguments, surroundings| {
        let udk: [u8; 16] = array(&arguments[0], "card's key")?;
        let version = version(arguments.get(1), surroundings)?;
        let atc = element_array(tag::ATC, surroundings)?;
        let data = version.assemble(&|tag| surroundings.element(tag))?;
        Ok(Value::Bytes(version.application_cryptogram(&udk, atc, &data).to_vec()))
    },
};
