//! The recording that a command is given.

use crate::air::trace::{Trace, TraceError};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use clap::{Arg, value_parser};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// The argument's name.
const FILE: &str = "FILE";

/// The argument FILE.
pub(in crate::doors::cli::trace) fn argument(line: clap::Command) -> clap::Command {
    let file = Arg::new(FILE).required(true).value_parser(value_parser!(PathBuf));
    line.arg(file.help("A recording, FILE.cwt, made by --save of read, load, pay and their like"))
}

/// Reads FILE; card data is masked unless `--unmask` is given.
pub(in crate::doors::cli::trace) fn open(call: &mut Call<'_>) -> Result<Trace, Failure> {
    open_at(call, FILE)
}

/// The same of another argument.
pub(in crate::doors::cli::trace) fn open_at(call: &mut Call<'_>, argument: &str) -> Result<Trace, Failure> {
    let path = path(call, argument);
    let file = File::open(&path).map_err(|cause| Failure::file("open the recording", &path, cause))?;
    let trace = Trace::read(BufReader::new(file)).map_err(|cause| match cause {
        TraceError::Io { source, .. } => Failure::file("read the recording", &path, source),
        cause => Failure::Trace { path, cause },
    })?;
    if trace.cut {
        call.output.note("The recording's last line was cut short; it is left out.");
    }
    Ok(if call.switches.unmask { trace } else { trace.masked() })
}

/// The path that an argument names.
pub(in crate::doors::cli::trace) fn path(call: &Call<'_>, argument: &str) -> PathBuf {
    call.arguments.get_one::<PathBuf>(argument).cloned().unwrap_or_default()
}
