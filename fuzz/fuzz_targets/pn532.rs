//! Any bytes on a line to a PN532, from its host or from the chip, are frames or noise.
#![no_main]

#[path = "../bodies/pn532.rs"]
mod body;
#[path = "../bodies/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
