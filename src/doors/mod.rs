//! The ways in: the command line, and the library that other programs take for PC/SC.

pub mod cli;
#[cfg(all(target_os = "linux", target_pointer_width = "64", feature = "pcsc"))]
pub mod pcsclite;
