//! The phone: its lock, its cards, its e-cash accounts, and what a break leaves.

#[cfg(target_os = "linux")]
mod cli;
mod ecash;
mod kit;
mod phone;
#[cfg(all(feature = "postgres", target_os = "linux"))]
mod secrets;
mod taps;
mod token;
mod town;
