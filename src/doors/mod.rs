//! The ways in: the command line.

pub mod cli;
