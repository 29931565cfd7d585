//! `cardwright host link`: the lines of acquirers that forward to this host.

use super::terminal::terminals;
use crate::air::host::{LinkKey, LinkRow};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::doors::cli::shared::books::Need;
use crate::doors::cli::shared::command::{Call, Command, Run, no_arguments};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::journal::{link_key_file, room_for_key};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::Columns;
use crate::world::{WorldError, add_link};
use clap::{Arg, value_parser};
use serde_json::json;
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "link",
    about: "Adds and lists the lines of acquirers that forward to this host",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        Command {
            name: "add",
            about: "Adds a line and makes its zone master key; the key goes into a file for the acquirer",
            effect: None,
            arguments: add_arguments,
            run: Run::Alone(add),
        },
        Command {
            name: "list",
            about: "Lists the lines",
            effect: None,
            arguments: no_arguments,
            run: Run::Alone(list),
        },
    ]),
};

fn add_arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("INSTITUTION").required(true).help("The acquirer's code (F32, F33): 8 to 11 digits"))
        .arg(
            Arg::new("key")
                .long("key")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Where the key goes; else link.key in the folder of --state"),
        )
        .arg(super::serve::dialect_argument("network"))
}

fn add(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let text = |name| call.text(name).unwrap_or_default().to_owned();
    let (institution, dialect) = (text("INSTITUTION"), text("dialect"));
    let file = link_key_file(call.arguments.get_one::<PathBuf>("key"), &call.switches)?;
    let mut context = call.switches.context(Recording::default());
    // A key that a seed repeats would be no secret.
    let key = LinkKey::random(&institution, &dialect, &mut Context::system(Discard));
    let key = key.map_err(WorldError::from)?;
    room_for_key(&file, "--key")?;
    let mut terminals = terminals(call, Need::Makes, &mut context)?;
    add_link(&mut terminals, &key, &file, &mut context)?;
    let check = key.check_value();
    call.output.say(&format!(
        "the line of institution {institution} is added\n  key file     {}\n  check value  {check}\n",
        file.display()
    ));
    call.output.tell("institution", json!(institution));
    call.output.tell("key_file", json!(file.display().to_string()));
    call.output.tell("check_value", json!(check));
    Ok(Exit::Done)
}

fn list(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut context = call.switches.context(Recording::default());
    let rows = terminals(call, Need::Asks, &mut context)?.links().map_err(WorldError::from)?;
    if rows.is_empty() {
        call.output.say("No line is added: cardwright host link add INSTITUTION\n");
    }
    let mut columns = Columns::indented(0);
    for row in &rows {
        columns.row(&row.institution, format!("since {}", row.added_at));
    }
    call.output.say(&columns.to_string());
    let of = |row: &LinkRow| json!({ "institution": row.institution, "added_at": row.added_at.to_string() });
    call.output.tell("links", rows.iter().map(of).collect());
    Ok(Exit::Done)
}
