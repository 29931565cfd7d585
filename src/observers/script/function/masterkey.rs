//! `masterkey`: the issuer's master keys of the project's own test key set.

use crate::observers::script::function_row::{Function, FunctionError};
use crate::observers::script::value::Value;
use crate::roles::bureau::KeySet;

pub(super) const FUNCTION: Function = Function {
    name: "masterkey",
    usage: "masterkey(ac | mac | enc)",
    about: "a master key of the test key set that simulated cards have their keys from",
    least: 1,
    most: 1,
    call: |arguments, _| {
        let set = KeySet::test();
        let found = arguments[0].text();
        let key = match found.as_str() {
            "ac" => &set.master().ac,
            "mac" => &set.master().mac,
            "enc" => &set.master().enc,
            _ => {
                return Err(FunctionError::Name { what: "master key", found, known: "ac, mac, enc".into() });
            }
        };
        Ok(Value::Bytes(key.expose().to_vec()))
    },
};
