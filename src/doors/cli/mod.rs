//! The command line: one file per command.

use std::process::ExitCode;

/// Runs the command line with these arguments.
pub fn run(_arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    ExitCode::SUCCESS
}
