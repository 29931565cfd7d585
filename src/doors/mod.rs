//! The ways in: the command line, the library that other programs take for PC/SC, and
//! the fixture for tests in Rust.

pub mod cli;
#[cfg(all(target_os = "linux", target_pointer_width = "64", feature = "pcsc"))]
pub mod pcsclite;
pub mod testing;
