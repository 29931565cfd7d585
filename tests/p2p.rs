//! Two phones that touch, and the books of their host.

#[cfg(target_os = "linux")]
mod cli;
mod host;
mod kit;
mod tear;
mod touch;
mod worlds;
