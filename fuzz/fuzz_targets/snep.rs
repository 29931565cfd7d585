//! Any units of SNEP, from a client or from a server, are messages or refused.
#![no_main]

#[path = "../bodies/snep.rs"]
mod body;
#[path = "../bodies/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
