//! `-j N`: how many at once.

use super::command::Call;
use clap::{Arg, value_parser};

/// The argument; `help` says what is counted.
pub(in crate::doors::cli) fn threads_argument(least: u16, help: &'static str) -> Arg {
    Arg::new("threads")
        .short('j')
        .long("threads")
        .value_name("N")
        .value_parser(value_parser!(u16).range(i64::from(least)..=1024))
        .help(help)
}

/// How many at once: what was named, else one for each processor.
pub(in crate::doors::cli) fn threads(call: &Call<'_>) -> usize {
    match call.arguments.get_one::<u16>("threads") {
        Some(threads) => usize::from(*threads),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}
