//! `cardwright terminal import`: a terminal file from files of other programs.

use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::roles::terminal::{Import, ImportError};
use crate::world::read_text;
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "import",
    about: "Makes a terminal file from those of the crate emv and from proxmark's capk.txt",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("FILE")
            .required(true)
            .num_args(1..)
            .value_parser(value_parser!(PathBuf))
            .help("terminal.toml, aids.toml, capk.toml, crl.toml or capk.txt, in any order; their contents say which they are"),
    )
    .arg(
        Arg::new("out")
            .long("out")
            .value_name("FILE.toml")
            .value_parser(value_parser!(PathBuf))
            .help("Writes into this file, which must not be there, instead of printing"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let usage = |path: &Path, cause: ImportError| Failure::Usage(format!("{}: {cause}", path.display()));
    let files: Vec<PathBuf> = call.arguments.get_many("FILE").unwrap_or_default().cloned().collect();
    let mut import = Import::new().map_err(|cause| Failure::Usage(cause.to_string()))?;
    for path in &files {
        let text = read_text(path).map_err(|cause| Failure::file("read", path, cause))?;
        import.add(&text).map_err(|cause| usage(path, cause))?;
    }
    let text = import.to_toml().map_err(|cause| Failure::Usage(cause.to_string()))?;
    call.output.tell("left_out", json!(import.notes()));
    match call.arguments.get_one::<PathBuf>("out") {
        None => {
            call.output.say(&text);
            call.output.tell("terminal", json!(text));
        }
        Some(path) => {
            std::fs::File::create_new(path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
                .map_err(|cause| Failure::file("make", path, cause))?;
            // On standard output notes would stand in the file that it is led into.
            import.notes().iter().for_each(|note| call.output.note(note.as_str()));
            call.output.say(&format!("a terminal file is in {}\n", path.display()));
        }
    }
    Ok(Exit::Done)
}
