//! The recording that a command is given.

use crate::air::trace::Trace;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::world::open_trace;
use clap::{Arg, value_parser};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// The argument's name.
const FILE: &str = "FILE";
const OUT: &str = "out";
/// Endings of what nobody edits: an earlier one is written over.
const MADE_AGAIN: &[&str] = &["html", "pcapng", "cwt"];

/// The argument FILE.
pub(in crate::doors::cli::trace) fn argument(line: clap::Command) -> clap::Command {
    let file = Arg::new(FILE).required(true).value_parser(value_parser!(PathBuf));
    line.arg(file.help("A recording, FILE.cwt, made by --save of read, load, pay and their like"))
}

/// The argument FILE of a text that another program wrote.
pub(in crate::doors::cli::trace) fn log_argument(line: clap::Command) -> clap::Command {
    let file = Arg::new(FILE).required(true).value_parser(value_parser!(PathBuf));
    line.arg(file.help("What the program wrote"))
}

/// Reads FILE as text; what is no UTF-8 in it is replaced.
pub(in crate::doors::cli::trace) fn read_log(call: &Call<'_>) -> Result<(PathBuf, String), Failure> {
    let path = path(call, FILE);
    let bytes = std::fs::read(&path).map_err(|cause| Failure::file("read", &path, cause))?;
    Ok((path, String::from_utf8_lossy(&bytes).into_owned()))
}

/// Reads FILE; card data is masked unless `--unmask` is given.
pub(in crate::doors::cli::trace) fn open(call: &mut Call<'_>) -> Result<Trace, Failure> {
    open_at(call, FILE)
}

/// The same of another argument.
pub(in crate::doors::cli::trace) fn open_at(call: &mut Call<'_>, argument: &str) -> Result<Trace, Failure> {
    let path = path(call, argument);
    let trace = open_trace(&path)?;
    if trace.cut {
        call.output.note("The recording's last line was cut short; it is left out.");
    }
    Ok(if call.switches.unmask { trace } else { trace.masked() })
}

/// The path that an argument names.
pub(in crate::doors::cli::trace) fn path(call: &Call<'_>, argument: &str) -> PathBuf {
    call.arguments.get_one::<PathBuf>(argument).cloned().unwrap_or_default()
}

/// The switch `-o OUT`.
pub(in crate::doors::cli::trace) fn out(ending: &'static str) -> Arg {
    let out = Arg::new(OUT).short('o').long("out").value_name("FILE").value_parser(value_parser!(PathBuf));
    out.help(format!("The file to make; else FILE with the ending .{ending}"))
}

/// Writes what was made of FILE where `-o` says, and says where that is. What is made of a
/// recording is for the one who recorded.
pub(in crate::doors::cli::trace) fn write(
    call: &mut Call<'_>,
    ending: &str,
    bytes: &[u8],
) -> Result<(), Failure> {
    let path = match path(call, OUT) {
        out if out.as_os_str().is_empty() => path(call, FILE).with_extension(ending),
        out => out,
    };
    if path == self::path(call, FILE) {
        return Err(Failure::Usage(format!(
            "{}: expected another file to write than the one to read",
            path.display()
        )));
    }
    // A card, books or a key are money, and a profile or a script is somebody's work.
    let is_made_again = MADE_AGAIN.contains(&ending) && path.extension().is_some_and(|found| found == ending);
    if path.exists() && !is_made_again {
        return Err(Failure::Usage(format!(
            "{} is there already and is left as it is: name a new file with -o",
            path.display()
        )));
    }
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|cause| Failure::file("write", &path, cause))?;
    call.output.say(&format!("{}\n", path.display()));
    call.output.tell("file", path.display().to_string().into());
    Ok(())
}
