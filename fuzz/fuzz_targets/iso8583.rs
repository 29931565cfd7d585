//! Whatever bytes come, a message is read or refused; what was read is written and
//! read again the same; its request, its explanation and its frame do not panic.
#![no_main]

#[path = "../bodies/iso8583.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
