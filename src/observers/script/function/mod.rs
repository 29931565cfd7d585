//! The functions of the language, a file and a row each.

mod arpc;
mod arqc;
mod bcd;
mod concat;
mod date;
mod dol;
mod length;
mod mac;
mod masterkey;
mod pinblock;
mod random;
mod scriptmac;
mod sessionkey;
mod slice;
mod tlv;
mod udk;
mod xor;

use super::function_row::Function;

/// Every function, in the order of the reference.
pub const FUNCTIONS: &[Function] = &[
    masterkey::FUNCTION,
    udk::FUNCTION,
    sessionkey::FUNCTION,
    arqc::FUNCTION,
    arpc::FUNCTION,
    scriptmac::FUNCTION,
    mac::FUNCTION,
    pinblock::FUNCTION,
    tlv::FUNCTION,
    dol::FUNCTION,
    bcd::FUNCTION,
    concat::FUNCTION,
    slice::FUNCTION,
    length::FUNCTION,
    xor::FUNCTION,
    date::FUNCTION,
    random::FUNCTION,
];
