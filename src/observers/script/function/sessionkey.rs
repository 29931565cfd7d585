//! `sessionkey`: the key of one transaction from a card's key.

use crate::observers::script::function_row::{
    Function, FunctionError, array, element_array, first_cryptogram,
};
use crate::observers::script::key_version::version;
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;

pub(super) const FUNCTION: Function = Function {
    name: "sessionkey",
    usage: "sessionkey(udk, ac | script, version?)",
    about: "the transaction's key for application cryptograms or for scripts, by the ATC (and ARQC) seen",
    least: 2,
    most: 3,
    call: |arguments, surroundings| {
        let udk: [u8; 16] = array(&arguments[0], "card's key")?;
        let version = version(arguments.get(2), surroundings)?;
        let atc = element_array(tag::ATC, surroundings)?;
        let kind = arguments[1].text();
        let key = match kind.as_str() {
            "ac" => {
                let number = element_array(tag::UNPREDICTABLE_NUMBER, surroundings)?;
                version.session_key(&udk, atc, number)
            }
            "script" => {
                let arqc = first_cryptogram(surroundings)?;
                version.script_session_key(&udk, atc, arqc)
            }
            _ => {
                let known = "ac, script".into();
                return Err(FunctionError::Name { what: "session key", found: kind, known });
            }
        };
        Ok(Value::Bytes(key.expose().to_vec()))
    },
};
