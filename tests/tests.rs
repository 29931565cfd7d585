//! The integration tests, one binary. A forgotten file fails `every_file_is_named`.

// Test code says what broke by panicking; clippy's leave for tests does not reach helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_cards;
mod ca;
mod calculator;
mod card;
mod certificates;
mod certify;
#[path = "support/city_card.rs"]
#[allow(dead_code, reason = "the other binary uses the rest")]
mod city_card;
mod cli;
mod cryptography;
mod determinism;
#[cfg(target_os = "linux")]
mod doctor;
mod effects;
mod emv_kernel;
mod first_slice;
#[cfg(target_os = "linux")]
mod forward;
mod gate;
mod hardware;
#[cfg(target_os = "linux")]
mod host;
mod issuer;
mod kinds;
mod lua;
mod mutated;
mod p2p;
/// The worked example in Rust.
#[path = "../examples/pull_test.rs"]
mod pull_test;
mod purse;
mod reconcile;
mod scripts;
mod settle;
mod store;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the other binary uses the rest")]
mod support;
mod tear;
mod terminal_files;
mod tidy;
mod token;
mod traces;
mod wallet;
mod wire;
mod words;
mod worlds;

#[test]
fn every_file_is_named() {
    let here = include_str!("tests.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs") else { continue };
        if ["tests", "data"].contains(&module) {
            continue;
        }
        assert!(here.contains(&format!("mod {module};")), "tests/{name} has no mod line in tests/tests.rs");
    }
}
