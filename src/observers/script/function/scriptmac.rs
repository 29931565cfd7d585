//! `scriptmac`: the MAC of an issuer's script command.

use crate::observers::script::function_row::{Function, array, bytes, element_array, first_cryptogram};
use crate::observers::script::key_version::version;
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;

pub(super) const FUNCTION: Function = Function {
    name: "scriptmac",
    usage: "scriptmac(udk, header, data, version?)",
    about: "the MAC of a script command: its header with Lc, and its data before the MAC",
    least: 3,
    most: 4,
    call: |arguments, surroundings| {
        let udk: [u8; 16] = array(&arguments[0], "card's MAC key")?;
        let header: [u8; 5] = array(&arguments[1], "header")?;
        let data = bytes(&arguments[2], "data")?;
        let version = version(arguments.get(3), surroundings)?;
        let atc = element_array(tag::ATC, surroundings)?;
        let arqc = first_cryptogram(surroundings)?;
        let length = version.script_mac_bytes;
        Ok(Value::Bytes(version.script_mac(&udk, atc, arqc, header, &data, length)?))
    },
};
