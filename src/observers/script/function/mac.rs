//! `mac`: the MAC algorithm 3 of ISO/IEC 9797-1 (retail MAC), padding method 2.

use crate::base::crypto::{Padding, mac_algorithm_3_from};
use crate::observers::script::function_row::{Function, array, bytes};
use crate::observers::script::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "mac",
    usage: "mac(key, data, vector?)",
    about: "the retail MAC of data under a key of 16 bytes, with an initial vector of 8 bytes, else zeros: 8 bytes",
    least: 2,
    most: 3,
    call: |arguments, _| {
        let key: [u8; 16] = array(&arguments[0], "key")?;
        let data = bytes(&arguments[1], "data")?;
        let vector = arguments.get(2).map(|value| array(value, "vector")).transpose()?.unwrap_or_default();
        Ok(Value::Bytes(mac_algorithm_3_from(&key, vector, &data, Padding::Method2).to_vec()))
    },
};
