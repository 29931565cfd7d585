//! Becomes `libpcsclite.so.1` with simulated cards behind it: `cargo build --example
//! pcsclite`, and `cardwright pcsclite -- COMMAND` to run a program with it.

#![allow(unsafe_code, reason = "the names that programs link are exported")]
#![allow(non_snake_case, reason = "they are names of the C interface")]

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
cardwright::pcsclite_library!();
