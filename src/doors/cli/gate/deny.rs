//! `cardwright gate deny`: makes and changes a deny list.

use crate::base::bytes::Secret;
use crate::devices::gate::DenyDelta;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::words::emv::Pan;
use crate::world::gate::open_deny_list;
use crate::world::{WorldError, read_text};
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "deny",
    about: "Makes or changes a deny list, which holds keyed hashes and no card number, and says how long it is",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let numbers = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
    };
    line.arg(
        Arg::new("LIST")
            .required(true)
            .value_parser(value_parser!(PathBuf))
            .help("The list; its key is cardwright.key beside it"),
    )
    .arg(numbers("add", "A file with a card number, or an account reference (PAR, 29 characters), on each line: denied from now on"))
    .arg(numbers("remove", "The same: let through again"))
    .arg(
        numbers(
            "delta",
            "Makes the next version of the list, and writes here what --add and --remove change in it",
        )
        .conflicts_with("apply"),
    )
    .arg(numbers("apply", "A change of the list: lines `from N`, `to N`, `+ HASH`, `- HASH`"))
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let path = |name: &str| call.arguments.get_one::<PathBuf>(name).cloned();
    let Some(file) = path("LIST") else { return Err(Failure::Usage("name the list".into())) };
    let mut context = call.switches.context(Recording::default());
    let mut list = open_deny_list(&file, &mut context)?;
    let (add, remove) = (names(path("add"))?, names(path("remove"))?);
    match path("delta") {
        Some(file) => {
            let entries =
                |names: &[Secret<String>]| names.iter().map(|name| list.entry_of(name.expose())).collect();
            let delta = list.next(entries(&add), entries(&remove));
            list.apply(&delta).map_err(WorldError::from)?;
            write_delta(call, &file, &delta)?;
        }
        None => {
            add.iter().for_each(|name| list.add(name.expose()));
            remove.iter().for_each(|name| list.remove(name.expose()));
        }
    }
    if let Some(change) = path("apply") {
        let text = std::fs::read_to_string(&change).map_err(|cause| Failure::file("read", &change, cause))?;
        let delta = DenyDelta::parse(&text)
            .map_err(|cause| Failure::Usage(format!("{}: {cause}", change.display())))?;
        list.apply(&delta).map_err(|cause| Failure::Usage(cause.to_string()))?;
    }
    list.write(&file).map_err(WorldError::from)?;
    call.output.say(&format!(
        "{}: version {}, {} cards denied, {} bytes of memory\n",
        file.display(),
        list.version(),
        list.len(),
        list.bytes()
    ));
    call.output.tell("version", json!(list.version()));
    call.output.tell("cards", json!(list.len()));
    Ok(Exit::Done)
}

/// Writes a change of a deny list.
pub(super) fn write_delta(call: &mut Call<'_>, path: &Path, delta: &DenyDelta) -> Result<(), Failure> {
    std::fs::write(path, delta.to_string()).map_err(|cause| Failure::file("write", path, cause))?;
    call.output.note(format!(
        "{}: from version {} to {}, {} cards denied, {} let through again",
        path.display(),
        delta.from,
        delta.to,
        delta.add.len(),
        delta.remove.len()
    ));
    Ok(())
}

/// The card numbers and account references of a file.
fn names(file: Option<PathBuf>) -> Result<Vec<Secret<String>>, Failure> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let text = read_text(&file).map_err(|cause| Failure::file("read", &file, cause))?;
    let text = Secret::new(text);
    let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
    let name = |line: &str| match is_account_reference(line) {
        true => Ok(Secret::new(line.to_owned())),
        false => Pan::checked(line).map(|pan| Secret::new(pan.expose().to_owned())),
    };
    Ok(lines.map(name).collect::<Result<_, _>>().map_err(WorldError::from)?)
}

/// Whether a text is a payment account reference: 29 capital letters and digits (tag 9F24).
fn is_account_reference(text: &str) -> bool {
    text.len() == 29 && text.bytes().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
}
