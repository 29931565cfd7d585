//! Any units over a link of LLCP are taken or refused, and what the link says are units.
#![no_main]

#[path = "../bodies/llcp.rs"]
mod body;
#[path = "../bodies/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
