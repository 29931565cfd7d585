//! Any text is a script or errors with their places; reading it never panics or hangs.
#![no_main]

#[path = "../bodies/script.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
