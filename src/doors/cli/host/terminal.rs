//! `cardwright host terminal`: the terminals that a host serves.

use crate::air::host::{TerminalKey, Terminals};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::{Call, Command, Run, no_arguments};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::journal::{key_file, room_for_key};
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::Columns;
use crate::world::{WorldError, add_terminal, open_terminals};
use clap::Arg;
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "terminal",
    about: "Adds and lists the terminals that the host serves",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        Command {
            name: "add",
            about: "Adds a terminal and makes its master key; the key goes into a file for the terminal",
            effect: None,
            arguments: add_arguments,
            run: Run::Alone(add),
        },
        Command {
            name: "list",
            about: "Lists the terminals",
            effect: None,
            arguments: no_arguments,
            run: Run::Alone(list),
        },
    ]),
};

fn add_arguments(line: clap::Command) -> clap::Command {
    line.arg(Arg::new("TERMINAL").required(true).help("Its number (F41): 8 letters and digits"))
        .arg(Arg::new("MERCHANT").required(true).help("Its merchant's number (F42): 15 letters and digits"))
        .arg(super::serve::dialect_argument("pos"))
}

fn add(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let text = |name| call.text(name).unwrap_or_default().to_owned();
    let (terminal, merchant, dialect) = (text("TERMINAL"), text("MERCHANT"), text("dialect"));
    let file = key_file(&call.switches)?;
    let mut context = call.switches.context(Recording::default());
    // A key that a seed repeats would be no secret.
    let key = TerminalKey::random(&terminal, &merchant, &dialect, &mut Context::system(Discard));
    let key = key.map_err(WorldError::from)?;
    room_for_key(&file, "--terminal-key")?;
    let mut terminals = terminals(call, Need::Makes, &mut context)?;
    add_terminal(&mut terminals, &key, &file, &mut context)?;
    let check = key.check_value();
    call.output.say(&format!(
        "terminal {terminal} of merchant {merchant} is added\n  key file     {}\n  check value  {check}\n",
        file.display()
    ));
    call.output.tell("terminal", json!(terminal));
    call.output.tell("merchant", json!(merchant));
    call.output.tell("key_file", json!(file.display().to_string()));
    call.output.tell("check_value", json!(check));
    Ok(Exit::Done)
}

fn list(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut context = call.switches.context(Recording::default());
    let rows = terminals(call, Need::Asks, &mut context)?.list().map_err(WorldError::from)?;
    if rows.is_empty() {
        call.output.say("No terminal is added: cardwright host terminal add TERMINAL MERCHANT\n");
    }
    let mut columns = Columns::indented(0);
    for row in &rows {
        columns.row(&row.terminal, format!("{}  since {}", row.merchant, row.added_at));
    }
    call.output.say(&columns.to_string());
    let of = |row: &crate::air::host::TerminalRow| json!({ "terminal": row.terminal, "merchant": row.merchant, "added_at": row.added_at.to_string() });
    call.output.tell("terminals", rows.iter().map(of).collect());
    Ok(Exit::Done)
}

/// Opens the terminals and lines of the store that is named.
pub(super) fn terminals(
    call: &mut Call<'_>,
    need: Need,
    context: &mut Context,
) -> Result<Terminals, Failure> {
    let store = books::address(call, need)?;
    open_terminals(&store, call.switches.seal_key.as_deref(), context)
        .map_err(|cause| books::at(&store, cause))
}
