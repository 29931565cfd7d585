//! The session's folder, as its commands are told it.

use crate::doors::cli::shared::command::Call;
use clap::{Arg, value_parser};
use std::path::PathBuf;

/// `--session DIR`.
pub(in crate::doors::cli::certify) fn argument() -> Arg {
    Arg::new("session")
        .long("session")
        .value_name("DIR")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The folder that keeps what came of the product")
}

/// The folder that was named.
pub(in crate::doors::cli::certify) fn folder(call: &Call<'_>) -> PathBuf {
    call.arguments.get_one::<PathBuf>("session").cloned().unwrap_or_default()
}
