//! The token service: its tables, its flows, its taps, on the engine under test.

pub(crate) mod kit;
mod life;
mod provisioning;
mod sequences;
mod tables;
mod taps;
mod vault;
