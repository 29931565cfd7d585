//! The phone: its lock, its cards, its e-cash accounts, and what a break leaves.

#[cfg(target_os = "linux")]
mod cli;
mod ecash;
mod kit;
mod phone;
mod token;
