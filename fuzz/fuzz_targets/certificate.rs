//! Whatever a card bears as certificates and signatures, under a key whose operation
//! anybody can undo, each is recovered or refused, and nothing panics.
#![no_main]

#[path = "../bodies/certificate.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
