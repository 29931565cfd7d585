//! `cardwright ca export`: the public keys of a certification authority, for terminals.

use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::{
    ca_keys_capk, ca_keys_csv, ca_keys_json, ca_keys_text, ca_keys_toml, keys_without_capk,
};
use crate::roles::bureau::Authority;
use crate::world::{WorldError, open_authority};
use clap::{Arg, value_parser};
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "export",
    about: "Gives out the CA public keys: for our terminal, for another program, or on paper",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("FOLDER")
            .value_parser(value_parser!(PathBuf))
            .help("The folder that `ca new` made; without one the keys of the built-in test authority"),
    )
    .arg(
        Arg::new("format")
            .long("format")
            .default_value("sheet")
            .value_parser(["sheet", "csv", "toml", "capk"])
            .help(
                "sheet: for people; csv; toml: for our terminal and the crate emv; capk: proxmark's capk.txt",
            ),
    )
    .arg(
        Arg::new("out")
            .long("out")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Writes into this file, which must not be there, instead of printing"),
    )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut context = call.switches.context(Recording::default());
    let keys = match call.arguments.get_one::<PathBuf>("FOLDER") {
        Some(folder) => {
            open_authority(folder, call.switches.seal_key.as_deref(), &mut context)?.public_keys()
        }
        None => Authority::test().map_err(WorldError::from)?.public_keys(),
    };
    let format = call.text("format").unwrap_or("sheet").to_owned();
    let text = match format.as_str() {
        "csv" => ca_keys_csv(&keys),
        "toml" => ca_keys_toml(&keys),
        "capk" => ca_keys_capk(&keys),
        _ => ca_keys_text(&keys),
    };
    match call.arguments.get_one::<PathBuf>("out") {
        None => call.output.say(&text),
        Some(path) => {
            std::fs::File::create_new(path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
                .map_err(|cause| Failure::file("make", path, cause))?;
            call.output.say(&format!("{} keys in {}\n", keys.len(), path.display()));
        }
    }
    // A note on standard output would stand in the file that it is led into.
    if format == "capk" && call.arguments.contains_id("out") && keys_without_capk(&keys) > 0 {
        let left_out = keys_without_capk(&keys);
        call.output.note(format!("{left_out} SM2 keys are left out: capk.txt has no form for them."));
    }
    call.output.tell("ca_public_keys", ca_keys_json(&keys));
    Ok(Exit::Done)
}
