//! Readers behind the PC/SC daemon, by the crate `pcsc`. On Linux its library is
//! loaded at first use, so nothing PC/SC need be there to build or to start.

#[cfg(target_os = "linux")]
mod loader;
