//! Any bytes are a recording or an error; what is read is told, compared, replayed and
//! made into a capture without a panic.
#![no_main]

#[path = "../bodies/trace.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
